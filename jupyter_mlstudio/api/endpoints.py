"""Endpoints over HTTP: deploy, look at, score, stop."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from jupyter_mlstudio.api.route import Body, Call, NoBody, NoQuery, Query, Route
from jupyter_mlstudio.entities.deployments import AnswerDifference, CanaryPolicy, DeploymentKind
from jupyter_mlstudio.entities.endpoints import Endpoint, IssuedKeys, Snippets
from jupyter_mlstudio.studio import Studio


class EndpointsQuery(Query):
    q: str = ""


class DeploymentChange(Body):
    """``version`` is a number, an alias or ``latest``; ``settings`` names only the fields that change, by group."""

    model: str | None = None
    version: str | None = None
    settings: dict[str, dict[str, object]] | None = None
    restart: bool = False


class NewDeployment(Body):
    """``settings`` by group, e.g. ``{"scale_settings": {"max_instances": 2}}``; what is not given is the default.

    ``script`` is a scoring script in the workspace, for the kind ``script``. Kinds other than ``onnx`` execute code
    and need ``allow_code``.
    """

    name: str
    model: str
    version: str = "latest"
    settings: dict[str, dict[str, object]] = Field(default_factory=dict)
    kind: DeploymentKind = DeploymentKind.ONNX
    script: str | None = None
    allow_code: bool = False


class NewEndpoint(Body):
    """``port`` None takes a free one. Without a model it is an endpoint without deployments.

    ``host`` other than 127.0.0.1 needs ``behind_proxy`` and ``allowed_hosts``.
    """

    name: str
    model: str | None = None
    version: str = "latest"
    description: str = ""
    port: int | None = None
    deployment: str = "blue"
    settings: dict[str, dict[str, object]] = Field(default_factory=dict)
    kind: DeploymentKind = DeploymentKind.ONNX
    script: str | None = None
    allow_code: bool = False
    host: str = "127.0.0.1"
    allowed_hosts: list[str] = Field(default_factory=list)
    behind_proxy: bool = False
    request_id: str | None = None


class EndpointChange(Body):
    """Shares are percent by deployment: those of ``traffic`` add up to 100 (or 0), those of its copies need not."""

    description: str | None = None
    traffic: dict[str, int] | None = None
    mirror_traffic: dict[str, int] | None = None
    sticky_header: str | None = None


class NewCanary(Body):
    deployment: str
    policy: CanaryPolicy = Field(default_factory=CanaryPolicy)


class CanaryReport(Body):
    """What the endpoint's own processes decided; only they may tell."""

    action: Literal["step", "promote", "rollback"]
    step: int = Field(ge=0)
    traffic: dict[str, int]
    why: str
    measured: dict[str, object] = Field(default_factory=dict)


class DifferencesQuery(Query):
    deployment: str | None = None
    max_results: int = Field(default=100, ge=1, le=1000)


class KeyRequest(Body):
    """``expires_at`` is when the new key ends, with its time zone; None never."""

    expires_at: datetime | None = None


class ScoreRequest(Body):
    """An inference request of Open Inference Protocol V2 (``InferenceRequest``), passed on as it is."""

    inputs: list[dict[str, object]]
    outputs: list[dict[str, object]] | None = None
    id: str | None = None
    parameters: dict[str, object] | None = None


class ScoreQuery(Query):
    """``deployment`` pins the request to one."""

    deployment: str | None = None


class ScoreAnswer(Body):
    """``response`` is the endpoint's answer, ``status`` its HTTP status, ``latency_ms`` the time it took."""

    status: int
    response: dict[str, object]
    latency_ms: float


def list_endpoints(studio: Studio, call: Call[EndpointsQuery, NoBody]) -> list[Endpoint]:
    """Lists endpoints by name."""
    return studio.endpoints.list(call.query.q)


def create_endpoint(studio: Studio, call: Call[NoQuery, NewEndpoint]) -> IssuedKeys:
    """Makes an endpoint, and deploys a model version; the answer holds both keys, which are not shown again."""
    new = call.body
    return studio.endpoints.create(
        new.name, new.model, new.version, new.description, new.port, deployment=new.deployment, settings=new.settings,
        kind=new.kind, script=new.script, allow_code=new.allow_code, host=new.host,
        allowed_hosts=tuple(new.allowed_hosts), behind_proxy=new.behind_proxy, request_id=new.request_id,
        user=call.caller.user,
    )  # fmt: skip


def get_endpoint(studio: Studio, call: Call[NoQuery, NoBody]) -> Endpoint:
    """Gets one endpoint with its state, address and counts."""
    return studio.endpoints.get(call.path["name"])


def update_endpoint(studio: Studio, call: Call[NoQuery, EndpointChange]) -> Endpoint:
    """Changes the description, the shares of traffic and copies, or the sticky header."""
    change = call.body.model_dump(exclude_unset=True)
    return studio.endpoints.update(call.path["name"], if_match=call.if_match, **change)


def delete_endpoint(studio: Studio, call: Call[NoQuery, NoBody]) -> None:
    """Stops and deletes an endpoint; its model versions stay."""
    studio.endpoints.delete(call.path["name"])


def stop_endpoint(studio: Studio, call: Call[NoQuery, NoBody]) -> Endpoint:
    """Stops the processes of an endpoint; name, keys, port and deployments stay."""
    return studio.endpoints.stop(call.path["name"])


def restart_endpoint(studio: Studio, call: Call[NoQuery, NoBody]) -> Endpoint:
    """Starts an endpoint again, stopping it first when it runs."""
    return studio.endpoints.restart(call.path["name"], user=call.caller.user)


def add_deployment(studio: Studio, call: Call[NoQuery, NewDeployment]) -> Endpoint:
    """Adds a deployment; the first one gets all traffic, a further one none until it is given a share."""
    new = call.body
    return studio.deployments.add(
        call.path["name"], new.name, new.model, new.version, new.settings, new.kind, new.script,
        allow_code=new.allow_code, user=call.caller.user,
    )  # fmt: skip


def change_deployment(studio: Studio, call: Call[NoQuery, DeploymentChange]) -> Endpoint:
    """Changes a deployment's version or settings; new processes take over when they are ready."""
    change = call.body.model_dump(exclude_unset=True)
    return studio.deployments.change(call.path["name"], call.path["deployment"], call.if_match, **change)


def delete_deployment(studio: Studio, call: Call[NoQuery, NoBody]) -> Endpoint:
    """Removes a deployment; refused while it gets traffic."""
    return studio.deployments.remove(call.path["name"], call.path["deployment"])


def start_canary(studio: Studio, call: Call[NoQuery, NewCanary]) -> Endpoint:
    """Lets a deployment take the traffic over step by step, and give it back by itself when it is worse."""
    return studio.canaries.start(call.path["name"], call.body.deployment, call.body.policy)


def stop_canary(studio: Studio, call: Call[NoQuery, NoBody]) -> Endpoint:
    """Stops a canary release and gives the traffic back."""
    return studio.canaries.stop(call.path["name"])


def report_canary(studio: Studio, call: Call[NoQuery, CanaryReport]) -> Endpoint:
    """Takes the next step of a canary release; only the endpoint's own run may tell."""
    report = call.body
    return studio.canaries.report(
        call.path["name"], call.caller.run_id, report.action, report.step, report.traffic, report.why, report.measured
    )


def list_differences(studio: Studio, call: Call[DifferencesQuery, NoBody]) -> list[AnswerDifference]:
    """Lists copied requests and how the answers to them differed, newest first."""
    return [*studio.scoring.differences(call.path["name"], call.query.deployment, call.query.max_results)]


def regenerate_key(studio: Studio, call: Call[NoQuery, KeyRequest]) -> IssuedKeys:
    """Replaces one of the two keys; the old one is refused within a second, the other goes on."""
    key: Literal["primary", "secondary"] = studio.endpoints.key_name(call.path["key"])
    return studio.endpoints.regenerate(call.path["name"], key, call.body.expires_at)


def score_endpoint(studio: Studio, call: Call[ScoreQuery, ScoreRequest]) -> ScoreAnswer:
    """Sends a scoring request to the endpoint, behind Jupyter's own authentication."""
    body = call.body.model_dump(exclude_none=True)
    status, response, latency_ms = studio.scoring.score(call.path["name"], body, call.query.deployment)
    return ScoreAnswer(status=status, response=response, latency_ms=latency_ms)


def get_snippets(studio: Studio, call: Call[NoQuery, NoBody]) -> Snippets:
    """Gets ready-to-paste requests made from the endpoint's signature and sample."""
    return studio.scoring.snippets(call.path["name"])


def get_endpoint_openapi(studio: Studio, call: Call[NoQuery, NoBody]) -> dict[str, object]:
    """Gets the OpenAPI document that a running endpoint writes of itself."""
    return studio.scoring.openapi(call.path["name"])


_ID = "endpoints/{name}"
_DEPLOYMENT = _ID + "/deployments/{deployment}"
ROUTES = [
    Route(method="GET", path="endpoints", operation="listEndpoints", handler=list_endpoints,
          action="read", resource="endpoints", query=EndpointsQuery, answer=list[Endpoint]),
    Route(method="POST", path="endpoints", operation="createEndpoint", handler=create_endpoint,
          action="execute", resource="endpoints", body=NewEndpoint, answer=IssuedKeys, status=201),
    Route(method="GET", path=_ID, operation="getEndpoint", handler=get_endpoint,
          action="read", resource="endpoints", answer=Endpoint),
    Route(method="PATCH", path=_ID, operation="updateEndpoint", handler=update_endpoint,
          action="write", resource="endpoints", body=EndpointChange, answer=Endpoint),
    Route(method="DELETE", path=_ID, operation="deleteEndpoint", handler=delete_endpoint,
          action="execute", resource="endpoints", answer=None, status=204),
    Route(method="POST", path=_ID + "/stop", operation="stopEndpoint", handler=stop_endpoint,
          action="execute", resource="endpoints", answer=Endpoint),
    Route(method="POST", path=_ID + "/restart", operation="restartEndpoint", handler=restart_endpoint,
          action="execute", resource="endpoints", answer=Endpoint),
    Route(method="POST", path=_ID + "/deployments", operation="addDeployment", handler=add_deployment,
          action="execute", resource="endpoints", body=NewDeployment, answer=Endpoint, status=201),
    Route(method="PATCH", path=_DEPLOYMENT, operation="changeDeployment", handler=change_deployment,
          action="execute", resource="endpoints", body=DeploymentChange, answer=Endpoint),
    Route(method="DELETE", path=_DEPLOYMENT, operation="deleteDeployment", handler=delete_deployment,
          action="execute", resource="endpoints", answer=Endpoint),
    Route(method="POST", path=_ID + "/canary", operation="startCanary", handler=start_canary,
          action="execute", resource="endpoints", body=NewCanary, answer=Endpoint, status=201),
    Route(method="DELETE", path=_ID + "/canary", operation="stopCanary", handler=stop_canary,
          action="execute", resource="endpoints", answer=Endpoint),
    Route(method="POST", path=_ID + "/canary/report", operation="reportCanary", handler=report_canary,
          action="write", resource="endpoints", body=CanaryReport, answer=Endpoint, gateway=True),
    Route(method="GET", path=_ID + "/differences", operation="listDifferences", handler=list_differences,
          action="read", resource="endpoints", query=DifferencesQuery, answer=list[AnswerDifference]),
    Route(method="POST", path=_ID + "/keys/{key}/regenerate", operation="regenerateKey", handler=regenerate_key,
          action="execute", resource="endpoints", body=KeyRequest, answer=IssuedKeys),
    Route(method="POST", path=_ID + "/score", operation="scoreEndpoint", handler=score_endpoint,
          action="execute", resource="endpoints", query=ScoreQuery, body=ScoreRequest, answer=ScoreAnswer,
          body_limit_bytes=16 * 1024 * 1024),
    Route(method="GET", path=_ID + "/snippets", operation="getSnippets", handler=get_snippets,
          action="read", resource="endpoints", answer=Snippets),
    Route(method="GET", path=_ID + "/openapi", operation="getEndpointOpenapi", handler=get_endpoint_openapi,
          action="read", resource="endpoints", answer=dict[str, object]),
]  # fmt: skip
