"""Packages of model versions over HTTP."""

from __future__ import annotations

from pydantic import Field

from jupyter_mlstudio.api.route import Body, Call, NoQuery, Route
from jupyter_mlstudio.entities.runs import Run
from jupyter_mlstudio.studio import Studio


class PackageRequest(Body):
    """``target`` is local, docker, kubernetes, edge or an installed plugin's; ``options`` are that target's."""

    target: str = "local"
    options: dict[str, object] = Field(default_factory=dict)
    request_id: str | None = None


def package_version(studio: Studio, call: Call[NoQuery, PackageRequest]) -> Run:
    """Packages a version; answers at once with the run whose artifacts the package is."""
    new = call.body
    where = call.path
    return studio.packages.package(
        where["name"], where["version"], new.target, new.options, new.request_id, call.caller.user
    )


ROUTES = [
    Route(method="POST", path="models/{name}/versions/{version}/package", operation="packageVersion",
          handler=package_version, action="execute", resource="models", body=PackageRequest, answer=Run, status=201),
]  # fmt: skip
