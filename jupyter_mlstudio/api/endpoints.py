"""Endpoints over HTTP: deploy, look at, score, stop."""

from __future__ import annotations

from typing import Literal

from jupyter_mlstudio.api.route import Body, Call, NoBody, NoQuery, Query, Route
from jupyter_mlstudio.entities.endpoints import Endpoint, IssuedKeys, Snippets
from jupyter_mlstudio.studio import Studio


class EndpointsQuery(Query):
    q: str = ""


class NewEndpoint(Body):
    """``version`` is a number, an alias or ``latest``; ``port`` None takes a free one."""

    name: str
    model: str
    version: str = "latest"
    description: str = ""
    port: int | None = None
    request_id: str | None = None


class EndpointChange(Body):
    description: str | None = None


class ScoreRequest(Body):
    """An inference request of Open Inference Protocol V2 (``InferenceRequest``), passed on as it is."""

    inputs: list[dict[str, object]]
    outputs: list[dict[str, object]] | None = None
    id: str | None = None
    parameters: dict[str, object] | None = None


class ScoreAnswer(Body):
    """``response`` is the endpoint's answer, ``status`` its HTTP status, ``latency_ms`` the time it took."""

    status: int
    response: dict[str, object]
    latency_ms: float


def list_endpoints(studio: Studio, call: Call[EndpointsQuery, NoBody]) -> list[Endpoint]:
    """Lists endpoints by name."""
    return studio.endpoints.list(call.query.q)


def create_endpoint(studio: Studio, call: Call[NoQuery, NewEndpoint]) -> IssuedKeys:
    """Deploys a model version; the answer holds both keys, which are not shown again."""
    return studio.endpoints.create(**call.body.model_dump(), user=call.caller.user)


def get_endpoint(studio: Studio, call: Call[NoQuery, NoBody]) -> Endpoint:
    """Gets one endpoint with its state, address and counts."""
    return studio.endpoints.get(call.path["name"])


def update_endpoint(studio: Studio, call: Call[NoQuery, EndpointChange]) -> Endpoint:
    """Changes the description."""
    change = call.body.model_dump(exclude_unset=True)
    return studio.endpoints.update(call.path["name"], if_match=call.if_match, **change)


def delete_endpoint(studio: Studio, call: Call[NoQuery, NoBody]) -> None:
    """Stops and deletes an endpoint; its model versions stay."""
    studio.endpoints.delete(call.path["name"])


def stop_endpoint(studio: Studio, call: Call[NoQuery, NoBody]) -> Endpoint:
    """Stops the processes of an endpoint; name, keys and port stay."""
    return studio.endpoints.stop(call.path["name"])


def restart_endpoint(studio: Studio, call: Call[NoQuery, NoBody]) -> Endpoint:
    """Starts an endpoint again, stopping it first when it runs."""
    return studio.endpoints.restart(call.path["name"], user=call.caller.user)


def regenerate_key(studio: Studio, call: Call[NoQuery, NoBody]) -> IssuedKeys:
    """Replaces one of the two keys; the old one is refused within a second, the other goes on."""
    key: Literal["primary", "secondary"] = studio.endpoints.key_name(call.path["key"])
    return studio.endpoints.regenerate(call.path["name"], key)


def score_endpoint(studio: Studio, call: Call[NoQuery, ScoreRequest]) -> ScoreAnswer:
    """Sends a scoring request to the endpoint, behind Jupyter's own authentication."""
    body = call.body.model_dump(exclude_none=True)
    status, response, latency_ms = studio.endpoints.score(call.path["name"], body)
    return ScoreAnswer(status=status, response=response, latency_ms=latency_ms)


def get_snippets(studio: Studio, call: Call[NoQuery, NoBody]) -> Snippets:
    """Gets ready-to-paste requests made from the endpoint's signature and sample."""
    return studio.endpoints.snippets(call.path["name"])


_ID = "endpoints/{name}"
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
    Route(method="POST", path=_ID + "/keys/{key}/regenerate", operation="regenerateKey", handler=regenerate_key,
          action="execute", resource="endpoints", answer=IssuedKeys),
    Route(method="POST", path=_ID + "/score", operation="scoreEndpoint", handler=score_endpoint,
          action="execute", resource="endpoints", body=ScoreRequest, answer=ScoreAnswer,
          body_limit_bytes=16 * 1024 * 1024),
    Route(method="GET", path=_ID + "/snippets", operation="getSnippets", handler=get_snippets,
          action="read", resource="endpoints", answer=Snippets),
]  # fmt: skip
