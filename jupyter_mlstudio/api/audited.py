"""Which operations the audit log tells of, and what it says of each: never a key, a token or data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jupyter_mlstudio.api.route import Call, Route
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Forbidden, StudioError

if TYPE_CHECKING:
    from jupyter_mlstudio.studio import Studio

AUDITED: Mapping[str, tuple[str, ...]] = {
    "createEndpoint": ("name", "model", "version", "kind", "allow_code", "host", "behind_proxy"),
    "addDeployment": ("name", "model", "version", "kind", "allow_code"),
    "changeDeployment": ("model", "version"),
    "deleteDeployment": (),
    "deleteEndpoint": (),
    "regenerateKey": (),
    "createBatchEndpoint": ("name", "model", "version", "script"),
    "putBatchDeployment": ("model", "version", "script"),
    "deleteBatchEndpoint": (),
    "deleteBatchDeployment": (),
    "registerModel": ("name", "allow_code"),
    "updateModel": ("protected_aliases",),
    "setAlias": ("version",),
    "deleteAlias": (),
    "decide": ("status",),
    "setStage": ("stage",),
    "deleteModel": (),
    "deleteVersion": (),
    "mlflow.setRegisteredModelAlias": ("name", "alias", "version"),
    "mlflow.deleteRegisteredModelAlias": ("name", "alias"),
    "mlflow.transitionStage": ("name", "version", "stage"),
    "mlflow.deleteRegisteredModel": ("name",),
    "mlflow.deleteModelVersion": ("name", "version"),
}
"""Operations, and the fields of their bodies that are told."""


def tell(studio: Studio, route: Route, call: Call[Any, Any], refusal: StudioError | None = None) -> None:
    """Notes an operation that was done or refused; one that nobody may do is always noted."""
    if is_audited(route, call.body) or isinstance(refusal, Forbidden):
        outcome = "done" if refusal is None else refusal.code
        what = resource(route, call.path)
        studio.audit.tell(call.caller.user, route.operation, what, outcome, **details(route, call))


def is_audited(route: Route, body: object) -> bool:
    """Whether an operation is told of: registering when code was opted for, a model when its protection changes."""
    if route.operation == "registerModel":
        return bool(getattr(body, "allow_code", False))
    if route.operation == "updateModel":
        return getattr(body, "protected_aliases", None) is not None
    return route.operation in AUDITED


def resource(route: Route, path: Mapping[str, str]) -> str:
    """What an operation is done to: its path with its names."""
    found = route.path
    for name, value in path.items():
        found = found.replace("{" + name + "}", value).replace("{" + name + "*}", value)
    return found


def details(route: Route, call: Call[Any, Any]) -> dict[str, JSON]:
    """What is told of a request besides who, what and how it ended."""
    found: dict[str, JSON] = {}
    for name in AUDITED.get(route.operation, ()):
        value = getattr(call.body, name, None)
        found[name] = getattr(value, "value", value)
    if call.caller.run_id is not None:
        found["run"] = call.caller.run_id
    if call.caller.ends is not None:
        found["peer"] = str(call.caller.ends[0][0])
    found["request"] = call.request_id or getattr(call.body, "request_id", None)
    return found
