"""The endpoint's numbers: what its processes counted, added up, and told as the run's metrics and tags."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from jupyter_mlstudio.client import tracking
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.programs.serve_plan import Plan
from jupyter_mlstudio.programs.serve_worker import Worker
from jupyter_mlstudio.serving.drift import Drift
from jupyter_mlstudio.serving.metrics import Tally
from jupyter_mlstudio.serving.stats import Buckets, Stats

TAG = "mlstudio.endpoint."
QUANTILES = ("p50_ms", "p95_ms", "p99_ms")
MIRROR = ("copies", "dropped", "failed", "disagreements")
DIFFERENCES = ("numbers", "total_difference", "max_difference")


@dataclass
class Count:
    """One deployment's numbers, and those since the canary's last step."""

    stats: Stats = field(default_factory=Stats)
    mirror: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MIRROR, 0))
    step: dict[str, int] = field(default_factory=lambda: {"requests": 0, "errors": 0})
    step_mirror: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MIRROR, 0))
    step_buckets: dict[int, int] = field(default_factory=dict)
    drift: Drift = field(default_factory=Drift)
    step_drift: Drift = field(default_factory=Drift)
    differences: dict[str, float] = field(default_factory=lambda: dict.fromkeys(DIFFERENCES, 0.0))
    meter: Tally = field(default_factory=Tally)
    collected: dict[str, int] = field(default_factory=dict)
    queue: int = 0
    logged: int = 0
    copied: int = 0
    busy: bool = False

    def add(self, requests: int, errors: int, buckets: Buckets) -> None:
        """Adds what a worker counted."""
        self.stats.add(requests, errors, buckets)
        self.step["requests"] += requests
        self.step["errors"] += errors
        for bucket, count in buckets:
            self.step_buckets[bucket] = self.step_buckets.get(bucket, 0) + count

    def begin_step(self) -> None:
        """Begins to count a step."""
        self.step = {"requests": 0, "errors": 0}
        self.step_mirror = dict.fromkeys(MIRROR, 0)
        self.step_buckets = {}
        self.step_drift = Drift()


class Counts:
    """The numbers of an endpoint: in sum, and by deployment.

    Args:
        requests, errors: those of the runs before this one.
    """

    def __init__(self, requests: int, errors: int) -> None:
        self._whole = Count(Stats(requests, errors), logged=requests)
        self._by_name: dict[str, Count] = {}
        self._used: dict[str, float] = {}
        self._collected: dict[int, dict[str, int]] = {}
        self._lost: dict[int, dict[str, int]] = {}
        self._mirrored: dict[int, dict[str, dict[str, Any]]] = {}
        self._logged_at = time.monotonic()
        self._queue = 0

    def of(self, name: str) -> Count:
        """The numbers of one deployment."""
        if name not in self._by_name:
            self._by_name[name] = Count()
        return self._by_name[name]

    def plan(self, plan: Plan) -> None:
        """Counts on from what a deployment had when the endpoint was started."""
        for name, one in plan.deployments.items():
            if name not in self._by_name:
                self._by_name[name] = Count(Stats(one.requests, one.errors), logged=one.requests)

    def heard(self, worker: Worker, deployment: str) -> int:
        """Adds what a worker counted since it said so last; answers how many requests it answered."""
        stats = worker.stats
        requests, errors = int(stats["requests"]), int(stats["errors"])
        self._add(deployment, requests, errors, stats["buckets"])
        before = self._lost.setdefault(worker.pid, {})
        for name, lost in stats["lost"].items():
            self._add(name, lost - before.get(name, 0), lost - before.get(name, 0), [])
        self._lost[worker.pid] = stats["lost"]
        self._add_copies(worker.pid, stats["mirror"])
        if deployment:
            self._meter(self.of(deployment), worker.pid, stats)
        for name, at in stats["keys_used_at"].items():
            self._used[name] = max(at, self._used.get(name, 0.0))
        return requests

    def _meter(self, count: Count, pid: int, stats: dict[str, Any]) -> None:
        """Adds what is shown to Prometheus."""
        count.meter.add(stats.get("meter", {}))
        now, before = stats.get("collected", {}), self._collected.get(pid, {})
        for key, value in now.items():
            count.collected[key] = count.collected.get(key, 0) + int(value) - before.get(key, 0)
        self._collected[pid] = now

    def log(self, queues: dict[str, int]) -> None:
        """Logs as the run's metrics what has changed since the last time."""
        now = time.monotonic()
        elapsed_s = max(now - self._logged_at, 1e-3)
        self._logged_at = now
        metrics: dict[str, float] = {}
        for name, count in (("", self._whole), *((f"{name}/", count) for name, count in self._by_name.items())):
            queue = count.queue = sum(queues.values()) if not name else queues.get(name[:-1], 0)
            metrics |= {name + key: value for key, value in _fresh(count, elapsed_s, queue).items()}
        if metrics:
            tracking.log_metrics(metrics)

    def used(self) -> dict[str, str]:
        """When each key was used last, as tags."""
        return {f"{TAG}{name}_used_at": datetime.fromtimestamp(at, UTC).isoformat() for name, at in self._used.items()}

    def totals(self) -> tuple[int, int]:
        """Requests and errors of the endpoint."""
        return self._whole.stats.requests, self._whole.stats.errors

    def board(self) -> dict[str, JSON]:
        """The numbers as each process shows them, since a caller may reach any."""
        deployments = {name: _shown(count) | _metered(count) for name, count in self._by_name.items()}
        return _shown(self._whole) | {"keys_used_at": self._used, "deployments": deployments}

    def _add(self, deployment: str, requests: int, errors: int, buckets: Any) -> None:
        if not requests and not errors:
            return
        pairs = [(int(bucket), int(count)) for bucket, count in buckets]
        self._whole.add(requests, errors, pairs)
        if deployment:
            self.of(deployment).add(requests, errors, pairs)

    def _add_copies(self, pid: int, mirror: dict[str, dict[str, Any]]) -> None:
        before = self._mirrored.get(pid, {})
        for name, tally in mirror.items():
            count = self.of(name)
            for key in MIRROR:
                more = int(tally[key]) - int(before.get(name, {}).get(key, 0))
                count.mirror[key] += more
                count.step_mirror[key] += more
            for drift in (count.drift, count.step_drift):
                drift.add(tally.get("drift") or {})
            for key in ("numbers", "total_difference"):
                count.differences[key] += float(tally[key]) - float(before.get(name, {}).get(key, 0))
            most = max(count.differences["max_difference"], float(tally["max_difference"]))
            count.differences["max_difference"] = most
        self._mirrored[pid] = mirror


def _fresh(count: Count, elapsed_s: float, queue: int) -> dict[str, float]:
    """The metrics of a deployment when there was something to do, or is not any more."""
    count.stats.turn()
    requests = count.stats.requests - count.logged
    count.logged = count.stats.requests
    copied, count.copied = count.copied, sum(count.mirror.values())
    busy, count.busy = count.busy, requests > 0 or queue > 0 or count.copied > copied
    if not count.busy:
        return {"requests_per_s": 0.0, "queue": 0.0} if busy else {}
    values: dict[str, float] = {"requests": count.stats.requests, "errors": count.stats.errors, "queue": queue}
    values["requests_per_s"] = requests / elapsed_s
    quantiles = zip(QUANTILES, count.stats.quantiles_ms(), strict=True)
    values |= {f"latency_{name}": value for name, value in quantiles if value is not None}
    if any(count.mirror.values()):
        values |= {f"mirror_{name}": value for name, value in count.mirror.items()}
        found = count.differences
        values["mirror_max_difference"] = found["max_difference"]
        values["mirror_mean_difference"] = found["total_difference"] / max(found["numbers"], 1)
        if (worst := count.drift.worst()) is not None:
            values["mirror_drift"] = worst[0]
    return values


def _metered(count: Count) -> dict[str, JSON]:
    meter = count.meter.as_dict()
    return {"mirror": count.mirror, "meter": meter, "collected": count.collected, "queue": count.queue}


def _shown(count: Count) -> dict[str, JSON]:
    stats = count.stats
    return {
        "requests": stats.requests,
        "errors": stats.errors,
        **dict(zip(QUANTILES, stats.quantiles_ms(), strict=True)),
    }
