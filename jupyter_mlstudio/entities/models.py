"""Registered models and their versions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from jupyter_mlstudio.entities.values import JSON, STRICT, Real


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


@dataclass(frozen=True, kw_only=True, slots=True)
class TensorSpec:
    """One input or output: Open Inference Protocol V2 ``datatype`` and ``shape``, -1 where a dimension is free.

    ``onnx_name`` is the name inside the ONNX graph, where it differs. ``columns`` names the features of a matrix.
    """

    name: str
    datatype: str
    shape: list[int]
    onnx_name: str = ""
    columns: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """What a model takes and answers. ``labels`` are the classes of a classifier in the order of its probabilities."""

    inputs: list[TensorSpec]
    outputs: list[TensorSpec]
    task: str
    labels: list[str] = field(default_factory=list)


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
class ParityReport:
    """The proof that ONNX answers like the original, fed the same rows in their original precision.

    Differences are of probabilities for a classifier and relative to the target's scale for a regressor.
    ``worst_rows`` are row numbers of the sample, worst first. ``ties`` of the flips are in rows whose two best labels
    the original itself finds equally probable; they do not count against the model.
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """A name under which versions are registered, newest first in ``versions`` (numbers)."""

    name: str
    description: str
    created_at: datetime
    updated_at: datetime
    aliases: dict[str, int]
    versions: list[int]
    latest: ModelVersion | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversion:
    """What a version's convert run found out.

    ``onnx`` is the converted file in that run's artifacts, None when there is none. ``sample`` is an Open Inference
    Protocol V2 request made of a few of the sample's rows.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    ready: bool
    reason: str = ""
    framework: str = ""
    onnx: str | None = None
    signature: Signature | None = None
    parity: ParityReport | None = None
    sample: dict[str, JSON] | None = None
