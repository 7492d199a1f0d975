"""Runs over MLflow's REST API: making, ending, finding them, and what they log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from jupyter_mlstudio.api.mlflow_experiments import View
from jupyter_mlstudio.api.mlflow_wire import (
    Message,
    OfRun,
    Pair,
    Params,
    info_json,
    mapping,
    metric,
    route,
    run_json,
)
from jupyter_mlstudio.api.route import Call, Caller, Discarded
from jupyter_mlstudio.entities.tracking import LogBatch, Points, Value
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid, Unsupported
from jupyter_mlstudio.studio import Studio

BATCH_LIMIT_BYTES = 1_000_000
HISTORY_PAGE = 25_000


class NewRun(Message):
    """Status, user, times and the address of files are the studio's to say and are not looked at."""

    experiment_id: str = "0"
    run_name: str | None = None
    tags: list[Pair] = Field(default_factory=list, max_length=1000)


class Update(OfRun):
    status: Literal["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"] | None = None
    run_name: str | None = None


class Point(Message):
    key: str
    value: Value
    timestamp: int
    step: int = 0
    model_id: str | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None


class OnePoint(OfRun, Point):
    """A point of one run."""


class OnePair(OfRun, Pair):
    """A tag or parameter of one run."""


class Batch(OfRun):
    metrics: list[Point] = Field(default_factory=list, max_length=1000)
    params: list[Pair] = Field(default_factory=list, max_length=100)
    tags: list[Pair] = Field(default_factory=list, max_length=100)


class Search(Message):
    experiment_ids: list[str] = Field(default_factory=list, max_length=10_000)
    filter: str = ""
    run_view_type: View = "ACTIVE_ONLY"
    max_results: int = Field(default=1000, ge=1, le=50_000)
    order_by: list[str] = Field(default_factory=list, max_length=20)
    page_token: str | None = None


class RunParams(Params):
    run_id: str = ""
    run_uuid: str = ""


class HistoryParams(RunParams):
    metric_key: str
    max_results: int = Field(default=HISTORY_PAGE, ge=1, le=HISTORY_PAGE)
    page_token: str | None = None


class BulkParams(Params):
    run_ids: list[str] = Field(min_length=1, max_length=100)
    metric_key: str
    start_step: int | None = None
    end_step: int | None = None
    max_results: int = Field(default=2500, ge=1, le=HISTORY_PAGE)


class DataSet(Message):
    name: str
    digest: str
    source_type: str
    source: str
    schema_: str | None = Field(default=None, alias="schema")
    profile: str | None = None


class DataSetInput(Message):
    tags: list[Pair] = Field(default_factory=list, max_length=100)
    dataset: DataSet


class ModelRef(Message):
    model_id: str
    step: int = 0


class Inputs(OfRun):
    datasets: list[DataSetInput] = Field(default_factory=list, max_length=1000)
    models: list[ModelRef] = Field(default_factory=list, max_length=1000)


class Outputs(OfRun):
    models: list[ModelRef] = Field(default_factory=list, max_length=1000)


class ModelRecord(OfRun):
    model_json: str


def create(studio: Studio, call: Call[Params, NewRun]) -> JSON:
    """Makes a run that is under way; see :meth:`MLflow.start` for how it ends."""
    new, caller = call.body, call.caller
    run = studio.mlflow.start(
        experiment_id=new.experiment_id, name=new.run_name, tags=mapping(new.tags), user=caller.user,
        within=caller.run_id, ends=caller.ends,
    )  # fmt: skip
    return {"run": run_json(run, [], studio.mlflow.parts(run.id))}


def get(studio: Studio, call: Call[RunParams, Discarded]) -> JSON:
    """Gets a run."""
    run_id = studio.mlflow.run_id(call.query.run_id or call.query.run_uuid, call.caller.run_id)
    latest = studio.mlflow.latest([run_id]).get(run_id, [])
    return {"run": run_json(studio.runs.get(run_id), latest, studio.mlflow.parts(run_id))}


def update(studio: Studio, call: Call[Params, Update]) -> JSON:
    """Renames or ends a run."""
    run_id = studio.mlflow.run_id(call.body.run, call.caller.run_id)
    return {"run_info": info_json(studio.mlflow.update(run_id, call.body.status, call.body.run_name))}


def delete(studio: Studio, call: Call[Params, OfRun]) -> JSON:
    """Deletes an ended run."""
    studio.runs.delete(studio.mlflow.run_id(call.body.run, call.caller.run_id))
    return {}


def restore(studio: Studio, call: Call[Params, OfRun]) -> JSON:
    """Refuses: what is deleted here is gone."""
    raise Unsupported("deleted runs cannot be restored")


def search(studio: Studio, call: Call[Params, Search]) -> JSON:
    """Finds runs."""
    asked = call.body
    page = studio.mlflow.search(
        experiment_ids=asked.experiment_ids, text=asked.filter, view=asked.run_view_type, order_by=asked.order_by,
        max_results=asked.max_results, page_token=asked.page_token, within=call.caller.run_id,
    )  # fmt: skip
    found = [run_json(run, page.latest.get(run.id, []), studio.mlflow.parts(run.id)) for run in page.runs]
    return {"runs": found, **({"next_page_token": page.next_page_token} if page.next_page_token else {})}


def log_metric(studio: Studio, call: Call[Params, OnePoint]) -> JSON:
    """Keeps a point."""
    return _log(studio, call.caller, call.body, [call.body])


def log_param(studio: Studio, call: Call[Params, OnePair]) -> JSON:
    """Keeps a parameter."""
    return _log(studio, call.caller, call.body, params=[call.body])


def set_tag(studio: Studio, call: Call[Params, OnePair]) -> JSON:
    """Sets a tag."""
    return _log(studio, call.caller, call.body, tags=[call.body])


def log_batch(studio: Studio, call: Call[Params, Batch]) -> JSON:
    """Keeps points, parameters and tags, all or nothing."""
    return _log(studio, call.caller, call.body, call.body.metrics, call.body.params, call.body.tags)


def delete_tag(studio: Studio, call: Call[Params, OnePair]) -> JSON:
    """Removes a tag."""
    studio.runs.update(studio.mlflow.run_id(call.body.run, call.caller.run_id), tags={call.body.key: None})
    return {}


def history(studio: Studio, call: Call[HistoryParams, Discarded]) -> JSON:
    """Gets the points of a metric, every one of them."""
    query = call.query
    run_id = studio.mlflow.run_id(query.run_id or query.run_uuid, call.caller.run_id)
    series, token = studio.mlflow.history(run_id, query.metric_key, query.max_results, query.page_token)
    points = [
        metric(series.name, *point) for point in zip(series.values, map(int, series.steps), series.times, strict=True)
    ]
    return {"metrics": points, **({"next_page_token": token} if token else {})}


def bulk_history(studio: Studio, call: Call[BulkParams, Discarded]) -> JSON:
    """Gets points of one metric of several runs, thinned with the extremes kept."""
    query, found = call.query, []
    low = -(2**63) if query.start_step is None else query.start_step
    high = 2**63 if query.end_step is None else query.end_step
    for reference in query.run_ids:
        run_id = studio.mlflow.run_id(reference, call.caller.run_id)
        series = studio.tracking.series(run_id, [query.metric_key], query.max_results)[0]
        points = zip(series.values, map(int, series.steps), series.times, strict=True)
        found += [{**metric(series.name, *p), "run_id": run_id} for p in points if low <= int(p[1]) <= high]
    return {"metrics": found}


def log_inputs(studio: Studio, call: Call[Params, Inputs]) -> JSON:
    """Notes the data sets and models that a run uses."""
    run_id = studio.mlflow.run_id(call.body.run, call.caller.run_id)
    data_sets = [one.model_dump(by_alias=True, exclude_none=True) for one in call.body.datasets]
    models = [{"model_id": one.model_id} for one in call.body.models]
    studio.mlflow.add_parts(run_id, {"dataset_inputs": data_sets, "model_inputs": models})
    return {}


def log_outputs(studio: Studio, call: Call[Params, Outputs]) -> JSON:
    """Notes the logged models that a run made."""
    run_id = studio.mlflow.run_id(call.body.run, call.caller.run_id)
    studio.logged_models.check([one.model_id for one in call.body.models], call.caller.run_id)
    studio.mlflow.add_parts(run_id, {"model_outputs": [one.model_dump() for one in call.body.models]})
    return {}


def record_model(studio: Studio, call: Call[Params, ModelRecord]) -> JSON:
    """Keeps what clients before MLflow 3 say of a model that they logged, as the tag that MLflow keeps it in."""
    run_id = studio.mlflow.run_id(call.body.run, call.caller.run_id)
    studio.mlflow.record_model(run_id, call.body.model_json)
    return {}


def _log(
    studio: Studio,
    caller: Caller,
    of: OfRun,
    metrics: Sequence[Point] = (),
    params: Sequence[Pair] = (),
    tags: Sequence[Pair] = (),
) -> JSON:
    run_id = studio.mlflow.run_id(of.run, caller.run_id)
    of_models = [_of_model(run_id, point) for point in metrics if point.model_id]
    studio.logged_models.check([point["model_id"] for point in of_models], caller.run_id)
    batch = LogBatch(
        client="mlflow",
        sequence=1,
        metrics=_columns(metrics),
        params=mapping(params),
        tags={t.key: t.value for t in tags},
    )
    studio.mlflow.log(run_id, batch)
    studio.logged_models.add_metrics(of_models, caller.run_id)
    return {}


def _columns(points: Sequence[Point]) -> dict[str, Points]:
    found: dict[str, Points] = {}
    for point in points:
        if not 0 <= point.timestamp < 10**14:
            raise Invalid(f"metric {point.key[:80]!r}: {point.timestamp} is no time in milliseconds since 1970")
        columns = found.setdefault(point.key, Points(steps=[], times=[], values=[]))
        columns.steps.append(point.step)
        columns.times.append(point.timestamp / 1000)
        columns.values.append(point.value)
    return found


def _of_model(run_id: str, point: Point) -> dict[str, JSON]:
    known = point.model_dump(exclude_none=True, include={*Point.model_fields})
    return {**known, "run_id": run_id}


_R = "runs/"
ROUTES = [
    route("POST", _R + "create", "createRun", create, body=NewRun, action="execute"),
    route("GET", _R + "get", "getRun", get, query=RunParams),
    route("POST", _R + "update", "updateRun", update, body=Update),
    route("POST", _R + "delete", "deleteRun", delete, body=OfRun, gateway=False),
    route("POST", _R + "restore", "restoreRun", restore, body=OfRun, gateway=False),
    route("POST", _R + "search", "searchRuns", search, body=Search, action="read"),
    route("POST", _R + "log-metric", "logMetric", log_metric, body=OnePoint),
    route("POST", _R + "log-parameter", "logParam", log_param, body=OnePair),
    route("POST", _R + "set-tag", "setTag", set_tag, body=OnePair),
    route("POST", _R + "delete-tag", "deleteTag", delete_tag, body=OnePair),
    route("POST", _R + "log-batch", "logBatch", log_batch, body=Batch, body_limit_bytes=BATCH_LIMIT_BYTES),
    route("POST", _R + "log-inputs", "logInputs", log_inputs, body=Inputs),
    route("POST", _R + "outputs", "logOutputs", log_outputs, body=Outputs),
    route("POST", _R + "log-model", "logModel", record_model, body=ModelRecord),
    route("GET", "metrics/get-history", "getMetricHistory", history, query=HistoryParams),
    route("GET", "metrics/get-history-bulk-interval", "getMetricHistoryBulk", bulk_history, query=BulkParams),
]
