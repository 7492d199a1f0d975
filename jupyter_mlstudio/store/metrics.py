"""How metrics are kept: a summary row a metric, and chunks of packed points."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from jupyter_mlstudio.entities.runs import MetricSeries, MetricSummary
from jupyter_mlstudio.entities.tracking import Part
from jupyter_mlstudio.entities.values import Step
from jupyter_mlstudio.store.points import CHUNK, RECORD_BYTES, Spark, outline, pack, thinned, unpack, within
from jupyter_mlstudio.store.schema import batches, metric_chunks, metric_names, run_metrics, runs
from jupyter_mlstudio.store.statements import upsert

SAFE_STEP = 2**53 - 1
"""The largest whole number that every reader of JSON keeps (RFC 8259, section 6)."""

Columns = tuple[Sequence[int], Sequence[float], Sequence[float]]
"""Steps, times in seconds since 1970, and values."""


def last_batch(connection: Connection, run_key: int, client: str) -> int:
    """The number of the last batch of a client that was taken; 0 before the first."""
    where = (batches.c.run_key == run_key) & (batches.c.client == client)
    return connection.execute(select(batches.c.sequence).where(where)).scalar() or 0


def note_batch(connection: Connection, run_key: int, client: str, sequence: int) -> None:
    """Notes that a client's batches up to this one were taken."""
    upsert(
        connection, batches, {"run_key": run_key, "client": client, "sequence": sequence}, keys=("run_key", "client")
    )


def append(connection: Connection, run_key: int, metrics: Mapping[str, Columns]) -> dict[str, float]:
    """Adds points; returns the last value of each metric."""
    ids = _ids(connection, list(metrics))
    known = {
        row.metric_id: row
        for row in connection.execute(
            select(run_metrics).where(run_metrics.c.run_key == run_key, run_metrics.c.metric_id.in_(ids.values()))
        )
    }
    rows = [
        _append_one(connection, run_key, ids[name], known.get(ids[name]), columns) for name, columns in metrics.items()
    ]
    upsert(connection, run_metrics, rows, keys=("run_key", "metric_id"))
    return {name: columns[2][-1] for name, columns in metrics.items()}


def begin(connection: Connection, logged: Mapping[int, Mapping[str, Columns]]) -> None:
    """Adds the first points of runs that have none yet, many runs at once.

    Args:
        connection: within a transaction.
        logged: metrics by the run's key.
    """
    names = {name for metrics in logged.values() for name in metrics}
    if not names:
        return
    ids = _ids(connection, sorted(names))
    rows, chunks = [], []
    for run_key, metrics in logged.items():
        for name, (steps, times, values) in metrics.items():
            if len(values) > CHUNK:
                append(connection, run_key, {name: (steps, times, values)})
                continue
            key = {"run_key": run_key, "metric_id": ids[name]}
            chunks.append({**key, "chunk": 0, "count": len(values), "data": pack(steps, times, values)})
            rows.append(_row(run_key, ids[name], None, (steps, times, values), 0, len(values)))
    if rows:
        connection.execute(metric_chunks.insert(), chunks)
        connection.execute(run_metrics.insert(), rows)


def summaries(connection: Connection, run_key: int) -> list[MetricSummary]:
    """Lists the metrics of a run by name."""
    rows = connection.execute(
        select(run_metrics, metric_names.c.name)
        .join(metric_names, metric_names.c.id == run_metrics.c.metric_id)
        .where(run_metrics.c.run_key == run_key)
        .order_by(metric_names.c.name)
    )
    return [
        MetricSummary(
            name=row.name,
            last=last_value(row),
            last_step=told_step(row.last_step),
            last_at=row.last_at,
            min=row.min,
            max=row.max,
            count=_count(row),
            sparkline=outline(row.spark, row.spark_stride, row._mapping["count"], last_value(row)),
        )
        for row in rows
    ]


def latest(connection: Connection, run_ids: Sequence[str]) -> dict[str, list[tuple[str, float, int, datetime]]]:
    """Reads the last point of each metric of some runs: name, value, step and time, by run id."""
    found: dict[str, list[tuple[str, float, int, datetime]]] = {}
    for start in range(0, len(run_ids), 500):
        rows = connection.execute(
            select(runs.c.id, run_metrics, metric_names.c.name)
            .join(run_metrics, run_metrics.c.run_key == runs.c.key)
            .join(metric_names, metric_names.c.id == run_metrics.c.metric_id)
            .where(runs.c.id.in_(run_ids[start : start + 500]))
            .order_by(metric_names.c.name)
        )
        for row in rows:
            found.setdefault(row.id, []).append((row.name, last_value(row), row.last_step, row.last_at))
    return found


def series(connection: Connection, run_key: int, name: str, max_points: int, after: int, part: Part) -> MetricSeries:
    """Reads a part of one metric after the first ``after`` points, thinned to ``max_points``; empty when unknown."""
    metric_id = select(metric_names.c.id).where(metric_names.c.name == name).scalar_subquery()
    where = (metric_chunks.c.run_key == run_key) & (metric_chunks.c.metric_id == metric_id)
    counts = connection.execute(
        select(metric_chunks.c.chunk, metric_chunks.c.count).where(where).order_by(metric_chunks.c.chunk)
    ).all()
    total = sum(_count(row) for row in counts)
    first, skipped = 0, 0
    for row in counts:
        if skipped + _count(row) > after:
            break
        first, skipped = row.chunk + 1, skipped + _count(row)
    data = connection.execute(
        select(metric_chunks.c.data).where(where, metric_chunks.c.chunk >= first).order_by(metric_chunks.c.chunk)
    ).scalars()
    return _series(name, b"".join(data)[(after - skipped) * RECORD_BYTES :], total, max_points, part)


def last_value(row: Row[Any]) -> float:
    """Reads a last value: text where there is any."""
    return float(row.last_text if row.last_text is not None else row.last)


def told_step(step: int) -> Step:
    """Tells a step so that nobody rounds it: as text beyond what a float64 counts exactly."""
    return step if -SAFE_STEP <= step <= SAFE_STEP else str(step)


def split(value: float) -> tuple[float | None, str | None]:
    """Parts a value into what a column keeps: a finite number, and text beside it where that loses something."""
    if value == 0 and math.copysign(1, value) < 0:  # SQLite keeps no sign of zero
        return 0.0, "-0.0"
    if math.isfinite(value):
        return value, None
    return None, "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _count(row: Any) -> int:
    """Reads the column ``count``, which is a method's name too."""
    return int(row._mapping["count"])


def _ids(connection: Connection, names: list[str]) -> dict[str, int]:
    query = select(metric_names.c.name, metric_names.c.id).where(metric_names.c.name.in_(names))
    found = {row.name: row.id for row in connection.execute(query)}
    missing = [name for name in names if name not in found]
    if missing:
        upsert(connection, metric_names, [{"name": name} for name in missing], keys=("name",))
        found = {row.name: row.id for row in connection.execute(query)}
    return found


def _append_one(
    connection: Connection, run_key: int, metric_id: int, row: Row[Any] | None, columns: Columns
) -> dict[str, Any]:
    tail_chunk, tail_count = _store(connection, run_key, metric_id, row, pack(*columns))
    return _row(run_key, metric_id, row, columns, tail_chunk, tail_count)


def _row(
    run_key: int, metric_id: int, row: Row[Any] | None, columns: Columns, tail_chunk: int, tail_count: int
) -> dict[str, Any]:
    """Builds what is known of a metric without its points, after some were added."""
    steps, times, values = columns
    spark = Spark.of(row.spark, row.spark_stride, _count(row)) if row else Spark([], 1, 0)
    spark.add(values)
    finite = [value for value in values if math.isfinite(value)]
    known = [value for value in (row.min, row.max) if value is not None] if row else []
    last, last_text = split(values[-1])
    return {
        "run_key": run_key,
        "metric_id": metric_id,
        "last": last,
        "last_text": last_text,
        "last_step": steps[-1],
        "last_at": datetime.fromtimestamp(times[-1], UTC),
        "min": min([*finite, *known], default=None),
        "max": max([*finite, *known], default=None),
        "count": (_count(row) if row else 0) + len(values),
        "tail_chunk": tail_chunk,
        "tail_count": tail_count,
        "spark": spark.packed(),
        "spark_stride": spark.stride,
    }


def _store(connection: Connection, run_key: int, metric_id: int, row: Row[Any] | None, data: bytes) -> tuple[int, int]:
    """Fills up the last chunk and begins new ones; returns the last chunk's number and how many points it holds."""
    chunk, count = (row.tail_chunk, row.tail_count) if row else (0, 0)
    key = {"run_key": run_key, "metric_id": metric_id}
    while data:
        if count == CHUNK:
            chunk, count = chunk + 1, 0
        room = (CHUNK - count) * RECORD_BYTES
        part, data = data[:room], data[room:]
        if count:
            where = (metric_chunks.c.run_key == run_key) & (metric_chunks.c.metric_id == metric_id)
            tail = select(metric_chunks.c.data).where(where, metric_chunks.c.chunk == chunk)
            part = connection.execute(tail).scalar_one() + part
        count = len(part) // RECORD_BYTES
        upsert(
            connection,
            metric_chunks,
            {**key, "chunk": chunk, "count": count, "data": part},
            keys=("run_key", "metric_id", "chunk"),
        )
    return chunk, count


def _series(name: str, data: bytes, total: int, max_points: int, part: Part) -> MetricSeries:
    import numpy as np

    points = within(unpack(data), part)
    non_finite = int(np.count_nonzero(~np.isfinite(points["value"])))
    shown = thinned(points, max_points) if len(points) > max_points else points
    return MetricSeries(
        name=name,
        steps=[told_step(step) for step in shown["step"].tolist()],
        times=shown["time"].tolist(),
        values=shown["value"].tolist(),
        total=total,
        sampled=len(shown) < len(points),
        non_finite=non_finite,
    )
