"""Numbers with a long tail, and targets: their logarithms, where these are less skewed.

What grows by factors (prices, counts, incomes) is a sum in logarithms, which models that are no trees can learn. What
is added before a logarithm is taken is chosen from the data, so that the unit of a column does not matter.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

Floats = NDArray[np.float64]

SKEWED = 1.0
"""The skewness from which on a column is taken for skewed."""

LEAST_VALUES = 10
"""Different values that a column of numbers needs for that."""

LOOKED_AT = 20_000
"""Values of a column that are looked at."""

SHARES = (0.01, 0.05, 0.25, 0.5, 0.75)
"""The quantiles that may be added."""

BEYOND = 0.1
"""How far answers go beyond the targets that were seen, as a share of their range in logarithms."""


def skewness(values: Floats) -> float:
    """The third standardised moment; 0 where all values are the same."""
    spread = values.std()
    return float((((values - values.mean()) / spread) ** 3).mean()) if spread else 0.0


def added(values: Floats) -> float | None:
    """What is best added to numbers before their logarithm is taken: where that has the least skewness.

    Args:
        values: skewed to the right ``(n_values,)``.

    Returns:
        Nothing where they are all above 0, a quantile, or what makes the least of them so large; None where no
        logarithm is less skewed.
    """
    lift = -min(0.0, float(values.min()))
    steps = [float(np.quantile(values + lift, share)) for share in SHARES]
    offsets = [lift + step for step in steps if step > 0] + ([0.0] if values.min() > 0 else [])
    left = [(abs(skewness(np.log(values + one))), one) for one in offsets if values.min() + one > 0]
    best = min(left, default=(np.inf, 0.0))
    return best[1] if best[0] < abs(skewness(values)) else None


class Logarithms(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Replaces columns with a long tail by their logarithm, others stay; of one to the left it is turned around.

    Attributes:
        signs_: 1 or -1 for columns with a long tail to the right or left, 0 for others ``(n_columns,)``.
        lowest_: the least number, that smaller ones are taken for; ``added_`` is what is added to it.
    """

    def fit(self, rows: Any, y: Any = None) -> Logarithms:
        given = np.asarray(rows, dtype=np.float64)
        self.n_features_in_ = given.shape[1]
        self.signs_, self.lowest_, self.added_ = (np.zeros(given.shape[1]) for _ in range(3))
        self.lowest_ += 1.0
        for number, column in enumerate(given[:: max(1, len(given) // LOOKED_AT)].T):
            values = column[np.isfinite(column)]
            if len(np.unique(values)) < LEAST_VALUES or abs(skewness(values)) < SKEWED:
                continue
            sign = np.sign(skewness(values))
            offset = added(sign * values)
            if offset is not None:
                self.signs_[number], self.lowest_[number], self.added_[number] = sign, (sign * values).min(), offset
        return self

    def transform(self, rows: Any) -> Any:
        check_is_fitted(self, "signs_")
        given = np.array(rows, dtype=np.float64)
        for number in np.flatnonzero(self.signs_):
            sign = self.signs_[number]
            raised = np.maximum(sign * given[:, number], self.lowest_[number]) + self.added_[number]
            given[:, number] = sign * np.log(raised)
        return given

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        given = [f"x{place}" for place in range(self.n_features_in_)] if input_features is None else input_features
        return np.asarray(given, dtype=object)


class LogTarget(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The logarithm of a target, with mean 0 and variance 1: the ``transformer`` of a ``TransformedTargetRegressor``.

    Answers stay near the targets that were seen, since a little too much in logarithms is many times too much.

    Attributes:
        added_: what is added before the logarithm is taken; ``mean_`` and ``scale_`` are the logarithm's.
        bounds_: the least and the greatest logarithm of an answer.
    """

    def fit(self, targets: Any, y: Any = None) -> LogTarget:
        values = np.asarray(targets, dtype=np.float64)
        self.n_features_in_ = values.shape[1] if values.ndim > 1 else 1
        offset = added(values.ravel()[:: max(1, values.size // LOOKED_AT)])
        self.added_ = 1.0 - min(0.0, float(values.min())) if offset is None else offset
        if self.added_ + values.min() <= 0:
            self.added_ = 1.0 - float(values.min())
        found = np.log(values + self.added_)
        self.mean_, self.scale_ = float(found.mean()), float(found.std()) or 1.0
        beyond = BEYOND * float(np.ptp(found))
        self.bounds_ = float(found.min()) - beyond, float(found.max()) + beyond
        return self

    def transform(self, targets: Any) -> Any:
        check_is_fitted(self, "mean_")
        return (np.log(np.asarray(targets, dtype=np.float64) + self.added_) - self.mean_) / self.scale_

    def inverse_transform(self, answers: Any) -> Any:
        check_is_fitted(self, "mean_")
        found = np.asarray(answers, dtype=np.float64) * self.scale_ + self.mean_
        return np.exp(np.clip(found, *self.bounds_)) - self.added_
