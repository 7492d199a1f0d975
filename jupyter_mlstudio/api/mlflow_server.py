"""What MLflow's clients ask about the server itself, and the answer to what the studio does not have."""

from __future__ import annotations

from jupyter_mlstudio.api.mlflow_wire import ENDPOINT_NOT_FOUND, Params, route
from jupyter_mlstudio.api.route import Call, Discarded, TextAnswer
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import NotFound, Unsupported
from jupyter_mlstudio.studio import Studio

SPOKEN = "3.17.2"
"""The version of MLflow whose REST API this is."""


def version(studio: Studio, call: Call[Params, Discarded]) -> TextAnswer:
    """Says which version of MLflow's REST API is spoken."""
    return TextAnswer(SPOKEN)


def health(studio: Studio, call: Call[Params, Discarded]) -> TextAnswer:
    """Says that the server answers."""
    return TextAnswer("OK")


def info(studio: Studio, call: Call[Params, Discarded]) -> JSON:
    """Says which optional parts of MLflow's server there are: none."""
    return {
        "store_type": "jupyter_mlstudio", "workspaces_enabled": False, "trace_archival_enabled": False,
        "multipart_uploads_enabled": False, "multipart_downloads_enabled": False,
        "presigned_upload_run_id_supported": False, "presigned_upload_model_id_supported": False,
        "features_enabled": [],
    }  # fmt: skip


def no_traces(studio: Studio, call: Call[Params, Discarded]) -> JSON:
    """Refuses traces, which the studio does not keep."""
    raise Unsupported("traces are not kept by the studio; switch them off with mlflow.tracing.disable()")


def nothing(studio: Studio, call: Call[Params, Discarded]) -> JSON:
    """Says that there is no such operation."""
    raise NotFound(ENDPOINT_NOT_FOUND)


_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_TRACES = ("api/2.0/mlflow/traces", "api/3.0/mlflow/traces", "api/4.0/mlflow/traces", "v1/traces")
ROUTES = [
    route("GET", "version", "version", version, prefix="", answer=TextAnswer, resource="workspaces"),
    route("GET", "health", "health", health, prefix="", answer=TextAnswer, resource="workspaces"),
    route("GET", "api/3.0/mlflow/server-info", "serverInfo", info, prefix="", resource="workspaces"),
    *[
        route(method, path + rest, f"noTraces{method}{number}{rest}", no_traces, body=Discarded, prefix="")
        for number, path in enumerate(_TRACES)
        for rest in ("", "/{path*}")
        for method in _METHODS
    ],
    *[route(method, "{path*}", f"nothing{method}", nothing, body=Discarded, prefix="") for method in _METHODS],
]
