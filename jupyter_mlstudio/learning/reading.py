"""Reads a table from a file. What cannot be read without guessing is refused, with the row."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from jupyter_mlstudio.errors import Invalid, MissingExtra

SEPARATORS = ",;\t|"
HEAD_BYTES = 1 << 18
LOOKED_AT_LINES = 30
CHUNK_BYTES = 1 << 24
GUESSED = "cp1252"
"""Of text that is not UTF-8, and does not say what it is."""

BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
KINDS = {
    ".csv": "csv", ".tsv": "csv", ".tab": "csv", ".txt": "csv", ".jsonl": "lines", ".ndjson": "lines",
    ".json": "json", ".parquet": "parquet", ".pq": "parquet",
}  # fmt: skip


def read(path: str | Path, *, columns: Sequence[str] | None = None, nrows: int | None = None) -> pd.DataFrame:
    """Reads a table: CSV, TSV, JSON lines, JSON or Parquet, told by the suffix.

    Separators (comma, semicolon, tab, bar) and encodings (UTF-8, UTF-16 with its mark, else Windows-1252) are found
    out. A name that comes twice gets ``.1`` behind it; ``attrs["renamed"]`` of the frame names these.

    Args:
        columns: only these.
        nrows: only the first ones.

    Returns:
        ``(n_rows, n_columns)``, which may have no rows.

    Raises:
        Invalid: it is not there, empty, or not whole; the message says in which row.
        MissingExtra: it is Parquet, and pyarrow is not installed.
    """
    path = Path(path)
    kind = KINDS.get(path.suffix.lower())
    if not path.is_file():
        raise Invalid(f"there is no file {str(path)!r}")
    if kind is None:
        raise Invalid(f"{path.name!r} is no table that is read here: .csv, .tsv, .txt, .jsonl, .json or .parquet")
    if not path.stat().st_size:
        raise Invalid(f"{path.name!r} is empty: it has not even a row of names")
    if kind == "parquet":
        frame = _parquet(path, columns, nrows)
    elif kind == "csv":
        frame = _csv(path, nrows)
    else:
        frame = _objects(path, kind, nrows)
    if columns is None:
        return frame
    if lacking := [name for name in columns if name not in frame.columns]:
        raise Invalid(f"{path.name!r} has no column {lacking[0]!r}; it has {', '.join(map(str, frame.columns[:20]))}")
    return frame[list(columns)]


def _csv(path: Path, nrows: int | None) -> pd.DataFrame:
    encoding = _encoding(path)
    with path.open(encoding=encoding, newline="", errors="replace") as file:
        head = file.read(HEAD_BYTES)
    separator = "\t" if path.suffix.lower() in (".tsv", ".tab") else _separator(head)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pd.errors.ParserWarning)
            frame = pd.read_csv(
                path, sep=separator, encoding=encoding, nrows=nrows, low_memory=False, skipinitialspace=True
            )
    except pd.errors.EmptyDataError as error:
        raise Invalid(f"{path.name!r} has no row of names") from error
    except pd.errors.ParserError as error:
        raise Invalid(f"{path.name!r} cannot be read: {_parser_words(str(error))}") from error
    except UnicodeDecodeError as error:
        raise Invalid(
            f"{path.name!r} is not written in one encoding: byte {error.start:,} is not {encoding}"
        ) from error
    names, first = _first_rows(head, separator)
    if len(first) > len(names):
        raise Invalid(f"the first row of {path.name!r} has {len(first)} values for {len(names)} names")
    frame.columns = pd.Index([str(name) for name in frame.columns])
    if encoding == GUESSED:
        frame.attrs["guessed_encoding"] = encoding
    frame.attrs["renamed"] = sorted({name for name in names if name and names.count(name) > 1})
    return frame


def _first_rows(head: str, separator: str) -> tuple[list[str], list[str]]:
    """The names, and the values of the first row."""
    rows: list[list[str]] = []
    with contextlib.suppress(csv.Error):
        for row in csv.reader(io.StringIO(head), delimiter=separator, skipinitialspace=True):
            rows += [row] if row else []
            if len(rows) == 2:
                break
    return (rows[0] if rows else []), (rows[1] if len(rows) > 1 else [])


def _parser_words(text: str) -> str:
    """What pandas says, in fewer words: ``Expected 3 fields in line 5, saw 4``."""
    return text.replace("Error tokenizing data. C error: ", "").strip().rstrip(".")


def _encoding(path: Path) -> str:
    """The encoding of a file of text.

    Raises:
        Invalid: it holds NUL bytes, which no text has.
    """
    with path.open("rb") as file:
        start = file.read(4)
        for mark, encoding in BOMS.items():
            if start.startswith(mark):
                return encoding
        file.seek(0)
        lines, rest, utf8 = 1, b"", True
        while chunk := file.read(CHUNK_BYTES):
            if (at := chunk.find(b"\0")) >= 0:
                line = lines + chunk[:at].count(b"\n")
                raise Invalid(f"{path.name!r} has a NUL byte in line {line:,}: it is no text")
            lines += chunk.count(b"\n")
            if utf8:
                rest, utf8 = _decoded(rest + chunk)
    return "utf-8" if utf8 and not rest else GUESSED


def _decoded(data: bytes) -> tuple[bytes, bool]:
    """The bytes of a character that is cut off at the end, and whether all before it is UTF-8."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        cut_off = error.reason == "unexpected end of data" and len(data) - error.start < 4
        return (data[error.start :], True) if cut_off else (b"", False)
    return b"", True


def _separator(head: str) -> str:
    """The separator that parts the first lines into most columns, the same number in all of them if any does."""
    lines = [line for line in head.splitlines()[:LOOKED_AT_LINES] if line.strip()]
    if len(head) >= HEAD_BYTES and len(lines) > 1:
        lines = lines[:-1]
    best, score = ",", (False, 0)
    for separator in SEPARATORS:
        try:
            counts = [len(row) for row in csv.reader(lines, delimiter=separator)]
        except csv.Error:
            continue
        if counts and counts[0] > 1 and (counts.count(counts[0]) == len(counts), counts[0]) > score:
            best, score = separator, (counts.count(counts[0]) == len(counts), counts[0])
    return best


def _objects(path: Path, kind: str, nrows: int | None) -> pd.DataFrame:
    rows = []
    for number, row in enumerate(_lines(path) if kind == "lines" else _array(path), 1):
        if not isinstance(row, dict):
            raise Invalid(f"row {number:,} of {path.name!r} is {str(row)[:40]!r}, and no object with names and values")
        rows.append(row)
        if nrows is not None and len(rows) >= nrows:
            break
    frame = pd.DataFrame(rows)
    frame.columns = pd.Index([str(name) for name in frame.columns])
    return frame


def _lines(path: Path) -> Iterator[Any]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            text = line.removeprefix(b"\xef\xbb\xbf").strip()
            if text:
                yield _json(text, f"line {number:,} of {path.name!r}")


def _array(path: Path) -> list[Any]:
    found = _json(path.read_bytes().removeprefix(b"\xef\xbb\xbf"), repr(path.name))
    if isinstance(found, dict):
        found = next((value for value in found.values() if isinstance(value, list)), [found])
    if not isinstance(found, list):
        raise Invalid(f"{path.name!r} is no list of rows")
    return found


def _json(text: bytes, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{what} is no JSON: {str(error)[:100]}") from error


def _parquet(path: Path, columns: Sequence[str] | None, nrows: int | None) -> pd.DataFrame:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtra("pyarrow", "arrow") from error
    try:
        file = parquet.ParquetFile(path)
        names = file.schema_arrow.names
        wanted = None if columns is None or set(columns) - set(names) else list(columns)
        if nrows is None:
            table = file.read(columns=wanted)
        else:
            batch = next(file.iter_batches(batch_size=max(nrows, 1), columns=wanted), None)
            table = file.schema_arrow.empty_table() if batch is None else pyarrow.Table.from_batches([batch])
            table = table.slice(0, nrows)
        frame: pd.DataFrame = table.to_pandas(ignore_metadata=False, split_blocks=True, self_destruct=True)
    except (pyarrow.ArrowException, OSError) as error:
        raise Invalid(f"{path.name!r} cannot be read as Parquet: {str(error).splitlines()[0][:200]}") from error
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    return frame
