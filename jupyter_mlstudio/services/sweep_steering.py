"""Steering of sweeps: what people ask of one that runs, and what its run tells of its trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row

from jupyter_mlstudio.entities import points, spaces
from jupyter_mlstudio.entities.runs import STEERED, TERMINAL, Run, RunKind, RunStatus
from jupyter_mlstudio.entities.sweeps import Lead, Sweep, SweepControl, SweepPhase, TrialReport, TrialState
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict, Invalid, NotFound, Stale
from jupyter_mlstudio.services import sweep_checks
from jupyter_mlstudio.services.sweep_trials import SweepTrials
from jupyter_mlstudio.services.sweeps import Sweeps, spec_of, untouched
from jupyter_mlstudio.store import sweeps as store
from jupyter_mlstudio.store.changes import Changes
from jupyter_mlstudio.store.database import Database

if TYPE_CHECKING:
    from jupyter_mlstudio.services.launcher import Launcher
    from jupyter_mlstudio.services.runs import Runs
    from jupyter_mlstudio.services.tracking import Tracking


class SweepSteering:
    """What may be done with a sweep that is under way."""

    def __init__(
        self,
        database: Database,
        changes: Changes,
        runs: Runs,
        tracking: Tracking,
        launcher: Launcher,
        sweeps: Sweeps,
    ) -> None:
        self._database = database
        self._changes = changes
        self._runs = runs
        self._launcher = launcher
        self._sweeps = sweeps
        self._trials = SweepTrials(database, changes, tracking)

    def control(self, run_id: str) -> SweepControl:
        """Reads what was asked of a sweep, and which of its trials somebody has stopped."""
        run = self._sweeps.run(run_id)
        with self._database.read() as connection:
            row = store.row(connection, run.id)
            stopped = self._trials.stopped(connection, run.id) if row else []
        return replace(store.control_of(row) if row else untouched(spec_of(run)), stopped=stopped)

    def change(
        self,
        run_id: str,
        *,
        paused: bool | None = None,
        stop: bool | None = None,
        limits: Mapping[str, JSON] | None = None,
        space: Mapping[str, dict[str, JSON]] | None = None,
        if_match: int | None = None,
    ) -> Sweep:
        """Pauses, resumes or stops a sweep, or changes its limits and the bounds of its parameters.

        Raises:
            Conflict: it is over. Invalid: a limit or a bound is wrong. Stale: somebody else was faster.
        """
        run = self._sweeps.run(run_id)
        with self._database.write() as connection:
            control = self._live_control(connection, run)
            if if_match is not None and if_match != control.etag:
                raise Stale(f"the sweep {run.name!r} was steered by somebody else since you read it; read it again")
            begun = store.over(connection, run.id) + store.counts(connection, run.id)[TrialState.RUNNING.value]
            wanted = (limits or {}).get("max_total_trials")
            if isinstance(wanted, int) and 0 < wanted < begun:
                raise Invalid(f"{begun} trials were begun already: ask for at least {begun}, or stop the sweep")
            if stop is False and control.stop:
                raise Conflict("the sweep is being stopped already; resume it afterwards with a retry")
            new = replace(
                control,
                paused=control.paused if paused is None else paused,
                stop=control.stop or bool(stop),
                limits=sweep_checks.changed_limits(control.limits, limits or {}),
                space=spaces.replace(control.space, dict(space or {})) if space else control.space,
            )
            self._steer(connection, run.id, new)
        return self._sweeps.get(run.id)

    def stop_if_running(self, run_id: str) -> bool:
        """Has a sweep end with what it has, when the run is one that runs and nobody has asked before.

        Answers whether it did; who asks again wants the run itself to be ended.
        """
        run = self._runs.get(run_id)
        if run.kind not in STEERED or run.status is not RunStatus.RUNNING or self.control(run.id).stop:
            return False
        self.change(run.id, stop=True)
        return True

    def enqueue(self, run_id: str, params: Mapping[str, JSON]) -> Sweep:
        """Has a point tried before any other; parameters that it leaves out are chosen as ever.

        Raises:
            Conflict: the sweep is over. Invalid: a parameter is not searched for, or its value is none.
        """
        run = self._sweeps.searched(run_id)
        with self._database.write() as connection:
            control = self._live_control(connection, run)
            base = points.log_base(spec_of(run).sampling.options)
            sweep_checks.check_point(params, control.space, base)
            if len(control.points) >= sweep_checks.POINTS_LIMIT:
                raise Conflict(f"{sweep_checks.POINTS_LIMIT:,} points were asked for already; that is the limit")
            self._steer(connection, run.id, replace(control, points=[*control.points, dict(params)]))
        return self._sweeps.get(run.id)

    def stop_trial(self, run_id: str, number: int) -> Sweep:
        """Ends one trial; the sweep goes on.

        Raises:
            NotFound: there is no trial of that number. Conflict: it is over.
        """
        run = self._sweeps.run(run_id)
        with self._database.read() as connection:
            trial = store.one(connection, run.id, number)
        if trial is None:
            raise NotFound(f"the sweep {run.name!r} has no trial {number}")
        if trial.state is not TrialState.RUNNING:
            raise Conflict(f"trial {number} is over already: {trial.state.value.lower()}")
        self._launcher.stop(trial.run_id)
        return self._sweeps.get(run.id)

    def report(
        self, run_id: str, trials: Sequence[TrialReport], phase: SweepPhase | None, lead: Lead | None
    ) -> SweepControl:
        """Takes what a sweep's run tells of its trials; the same again changes nothing. Answers what is asked of it."""
        run = self._sweeps.run(run_id)
        with self._database.write() as connection:
            row = self._row(connection, run)
            version = row.version
            if trials:
                if run.spec.options["work_kind"] == RunKind.TRIAL:
                    self._trials.record(connection, run, trials)
                version = store.keep(connection, run.id, version, [store.plain(trial) for trial in trials])
            values: dict[str, Any] = {"version": version}
            if phase is not None:
                values["phase"] = phase.value
            if lead is not None:
                values["lead"] = store.dump_lead(lead)
            store.change(connection, run.id, **values)
            self._changes.note(connection, "sweep", run.id)
        return self.control(run.id)

    def _row(self, connection: Connection, run: Run) -> Row[Any]:
        row = store.row(connection, run.id)
        if row is None:
            store.add(connection, run.id, untouched(spec_of(run)))
            row = store.row(connection, run.id)
        assert row is not None
        return row

    def _live_control(self, connection: Connection, run: Run) -> SweepControl:
        status = RunStatus(self._runs.row(connection, run.id).status)
        if status in TERMINAL:
            raise Conflict(f"the sweep {run.name!r} is over: {status.value}; a retry goes on from where it was")
        return store.control_of(self._row(connection, run))

    def _steer(self, connection: Connection, run_id: str, control: SweepControl) -> None:
        control = replace(control, etag=control.etag + 1)
        values: dict[str, Any] = {"control": store.dump_control(control), "etag": control.etag}
        if control.stop:
            values["phase"] = SweepPhase.STOPPING.value
        elif control.paused:
            values["phase"] = SweepPhase.PAUSED.value
        else:
            values["phase"] = SweepPhase.RUNNING.value
        store.change(connection, run_id, **values)
        self._changes.note(connection, "sweep", run_id)
