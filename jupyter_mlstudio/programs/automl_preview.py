"""A table before anything is done with it: its columns are looked at, and what a run would say of it is said already.

In: ``{"path", "data", "target", "automl", "memory_bytes"}``, where ``automl`` is what else is asked for of a run.
Out: a :class:`TablePreview`. A small table is read whole and told of as the run will; of a large one the first rows are
looked at, and what would be an error is a warning then, since other rows may be otherwise.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_mlstudio.entities.automl import AutoMLSpec, Task
from jupyter_mlstudio.entities.automl_tables import Column, Finding, Role, Severity, TablePreview
from jupyter_mlstudio.entities.ending import end
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.programs.answering import answer

if TYPE_CHECKING:
    import pandas as pd

WHOLE_BYTES = 32 << 20
"""Of a file up to this size all rows are looked at; of Parquet the size counts that it has without compression."""

ROWS, WIDE_ROWS, WIDE = 5000, 500, 300
"""Rows of larger ones that are looked at, and fewer of them beyond so many columns."""

SURE = ("target_missing", "weight_missing", "refused")
"""Errors that further rows would not change."""

HEAD_ROWS, HEAD_COLUMNS, CELL_CHARACTERS = 20, 200, 200
COLUMNS_LIMIT = 20_000
CHUNK_BYTES = 1 << 20
_LIKELY = ("target", "label", "class", "y", "outcome", "response", "churn")


def preview(question: dict[str, JSON]) -> TablePreview:
    """Looks at a table."""
    from jupyter_mlstudio.learning.columns import look, unique_names

    path = Path(str(question["path"]))
    frame, rows = _read(path)
    if len(frame.columns) > COLUMNS_LIMIT:
        raise Invalid(f"the table has {len(frame.columns):,} columns; at most {COLUMNS_LIMIT:,} are learnt from")
    if not len(frame.columns):
        raise Invalid("the table has no columns")
    named = frame.set_axis(unique_names(frame.columns), axis=1)
    target = str(question.get("target") or likely([look(column).column() for _, column in named.items()]))
    columns, task, findings = _looked_at(frame, named, _spec(question, target))
    if rows > len(frame):
        what = f"the first {len(frame):,} of about {rows:,} rows were looked at"
        about = Finding(code="preview", severity=Severity.INFO, what=what, done="the run looks at all of them")
        findings = [about, *(_unsure(one, len(frame)) for one in findings)]
    head = frame.iloc[:HEAD_ROWS, :HEAD_COLUMNS]
    return TablePreview(
        data=str(question["data"]), rows=rows, columns=columns, target=target, task=task,
        head=[[_cell(value) for value in row] for row in head.itertuples(index=False, name=None)], findings=findings,
    )  # fmt: skip


def _read(path: Path) -> tuple[pd.DataFrame, int]:
    """The rows that are looked at, and how many there are."""
    from jupyter_mlstudio.learning.reading import read

    if _size(path) <= WHOLE_BYTES:
        frame = read(path)
        return frame, len(frame)
    frame = read(path, nrows=WIDE_ROWS)
    if len(frame.columns) <= WIDE and len(frame) == WIDE_ROWS:
        frame = read(path, nrows=ROWS)
    some = len(frame) < (ROWS if len(frame.columns) <= WIDE else WIDE_ROWS)
    return frame, len(frame) if some else rows_of(path, len(frame))


def _size(path: Path) -> int:
    """How many bytes a table takes that is read."""
    if path.suffix.lower() in (".parquet", ".pq"):
        from pyarrow.parquet import ParquetFile

        with contextlib.suppress(ValueError, OSError):
            metadata = ParquetFile(path).metadata
            return sum(metadata.row_group(place).total_byte_size for place in range(metadata.num_row_groups))
    return path.stat().st_size if path.is_file() else 0


def _spec(question: dict[str, JSON], target: str) -> AutoMLSpec:
    """What a run would be asked for, as far as it matters to a table by itself."""
    given = question.get("automl")
    spec = (
        msgspec.convert({**given, "data": "", "target": target}, AutoMLSpec)
        if given
        else AutoMLSpec(data="", target=target)
    )
    unfinished = spec.task is Task.FORECASTING and not (spec.forecasting and spec.forecasting.time_column_name)
    return replace(spec, task=Task.AUTO, forecasting=None) if unfinished else spec


def _looked_at(
    frame: pd.DataFrame, named: pd.DataFrame, spec: AutoMLSpec
) -> tuple[list[Column], Task | None, list[Finding]]:
    """Its columns, the task, and what is wrong with the table; ``named`` has names of their own."""
    from jupyter_mlstudio.learning.columns import look
    from jupyter_mlstudio.learning.forecast_plan import make_forecast_plan
    from jupyter_mlstudio.learning.plan import make_plan

    known: dict[str, Column] = {}
    task: Task | None = None
    try:
        plan = make_forecast_plan(frame, spec) if spec.task is Task.FORECASTING else make_plan(frame, spec)
        known, task, findings = {one.name: one for one in plan.columns}, plan.task, list(plan.findings)
    except Invalid as error:
        refused = Finding(code="refused", severity=Severity.ERROR, what=error.message, columns=[spec.target])
        findings = list(getattr(error, "findings", [])) or [refused]
    columns = [known.get(name) or look(named[name]).column() for name in named.columns]
    return [replace(one, role=Role.TARGET) if one.name == spec.target else one for one in columns], task, findings


def _unsure(finding: Finding, rows: int) -> Finding:
    """An error of the first rows as a warning, since the others may be otherwise."""
    if finding.severity is not Severity.ERROR or finding.code in SURE:
        return finding
    return replace(finding, severity=Severity.WARNING, what=f"in the first {rows:,} rows, {finding.what}")


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
    end(answer(preview))
