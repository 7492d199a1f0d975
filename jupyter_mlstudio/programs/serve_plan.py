"""What an endpoint shall be: deployments, their settings and shares, as the studio wrote it into ``plan.json``.

The file is replaced as a whole whenever somebody changes the endpoint, and read again when it has changed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_mlstudio.entities.values import JSON

MEGABYTE = 1024 * 1024
ONNX = "onnx"


@dataclass(frozen=True, slots=True)
class Probe:
    """When a worker counts as hung, and when as ready: it says something every second."""

    initial_delay_s: float = 0.0
    period_s: float = 1.0
    timeout_s: float = 3.0
    success_threshold: int = 1
    failure_threshold: int = 6

    @property
    def patience_s(self) -> float:
        """So long a worker may say nothing."""
        return max(self.period_s * self.failure_threshold, self.timeout_s)


@dataclass(frozen=True, slots=True)
class Scale:
    """How many workers there are, and when there are more or fewer."""

    min_instances: int = 1
    max_instances: int = 1
    idle_s: float = 300.0
    target_utilization_percentage: float = 70.0


@dataclass(frozen=True, slots=True)
class Planned:
    """A deployment as it shall be. ``limits`` are a worker's; ``generation`` grows when its workers shall be new."""

    name: str
    kind: str
    model: str
    version: int
    onnx: str
    script: str = ""
    folder: str = ""
    generation: int = 0
    limits: dict[str, JSON] = field(default_factory=dict)
    scale: Scale = Scale()
    liveness: Probe = Probe()
    readiness: Probe = Probe()
    collector: dict[str, JSON] = field(default_factory=dict)
    requests: int = 0
    errors: int = 0

    @property
    def identity(self) -> str:
        """What may not change without new workers."""
        parts = [
            self.kind, self.model, self.version, self.onnx, self.script, self.folder, self.generation, self.limits,
            self.collector,
        ]  # fmt: skip
        return json.dumps(parts, sort_keys=True)


@dataclass(frozen=True, slots=True)
class Plan:
    """An endpoint as it shall be."""

    endpoint: str
    deployments: dict[str, Planned]
    traffic: dict[str, int]
    mirror: dict[str, int] = field(default_factory=dict)
    sticky_header: str = ""
    canary: dict[str, JSON] | None = None
    etag: int = 0


class PlanFile:
    """The file, which somebody else replaces at any time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None

    def changed(self) -> Plan | None:
        """Reads it when it is another one than at the last call. A file that cannot be read leaves all as it is."""
        try:
            status = os.stat(self._path)  # noqa: PTH116 - several times a second
            stamp = (status.st_mtime_ns, status.st_ino, status.st_size)
            if stamp == self._stamp:
                return None
            plan = parse(json.loads(self._path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        self._stamp = stamp
        return plan


def parse(content: Mapping[str, Any]) -> Plan:
    """Reads a plan. Raises KeyError, TypeError or ValueError when it is none."""
    deployments = [_planned(one) for one in content["deployments"]]
    return Plan(
        endpoint=str(content["endpoint"]),
        deployments={one.name: one for one in deployments},
        traffic={str(name): int(share) for name, share in content["traffic"].items()},
        mirror={str(name): int(share) for name, share in (content.get("mirror") or {}).items()},
        sticky_header=str(content.get("sticky_header") or ""),
        canary=content.get("canary"),
        etag=int(content.get("etag", 0)),
    )


def of_options(options: Mapping[str, Any]) -> Plan:
    """The plan of an endpoint with one deployment, which needs no file."""
    only = {**options, "name": "blue", "settings": options.get("limits") or {}}
    content = {"endpoint": options["endpoint"], "deployments": [only], "traffic": {"blue": 100}}
    return parse(content)


def _planned(one: Mapping[str, Any]) -> Planned:
    settings = one.get("settings") or {}
    flat = _flat(settings)
    return Planned(
        name=str(one["name"]), kind=str(one.get("kind") or ONNX), model=str(one["model"]), version=int(one["version"]),
        onnx=str(one.get("onnx") or ""), script=str(one.get("script") or ""), folder=str(one.get("folder") or ""),
        generation=int(one.get("generation") or 0), limits=_limits(flat), scale=_made(Scale, flat),
        liveness=_made(Probe, settings.get("liveness_probe") or {}),
        readiness=_made(Probe, settings.get("readiness_probe") or {}),
        collector=dict(settings.get("data_collector") or {}),
        requests=int(one.get("requests") or 0), errors=int(one.get("errors") or 0),
    )  # fmt: skip


_LIMITS: dict[str, tuple[str, float]] = {
    "request_timeout_ms": ("request_timeout_s", 0.001),
    "max_queue_wait_ms": ("queue_wait_s", 0.001),
    "max_concurrent_requests_per_instance": ("max_concurrent_requests", 1),
    "memory_mb": ("memory_bytes", MEGABYTE),
    "body_mb": ("body_bytes", MEGABYTE),
    "rows": ("rows", 1),
    "threads": ("threads", 1),
}
"""Settings of a deployment, the limits of a worker that they are, and the factor between their units."""


def _limits(flat: Mapping[str, Any]) -> dict[str, JSON]:
    found: dict[str, JSON] = {}
    for name, (limit, factor) in _LIMITS.items():
        if flat.get(name) is not None:
            value = float(flat[name]) * factor
            found[limit] = value if limit.endswith("_s") else int(value)
    return found


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    """All settings but the probes', whose names are the same, as one level."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping) and not name.endswith("probe"):
            found |= _flat(value)
        elif not isinstance(value, Mapping):
            found[name] = value
    return found


def _made(kind: Any, values: Mapping[str, Any]) -> Any:
    names = kind.__dataclass_fields__
    return kind(**{name: values[name] for name in names if values.get(name) is not None})
