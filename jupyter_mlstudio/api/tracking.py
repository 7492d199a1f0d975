"""What a run reports and what it reported: metrics, logs, charts, progress, outcome."""

from __future__ import annotations

from pydantic import Field

from jupyter_mlstudio.api.route import Body, Call, NoBody, NoQuery, Query, Route
from jupyter_mlstudio.entities.runs import Chart, LogSlice, MetricSeries, MetricSummary, Run
from jupyter_mlstudio.entities.tracking import LogBatch, Part
from jupyter_mlstudio.studio import Studio

LOG_LIMIT_BYTES = 32 * 1024 * 1024


class LogAnswer(Body):
    """``taken`` is false when the batch had been taken before."""

    taken: bool


class NewChart(Body):
    schema_type: str = Field(min_length=1, max_length=64)
    schema_version: str = Field(min_length=1, max_length=16)
    data: dict[str, object]


class Outcome(Body):
    """How the work of an interactive run ended, as its own process tells it."""

    failed: bool = False
    reason: str = Field(default="", max_length=10_000)


class SeriesQuery(Query):
    """``name`` repeats; ``max_points`` bounds each series; ``after`` skips that many points (to read on).

    The bounds, both inclusive, ask for a part: what a zoomed chart shows. Times are seconds since 1970.
    """

    name: list[str] = Field(min_length=1, max_length=200)
    max_points: int = Field(default=5000, ge=10, le=5000)
    after: int = Field(default=0, ge=0)
    from_step: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    to_step: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    from_time: float | None = Field(default=None, allow_inf_nan=False)
    to_time: float | None = Field(default=None, allow_inf_nan=False)


class LogsQuery(Query):
    """``offset`` -1 starts ``limit`` bytes before the end."""

    offset: int = Field(default=0, ge=-1)
    limit: int = Field(default=256 * 1024, ge=1, le=1024 * 1024)


def log_batch(studio: Studio, call: Call[NoQuery, LogBatch]) -> LogAnswer:
    """Takes a batch of points, parameters and tags; when this answers, they are durable."""
    return LogAnswer(taken=studio.tracking.log(call.path["run_id"], call.body))


def list_metrics(studio: Studio, call: Call[NoQuery, NoBody]) -> list[MetricSummary]:
    """Lists the run's metrics with last value, extremes and a sparkline of at most 60 values."""
    return studio.tracking.summaries(call.path["run_id"])


def get_series(studio: Studio, call: Call[SeriesQuery, NoBody]) -> list[MetricSeries]:
    """Gets points of metrics, thinned out to ``max_points`` with every visible extreme kept."""
    query = call.query
    part = Part(query.from_step, query.to_step, query.from_time, query.to_time)
    return studio.tracking.series(call.path["run_id"], query.name, query.max_points, query.after, part)


def get_logs(studio: Studio, call: Call[LogsQuery, NoBody]) -> LogSlice:
    """Gets a part of the run's output by its offset in bytes."""
    return studio.artifacts.log_slice(call.path["run_id"], call.query.offset, call.query.limit)


def list_charts(studio: Studio, call: Call[NoQuery, NoBody]) -> list[Chart]:
    """Lists the run's charts (ROC and precision-recall curves, confusion matrices, tables) with their data."""
    return studio.tracking.charts(call.path["run_id"])


def put_chart(studio: Studio, call: Call[NoQuery, NewChart]) -> Chart:
    """Keeps a chart as data, under a name; the same name again replaces it."""
    new = call.body
    return studio.tracking.put_chart(
        call.path["run_id"], call.path["name"], new.schema_type, new.schema_version, new.data
    )


def finish_run(studio: Studio, call: Call[NoQuery, Outcome]) -> Run:
    """Tells the supervisor of an interactive run that its work is done."""
    return studio.launcher.finish(call.path["run_id"], failed=call.body.failed, reason=call.body.reason)


_ID = "runs/{run_id}"
ROUTES = [
    Route(method="POST", path=_ID + "/log", operation="logBatch", handler=log_batch, action="write", resource="runs",
          body=LogBatch, answer=LogAnswer, gateway=True, body_limit_bytes=LOG_LIMIT_BYTES),
    Route(method="GET", path=_ID + "/metrics", operation="listMetrics", handler=list_metrics,
          action="read", resource="runs", answer=list[MetricSummary], gateway=True),
    Route(method="GET", path=_ID + "/series", operation="getSeries", handler=get_series,
          action="read", resource="runs", query=SeriesQuery, answer=list[MetricSeries], gateway=True),
    Route(method="GET", path=_ID + "/logs", operation="getLogs", handler=get_logs,
          action="read", resource="runs", query=LogsQuery, answer=LogSlice, gateway=True),
    Route(method="GET", path=_ID + "/charts", operation="listCharts", handler=list_charts,
          action="read", resource="runs", answer=list[Chart], gateway=True),
    Route(method="PUT", path=_ID + "/charts/{name}", operation="putChart", handler=put_chart, action="write",
          resource="runs", body=NewChart, answer=Chart, gateway=True, body_limit_bytes=LOG_LIMIT_BYTES),
    Route(method="POST", path=_ID + "/finish", operation="finishRun", handler=finish_run,
          action="write", resource="runs", body=Outcome, answer=Run, gateway=True),
]  # fmt: skip
