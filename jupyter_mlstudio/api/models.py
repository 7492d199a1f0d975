"""Registered models over HTTP."""

from __future__ import annotations

from pydantic import Field

from jupyter_mlstudio.api.route import Body, Call, FileAnswer, NoBody, NoQuery, Query, Route
from jupyter_mlstudio.entities.models import Conversion, Model, ModelVersion, ParityPolicy
from jupyter_mlstudio.studio import Studio


class ModelsQuery(Query):
    q: str = ""


class NewVersion(Body):
    """Registers files of a run as the next version of ``name``, which is made when it does not exist.

    ``path`` is the model's folder below the run's artifacts. The same ``request_id``
    again answers the same version.
    """

    name: str
    run_id: str
    path: str = "model"
    alias: str | None = None
    description: str = ""
    tags: dict[str, str] = Field(default_factory=dict)
    tolerance: float | None = None
    policy: ParityPolicy | None = None
    request_id: str | None = None


class VersionChange(Body):
    description: str | None = None
    tags: dict[str, str | None] | None = None


class ModelChange(Body):
    description: str


class AliasTarget(Body):
    version: int = Field(ge=1)


def list_models(studio: Studio, call: Call[ModelsQuery, NoBody]) -> list[Model]:
    """Lists registered models, the one registered to last first."""
    return studio.models.list(call.query.q)


def register_model(studio: Studio, call: Call[NoQuery, NewVersion]) -> ModelVersion:
    """Registers a run's model: copies, hashes, converts to ONNX and compares; answers at once, while converting."""
    given = call.body.model_dump() | {"policy": call.body.policy}
    return studio.models.register(**given, user=call.caller.user)


def get_model(studio: Studio, call: Call[NoQuery, NoBody]) -> Model:
    """Gets one model with its aliases and the numbers of its versions."""
    return studio.models.get(call.path["name"])


def update_model(studio: Studio, call: Call[NoQuery, ModelChange]) -> Model:
    """Changes the description."""
    return studio.models.describe(call.path["name"], call.body.description)


def delete_model(studio: Studio, call: Call[NoQuery, NoBody]) -> None:
    """Deletes a model and its versions; refused while an endpoint uses one."""
    studio.models.delete(call.path["name"])


def get_version(studio: Studio, call: Call[NoQuery, NoBody]) -> ModelVersion:
    """Gets a version by its number, an alias, or ``latest``."""
    return studio.models.version(call.path["name"], call.path["version"])


def update_version(studio: Studio, call: Call[NoQuery, VersionChange]) -> ModelVersion:
    """Changes description or tags."""
    change = call.body.model_dump(exclude_unset=True)
    return studio.models.update_version(call.path["name"], call.path["version"], if_match=call.if_match, **change)


def delete_version(studio: Studio, call: Call[NoQuery, NoBody]) -> None:
    """Deletes a version; refused while an endpoint uses it."""
    studio.models.delete_version(call.path["name"], call.path["version"])


def finish_conversion(studio: Studio, call: Call[NoQuery, Conversion]) -> ModelVersion:
    """Takes what the version's convert run found out; only that run may tell."""
    return studio.models.finish_conversion(call.path["name"], call.path["version"], call.body, call.caller.run_id)


def set_alias(studio: Studio, call: Call[NoQuery, AliasTarget]) -> Model:
    """Points an alias at a version."""
    return studio.models.set_alias(call.path["name"], call.path["alias"], call.body.version)


def delete_alias(studio: Studio, call: Call[NoQuery, NoBody]) -> Model:
    """Removes an alias."""
    return studio.models.delete_alias(call.path["name"], call.path["alias"])


def download_model_file(studio: Studio, call: Call[NoQuery, NoBody]) -> FileAnswer:
    """Downloads one file of a version."""
    return FileAnswer(*studio.models.open_file(call.path["name"], call.path["version"], call.path["path"]))


_ID = "models/{name}"
_VERSION = _ID + "/versions/{version}"
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
    Route(method="GET", path=_VERSION, operation="getVersion", handler=get_version,
          action="read", resource="models", answer=ModelVersion, gateway=True),
    Route(method="PATCH", path=_VERSION, operation="updateVersion", handler=update_version,
          action="write", resource="models", body=VersionChange, answer=ModelVersion),
    Route(method="DELETE", path=_VERSION, operation="deleteVersion", handler=delete_version,
          action="write", resource="models", answer=None, status=204),
    Route(method="POST", path=_VERSION + "/conversion", operation="finishConversion", handler=finish_conversion,
          action="write", resource="models", body=Conversion, answer=ModelVersion, gateway=True),
    Route(method="PUT", path=_ID + "/aliases/{alias}", operation="setAlias", handler=set_alias,
          action="write", resource="models", body=AliasTarget, answer=Model),
    Route(method="DELETE", path=_ID + "/aliases/{alias}", operation="deleteAlias", handler=delete_alias,
          action="write", resource="models", answer=Model),
    Route(method="GET", path=_VERSION + "/files/{path*}", operation="downloadModelFile", handler=download_model_file,
          action="read", resource="models", answer=FileAnswer),
]  # fmt: skip
