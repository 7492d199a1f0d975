"""Experiments over MLflow's REST API."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from jupyter_mlstudio.api.mlflow_wire import Message, Pair, Params, experiment_json, mapping, route
from jupyter_mlstudio.api.route import Call, Discarded
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Unsupported
from jupyter_mlstudio.studio import Studio

View = Literal["ACTIVE_ONLY", "DELETED_ONLY", "ALL"]
NOTE = "mlflow.note.content"


class ById(Params):
    experiment_id: str


class ByName(Params):
    experiment_name: str


class NewExperiment(Message):
    """``artifact_location`` is not looked at: where files are is the studio's own choice."""

    name: str
    tags: list[Pair] = Field(default_factory=list, max_length=100)


class Search(Message):
    max_results: int = Field(default=1000, ge=1, le=50_000)
    page_token: str | None = None
    filter: str = ""
    order_by: list[str] = Field(default_factory=list, max_length=20)
    view_type: View = "ACTIVE_ONLY"


class Change(Message):
    experiment_id: str
    new_name: str = ""


class Tag(Message):
    experiment_id: str
    key: str
    value: str = ""


def get(studio: Studio, call: Call[ById, Discarded]) -> JSON:
    """Gets an experiment by its id."""
    return {"experiment": experiment_json(studio.mlflow.experiment(call.query.experiment_id))}


def get_by_name(studio: Studio, call: Call[ByName, Discarded]) -> JSON:
    """Gets an experiment by its name."""
    return {"experiment": experiment_json(studio.mlflow.experiment_named(call.query.experiment_name))}


def create(studio: Studio, call: Call[Params, NewExperiment]) -> JSON:
    """Makes an experiment."""
    tags = _only_note(mapping(call.body.tags))
    return {"experiment_id": studio.experiments.create(call.body.name, tags.get(NOTE, "")).id}


def search(studio: Studio, call: Call[Params, Search]) -> JSON:
    """Finds experiments."""
    asked = call.body
    found, token = studio.mlflow.search_experiments(asked.filter, asked.view_type, asked.max_results, asked.page_token)
    return {"experiments": [experiment_json(one) for one in found], **({"next_page_token": token} if token else {})}


def update(studio: Studio, call: Call[Params, Change]) -> JSON:
    """Renames an experiment."""
    studio.experiments.update(studio.mlflow.experiment(call.body.experiment_id).id, name=call.body.new_name)
    return {}


def delete(studio: Studio, call: Call[Params, Change]) -> JSON:
    """Archives an experiment, which is what deleting one means to MLflow."""
    studio.experiments.update(studio.mlflow.experiment(call.body.experiment_id).id, archived=True)
    return {}


def restore(studio: Studio, call: Call[Params, Change]) -> JSON:
    """Takes an experiment out of the archive."""
    studio.experiments.update(studio.mlflow.experiment(call.body.experiment_id).id, archived=False)
    return {}


def set_tag(studio: Studio, call: Call[Params, Tag]) -> JSON:
    """Writes the description, which MLflow keeps as a tag; experiments have no others here."""
    tags = _only_note({call.body.key: call.body.value})
    studio.experiments.update(studio.mlflow.experiment(call.body.experiment_id).id, description=tags[NOTE])
    return {}


def _only_note(tags: dict[str, Any]) -> dict[str, str]:
    other = next((key for key in tags if key != NOTE), None)
    if other is not None:
        raise Unsupported(f"experiments have no tags in the studio, such as {other[:80]!r}; give runs tags")
    return tags


_E = "experiments/"
ROUTES = [
    route("GET", _E + "get", "getExperiment", get, query=ById, resource="experiments"),
    route("GET", _E + "get-by-name", "getExperimentByName", get_by_name, query=ByName, resource="experiments"),
    route("POST", _E + "create", "createExperiment", create, body=NewExperiment, resource="experiments"),
    route("POST", _E + "search", "searchExperiments", search, body=Search, resource="experiments", action="read"),
    route("POST", _E + "update", "updateExperiment", update, body=Change, resource="experiments", gateway=False),
    route("POST", _E + "delete", "deleteExperiment", delete, body=Change, resource="experiments", gateway=False),
    route("POST", _E + "restore", "restoreExperiment", restore, body=Change, resource="experiments", gateway=False),
    route(
        "POST", _E + "set-experiment-tag", "setExperimentTag", set_tag, body=Tag, resource="experiments", gateway=False
    ),
]
