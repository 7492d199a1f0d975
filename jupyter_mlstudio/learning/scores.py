"""The arithmetic of metrics, on arrays; names of metrics and which way is better are in ``metrics``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SMALLEST = 1e-15


@dataclass(frozen=True, slots=True)
class Predictions:
    """Rows to score: class numbers or values, what was predicted for them, and how much each counts."""

    y: NDArray[Any]
    predicted: NDArray[np.float64]
    weights: NDArray[np.float64] | None
    scale: float | None
    positive: int | None

    @property
    def labels(self) -> NDArray[np.int64]:
        """The most probable class of each row."""
        return np.asarray(self.predicted.argmax(axis=1), dtype=np.int64)

    @property
    def range(self) -> float:
        """How far apart the target's values are; 1 when they are all the same."""
        return self.scale or float(np.ptp(self.y)) or 1.0

    @property
    def log_range(self) -> float:
        """The same of the logarithms."""
        return float(np.ptp(np.log1p(np.clip(self.y, 0, None)))) or 1.0

    @property
    def one(self) -> int:
        """The positive class."""
        return self.predicted.shape[1] - 1 if self.positive is None else self.positive


def auc(rows: Predictions, average: str) -> float:
    """Area under the ROC curve, of each class against the others."""
    if average == "binary" or (average != "micro" and rows.predicted.shape[1] == 2):
        return _area(rows.y == rows.one, rows.predicted[:, rows.one], rows.weights)
    if average == "micro":
        return _area(_flags(rows).ravel(), rows.predicted.ravel(), _spread(rows))
    return _mean(rows, [_area(rows.y == one, rows.predicted[:, one], rows.weights) for one in _classes(rows)], average)


def _area(flags: NDArray[np.bool_], score: NDArray[np.float64], weights: NDArray[np.float64] | None) -> float:
    """By ranks (Mann and Whitney, 1947), ties counted half; the same as the area under the curve, and quicker."""
    if flags.all() or not flags.any():
        return float("nan")
    values, places = np.unique(score, return_inverse=True)
    mass = np.ones(len(flags)) if weights is None else weights
    up = np.bincount(places, weights=mass * flags, minlength=len(values))
    down = np.bincount(places, weights=mass * ~flags, minlength=len(values))
    below = np.cumsum(down) - down
    return float((up * (below + 0.5 * down)).sum() / (up.sum() * down.sum()))


def average_precision(rows: Predictions, average: str) -> float:
    """Precision over all thresholds, weighted by the rise of the recall."""
    from sklearn.metrics import average_precision_score as score

    if average == "micro":
        return float(score(_flags(rows).ravel(), rows.predicted.ravel(), sample_weight=_spread(rows)))
    classes = [rows.one] if average == "binary" else _classes(rows)
    found = [
        float(score(rows.y == one, rows.predicted[:, one], sample_weight=rows.weights))
        if (rows.y == one).any()
        else float("nan")
        for one in classes
    ]
    return found[0] if average == "binary" else _mean(rows, found, average)


def _classes(rows: Predictions) -> list[int]:
    return list(range(rows.predicted.shape[1]))


def _flags(rows: Predictions) -> NDArray[np.bool_]:
    return np.asarray(rows.y[:, None] == np.arange(rows.predicted.shape[1]), dtype=np.bool_)


def _spread(rows: Predictions) -> NDArray[np.float64] | None:
    return None if rows.weights is None else np.repeat(rows.weights, rows.predicted.shape[1])


def _mean(rows: Predictions, values: list[float], average: str) -> float:
    """The mean over classes, by how many rows each has, or evenly; a class without rows does not count."""
    found = np.asarray(values)
    shares = np.bincount(rows.y.astype(np.int64), weights=rows.weights, minlength=len(found))[: len(found)]
    defined = np.isfinite(found) & (shares > 0)
    if not defined.any():
        return float("nan")
    return float(np.average(found[defined], weights=shares[defined] if average == "weighted" else None))


def accuracy(rows: Predictions) -> float:
    """Share of rows whose most probable class is right."""
    return float(np.average(rows.labels == rows.y, weights=rows.weights))


def balanced_accuracy(rows: Predictions) -> float:
    """Mean recall of the classes that occur."""
    return float(np.nanmean(_recalls(rows)))


def norm_macro_recall(rows: Predictions) -> float:
    """Mean recall, 0 for guessing and 1 for perfect (Azure: ``(recall - 1/C) / (1 - 1/C)``)."""
    chance = 1 / rows.predicted.shape[1]
    return float((balanced_accuracy(rows) - chance) / (1 - chance))


def _recalls(rows: Predictions) -> NDArray[np.float64]:
    count = rows.predicted.shape[1]
    mass = np.ones(len(rows.y)) if rows.weights is None else rows.weights
    right = np.bincount(rows.y, weights=mass * (rows.labels == rows.y), minlength=count)
    return np.asarray(right / np.bincount(rows.y, weights=mass, minlength=count), dtype=np.float64)


def counted(rows: Predictions, what: str, average: str) -> float:
    """Precision, recall or F1; 0 where nothing was found, or nothing was there."""
    count = rows.predicted.shape[1]
    mass = np.ones(len(rows.y)) if rows.weights is None else rows.weights
    true = np.bincount(rows.y, weights=mass, minlength=count)
    named = np.bincount(rows.labels, weights=mass, minlength=count)
    right = np.bincount(rows.y, weights=mass * (rows.labels == rows.y), minlength=count)
    if average == "micro":
        right, true, named = (np.atleast_1d(one.sum()) for one in (right, true, named))
    below = {"precision": named, "recall": true, "f1": (named + true) / 2}[what]
    found = np.divide(right, below, out=np.zeros(len(right)), where=below > 0)
    if average == "binary":
        return float(found[rows.one])
    return float(np.average(found, weights=true if average == "weighted" else None))


def matthews(rows: Predictions) -> float:
    """Matthews' correlation coefficient."""
    from sklearn.metrics import matthews_corrcoef

    return float(matthews_corrcoef(rows.y, rows.labels, sample_weight=rows.weights))


def log_loss(rows: Predictions) -> float:
    """Cross entropy; probabilities are kept 1e-15 away from 0."""
    total = np.clip(rows.predicted.sum(axis=1), _SMALLEST, None)
    right = rows.predicted[np.arange(len(rows.y)), rows.y] / total
    return float(np.average(-np.log(np.clip(right, _SMALLEST, 1.0)), weights=rows.weights))


def r2(rows: Predictions) -> float:
    """Coefficient of determination."""
    middle = np.average(rows.y, weights=rows.weights)
    total = np.average((rows.y - middle) ** 2, weights=rows.weights)
    return (
        float(1 - np.average((rows.y - rows.predicted) ** 2, weights=rows.weights) / total) if total else float("nan")
    )


def explained_variance(rows: Predictions) -> float:
    """Share of the variance that is explained; unlike R2 it forgives a constant offset."""
    from sklearn.metrics import explained_variance_score

    return float(explained_variance_score(rows.y, rows.predicted, sample_weight=rows.weights))


def spearman(rows: Predictions) -> float:
    """Correlation of ranks; rows' weights weigh the ranks' correlation."""
    from scipy.stats import rankdata

    one, other = rankdata(rows.y), rankdata(rows.predicted)
    covariance = np.cov(one, other, aweights=rows.weights)
    below = float(np.sqrt(covariance[0, 0] * covariance[1, 1]))
    return float(covariance[0, 1]) / below if below else float("nan")


def rmse(rows: Predictions) -> float:
    """Root of the mean squared error."""
    return float(np.sqrt(np.average((rows.y - rows.predicted) ** 2, weights=rows.weights)))


def mae(rows: Predictions) -> float:
    """Mean absolute error."""
    return float(np.average(np.abs(rows.y - rows.predicted), weights=rows.weights))


def median_error(rows: Predictions) -> float:
    """Median absolute error."""
    from sklearn.metrics import median_absolute_error

    return float(median_absolute_error(rows.y, rows.predicted, sample_weight=rows.weights))


def percentage_error(rows: Predictions) -> float:
    """Mean absolute error relative to the value; rows whose value is 0 do not count."""
    kept = rows.y != 0
    share = np.abs((rows.y[kept] - rows.predicted[kept]) / rows.y[kept])
    return float(np.average(share, weights=None if rows.weights is None else rows.weights[kept]))


def rmsle(rows: Predictions) -> float:
    """Root of the mean squared error of logarithms; not defined where the target is -1 or below."""
    if (rows.y <= -1).any():
        return float("nan")
    difference = np.log1p(rows.y) - np.log1p(np.clip(rows.predicted, -1 + _SMALLEST, None))
    return float(np.sqrt(np.average(difference**2, weights=rows.weights)))
