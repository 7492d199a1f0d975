"""Logged models over MLflow's REST API."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from jupyter_mlstudio.api.mlflow_wire import Message, Pair, Params, mapping, route
from jupyter_mlstudio.api.route import Call, Discarded
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Unsupported
from jupyter_mlstudio.studio import Studio


class NewModel(Message):
    """A model without a run that made it gets a run of its own."""

    experiment_id: str = "0"
    name: str | None = None
    model_type: str | None = None
    source_run_id: str | None = None
    params: list[Pair] = Field(default_factory=list, max_length=100)
    tags: list[Pair] = Field(default_factory=list, max_length=100)


class Finished(Message):
    status: Literal["LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED"]


class Tags(Message):
    tags: list[Pair] = Field(default_factory=list, max_length=100)


class ModelParams(Message):
    params: list[Pair] = Field(default_factory=list, max_length=100)


class Order(Message):
    field_name: str
    ascending: bool = True


class Search(Message):
    experiment_ids: list[str] = Field(default_factory=list, max_length=1000)
    filter: str = ""
    datasets: list[dict[str, object]] = Field(default_factory=list)
    max_results: int = Field(default=50, ge=1, le=10_000)
    order_by: list[Order] = Field(default_factory=list, max_length=20)
    page_token: str | None = None


def create(studio: Studio, call: Call[Params, NewModel]) -> JSON:
    """Adds a model; its files follow."""
    new, caller = call.body, call.caller
    reference = new.source_run_id or caller.run_id
    if reference:
        run = studio.runs.get(studio.mlflow.run_id(reference, caller.run_id))
    else:
        run = studio.mlflow.start(
            experiment_id=new.experiment_id, name=new.name, tags={}, user=caller.user, within=None, ends=caller.ends
        )
    model = studio.logged_models.create(
        run, name=new.name, model_type=new.model_type, params=mapping(new.params), tags=mapping(new.tags),
        owns_run=not reference,
    )  # fmt: skip
    return {"model": model}


def get(studio: Studio, call: Call[Params, Discarded]) -> JSON:
    """Gets a model."""
    return {"model": studio.logged_models.get(call.path["model_id"], call.caller.run_id)}


def finish(studio: Studio, call: Call[Params, Finished]) -> JSON:
    """Says whether the files have come."""
    return {"model": studio.logged_models.finish(call.path["model_id"], call.body.status, call.caller.run_id)}


def delete(studio: Studio, call: Call[Params, Discarded]) -> JSON:
    """Forgets a model; its files stay with the run."""
    studio.logged_models.delete(call.path["model_id"], call.caller.run_id)
    return {}


def set_tags(studio: Studio, call: Call[Params, Tags]) -> JSON:
    """Sets tags."""
    tags = mapping(call.body.tags)
    return {"model": studio.logged_models.set_tags(call.path["model_id"], {**tags}, call.caller.run_id)}


def delete_tag(studio: Studio, call: Call[Params, Discarded]) -> JSON:
    """Removes a tag."""
    studio.logged_models.set_tags(call.path["model_id"], {call.path["key"]: None}, call.caller.run_id)
    return {}


def add_params(studio: Studio, call: Call[Params, ModelParams]) -> JSON:
    """Adds parameters."""
    studio.logged_models.add_params(call.path["model_id"], mapping(call.body.params), call.caller.run_id)
    return {}


def search(studio: Studio, call: Call[Params, Search]) -> JSON:
    """Finds models."""
    asked = call.body
    if asked.datasets:
        raise Unsupported("logged models cannot be searched by data set")
    found, token = studio.logged_models.search(
        experiment_ids=asked.experiment_ids, text=asked.filter, max_results=asked.max_results,
        order_by=[(one.field_name, one.ascending) for one in asked.order_by], page_token=asked.page_token,
        within=call.caller.run_id,
    )  # fmt: skip
    return {"models": found, **({"next_page_token": token} if token else {})}


_L = "logged-models"
_ID = _L + "/{model_id}"
ROUTES = [
    route("POST", _L, "createLoggedModel", create, body=NewModel, resource="models", action="execute"),
    route("POST", _L + "/search", "searchLoggedModels", search, body=Search, resource="models", action="read"),
    route("GET", _ID, "getLoggedModel", get, resource="models"),
    route("PATCH", _ID, "finishLoggedModel", finish, body=Finished, resource="models"),
    route("DELETE", _ID, "deleteLoggedModel", delete, resource="models"),
    route("PATCH", _ID + "/tags", "setLoggedModelTags", set_tags, body=Tags, resource="models"),
    route("DELETE", _ID + "/tags/{key}", "deleteLoggedModelTag", delete_tag, resource="models"),
    route("POST", _ID + "/params", "logLoggedModelParams", add_params, body=ModelParams, resource="models"),
]
