"""What runs report: points, parameters, tags, charts. A batch is durable when ``log`` returns, and taken once."""

from __future__ import annotations

import contextlib
import json
import math
import re
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json
from sqlalchemy import Connection

from jupyter_mlstudio.entities.runs import TERMINAL, Chart, MetricSeries, MetricSummary, RunStatus
from jupyter_mlstudio.entities.tracking import LogBatch, Part, Points
from jupyter_mlstudio.errors import Conflict, Invalid, NotFound
from jupyter_mlstudio.services.names import checked_name, checked_text
from jupyter_mlstudio.services.paths import write_atomically
from jupyter_mlstudio.store import metrics
from jupyter_mlstudio.store import runs as store
from jupyter_mlstudio.store.changes import Changes
from jupyter_mlstudio.store.database import Database
from jupyter_mlstudio.workspace import Workspace

PARAM_LIMIT = 6000
TAG_LIMIT = 8000
CHART_LIMIT_BYTES = 32 * 1024 * 1024
SYSTEM = "system/"
SPOOL_PART = 200
"""So many batches of a spool are taken in one transaction: neither one by one nor all others kept waiting."""
_CHART_NAME = re.compile(r"[\w.\- ]{1,120}")
_BATCH = TypeAdapter(LogBatch)
_INT64 = 2**63

Logged = dict[str, metrics.Columns]
"""Points by the metric's name."""


class Tracking:
    """Takes and gives back what runs report."""

    def __init__(self, workspace: Workspace, database: Database, changes: Changes) -> None:
        self._workspace = workspace
        self._database = database
        self._changes = changes

    def log(self, run_id: str, batch: LogBatch) -> bool:
        """Keeps a batch; answers False when it had been taken before.

        Raises:
            Conflict: the run is over.
            Invalid: a name, a length or a number in the batch is wrong; nothing of it is kept.
        """
        points = checked_points(batch)
        with self._database.write() as connection:
            return self._take(connection, run_id, [(batch, points)]) == 1

    def add(self, run_id: str, batch: LogBatch, *, after_end: bool = False) -> None:
        """Keeps a batch of a client that does not number its batches; a parameter keeps its first value.

        Args:
            run_id: of the run.
            batch: its ``client`` and ``sequence`` are not looked at.
            after_end: whether a run that is over takes it, too.

        Raises:
            Conflict: the run is over.
            Invalid: something in the batch is wrong, or changes a parameter; nothing of it is kept.
        """
        points = checked_points(batch)
        with self._database.write() as connection:
            key, status = self._run(connection, run_id)
            if status in TERMINAL and not after_end:
                raise Conflict(f"the run is over ({status.value}): nothing can be logged to it any more")
            known = store.params_of(connection, key, list(batch.params))
            changed = next((name for name, value in batch.params.items() if known.get(name, value) != value), None)
            if changed is not None:
                was, new = known[changed][:80], batch.params[changed][:80]
                raise Invalid(f"the parameter {changed!r} is {was!r} already; it cannot be changed to {new!r}")
            self._keep(connection, run_id, key, batch, points)

    def record(self, run_id: str, values: dict[str, float]) -> None:
        """Keeps one point of each metric, now, with the number of points so far as its step."""
        now = time.time()
        with self._database.write() as connection:
            key, _status = self._run(connection, run_id)
            known = {summary.name: summary.count for summary in metrics.summaries(connection, key)}
            metrics.append(connection, key, {n: ([known.get(n, 0)], [now], [v]) for n, v in values.items()})
            self._changes.note(connection, "metrics", run_id)

    def take_spool(self, run_id: str) -> int:
        """Takes what clients left in the run's folder while nobody answered; returns how many batches that were.

        Several hosts may do so at once: a batch is taken once, and a file that another one has taken is gone.
        """
        taken = 0
        for path in sorted((self._workspace.run_folder(run_id) / "spool").glob("*.jsonl")):
            with contextlib.suppress(FileNotFoundError):
                lines = path.read_bytes().splitlines()
                for first in range(0, len(lines), SPOOL_PART):
                    taken += self._take_lines(run_id, lines[first : first + SPOOL_PART])
                path.unlink()
        return taken

    def summaries(self, run_id: str) -> list[MetricSummary]:
        """Lists the run's metrics."""
        with self._database.read() as connection:
            return metrics.summaries(connection, self._run(connection, run_id)[0])

    def series(
        self, run_id: str, names: list[str], max_points: int = 5000, after: int = 0, part: Part | None = None
    ) -> list[MetricSeries]:
        """Reads points of metrics, or of a part of them, thinned to ``max_points`` each."""
        part = part or Part()
        with self._database.read() as connection:
            key, _status = self._run(connection, run_id)
            return [metrics.series(connection, key, name, max_points, after, part) for name in names]

    def charts(self, run_id: str) -> list[Chart]:
        """Lists the run's charts with their data, by name."""
        with self._database.read() as connection:
            self._run(connection, run_id)
        found = [_chart_or_none(path) for path in sorted(self._charts(run_id).glob("*.json"))]
        return [chart for chart in found if chart is not None]

    def put_chart(self, run_id: str, name: str, schema_type: str, schema_version: str, data: dict[str, Any]) -> Chart:
        """Keeps a chart; one of the same name is replaced."""
        if not _CHART_NAME.fullmatch(name) or name.startswith("."):
            raise Invalid(f"{name[:80]!r} cannot name a chart: 1 to 120 letters, digits, spaces, dots, dashes")
        content = {"schema_type": schema_type, "schema_version": schema_version, "data": data}
        body = to_json(content, inf_nan_mode="strings")
        folder = self._charts(run_id)
        with self._database.write() as connection:
            self._run(connection, run_id)
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(folder / f"{name}.json", body)
            self._changes.note(connection, "metrics", run_id)
        return _chart(folder / f"{name}.json")

    def keep(self, connection: Connection, run_id: str, key: int, batch: LogBatch) -> None:
        """Keeps a batch in a transaction that is open already, whatever the run's status is.

        Raises:
            Invalid: a name, a length or a number in the batch is wrong.
        """
        self._keep(connection, run_id, key, batch, checked_points(batch))

    def _take(self, connection: Connection, run_id: str, sent: list[tuple[LogBatch, Logged]]) -> int:
        """Keeps batches of one client, written as one; returns how many of them had not been taken before."""
        key, status = self._run(connection, run_id)
        if status in TERMINAL:
            raise Conflict(f"the run is over ({status.value}): nothing can be logged to it any more")
        client = sent[0][0].client
        last, new = metrics.last_batch(connection, key, client), []
        for batch, points in sent:
            if batch.sequence > last:
                new.append((batch, points))
                last = batch.sequence
        if new:
            metrics.note_batch(connection, key, client, last)
            self._keep(connection, run_id, key, *_joined(new))
        return len(new)

    def _take_lines(self, run_id: str, lines: list[bytes]) -> int:
        """Takes a part of a spool in one transaction; a line that is half written or wrong is left out."""
        good: dict[str, list[tuple[LogBatch, Logged]]] = {}
        for line in lines:
            with contextlib.suppress(ValidationError, Invalid):
                batch = _BATCH.validate_json(line)
                good.setdefault(batch.client, []).append((batch, checked_points(batch)))
        with contextlib.suppress(Conflict), self._database.write() as connection:
            return sum(self._take(connection, run_id, sent) for sent in good.values())
        return 0

    def _keep(self, connection: Connection, run_id: str, key: int, batch: LogBatch, points: Logged) -> None:
        if points:
            last = metrics.append(connection, key, points)
            shown = {name: value for name, value in last.items() if not name.startswith(SYSTEM)}
            if shown:
                store.set_last_values(connection, key, shown)
            self._changes.note(connection, "metrics", run_id)
        store.set_params(connection, key, batch.params)
        store.set_tags(connection, key, batch.tags)
        values: dict[str, Any] = {}
        if batch.progress is not None:
            values["progress"] = store.PROGRESS.dump_json(batch.progress).decode()
        if batch.environment is not None:
            values["environment"] = store.ENVIRONMENT.dump_json(batch.environment).decode()
        if values or batch.params or batch.tags:
            store.change(connection, self._changes, run_id, values)

    def _run(self, connection: Connection, run_id: str) -> tuple[int, RunStatus]:
        row = store.row(connection, run_id)
        if row is None:
            raise NotFound(f"there is no run {run_id[:80]!r}")
        return row.key, RunStatus(row.status)

    def _charts(self, run_id: str) -> Path:
        return self._workspace.run_folder(run_id) / "charts"


def _joined(sent: list[tuple[LogBatch, Logged]]) -> tuple[LogBatch, Logged]:
    """Makes one batch of several of a client: all points, and of everything else what was said last."""
    if len(sent) == 1:
        return sent[0]
    points: dict[str, tuple[list[int], list[float], list[float]]] = {}
    batch = sent[0][0]
    for one, logged in sent:
        for name, columns in logged.items():
            steps, times, values = points.setdefault(name, ([], [], []))
            steps += columns[0]
            times += columns[1]
            values += columns[2]
        batch = replace(
            one, params=batch.params | one.params, tags=batch.tags | one.tags, progress=one.progress or batch.progress,
            environment=one.environment or batch.environment,
        )  # fmt: skip
    return batch, dict(points)


def checked_points(batch: LogBatch) -> Logged:
    points = {_metric_name(name): _columns(name, part) for name, part in batch.metrics.items() if part.values}
    _check_texts(batch)
    return points


def _metric_name(name: str) -> str:
    return checked_name(name, "a metric's name")


def _columns(name: str, points: Points) -> metrics.Columns:
    if not len(points.steps) == len(points.times) == len(points.values):
        lengths = (len(points.steps), len(points.times), len(points.values))
        raise Invalid(f"metric {name[:80]!r}: steps, times and values differ in length {lengths}")
    if any(not -_INT64 <= step < _INT64 for step in points.steps):
        raise Invalid(f"metric {name[:80]!r}: a step does not fit into 64 bits")
    if any(not math.isfinite(t) or not 0 <= t < 1e11 for t in points.times):
        raise Invalid(f"metric {name[:80]!r}: times are seconds since 1970")
    return points.steps, points.times, [float(value) for value in points.values]


def _check_texts(batch: LogBatch) -> None:
    checked_name(batch.client, "a client's name", 64)
    if not 1 <= batch.sequence < _INT64:
        raise Invalid(f"a batch's sequence counts from 1 and fits into 64 bits, not {batch.sequence}")
    for key, value in batch.params.items():
        checked_name(key, "a parameter's name")
        checked_text(value, f"the parameter {key!r}", PARAM_LIMIT)
    for key, value in batch.tags.items():
        checked_name(key, "a tag's name")
        checked_text(value, f"the tag {key!r}", TAG_LIMIT)


def _chart(path: Path) -> Chart:
    content = json.loads(path.read_bytes())
    at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return Chart(name=path.stem, at=at, **{k: content[k] for k in ("schema_type", "schema_version", "data")})


def _chart_or_none(path: Path) -> Chart | None:
    """Reads a chart; a file that user code put there and that holds none is passed over."""
    try:
        chart = _chart(path)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return chart if isinstance(chart.data, dict) else None
