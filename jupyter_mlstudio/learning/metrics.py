"""Metrics by Azure's names, in any spelling: how good predictions are, and how sure one can be of that.

A classifier's predictions are probabilities ``(n_rows, n_classes)`` for classes 0 .. n_classes - 1, a regressor's are
values ``(n_rows,)``. Normalised errors are divided by the range of the target, as Azure does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.entities.automl import Task
from jupyter_mlstudio.entities.experiments import Goal
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning import scores
from jupyter_mlstudio.learning.scores import Predictions

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric.

    Args:
        name: Azure's, in snake case.
        needs: what it looks at: ``probabilities``, ``labels`` or ``values``.
        best, worst: its value for perfect predictions, and for the worst (may be infinite).
    """

    name: str
    goal: Goal
    needs: str
    best: float
    worst: float
    function: Callable[[Predictions], float] = field(repr=False)

    def score(
        self,
        y: NDArray[np.float64] | NDArray[np.int64],
        predicted: Floats,
        weights: Floats | None = None,
        *,
        scale: float | None = None,
        positive: int | None = None,
    ) -> float:
        """Scores predictions.

        Args:
            y: class numbers or values, ``(n_rows,)``.
            predicted: probabilities ``(n_rows, n_classes)`` or values ``(n_rows,)``.
            weights: how much each row counts.
            scale: range of the target over the whole table; None takes these rows'.
            positive: number of the positive class, for metrics that look at one class; None is the last.

        Returns:
            The score; NaN where it is not defined, e.g. an AUC of rows of one class.
        """
        rows = Predictions(np.asarray(y), np.asarray(predicted, dtype=np.float64), weights, scale, positive)
        with np.errstate(all="ignore"):
            try:
                return float(self.function(rows))
            except (ValueError, ZeroDivisionError):
                return math.nan

    def better(self, one: float, other: float) -> bool:
        """Tells whether one score is better than another; NaN is worse than any."""
        if math.isnan(one) or math.isnan(other):
            return math.isnan(other) and not math.isnan(one)
        return one > other if self.goal is Goal.MAXIMIZE else one < other

    def loss(self, score: float) -> float:
        """The score turned so that less is better; NaN becomes infinite."""
        if math.isnan(score):
            return math.inf
        return self.turned(score)

    def turned(self, value: float) -> float:
        """A score as a loss, or a loss as a score."""
        return -value if self.goal is Goal.MAXIMIZE else value


def _up(name: str, needs: str, function: Callable[[Predictions], float], worst: float = 0.0) -> Metric:
    return Metric(name, Goal.MAXIMIZE, needs, 1.0, worst, function)


def _down(name: str, needs: str, function: Callable[[Predictions], float]) -> Metric:
    return Metric(name, Goal.MINIMIZE, needs, 0.0, math.inf, function)


CLASSIFICATION = (
    _up("auc_weighted", "probabilities", lambda rows: scores.auc(rows, "weighted")),
    _up("auc_macro", "probabilities", lambda rows: scores.auc(rows, "macro")),
    _up("auc_micro", "probabilities", lambda rows: scores.auc(rows, "micro")),
    _up("auc_binary", "probabilities", lambda rows: scores.auc(rows, "binary")),
    _up("accuracy", "labels", scores.accuracy),
    _up("balanced_accuracy", "labels", scores.balanced_accuracy),
    _up("norm_macro_recall", "labels", scores.norm_macro_recall),
    _up("average_precision_score_weighted", "probabilities", lambda rows: scores.average_precision(rows, "weighted")),
    _up("average_precision_score_macro", "probabilities", lambda rows: scores.average_precision(rows, "macro")),
    _up("average_precision_score_micro", "probabilities", lambda rows: scores.average_precision(rows, "micro")),
    _up("average_precision_score_binary", "probabilities", lambda rows: scores.average_precision(rows, "binary")),
    *(
        _up(f"{what}_score_{average}", "labels", lambda rows, what=what, average=average: scores.counted(  # type: ignore[misc]
            rows, what, average))
        for what in ("precision", "recall", "f1")
        for average in ("weighted", "macro", "micro", "binary")
    ),
    _up("matthews_correlation", "labels", scores.matthews, worst=-1.0),
    _down("log_loss", "probabilities", scores.log_loss),
)  # fmt: skip
REGRESSION = (
    _up("r2_score", "values", scores.r2, worst=-math.inf),
    _up("spearman_correlation", "values", scores.spearman, worst=-1.0),
    _up("explained_variance", "values", scores.explained_variance, worst=-math.inf),
    _down("root_mean_squared_error", "values", scores.rmse),
    _down("normalized_root_mean_squared_error", "values", lambda rows: scores.rmse(rows) / rows.range),
    _down("mean_absolute_error", "values", scores.mae),
    _down("normalized_mean_absolute_error", "values", lambda rows: scores.mae(rows) / rows.range),
    _down("median_absolute_error", "values", scores.median_error),
    _down("normalized_median_absolute_error", "values", lambda rows: scores.median_error(rows) / rows.range),
    _down("mean_absolute_percentage_error", "values", scores.percentage_error),
    _down("root_mean_squared_log_error", "values", scores.rmsle),
    _down("normalized_root_mean_squared_log_error", "values", lambda rows: scores.rmsle(rows) / rows.log_range),
)
DEFAULTS = {Task.CLASSIFICATION: "auc_weighted"}
_OTHER_NAMES = {
    "rocauc": "aucbinary", "auc": "aucbinary", "aucroc": "aucbinary", "averageprecision": "averageprecisionscorebinary",
    "f1": "f1scorebinary", "precision": "precisionscorebinary", "recall": "recallscorebinary", "r2": "r2score",
    "rmse": "rootmeansquarederror", "mae": "meanabsoluteerror", "mape": "meanabsolutepercentageerror",
    "nrmse": "normalizedrootmeansquarederror", "nmae": "normalizedmeanabsoluteerror", "logloss": "logloss",
    "spearman": "spearmancorrelation", "rmsle": "rootmeansquaredlogerror", "f1weighted": "f1scoreweighted",
    "f1macro": "f1scoremacro", "normmacrorecall": "normmacrorecall", "mcc": "matthewscorrelation",
}  # fmt: skip


def metrics_of(task: Task) -> tuple[Metric, ...]:
    """All metrics of a task; forecasting has regression's."""
    return CLASSIFICATION if task is Task.CLASSIFICATION else REGRESSION


def find(name: str | None, task: Task) -> Metric:
    """Finds a metric by any spelling (``AUCWeighted``, ``auc_weighted``, ``AUC weighted``); None is the default.

    Raises:
        Invalid: there is none of that name for this task.
    """
    wanted = _plain(name or DEFAULTS.get(task, "normalized_root_mean_squared_error"))
    wanted = _OTHER_NAMES.get(wanted, wanted)
    for metric in metrics_of(task):
        if _plain(metric.name) == wanted:
            return metric
    known = ", ".join(metric.name for metric in metrics_of(task))
    raise Invalid(f"there is no metric {name!r} for {task.value}: choose from {known}")


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def measured(
    task: Task,
    y: NDArray[np.float64] | NDArray[np.int64],
    predicted: Floats,
    weights: Floats | None = None,
    *,
    scale: float | None = None,
    positive: int | None = None,
) -> dict[str, float]:
    """Every metric of the task that is defined for these rows; those of one class only where there are two."""
    binary = predicted.ndim == 2 and predicted.shape[1] == 2
    found = {
        metric.name: metric.score(y, predicted, weights, scale=scale, positive=positive)
        for metric in metrics_of(task)
        if binary or not metric.name.endswith("_binary")
    }
    return {name: value for name, value in found.items() if math.isfinite(value)}


def interval(folds: Sequence[float], test_share: float, metric: Metric) -> tuple[float, float] | None:
    """The 95 % interval of a score that was measured on folds.

    Student's t over the folds, with the variance corrected for training sets that overlap: ``(1/k + test/train) * s^2``
    (Nadeau and Bengio, "Inference for the Generalization Error", Machine Learning 52, 2003).

    Args:
        test_share: rows of a test fold by rows of its training set.

    Returns:
        Low and high, never beyond what the metric can be; None for fewer than two folds.
    """
    from scipy.stats import t

    values = np.asarray([value for value in folds if math.isfinite(value)])
    if len(values) < 2:
        return None
    half = float(t.ppf(0.975, len(values) - 1)) * math.sqrt((1 / len(values) + test_share) * float(values.var(ddof=1)))
    mean, bounds = float(values.mean()), sorted((metric.best, metric.worst))
    return max(bounds[0], mean - half), min(bounds[1], mean + half)


def resampled(
    score: Callable[[NDArray[np.int64]], float], n_rows: int, metric: Metric, *, seed: int, most: int = 5000
) -> tuple[float, float] | None:
    """The 95 % interval of a score on one test set, by the bootstrap (Efron, 1979) with 60 draws.

    Of many rows ``most`` are drawn, and the spread is scaled down by the root of the share.
    """
    rng, size = np.random.default_rng(seed), min(n_rows, most)
    drawn = np.asarray([score(rng.integers(0, n_rows, size)) for _ in range(60)])
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) < 20:
        return None
    half = 1.96 * float(drawn.std(ddof=1)) * math.sqrt(size / n_rows)
    middle, bounds = score(np.arange(n_rows)), sorted((metric.best, metric.worst))
    return max(bounds[0], middle - half), min(bounds[1], middle + half)
