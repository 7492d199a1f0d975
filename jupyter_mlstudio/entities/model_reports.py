"""What is told about registered models: their journal, who uses them, where they come from, how two of them differ."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from jupyter_mlstudio.entities.models import ModelVersion
from jupyter_mlstudio.entities.values import JSON


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelEvent:
    """One entry of a model's journal, which is only added to.

    ``digest`` is the SHA-256 of this entry and of the digest before it, so that a cut or a change shows.
    """

    at: datetime
    user: str
    version: int | None
    action: str
    reason: str
    details: dict[str, JSON]
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelJournal:
    """What happened to a model, oldest first. ``whole`` says whether every digest fits the one before it."""

    events: list[ModelEvent]
    whole: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelUser:
    """Something that uses a version. ``kind`` is ``alias``, ``endpoint``, ``batch endpoint`` or ``batch job``."""

    kind: str
    name: str
    version: int
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelCard:
    """A model card: Markdown that begins with YAML metadata, in the form of Hugging Face's model cards."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LineageRun:
    """A run in a version's history."""

    id: str
    name: str
    experiment: str
    kind: str
    status: str
    user: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LineageData:
    """A data set that went into the run, as it was logged."""

    name: str
    digest: str
    source_type: str
    source: str
    context: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelLineage:
    """Where a version comes from and what hangs on it. ``commit`` and ``snapshot_id`` say which code."""

    source: str
    run: LineageRun | None
    convert_run: LineageRun | None
    snapshot_id: str | None
    entry: str | None
    commit: str | None
    branch: str | None
    dirty: bool
    data: list[LineageData]
    users: list[ModelUser]


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueChange:
    """One named value in two versions; None where a version does not have it."""

    name: str
    left: JSON
    right: JSON


@dataclass(frozen=True, kw_only=True, slots=True)
class FileChange:
    """One file of the code in two versions. ``diff`` is a unified diff, empty for what is not text; it may be cut."""

    path: str
    change: str
    diff: str = ""
    truncated: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class SignatureChange:
    """One input or output that differs. ``breaks`` says that a caller of the left version fails with the right one."""

    where: str
    name: str
    change: str
    left: str
    right: str
    breaks: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelComparison:
    """Two versions side by side. Lists hold what differs, except ``metrics``, which holds all."""

    left: ModelVersion
    right: ModelVersion
    metrics: list[ValueChange]
    params: list[ValueChange]
    data: list[ValueChange]
    environment: list[ValueChange]
    code: list[FileChange]
    parity: list[ValueChange]
    size: list[ValueChange]
    latency: list[ValueChange]
    signature: list[SignatureChange]
