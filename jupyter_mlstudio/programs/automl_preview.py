"""A table before anything is done with it: read in part, its columns looked at, checked for a target.

In: ``{"path", "data", "target", "memory_bytes"}``. Out: a :class:`TablePreview`.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlstudio.entities.automl import AutoMLSpec, Column, Finding, Role, Severity, TablePreview
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.programs.answering import answer

if TYPE_CHECKING:
    import pandas as pd

ROWS, WIDE_ROWS, WIDE = 5000, 500, 300
"""Rows that are looked at, and fewer of them beyond so many columns."""

HEAD_ROWS, HEAD_COLUMNS, CELL_CHARACTERS = 20, 200, 200
COLUMNS_LIMIT = 20_000
CHUNK_BYTES = 1 << 20
_LIKELY = ("target", "label", "class", "y", "outcome", "response", "churn")


def preview(question: dict[str, JSON]) -> TablePreview:
    """Looks at a table."""
    from jupyter_mlstudio.learning.columns import unique_names
    from jupyter_mlstudio.learning.reading import read

    path = Path(str(question["path"]))
    frame = read(path, nrows=WIDE_ROWS)
    if len(frame.columns) <= WIDE and len(frame) == WIDE_ROWS:
        frame = read(path, nrows=ROWS)
    if len(frame.columns) > COLUMNS_LIMIT:
        raise Invalid(f"the table has {len(frame.columns):,} columns; at most {COLUMNS_LIMIT:,} are learnt from")
    if not len(frame.columns):
        raise Invalid("the table has no columns")
    frame = frame.set_axis(unique_names(frame.columns), axis=1)
    rows = len(frame) if len(frame) < (ROWS if len(frame.columns) <= WIDE else WIDE_ROWS) else rows_of(path, len(frame))
    target = question.get("target")
    columns, findings = _looked_at(frame, None if target is None else str(target))
    if rows > len(frame):
        what = f"the first {len(frame):,} of about {rows:,} rows were looked at"
        findings = [Finding(code="preview", severity=Severity.INFO, what=what), *findings]
    head = frame.iloc[:HEAD_ROWS, :HEAD_COLUMNS]
    return TablePreview(
        data=str(question["data"]), rows=rows, columns=columns, target=str(target or likely(columns)),
        head=[[_cell(value) for value in row] for row in head.itertuples(index=False, name=None)], findings=findings,
    )  # fmt: skip


def _looked_at(frame: pd.DataFrame, target: str | None) -> tuple[list[Column], list[Finding]]:
    """Its columns, and with a target what would be done with them and what is wrong with the table."""
    from jupyter_mlstudio.learning.columns import look
    from jupyter_mlstudio.learning.plan import make_plan

    findings: list[Finding] = []
    known: dict[str, Column] = {}
    if target is not None:
        try:
            plan = make_plan(frame, AutoMLSpec(data="", target=target))
            known, findings = {one.name: one for one in plan.columns}, list(plan.findings)
        except Invalid as error:
            refused = Finding(code="refused", severity=Severity.ERROR, what=error.message, columns=[target])
            findings = list(getattr(error, "findings", [])) or [refused]
    columns = [known.get(name) or look(frame[name]).column() for name in frame.columns]
    return [replace(one, role=Role.TARGET) if one.name == target else one for one in columns], findings


def likely(columns: list[Column]) -> str:
    """The column that people probably want to predict: one of a telling name, else the last with several values."""
    named = [one for word in _LIKELY for one in columns if one.name.lower() == word]
    several = [one for one in columns if one.distinct > 1]
    chosen = named or several[-1:] or columns[-1:]
    return chosen[0].name if chosen else ""


def rows_of(path: Path, looked_at: int) -> int:
    """How many rows a table has: exact for Parquet, else about as many as the file has lines."""
    if path.suffix.lower() in (".parquet", ".pq"):
        from pyarrow.parquet import ParquetFile

        return int(ParquetFile(path).metadata.num_rows)
    lines, last = 0, b"\n"
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            lines, last = lines + chunk.count(b"\n"), chunk[-1:]
    return max(looked_at, lines + (last != b"\n") - (path.suffix.lower() not in (".jsonl", ".ndjson")))


def _cell(value: Any) -> str:
    from pandas import isna
    from pandas.api.types import is_scalar

    return "" if is_scalar(value) and isna(value) else str(value)[:CELL_CHARACTERS]


if __name__ == "__main__":
    sys.exit(answer(preview))
