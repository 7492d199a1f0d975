"""Models that MLflow clients log: kept below the artifacts of the run that made them, as ``models/<id>``."""

from __future__ import annotations

import math
import re
import secrets
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from jupyter_mlstudio.entities.runs import Run
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Forbidden, Invalid, NotFound
from jupyter_mlstudio.services.mlflow import MLflow
from jupyter_mlstudio.services.mlflow_filters import matcher
from jupyter_mlstudio.services.names import checked_name, checked_text
from jupyter_mlstudio.services.paging import offset_of, token_of
from jupyter_mlstudio.services.paths import relative_parts
from jupyter_mlstudio.services.runs import Runs
from jupyter_mlstudio.store import logged_models as store
from jupyter_mlstudio.store.changes import Changes
from jupyter_mlstudio.store.database import Database

FOLDER = "models"
SCHEME = "mlflow-artifacts:/"
PARAM_LIMIT, TAG_LIMIT = 6000, 8000
_ID = re.compile(r"m-[0-9a-f]{32}")
_STATUSES = ("LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED")
_FIELDS = ("name", "model_id", "model_type", "status", "source_run_id", "experiment_id", "tags", "params")
Model = dict[str, JSON]
"""MLflow's ``LoggedModel`` as JSON (``service.proto``), ``info`` and ``data``."""


class LoggedModels:
    """What may be done with logged models."""

    def __init__(self, database: Database, changes: Changes, runs: Runs, mlflow: MLflow) -> None:
        self._database = database
        self._changes = changes
        self._runs = runs
        self._mlflow = mlflow

    def create(
        self,
        run: Run,
        *,
        name: str | None,
        model_type: str | None,
        params: Mapping[str, str],
        tags: Mapping[str, str],
        owns_run: bool,
    ) -> Model:
        """Adds a model whose files are yet to come.

        Args:
            run: that made it.
            name: as the client calls it; one is made up where it has none.
            model_type: in the client's words.
            params, tags: of the model.
            owns_run: the run was made for this model and ends when the model is there.
        """
        model_id = f"m-{uuid.uuid4().hex}"
        now = _now_ms()
        info = {
            "model_id": model_id, "experiment_id": run.experiment_id, "model_type": model_type or "",
            "name": checked_name(name, "a model's name") if name else f"model-{secrets.token_hex(4)}",
            "creation_timestamp_ms": now, "last_updated_timestamp_ms": now, "source_run_id": run.id,
            "artifact_uri": f"{SCHEME}{run.id}/{FOLDER}/{model_id}", "status": _STATUSES[0],
            "tags": _pairs(_checked(tags, TAG_LIMIT)),
        }  # fmt: skip
        model: Model = {"info": info, "data": {"params": _pairs(_checked(params, PARAM_LIMIT)), "metrics": []}}
        with self._database.write() as connection:
            store.insert(connection, model_id, run.id, int(run.experiment_id), {**model, "owns_run": owns_run})
            self._changes.note(connection, "metrics", run.id)
        return model

    def get(self, model_id: str, within: str | None) -> Model:
        """Gets a model; ``within`` is the run to whose gateway the caller speaks."""
        return _shown(self._read(model_id, within))

    def finish(self, model_id: str, status: str, within: str | None) -> Model:
        """Writes whether the model's files have come."""
        if status not in _STATUSES:
            raise Invalid(f"{status[:60]!r} is not the status of a logged model: one of {', '.join(_STATUSES)}")
        model = self._change(model_id, within, lambda held: held["info"].update(status=status))
        run_id = model["info"]["source_run_id"]
        if model["owns_run"] and status != _STATUSES[0]:
            self._mlflow.update(run_id, "FINISHED" if status == _STATUSES[1] else "FAILED", None)
        return _shown(model)

    def set_tags(self, model_id: str, tags: Mapping[str, str | None], within: str | None) -> Model:
        """Sets tags, and removes those given as None."""
        _checked({key: value or "" for key, value in tags.items()}, TAG_LIMIT)

        def merge(model: Model) -> None:
            merged = {**_mapping(model["info"]["tags"]), **tags}
            model["info"]["tags"] = _pairs({key: value for key, value in merged.items() if value is not None})

        return _shown(self._change(model_id, within, merge))

    def add_params(self, model_id: str, params: Mapping[str, str], within: str | None) -> Model:
        """Adds parameters."""
        checked = _checked(params, PARAM_LIMIT)

        def merge(model: Model) -> None:
            model["data"]["params"] = _pairs({**_mapping(model["data"]["params"]), **checked})

        return _shown(self._change(model_id, within, merge))

    def add_metrics(self, points: Sequence[Mapping[str, JSON]], within: str | None) -> None:
        """Notes points that were logged for models: of each metric and data set the one with the latest step."""
        for model_id in dict.fromkeys(str(point["model_id"]) for point in points):
            mine = [dict(point) for point in points if point["model_id"] == model_id]
            self._change(model_id, within, partial(_merge_metrics, points=mine))

    def check(self, model_ids: Iterable[str], within: str | None) -> None:
        """Checks that there are such models, and that the caller may reach them."""
        for model_id in dict.fromkeys(model_ids):
            self._read(model_id, within)

    def delete(self, model_id: str, within: str | None) -> None:
        """Forgets a model; its files stay with the run."""
        run_id = self._read(model_id, within)["info"]["source_run_id"]
        with self._database.write() as connection:
            store.remove(connection, model_id)
            self._changes.note(connection, "metrics", run_id)

    def search(
        self,
        *,
        experiment_ids: Sequence[str],
        text: str,
        order_by: Sequence[tuple[str, bool]],
        max_results: int,
        page_token: str | None,
        within: str | None,
    ) -> tuple[list[Model], str | None]:
        """Finds models of experiments, the newest first unless an order is asked for."""
        passes = matcher(text, _FIELDS)
        ids = [int(self._mlflow.experiment(one).id) for one in experiment_ids]
        with self._database.read() as connection:
            held = store.of_experiments(connection, ids)
        found = [model for model in held if passes(_fields(model)) and self._is_mine(model, within)]
        found.sort(key=lambda model: str(model["info"]["model_id"]))
        for field, ascending in reversed([*order_by, ("creation_timestamp", False)]):
            found.sort(key=partial(_order, field=field), reverse=not ascending)
        offset = offset_of(page_token)
        page = found[offset : offset + max_results]
        return [_shown(model) for model in page], token_of(offset + len(page), len(found))

    def locate(self, source: str, run_id: str | None, model_id: str | None, within: str | None) -> tuple[str, str]:
        """Says which run's files a registration means, and where below its artifacts they are.

        Args:
            source: ``runs:/<run id>/<path>``, ``models:/<logged model's id>`` or an address that the studio gave out.
            run_id: of the run, where the client says it.
            model_id: of the logged model, where the client says it.
            within: the run to whose gateway the caller speaks.

        Raises:
            Invalid: it is any other address. Nothing outside of runs' artifacts can be registered.
        """
        if model_id or source.startswith("models:/"):
            info = self._read(model_id or source.removeprefix("models:/"), within)["info"]
            return str(info["source_run_id"]), f"{FOLDER}/{info['model_id']}"
        for scheme in ("runs:/", SCHEME):
            owner, slash, path = source.removeprefix(scheme).partition("/")
            if source.startswith(scheme) and slash and (run_id is None or run_id == owner):
                return self._mlflow.run_id(owner, within), "/".join(relative_parts(path))
        raise Invalid(f"{source[:120]!r} cannot be registered: give runs:/<run id>/<path> or models:/<model id>")

    def _read(self, model_id: str, within: str | None) -> Model:
        if not _ID.fullmatch(model_id):
            raise Invalid(f"{model_id[:80]!r} is not the id of a logged model: m- and 32 hexadecimal digits")
        with self._database.read() as connection:
            model = store.get(connection, model_id)
        if model is None:
            raise NotFound(f"there is no logged model with the id {model_id!r}")
        if not self._is_mine(model, within):
            raise Forbidden("this run's token is good for this run and its children only")
        return model

    def _is_mine(self, model: Model, within: str | None) -> bool:
        return within is None or self._runs.is_within(model["info"]["source_run_id"], within)

    def _change(self, model_id: str, within: str | None, change: Callable[[Model], None]) -> Model:
        self._read(model_id, within)
        with self._database.write() as connection:
            model = store.get(connection, model_id)
            if model is None:
                raise NotFound(f"there is no logged model with the id {model_id!r}")
            change(model)
            model["info"]["last_updated_timestamp_ms"] = _now_ms()
            store.change(connection, model_id, model)
            self._changes.note(connection, "metrics", model["info"]["source_run_id"])
        return model


def _shown(model: Model) -> Model:
    return {"info": model["info"], "data": model["data"]}


def _fields(model: Model) -> dict[str, str]:
    info = model["info"]
    plain = {name: str(info.get(name, "")) for name in _FIELDS[:6]}
    plain["status"] = str(info["status"]).removeprefix("LOGGED_MODEL_")
    tags = {f"tags.{key}": value for key, value in _mapping(info["tags"]).items()}
    return {**plain, **tags, **{f"params.{key}": value for key, value in _mapping(model["data"]["params"]).items()}}


def _order(model: Model, field: str) -> tuple[float, str]:
    name = field.removeprefix("attributes.")
    if name.startswith("metrics."):
        values = [float(m["value"]) for m in model["data"]["metrics"] if m["key"] == name.removeprefix("metrics.")]
        finite = [value for value in values if math.isfinite(value)]
        return (finite[-1] if finite else -math.inf, "")
    times = {"creation_time": "creation_timestamp_ms", "creation_timestamp": "creation_timestamp_ms"}
    if name in times or name in ("creation_timestamp_ms", "last_updated_timestamp", "last_updated_timestamp_ms"):
        key = times.get(name, name if name.endswith("_ms") else f"{name}_ms")
        return (float(model["info"][key]), "")
    if name not in _fields(model):
        raise Invalid(f"cannot order logged models by {field[:80]!r}; example: metrics.accuracy")
    return (0.0, _fields(model)[name])


def _merge_metrics(model: Model, points: Sequence[dict[str, JSON]]) -> None:
    held = {(one["key"], one.get("dataset_name"), one.get("dataset_digest")): one for one in model["data"]["metrics"]}
    for point in points:
        key = (point["key"], point.get("dataset_name"), point.get("dataset_digest"))
        if key not in held or point["step"] >= held[key]["step"]:
            held[key] = point
    model["data"]["metrics"] = list(held.values())


def _checked(texts: Mapping[str, str], limit: int) -> dict[str, str]:
    return {checked_name(key, "a name"): checked_text(value, repr(key), limit) for key, value in texts.items()}


def _pairs(mapping: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in mapping.items()]


def _mapping(pairs: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {pair["key"]: pair["value"] for pair in pairs}


def _now_ms() -> int:
    return int(time.time() * 1000)
