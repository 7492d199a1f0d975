"""Deployments: a model version behind an endpoint, and how it is served. Names are Azure Machine Learning's."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from jupyter_mlstudio.entities.values import JSON, Real


class DeploymentKind(StrEnum):
    """What answers: the ONNX form, a scoring script, or the original model. The last two execute what they load."""

    ONNX = "onnx"
    SCRIPT = "script"
    NATIVE = "native"


class DeploymentState(StrEnum):
    """What a deployment does now. ``IDLE``: no process, because nothing asked lately; the next request starts one."""

    STARTING = "Starting"
    READY = "Ready"
    IDLE = "Idle"
    STOPPED = "Stopped"
    FAILED = "Failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestSettings:
    """How long a request may take, how many an instance works on or keeps waiting, and how long one may wait."""

    request_timeout_ms: int = 30_000
    max_concurrent_requests_per_instance: int = 64
    max_queue_wait_ms: int = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class ScaleSettings:
    """How many instances there are. 0 starts the first one with the first request; ``idle_s`` without any ends it."""

    min_instances: int = 1
    max_instances: int = 1
    idle_s: float = 300.0
    target_utilization_percentage: float = 70.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeSettings:
    """When an instance counts as hung or ready: it is asked every ``period_s`` and may fail so often in a row."""

    initial_delay_s: float = 0.0
    period_s: float = 1.0
    timeout_s: float = 3.0
    success_threshold: int = 1
    failure_threshold: int = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class DeploymentLimits:
    """What one instance may take, and one request."""

    memory_mb: int = 4096
    body_mb: int = 16
    rows: int = 100_000
    threads: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class DataCollector:
    """Whether requests and answers are kept, which share of them, without which columns, for how many days."""

    enabled: bool = False
    sampling_rate: float = 1.0
    masked_columns: list[str] = field(default_factory=list)
    retention_days: int = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class DeploymentSettings:
    """How a version is served."""

    request_settings: RequestSettings = field(default_factory=RequestSettings)
    scale_settings: ScaleSettings = field(default_factory=ScaleSettings)
    liveness_probe: ProbeSettings = field(default_factory=ProbeSettings)
    readiness_probe: ProbeSettings = field(default_factory=ProbeSettings)
    limits: DeploymentLimits = field(default_factory=DeploymentLimits)
    data_collector: DataCollector = field(default_factory=DataCollector)


@dataclass(frozen=True, kw_only=True, slots=True)
class EndpointStats:
    """Counts since it was made, and latencies of the last minute in milliseconds (None without requests)."""

    requests: int = 0
    errors: int = 0
    requests_per_s: float = 0.0
    p50_ms: Real | None = None
    p95_ms: Real | None = None
    p99_ms: Real | None = None
    queue: int = 0
    last_request_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MirrorStats:
    """What the copies of requests have shown: how many, how many were lost, and how the answers differ.

    ``drift`` is the population stability index of the answers, of the output where it is largest; None while there are
    too few.
    """

    copies: int = 0
    dropped: int = 0
    failed: int = 0
    disagreements: int = 0
    max_difference: Real = 0.0
    mean_difference: Real = 0.0
    drift: Real | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """A model version behind an endpoint.

    ``version`` is the one that it shall serve, ``serving_version`` the one that it does until the new one is ready.
    ``applied`` tells whether its processes go by the latest change. ``executes_code`` marks what is not ONNX alone.
    """

    name: str
    model: str
    version: int
    kind: DeploymentKind
    executes_code: bool
    script: str | None
    traffic: int
    mirror: int
    settings: DeploymentSettings
    run_id: str | None
    run_name: str
    state: DeploymentState
    reason: str
    instances: int
    serving_version: int | None
    applied: bool
    stats: EndpointStats
    mirrored: MirrorStats
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class CanaryPolicy:
    """How a deployment takes the traffic over by itself, and when it gives it back.

    ``steps`` are its shares in percent. Each lasts ``wait_s`` and ``min_requests`` at least. It goes back when more
    than ``max_error_rate`` of its requests fail, when 95 % of them take more than ``max_p95_ratio`` times as long as
    the others', when more than ``max_disagreement`` of the copies that it gets (``mirror`` percent) are answered
    otherwise, or when the distribution of those answers has drifted by more than ``max_drift``, a population stability
    index; None allows any.
    """

    steps: list[int] = field(default_factory=lambda: [5, 25, 50, 100])
    wait_s: float = 60.0
    min_requests: int = 100
    max_error_rate: float = 0.01
    max_p95_ratio: float = 2.0
    max_disagreement: float = 1.0
    max_drift: float | None = None
    mirror: int = 0


class CanaryState(StrEnum):
    """Where a canary release is."""

    RUNNING = "Running"
    PROMOTED = "Promoted"
    ROLLED_BACK = "RolledBack"
    STOPPED = "Stopped"


@dataclass(frozen=True, kw_only=True, slots=True)
class CanaryEvent:
    """One step of a canary release: what was done, why, and what had been measured."""

    at: datetime
    action: str
    traffic: dict[str, int]
    why: str
    measured: dict[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Canary:
    """A canary release, under way or over. ``before`` is the traffic that it began with."""

    deployment: str
    policy: CanaryPolicy
    state: CanaryState
    step: int
    started_at: datetime
    before: dict[str, int]
    journal: list[CanaryEvent] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerDifference:
    """One copied request: how the answer of a mirrored deployment differed from the one that was given."""

    at: datetime
    deployment: str
    live: str
    live_status: int
    copy_status: int
    disagrees: bool
    labels: int
    max_difference: Real
    live_ms: Real | None = None
    copy_ms: Real | None = None
    examples: list[dict[str, JSON]] = field(default_factory=list)
