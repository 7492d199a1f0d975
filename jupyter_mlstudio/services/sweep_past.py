"""What a sweep knows before its first trial: results of other sweeps, of runs, of whole experiments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from jupyter_mlstudio.entities.runs import RunKind, RunStatus
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import NotFound
from jupyter_mlstudio.store import experiments, runs, sweeps
from jupyter_mlstudio.store.schema import runs as table

FILE = "past.json"
MOST = 10_000


def collected(connection: Connection, sources: Sequence[str]) -> bytes:
    """Reads past results as JSON for the sweep's program.

    Args:
        connection: to read with.
        sources: ids or names of sweeps or runs, or names of experiments.

    Raises:
        NotFound: one of them is neither.
    """
    found: list[dict[str, JSON]] = []
    for source in sources:
        found += _of(connection, source)
    return msgspec.json.encode(found[:MOST])


def _of(connection: Connection, source: str) -> Iterator[dict[str, JSON]]:
    run_id = runs.resolve(connection, source)
    row = runs.row(connection, run_id) if run_id is not None else None
    if row is not None and row.kind == RunKind.SWEEP:
        yield from _trials(connection, row)
        return
    if row is not None:
        yield _run(row)
        return
    experiment = experiments.find(connection, source)
    if experiment is None:
        raise NotFound(f"there is no sweep, run or experiment {source[:80]!r} to begin with")
    ended = (table.c.experiment_id == experiment.id, table.c.status == RunStatus.COMPLETED.value)
    for one in connection.execute(select(table).where(*ended).order_by(table.c.created_at.desc()).limit(MOST)):
        if one.kind != RunKind.SWEEP:
            yield _run(one)


def _trials(connection: Connection, row: Any) -> Iterator[dict[str, JSON]]:
    options = msgspec.json.decode(row.spec)["options"]
    names = [one["primary_metric"] for one in options["sweep"]["objectives"]]
    for one in sweeps.ended(connection, row.id):
        values = {name: value for name, value in zip(names, one["values"], strict=False) if value is not None}
        yield {
            "run_id": one["run_id"], "params": one["params"], "metrics": values, "state": one["state"],
            "steps": one["steps"],
        }  # fmt: skip


def _run(row: Any) -> dict[str, JSON]:
    metrics = {name: value for name, value in msgspec.json.decode(row.row_metrics).items() if _is_number(value)}
    state = "COMPLETE" if row.status == RunStatus.COMPLETED else "FAIL"
    params = msgspec.json.decode(row.row_params)
    return {"run_id": row.id, "params": params, "metrics": metrics, "state": state, "steps": []}


def _is_number(value: JSON) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
