"""Runs over HTTP: submit, list, look at, stop."""

from __future__ import annotations

from pydantic import Field

from jupyter_mlstudio.api.route import Body, Call, JsonAnswer, NoBody, NoQuery, Query, Route
from jupyter_mlstudio.entities.runs import Origin, Run, RunKind, RunPage
from jupyter_mlstudio.entities.specs import RunSpec
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.studio import Studio

SUBMITTED = (RunKind.CELL, RunKind.SCRIPT, RunKind.NOTEBOOK, RunKind.COMMAND)
"""Kinds of runs that people submit; the others belong to a model, an endpoint, a sweep or a living process."""


class RunsQuery(Query):
    """``filter`` is MLflow's grammar; ``order_by`` e.g. ``metrics.auc DESC``; ``status`` live, queued, done or one.

    ``top`` leaves out what other runs started, such as the trials of a sweep.
    """

    experiment_id: list[str] = Field(default_factory=list)
    parent_run_id: str | None = None
    top: bool = False
    q: str = ""
    filter: str = ""
    status: str = ""
    kind: list[RunKind] = Field(default_factory=list)
    order_by: list[str] = Field(default_factory=list)
    max_results: int = Field(default=100, ge=1, le=1000)
    page_token: str | None = None


class NewRun(Body):
    """A run to start. Without ``experiment`` it goes to the default one, without ``name`` it gets one."""

    kind: RunKind
    spec: RunSpec
    name: str | None = None
    experiment: str | None = None
    parent_run_id: str | None = None
    tags: dict[str, str] = Field(default_factory=dict)
    origin: Origin = Field(default_factory=Origin)
    request_id: str | None = None


class NewInteractiveRun(Body):
    """A run that a living process (a notebook's kernel, a script) logs to; ``pid`` is that process."""

    pid: int
    name: str | None = None
    experiment: str | None = None
    tags: dict[str, str] = Field(default_factory=dict)
    origin: Origin = Field(default_factory=Origin)


class RunAddress(Body):
    """Where and with which token a run is logged to."""

    run_id: str
    url: str
    token: str


class RunChange(Body):
    name: str | None = None
    description: str | None = None
    tags: dict[str, str | None] | None = None


class RetryRequest(Body):
    params: dict[str, object] = Field(default_factory=dict)


def list_runs(studio: Studio, call: Call[RunsQuery, NoBody]) -> JsonAnswer:
    """Lists runs, live ones first and then the newest, unless an order is asked for."""
    return JsonAnswer(studio.runs.search_json(**call.query.model_dump()))


def submit_run(studio: Studio, call: Call[NoQuery, NewRun]) -> Run:
    """Queues a run and starts it as soon as its target has room."""
    new = call.body
    if new.kind not in SUBMITTED:
        raise Invalid(f"a run of kind {new.kind.value} is begun by what it belongs to; submit {', '.join(SUBMITTED)}")
    return studio.launcher.submit(
        new.kind, new.spec, name=new.name, experiment=new.experiment, tags=new.tags, origin=new.origin,
        parent_run_id=studio.runs.parent_of(new.parent_run_id, call.caller.run_id), user=call.caller.user,
        request_id=new.request_id,
    )  # fmt: skip


def start_interactive(studio: Studio, call: Call[NoQuery, NewInteractiveRun]) -> RunAddress:
    """Starts a run that the calling process logs to; its supervisor watches that process."""
    new = call.body
    run_id, url, token = studio.launcher.start_interactive(
        new.pid, name=new.name, experiment=new.experiment, tags=new.tags, origin=new.origin, user=call.caller.user
    )
    return RunAddress(run_id=run_id, url=url, token=token)


def get_run(studio: Studio, call: Call[NoQuery, NoBody]) -> Run:
    """Gets one run by its id, a unique beginning of it, or its name (the newest of that name)."""
    return studio.runs.get(call.path["run_id"])


def update_run(studio: Studio, call: Call[NoQuery, RunChange]) -> Run:
    """Changes name, description or tags; a tag set to null is removed."""
    change = call.body.model_dump(exclude_unset=True)
    return studio.runs.update(call.path["run_id"], if_match=call.if_match, **change)


def stop_run(studio: Studio, call: Call[NoQuery, NoBody]) -> Run:
    """Stops a run and its whole process tree; a queued run is cancelled at once, a sweep ends with what it has."""
    if studio.steering.stop_if_running(call.path["run_id"]):
        return studio.runs.get(call.path["run_id"])
    return studio.launcher.stop(call.path["run_id"])


def retry_run(studio: Studio, call: Call[NoQuery, RetryRequest]) -> Run:
    """Submits the same work as a new run, with the parameters that are given changed; a sweep goes on where it was."""
    kind = studio.runs.get(call.path["run_id"]).kind
    if kind is RunKind.AUTOML:
        return studio.automl.again(call.path["run_id"], call.caller.user)
    if kind is RunKind.SWEEP:
        return studio.sweeps.resume(call.path["run_id"], user=call.caller.user)
    return studio.launcher.retry(call.path["run_id"], params=call.body.params, user=call.caller.user)


def delete_run(studio: Studio, call: Call[NoQuery, NoBody]) -> None:
    """Deletes an ended run and its files; a model registered from it keeps its own copy."""
    studio.runs.delete(call.path["run_id"])


_ID = "runs/{run_id}"
ROUTES = [
    Route(method="GET", path="runs", operation="listRuns", handler=list_runs,
          action="read", resource="runs", query=RunsQuery, answer=RunPage),
    Route(method="POST", path="runs", operation="submitRun", handler=submit_run,
          action="execute", resource="runs", body=NewRun, answer=Run, status=201, gateway=True),
    Route(method="POST", path="runs/interactive", operation="startInteractive", handler=start_interactive,
          action="execute", resource="runs", body=NewInteractiveRun, answer=RunAddress, status=201),
    Route(method="GET", path=_ID, operation="getRun", handler=get_run,
          action="read", resource="runs", answer=Run, gateway=True),
    Route(method="PATCH", path=_ID, operation="updateRun", handler=update_run,
          action="write", resource="runs", body=RunChange, answer=Run, gateway=True),
    Route(method="DELETE", path=_ID, operation="deleteRun", handler=delete_run,
          action="write", resource="runs", answer=None, status=204),
    Route(method="POST", path=_ID + "/stop", operation="stopRun", handler=stop_run,
          action="execute", resource="runs", answer=Run, gateway=True),
    Route(method="POST", path=_ID + "/retry", operation="retryRun", handler=retry_run,
          action="execute", resource="runs", body=RetryRequest, answer=Run, status=201),
]  # fmt: skip
