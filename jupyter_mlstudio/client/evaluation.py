"""``evaluate(model, X, y)``: the usual metrics and charts of a model, logged as data, not as pictures."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jupyter_mlstudio.client import active, card
from jupyter_mlstudio.client.charts import Envelope
from jupyter_mlstudio.client.values import chart_name
from jupyter_mlstudio.client.writer import Writer
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found. ``charts`` are the envelopes that were logged, by their names without prefix."""

    name: str
    task: str
    metrics: dict[str, float]
    charts: dict[str, Envelope] = field(default_factory=dict, repr=False)

    def _repr_mimebundle_(self, **_: object) -> dict[str, JSON]:
        pairs = [(name, card.number(value)) for name, value in self.metrics.items()]
        width = max((len(name) for name, _ in pairs), default=0)
        rows = "".join(f"<tr><th>{html.escape(name)}</th><td>{value}</td></tr>" for name, value in pairs)
        title = html.escape(f"{self.task}{': ' + self.name if self.name else ''}")
        return {
            "text/plain": "\n".join(f"{name:<{width}}  {value}" for name, value in pairs),
            "text/html": f"<table><caption>{title}</caption>{rows}</table>",
        }


def evaluate(
    model: Any,
    X: Any,  # noqa: N803
    y: Any,
    *,
    name: str = "",
    labels: Sequence[object] | None = None,
    positive_label: object = None,
    sample_weight: Any = None,
) -> Evaluation:
    """Evaluates a model on held-out rows and logs what it finds to the active run.

    A classifier gets ROC and precision-recall curves, a confusion matrix, an accuracy table (what the threshold slider
    moves along) and its metrics; a regressor residuals, binned predictions and predicted against true values.

    A metric keeps its name, so that the best run is found by it; where this run has logged a curve of that name
    already, the curve stays as it is and the evaluation's value stands beside it as ``eval/<name>``.

    Args:
        model: anything with ``predict``; ``predict_proba`` or ``decision_function`` are used where there are.
        X: rows, ``(n_rows, n_features)``.
        y: true labels or values, ``(n_rows,)``.
        name: tells this evaluation from others of the run; its metrics and charts then begin with ``name.``.
        labels: the classes in the order of the model's probabilities; ``model.classes_`` by default.
        positive_label: the class that a binary classifier looks for; the last of two by default.
        sample_weight: weights of the rows.

    Raises:
        Invalid: rows and labels do not fit together, or the model answers something else than one value a row.
    """
    import numpy as np

    if name:
        chart_name(f"{name}.precision_recall_curve")
    truth = np.asarray(y)
    if truth.ndim == 2 and truth.shape[1] == 1:
        truth = truth[:, 0]
    if truth.ndim != 1 or truth.shape[0] == 0:
        raise Invalid(f"y has the shape {truth.shape}; give one label or value for each row, and at least one row")
    predicted = np.asarray(model.predict(X))
    if predicted.ndim == 2 and predicted.shape[1] == 1:
        predicted = predicted[:, 0]
    if predicted.shape != truth.shape:
        raise Invalid(
            f"the model answers the shape {predicted.shape} for {truth.shape[0]} rows of y; give matching X and y"
        )
    weights = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if _is_classifier(model, truth, labels):
        from jupyter_mlstudio.client.classification import classify

        metrics, charts = classify(model, X, truth, predicted, labels, positive_label, weights)
        task = "classification"
    else:
        from jupyter_mlstudio.client.regression import regress

        metrics, charts = regress(truth, predicted, weights)
        task = "regression"
    _log(name, metrics, charts)
    return Evaluation(name=name, task=task, metrics=metrics, charts=charts)


def _log(name: str, metrics: Mapping[str, float], charts: Mapping[str, Envelope]) -> None:
    run, prefix = active.current(), f"{name}." if name else ""
    found = {prefix + key: value for key, value in metrics.items() if not math.isnan(value)}
    run.log_metrics(_beside_curves(run._log, found))
    for key, chart in charts.items():
        run.log_chart(prefix + key, chart)


def _beside_curves(log: Writer, metrics: Mapping[str, float]) -> dict[str, float]:
    """Renames what would be taken for the last step of a curve that the user logged."""
    own = {name for name in metrics if name in log.evaluated or not log.knows(name)}
    log.evaluated.update(own)
    return {name if name in own else f"eval/{name}": value for name, value in metrics.items()}


def _is_classifier(model: Any, truth: Any, labels: Sequence[object] | None) -> bool:
    if labels is not None or hasattr(model, "classes_") or hasattr(model, "predict_proba"):
        return True
    from sklearn.base import is_classifier, is_regressor

    if hasattr(model, "__sklearn_tags__") and (is_classifier(model) or is_regressor(model)):
        return bool(is_classifier(model))
    return truth.dtype.kind in "OUSb"
