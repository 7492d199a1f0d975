"""Files of runs over HTTP: artifacts and the code snapshot."""

from __future__ import annotations

from pydantic import Field

from jupyter_mlstudio.api.route import Call, FileAnswer, NoBody, NoQuery, Query, Route, Upload
from jupyter_mlstudio.entities.runs import ArtifactEntry, ArtifactList, Preview, Snapshot
from jupyter_mlstudio.studio import Studio

UPLOAD_LIMIT_BYTES = 16 * 1024**3


class FolderQuery(Query):
    """``path`` is a folder below the run's artifacts, empty for all of them."""

    path: str = ""
    max_results: int = Field(default=500, ge=1, le=1000)
    page_token: str | None = None


class PathQuery(Query):
    path: str


def list_artifacts(studio: Studio, call: Call[FolderQuery, NoBody]) -> ArtifactList:
    """Lists one folder of the run's artifacts."""
    query = call.query
    return studio.artifacts.list(call.path["run_id"], query.path, query.max_results, query.page_token)


def preview_artifact(studio: Studio, call: Call[PathQuery, NoBody]) -> Preview:
    """Shows what a file looks like, in a form that is safe to draw."""
    return studio.artifacts.preview(call.path["run_id"], call.query.path)


def download_artifact(studio: Studio, call: Call[NoQuery, NoBody]) -> FileAnswer:
    """Downloads one file."""
    return FileAnswer(*studio.artifacts.open(call.path["run_id"], call.path["path"]))


def upload_artifact(studio: Studio, call: Call[NoQuery, Upload]) -> ArtifactEntry:
    """Keeps the body as a file; the same path again replaces it as a whole."""
    return studio.artifacts.take(call.path["run_id"], call.path["path"], call.body.path)


def delete_artifact(studio: Studio, call: Call[NoQuery, NoBody]) -> None:
    """Deletes one file or folder of an ended run."""
    studio.artifacts.delete(call.path["run_id"], call.path["path"])


def get_code(studio: Studio, call: Call[NoQuery, NoBody]) -> Snapshot:
    """Gets the list of the files that ran, and the patch against the commit."""
    return studio.snapshots.of_run(call.path["run_id"])


def get_code_file(studio: Studio, call: Call[PathQuery, NoBody]) -> Preview:
    """Shows a file as it ran."""
    return studio.snapshots.preview(call.path["run_id"], call.query.path)


_ID = "runs/{run_id}"
_FILE = _ID + "/files/{path*}"
ROUTES = [
    Route(method="GET", path=_ID + "/artifacts", operation="listArtifacts", handler=list_artifacts,
          action="read", resource="artifacts", query=FolderQuery, answer=ArtifactList, gateway=True),
    Route(method="GET", path=_ID + "/preview", operation="previewArtifact", handler=preview_artifact,
          action="read", resource="artifacts", query=PathQuery, answer=Preview, gateway=True),
    Route(method="GET", path=_FILE, operation="downloadArtifact", handler=download_artifact,
          action="read", resource="artifacts", answer=FileAnswer, gateway=True),
    Route(method="PUT", path=_FILE, operation="uploadArtifact", handler=upload_artifact, action="write",
          resource="artifacts", body=Upload, answer=ArtifactEntry, status=201, gateway=True,
          body_limit_bytes=UPLOAD_LIMIT_BYTES),
    Route(method="DELETE", path=_FILE, operation="deleteArtifact", handler=delete_artifact,
          action="write", resource="artifacts", answer=None, status=204),
    Route(method="GET", path=_ID + "/code", operation="getCode", handler=get_code,
          action="read", resource="artifacts", answer=Snapshot),
    Route(method="GET", path=_ID + "/code/file", operation="getCodeFile", handler=get_code_file,
          action="read", resource="artifacts", query=PathQuery, answer=Preview),
]  # fmt: skip
