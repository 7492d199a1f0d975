"""Deploys by one sentence, as the magic and the terminal do: a new endpoint, a deployment more, or another version."""

from __future__ import annotations

from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.deployments import model_and_version
from jupyter_mlstudio.client.endpoints import Endpoint
from jupyter_mlstudio.client.models import deploy, endpoint_name
from jupyter_mlstudio.client.wire import segment
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import NotFound


def roll_out(
    model: str,
    name: str | None = None,
    deployment: str | None = None,
    traffic: int | None = None,
    *,
    script: str | None = None,
    allow_code: bool = False,
    **options: JSON,
) -> Endpoint:
    """Serves ``name``, ``name:version`` or ``name@alias``.

    Where there is no endpoint of the name it is made. Where there is one, ``deployment`` is added to it, or serves the
    version from now on when it is there already; ``traffic`` is its share in percent, the others keep their proportion.
    """
    registered, version = model_and_version(model, "latest")
    endpoint_named = name or endpoint_name(registered)
    connection = connect()
    try:
        known = Endpoint(connection.get(f"endpoints/{segment(endpoint_named)}"), connection)
    except NotFound:
        return deploy(
            registered, version, endpoint_named, deployment=deployment or "blue", script=script, allow_code=allow_code,
            **options,
        )  # fmt: skip
    if deployment is None:
        return deploy(registered, version, name)  # refused by the studio, or made under another name
    if deployment in known.traffic:
        known.change(deployment, version, registered, **options)
    else:
        known.add(deployment, registered, version, script=script, allow_code=allow_code, **options)
    if traffic is not None:
        known.split(shared(known.traffic, deployment, traffic))
    return known


def shared(traffic: dict[str, int], deployment: str, percent: int) -> dict[str, int]:
    """Gives a deployment its share, and the others the rest in their proportion."""
    others = {name: share for name, share in traffic.items() if name != deployment and share}
    whole, rest = sum(others.values()), 100 - percent
    given = {name: share * rest // whole for name, share in others.items()}
    for name in sorted(others, key=lambda one: (-(others[one] * rest % whole), one))[: rest - sum(given.values())]:
        given[name] += 1
    return {**given, deployment: percent if others else 100}
