"""The fast write path: user code appends to a queue, one thread takes batches to the studio, each exactly once.

A batch carries (client, sequence). While the studio does not answer it goes to the run's spool as one JSON line and is
replayed in order, with the same sequence; what is left there when the process ends, the run's supervisor takes.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import math
import os
import sys
import tempfile
import threading
import time
import uuid
import warnings
import weakref
from collections import deque
from collections.abc import Callable
from pathlib import Path

from jupyter_mlstudio.client.spool import Spool
from jupyter_mlstudio.client.values import INT64, wire_float
from jupyter_mlstudio.client.wire import Connection, segment
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import StudioError, Unavailable

FLUSH_INTERVAL_S = 0.25
POINTS_PER_BATCH = 20_000
PATIENCE_S = 5.0
RETRY_LIMIT_S = 5.0

Point = tuple[str, float, int | None, float]
"""Name, value, step (None counts up), seconds since 1970."""


class Writer:
    """Takes what user code logs to one run. Its methods never raise and never wait for the network, but :meth:`flush`.

    Args:
        run_id: the run.
        connection: makes the connection when something is to be sent, not before.
        folder: the run's folder, for the spool; a temporary folder when this machine does not have it.
    """

    def __init__(self, run_id: str, connection: Callable[[], Connection], folder: Path | None = None) -> None:
        self.run_id = run_id
        self.points: deque[Point] = deque()
        self._details: deque[tuple[str, dict[str, JSON]]] = deque()
        self._charts: dict[str, Callable[[], dict[str, JSON]]] = {}
        self._folder = folder
        self._path = f"runs/{segment(run_id)}/log"
        self._connection = connection
        self._steps: dict[str, int] = {}
        self.evaluated: set[str] = set()
        """Metrics that evaluations of the run have begun; all others are curves of the user's."""
        self._warned: set[str] = set()
        self._begin()
        _writers.add(self)

    def _begin(self) -> None:
        """Begins as a client of its own, with nothing logged: a new writer, or the copy of one in a forked child."""
        self.client = uuid.uuid4().hex
        for queued in (self.points, self._details, self._charts):
            queued.clear()
        self._spool = Spool(_spool_folder(self._folder) / f"{self.client}.jsonl")
        self._sequence = 0
        self._failures = 0
        self._retry_at = 0.0
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None

    @property
    def started(self) -> bool:
        """Whether the thread runs that flushes, or has run to its end."""
        return self._thread is not None

    def start(self) -> None:
        """Starts the thread that flushes every quarter of a second."""
        self._thread = threading.Thread(target=self._run, name=f"mlstudio-log-{self.run_id[:8]}", daemon=True)
        self._thread.start()
        utilities = sys.modules.get("multiprocessing.util")
        if utilities is not None:  # a child of multiprocessing ends without atexit
            utilities.Finalize(None, self.close, exitpriority=100)

    def detail(self, kind: str, values: dict[str, JSON]) -> None:
        """Queues what is not a point: ``params``, ``tags``, ``progress`` or ``environment``."""
        self._details.append((kind, values))

    def knows(self, name: str) -> bool:
        """Whether a point of a metric was logged by this process, delivered or not."""
        waiting = self.points.copy()
        return name in self._steps or any(point[0] == name for point in waiting)

    def chart(self, name: str, build: Callable[[], dict[str, JSON]]) -> None:
        """Queues a chart, of which only the latest state matters; ``build`` makes it when it is sent."""
        self._charts[name] = build

    def flush(self) -> bool:
        """Delivers what has been logged so far; answers whether all of it has arrived (the rest is in the spool)."""
        with self._lock:
            self._retry_at = 0.0
            self._deliver_all()
            return not self._spool and not self._charts

    def close(self) -> None:
        """Flushes and stops the thread; what cannot be delivered stays in the spool."""
        if self._closed:
            return
        self._closed = True
        self._wake.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(PATIENCE_S)
        if self._lock.acquire(timeout=PATIENCE_S):
            try:
                self._retry_at = 0.0
                self._deliver_all()
                self._rescue_charts()
            finally:
                self._lock.release()

    def _run(self) -> None:
        while not self._closed:
            self._wake.wait(FLUSH_INTERVAL_S)
            try:
                with self._lock:
                    self._deliver_all()
            except Exception as error:  # the thread must outlive whatever happens, user code must not notice
                self._warn(f"logging failed: {type(error).__name__}: {error}")

    def _deliver_all(self) -> None:
        if self._spool:
            self._replay()
        while self.points:
            self._deliver({"metrics": self._take_points()})
        while self._details:
            self._deliver(self._take_details())
        for name in list(self._charts):
            self._deliver_chart(name)

    def _take_points(self) -> dict[str, JSON]:
        metrics: dict[str, JSON] = {}
        pop = self.points.popleft
        for _ in range(min(len(self.points), POINTS_PER_BATCH)):
            name, value, step, at = pop()
            if step is None:
                step = self._steps.get(name, -1) + 1
            elif not -INT64 <= step < INT64:
                self._warn(f"the step {step} of metric {name!r} does not fit into 64 bits; such points are left out")
                continue
            try:
                number = float(value)
            except OverflowError:
                self._warn(f"a value of metric {name!r} is an integer that no 64-bit float can hold; it is left out")
                continue
            self._steps[name] = step
            series = metrics.get(name)
            if series is None:
                series = metrics[name] = {"steps": [], "times": [], "values": []}
            series["steps"].append(int(step))
            series["times"].append(at)
            series["values"].append(number if math.isfinite(number) else wire_float(number))
        return metrics

    def _take_details(self) -> dict[str, JSON]:
        """Takes the oldest details of one kind, so that a refused parameter takes nothing else with it."""
        kind, values = self._details.popleft()
        if kind not in ("params", "tags"):
            return {kind: values}
        merged = dict(values)
        while self._details and self._details[0][0] == kind and not merged.keys() & self._details[0][1].keys():
            merged.update(self._details.popleft()[1])
        return {kind: merged}

    def _deliver(self, content: dict[str, JSON]) -> None:
        if content.get("metrics") == {}:
            return
        self._sequence += 1
        batch = {"client": self.client, "sequence": self._sequence, **content}
        body = json.dumps(batch, separators=(",", ":"), allow_nan=False).encode()
        if self._spool or not self._post(body):
            self._keep(body)

    def _deliver_chart(self, name: str) -> None:
        if time.monotonic() < self._retry_at:
            return
        build = self._charts.pop(name)
        try:
            self._connection().put(f"runs/{segment(self.run_id)}/charts/{segment(name)}", build())
        except StudioError as error:
            if not self._may_pass(error):
                self._warn(f"the studio refused the chart {name!r}: {error.message}")
            else:
                self._charts.setdefault(name, build)

    def _rescue_charts(self) -> None:
        """Keeps charts that found no studio as files among the run's artifacts."""
        for name, build in self._charts.items():
            path = (self._folder or self._spool.path.parent) / "artifacts" / "charts" / f"{segment(name)}.json"
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(json.dumps(build()), encoding="utf-8")
                self._warn(f"the studio does not answer: the chart {name!r} is kept as {path}")
            except OSError as error:
                self._warn(f"the chart {name!r} is lost: the studio does not answer and {path} fails ({error})")
        self._charts.clear()

    def _keep(self, body: bytes) -> None:
        try:
            self._spool.append(body)
        except OSError as error:
            self._warn(f"logged values are lost: the studio does not answer and {self._spool.path} fails ({error})")

    def _replay(self) -> None:
        if time.monotonic() < self._retry_at:
            return
        try:
            for body in self._spool.waiting():
                if not self._post(body):
                    return
        except OSError as error:
            self._warn(f"{self._spool.path} cannot be read ({error}); the studio takes it when the run ends")

    def _post(self, body: bytes) -> bool:
        """Answers False when the batch has to wait. A batch that is refused will be refused again, and is dropped."""
        if time.monotonic() < self._retry_at:
            return False
        try:
            self._connection().post_bytes(self._path, body, timeout_s=PATIENCE_S)
        except StudioError as error:
            if self._may_pass(error):
                return False
            self._warn(f"the studio refused logged values: {error.message}")
        self._failures = 0
        return True

    def _may_pass(self, error: StudioError) -> bool:
        """Tells whether a later try may succeed, and puts it off for longer each time."""
        if not isinstance(error, Unavailable) and error.status < 500:
            return False
        self._failures += 1
        self._retry_at = time.monotonic() + min(FLUSH_INTERVAL_S * 2 ** min(self._failures, 8), RETRY_LIMIT_S)
        return True

    def _warn(self, message: str) -> None:
        """Says a thing once, and never as an exception, even where warnings are errors."""
        if message not in self._warned:
            self._warned.add(message)
            with contextlib.suppress(Warning):
                warnings.warn(f"jupyter_mlstudio: {message}", RuntimeWarning, stacklevel=2)


def _spool_folder(folder: Path | None) -> Path:
    if folder is not None and folder.is_dir():
        return folder / "spool"
    return Path(tempfile.mkdtemp(prefix="mlstudio-spool-"))


_writers: weakref.WeakSet[Writer] = weakref.WeakSet()


@atexit.register
def close_all() -> None:
    """Delivers what is left when the process ends."""
    for writer in list(_writers):
        writer.close()


def _after_fork() -> None:
    """What the parent had queued is the parent's to deliver; the child is a client of its own."""
    for writer in list(_writers):
        writer._begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
