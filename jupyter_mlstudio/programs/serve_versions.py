"""What a worker is told to serve: a model version, once it is converted, and the files that were registered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.wire import segment
from jupyter_mlstudio.entities.models import MANY
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict, Unavailable
from jupyter_mlstudio.programs.serve_plan import ONNX, Planned


def config_of(planned: Planned, cancelled: Callable[[], bool]) -> dict[str, JSON]:
    """Waits until a deployment's version is ready; answers what its workers serve.

    Raises:
        Conflict: it cannot be served, or has no ONNX file.
    """
    version = wait_until_ready(planned.model, planned.version, cancelled, converted=planned.kind == ONNX)
    digests = {file["path"]: file["sha256"] for file in version["files"]}
    onnx = Path(planned.onnx)
    onnx = onnx.with_name(MANY) if MANY in digests else onnx  # planned while it was converted
    name = onnx.name
    if planned.kind == ONNX and name not in digests:
        raise Conflict(f"version {planned.version} of {planned.model!r} has no ONNX file")
    return {
        "model": planned.model, "version": str(planned.version), "onnx": str(onnx),
        "sha256": digests.get(name, ""), "signature": version["signature"], "operators": version.get("operators", []),
        "limits": planned.limits, "deployment": planned.name, "kind": planned.kind, "folder": planned.folder,
        "script": planned.script, "sample": version.get("sample"),
        "collector": planned.collector,
    }  # fmt: skip


def wait_until_ready(
    model: str, version: int, cancelled: Callable[[], bool] = lambda: False, *, converted: bool = True
) -> dict[str, JSON]:
    """Asks until a model version is converted, or, where that is enough, until the conversion is over.

    Raises:
        Conflict: it is refused, so it cannot be served.
    """
    found: dict[str, JSON]
    for found in connect().follow(f"models/{segment(model)}/versions/{version}"):
        if cancelled():
            break
        if found["status"] == "Ready" or (found["status"] == "Refused" and not converted):
            return found
        if found["status"] == "Refused":
            raise Conflict(f"version {version} of {model!r} cannot be served: {found['reason']}")
    raise Unavailable("the run's supervisor is gone")
