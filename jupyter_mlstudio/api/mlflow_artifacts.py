"""Files over MLflow's REST API and its artifact proxy."""

from __future__ import annotations

from collections.abc import Sequence

from jupyter_mlstudio.api.artifacts import UPLOAD_LIMIT_BYTES
from jupyter_mlstudio.api.mlflow_wire import SCHEME, Params, route
from jupyter_mlstudio.api.route import Call, Discarded, FileAnswer, Upload
from jupyter_mlstudio.entities.runs import ArtifactEntry
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.studio import Studio


class ListParams(Params):
    """``path`` begins with a run's id."""

    path: str = ""


class RunListParams(Params):
    run_id: str = ""
    run_uuid: str = ""
    path: str = ""


class FolderParams(Params):
    artifact_directory_path: str = ""


def list_proxied(studio: Studio, call: Call[ListParams, Discarded]) -> JSON:
    """Lists a folder; names are relative to it."""
    return {"files": _files(studio.mlflow_artifacts.list(call.query.path, call.caller.run_id), "")}


def list_of_run(studio: Studio, call: Call[RunListParams, Discarded]) -> JSON:
    """Lists a folder of a run; paths are relative to the run's files."""
    run_id = studio.mlflow.run_id(call.query.run_id or call.query.run_uuid, call.caller.run_id)
    found = studio.mlflow_artifacts.of_run(run_id, call.query.path)
    return {"root_uri": f"{SCHEME}{run_id}", "files": _files(found, call.query.path)}


def list_of_model(studio: Studio, call: Call[FolderParams, Discarded]) -> JSON:
    """Lists a folder of a logged model; paths are relative to the model's files."""
    uri = studio.logged_models.get(call.path["model_id"], call.caller.run_id)["info"]["artifact_uri"]
    below = call.query.artifact_directory_path
    path = uri.removeprefix(SCHEME) + (f"/{below}" if below else "")
    return {"root_uri": uri, "files": _files(studio.mlflow_artifacts.list(path, call.caller.run_id), below)}


def download(studio: Studio, call: Call[Params, Discarded]) -> FileAnswer:
    """Downloads a file of a run."""
    return FileAnswer(*studio.artifacts.open(call.path["run_id"], call.path["path"]))


def download_of_version(studio: Studio, call: Call[Params, Discarded]) -> FileAnswer:
    """Downloads a file of a registered version."""
    found = studio.mlflow_artifacts.open_version(call.path["name"], call.path["version"], call.path["path"])
    return FileAnswer(*found)


def upload(studio: Studio, call: Call[Params, Upload]) -> JSON:
    """Keeps the body as a file of a run; the same path again replaces it as a whole."""
    studio.artifacts.take(call.path["run_id"], call.path["path"], call.body.path)
    return {}


def delete(studio: Studio, call: Call[Params, Discarded]) -> JSON:
    """Deletes a file or folder of an ended run."""
    studio.artifacts.delete(call.path["run_id"], call.path["path"])
    return {}


def _files(entries: Sequence[ArtifactEntry], below: str) -> list[JSON]:
    written: list[JSON] = []
    for entry in entries:
        path = f"{below}/{entry.name}" if below else entry.name
        is_folder = entry.kind == "folder"
        written.append({"path": path, "is_dir": is_folder, **({} if is_folder else {"file_size": entry.size_bytes})})
    return written


_P = "api/2.0/mlflow-artifacts/artifacts"
_FILE = _P + "/{run_id}/{path*}"
_VERSION_FILE = _P + "/registry/{name}/{version}/{path*}"
ROUTES = [
    route("GET", _P, "listArtifacts", list_proxied, query=ListParams, resource="artifacts", prefix=""),
    route("GET", _VERSION_FILE, "downloadVersionFile", download_of_version, resource="models", answer=FileAnswer,
          prefix=""),
    route("GET", _FILE, "downloadArtifact", download, resource="artifacts", answer=FileAnswer, prefix=""),
    route("PUT", _FILE, "uploadArtifact", upload, body=Upload, resource="artifacts", prefix="",
          body_limit_bytes=UPLOAD_LIMIT_BYTES),
    route("DELETE", _FILE, "deleteArtifact", delete, resource="artifacts", gateway=False, prefix=""),
    route("GET", "artifacts/list", "listRunArtifacts", list_of_run, query=RunListParams, resource="artifacts"),
    route("GET", "logged-models/{model_id}/artifacts/directories", "listModelArtifacts", list_of_model,
          query=FolderParams, resource="artifacts"),
]  # fmt: skip
