"""Measures how far an ONNX model's answers are from the original's. Arithmetic only, no framework.

Rows are compared one by one. A classifier's difference in a row is the largest absolute difference of its
probabilities; a regressor's is the absolute difference divided by the scale of the original's answers (their root mean
square, or 1 when that is smaller), so that the tolerance means the same for euros and for millimetres.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jupyter_mlstudio.entities.models import ParityPolicy
from jupyter_mlstudio.errors import Invalid

CLASSIFIER_TOLERANCE = 1e-5
REGRESSOR_TOLERANCE = 1e-4
QUANTILES = (0.5, 0.9, 0.99, 0.999)
WORST_ROWS = 10


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison of two models on the same rows measured; ``label_flips`` is None for a regressor.

    ``ties`` of the flips are in rows whose two best labels the original itself finds equally probable.
    """

    rows: int
    label_flips: int | None
    ties: int
    max_abs_difference: float
    mean_abs_difference: float
    quantiles: dict[str, float]
    worst_rows: list[int]
    differences: NDArray[np.float64] = field(repr=False, compare=False)
    flipped: NDArray[np.bool_] | None = field(repr=False, compare=False)

    def within(self, policy: ParityPolicy) -> bool:
        """Tells whether no more labels flip than may, ties aside, and the rows up to the quantile are close enough."""
        usual = REGRESSOR_TOLERANCE if self.label_flips is None else CLASSIFIER_TOLERANCE
        limit = usual if policy.max_abs_difference is None else policy.max_abs_difference
        if (self.label_flips or 0) - self.ties > policy.max_label_flips:
            return False
        return float(np.quantile(self.differences, policy.quantile, method="higher")) <= limit


def compare_classifiers(
    labels: ArrayLike,
    onnx_labels: ArrayLike,
    probabilities: ArrayLike | None = None,
    onnx_probabilities: ArrayLike | None = None,
    tie: float = CLASSIFIER_TOLERANCE,
) -> Comparison:
    """Compares labels ``(n_rows,)`` and probabilities ``(n_rows, n_classes)``.

    Where rows have several labels, ``(n_rows, n_labels)``, a row flips when one of them does, and there are no ties.

    Without probabilities a row's difference is 1 where the label flips and 0 elsewhere. A forest of 200 trees that is
    split evenly over a row picks a label by the last bit of a sum: such a row, whose two best probabilities are not
    more than ``tie`` apart, may flip and is counted as a tie.
    """
    wanted, got = plain_labels(labels), plain_labels(onnx_labels)
    if wanted.shape != got.shape:
        raise Invalid(f"the ONNX model answers labels of shape {got.shape}, the original of {wanted.shape}")
    flipped = wanted != got if wanted.ndim == 1 else (wanted != got).any(axis=1)
    if probabilities is None or onnx_probabilities is None:
        return _summary(flipped.astype(np.float64), flipped)
    expected = _matrix(probabilities)
    best = np.sort(expected, axis=1)[:, -2:]
    ties = int((flipped & (best[:, -1] - best[:, 0] <= tie)).sum()) if expected.shape[1] > 1 and wanted.ndim == 1 else 0
    return _summary(_distance(expected, _matrix(onnx_probabilities)).max(axis=1), flipped, ties)


def compare_regressors(values: ArrayLike, onnx_values: ArrayLike) -> Comparison:
    """Compares predictions ``(n_rows,)`` or ``(n_rows, n_targets)``, each target relative to its own scale."""
    expected, found = _matrix(values), _matrix(onnx_values)
    finite = np.where(np.isfinite(expected), expected, 0.0)
    scale = np.maximum(np.sqrt(np.mean(np.square(finite), axis=0)), 1.0)
    return _summary((_distance(expected, found) / scale).max(axis=1), None)


def plain_labels(labels: ArrayLike) -> NDArray[np.str_]:
    """Writes labels as text in one way for both sides: ``True`` and ``1.0`` read as ``1``."""
    array = np.asarray(labels)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.dtype == np.bool_ or (np.issubdtype(array.dtype, np.floating) and np.all(np.mod(array, 1) == 0)):
        array = array.astype(np.int64)
    return array.astype(str)


def _matrix(values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if not len(array):
        raise Invalid("there are no rows to compare on")
    return array[:, np.newaxis] if array.ndim == 1 else array.reshape(array.shape[0], array[:1].size)


def _distance(expected: NDArray[np.float64], found: NDArray[np.float64]) -> NDArray[np.float64]:
    """Absolute differences; equal non-finite values differ by 0, unequal ones by infinity."""
    if expected.shape != found.shape:
        raise Invalid(f"the ONNX model answers with shape {found.shape}, the original with {expected.shape}")
    with np.errstate(invalid="ignore"):
        distance = np.abs(expected - found)
    same = (expected == found) | (np.isnan(expected) & np.isnan(found))
    return np.where(same, 0.0, np.where(np.isnan(distance), np.inf, distance))


def _summary(differences: NDArray[np.float64], flipped: NDArray[np.bool_] | None, ties: int = 0) -> Comparison:
    unflipped = np.zeros(len(differences), np.bool_) if flipped is None else ~flipped
    order = np.lexsort((np.arange(len(differences)), -differences, unflipped))
    worst = [int(row) for row in order[:WORST_ROWS] if differences[row] > 0]
    quantiles = np.quantile(differences, QUANTILES, method="higher")
    return Comparison(
        rows=len(differences),
        label_flips=int(flipped.sum()) if flipped is not None else None,
        ties=ties,
        max_abs_difference=float(differences.max()),
        mean_abs_difference=float(differences.mean()),
        quantiles={f"{q:g}": float(value) for q, value in zip(QUANTILES, quantiles, strict=True)},
        worst_rows=worst,
        differences=differences,
        flipped=flipped,
    )
