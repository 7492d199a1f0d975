"""The metrics and charts of a classifier, computed by scikit-learn."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn import metrics as sk
from sklearn.exceptions import UndefinedMetricWarning

from jupyter_mlstudio.client.charts import Envelope, envelope
from jupyter_mlstudio.client.curves import (
    Array,
    Scored,
    accuracy_table,
    average_precision,
    precision_recall_chart,
    roc_auc,
    roc_chart,
)
from jupyter_mlstudio.errors import Invalid


def classify(
    model: Any,
    X: Any,  # noqa: N803
    truth: Array,
    predicted: Array,
    labels: Sequence[object] | None,
    positive_label: object,
    weights: Array | None,
) -> tuple[dict[str, float], dict[str, Envelope]]:
    """Returns metrics and charts; what cannot be computed (no scores, one class only) is left out."""
    classes = _classes(model, truth, predicted, labels)
    scores, probable = _scores(model, X, classes)
    positive = _positive(classes, positive_label)
    scored = Scored(truth, predicted, classes, scores, probable, positive, weights)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        found = _metrics(scored)
        charts = {"confusion_matrix": _confusion_matrix(scored)}
        if scores is not None and scored.judged:
            charts["roc_curve"] = roc_chart(scored)
            charts["precision_recall_curve"] = precision_recall_chart(scored)
        if scores is not None:
            charts["accuracy_table"] = accuracy_table(scored)
    return found, charts


def _classes(model: Any, truth: Array, predicted: Array, labels: Sequence[object] | None) -> Array:
    known = labels if labels is not None else getattr(model, "classes_", None)
    if known is None or (isinstance(known, list) and known and isinstance(known[0], np.ndarray)):
        return np.unique(np.concatenate([truth, predicted]))
    classes = np.asarray(known)
    strange = sorted({str(value) for value in np.unique(truth)} - {str(value) for value in classes})
    if strange:
        raise Invalid(
            f"y holds the labels {', '.join(strange[:5])}, which the model does not know; it knows {list(classes)[:10]}"
        )
    return classes


def _scores(model: Any, X: Any, classes: Array) -> tuple[Array | None, bool]:  # noqa: N803
    for method in ("predict_proba", "decision_function"):
        answer = getattr(model, method, None)
        if answer is None:
            continue
        values = np.asarray(answer(X), dtype=np.float64)
        if values.ndim == 1:
            other = 1.0 - values if method == "predict_proba" else -values
            values = np.column_stack([other, values])
        if values.ndim != 2 or values.shape[1] != len(classes):
            raise Invalid(
                f"{method} answers {values.shape} for {len(classes)} classes; give their order as labels=[...]"
            )
        return values, method == "predict_proba"
    return None, False


def _positive(classes: Array, positive_label: object) -> int | None:
    if positive_label is not None:
        found = np.flatnonzero(classes == positive_label)
        if len(found) != 1:
            raise Invalid(f"positive_label is {positive_label!r}, which is none of the classes {classes.tolist()[:10]}")
        if len(classes) == 2:
            return int(found[0])
    return 1 if len(classes) == 2 else None


def _metrics(scored: Scored) -> dict[str, float]:
    truth, predicted, weights = scored.truth, scored.predicted, scored.weights
    options: dict[str, Any] = {"sample_weight": weights, "zero_division": 0.0}
    if scored.positive is not None:
        averages: dict[str, dict[str, Any]] = {"": {"labels": scored.classes[[scored.positive]], "average": "macro"}}
    else:
        averages = {f"_{kind}": {"average": kind, "labels": scored.classes} for kind in ("micro", "weighted")}
        averages[""] = {"average": "macro", "labels": scored.classes}
    found = {
        "accuracy": sk.accuracy_score(truth, predicted, sample_weight=weights),
        "balanced_accuracy": sk.recall_score(truth, predicted, average="macro", labels=np.unique(truth), **options),
        "matthews_corrcoef": sk.matthews_corrcoef(truth, predicted, sample_weight=weights),
    }
    for suffix, how in averages.items():
        found[f"precision{suffix}"] = sk.precision_score(truth, predicted, **how, **options)
        found[f"recall{suffix}"] = sk.recall_score(truth, predicted, **how, **options)
        found[f"f1{suffix}"] = sk.f1_score(truth, predicted, **how, **options)
    found |= _score_metrics(scored) if scored.scores is not None else {}
    return {name: float(value) for name, value in sorted(found.items()) if not math.isnan(value)}


def _score_metrics(scored: Scored) -> dict[str, float]:
    assert scored.scores is not None
    found: dict[str, float] = {}
    if scored.judged:
        areas = [roc_auc(scored, column) for column in scored.judged]
        averages = [average_precision(scored, column) for column in scored.judged]
        found |= {"auc": float(np.mean(areas)), "average_precision": float(np.mean(averages))}
    if scored.probable:
        chosen = np.clip(_of_truth(scored), np.finfo(np.float64).eps, 1.0)
        found["log_loss"] = float(np.average(-np.log(chosen), weights=scored.weights))
        if scored.positive is not None:
            gap = scored.scores[:, scored.positive] - scored.hits(scored.positive)
            found["brier_score"] = float(np.average(gap**2, weights=scored.weights))
    return found


def _of_truth(scored: Scored) -> Array:
    """The probability that each row's true class was given, rows normalised as scikit-learn's log loss does."""
    assert scored.scores is not None
    column_of = {value: column for column, value in enumerate(scored.classes.tolist())}
    columns = np.array([column_of[value] for value in scored.truth.tolist()])
    rows = scored.scores / scored.scores.sum(axis=1, keepdims=True)
    return np.asarray(rows[np.arange(len(columns)), columns])


def _confusion_matrix(scored: Scored) -> Envelope:
    matrix = sk.confusion_matrix(scored.truth, scored.predicted, labels=scored.classes, sample_weight=scored.weights)
    return envelope("confusion_matrix", {"class_labels": scored.names, "matrix": matrix})
