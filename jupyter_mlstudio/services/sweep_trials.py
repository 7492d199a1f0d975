"""Trials that are calls of a function: each is a run below its sweep, made and ended as the sweep tells of it.

They have no process of their own, live in that of the sweep and die with it, and come in great numbers, so that they
are written together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection, select

from jupyter_mlstudio.entities.runs import Run, RunKind, RunStatus
from jupyter_mlstudio.entities.specs import Resources, RunSpec
from jupyter_mlstudio.entities.sweeps import STOPPED, TrialReport, TrialState
from jupyter_mlstudio.entities.tracking import LogBatch
from jupyter_mlstudio.entities.values import JSON, utc_now
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.services.tracking import Tracking, checked_points
from jupyter_mlstudio.store import metrics
from jupyter_mlstudio.store import runs as store
from jupyter_mlstudio.store.changes import Changes
from jupyter_mlstudio.store.database import Database
from jupyter_mlstudio.store.schema import params, runs, tags, trials

TAG = "mlstudio.trial"
ENDS = {
    TrialState.COMPLETE: RunStatus.COMPLETED,
    TrialState.PRUNED: RunStatus.CANCELED,
    TrialState.FAIL: RunStatus.FAILED,
}
"""How a trial's end reads as a run's, as MLflow's Optuna storage maps it too."""

_SPEC = store.SPEC.dump_json(RunSpec(resources=Resources(cpus=0.0))).decode()
_LENGTH = 32


class SweepTrials:
    """The runs of a sweep's calls."""

    def __init__(self, database: Database, changes: Changes, tracking: Tracking) -> None:
        self._database = database
        self._changes = changes
        self._tracking = tracking

    def record(self, connection: Connection, sweep: Run, told: Sequence[TrialReport]) -> None:
        """Makes runs of trials that are new, keeps what was logged, and ends those that are over."""
        for trial in told:
            if len(trial.run_id) != _LENGTH or not trial.run_id.isalnum():
                raise Invalid(f"{trial.run_id[:80]!r} cannot be the id of a trial's run")
        keys = store.keys_of(connection, [trial.run_id for trial in told])
        new = {trial.run_id: trial for trial in told if trial.run_id not in keys}
        self._make(connection, sweep, list(new.values()))
        for trial in told:
            if trial.run_id not in new or new[trial.run_id] is not trial:
                self._follow(connection, trial, keys.get(trial.run_id))
        if any(trial.state in ENDS for trial in told):
            self._changes.note(connection, "experiment", sweep.experiment_id)

    def stopped(self, connection: Connection, sweep_id: str) -> list[int]:
        """Finds running trials whose run somebody has ended."""
        joined = select(trials.c.number).join(runs, runs.c.id == trials.c.run_id)
        found = connection.execute(
            joined.where(
                trials.c.sweep_id == sweep_id,
                trials.c.state == TrialState.RUNNING.value,
                runs.c.status.in_([RunStatus.CANCELED.value, RunStatus.CANCEL_REQUESTED.value]),
            )
        )
        return [int(number) for number in found.scalars()]

    def _follow(self, connection: Connection, trial: TrialReport, key: int | None) -> None:
        """Takes what is told of a trial that has a run already."""
        if trial.metrics:
            key = key if key is not None else store.keys_of(connection, [trial.run_id])[trial.run_id]
            batch = LogBatch(client="sweep", sequence=1, metrics=trial.metrics)
            self._tracking.keep(connection, trial.run_id, key, batch)
        if trial.state in ENDS:
            store.end(
                connection, self._changes, trial.run_id, _end_of(trial), reason=trial.reason,
                ended_at=_time(trial.ended_at),
            )  # fmt: skip

    def _make(self, connection: Connection, sweep: Run, new: Sequence[TrialReport]) -> None:
        parent = store.row(connection, sweep.id)
        if parent is None or not new:
            return
        texts = {trial.run_id: {name: _text(value)[:6000] for name, value in trial.params.items()} for trial in new}
        points = {
            trial.run_id: checked_points(LogBatch(client="sweep", sequence=1, metrics=trial.metrics)) for trial in new
        }
        rows = [self._row(parent, trial, texts[trial.run_id], points[trial.run_id]) for trial in new]
        keys = store.insert_many(connection, rows)
        store.set_new_texts(connection, params, {keys[run_id]: given for run_id, given in texts.items()})
        store.set_new_texts(connection, tags, {keys[trial.run_id]: {TAG: str(trial.number)} for trial in new})
        metrics.begin(connection, {keys[run_id]: logged for run_id, logged in points.items()})
        store.keep_rows(connection, runs.c.key.in_(list(keys.values())))
        self._changes.note_all(connection, "run", list(keys))
        self._changes.note(connection, "experiment", str(parent.experiment_id))

    def _row(
        self, parent: Any, trial: TrialReport, texts: Mapping[str, str], points: Mapping[str, metrics.Columns]
    ) -> dict[str, Any]:
        began, ended = _time(trial.started_at) or utc_now(), None
        if trial.state in ENDS:
            ended = _time(trial.ended_at) or utc_now()
        status = _end_of(trial)
        last = {name: columns[2][-1] for name, columns in points.items()}
        return {
            "id": trial.run_id, "name": f"{parent.name} {trial.number}"[:255], "experiment_id": parent.experiment_id,
            "kind": RunKind.TRIAL.value, "status": status.value, "user": parent.user,
            "target": parent.target, "priority": parent.priority, "cpus": 0.0, "memory_bytes": 0, "gpus": 0,
            "created_at": began, "claimed_at": began, "started_at": began, "parent_run_id": parent.id,
            "ended_at": ended, "duration_s": max(0.0, (ended - began).total_seconds()) if ended else None,
            "reason": trial.reason[:10_000] if ended else "",
            "spec": _SPEC, "origin": parent.origin, "boot_id": parent.boot_id,
            "supervisor_pid": parent.supervisor_pid, "supervisor_started": parent.supervisor_started,
            "row_params": to_json(texts).decode(), "row_tags": to_json({TAG: str(trial.number)}).decode(),
            "row_metrics": store.shown_values(last),
        }  # fmt: skip


def _end_of(trial: TrialReport) -> RunStatus:
    """A trial's state as its run's: what was stopped has not failed, though Optuna has no other word for it."""
    if trial.state is TrialState.FAIL and STOPPED.match(trial.reason):
        return RunStatus.CANCELED
    return ENDS.get(trial.state, RunStatus.RUNNING)


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{text[:60]!r} is not a time") from None
    if at.tzinfo is None:
        raise Invalid(f"the time {text[:60]!r} has no time zone")
    return at


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
