"""The models that AutoML tried, and how they compare."""

from __future__ import annotations

from dataclasses import dataclass, field

from jupyter_mlstudio.entities.values import JSON, Real

SEARCH_ENDED = "the search ended"
"""Why a candidate has no score that was at work when the search ended, or was stopped."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OnnxCheck:
    """How the ONNX form of a candidate compares with it on rows that it was not fitted on.

    ``speedup`` is how many times faster it answers one row; ``reason`` says why it is not ``ready``.
    """

    ready: bool
    rows: int = 0
    label_flips: int | None = None
    max_abs_difference: Real | None = None
    speedup: Real | None = None
    size_bytes: int = 0
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A model that was tried. The score is the primary metric over the folds, with its 95 % interval.

    Args:
        number: of the trial, from 0; the ensembles come last.
        family: e.g. ``HistGradientBoosting``; ``stage`` is ``portfolio``, ``search`` or ``ensemble``.
        rows: how many rows it was fitted on; fewer than all while only a part was looked at.
        weights: of an ensemble's members, by their number.
        predict_ms: for 1,000 rows.
    """

    number: int
    run_id: str
    family: str
    stage: str
    params: dict[str, JSON] = field(default_factory=dict)
    score: Real | None = None
    low: Real | None = None
    high: Real | None = None
    folds: list[Real] = field(default_factory=list)
    metrics: dict[str, Real] = field(default_factory=dict)
    rows: int = 0
    fit_s: float = 0.0
    predict_ms: float = 0.0
    size_bytes: int = 0
    weights: dict[str, float] = field(default_factory=dict)
    onnx: OnnxCheck | None = None
    failed: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Margin:
    """How far the winner leads the best other model, in the unit of the primary metric; above 0 is better.

    Args:
        number, family: the other model.
        low, high: the 95 % interval of the lead, from the differences in each fold; None with a single fold.
        within_noise: another sample of rows could as well have turned the two round.
    """

    number: int
    family: str
    lead: Real
    low: Real | None = None
    high: Real | None = None
    within_noise: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class FamilyState:
    """A family of models: whether it takes part, why not, how often it was tried, and its best score."""

    name: str
    tried: int = 0
    best: Real | None = None
    out: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """How columns become features for some members of an ensemble.

    Args:
        members: their numbers.
        steps: column -> the names of its steps, in order.
    """

    members: list[int]
    steps: dict[str, list[str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Partition:
    """One of many models: the part of the table that it is of, its run, and how good it is.

    ``fingerprint`` is a hash of the rows and the request; the same again takes the model that is there.
    """

    key: dict[str, JSON]
    run_id: str
    rows: int
    fingerprint: str
    score: Real | None = None
    reused: bool = False
    failed: str = ""
