"""Registered models over HTTP: versions, aliases, files, uploads."""

from __future__ import annotations

from pydantic import Field

from jupyter_mlstudio.api.artifacts import UPLOAD_LIMIT_BYTES
from jupyter_mlstudio.api.route import (
    Body,
    Call,
    Discarded,
    FileAnswer,
    NoBody,
    NoQuery,
    Query,
    Route,
    StreamAnswer,
    Upload,
)
from jupyter_mlstudio.entities.model_reports import ModelUser
from jupyter_mlstudio.entities.models import Conversion, Model, ModelFile, ModelVersion, ParityPolicy
from jupyter_mlstudio.errors import Conflict
from jupyter_mlstudio.studio import Studio


class ModelsQuery(Query):
    """``archived`` lists archived models too."""

    q: str = ""
    archived: bool = False


class NewVersion(Body):
    """Registers files as the next version of ``name``, which is made when it does not exist.

    With ``run_id`` alone ``path`` is the model's folder below the run's artifacts. ``file``, a file or folder below the
    workspace's root, or ``upload``, the id of an upload, say otherwise; the run is then only where it came from.
    ``allow_code`` loads, in the convert run, what executes code when it is loaded though it is not a run's own.
    ``threshold`` is the probability from which a binary classifier answers ``positive_label``, without one the class
    that the run looked for, else its second class.
    The same ``request_id`` again answers the same version.
    """

    name: str
    run_id: str | None = None
    path: str = "model"
    file: str | None = None
    upload: str | None = None
    alias: str | None = None
    description: str = ""
    tags: dict[str, str] = Field(default_factory=dict)
    tolerance: float | None = None
    policy: ParityPolicy | None = None
    allow_code: bool = False
    threshold: float | None = None
    positive_label: str | None = None
    request_id: str | None = None


class VersionChange(Body):
    description: str | None = None
    tags: dict[str, str | None] | None = None


class ModelChange(Body):
    description: str | None = None
    tags: dict[str, str | None] | None = None
    protected_aliases: list[str] | None = None


class NewName(Body):
    name: str


class AliasTarget(Body):
    """``reason`` is needed to move a protected alias."""

    version: int = Field(ge=1)
    reason: str = ""


class WhyQuery(Query):
    """``reason`` is needed to remove a protected alias."""

    reason: str = ""


class NewThreshold(Body):
    threshold: float
    positive_label: str | None = None
    alias: str | None = None
    description: str = ""
    request_id: str | None = None


def list_models(studio: Studio, call: Call[ModelsQuery, NoBody]) -> list[Model]:
    """Lists registered models, the one registered to last first."""
    return studio.models.list(call.query.q, archived=call.query.archived)


def register_model(studio: Studio, call: Call[NoQuery, NewVersion]) -> ModelVersion:
    """Registers a model: copies, hashes, converts to ONNX and compares; answers at once, while converting."""
    given = call.body.model_dump() | {"policy": call.body.policy}
    return studio.models.register(**given, user=call.caller.user)


def get_model(studio: Studio, call: Call[NoQuery, NoBody]) -> Model:
    """Gets one model with its aliases and the numbers of its versions."""
    return studio.models.get(call.path["name"])


def update_model(studio: Studio, call: Call[NoQuery, ModelChange]) -> Model:
    """Changes description, tags (null removes one), or which aliases are protected."""
    change = call.body.model_dump(exclude_unset=True)
    return studio.models.update(call.path["name"], **change, user=call.caller.user)


def rename_model(studio: Studio, call: Call[NoQuery, NewName]) -> Model:
    """Gives a model another name; refused while something is served under the old one."""
    return studio.models.rename(call.path["name"], call.body.name, call.caller.user)


def delete_model(studio: Studio, call: Call[NoQuery, NoBody]) -> None:
    """Deletes a model and its versions; refused while something uses one."""
    studio.models.delete(call.path["name"], call.caller.user)


def model_users(studio: Studio, call: Call[NoQuery, NoBody]) -> list[ModelUser]:
    """Lists what uses a model: aliases, endpoints, batch endpoints and jobs."""
    return list(studio.models.users(call.path["name"]))


def get_version(studio: Studio, call: Call[NoQuery, NoBody]) -> ModelVersion:
    """Gets a version by its number, an alias, or ``latest``."""
    return studio.models.version(call.path["name"], call.path["version"])


def update_version(studio: Studio, call: Call[NoQuery, VersionChange]) -> ModelVersion:
    """Changes description or tags."""
    change = call.body.model_dump(exclude_unset=True)
    return studio.models.update_version(call.path["name"], call.path["version"], if_match=call.if_match, **change)


def delete_version(studio: Studio, call: Call[NoQuery, NoBody]) -> None:
    """Deletes a version; refused while something uses it."""
    studio.models.delete_version(call.path["name"], call.path["version"], call.caller.user)


def version_users(studio: Studio, call: Call[NoQuery, NoBody]) -> list[ModelUser]:
    """Lists what uses a version: aliases, endpoints, batch endpoints and jobs."""
    return list(studio.models.users(call.path["name"], call.path["version"]))


def finish_conversion(studio: Studio, call: Call[NoQuery, Conversion]) -> ModelVersion:
    """Takes what the version's convert run found out; only that run may tell."""
    return studio.models.finish_conversion(call.path["name"], call.path["version"], call.body, call.caller.run_id)


def set_threshold(studio: Studio, call: Call[NoQuery, NewThreshold]) -> ModelVersion:
    """Registers the version's files again with a decision threshold in the ONNX graph: a new version."""
    return studio.models.register(
        call.path["name"], copy_of=(call.path["name"], call.path["version"]), user=call.caller.user,
        **call.body.model_dump(),
    )  # fmt: skip


def set_alias(studio: Studio, call: Call[NoQuery, AliasTarget]) -> Model:
    """Points an alias at a version."""
    target = call.body
    return studio.models.set_alias(
        call.path["name"], call.path["alias"], target.version, target.reason, call.caller.user
    )


def delete_alias(studio: Studio, call: Call[WhyQuery, NoBody]) -> Model:
    """Removes an alias."""
    return studio.models.delete_alias(call.path["name"], call.path["alias"], call.query.reason, call.caller.user)


def download_model_file(studio: Studio, call: Call[NoQuery, NoBody]) -> FileAnswer:
    """Downloads one file of a version."""
    return FileAnswer(*studio.models.open_file(call.path["name"], call.path["version"], call.path["path"]))


def replace_model_file(studio: Studio, call: Call[NoQuery, Discarded]) -> None:
    """Refuses: the files of a version never change."""
    version = studio.models.version(call.path["name"], call.path["version"])
    raise Conflict(f"version {version.version} of {version.model!r} never changes: register the next one")


def download_model(studio: Studio, call: Call[NoQuery, NoBody]) -> StreamAnswer:
    """Downloads a whole version as a ZIP file with the digests of its files."""
    return StreamAnswer(*studio.model_archive(call.path["name"], call.path["version"]))


def upload_model_file(studio: Studio, call: Call[NoQuery, Upload]) -> ModelFile:
    """Keeps the body as a file of an upload, whose id the caller makes up; registering takes the whole upload."""
    sent = call.body
    return studio.models.sources.keep_upload(
        call.path["upload_id"], call.path["path"], sent.path, sent.size_bytes, sent.sha256
    )


def discard_upload(studio: Studio, call: Call[NoQuery, NoBody]) -> None:
    """Removes the files of an upload that will not be registered."""
    studio.models.sources.discard_upload(call.path["upload_id"])


_ID = "models/{name}"
_VERSION = _ID + "/versions/{version}"
_UPLOAD = "model-uploads/{upload_id}"
ROUTES = [
    Route(method="GET", path="models", operation="listModels", handler=list_models,
          action="read", resource="models", query=ModelsQuery, answer=list[Model]),
    Route(method="POST", path="models", operation="registerModel", handler=register_model,
          action="execute", resource="models", body=NewVersion, answer=ModelVersion, status=201, gateway=True),
    Route(method="GET", path=_ID, operation="getModel", handler=get_model,
          action="read", resource="models", answer=Model),
    Route(method="PATCH", path=_ID, operation="updateModel", handler=update_model,
          action="write", resource="models", body=ModelChange, answer=Model),
    Route(method="DELETE", path=_ID, operation="deleteModel", handler=delete_model,
          action="write", resource="models", answer=None, status=204),
    Route(method="POST", path=_ID + "/rename", operation="renameModel", handler=rename_model,
          action="write", resource="models", body=NewName, answer=Model),
    Route(method="GET", path=_ID + "/users", operation="listModelUsers", handler=model_users,
          action="read", resource="models", answer=list[ModelUser]),
    Route(method="GET", path=_VERSION, operation="getVersion", handler=get_version,
          action="read", resource="models", answer=ModelVersion, gateway=True),
    Route(method="PATCH", path=_VERSION, operation="updateVersion", handler=update_version,
          action="write", resource="models", body=VersionChange, answer=ModelVersion),
    Route(method="DELETE", path=_VERSION, operation="deleteVersion", handler=delete_version,
          action="write", resource="models", answer=None, status=204),
    Route(method="GET", path=_VERSION + "/users", operation="listVersionUsers", handler=version_users,
          action="read", resource="models", answer=list[ModelUser]),
    Route(method="POST", path=_VERSION + "/conversion", operation="finishConversion", handler=finish_conversion,
          action="write", resource="models", body=Conversion, answer=ModelVersion, gateway=True),
    Route(method="POST", path=_VERSION + "/threshold", operation="setThreshold", handler=set_threshold,
          action="execute", resource="models", body=NewThreshold, answer=ModelVersion, status=201),
    Route(method="PUT", path=_ID + "/aliases/{alias}", operation="setAlias", handler=set_alias,
          action="write", resource="models", body=AliasTarget, answer=Model),
    Route(method="DELETE", path=_ID + "/aliases/{alias}", operation="deleteAlias", handler=delete_alias,
          action="write", resource="models", query=WhyQuery, answer=Model),
    Route(method="GET", path=_VERSION + "/files/{path*}", operation="downloadModelFile", handler=download_model_file,
          action="read", resource="models", answer=FileAnswer),
    Route(method="PUT", path=_VERSION + "/files/{path*}", operation="replaceModelFile", handler=replace_model_file,
          action="write", resource="models", body=Discarded, answer=None, status=204),
    Route(method="GET", path=_VERSION + "/archive.zip", operation="downloadModel", handler=download_model,
          action="read", resource="models", answer=StreamAnswer),
    Route(method="PUT", path=_UPLOAD + "/files/{path*}", operation="uploadModelFile", handler=upload_model_file,
          action="write", resource="models", body=Upload, answer=ModelFile, status=201, gateway=True,
          body_limit_bytes=UPLOAD_LIMIT_BYTES),
    Route(method="DELETE", path=_UPLOAD, operation="discardUpload", handler=discard_upload,
          action="write", resource="models", answer=None, status=204),
]  # fmt: skip
