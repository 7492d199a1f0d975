"""Finding runs: the table's pages, as objects and as JSON that is ready to send."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from jupyter_mlstudio.entities.runs import WAITING, RunSummary
from jupyter_mlstudio.store import filters, run_rows
from jupyter_mlstudio.store.runs import LIVE, TABLE, summary
from jupyter_mlstudio.store.schema import runs

_KEYS = select(runs.c.key, runs.c.status)


def search(connection: Connection, query: dict[str, Any], offset: int, limit: int) -> tuple[list[RunSummary], int]:
    """Finds runs; returns a page of them and how many match in all."""
    where = _conditions(query)
    if query["order_by"]:
        found, total = _ordered(connection, where, _order(query), offset, limit)
    else:
        found = _live_first(connection, TABLE.where(*where), offset, limit)
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
    wide = connection.execute(TABLE.where(runs.c.key.in_(stale))) if stale else ()
    return {row.key: summary(row) for row in wide}


def _ordered(
    connection: Connection, where: list[Any], order: list[Any], offset: int, limit: int
) -> tuple[list[Row[Any]], int]:
    """Sorts keys alone and counts on the way; the page's rows, which are wide, are read afterwards."""
    keys, total = _ordered_keys(connection, where, order, offset, limit)
    rows = {row.key: row for row in connection.execute(TABLE.where(runs.c.key.in_(keys)))} if keys else {}
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
    keys = select(runs.c.key).where(runs.c.status.in_(LIVE))
    live: list[Row[Any]] = []
    if connection.execute(keys.limit(1)).first() is not None:
        live += connection.execute(base.where(runs.c.key.in_(keys)).order_by(*newest))
        live.sort(key=lambda row: row.status in WAITING)
    page = live[offset : offset + limit]
    if len(page) < limit:
        rest = base.where(runs.c.status.not_in(LIVE)).order_by(*newest)
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
