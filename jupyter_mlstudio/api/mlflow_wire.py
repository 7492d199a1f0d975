"""MLflow's ways on the wire: its errors, its entities as JSON, times in milliseconds since 1970.

Messages: ``service.proto``, ``model_registry.proto`` and ``mlflow_artifacts.proto`` of MLflow 3; error codes:
``databricks.proto`` of MLflow, and the HTTP statuses that its own server sends with them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from jupyter_mlstudio.api.reader import write_answer
from jupyter_mlstudio.api.route import Discarded, NoQuery, Query, Route, Wire
from jupyter_mlstudio.entities.experiments import Experiment
from jupyter_mlstudio.entities.models import Model, ModelVersion, VersionStatus
from jupyter_mlstudio.entities.runs import MLFLOW_STATUS, RunSummary
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import (
    AlreadyExists,
    Conflict,
    Forbidden,
    Invalid,
    NoSpace,
    NotFound,
    StudioError,
    TimedOut,
    Unauthorized,
    Unavailable,
    Unsupported,
)

SCHEME = "mlflow-artifacts:/"
PATH = "api/2.0/mlflow/"
ENDPOINT_NOT_FOUND = "this is not an operation of MLflow's REST API that the studio knows"
_CODES: list[tuple[type[StudioError], int, str]] = [
    (Invalid, 400, "INVALID_PARAMETER_VALUE"),
    (AlreadyExists, 400, "RESOURCE_ALREADY_EXISTS"),
    (Unauthorized, 401, "UNAUTHENTICATED"),
    (Forbidden, 403, "PERMISSION_DENIED"),
    (NotFound, 404, "RESOURCE_DOES_NOT_EXIST"),
    (Conflict, 409, "RESOURCE_CONFLICT"),
    (NoSpace, 507, "RESOURCE_EXHAUSTED"),
    (TimedOut, 504, "DEADLINE_EXCEEDED"),
    (Unavailable, 503, "TEMPORARILY_UNAVAILABLE"),
    (Unsupported, 501, "NOT_IMPLEMENTED"),
]


def refusal(error: StudioError) -> tuple[int, bytes]:
    """Writes an error as MLflow does."""
    found = ((status, code) for kind, status, code in _CODES if isinstance(error, kind))
    status, code = next(found, (500, "INTERNAL_ERROR"))
    if isinstance(error, NotFound) and error.message == ENDPOINT_NOT_FOUND:
        code = "ENDPOINT_NOT_FOUND"
    message = error.message.encode("utf-8", "replace").decode()
    return status, write_answer({"error_code": code, "message": message})


WIRE = Wire(refusal=refusal, bare_nan=True)


class Message(BaseModel):
    """Base of bodies: strict types; fields that the studio does not know are left aside, as protobuf does."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, defer_build=True)


class Params(Query):
    """Base of query strings: unknown names are left aside."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Pair(Message):
    """A tag or a parameter."""

    key: str
    value: str = ""


class OfRun(Message):
    """A body that names a run; ``run_uuid`` is what it was called before MLflow 1."""

    run_id: str | None = None
    run_uuid: str | None = None

    @property
    def run(self) -> str:
        """The run's id as it was sent."""
        return self.run_id or self.run_uuid or ""


class PageParams(Params):
    """A page of a list."""

    filter: str = ""
    max_results: int = Field(default=100, ge=1, le=10_000)
    order_by: list[str] = Field(default_factory=list)
    page_token: str | None = None


def route(
    method: str,
    path: str,
    operation: str,
    handler: Callable[..., Any],
    *,
    body: type = Discarded,
    query: type[Query] = NoQuery,
    action: str = "",
    resource: str = "runs",
    gateway: bool = True,
    answer: Any = dict,
    prefix: str = PATH,
    **more: Any,
) -> Route:
    """Makes a route of this family; reading is what GET does unless ``action`` says otherwise."""
    wanted = action or ("read" if method == "GET" else "write")
    return Route(
        method=method, path=prefix + path, operation=f"mlflow.{operation}", handler=handler, action=wanted, body=body,
        query=Params if query is NoQuery else query, resource=resource, answer=answer, gateway=gateway, wire=WIRE,
        **more,
    )  # fmt: skip


def mapping(pairs: Sequence[Pair]) -> dict[str, str]:
    """Reads pairs; a key that comes twice with different values is refused.

    Raises:
        Invalid: there is such a key.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        if found.setdefault(pair.key, pair.value) != pair.value:
            raise Invalid(f"{pair.key[:80]!r} is given twice with different values")
    return found


def pairs(given: Mapping[str, str]) -> list[JSON]:
    """Writes tags or parameters."""
    return [{"key": key, "value": value} for key, value in given.items()]


def ms(at: datetime | None) -> int | None:
    """Writes a time."""
    return None if at is None else round(at.timestamp() * 1000)


def metric(name: str, value: float, step: int | str, at: datetime | float) -> JSON:
    """Writes one point; ``at`` as a time or as seconds since 1970."""
    seconds = at.timestamp() if isinstance(at, datetime) else at
    return {"key": name, "value": value, "timestamp": round(seconds * 1000), "step": int(step)}


def experiment_json(experiment: Experiment) -> JSON:
    """Writes an experiment."""
    return {
        "experiment_id": experiment.id, "name": experiment.name, "artifact_location": SCHEME,
        "lifecycle_stage": "deleted" if experiment.archived_at else "active",
        "creation_time": ms(experiment.created_at), "last_update_time": ms(experiment.created_at),
        "tags": pairs({"mlflow.note.content": experiment.description} if experiment.description else {}),
    }  # fmt: skip


def info_json(run: RunSummary) -> JSON:
    """Writes what MLflow calls a run's info. The address of its files is the server's own choice."""
    info = {
        "run_id": run.id, "run_uuid": run.id, "run_name": run.name, "experiment_id": run.experiment_id,
        "user_id": run.user, "status": MLFLOW_STATUS[run.status], "start_time": ms(run.started_at or run.created_at),
        "artifact_uri": f"{SCHEME}{run.id}", "lifecycle_stage": "active",
    }  # fmt: skip
    return info if run.ended_at is None else {**info, "end_time": ms(run.ended_at)}


def run_json(
    run: RunSummary, latest: Sequence[tuple[str, float, int, datetime]], parts: Mapping[str, Sequence[JSON]] | None
) -> JSON:
    """Writes a whole run."""
    known = {"mlflow.user": run.user, "mlflow.parentRunId": run.parent_run_id, "mlflow.note.content": _note(run)}
    tags = {**{k: v for k, v in known.items() if v}, **run.tags, "mlflow.runName": run.name}
    written = {
        "info": info_json(run),
        "data": {"metrics": [metric(*point) for point in latest], "params": pairs(run.params), "tags": pairs(tags)},
    }
    if parts is not None:
        written["inputs"] = {name: list(parts[name]) for name in ("dataset_inputs", "model_inputs")}
        written["outputs"] = {"model_outputs": list(parts["model_outputs"])}
    return written


def version_json(version: ModelVersion, uri: Callable[[ModelVersion], str]) -> JSON:
    """Writes a version. One that cannot be served is ready in MLflow's sense: its files are kept and can be loaded."""
    status = "PENDING_REGISTRATION" if version.status is VersionStatus.CONVERTING else "READY"
    source_model = version.source.rpartition("/")[2]
    written = {
        "name": version.model, "version": str(version.version), "creation_timestamp": ms(version.created_at),
        "last_updated_timestamp": ms(version.created_at), "user_id": version.user, "current_stage": version.stage.value,
        "description": version.description, "source": uri(version), "run_id": version.run_id or "", "status": status,
        "status_message": version.reason, "tags": pairs(version.tags), "aliases": version.aliases,
    }  # fmt: skip
    return {**written, "model_id": source_model} if source_model.startswith("m-") else written


def model_json(model: Model, uri: Callable[[ModelVersion], str]) -> JSON:
    """Writes a registered model."""
    latest = [version_json(model.latest, uri)] if model.latest else []
    return {
        "name": model.name, "creation_timestamp": ms(model.created_at), "last_updated_timestamp": ms(model.updated_at),
        "description": model.description, "latest_versions": latest,
        "aliases": [{"alias": alias, "version": str(number)} for alias, number in model.aliases.items()],
        "tags": pairs(model.tags),
    }  # fmt: skip


def _note(run: RunSummary) -> str | None:
    return getattr(run, "description", None) or None
