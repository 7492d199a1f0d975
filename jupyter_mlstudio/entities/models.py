"""Registered models and their versions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from jupyter_mlstudio.entities.values import JSON, STRICT, Real

ONE, MANY = "model.onnx", "models.zip"
"""What of a version is served: an ONNX file, or an archive of many, one for each value of some columns."""


class VersionStatus(StrEnum):
    """Where a model version is on its way from files to something that may be served."""

    CONVERTING = "Converting"
    READY = "Ready"
    REFUSED = "Refused"
    """Kept and downloadable, but not servable: not converted, or the ONNX model does not answer the same."""


VERSION_MOVES: dict[VersionStatus, frozenset[VersionStatus]] = {
    VersionStatus.CONVERTING: frozenset({VersionStatus.READY, VersionStatus.REFUSED}),
    VersionStatus.READY: frozenset(),
    VersionStatus.REFUSED: frozenset(),
}


class Stage(StrEnum):
    """How far a version is meant to be used. None, Staging, Production and Archived are MLflow's words, None,
    Development, Production and Archived those of Azure's registries.

    Archived is no stage beside the archive but the archive itself: whoever moves a version there archives it.
    """

    NONE = "None"
    DEVELOPMENT = "Development"
    STAGING = "Staging"
    PRODUCTION = "Production"
    ARCHIVED = "Archived"


class ApprovalStatus(StrEnum):
    """What was decided about a version."""

    PENDING = "Pending"
    APPROVED = "Approved"
    REJECTED = "Rejected"


@dataclass(frozen=True, kw_only=True, slots=True)
class Approval:
    """The last decision about a version: who made it, when and why. ``at`` is None while nobody has decided."""

    status: ApprovalStatus = ApprovalStatus.PENDING
    user: str = ""
    at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelFormat:
    """What a file of a version is, told from its content. ``executes`` says that loading it may execute code."""

    path: str
    format: str
    executes: bool
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class TensorSpec:
    """One input or output: Open Inference Protocol V2 ``datatype`` and ``shape``, -1 where a dimension is free.

    ``onnx_name`` is the name inside the ONNX graph, where it differs. ``columns`` names the features of a matrix.
    ``choices`` are the values that there are, where only some have an answer, or the first of them.
    """

    name: str
    datatype: str
    shape: list[int]
    onnx_name: str = ""
    columns: list[str] = field(default_factory=list)
    choices: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """What a model takes and answers. ``labels`` are the classes of a classifier in the order of its probabilities.

    ``routed_by`` names the inputs that tell which of many models answers a row; empty where there is one model.
    """

    inputs: list[TensorSpec]
    outputs: list[TensorSpec]
    task: str
    labels: list[str] = field(default_factory=list)
    routed_by: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class ParityAttempt:
    """One rung of the ladder of number types and what it measured; ``error`` when it did not convert or load."""

    dtype: str
    label_flips: int | None = None
    max_abs_difference: Real | None = None
    mean_abs_difference: Real | None = None
    accepted: bool = False
    error: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ParityPolicy:
    """How far ONNX may be from the original so that a version is still ready.

    ``max_abs_difference`` bounds the difference of the rows up to ``quantile``: 1 means every row, 0.99 lets one row in
    a hundred differ more. None takes 1e-5 for probabilities and 1e-4 of the scale for values.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    max_label_flips: int = 0
    max_abs_difference: float | None = None
    quantile: float = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class WorstRow:
    """One of the rows that differ most: what went in, and both answers. ``row`` is its number in the sample.

    ``inputs`` is None where a row is too large to be shown. Answers are a label with probabilities, or values.
    """

    row: int
    difference: Real
    flipped: bool
    inputs: JSON
    native: JSON
    onnx: JSON


@dataclass(frozen=True, kw_only=True, slots=True)
class ParityReport:
    """The proof that ONNX answers like the original, fed the same rows in their original precision.

    Differences are of probabilities for a classifier and relative to the target's scale for a regressor.
    ``worst_rows`` are row numbers of the sample, worst first. ``ties`` of the flips are in rows whose two best labels
    the original itself finds equally probable; they do not count against the model. ``recorded`` says by what the
    original's answers were computed when the model was logged; it is empty when the convert run computed them itself.
    """

    rows: int
    label_flips: int | None
    max_abs_difference: Real
    mean_abs_difference: Real
    quantiles: dict[str, Real]
    tolerance: float
    dtype: str
    opset: int
    worst_rows: list[int]
    attempts: list[ParityAttempt]
    runtime: str
    ties: int = 0
    policy: ParityPolicy = field(default_factory=ParityPolicy)
    worst: list[WorstRow] = field(default_factory=list)
    recorded: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class LatencyProfile:
    """How long the ONNX model takes in the convert run: medians in milliseconds of one row and of 100, one thread."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    one_row_ms: float
    hundred_rows_ms: float
    threads: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class ThresholdReport:
    """A decision threshold in the ONNX graph: it answers ``positive`` where its probability is at least ``threshold``.

    Compared with the labels that the original's own probabilities give at the same threshold. ``ties`` of the flips are
    in rows whose probability lies within the tolerance of the threshold. ``rows`` is 0 when there was no sample.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    threshold: float
    positive: str
    rows: int = 0
    label_flips: int = 0
    ties: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelFile:
    """A file of a model version, its size and SHA-256."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelVersion:
    """One immutable version of a registered model. ``operators`` are those of its ONNX graph."""

    model: str
    version: int
    status: VersionStatus
    reason: str
    run_id: str | None
    source: str
    convert_run_id: str | None
    framework: str
    description: str
    user: str
    created_at: datetime
    aliases: list[str]
    tags: dict[str, str]
    sha256: str
    size_bytes: int
    files: list[ModelFile]
    signature: Signature | None
    parity: ParityReport | None
    sample: JSON
    operators: list[str]
    etag: int
    stage: Stage = Stage.NONE
    approval: Approval = field(default_factory=Approval)
    archived_at: datetime | None = None
    formats: list[ModelFormat] = field(default_factory=list)
    profile: LatencyProfile | None = None
    threshold: ThresholdReport | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """A name under which versions are registered, newest first in ``versions`` (numbers), without archived ones.

    Moving or removing one of ``protected_aliases`` needs a reason.
    """

    name: str
    description: str
    created_at: datetime
    updated_at: datetime
    aliases: dict[str, int]
    versions: list[int]
    latest: ModelVersion | None
    tags: dict[str, str] = field(default_factory=dict)
    protected_aliases: list[str] = field(default_factory=list)
    archived_at: datetime | None = None
    archived_versions: list[int] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversion:
    """What a version's convert run found out.

    ``onnx`` is the converted file in that run's artifacts, None when there is none. ``sample`` is an Open Inference
    Protocol V2 request made of a few of the sample's rows. ``evidence`` are the files beside ``onnx`` with which
    anybody can repeat the comparison.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    ready: bool
    reason: str = ""
    framework: str = ""
    onnx: str | None = None
    signature: Signature | None = None
    parity: ParityReport | None = None
    sample: dict[str, JSON] | None = None
    evidence: list[str] = field(default_factory=list)
    profile: LatencyProfile | None = None
    threshold: ThresholdReport | None = None
