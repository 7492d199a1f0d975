"""Sweeps: begun, gone on with, looked at. What chooses and runs the trials is the sweep's own run."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jupyter_mlstudio.entities.runs import STEERED, TERMINAL, Origin, Run, RunKind
from jupyter_mlstudio.entities.specs import Resources, RunSpec
from jupyter_mlstudio.entities.sweeps import (
    Goal,
    Lead,
    Objective,
    Sweep,
    SweepControl,
    SweepPhase,
    SweepSpec,
    Trial,
)
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict, Invalid, NotFound
from jupyter_mlstudio.services import submission, sweep_checks, sweep_past
from jupyter_mlstudio.services.compute import cpu_count
from jupyter_mlstudio.services.sweep_front import front
from jupyter_mlstudio.store import sweeps as store
from jupyter_mlstudio.store.database import Database
from jupyter_mlstudio.store.runs import SPEC as RUN_SPEC

if TYPE_CHECKING:
    from jupyter_mlstudio.services.launcher import Launcher
    from jupyter_mlstudio.services.runs import Runs
    from jupyter_mlstudio.workspace import Workspace

FUNCTION = "function.pkl"
FUNCTION_LIMIT_BYTES = 64 * 1024 * 1024
AUTOML_METRIC, AUTOML_GOAL = "mlstudio.automl.metric", "mlstudio.automl.goal"
"""Tags by which an AutoML run says what it makes as good as possible, when it has looked at the table."""


class Sweeps:
    """What may be done with sweeps."""

    def __init__(
        self,
        workspace: Workspace,
        database: Database,
        runs: Runs,
        launcher: Launcher,
    ) -> None:
        self._workspace = workspace
        self._database = database
        self._runs = runs
        self._launcher = launcher

    def create(
        self,
        kind: RunKind,
        work: RunSpec,
        spec: SweepSpec,
        *,
        function: str | None = None,
        name: str | None = None,
        experiment: str | None = None,
        tags: Mapping[str, str] | None = None,
        origin: Origin | None = None,
        request_id: str | None = None,
        user: str = "",
    ) -> Run:
        """Begins a sweep; answers the run that does it.

        Args:
            kind: of the trials: ``trial`` for calls of a function.
            work: what one trial executes, with the parameters that all of them have.
            function: the pickled function as base64, of a sweep that calls one.

        Raises:
            Invalid: the space, a limit or the work is wrong; there is no trial then.
        """
        called = kind is RunKind.TRIAL
        spec = replace(spec, function=called)
        sweep_checks.check(spec, kind)
        files = {FUNCTION: _unpacked(function)} if called else {}
        if spec.warm_start:
            with self._database.read() as connection:
                files[sweep_past.FILE] = sweep_past.collected(connection, spec.warm_start)
        if function is not None and not called:
            raise Invalid("a function is of a sweep whose trials are calls of it; its work_kind is trial")
        work = submission.checked(self._workspace, kind, work)
        options: dict[str, JSON] = {
            "sweep": store.SPEC.dump_python(spec, mode="json"), "work_kind": kind.value,
            "work": RUN_SPEC.dump_python(work, mode="json"), "resume_from": None,
        }  # fmt: skip
        parallel = spec.limits.max_concurrent_trials
        cpus = min(parallel * work.resources.cpus, float(cpu_count())) if called else 0.0
        whole = RunSpec(
            cell=work.cell, script=work.script, notebook=work.notebook, command=work.command, folder=work.folder,
            params=spec.fixed, target=work.target, priority=work.priority, resources=Resources(cpus=cpus),
            options=options,
        )  # fmt: skip
        return self._launcher.submit(
            RunKind.SWEEP, whole, name=name, experiment=experiment, tags=tags, origin=origin, user=user,
            request_id=request_id, files=files,
        )  # fmt: skip

    def resume(self, run_id: str, limits: Mapping[str, JSON] | None = None, user: str = "") -> Run:
        """Goes on with a sweep that is over, from where it was, as a new run: trials that are done are not done again.

        Args:
            limits: those that are to be different from what they were last, e.g. ``max_total_trials``.

        Raises:
            Conflict: it is under way, or has done all the trials that it may.
        """
        run = self.searched(run_id)
        if run.status not in TERMINAL:
            raise Conflict(f"the sweep {run.name!r} is under way; only one that is over can be gone on with")
        sweep = self.get(run.id)
        wanted = sweep_checks.changed_limits(sweep.control.limits, limits or {})
        with self._database.read() as connection:
            over = store.over(connection, run.id)
        if over >= wanted.max_total_trials:
            raise Conflict(f"all {over} trials of {run.name!r} are done: raise max_total_trials to go on")
        spec = replace(sweep.spec, limits=wanted, space=sweep.control.space)
        kept = {"sweep": store.SPEC.dump_python(spec, mode="json"), "resume_from": run.id}
        function = self._workspace.run_folder(run.id) / FUNCTION
        return self._launcher.submit(
            RunKind.SWEEP, replace(run.spec, options={**run.spec.options, **kept}), user=user, retry_of=run,
            name=self._runs.name_to_go_on(run), experiment=run.experiment, origin=run.origin,
            tags={key: value for key, value in run.tags.items() if not key.startswith("mlstudio.")},
            files={FUNCTION: function.read_bytes()} if function.is_file() else {},
        )  # fmt: skip

    def get(self, run_id: str) -> Sweep:
        """Gets a sweep as it is now."""
        run = self.run(run_id)
        spec = spec_of(run)
        goal = spec.objectives[0].goal
        with self._database.read() as connection:
            row = store.row(connection, run.id)
            counts = store.counts(connection, run.id)
            best = store.best(connection, run.id, goal) if len(spec.objectives) == 1 else None
            several = store.complete(connection, run.id) if len(spec.objectives) > 1 else []
        phase = SweepPhase.ENDED if run.status in TERMINAL else SweepPhase(row.phase if row else SweepPhase.RUNNING)
        return Sweep(
            run_id=run.id, name=run.name, experiment=run.experiment, status=run.status.value, phase=phase, spec=spec,
            work=RUN_SPEC.validate_python(run.spec.options["work"]), work_kind=str(run.spec.options["work_kind"]),
            control=store.control_of(row) if row else untouched(spec), counts=counts, best=best,
            front=front(several, [objective.goal for objective in spec.objectives]),
            lead=store.lead_of(row) if row else Lead(), resume_from=run.spec.options.get("resume_from"),
        )  # fmt: skip

    def trials(self, run_id: str, after: int = 0, limit: int = 5000) -> bytes:
        """Reads trials that were changed since a page's cursor, as JSON of a page of them."""
        run = self.run(run_id)
        with self._database.read() as connection:
            return store.page(connection, run.id, after, limit)

    def best_trial(self, run_id: str, number: int | None = None) -> tuple[Sweep, Trial]:
        """Finds a trial by its number, the best one without.

        Raises:
            NotFound: there is none. Conflict: there are several objectives, so none is the best.
        """
        sweep = self.get(run_id)
        if number is None and len(sweep.spec.objectives) > 1:
            raise Conflict("there are several objectives: choose a trial of the Pareto front by its number")
        with self._database.read() as connection:
            trial = sweep.best if number is None else store.one(connection, sweep.run_id, number)
        if trial is None:
            missing = "no complete trial yet" if number is None else f"no trial {number}"
            raise NotFound(f"the sweep {sweep.name!r} has {missing}")
        return sweep, trial

    def complete(self, run_id: str) -> list[dict[str, Any]]:
        """Reads the complete, feasible trials as plain JSON."""
        with self._database.read() as connection:
            return store.complete(connection, self.run(run_id).id)

    def searched(self, run_id: str) -> Run:
        """Finds the run of a sweep whose space people gave: what has no meaning for AutoML asks here.

        Raises:
            Conflict: it is an AutoML run, which chooses its models itself.
        """
        run = self.run(run_id)
        if run.kind is RunKind.AUTOML:
            raise Conflict(f"{run.name!r} is an AutoML run: it chooses its models itself; see automl/{run.id}")
        return run

    def run(self, run_id: str) -> Run:
        """Finds the run of a sweep, or of another kind that is steered as one."""
        run = self._runs.get(run_id)
        if run.kind not in STEERED:
            raise NotFound(f"the run {run.name!r} is no sweep, it is a {run.kind.value}")
        return run


def spec_of(run: Run) -> SweepSpec:
    """Reads what a sweep was asked for; an AutoML run's objective is the one that it has chosen."""
    spec = store.SPEC.validate_python(run.spec.options["sweep"])
    metric = run.tags.get(AUTOML_METRIC)
    if run.kind is not RunKind.AUTOML or metric is None:
        return spec
    goal = Goal.MINIMIZE if run.tags.get(AUTOML_GOAL) == Goal.MINIMIZE else Goal.MAXIMIZE
    return replace(spec, objectives=[Objective(primary_metric=metric, goal=goal)])


def untouched(spec: SweepSpec) -> SweepControl:
    """What is asked of a sweep that nobody has steered."""
    return SweepControl(limits=spec.limits, space=dict(spec.space))


def _unpacked(function: str | None) -> bytes:
    if not function:
        raise Invalid("the function is missing: send it pickled, as base64")
    if len(function) > FUNCTION_LIMIT_BYTES * 4 // 3 + 4:
        raise Invalid(f"the pickled function is over {FUNCTION_LIMIT_BYTES // 1024**2} MB: read data inside it instead")
    try:
        return base64.b64decode(function, validate=True)
    except (binascii.Error, ValueError):
        raise Invalid("the function is not base64") from None
