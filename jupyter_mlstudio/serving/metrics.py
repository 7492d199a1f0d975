"""What Prometheus is told: requests by status, their duration, and how many wait, for each deployment.

Specification: Prometheus, "Exposition formats", text format 0.0.4. A process counts its own requests in a
:class:`Meter` and reports what was new; the serve run adds up what all processes of a deployment reported, and tells
the sum to each of them, so that a scrape is answered alike by whichever process it reaches.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jupyter_mlstudio.entities.values import JSON

METRICS_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
BOUNDS_S = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
)  # fmt: skip
"""Upper bounds of the histogram's buckets; the last bucket has none."""


class Meter:
    """Counts of requests since it was made."""

    def __init__(self) -> None:
        self._statuses: dict[int, int] = {}
        self._buckets = [0] * (len(BOUNDS_S) + 1)
        self._sum_s = 0.0
        self._told = Tally()

    def record(self, status: int, seconds: float) -> None:
        """Counts one request."""
        self._statuses[status] = self._statuses.get(status, 0) + 1
        self._buckets[bisect_left(BOUNDS_S, seconds)] += 1
        self._sum_s += seconds

    def total(self) -> Tally:
        """Everything since it was made."""
        return Tally({str(status): count for status, count in self._statuses.items()}, list(self._buckets), self._sum_s)

    def report(self) -> dict[str, JSON]:
        """What is new since the last report."""
        total, before = self.total(), self._told
        self._told = total
        statuses = {status: count - before.statuses.get(status, 0) for status, count in total.statuses.items()}
        buckets = [count - old for count, old in zip(total.buckets, before.buckets, strict=True)]
        return Tally({s: n for s, n in statuses.items() if n}, buckets, total.sum_s - before.sum_s).as_dict()


class Tally:
    """Counts that can be added up: requests by status, by bucket of duration, and the sum of their durations."""

    def __init__(
        self, statuses: dict[str, int] | None = None, buckets: list[int] | None = None, sum_s: float = 0.0
    ) -> None:
        self.statuses = statuses or {}
        self.buckets = buckets or [0] * (len(BOUNDS_S) + 1)
        self.sum_s = sum_s

    def add(self, report: Mapping[str, Any]) -> None:
        """Adds what a process reported; nothing when it reported none."""
        for status, count in report.get("statuses", {}).items():
            self.statuses[status] = self.statuses.get(status, 0) + int(count)
        for number, count in enumerate(report.get("buckets", [])):
            self.buckets[number] += int(count)
        self.sum_s += float(report.get("sum_s", 0.0))

    def as_dict(self) -> dict[str, JSON]:
        """As it travels."""
        return {"statuses": self.statuses, "buckets": self.buckets, "sum_s": self.sum_s}


@dataclass(frozen=True, slots=True)
class Series:
    """One deployment's numbers as they are shown."""

    endpoint: str
    deployment: str
    model: str
    version: str
    tally: Tally
    waiting: int
    collected: Mapping[str, int]

    @property
    def labels(self) -> str:
        """The labels of all of them, without braces."""
        named = {"endpoint": self.endpoint, "deployment": self.deployment, "model": self.model, "version": self.version}
        return ",".join(f'{name}="{_escaped(value)}"' for name, value in named.items())


def text(series: Iterable[Series]) -> bytes:
    """Writes numbers in the text format."""
    some = list(series)
    lines = _family("mlstudio_endpoint_requests_total", "counter", "Requests that were answered, by status class.")
    for one in some:
        for group, count in sorted(_by_class(one.tally.statuses).items()):
            lines.append(f'mlstudio_endpoint_requests_total{{{one.labels},status="{group}"}} {count}')
    lines += _family("mlstudio_endpoint_errors_total", "counter", "Requests that were answered with an error.")
    for one in some:
        for group, count in sorted(_by_class(one.tally.statuses).items()):
            if group in ("4xx", "5xx"):
                lines.append(f'mlstudio_endpoint_errors_total{{{one.labels},status="{group}"}} {count}')
    lines += _family("mlstudio_endpoint_request_duration_seconds", "histogram", "From a request's head to its answer.")
    for one in some:
        lines += _histogram("mlstudio_endpoint_request_duration_seconds", one)
    lines += _family("mlstudio_endpoint_requests_waiting", "gauge", "Requests that wait until the model is free.")
    lines += [f"mlstudio_endpoint_requests_waiting{{{one.labels}}} {one.waiting}" for one in some]
    for name, what in (("rows", "Rows that were collected."), ("dropped", "Requests not collected, for want of room.")):
        lines += _family(f"mlstudio_endpoint_collected_{name}_total", "counter", what)
        for one in some:
            lines.append(f"mlstudio_endpoint_collected_{name}_total{{{one.labels}}} {one.collected.get(name, 0)}")
    return ("\n".join(lines) + "\n").encode()


def _family(name: str, kind: str, what: str) -> list[str]:
    return [f"# HELP {name} {what}", f"# TYPE {name} {kind}"]


def _histogram(name: str, one: Series) -> list[str]:
    lines = []
    count = 0
    for bound, more in zip((*BOUNDS_S, "+Inf"), one.tally.buckets, strict=True):
        count += more
        lines.append(f'{name}_bucket{{{one.labels},le="{bound}"}} {count}')
    return [*lines, f"{name}_sum{{{one.labels}}} {one.tally.sum_s:.9g}", f"{name}_count{{{one.labels}}} {count}"]


def _by_class(statuses: Mapping[str, int]) -> dict[str, int]:
    found = dict.fromkeys(("2xx", "4xx", "5xx"), 0)
    for status, count in statuses.items():
        group = f"{status[:1]}xx"
        found[group] = found.get(group, 0) + count
    return found


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
