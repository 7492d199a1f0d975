"""Rows of sweeps and of their trials."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import msgspec
from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, func, insert, select, update

from jupyter_mlstudio.entities.sweeps import Goal, Lead, SweepControl, SweepPhase, SweepSpec, Trial, TrialState
from jupyter_mlstudio.store.schema import sweeps, trials
from jupyter_mlstudio.store.statements import upsert

SPEC = TypeAdapter(SweepSpec)
_CONTROL = TypeAdapter(SweepControl)
_LEAD = TypeAdapter(Lead)
TRIAL = TypeAdapter(Trial)


def row(connection: Connection, run_id: str) -> Row[Any] | None:
    """Gets the row of a sweep."""
    return connection.execute(select(sweeps).where(sweeps.c.run_id == run_id)).first()


def add(connection: Connection, run_id: str, control: SweepControl) -> None:
    """Adds a sweep that nobody has steered yet."""
    values = {
        "run_id": run_id, "control": dump_control(control), "etag": control.etag, "phase": SweepPhase.RUNNING.value,
        "lead": None, "version": 0,
    }  # fmt: skip
    connection.execute(insert(sweeps).values(values))


def change(connection: Connection, run_id: str, **values: Any) -> None:
    """Writes columns of a sweep."""
    connection.execute(update(sweeps).where(sweeps.c.run_id == run_id).values(values))


def dump_control(control: SweepControl) -> str:
    """Writes what was asked for as JSON."""
    return _CONTROL.dump_json(control).decode()


def control_of(row: Row[Any]) -> SweepControl:
    """Reads what was asked of a sweep."""
    return _CONTROL.validate_json(row.control)


def dump_lead(lead: Lead) -> str:
    """Writes how sure the best is as JSON."""
    return _LEAD.dump_json(lead).decode()


def lead_of(row: Row[Any]) -> Lead:
    """Reads how sure it is that the best trial is the best."""
    return _LEAD.validate_json(row.lead) if row.lead else Lead()


def keep(connection: Connection, sweep_id: str, version: int, changed: Sequence[Trial]) -> int:
    """Writes trials, each with a version of its own; returns the last one."""
    rows = []
    for trial in changed:
        version += 1
        value = trial.values[0] if trial.values else None
        rows.append({
            "sweep_id": sweep_id, "number": trial.number, "version": version, "run_id": trial.run_id,
            "state": trial.state.value, "feasible": trial.feasible, "value": value,
            "content": TRIAL.dump_json(trial).decode(),
        })  # fmt: skip
    upsert(connection, trials, rows, keys=("sweep_id", "number"))
    return version


def counts(connection: Connection, sweep_id: str) -> dict[str, int]:
    """Counts trials by state."""
    grouped = select(trials.c.state, func.count().label("n")).where(trials.c.sweep_id == sweep_id)
    found = {one.state: int(one.n) for one in connection.execute(grouped.group_by(trials.c.state))}
    return {state.value: found.get(state.value, 0) for state in TrialState}


def over(connection: Connection, sweep_id: str) -> int:
    """Counts trials that are over, without those that another one repeats."""
    ended = [TrialState.COMPLETE.value, TrialState.PRUNED.value, TrialState.FAIL.value]
    where = (trials.c.sweep_id == sweep_id, trials.c.state.in_(ended), trials.c.content.not_like('%"retried":true%'))
    return int(connection.execute(select(func.count()).select_from(trials).where(*where)).scalar_one())


def best(connection: Connection, sweep_id: str, goal: Goal) -> Trial | None:
    """Finds the best complete, feasible trial by its first objective; the earlier one of two that are equal."""
    column = trials.c.value.desc() if goal is Goal.MAXIMIZE else trials.c.value.asc()
    content = connection.execute(_complete(trials.c.content, sweep_id).order_by(column, trials.c.number).limit(1))
    text = content.scalar()
    return None if text is None else TRIAL.validate_json(text)


def complete(connection: Connection, sweep_id: str) -> list[dict[str, Any]]:
    """Reads complete, feasible trials by number, as plain JSON."""
    found = connection.execute(_complete(trials.c.content, sweep_id).order_by(trials.c.number)).scalars()
    return [msgspec.json.decode(text) for text in found]


def ended(connection: Connection, sweep_id: str) -> list[dict[str, Any]]:
    """Reads complete and pruned trials by number, as plain JSON."""
    states = [TrialState.COMPLETE.value, TrialState.PRUNED.value]
    where = (trials.c.sweep_id == sweep_id, trials.c.state.in_(states))
    found = connection.execute(select(trials.c.content).where(*where).order_by(trials.c.number)).scalars()
    return [msgspec.json.decode(text) for text in found]


def one(connection: Connection, sweep_id: str, number: int) -> Trial | None:
    """Finds a trial."""
    where = (trials.c.sweep_id == sweep_id) & (trials.c.number == number)
    text = connection.execute(select(trials.c.content).where(where)).scalar()
    return None if text is None else TRIAL.validate_json(text)


def page(connection: Connection, sweep_id: str, after: int, limit: int) -> bytes:
    """Reads trials that were changed after a version, oldest change first, as the JSON of a page of them."""
    wanted = select(trials.c.version, trials.c.content).where(trials.c.sweep_id == sweep_id, trials.c.version > after)
    rows = connection.execute(wanted.order_by(trials.c.version).limit(limit)).all()
    total = connection.execute(select(func.count()).where(trials.c.sweep_id == sweep_id)).scalar_one()
    cursor = rows[-1].version if rows else after
    content = ",".join(one.content for one in rows)
    return f'{{"trials":[{content}],"cursor":{cursor},"total":{total}}}'.encode()


def _complete(what: Any, sweep_id: str) -> Any:
    return select(what).where(
        trials.c.sweep_id == sweep_id, trials.c.state == TrialState.COMPLETE.value, trials.c.feasible,
        trials.c.value.is_not(None),
    )  # fmt: skip


def plain(trial: Trial) -> Trial:
    """Leaves out what only a report has, and numbers that JSON has no word for."""
    fields = {field.name: getattr(trial, field.name) for field in dataclasses.fields(Trial)}
    fields["values"] = [value if value is not None and math.isfinite(value) else None for value in trial.values]
    fields["steps"] = [(step, value) for step, value in trial.steps if math.isfinite(value)]
    return Trial(**fields)
