"""AutoML runs: begun, gone on with, read. What searches for the model is the run itself; a sweep's rules steer it."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from jupyter_mlstudio.entities.automl import AutoMLSpec, Task
from jupyter_mlstudio.entities.automl_reports import AutoML, AutoMLReport
from jupyter_mlstudio.entities.runs import TERMINAL, Origin, Run, RunKind
from jupyter_mlstudio.entities.specs import Resources, RunSpec
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict, Invalid, NotFound, StudioError
from jupyter_mlstudio.services import automl_checks
from jupyter_mlstudio.services.compute import cpu_count
from jupyter_mlstudio.services.paths import open_file
from jupyter_mlstudio.services.sweep_checks import TRIALS_LIMIT
from jupyter_mlstudio.store import sweeps as store
from jupyter_mlstudio.store.runs import SPEC as RUN_SPEC

if TYPE_CHECKING:
    from jupyter_mlstudio.services.launcher import Launcher
    from jupyter_mlstudio.services.model_sources import ModelSources
    from jupyter_mlstudio.services.runs import Runs
    from jupyter_mlstudio.services.sweeps import Sweeps
    from jupyter_mlstudio.workspace import Workspace

SPEC = TypeAdapter(AutoMLSpec)
REPORT = TypeAdapter(AutoMLReport)
FOLDER, REPORT_FILE, NOTEBOOK_FILE = "automl", "automl/report.json", "automl/winner.ipynb"
REPORT_LIMIT_BYTES = 256 * 1024 * 1024
MINUTES_LIMIT = 366 * 24 * 60.0


class AutoMLRuns:
    """What may be done with AutoML runs."""

    def __init__(
        self, workspace: Workspace, runs: Runs, launcher: Launcher, sweeps: Sweeps, sources: ModelSources
    ) -> None:
        self._workspace = workspace
        self._runs = runs
        self._launcher = launcher
        self._sweeps = sweeps
        self._sources = sources

    def create(
        self,
        spec: AutoMLSpec,
        *,
        uploads: Mapping[str, str] | None = None,
        name: str | None = None,
        experiment: str | None = None,
        tags: Mapping[str, str] | None = None,
        origin: Origin | None = None,
        request_id: str | None = None,
        user: str = "",
        parent_run_id: str | None = None,
    ) -> Run:
        """Begins an AutoML run.

        Args:
            uploads: ``data``, ``validation_data`` or ``test_data`` -> the id of an upload that holds this table; it
                becomes an artifact of the run.

        Raises:
            Invalid: something is not as it can be. NotFound: there is no such table.
        """
        run_id = uuid.uuid4().hex
        files: dict[str, Path] = {}
        sent: dict[str, str] = {}
        for which, upload in (uploads or {}).items():
            if which not in automl_checks.TABLES:
                raise Invalid(f"{which[:40]!r} is no table of a run; these are {', '.join(automl_checks.TABLES)}")
            source = self._sources.uploaded_file(upload)
            below = f"tables/{which}{source.suffix}"
            files[f"artifacts/{below}"], sent[which] = source, f"{automl_checks.OF_RUN}{run_id}/{below}"
        spec = automl_checks.check(self._workspace, spec, sent)
        run = self._launcher.submit(
            RunKind.AUTOML, _whole(spec, None), name=name, experiment=experiment, tags=tags, origin=origin, user=user,
            request_id=request_id, files=files, run_id=run_id, parent_run_id=parent_run_id,
        )  # fmt: skip
        for upload in (uploads or {}).values():
            self._sources.discard_upload(upload)
        return run

    def resume(self, run_id: str, minutes: float | None = None, user: str = "") -> Run:
        """Goes on with an AutoML run that is over, as a new run: what was tried is not tried again.

        Args:
            minutes: how long to search; None is what was left of its time when it ended.

        Raises:
            Conflict: it is under way, or its time is over. Invalid: the minutes are none.
        """
        run = self._run(run_id)
        if run.status not in TERMINAL:
            raise Conflict(f"the run {run.name!r} is under way; only one that is over can be gone on with")
        spec, report = _spec_of(run), self.report(run.id)
        if minutes is None:
            left_s = spec.limits.timeout_s - (report.budget.used_s if report.budget else 0.0)
            if left_s < 1.0:
                raise Conflict(f"the time of {run.name!r} is over: say how many more minutes to go on")
            minutes = left_s / 60.0
        if not 0 < minutes <= MINUTES_LIMIT:
            raise Invalid(f"minutes are a positive number, at most those of a year, not {minutes}")
        tried = sum(one.tried for one in report.families)
        limits = replace(
            spec.limits, timeout_s=minutes * 60.0,
            max_trials=min(spec.limits.max_trials + tried, TRIALS_LIMIT),
        )  # fmt: skip
        kept = {key: value for key, value in run.tags.items() if not key.startswith("mlstudio.")}
        return self._launcher.submit(
            RunKind.AUTOML, _whole(replace(spec, limits=limits), run.id), name=self._runs.name_to_go_on(run),
            experiment=run.experiment, origin=run.origin, user=user, retry_of=run, tags=kept,
        )  # fmt: skip

    def again(self, run_id: str, user: str = "") -> Run:
        """Tries a run again: one that was interrupted goes on with the time it had left, another one begins anew."""
        run = self._run(run_id)
        report = self.report(run.id)
        if run.status in TERMINAL and report.winner is None and report.leaderboard:
            try:
                return self.resume(run.id, user=user)
            except Conflict:
                pass  # no time was left
        kept = {key: value for key, value in run.tags.items() if not key.startswith("mlstudio.")}
        return self._launcher.submit(
            RunKind.AUTOML, _whole(_spec_of(run), None), experiment=run.experiment, origin=run.origin, user=user,
            retry_of=run, tags=kept,
        )  # fmt: skip

    def get(self, run_id: str) -> AutoML:
        """Gets an AutoML run as it is now."""
        run = self._run(run_id)
        return AutoML(
            run_id=run.id, name=run.name, experiment=run.experiment, status=run.status.value, spec=_spec_of(run),
            report=self.report(run.id), phase=self._sweeps.get(run.id).phase,
            resume_from=run.spec.options.get("resume_from"), notebook=self.notebook_file(run.id) is not None,
        )  # fmt: skip

    def report(self, run_id: str) -> AutoMLReport:
        """Reads what an AutoML run has found so far."""
        run = self._run(run_id)
        try:
            handle, size, _name = open_file(self._artifacts(run.id), REPORT_FILE)
        except NotFound:
            task = _spec_of(run).task
            return AutoMLReport(phase="over" if run.status in TERMINAL else "starting", task=task)
        with os.fdopen(handle, "rb") as file:
            if size > REPORT_LIMIT_BYTES:
                raise Conflict(f"{REPORT_FILE} of the run {run.name!r} is too large to be read: {size:,} bytes")
            content = file.read()
        try:
            return REPORT.validate_json(content)
        except ValidationError as error:
            first = error.errors()[0]
            raise Conflict(f"{REPORT_FILE} of the run {run.name!r} is no report: {first['msg']}") from None

    def spec(self, run_id: str) -> AutoMLSpec:
        """What an AutoML run was asked for."""
        return _spec_of(self._run(run_id))

    def notebook_file(self, run_id: str) -> bytes | None:
        """The notebook that makes the winner again, as the run wrote it; None while there is none."""
        try:
            handle, _size, _name = open_file(self._artifacts(run_id), NOTEBOOK_FILE)
        except StudioError:
            return None
        with os.fdopen(handle, "rb") as file:
            return file.read()

    def run(self, run_id: str) -> Run:
        """The run of an AutoML run, by its id, a beginning of it, or its name."""
        return self._run(run_id)

    def _artifacts(self, run_id: str) -> Path:
        return self._workspace.run_folder(run_id) / "artifacts"

    def _run(self, run_id: str) -> Run:
        run = self._runs.get(run_id)
        if run.kind is not RunKind.AUTOML:
            raise NotFound(f"the run {run.name!r} is no AutoML run, it is a {run.kind.value}")
        return run


def _whole(spec: AutoMLSpec, resume_from: str | None) -> RunSpec:
    """The specification of a run that searches; its parameters are what people tell such runs apart by."""
    options: dict[str, JSON] = {
        "automl": SPEC.dump_python(spec, mode="json"), "work_kind": RunKind.TRIAL.value,
        "sweep": store.SPEC.dump_python(automl_checks.as_sweep(spec), mode="json"),
        "work": RUN_SPEC.dump_python(RunSpec(), mode="json"), "resume_from": resume_from,
    }  # fmt: skip
    shown = {
        "data": spec.data, "target": spec.target, "task": None if spec.task is Task.AUTO else spec.task.value,
        "primary_metric": spec.primary_metric, "minutes": round(spec.limits.timeout_s / 60, 3), "seed": spec.seed,
    }  # fmt: skip
    return RunSpec(
        params={name: value for name, value in shown.items() if value is not None},
        resources=Resources(cpus=_cpus(spec)), options=options,
    )  # fmt: skip


def _cpus(spec: AutoMLSpec) -> float:
    """What it takes of its target: nothing itself when each part of its table has a run of its own."""
    return 0.0 if spec.partition_by else min(float(spec.limits.max_concurrent_trials), float(cpu_count()))


def _spec_of(run: Run) -> AutoMLSpec:
    return SPEC.validate_python(run.spec.options["automl"])
