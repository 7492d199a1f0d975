"""The table of runs as JSON, ready to send: the row of a run that is over is written once and only joined afterwards.

Building a hundred rows out of columns costs several times what reading them does. So a run keeps its own row as JSON
beside its columns (``row_json``), from the transaction that ends it or changes it later; whatever changes a column
clears the row in the same statement, and a run without one is built when it is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection, bindparam, func, select, text, update

from jupyter_mlstudio.entities.runs import TERMINAL, RunStatus, RunSummary
from jupyter_mlstudio.store.schema import experiments, runs

STALE: Mapping[str, Any] = {"row_json": None}
"""What every change of a run's columns writes too."""

_LIVE = [status.value for status in RunStatus if status not in TERMINAL]
_COLUMNS = (runs.c.key, runs.c.row_json, experiments.c.name)
_JOINED = select(*_COLUMNS).join(experiments, experiments.c.id == runs.c.experiment_id)
_IN_LIVE = "runs.status IN (" + ", ".join(f"'{status}'" for status in _LIVE) + ")"  # as text: parameters cost time
_ENDED = (
    select(runs.c.key, runs.c.row_json)
    .where(runs.c.experiment_id == bindparam("experiment"), text(f"NOT {_IN_LIVE}"))
    .order_by(runs.c.created_at.desc(), runs.c.key.desc())
    .limit(bindparam("limit"))
    .offset(bindparam("offset"))
)
_COUNTS = select(
    experiments.c.id,
    experiments.c.name,
    experiments.c.run_count,
    select(func.count())  # the sum keeps SQLite to the index on the status, where there are few
    .where(text(_IN_LIVE), runs.c.experiment_id + 0 == experiments.c.id)
    .correlate(experiments)
    .scalar_subquery(),
).where(experiments.c.name == bindparam("experiment"))
_KEEP = update(runs).where(runs.c.key == bindparam("of")).values(row_json=bindparam("content"))


def keep(connection: Connection, summaries: Mapping[int, RunSummary]) -> None:
    """Writes rows of runs that are over, without their first brace and their experiment, which may be renamed."""
    if summaries:
        connection.execute(_KEEP, [{"of": key, "content": _content(one)} for key, one in summaries.items()])


def _content(summary: RunSummary) -> str:
    content = to_json(replace(summary, experiment=""), inf_nan_mode="strings").decode()
    return content.replace('"experiment":"",', "", 1)[1:]


def newest_of(
    connection: Connection, experiment: str, offset: int, limit: int
) -> tuple[Sequence[Any], str, int] | None:
    """A page of an experiment in which nothing is under way, newest first, its name, and how many runs it has.

    None when there is no experiment of this name, or something is under way.
    """
    known = connection.execute(_COUNTS, {"experiment": experiment}).first()
    if known is None or known[3]:
        return None
    page = connection.execute(_ENDED, {"experiment": known[0], "limit": limit, "offset": offset})
    return page.all(), known[1], int(known[2])


def of_keys(connection: Connection, keys: Sequence[int]) -> Sequence[Any]:
    """The rows of runs, in the order of their keys."""
    found = {row.key: row for row in connection.execute(_JOINED.where(runs.c.key.in_(keys)))}
    return [found[key] for key in keys]


def joined(rows: Sequence[Any], built: Mapping[int, RunSummary], experiment: str | None = None) -> bytes:
    """Rows as a JSON list.

    Args:
        built: those that have none of their own.
        experiment: the name of all rows' experiment, where they do not have it with them.
    """
    begins: dict[str, str] = {}
    texts = []
    for row in rows:
        kept = row[1]
        if kept is None:
            texts.append(to_json(built[row[0]], inf_nan_mode="strings").decode())
            continue
        name = experiment if experiment is not None else row[2]
        begin = begins.get(name)
        if begin is None:
            begin = begins[name] = '{"experiment":' + to_json(name).decode() + ","
        texts.append(begin + kept)
    return ("[" + ",".join(texts) + "]").encode()


def missing(rows: Sequence[Any]) -> list[int]:
    """The keys of runs that have to be built."""
    return [row[0] for row in rows if row[1] is None]


def counted(connection: Connection, experiment_id: int, by: int) -> None:
    """Counts a run of an experiment that came or went."""
    here = experiments.c.id == experiment_id
    connection.execute(update(experiments).where(here).values(run_count=experiments.c.run_count + by))
