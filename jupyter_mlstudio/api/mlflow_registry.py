"""Registered models over MLflow's REST API. Aliases, tags and stages are the studio's own.

MLflow's stages are words of :class:`~jupyter_mlstudio.entities.models.Stage`; ``Development``, which only Azure has, is
told as it is, since clients take a stage as text. A protected alias is moved
in the studio, where a reason can be given.
"""

from __future__ import annotations

from pydantic import Field

from jupyter_mlstudio.api.mlflow_wire import (
    Message,
    PageParams,
    Pair,
    Params,
    mapping,
    model_json,
    route,
    version_json,
)
from jupyter_mlstudio.api.route import Call, Discarded
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.studio import Studio


class Named(Params):
    name: str


class NamedVersion(Named):
    version: str


class NamedAlias(Named):
    alias: str


class NewModel(Message):
    name: str
    description: str = ""
    tags: list[Pair] = Field(default_factory=list)


class OfModel(Message):
    name: str
    description: str = ""


class NewModelName(Message):
    name: str
    new_name: str = ""


class OfStages(OfModel):
    stages: list[str] = Field(default_factory=list)


class LatestParams(Named):
    stages: list[str] = Field(default_factory=list)


class ModelTag(Pair):
    """A tag of a registered model."""

    name: str


class NewVersion(Message):
    """``source`` is resolved by the studio and copied; see :meth:`LoggedModels.locate`."""

    name: str
    source: str
    run_id: str | None = None
    model_id: str | None = None
    description: str = ""
    tags: list[Pair] = Field(default_factory=list, max_length=100)


class OfVersion(Message):
    name: str
    version: str
    description: str | None = None


class VersionTag(OfVersion, Pair):
    """A tag of a version."""


class OfAlias(Message):
    name: str
    alias: str


class NewAlias(OfAlias):
    version: str


class Transition(Message):
    name: str
    version: str
    stage: str
    archive_existing_versions: bool = False


def create(studio: Studio, call: Call[Params, NewModel]) -> JSON:
    """Makes a name to register versions under."""
    new = call.body
    model = studio.models.create(new.name, new.description, mapping(new.tags), call.caller.user)
    return {"registered_model": model_json(model, studio.mlflow_registry.uri)}


def get(studio: Studio, call: Call[Named, Discarded]) -> JSON:
    """Gets a registered model."""
    return {"registered_model": model_json(studio.models.get(call.query.name), studio.mlflow_registry.uri)}


def search(studio: Studio, call: Call[PageParams, Discarded]) -> JSON:
    """Finds registered models."""
    asked = call.query
    found, token = studio.mlflow_registry.search_models(
        asked.filter, asked.order_by, asked.max_results, asked.page_token
    )
    written = [model_json(model, studio.mlflow_registry.uri) for model in found]
    return {"registered_models": written, **({"next_page_token": token} if token else {})}


def update(studio: Studio, call: Call[Params, OfModel]) -> JSON:
    """Changes the description."""
    model = studio.models.update(call.body.name, call.body.description, user=call.caller.user)
    return {"registered_model": model_json(model, studio.mlflow_registry.uri)}


def rename(studio: Studio, call: Call[Params, NewModelName]) -> JSON:
    """Gives a registered model another name."""
    model = studio.models.rename(call.body.name, call.body.new_name, call.caller.user)
    return {"registered_model": model_json(model, studio.mlflow_registry.uri)}


def set_tag(studio: Studio, call: Call[Params, ModelTag]) -> JSON:
    """Sets a tag of a registered model."""
    studio.models.update(call.body.name, tags={call.body.key: call.body.value}, user=call.caller.user)
    return {}


def delete_tag(studio: Studio, call: Call[Params, ModelTag]) -> JSON:
    """Removes a tag of a registered model."""
    studio.models.update(call.body.name, tags={call.body.key: None}, user=call.caller.user)
    return {}


def delete(studio: Studio, call: Call[Params, OfModel]) -> JSON:
    """Deletes a model with its versions."""
    studio.models.delete(call.body.name, call.caller.user)
    return {}


def latest(studio: Studio, call: Call[Params, OfStages]) -> JSON:
    """Gets the newest version of each stage."""
    found = studio.mlflow_registry.latest(call.body.name, call.body.stages)
    return {"model_versions": [version_json(version, studio.mlflow_registry.uri) for version in found]}


def latest_of(studio: Studio, call: Call[LatestParams, Discarded]) -> JSON:
    """Gets the newest version of each stage, asked for in the way of MLflow's older clients."""
    found = studio.mlflow_registry.latest(call.query.name, call.query.stages)
    return {"model_versions": [version_json(version, studio.mlflow_registry.uri) for version in found]}


def transition(studio: Studio, call: Call[Params, Transition]) -> JSON:
    """Moves a version to a stage."""
    asked = call.body
    version = studio.mlflow_registry.transition(
        asked.name, asked.version, asked.stage, archive_existing=asked.archive_existing_versions,
        user=call.caller.user,
    )  # fmt: skip
    return {"model_version": version_json(version, studio.mlflow_registry.uri)}


def create_version(studio: Studio, call: Call[Params, NewVersion]) -> JSON:
    """Registers a run's model: copied at once, converted and compared while the client waits."""
    new = call.body
    version = studio.mlflow_registry.register(
        new.name, new.source, run_id=new.run_id, model_id=new.model_id, description=new.description,
        tags=mapping(new.tags), user=call.caller.user, within=call.caller.run_id,
    )  # fmt: skip
    return {"model_version": version_json(version, studio.mlflow_registry.uri)}


def get_version(studio: Studio, call: Call[NamedVersion, Discarded]) -> JSON:
    """Gets a version by its number."""
    version = studio.models.version(call.query.name, call.query.version)
    return {"model_version": version_json(version, studio.mlflow_registry.uri)}


def get_by_alias(studio: Studio, call: Call[NamedAlias, Discarded]) -> JSON:
    """Gets the version that an alias points at."""
    version = studio.models.version(call.query.name, call.query.alias)
    return {"model_version": version_json(version, studio.mlflow_registry.uri)}


def download_uri(studio: Studio, call: Call[NamedVersion, Discarded]) -> JSON:
    """Says where a version's files are."""
    version = studio.models.version(call.query.name, call.query.version)
    return {"artifact_uri": studio.mlflow_registry.uri(version)}


def search_versions(studio: Studio, call: Call[PageParams, Discarded]) -> JSON:
    """Finds versions."""
    asked = call.query
    found, token = studio.mlflow_registry.search_versions(asked.filter, asked.max_results, asked.page_token)
    written = [version_json(version, studio.mlflow_registry.uri) for version in found]
    return {"model_versions": written, **({"next_page_token": token} if token else {})}


def update_version(studio: Studio, call: Call[Params, OfVersion]) -> JSON:
    """Changes the description."""
    asked = call.body
    version = studio.models.update_version(asked.name, asked.version, description=asked.description)
    return {"model_version": version_json(version, studio.mlflow_registry.uri)}


def delete_version(studio: Studio, call: Call[Params, OfVersion]) -> JSON:
    """Deletes a version."""
    studio.models.delete_version(call.body.name, call.body.version, call.caller.user)
    return {}


def set_version_tag(studio: Studio, call: Call[Params, VersionTag]) -> JSON:
    """Sets a tag."""
    studio.models.update_version(call.body.name, call.body.version, tags={call.body.key: call.body.value})
    return {}


def delete_version_tag(studio: Studio, call: Call[Params, VersionTag]) -> JSON:
    """Removes a tag."""
    studio.models.update_version(call.body.name, call.body.version, tags={call.body.key: None})
    return {}


def set_alias(studio: Studio, call: Call[Params, NewAlias]) -> JSON:
    """Points an alias at a version."""
    if not call.body.version.isdigit():
        raise Invalid(f"{call.body.version[:40]!r} is not a version's number")
    studio.models.set_alias(call.body.name, call.body.alias, int(call.body.version[:18]), user=call.caller.user)
    return {}


def delete_alias(studio: Studio, call: Call[Params, OfAlias]) -> JSON:
    """Removes an alias."""
    studio.models.delete_alias(call.body.name, call.body.alias, user=call.caller.user)
    return {}


_M, _V = "registered-models/", "model-versions/"
ROUTES = [
    route("POST", _M + "create", "createRegisteredModel", create, body=NewModel, resource="models"),
    route("GET", _M + "get", "getRegisteredModel", get, query=Named, resource="models"),
    route("GET", _M + "search", "searchRegisteredModels", search, query=PageParams, resource="models"),
    route("PATCH", _M + "update", "updateRegisteredModel", update, body=OfModel, resource="models", gateway=False),
    route("DELETE", _M + "delete", "deleteRegisteredModel", delete, body=OfModel, resource="models", gateway=False),
    route("POST", _M + "rename", "renameRegisteredModel", rename, body=NewModelName, resource="models", gateway=False),
    route("POST", _M + "set-tag", "setRegisteredModelTag", set_tag, body=ModelTag, resource="models", gateway=False),
    route("DELETE", _M + "delete-tag", "deleteRegisteredModelTag", delete_tag, body=ModelTag, resource="models",
          gateway=False),
    route("POST", _M + "get-latest-versions", "getLatestVersions", latest, body=OfStages, resource="models",
          action="read"),
    route("GET", _M + "get-latest-versions", "getLatestVersionsOf", latest_of, query=LatestParams, resource="models"),
    route("POST", _V + "transition-stage", "transitionStage", transition, body=Transition, resource="models",
          gateway=False),
    route("GET", _M + "alias", "getVersionByAlias", get_by_alias, query=NamedAlias, resource="models"),
    route("POST", _M + "alias", "setRegisteredModelAlias", set_alias, body=NewAlias, resource="models", gateway=False),
    route("DELETE", _M + "alias", "deleteRegisteredModelAlias", delete_alias, body=OfAlias, resource="models",
          gateway=False),
    route("POST", _V + "create", "createModelVersion", create_version, body=NewVersion, resource="models",
          action="execute"),
    route("GET", _V + "get", "getModelVersion", get_version, query=NamedVersion, resource="models"),
    route("GET", _V + "get-download-uri", "getDownloadUri", download_uri, query=NamedVersion, resource="models"),
    route("GET", _V + "search", "searchModelVersions", search_versions, query=PageParams, resource="models"),
    route("PATCH", _V + "update", "updateModelVersion", update_version, body=OfVersion, resource="models",
          gateway=False),
    route("DELETE", _V + "delete", "deleteModelVersion", delete_version, body=OfVersion, resource="models",
          gateway=False),
    route("POST", _V + "set-tag", "setModelVersionTag", set_version_tag, body=VersionTag, resource="models",
          gateway=False),
    route("DELETE", _V + "delete-tag", "deleteModelVersionTag", delete_version_tag, body=VersionTag,
          resource="models", gateway=False),
]  # fmt: skip
