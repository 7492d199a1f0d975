"""Sweeps over HTTP: begin one, steer it, follow its trials."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from jupyter_mlstudio.api.route import Body, Call, JsonAnswer, NoBody, NoQuery, Query, Route
from jupyter_mlstudio.entities.runs import Origin, Run, RunKind
from jupyter_mlstudio.entities.specs import RunSpec
from jupyter_mlstudio.entities.sweeps import (
    Importance,
    Lead,
    Sweep,
    SweepControl,
    SweepPhase,
    SweepSpec,
    TrialPage,
    TrialReport,
)
from jupyter_mlstudio.errors import Forbidden, NotFound
from jupyter_mlstudio.studio import Studio


class TrialsQuery(Query):
    """``after`` is the cursor of the page before: what was changed since is answered."""

    after: int = Field(default=0, ge=0, le=2**53)
    limit: int = Field(default=5000, ge=1, le=20_000)


class ImportanceQuery(Query):
    objective: int = Field(default=0, ge=0, le=7)
    evaluator: Literal["fanova", "ped_anova"] = "fanova"


class CodeQuery(Query):
    format: Literal["python", "yaml"] = "python"


class CodeText(Body):
    """A text to copy."""

    text: str


class TrialChoice(Body):
    """Which trial; the best one without."""

    trial: int | None = Field(default=None, ge=0)


class NotebookPath(Body):
    """A notebook's path below the workspace's root."""

    path: str


class NewSweep(Body):
    """``work_kind`` is that of a trial; ``trial`` calls ``function``, a pickled function as base64."""

    work_kind: RunKind
    work: RunSpec = Field(default_factory=RunSpec)
    sweep: SweepSpec
    function: str | None = None
    name: str | None = None
    experiment: str | None = None
    tags: dict[str, str] = Field(default_factory=dict)
    origin: Origin = Field(default_factory=Origin)
    request_id: str | None = None


class SweepChange(Body):
    """``limits`` are those that are to be different; ``space`` parameters with new bounds."""

    paused: bool | None = None
    stop: bool | None = None
    limits: dict[str, object] = Field(default_factory=dict)
    space: dict[str, dict[str, object]] = Field(default_factory=dict)


class ResumeRequest(Body):
    """``limits`` are those that are to be different from what they were last."""

    limits: dict[str, object] = Field(default_factory=dict)


class Point(Body):
    """Values of parameters; those left out are chosen as ever."""

    params: dict[str, object]


class SweepReport(Body):
    """What a sweep's own run tells."""

    trials: list[TrialReport] = Field(default_factory=list, max_length=1000)
    phase: SweepPhase | None = None
    lead: Lead | None = None


def create_sweep(studio: Studio, call: Call[NoQuery, NewSweep]) -> Run:
    """Begins a sweep: work that is tried with many parameters, each try a run of its own."""
    new = call.body
    return studio.sweeps.create(
        new.work_kind, new.work, new.sweep, function=new.function, name=new.name, experiment=new.experiment,
        tags=new.tags, origin=new.origin, request_id=new.request_id, user=call.caller.user,
    )  # fmt: skip


def get_sweep(studio: Studio, call: Call[NoQuery, NoBody]) -> Sweep:
    """Gets a sweep as it is now."""
    return studio.sweeps.get(call.path["run_id"])


def change_sweep(studio: Studio, call: Call[NoQuery, SweepChange]) -> Sweep:
    """Pauses, resumes or stops a sweep, or changes its limits and bounds."""
    change = call.body
    return studio.steering.change(
        call.path["run_id"], paused=change.paused, stop=change.stop, limits=change.limits, space=change.space,
        if_match=call.if_match,
    )  # fmt: skip


def resume_sweep(studio: Studio, call: Call[NoQuery, ResumeRequest]) -> Run:
    """Goes on with a sweep that is over, from where it was, as a new run."""
    return studio.sweeps.resume(call.path["run_id"], call.body.limits, call.caller.user)


def list_trials(studio: Studio, call: Call[TrialsQuery, NoBody]) -> JsonAnswer:
    """Lists trials that were changed since a page's cursor, the oldest change first."""
    return JsonAnswer(studio.sweeps.trials(call.path["run_id"], call.query.after, call.query.limit))


def get_control(studio: Studio, call: Call[NoQuery, NoBody]) -> SweepControl:
    """Gets what people have asked of a sweep."""
    return studio.steering.control(call.path["run_id"])


def add_point(studio: Studio, call: Call[NoQuery, Point]) -> Sweep:
    """Has a point tried before any other."""
    return studio.steering.enqueue(call.path["run_id"], call.body.params)


def stop_trial(studio: Studio, call: Call[NoQuery, NoBody]) -> Sweep:
    """Ends one trial; the sweep goes on."""
    number = call.path["number"]
    if not number.isascii() or not number.isdigit() or len(number) > 9:
        raise NotFound(f"{number[:40]!r} is not a trial's number")
    return studio.steering.stop_trial(call.path["run_id"], int(number))


def report_sweep(studio: Studio, call: Call[NoQuery, SweepReport]) -> SweepControl:
    """Takes what a sweep's own run tells of its trials."""
    if call.caller.run_id is not None and call.caller.run_id != call.path["run_id"]:
        raise Forbidden("a sweep's trials are told of by its own run")
    report = call.body
    return studio.steering.report(call.path["run_id"], report.trials, report.phase, report.lead)


def get_importance(studio: Studio, call: Call[ImportanceQuery, NoBody]) -> Importance:
    """Tells how much each parameter had to do with an objective's values."""
    return studio.sweep_importance.of(call.path["run_id"], call.query.objective, call.query.evaluator)


def get_sweep_code(studio: Studio, call: Call[CodeQuery, NoBody]) -> CodeText:
    """Writes a sweep as a call in Python, or as Azure's YAML."""
    return CodeText(text=studio.sweep_code.text(call.path["run_id"], call.query.format))


def open_as_notebook(studio: Studio, call: Call[NoQuery, TrialChoice]) -> NotebookPath:
    """Writes a notebook with the work and a trial's parameters filled in, beside the user's files."""
    return NotebookPath(path=studio.sweep_code.notebook(call.path["run_id"], call.body.trial))


_ID = "sweeps/{run_id}"
ROUTES = [
    Route(method="POST", path="sweeps", operation="createSweep", handler=create_sweep,
          action="execute", resource="sweeps", body=NewSweep, answer=Run, status=201,
          body_limit_bytes=96 * 1024 * 1024),
    Route(method="GET", path=_ID, operation="getSweep", handler=get_sweep,
          action="read", resource="sweeps", answer=Sweep, gateway=True),
    Route(method="PATCH", path=_ID, operation="changeSweep", handler=change_sweep,
          action="execute", resource="sweeps", body=SweepChange, answer=Sweep),
    Route(method="POST", path=_ID + "/resume", operation="resumeSweep", handler=resume_sweep,
          action="execute", resource="sweeps", body=ResumeRequest, answer=Run, status=201),
    Route(method="GET", path=_ID + "/trials", operation="listTrials", handler=list_trials,
          action="read", resource="sweeps", query=TrialsQuery, answer=TrialPage, gateway=True),
    Route(method="GET", path=_ID + "/control", operation="getSweepControl", handler=get_control,
          action="read", resource="sweeps", answer=SweepControl, gateway=True),
    Route(method="POST", path=_ID + "/points", operation="addPoint", handler=add_point,
          action="execute", resource="sweeps", body=Point, answer=Sweep),
    Route(method="POST", path=_ID + "/trials/{number}/stop", operation="stopTrial", handler=stop_trial,
          action="execute", resource="sweeps", answer=Sweep),
    Route(method="GET", path=_ID + "/importance", operation="getImportance", handler=get_importance,
          action="read", resource="sweeps", query=ImportanceQuery, answer=Importance),
    Route(method="GET", path=_ID + "/code", operation="getSweepCode", handler=get_sweep_code,
          action="read", resource="sweeps", query=CodeQuery, answer=CodeText),
    Route(method="POST", path=_ID + "/notebook", operation="openSweepAsNotebook", handler=open_as_notebook,
          action="execute", resource="sweeps", body=TrialChoice, answer=NotebookPath, status=201),
    Route(method="POST", path=_ID + "/report", operation="reportSweep", handler=report_sweep,
          action="execute", resource="sweeps", body=SweepReport, answer=SweepControl, gateway=True,
          body_limit_bytes=16 * 1024 * 1024),
]  # fmt: skip
