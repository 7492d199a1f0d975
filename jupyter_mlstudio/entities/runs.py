"""Runs: everything that executes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from jupyter_mlstudio.entities.specs import RunSpec
from jupyter_mlstudio.entities.values import Real, Step


class RunKind(StrEnum):
    """What a run executes."""

    CELL = "cell"
    SCRIPT = "script"
    NOTEBOOK = "notebook"
    COMMAND = "command"
    INTERACTIVE = "interactive"
    CONVERT = "convert"
    SERVE = "serve"
    BATCH = "batch"
    PACKAGE = "package"
    SWEEP = "sweep"
    TRIAL = "trial"
    AUTOML = "automl"


STEERED = frozenset({RunKind.SWEEP, RunKind.AUTOML})
"""Kinds whose trials are runs below them, and which are paused, stopped and gone on with as a sweep is."""


class RunStatus(StrEnum):
    """The closed set of a run's statuses; the names are Azure Machine Learning's."""

    NOT_STARTED = "NotStarted"
    QUEUED = "Queued"
    PREPARING = "Preparing"
    PROVISIONING = "Provisioning"
    STARTING = "Starting"
    RUNNING = "Running"
    FINALIZING = "Finalizing"
    CANCEL_REQUESTED = "CancelRequested"
    NOT_RESPONDING = "NotResponding"
    PAUSED = "Paused"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELED = "Canceled"


_S = RunStatus
TERMINAL = frozenset({_S.COMPLETED, _S.FAILED, _S.CANCELED})
WAITING = frozenset({_S.NOT_STARTED, _S.QUEUED})
ACTIVE = frozenset(_S) - TERMINAL - WAITING
"""Statuses that claim a living process and take up a slot."""

_END = TERMINAL
_STOP = _END | {_S.CANCEL_REQUESTED}
MOVES: dict[RunStatus, frozenset[RunStatus]] = {
    _S.NOT_STARTED: frozenset({_S.QUEUED, _S.CANCELED, _S.FAILED}),
    _S.QUEUED: frozenset({_S.PREPARING, _S.CANCELED, _S.FAILED}),
    _S.PREPARING: _STOP | {_S.QUEUED, _S.PROVISIONING, _S.STARTING},
    _S.PROVISIONING: _STOP | {_S.STARTING},
    _S.STARTING: _STOP | {_S.RUNNING},
    _S.RUNNING: _STOP | {_S.FINALIZING, _S.NOT_RESPONDING, _S.PAUSED},
    _S.NOT_RESPONDING: _STOP | {_S.RUNNING, _S.FINALIZING},
    _S.PAUSED: _STOP | {_S.RUNNING},
    _S.FINALIZING: _STOP,
    _S.CANCEL_REQUESTED: _END,
    _S.COMPLETED: frozenset(),
    _S.FAILED: frozenset(),
    _S.CANCELED: frozenset(),
}
"""The allowed moves, written down here and nowhere else. A terminal status has none."""

MLFLOW_STATUS: dict[RunStatus, str] = {
    **dict.fromkeys(ACTIVE, "RUNNING"),
    **dict.fromkeys(WAITING, "SCHEDULED"),
    _S.COMPLETED: "FINISHED",
    _S.FAILED: "FAILED",
    _S.CANCELED: "KILLED",
}
"""How each status reads in MLflow's five words (``RunStatus`` in MLflow's ``service.proto``)."""


def may_move(old: RunStatus, new: RunStatus) -> bool:
    """Tells whether a run may go from ``old`` to ``new``."""
    return new in MOVES[old]


@dataclass(frozen=True, kw_only=True, slots=True)
class GitState:
    """The repository a run was submitted from. ``patch_bytes`` is the size of the stored diff against ``commit``."""

    commit: str
    branch: str | None
    remote_url: str | None
    dirty: bool
    patch_bytes: int
    untracked: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Where a run came from. Paths are relative to the workspace's root."""

    notebook: str | None = None
    cell_id: str | None = None
    cell_number: int | None = None
    script: str | None = None
    host: str | None = None
    git: GitState | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """The software a run executed with; ``packages`` maps distribution names to versions."""

    python: str | None = None
    implementation: str | None = None
    platform: str | None = None
    executable: str | None = None
    packages: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far a run is: ``done`` of ``total`` units, and what it does now."""

    done: int
    total: int
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricSummary:
    """One metric of a run, without its points. ``min`` and ``max`` ignore NaN and infinities (None when all are)."""

    name: str
    last: Real
    last_step: Step
    last_at: datetime
    min: float | None
    max: float | None
    count: int
    sparkline: list[float | None] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricSeries:
    """Points of one metric in the order they arrived, three lists of one length.

    ``total`` is the number of points kept; when ``sampled``, the lists hold fewer, with every visible extreme kept.
    """

    name: str
    steps: list[Step]
    times: list[float]
    values: list[Real]
    total: int
    sampled: bool
    non_finite: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSummary:
    """A run as a table or a list shows it."""

    id: str
    name: str
    experiment_id: str
    experiment: str
    kind: RunKind
    status: RunStatus
    reason: str
    user: str
    target: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    duration_s: float | None
    parent_run_id: str | None
    waits_for: str | None
    progress: Progress | None
    params: dict[str, str]
    metrics: dict[str, Real]
    tags: dict[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Run(RunSummary):
    """A run as its own view shows it."""

    exit_code: int | None
    last_seen_at: datetime | None
    retry_of: str | None
    stop_requested_at: datetime | None
    description: str
    spec: RunSpec
    origin: Origin
    environment: Environment | None
    snapshot_id: str | None
    folder: str
    summaries: list[MetricSummary]
    etag: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RunPage:
    """One page of a list of runs; ``total`` counts all that match."""

    items: list[RunSummary]
    total: int
    next_page_token: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class LogSlice:
    """A part of a run's output, ``[offset, next_offset)`` in bytes of a file of ``size`` bytes."""

    text: str
    offset: int
    next_offset: int
    size: int
    live: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ArtifactEntry:
    """A file or folder of a run. ``kind`` is ``file``, ``folder`` or ``special`` (a device, socket, pipe or link)."""

    path: str
    name: str
    kind: str
    size_bytes: int
    modified_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ArtifactList:
    """The content of one folder of a run, folders first, at most a page of it."""

    path: str
    entries: list[ArtifactEntry]
    total: int
    next_page_token: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """What a file looks like, safe to show.

    ``kind`` is ``text``, ``json``, ``table``, ``image``, ``notebook`` or ``none``.

    ``text`` holds text, JSON or a notebook; ``rows`` a table, its first row the header; ``data_url`` an image.
    """

    path: str
    kind: str
    size_bytes: int
    text: str = ""
    rows: list[list[str]] = field(default_factory=list)
    data_url: str = ""
    truncated: bool = False
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chart:
    """A chart kept as data, in the envelope of Azure's metric schemas: type and version with the data."""

    name: str
    schema_type: str
    schema_version: str
    data: dict[str, object]
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class SnapshotFile:
    """A file of a code snapshot; ``sha256`` is its address, empty when it was left out (``reason`` says why)."""

    path: str
    size_bytes: int
    sha256: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """The code that a run executed, addressed by its content. ``entry`` is the file that was started."""

    id: str
    entry: str | None
    files: list[SnapshotFile]
    left_out: list[SnapshotFile]
    patch: str = ""
