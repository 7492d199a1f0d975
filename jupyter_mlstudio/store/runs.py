"""How runs are kept. Every change of status is a compare-and-set and answers whether it took place."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import from_json, to_json
from sqlalchemy import Connection, Row, Select, func, select, update

from jupyter_mlstudio.entities.runs import (
    ACTIVE,
    TERMINAL,
    WAITING,
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
from jupyter_mlstudio.store import filters, metrics, run_rows
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
_TABLE = select(*_SUMMARY).join(experiments, experiments.c.id == runs.c.experiment_id)
_KEYS = select(runs.c.key, runs.c.status)
_LIVE = [status.value for status in RunStatus if status not in TERMINAL]
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
    shown = {k: v if s is None else s for k, (v, s) in ((k, metrics.split(v)) for k, v in values.items())}
    _merge(connection, run_key, "row_metrics", shown)


def waiting(connection: Connection, target: str) -> Sequence[Row[Any]]:
    """Lists queued runs of a target in the order in which they are to start."""
    order = (runs.c.priority.desc(), runs.c.created_at, runs.c.key)
    return connection.execute(
        select(runs).where(runs.c.status == RunStatus.QUEUED.value, runs.c.target == target).order_by(*order)
    ).all()


def active(connection: Connection) -> Sequence[Row[Any]]:
    """Lists runs that claim a living process."""
    return connection.execute(select(runs).where(runs.c.status.in_([s.value for s in ACTIVE]))).all()


def search(connection: Connection, query: dict[str, Any], offset: int, limit: int) -> tuple[list[RunSummary], int]:
    """Finds runs; returns a page of them and how many match in all."""
    where = _conditions(query)
    if query["order_by"]:
        found, total = _ordered(connection, where, _order(query), offset, limit)
    else:
        found = _live_first(connection, _TABLE.where(*where), offset, limit)
        total = _count(connection, where)
    return [summary(one) for one in found], total


def search_json(connection: Connection, query: dict[str, Any], offset: int, limit: int) -> tuple[bytes, int, int]:
    """Finds runs as :func:`search` does; returns the page as a JSON list, its length, and how many match in all."""
    where = _conditions(query)
    order = _order(query)
    if order:
        keys, total = _ordered_keys(connection, where, order, offset, limit)
    else:
        keys = [row.key for row in _live_first(connection, _KEYS.where(*where), offset, limit)]
        total = _count(connection, where)
    rows = run_rows.of_keys(connection, keys)
    return run_rows.joined(rows, _built(connection, rows)), len(rows), total


def newest_json(connection: Connection, experiment: str, offset: int, limit: int) -> tuple[bytes, int, int] | None:
    """The page of :func:`search_json` for an experiment by its name alone; None when it has to be searched for."""
    found = run_rows.newest_of(connection, experiment, offset, limit)
    if found is None:
        return None
    rows, name, total = found
    return run_rows.joined(rows, _built(connection, rows), name), len(rows), total


def _built(connection: Connection, rows: Sequence[Any]) -> dict[int, RunSummary]:
    stale = run_rows.missing(rows)
    wide = connection.execute(_TABLE.where(runs.c.key.in_(stale))) if stale else ()
    return {row.key: summary(row) for row in wide}


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
    for row in connection.execute(_TABLE.where(which, runs.c.status.not_in(_LIVE))).all():
        run_rows.keep(connection, row.key, summary(row))


def _ordered(
    connection: Connection, where: list[Any], order: list[Any], offset: int, limit: int
) -> tuple[list[Row[Any]], int]:
    """Sorts keys alone and counts on the way; the page's rows, which are wide, are read afterwards."""
    keys, total = _ordered_keys(connection, where, order, offset, limit)
    rows = {row.key: row for row in connection.execute(_TABLE.where(runs.c.key.in_(keys)))} if keys else {}
    return [rows[key] for key in keys], total


def _ordered_keys(
    connection: Connection, where: list[Any], order: list[Any], offset: int, limit: int
) -> tuple[list[int], int]:
    wanted = select(runs.c.key, func.count().over().label("total")).where(*where)
    page = connection.execute(wanted.order_by(*order, runs.c.key.desc()).offset(offset).limit(limit)).all()
    if not page:
        return [], _count(connection, where) if offset else 0
    return [one.key for one in page], int(page[0].total)


def _count(connection: Connection, where: list[Any]) -> int:
    return int(connection.execute(select(func.count()).select_from(runs).where(*where)).scalar_one())


def _live_first(connection: Connection, base: Select[Any], offset: int, limit: int) -> list[Row[Any]]:
    """Reads a page: live runs, then waiting ones, then the rest, each the newest first.

    The few live runs are found by the index on the status. The rest is walked along the index on the time: a
    condition that an index on the status could serve would make SQLite sort all of them instead.
    """
    newest = (runs.c.created_at.desc(), runs.c.key.desc())
    keys = select(runs.c.key).where(runs.c.status.in_(_LIVE))
    live: list[Row[Any]] = []
    if connection.execute(keys.limit(1)).first() is not None:
        live += connection.execute(base.where(runs.c.key.in_(keys)).order_by(*newest))
        live.sort(key=lambda row: row.status in WAITING)
    page = live[offset : offset + limit]
    if len(page) < limit:
        rest = base.where(runs.c.status.not_in(_LIVE)).order_by(*newest)
        page += connection.execute(rest.offset(max(0, offset - len(live))).limit(limit - len(page)))
    return page


def _order(query: dict[str, Any]) -> list[Any]:
    return [one for text in query["order_by"] for one in filters.order(text, numeric_params=query["numeric_params"])]


def _conditions(query: dict[str, Any]) -> list[Any]:
    where: list[Any] = []
    if query["experiment_id"]:
        where.append(runs.c.experiment_id.in_([int(i) for i in query["experiment_id"]]))
    if query.get("run_ids") is not None:
        where.append(runs.c.id.in_(query["run_ids"]))
    if query["parent_run_id"]:
        where.append(runs.c.parent_run_id == query["parent_run_id"])
    if query.get("top"):
        where.append(runs.c.parent_run_id.is_(None))
    if query["kind"]:
        where.append(runs.c.kind.in_([kind.value for kind in query["kind"]]))
    if query["q"]:
        text = query["q"]
        where.append(runs.c.name.icontains(text, autoescape=True) | runs.c.id.startswith(text, autoescape=True))
    if query["statuses"] is not None:
        where.append(runs.c.status.in_([s.value for s in query["statuses"]]))
    condition = filters.condition(query["filter"], numeric_params=query["numeric_params"])
    return where if condition is None else [*where, condition]


def touch(connection: Connection, run_id: str) -> None:
    """Writes that a run was seen alive; that alone is no change that anybody is told of."""
    connection.execute(update(runs).where(runs.c.id == run_id).values(last_seen_at=utc_now()))
