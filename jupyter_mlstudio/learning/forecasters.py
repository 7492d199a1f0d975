"""Models of a forecast: scikit-learn regressors on the feature rows of ``forecast_rows``.

A row's matrix begins with the last ``history`` values, the last one first, and the step ahead; what follows is known of
the time that the row is about. Every model answers from its row alone, so that each has an ONNX form.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.utils.validation import has_fit_parameter

from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning import smoothing
from jupyter_mlstudio.learning import stl as decomposition

Floats = NDArray[np.float64]

SEARCH_ROWS = 2000
"""Rows that smoothing parameters are chosen on, evenly spaced."""


class _OnRows(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """What all have in common: the layout of a row, and values on a logarithmic scale where that is asked for."""

    history: int
    horizon: int
    log: bool
    n_features_in_: int
    floor_: float

    def _read(self, X: Any) -> tuple[Floats, Floats, NDArray[np.int64]]:  # noqa: N803
        """The matrix, the history on the model's scale, and the steps from 0."""
        matrix = np.asarray(X, dtype=np.float64)
        if matrix.ndim != 2 or matrix.shape[1] <= self.history:
            raise Invalid(f"rows need {self.history} values of history and a step, these have the shape {matrix.shape}")
        steps = np.clip(matrix[:, self.history].astype(np.int64) - 1, 0, self.horizon - 1)
        return matrix, self._scaled(matrix[:, : self.history]), steps

    def _begin(self, X: Any, y: Any) -> None:  # noqa: N803
        """Settles the scale.

        Raises:
            Invalid: the logarithm of values that are not positive is asked for.
        """
        matrix = np.asarray(X, dtype=np.float64)
        self.n_features_in_ = matrix.shape[1]
        if hasattr(X, "columns"):
            self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        least = float(min(matrix[:, : self.history].min(), np.min(y)))
        if self.log and least <= 0:
            raise Invalid(f"the smallest value is {least:g}: a logarithm needs positive ones")
        self.floor_ = least / 10 if self.log else 0.0

    def _scaled(self, values: Floats) -> Floats:
        return np.log(np.maximum(values, self.floor_)) if self.log else values

    def _back(self, values: Floats) -> Floats:
        return np.exp(values) if self.log else values


class HistoryForecaster(_OnRows):
    """A classical method of :mod:`smoothing`: naive, drift, exponential smoothing, theta.

    Its smoothing parameters are those with the least squared error over all rows and steps, each row's error divided
    by how much its history moves, so that large series do not decide alone.

    Args:
        method: a key of :data:`smoothing.FREE`.
        log: whether it works on logarithms: seasons and trends that grow with the level.
    """

    def __init__(
        self, method: str = "naive", history: int = 1, horizon: int = 1, season: int = 1, log: bool = False
    ) -> None:
        self.method, self.history, self.horizon, self.season, self.log = method, history, horizon, season, log

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """Chooses the smoothing parameters.

        Args:
            X: ``(n_rows, n_features)``.
            y: ``(n_rows,)``.
        """
        if self.method in smoothing.SEASONAL and (self.season < 2 or self.history < self.season):
            raise Invalid(f"{self.method} needs a season of 2 or more steps within the history")
        self._begin(X, y)
        count = smoothing.FREE[self.method]
        self.parameters_: list[float] = self._chosen(X, y, sample_weight, count) if count else []
        self.weights_ = smoothing.weights(self.method, self.history, self.horizon, self.season, self.parameters_)
        return self

    def predict(self, X: Any) -> Floats:  # noqa: N803
        """Forecasts ``(n_rows,)``."""
        _, values, steps = self._read(X)
        return self._back(np.einsum("ij,ij->i", values, self.weights_[steps]))

    def _chosen(self, X: Any, y: Any, weight: Any, count: int) -> list[float]:  # noqa: N803
        from scipy.optimize import minimize

        _, values, steps = self._read(X)
        target = self._scaled(np.asarray(y, dtype=np.float64))
        picked = np.linspace(0, len(target) - 1, min(len(target), SEARCH_ROWS)).round().astype(np.int64)
        values, steps, target = values[picked], steps[picked], target[picked]
        each = 1.0 / movement(values)
        if weight is not None:
            each = each * np.sqrt(np.asarray(weight, dtype=np.float64)[picked])

        def error(free: Floats) -> float:
            found = smoothing.weights(self.method, self.history, self.horizon, self.season, free.tolist())
            return float(np.mean(((np.einsum("ij,ij->i", values, found[steps]) - target) * each) ** 2))

        starts = [np.full(count, 0.2), np.full(count, 0.6)]
        found = [
            minimize(error, start, method="L-BFGS-B", bounds=[(0.0, 1.0)] * count, options={"maxiter": 40})
            for start in starts
        ]
        best = min(found, key=lambda one: float(one.fun))
        return [float(one) for one in best.x]


class ColumnForecaster(_OnRows):
    """Answers with a column of the row: the value of a season that is longer than the history."""

    def __init__(self, column: int = 0, history: int = 1, horizon: int = 1) -> None:
        self.column, self.history, self.horizon = column, history, horizon
        self.log = False

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """Notes how wide a row is."""
        self._begin(X, y)
        return self

    def predict(self, X: Any) -> Floats:  # noqa: N803
        """Forecasts ``(n_rows,)``."""
        return np.asarray(X, dtype=np.float64)[:, self.column]


class _Lagged(_OnRows):
    """Models of what a series does next to its own level: rows and targets are set off from ``base`` and scaled."""

    lags: list[int] | None
    windows: list[int] | None
    season: int
    long: int
    base: str
    stl: str | None

    def _settle(self, X: Any, y: Any) -> tuple[Floats, Floats, Floats, Floats]:  # noqa: N803
        """Features, targets, bases and scales of the rows."""
        self._begin(X, y)
        self.mix_ = self._mixed()
        method = {"last": "naive", "season": "seasonal_naive", "mean": "mean"}[self.base]
        own = self.history, self.horizon, self.season
        self.base_ = smoothing.weights(method, *own)
        self.seasons_ = smoothing.weights("seasonal_naive", *own) if self.season > 1 else None
        decomposed = self.stl is not None and self.season > 1 and 2 * self.season <= self.history
        self.stl_: tuple[Floats, Floats] | None = decomposition.ahead(*own) if decomposed else None
        _, values, _ = self._read(X)
        self.least_ = 1e-6 * (float(np.std(values)) or 1.0)
        features, base, scale = self._features(X)
        target = (self._scaled(np.asarray(y, dtype=np.float64)) - base) / scale
        return features, target, base, scale

    def _mixed(self) -> Floats:
        """Which sums of the history are features ``(history, n)``: single lags, and means of windows."""
        columns = []
        for lag in self.lags if self.lags is not None else range(1, self.history + 1):
            columns.append(np.eye(self.history)[lag - 1])
        for window in self._windows():
            columns.append(np.r_[np.full(window, 1.0 / window), np.zeros(self.history - window)])
        return np.stack(columns, axis=1) if columns else np.zeros((self.history, 0))

    def _windows(self) -> list[int]:
        if self.windows is not None:
            return [one for one in self.windows if 1 < one <= self.history]
        usual = {3, 7, self.season, 2 * self.season, self.history}
        return sorted(one for one in usual if 1 < one <= self.history)

    def _features(self, X: Any) -> tuple[Floats, Floats, Floats]:  # noqa: N803
        """Features, base and scale.

        Features are rounded to float32, so that sums in another order pass a threshold alike.
        """
        matrix, values, steps = self._read(X)
        base = np.einsum("ij,ij->i", values, self.base_[steps])[:, None]
        scale = self._scale(values)[:, None]
        parts = [(values @ self.mix_ - base * self.mix_.sum(axis=0)) / scale]
        for window in self._windows():
            own = values[:, :window]
            parts.append(np.abs(own - own.mean(axis=1, keepdims=True)).mean(axis=1, keepdims=True) / scale)
        if self.seasons_ is not None:
            parts.append((np.einsum("ij,ij->i", values, self.seasons_[steps])[:, None] - base) / scale)
        if self.stl_ is not None:
            parts.append(np.einsum("ij,ij->i", values, self.stl_[0][steps])[:, None] / scale)
            if self.stl == "season_trend":
                parts.append(((values @ self.stl_[1])[:, None] - base) / scale)
        after = self.history + 1
        if self.long:
            parts.append((self._scaled(matrix[:, after : after + self.long]) - base) / scale)
        parts += [matrix[:, self.history : after], matrix[:, after + self.long :]]
        features = np.concatenate(parts, axis=1).astype(np.float32).astype(np.float64)
        return features, base[:, 0], scale[:, 0]

    def _scale(self, values: Floats) -> Floats:
        return np.ones(len(values)) if self.log else movement(values, self.least_)


def movement(values: Floats, least: float = 1e-12) -> Floats:
    """How much each history moves: the mean step, and a little of its level where it stands still."""
    steps = np.abs(values[:, :-1] - values[:, 1:])
    moved = steps.mean(axis=1) if steps.shape[1] else np.zeros(len(values))
    return np.asarray(moved + 1e-3 * np.abs(values).mean(axis=1) + least)


class LaggedForecaster(_Lagged):
    """Any regressor on lags, windows, seasons, calendar and step: one model for all series and steps.

    Args:
        estimator: the regressor, in a pipeline or not.
        lags: which of the last values are features; None is all.
        windows: over how many of the last values means and deviations are features; None chooses.
        long: how many columns after the step hold values of longer seasons.
        base: what is taken off before: the ``last`` value, the same place in the last ``season``, or the ``mean``.
        log: whether it works on logarithms.
        stl: ``season`` adds the season by STL at the step as a feature, ``season_trend`` the trend too.
    """

    def __init__(
        self, estimator: Any = None, history: int = 1, horizon: int = 1, season: int = 1, long: int = 0,
        lags: list[int] | None = None, windows: list[int] | None = None, base: str = "last", log: bool = False,
        stl: str | None = None,
    ) -> None:  # fmt: skip
        self.estimator, self.history, self.horizon, self.season, self.long = estimator, history, horizon, season, long
        self.lags, self.windows, self.base, self.log, self.stl = lags, windows, base, log, stl

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """Fits the regressor on what the rows look like next to their base."""
        features, target, _, _ = self._settle(X, y)
        self.estimator_ = clone(self.estimator)
        self.estimator_.fit(features, target, **_weighed(self.estimator_, sample_weight))
        return self

    def predict(self, X: Any) -> Floats:  # noqa: N803
        """Forecasts ``(n_rows,)``."""
        features, base, scale = self._features(X)
        return self._back(base + scale * np.asarray(self.estimator_.predict(features), dtype=np.float64).ravel())


def _weighed(model: Any, weight: Any) -> dict[str, Any]:
    """How a regressor is given the weights of rows: not at all where what learns in it takes none, as neighbours."""
    step, last = model.steps[-1] if hasattr(model, "steps") else ("", model)
    if weight is None or not has_fit_parameter(getattr(last, "regressor", last), "sample_weight"):
        return {}
    return {f"{step}__sample_weight" if step else "sample_weight": weight}


class RidgeForecaster(_Lagged):
    """Ridge regression with coefficients of its own for each step ahead.

    Args:
        alpha: how strongly coefficients are drawn to 0, by row.
    """

    def __init__(
        self, alpha: float = 0.01, history: int = 1, horizon: int = 1, season: int = 1, long: int = 0,
        lags: list[int] | None = None, windows: list[int] | None = None, base: str = "last", log: bool = False,
        stl: str | None = None,
    ) -> None:  # fmt: skip
        self.alpha, self.history, self.horizon, self.season, self.long = alpha, history, horizon, season, long
        self.lags, self.windows, self.base, self.log, self.stl = lags, windows, base, log, stl

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """Solves for each step's coefficients; a step without rows takes those of all."""
        features, target, _, _ = self._settle(X, y)
        _, _, steps = self._read(X)
        weight = np.ones(len(target)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        center = np.average(features, axis=0, weights=weight)
        spread = np.sqrt(np.average((features - center) ** 2, axis=0, weights=weight))
        scaled = (features - center) / np.where(spread > 1e-12, spread, 1.0)
        found: list[Floats] = []
        for step in range(self.horizon):
            own = steps == step if (steps == step).any() else slice(None)
            found.append(self._solved(scaled[own], target[own], weight[own]))
        solved = np.stack(found)
        self.coef_ = solved[:, 1:] / np.where(spread > 1e-12, spread, 1.0)
        self.intercept_ = solved[:, 0] - self.coef_ @ center
        return self

    def predict(self, X: Any) -> Floats:  # noqa: N803
        """Forecasts ``(n_rows,)``."""
        features, base, scale = self._features(X)
        _, _, steps = self._read(X)
        return self._back(base + scale * (np.einsum("ij,ij->i", features, self.coef_[steps]) + self.intercept_[steps]))

    def _solved(self, rows: Floats, target: Floats, weight: Floats) -> Floats:
        total = float(weight.sum())
        middle, mean = weight @ rows / total, float(weight @ target) / total
        apart = rows - middle
        gram = (apart * weight[:, None]).T @ apart + self.alpha * total * np.eye(rows.shape[1])
        coefficients = np.linalg.solve(gram, (apart * weight[:, None]).T @ (target - mean))
        return np.concatenate([[mean - float(middle @ coefficients)], coefficients])
