"""Cuts the rows of table files into mini-batches that can be read again, one at a time and in any order.

CSV (RFC 4180, UTF-8), JSON lines and Parquet. A mini-batch of a text file is a range of its bytes that begins and ends
between two records, so a million rows cost one pass to plan and no memory to read.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from jupyter_mlstudio.errors import Invalid, WrongType

DELIMITERS = {".csv": ",", ".tsv": "\t"}
SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
FIELD_LIMIT_CHARS = 1_000_000
PIECES_LIMIT = 200_000
BATCH_ROWS = 10_000
"""So many rows of a Parquet file are unpacked at once: a few bytes may stand for a thousand million rows."""

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Piece:
    """One mini-batch: so many rows of a file from ``first_row`` (0 is the first below the header).

    ``start`` and ``end`` are byte positions in a text file, not used for Parquet. ``files`` are given instead of rows
    for a scoring script, which reads them itself.
    """

    number: int
    file: str = ""
    first_row: int = 0
    rows: int = 0
    start: int = 0
    end: int = 0
    files: tuple[str, ...] = ()

    @property
    def items(self) -> int:
        """How many rows, or files, it holds."""
        return len(self.files) or self.rows

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def of_rows(root: Path, files: Sequence[str], size: int) -> list[Piece]:
    """Cuts the rows of files, in their order, into pieces of ``size`` rows; a piece never spans two files.

    Raises:
        Invalid: a file is not what its suffix says; the message names the line.
    """
    pieces: list[Piece] = []
    for file in files:
        path = root / file
        cut = _parquet_pieces if path.suffix.lower() == ".parquet" else _text_pieces
        for first, rows, start, end in cut(path, size):
            pieces.append(Piece(len(pieces), file, first, rows, start, end))
            if len(pieces) > PIECES_LIMIT:
                raise Invalid(
                    f"{file} makes more than {PIECES_LIMIT:,} mini-batches of {size} rows: raise mini_batch_size"
                )
    return pieces


def of_files(files: Sequence[str], size: int) -> list[Piece]:
    """Groups files for a scoring script."""
    groups = [tuple(files[at : at + size]) for at in range(0, len(files), size)]
    return [Piece(number, files=group) for number, group in enumerate(groups)]


def columns_of(path: Path) -> list[str] | None:
    """The names of a file's columns; None where each row names its own (JSON lines).

    Raises:
        Invalid: there is no header, or two columns have the same name.
    """
    match path.suffix.lower():
        case ".parquet":
            names = list(_parquet(path).schema_arrow.names)
        case ".csv" | ".tsv":
            with path.open("rb") as handle:
                names = next(_records(path, handle, 0), ([], 0))[0]
        case _:
            return None
    if not names:
        raise Invalid(f"{path.name} is empty: a table begins with the names of its columns")
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if twice is not None:
        raise Invalid(f"{path.name} has two columns {twice[:80]!r}: rename one")
    return names


def read_rows(root: Path, piece: Piece) -> tuple[list[str] | None, list[Any]]:
    """Reads a piece: the columns' names and a list of values for each row, or None and a dict for each row.

    A row that cannot be read is an :class:`Invalid` in its place.
    """
    path = root / piece.file
    columns = columns_of(path)
    if path.suffix.lower() == ".parquet":
        return columns, _parquet_rows(path, piece)
    with path.open("rb") as handle:
        handle.seek(piece.start)
        if columns is None:
            return None, [_object(line) for line in handle.read(piece.end - piece.start).splitlines() if line.strip()]
        rows = [values for values, _ in _records(path, handle, piece.end - piece.start)]
    return columns, [_whole(values, columns) for values in rows]


def _whole(values: list[str], columns: Sequence[str]) -> list[str] | Invalid:
    if len(values) != len(columns):
        return Invalid(f"the row has {len(values)} values, the header {len(columns)}")
    return values


def _object(line: bytes) -> Any:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return Invalid("the line is not JSON")
    return found if isinstance(found, dict) else Invalid("the line is not a JSON object")


def _text_pieces(path: Path, size: int) -> Iterator[tuple[int, int, int, int]]:
    """Answers first row, rows, start and end of each piece of a text file."""
    with path.open("rb") as handle:
        ends = _ends(path, handle)
        start = next(ends, 0) if path.suffix.lower() in DELIMITERS else 0
        first, rows, end = 0, 0, start
        for end in ends:
            rows += 1
            if rows == size:
                yield first, rows, start, end
                first, rows, start = first + rows, 0, end
        if rows:
            yield first, rows, start, end


def _ends(path: Path, handle: IO[bytes]) -> Iterator[int]:
    """The byte position behind each record, the header included."""
    if path.suffix.lower() in DELIMITERS:
        columns_of(path)
        for _, end in _records(path, handle, 0):
            yield end
        return
    end = 0
    for line in handle:
        end += len(line)
        if line.strip():
            yield end


def _records(path: Path, handle: IO[bytes], limit_bytes: int) -> Iterator[tuple[list[str], int]]:
    """Reads CSV records with the byte position behind each; at most ``limit_bytes`` from here, 0 is to the end."""
    csv.field_size_limit(FIELD_LIMIT_CHARS)
    lines = _Lines(path, handle, limit_bytes)
    reader = csv.reader(lines, delimiter=DELIMITERS[path.suffix.lower()], strict=True)
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Invalid(f"{path.name}, line {lines.number}: {error}") from error
        if record:
            yield record, lines.position


class _Lines:
    """The lines of a file as text, counting bytes."""

    def __init__(self, path: Path, handle: IO[bytes], limit_bytes: int) -> None:
        self._path, self._handle, self._limit = path, handle, limit_bytes
        self.position = self._begin = handle.tell()
        self.number = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self._limit and self.position - self._begin >= self._limit:
            raise StopIteration
        line = self._handle.readline()
        if not line:
            raise StopIteration
        self.number += 1
        at_begin, self.position = self.position == 0, self.position + len(line)
        if b"\x00" in line:
            raise Invalid(f"{self._path.name}, line {self.number}: a NUL byte has no place in a table")
        try:
            return (line.removeprefix(BOM) if at_begin else line).decode("utf-8")
        except UnicodeDecodeError as error:
            raise Invalid(f"{self._path.name}, line {self.number}: not UTF-8 text") from error


def _parquet(path: Path) -> Any:
    try:
        from pyarrow import lib, parquet
    except ImportError:
        raise WrongType("Parquet needs pyarrow: pip install 'jupyter_mlstudio[arrow]', or give CSV") from None
    try:
        return parquet.ParquetFile(path)
    except (lib.ArrowException, OSError) as error:
        raise Invalid(f"{path.name} is not a Parquet file: {str(error).splitlines()[0][:200]}") from error


def _parquet_pieces(path: Path, size: int) -> Iterator[tuple[int, int, int, int]]:
    total = _parquet(path).metadata.num_rows
    columns_of(path)
    for first in range(0, total, size):
        yield first, min(size, total - first), 0, 0


def _parquet_rows(path: Path, piece: Piece) -> list[list[Any]]:
    """Reads only the row groups that hold the piece, and of these no more than up to its end, a part at a time."""
    file = _parquet(path)
    begin, wanted = 0, []
    first_kept = None
    for group in range(file.metadata.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        if begin < piece.first_row + piece.rows and piece.first_row < begin + rows:
            first_kept = begin if first_kept is None else first_kept
            wanted.append(group)
        begin += rows
    skipped = piece.first_row - (first_kept or 0)
    found: list[list[Any]] = []
    for batch in file.iter_batches(BATCH_ROWS, row_groups=wanted):
        part = batch.slice(skipped, piece.rows - len(found))
        skipped = max(skipped - batch.num_rows, 0)
        found += [list(row) for row in zip(*(column.to_pylist() for column in part.columns), strict=True)]
        if len(found) >= piece.rows:
            break
    return found
