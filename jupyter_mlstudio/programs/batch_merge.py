"""Puts the parts of a batch run together: one file of answers, one of failures, one summary."""

from __future__ import annotations

import csv
import hashlib
import math
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from jupyter_mlstudio.errors import Conflict
from jupyter_mlstudio.programs.batch_work import part_file

ERRORS_FILE = "errors.csv"


def merge(folder: Path, records: Sequence[Mapping[str, Any]], output: str, artifacts: Path) -> Path:
    """Writes the answers in the order of the input, whole or not at all; each part's digest is checked.

    Raises:
        Conflict: a part was changed after it was written.
    """
    artifacts.mkdir(exist_ok=True)
    path = artifacts / output
    temporary = artifacts / f".{output}.part"
    columns: Sequence[str] = next((record["columns"] for record in records if record["columns"]), [])
    parts = [
        (part_file(folder, record["number"], output), record["sha256"]) for record in records if record["answered"]
    ]
    if path.suffix.lower() == ".parquet":
        _merge_parquet(temporary, parts)
    else:
        with temporary.open("wb") as into:
            if path.suffix.lower() == ".csv" and columns:
                into.write(_header(columns))
            for part, digest in parts:
                _append(part, digest, into)
            into.flush()
            os.fsync(into.fileno())
    temporary.replace(path)
    return path


def errors_of(failures: Sequence[tuple[str, int, str]], artifacts: Path) -> None:
    """Writes which rows (or files) failed and why; no file when none did."""
    if not failures:
        return
    artifacts.mkdir(exist_ok=True)
    temporary = artifacts / f".{ERRORS_FILE}.part"
    with temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "row", "reason"])
        writer.writerows((_shown(name), row, _shown(reason)) for name, row, reason in sorted(failures))
    temporary.replace(artifacts / ERRORS_FILE)


def summed(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Adds up what each part counted: how often each label was answered; mean and range of numbers."""
    found: dict[str, Any] = {}
    for record in records:
        for name, totals in record["totals"].items():
            if "values" in totals:
                counts = found.setdefault(name, {})
                for value, count in totals["values"].items():
                    counts[value] = counts.get(value, 0) + count
            elif "sum" in totals:
                one = found.setdefault(name, {"count": 0, "sum": 0.0, "min": None, "max": None})
                one["count"] += totals["count"]
                one["sum"] = math.fsum((one["sum"], totals["sum"]))
                one["min"] = min((x for x in (one["min"], totals["min"]) if x is not None), default=None)
                one["max"] = max((x for x in (one["max"], totals["max"]) if x is not None), default=None)
    for one in found.values():
        if "sum" in one and one.get("count"):
            one["mean"] = one.pop("sum") / one["count"]
    return found


def _shown(text: str) -> str:
    """Text for people, who open such a file in a spreadsheet: nothing in it is a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _header(columns: Sequence[str]) -> bytes:
    import io

    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(columns)
    return text.getvalue().encode()


def _append(part: Path, digest: str, into: IO[bytes]) -> None:
    _check(part, digest)
    with part.open("rb") as file:
        shutil.copyfileobj(file, into, 1024 * 1024)


def _check(part: Path, digest: str) -> None:
    with part.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != digest:
            raise Conflict(f"the part {part.name} was changed after it was written: invoke the job again")


def _merge_parquet(path: Path, parts: Sequence[tuple[Path, str]]) -> None:
    import pyarrow
    from pyarrow import parquet

    writer: Any = None
    for part, digest in parts:
        _check(part, digest)
        table = parquet.read_table(part)
        writer = writer or parquet.ParquetWriter(path, table.schema)
        writer.write_table(table.cast(writer.schema))
    if writer is None:
        parquet.write_table(pyarrow.table({}), path)
    else:
        writer.close()
