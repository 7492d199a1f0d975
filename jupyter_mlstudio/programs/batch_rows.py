"""Turns a mini-batch's rows into what a model is fed, and its answers into rows: strictly, and failing row by row.

Text of CSV is read as the type that the model takes; a value of any other type is never rounded or guessed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.client.rows import MISSING_TEXT
from jupyter_mlstudio.entities.models import Signature, TensorSpec
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx.protocol import DTYPES

MISSING_NUMBER = frozenset({"", "nan", "NaN"})
_TRUTH = {"true": True, "false": False, "1": True, "0": False}


def wanted_columns(signature: Signature, columns: Sequence[str] | None) -> list[list[str]]:
    """The columns that each input is made of.

    Raises:
        Invalid: a column is missing, or the model takes more than tables hold.
    """
    wanted = []
    for spec in signature.inputs:
        width = spec.shape[1] if len(spec.shape) == 2 else 1
        if len(spec.shape) > 2 or width < 0:
            raise Invalid(
                f"input {spec.name!r} has shape {spec.shape}, which rows of a table cannot fill; use a script"
            )
        named = list(spec.columns) or ([spec.name] if width == 1 else [])
        if not named:  # a matrix whose columns have no names takes the file's, in their order
            if columns is None or len(columns) != width:
                raise Invalid(f"input {spec.name!r} takes {width} columns without names, the table has other ones")
            named = list(columns)
        if columns is not None and (missing := [name for name in named if name not in columns]):
            raise Invalid(f"column {missing[0]!r} is missing from the table, which has {', '.join(columns)[:200]}")
        wanted.append(named)
    return wanted


class Reader:
    """Reads rows for one model.

    Args:
        signature: what it takes.
        columns: the table's columns, None when each row is a dict.
        text: whether values are the texts of a CSV file.
    """

    def __init__(self, signature: Signature, columns: Sequence[str] | None, *, text: bool) -> None:
        self._specs = signature.inputs
        self._names = wanted_columns(signature, columns)
        at = {name: number for number, name in enumerate(columns or [])}
        self._at: list[list[Any]] = [[at[name] if columns is not None else name for name in one] for one in self._names]
        self._text = text

    def read(self, rows: Iterable[Any]) -> tuple[list[int], dict[str, NDArray[Any]], list[tuple[int, str]]]:
        """Reads rows; answers the positions of the good ones, the feeds made of them, and what failed and why."""
        good: list[int] = []
        failed: list[tuple[int, str]] = []
        kept: list[list[list[Any]]] = [[] for _ in self._specs]
        for position, row in enumerate(rows):
            try:
                if isinstance(row, Invalid):
                    raise row
                values = [self._row(spec, number, row) for number, spec in enumerate(self._specs)]
            except Invalid as error:
                failed.append((position, error.message))
                continue
            good.append(position)
            for into, one in zip(kept, values, strict=True):
                into.append(one)
        specs = zip(self._specs, kept, strict=True) if good else ()
        feeds = {spec.onnx_name or spec.name: _tensor(spec, one) for spec, one in specs}
        return good, feeds, failed

    def _row(self, spec: TensorSpec, number: int, row: Any) -> list[Any]:
        convert = _of_text if self._text else _of_value
        try:
            return [
                convert(spec, row[at], name) for at, name in zip(self._at[number], self._names[number], strict=True)
            ]
        except KeyError as error:
            raise Invalid(f"there is no value for {error.args[0]!r}") from error


def answers(signature: Signature, found: Sequence[NDArray[Any]]) -> tuple[list[str], list[list[Any]]]:
    """Lays a model's answers out as columns: one for each output, one for each class of the probabilities."""
    names: list[str] = []
    columns: list[list[Any]] = []
    for spec, values in zip(signature.outputs, found, strict=True):
        if values.ndim <= 1 or values.shape[1] == 1:
            names.append(spec.name)
            columns.append(_plain(values.reshape(-1)))
            continue
        flat = values.reshape(len(values), -1)
        labels = signature.labels if len(signature.labels) == flat.shape[1] else range(flat.shape[1])
        for label, column in zip(labels, flat.T, strict=True):
            names.append(f"{spec.name}_{label}")
            columns.append(_plain(column))
    return names, columns


def _plain(values: NDArray[Any]) -> list[Any]:
    """Python's own values; a float32 keeps its shortest form, so that 0.1 is not written as 0.10000000149."""
    if values.dtype == np.float32:
        return [float(text) for text in values.astype(str)]
    listed: list[Any] = values.tolist()
    return listed


def _tensor(spec: TensorSpec, rows: list[list[Any]]) -> NDArray[Any]:
    with np.errstate(over="ignore"):
        array = np.array(rows, dtype=DTYPES[spec.datatype]).reshape(len(rows), -1)
    return array if len(spec.shape) == 2 else array.reshape(-1)


def _of_text(spec: TensorSpec, text: str, name: str) -> Any:
    datatype = spec.datatype
    try:
        if datatype == "BYTES":
            return text
        if datatype.startswith("FP"):
            return math.nan if text in MISSING_NUMBER else _finite(float(_digits(text)), datatype)
        if datatype == "BOOL":
            return _TRUTH[text.lower()]
        number = float(_digits(text)) if any(char in text for char in ".eE") else int(_digits(text))
        return _integer(number, datatype)
    except (ValueError, KeyError, OverflowError) as error:
        raise Invalid(f"{text!r:.60} in column {name!r} is not a value of type {datatype}") from error


def _of_value(spec: TensorSpec, value: Any, name: str) -> Any:
    datatype = spec.datatype
    try:
        if datatype == "BYTES":
            return MISSING_TEXT if value is None else _of(str, value)
        if datatype.startswith("FP"):
            if value is None or value != value:
                return math.nan
            return _finite(float(_number(value)), datatype)
        if datatype == "BOOL":
            return _of(bool, value)
        return _integer(_number(value), datatype)
    except (ValueError, TypeError, OverflowError) as error:
        raise Invalid(f"{value!r:.60} in column {name!r} is not a value of type {datatype}") from error


def _digits(text: str) -> str:
    """Python reads 1_000 as a number; nobody else does."""
    if "_" in text:
        raise ValueError
    return text


def _number(value: Any) -> Any:
    if isinstance(value, (bool, str, bytes)):
        raise TypeError
    return value


def _of(kind: type, value: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError
    return value


def _finite(number: float, datatype: str) -> float:
    if math.isinf(number) or (datatype != "FP64" and abs(number) > float(np.finfo(DTYPES[datatype]).max)):
        raise OverflowError
    return number


def _integer(number: Any, datatype: str) -> int:
    limits = np.iinfo(DTYPES[datatype])
    if int(number) != number or not limits.min <= number <= limits.max:
        raise OverflowError
    return int(number)
