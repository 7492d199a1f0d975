"""Packages from user code: a model version to take elsewhere."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.runs import Run
from jupyter_mlstudio.client.wire import segment
from jupyter_mlstudio.entities.values import JSON

if TYPE_CHECKING:
    from jupyter_mlstudio.client.models import ModelVersion


def package(
    model: ModelVersion | str, target: str = "local", version: int | str = "latest", wait: bool = True, **options: JSON
) -> Run:
    """Packages a model version: model, scoring script, server, environments, bill of materials, checksums.

    Args:
        model: a registered version, or the model's name.
        target: ``local`` (a folder that runs by itself), ``docker`` (Dockerfile and OCI image layout), ``kubernetes``
            (manifests too), ``edge`` (systemd and Podman units, and what it takes in bytes), or a plugin's.
        version: a number, an alias or ``latest``; only with a name.
        wait: wait until it is done.
        options: the target's own, e.g. ``base="/images/python"``, ``replicas=2``, ``limit_mb=200``.

    Returns:
        The run; its artifacts are the package: ``run.download("cancer-risk-1.zip")``.
    """
    name, number = (model, version) if isinstance(model, str) else (model.name, model.version)
    connection = connect()
    path = f"models/{segment(name)}/versions/{segment(number)}/package"
    body = {"target": target, "options": options, "request_id": uuid.uuid4().hex}
    run = Run(connection.post(path, body, again=True), connection)
    return run.wait() if wait else run
