"""The graphs of model versions over HTTP: looked at, made newer or smaller, measured."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from jupyter_mlstudio.api.route import Body, Call, NoBody, NoQuery, Route
from jupyter_mlstudio.entities.graphs import Graph
from jupyter_mlstudio.entities.models import ModelVersion, ParityPolicy
from jupyter_mlstudio.entities.runs import Run
from jupyter_mlstudio.studio import Studio

_VERSION = "models/{name}/versions/{version}"


class Derivation(Body):
    """``upgrade`` takes the standard operators to ``opset``, ``quantise`` keeps weights as 8-bit integers."""

    kind: Literal["upgrade", "quantise"]
    opset: int | None = Field(default=None, ge=7, le=100)
    policy: ParityPolicy | None = None
    request_id: str | None = None


class ProfileRequest(Body):
    """``batches`` are the numbers of rows of a request."""

    batches: list[int] = Field(default_factory=lambda: [1, 10, 100, 1000])
    request_id: str | None = None


def get_graph(studio: Studio, call: Call[NoQuery, NoBody]) -> Graph:
    """Describes the graph of the version's ONNX file: operators, shapes, number types, where it comes from."""
    return studio.graphs.graph(call.path["name"], call.path["version"])


def derive_version(studio: Studio, call: Call[NoQuery, Derivation]) -> ModelVersion:
    """Makes the next version with a newer opset or 8-bit weights, compared with the original's answers."""
    new, where = call.body, call.path
    return studio.graphs.derive(
        where["name"], where["version"], new.kind, new.opset, new.policy, new.request_id, call.caller.user
    )


def profile_version(studio: Studio, call: Call[NoQuery, ProfileRequest]) -> Run:
    """Measures latency and memory over batch sizes and threads; answers at once with the run that does it."""
    new, where = call.body, call.path
    return studio.graphs.profile(where["name"], where["version"], new.batches, new.request_id, call.caller.user)


ROUTES = [
    Route(method="GET", path=_VERSION + "/graph", operation="getGraph", handler=get_graph,
          action="read", resource="models", answer=Graph),
    Route(method="POST", path=_VERSION + "/derive", operation="deriveVersion", handler=derive_version,
          action="execute", resource="models", body=Derivation, answer=ModelVersion, status=201),
    Route(method="POST", path=_VERSION + "/profile", operation="profileVersion", handler=profile_version,
          action="execute", resource="models", body=ProfileRequest, answer=Run, status=201),
]  # fmt: skip
