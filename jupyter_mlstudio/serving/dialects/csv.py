"""Rows as CSV, with a line of names first; values are read by the types of the model's columns.

Specification: RFC 4180. An empty field is a missing value.
"""

from __future__ import annotations

import csv
import io
import re
from typing import Any

from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx.tensors import check_rows, shown, wrong_value
from jupyter_mlstudio.serving.dialects.rows import RowReader

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,40}\Z", re.ASCII)
_FLAGS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


def read_csv(body: bytes | bytearray, rows: RowReader) -> tuple[list[str], list[list[Any]]]:
    """Reads names and rows.

    Raises:
        Invalid: it is not CSV, or a field is not a value of its column; the message names both.
    """
    try:
        lines = csv.reader(io.StringIO(bytes(body).decode("utf-8-sig"), newline=""), strict=True)
        columns = next(lines, [])
        table = [line for line in lines if line]
    except UnicodeDecodeError as error:
        raise Invalid("the CSV is not UTF-8") from error
    except csv.Error as error:
        raise Invalid("the body is not CSV: quotes do not match, or a field is too long") from error
    if not columns:
        raise Invalid("the CSV has no line of column names")
    check_rows(len(table), rows.limit)
    kinds = [rows.datatype(name, position) for position, name in enumerate(columns)]
    for number, line in enumerate(table):
        if len(line) != len(columns):
            raise Invalid(f"row {number} of the file has {len(line)} values, there are {len(columns)} columns")
    return columns, [
        [_value(text, kind, number, name) for text, kind, name in zip(line, kinds, columns, strict=True)]
        for number, line in enumerate(table)
    ]


def _value(text: str, datatype: str, row: int, column: str) -> Any:
    if datatype == "BYTES" or not datatype:
        return text or None
    if not text:
        return None
    if datatype.startswith("FP") and _NUMBER.match(text):
        return float(text)
    if datatype == "BOOL" and text in _FLAGS:
        return _FLAGS[text]
    if datatype.startswith(("INT", "UINT")) and _INTEGER.match(text):
        return int(text)
    raise Invalid(f"column {shown(column)}, row {row}: {wrong_value(text, datatype)} ({datatype})")
