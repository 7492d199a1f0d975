"""How runs are kept. Every change of status is a compare-and-set and answers whether it took place."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import from_json, to_json
from sqlalchemy import Connection, Row, select, update

from jupyter_mlstudio.entities.runs import (
    ACTIVE,
    TERMINAL,
    Environment,
    Origin,
    Progress,
    Run,
    RunKind,
    RunStatus,
    RunSummary,
    may_move,
)
from jupyter_mlstudio.entities.specs import RunSpec
from jupyter_mlstudio.entities.values import utc_now
from jupyter_mlstudio.store import metrics, run_rows
from jupyter_mlstudio.store.changes import Changes
from jupyter_mlstudio.store.schema import experiments, params, runs, tags
from jupyter_mlstudio.store.statements import upsert

SPEC = TypeAdapter(RunSpec)
ORIGIN = TypeAdapter(Origin)
ENVIRONMENT = TypeAdapter(Environment)
PROGRESS = TypeAdapter(Progress)
_SUMMARY = [
    runs.c.key, runs.c.id, runs.c.name, runs.c.experiment_id, runs.c.kind, runs.c.status, runs.c.reason, runs.c.user,
    runs.c.target, runs.c.created_at, runs.c.started_at, runs.c.ended_at, runs.c.duration_s, runs.c.parent_run_id,
    runs.c.waits_for, runs.c.progress, runs.c.row_params, runs.c.row_metrics, runs.c.row_tags,
    experiments.c.name.label("experiment"),
]  # fmt: skip
TABLE = select(*_SUMMARY).join(experiments, experiments.c.id == runs.c.experiment_id)
"""Rows of the table of runs; :func:`summary` reads one."""
LIVE = [status.value for status in RunStatus if status not in TERMINAL]
_KINDS = {kind.value: kind for kind in RunKind}
_STATUSES = {status.value: status for status in RunStatus}


_BASE = {"row_params": "{}", "row_metrics": "{}", "row_tags": "{}", "etag": 1, "reason": "", "description": ""}


def insert(connection: Connection, values: Mapping[str, Any]) -> int:
    """Adds a run; returns its key."""
    run_rows.counted(connection, values["experiment_id"], 1)
    return int(connection.execute(runs.insert().values({**_BASE, **values}).returning(runs.c.key)).scalar_one())


def insert_many(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Adds runs of one experiment, with the table's copies of what they have; returns their keys by id."""
    if not rows:
        return {}
    run_rows.counted(connection, rows[0]["experiment_id"], len(rows))
    connection.execute(runs.insert(), [{**_BASE, **row} for row in rows])
    return keys_of(connection, [row["id"] for row in rows])


def keys_of(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    """Finds the keys of those runs that there are."""
    found = connection.execute(select(runs.c.id, runs.c.key).where(runs.c.id.in_(ids)))
    return {row.id: row.key for row in found}


def set_new_texts(connection: Connection, table: Any, given: Mapping[int, Mapping[str, str]]) -> None:
    """Adds parameters or tags of runs that have none yet, beside the copies that they came with."""
    rows = [
        {"run_key": key, "key": name, "value": text} for key, texts in given.items() for name, text in texts.items()
    ]
    if rows:
        connection.execute(table.insert(), rows)


def remove(connection: Connection, row: Row[Any]) -> None:
    """Removes a run with everything that hangs on it."""
    run_rows.counted(connection, row.experiment_id, -1)
    connection.execute(runs.delete().where(runs.c.key == row.key))


def row(connection: Connection, run_id: str) -> Row[Any] | None:
    """Gets the row of a run by its whole id."""
    return connection.execute(select(runs).where(runs.c.id == run_id)).first()


def resolve(connection: Connection, reference: str) -> str | None:
    """Finds a run's id by its id, a beginning of at least four characters that is unique, or a name (the newest)."""
    found = connection.execute(select(runs.c.id).where(runs.c.id == reference)).scalar()
    if found is None and len(reference) >= 4:
        starts = select(runs.c.id).where(runs.c.id.startswith(reference, autoescape=True)).limit(2)
        ids = list(connection.execute(starts).scalars())
        found = ids[0] if len(ids) == 1 else None
    if found is None:
        newest = select(runs.c.id).where(runs.c.name == reference).order_by(runs.c.created_at.desc()).limit(1)
        found = connection.execute(newest).scalar()
    return found


def names_among(connection: Connection, names: Sequence[str]) -> set[str]:
    """Which of these names runs have."""
    return set(connection.execute(select(runs.c.name).where(runs.c.name.in_(names))).scalars())


def change(connection: Connection, changes: Changes, run_id: str, values: Mapping[str, Any]) -> bool:
    """Writes columns of a run and notes the change; answers False when there is no such run."""
    written = {**values, **run_rows.STALE, "etag": runs.c.etag + 1}
    done = connection.execute(update(runs).where(runs.c.id == run_id).values(written))
    if done.rowcount:
        changes.note(connection, "run", run_id)
        keep_rows(connection, runs.c.id == run_id)
    return bool(done.rowcount)


def move(
    connection: Connection,
    changes: Changes,
    run_id: str,
    new: RunStatus,
    values: Mapping[str, Any] | None = None,
    *,
    only_from: Iterable[RunStatus] | None = None,
) -> bool:
    """Moves a run to a status if the table of moves allows it from where it stands; answers whether it did."""
    allowed = [s.value for s in RunStatus if may_move(s, new) and (only_from is None or s in only_from)]
    done = connection.execute(
        update(runs)
        .where(runs.c.id == run_id, runs.c.status.in_(allowed))
        .values({**(values or {}), **run_rows.STALE, "status": new.value, "etag": runs.c.etag + 1})
    )
    if done.rowcount:
        changes.note(connection, "run", run_id)
        if new in TERMINAL:
            keep_rows(connection, runs.c.id == run_id)
    return bool(done.rowcount)


def end(
    connection: Connection,
    changes: Changes,
    run_id: str,
    status: RunStatus,
    *,
    reason: str = "",
    exit_code: int | None = None,
    ended_at: datetime | None = None,
    duration_s: float | None = None,
) -> bool:
    """Writes a run's outcome, once: the first terminal status stays."""
    at = ended_at or utc_now()
    values: dict[str, Any] = {"reason": reason[:10_000], "ended_at": at, "exit_code": exit_code, "waits_for": None}
    if duration_s is None:
        started = connection.execute(select(runs.c.started_at).where(runs.c.id == run_id)).scalar()
        duration_s = max(0.0, (at - started).total_seconds()) if started else None
    return move(connection, changes, run_id, status, {**values, "duration_s": duration_s})


def set_params(connection: Connection, run_key: int, given: Mapping[str, str]) -> None:
    """Adds parameters, and keeps the table's copy of them."""
    if given:
        rows = [{"run_key": run_key, "key": key, "value": value} for key, value in given.items()]
        upsert(connection, params, rows, keys=("run_key", "key"))
        _merge(connection, run_key, "row_params", given)


def params_of(connection: Connection, run_key: int, names: Sequence[str]) -> dict[str, str]:
    """Reads those of the named parameters that the run has."""
    where = (params.c.run_key == run_key) & params.c.key.in_(names)
    return {row.key: row.value for row in connection.execute(select(params.c.key, params.c.value).where(where))}


def set_tags(connection: Connection, run_key: int, given: Mapping[str, str | None]) -> None:
    """Sets tags, and removes those given as None."""
    kept = [{"run_key": run_key, "key": k, "value": v} for k, v in given.items() if v is not None]
    upsert(connection, tags, kept, keys=("run_key", "key"))
    gone = [key for key, value in given.items() if value is None]
    if gone:
        connection.execute(tags.delete().where(tags.c.run_key == run_key, tags.c.key.in_(gone)))
    if given:
        _merge(connection, run_key, "row_tags", given)


def set_last_values(connection: Connection, run_key: int, values: Mapping[str, float]) -> None:
    """Keeps the last values where the table of runs finds them without a join."""
    _merge(connection, run_key, "row_metrics", _shown(values))


def shown_values(values: Mapping[str, float]) -> str:
    """Writes last values as the table of runs keeps them."""
    return to_json(_shown(values)).decode()


def _shown(values: Mapping[str, float]) -> dict[str, float | str | None]:
    return {k: v if s is None else s for k, (v, s) in ((k, metrics.split(v)) for k, v in values.items())}


def waiting(connection: Connection, target: str) -> Sequence[Row[Any]]:
    """Lists queued runs of a target in the order in which they are to start."""
    order = (runs.c.priority.desc(), runs.c.created_at, runs.c.key)
    return connection.execute(
        select(runs).where(runs.c.status == RunStatus.QUEUED.value, runs.c.target == target).order_by(*order)
    ).all()


def active(connection: Connection) -> Sequence[Row[Any]]:
    """Lists runs that claim a living process."""
    return connection.execute(select(runs).where(runs.c.status.in_([s.value for s in ACTIVE]))).all()


def summary(row: Row[Any]) -> RunSummary:
    """Builds a run for a table; the row has the experiment's name as ``experiment``."""
    return RunSummary(**_summary_fields(row))


def read(connection: Connection, row: Row[Any], folder: str) -> Run:
    """Builds a whole run."""
    name = select(experiments.c.name).where(experiments.c.id == row.experiment_id)
    return Run(
        **_summary_fields(row, connection.execute(name).scalar_one()),
        exit_code=row.exit_code,
        last_seen_at=row.last_seen_at,
        retry_of=row.retry_of,
        stop_requested_at=row.stop_requested_at,
        description=row.description,
        spec=SPEC.validate_json(row.spec),
        origin=ORIGIN.validate_json(row.origin),
        environment=ENVIRONMENT.validate_json(row.environment) if row.environment else None,
        snapshot_id=row.snapshot_id,
        folder=folder,
        summaries=metrics.summaries(connection, row.key),
        etag=row.etag,
    )


def _summary_fields(row: Row[Any], experiment: str | None = None) -> dict[str, Any]:
    last = {k: float(v) for k, v in from_json(row.row_metrics).items()} if row.row_metrics != "{}" else {}
    return {
        "id": row.id,
        "name": row.name,
        "experiment_id": str(row.experiment_id),
        "experiment": experiment if experiment is not None else row.experiment,
        "kind": _KINDS[row.kind],
        "status": _STATUSES[row.status],
        "reason": row.reason,
        "user": row.user,
        "target": row.target,
        "created_at": row.created_at,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "duration_s": row.duration_s,
        "parent_run_id": row.parent_run_id,
        "waits_for": row.waits_for,
        "progress": PROGRESS.validate_json(row.progress) if row.progress else None,
        "params": from_json(row.row_params),
        "metrics": last,
        "tags": from_json(row.row_tags),
    }


def _merge(connection: Connection, run_key: int, column: str, given: Mapping[str, Any]) -> None:
    here = runs.c.key == run_key
    held = json.loads(connection.execute(select(runs.c[column]).where(here)).scalar_one())
    merged = {k: v for k, v in {**held, **given}.items() if v is not None}
    connection.execute(update(runs).where(here).values({column: to_json(merged).decode(), **run_rows.STALE}))
    keep_rows(connection, here)


def keep_rows(connection: Connection, which: Any) -> None:
    """Writes the rows of the table of runs of those that are over."""
    rows = connection.execute(TABLE.where(which, runs.c.status.not_in(LIVE))).all()
    run_rows.keep(connection, {row.key: summary(row) for row in rows})


def touch(connection: Connection, run_id: str) -> None:
    """Writes that a run was seen alive; that alone is no change that anybody is told of."""
    connection.execute(update(runs).where(runs.c.id == run_id).values(last_seen_at=utc_now()))
