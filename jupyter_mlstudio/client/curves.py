"""Curves of a classifier along its threshold: ROC, precision-recall, and Azure's accuracy table, by scikit-learn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn import metrics as sk

from jupyter_mlstudio.client.charts import Envelope, envelope

POINTS_LIMIT = 5000
BINARY_THRESHOLDS, MULTICLASS_THRESHOLDS = 501, 101

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Scored:
    """True and predicted labels with a score for each class: ``scores`` is ``(n_rows, n_classes)``, None without any.

    ``probable`` says that the scores are probabilities; ``positive`` is the column a binary classifier looks for.
    """

    truth: Array
    predicted: Array
    classes: Array
    scores: Array | None
    probable: bool
    positive: int | None
    weights: Array | None

    @property
    def names(self) -> list[str]:
        """The classes as text."""
        return [str(name) for name in self.classes.tolist()]

    def hits(self, column: int) -> Array:
        """Which rows truly belong to a class."""
        return np.asarray(self.truth == self.classes[column])

    @property
    def judged(self) -> list[int]:
        """The classes that some rows belong to and some do not: only these have curves."""
        columns = range(len(self.classes)) if self.positive is None else [self.positive]
        return [column for column in columns if 0 < np.count_nonzero(self.hits(column)) < len(self.truth)]


def roc_auc(scored: Scored, column: int) -> float:
    """Area under the ROC curve of one class against the rest."""
    assert scored.scores is not None
    return float(sk.roc_auc_score(scored.hits(column), scored.scores[:, column], sample_weight=scored.weights))


def average_precision(scored: Scored, column: int) -> float:
    """Average precision of one class against the rest."""
    assert scored.scores is not None
    return float(
        sk.average_precision_score(scored.hits(column), scored.scores[:, column], sample_weight=scored.weights)
    )


def roc_chart(scored: Scored) -> Envelope:
    """ROC curves: of the positive class, or of each class with their micro and macro average."""
    assert scored.scores is not None
    curves: list[dict[str, object]] = []
    for column in scored.judged:
        fpr, tpr, thresholds = sk.roc_curve(scored.hits(column), scored.scores[:, column], sample_weight=scored.weights)
        curves.append(_roc(scored.names[column], "class", fpr, tpr, thresholds, roc_auc(scored, column)))
    if scored.positive is None:
        hits, scores, weights = _all_classes(scored)
        fpr, tpr, thresholds = sk.roc_curve(hits, scores, sample_weight=weights)
        area = float(sk.roc_auc_score(hits, scores, sample_weight=weights))
        curves.append(_roc("micro average", "micro", fpr, tpr, thresholds, area))
        grid = np.unique(np.concatenate([np.asarray(curve["fpr"]) for curve in curves[:-1]]))
        mean = np.mean([np.interp(grid, curve["fpr"], curve["tpr"]) for curve in curves[:-1]], axis=0)  # type: ignore[call-overload]
        area = float(np.mean([float(str(curve["auc"])) for curve in curves[:-1]]))
        curves.append(_roc("macro average", "macro", np.r_[0.0, grid], np.r_[0.0, mean], np.array([]), area))
    return _curves("roc_curve", scored, curves, ("fpr", "tpr", "thresholds"))


def precision_recall_chart(scored: Scored) -> Envelope:
    """Precision-recall curves: of the positive class, or of each class with their micro and macro average."""
    assert scored.scores is not None
    curves: list[dict[str, object]] = []
    for column in scored.judged:
        precision, recall, thresholds = sk.precision_recall_curve(
            scored.hits(column), scored.scores[:, column], sample_weight=scored.weights
        )
        average = average_precision(scored, column)
        curves.append(_pr(scored.names[column], "class", precision, recall, thresholds, average))
    if scored.positive is None:
        hits, scores, weights = _all_classes(scored)
        precision, recall, thresholds = sk.precision_recall_curve(hits, scores, sample_weight=weights)
        average = float(sk.average_precision_score(hits, scores, sample_weight=weights))
        curves.append(_pr("micro average", "micro", precision, recall, thresholds, average))
        grid = np.linspace(1.0, 0.0, 201)
        falling = [(np.asarray(curve["recall"])[::-1], np.asarray(curve["precision"])[::-1]) for curve in curves[:-1]]
        mean = np.mean([np.interp(grid, recalls, precisions) for recalls, precisions in falling], axis=0)
        average = float(np.mean([float(str(curve["average_precision"])) for curve in curves[:-1]]))
        curves.append(_pr("macro average", "macro", mean, grid, np.array([]), average))
    return _curves("precision_recall_curve", scored, curves, ("precision", "recall", "thresholds"))


def _all_classes(scored: Scored) -> tuple[Array, Array, Array | None]:
    """Every row once for each class: what a micro average is computed of."""
    assert scored.scores is not None
    hits = np.column_stack([scored.hits(column) for column in range(len(scored.classes))])
    weights = None if scored.weights is None else np.repeat(scored.weights, len(scored.classes))
    return hits.ravel(), scored.scores.ravel(), weights


def _roc(label: str, kind: str, fpr: Array, tpr: Array, thresholds: Array, area: float) -> dict[str, object]:
    return {"label": label, "kind": kind, "fpr": fpr, "tpr": tpr, "thresholds": thresholds, "auc": area}


def _pr(label: str, kind: str, precision: Array, recall: Array, thresholds: Array, average: float) -> dict[str, object]:
    return {
        "label": label, "kind": kind, "precision": precision, "recall": recall, "thresholds": thresholds,
        "average_precision": average,
    }  # fmt: skip


def _curves(kind: str, scored: Scored, curves: list[dict[str, object]], columns: tuple[str, ...]) -> Envelope:
    thinned = sum(_thin(curve, columns) for curve in curves) > 0
    label = None if scored.positive is None else scored.names[scored.positive]
    return envelope(kind, {"curves": curves, "positive_label": label, "thinned": thinned})


def _thin(curve: dict[str, object], columns: tuple[str, ...]) -> bool:
    """Takes points out of a long curve, evenly, the ends kept; its area is of all points."""
    size = max(len(np.asarray(curve[column])) for column in columns)
    if size <= POINTS_LIMIT:
        return False
    kept = np.unique(np.linspace(0, size - 1, POINTS_LIMIT).round().astype(np.int64))
    for column in columns:
        values = np.asarray(curve[column])
        curve[column] = values[kept[kept < len(values)]]
    return True


def accuracy_table(scored: Scored) -> Envelope:
    """Azure's accuracy table 1.0.1: TP, FP, TN, FN of each class against the rest, at evenly spaced thresholds.

    Probability thresholds are spaced over the scores' range (0 to 1 for probabilities), percentile thresholds over
    their distribution. A row counts as positive when its score is at least the threshold.
    """
    assert scored.scores is not None
    points = BINARY_THRESHOLDS if len(scored.classes) == 2 else MULTICLASS_THRESHOLDS
    low, high = (0.0, 1.0) if scored.probable else (float(scored.scores.min()), float(scored.scores.max()))
    even = np.linspace(low, high, points)
    spread = np.quantile(scored.scores, np.linspace(0.0, 1.0, points))
    columns = range(len(scored.classes))
    return envelope(
        "accuracy_table",
        {
            "probability_tables": [_counts(scored, column, even) for column in columns],
            "percentile_tables": [_counts(scored, column, spread) for column in columns],
            "probability_thresholds": even,
            "percentile_thresholds": spread,
            "class_labels": scored.names,
        },
    )


def _counts(scored: Scored, column: int, thresholds: Array) -> Array:
    """TP, FP, TN, FN of one class at each threshold: ``(n_thresholds, 4)``, whole numbers without weights."""
    assert scored.scores is not None
    order = np.argsort(scored.scores[:, column], kind="stable")
    weights = np.ones(len(order), dtype=np.int64) if scored.weights is None else scored.weights[order]
    hits = np.where(scored.hits(column)[order], weights, 0)
    below = np.searchsorted(scored.scores[order, column], thresholds, side="left")
    all_below = np.concatenate([[0], np.cumsum(weights)])[below]
    fn = np.concatenate([[0], np.cumsum(hits)])[below]
    tp = hits.sum() - fn
    tn = all_below - fn
    fp = (weights.sum() - hits.sum()) - tn
    return np.column_stack([tp, fp, tn, fn])
