"""How good forecasts are: regression's metrics, those that compare with a naive forecast, and both by step ahead."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.entities.automl import Task
from jupyter_mlstudio.entities.experiments import Goal
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning import metrics
from jupyter_mlstudio.learning.forecast_plan import ForecastPlan
from jupyter_mlstudio.learning.metrics import Metric

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STEPS_TOLD = 60
"""Steps ahead that have metrics of their own."""

BY_SERIES = ("normalized_root_mean_squared_error", "normalized_mean_absolute_error", "normalized_median_absolute_error")
"""Metrics of each series by its own range; their mean over the series is the score."""


def _smape(rows: Any) -> float:
    """Symmetric mean absolute percentage error in percent, from 0 to 200 (M4's, Makridakis et al., 2020)."""
    total = np.abs(rows.y) + np.abs(rows.predicted)
    apart = 200 * np.abs(rows.y - rows.predicted) / np.where(total > 0, total, 1.0)
    return float(np.average(apart, weights=rows.weights))


def _mase(rows: Any) -> float:
    """Mean absolute error of errors that were scaled before."""
    return float(np.average(np.abs(rows.y - rows.predicted), weights=rows.weights))


OWN = (
    Metric("mean_absolute_scaled_error", Goal.MINIMIZE, "values", 0.0, math.inf, _mase),
    Metric("symmetric_mean_absolute_percentage_error", Goal.MINIMIZE, "values", 0.0, 200.0, _smape),
)
_SHORT = {"mase": OWN[0], "smape": OWN[1]}


def find(name: str | None) -> Metric:
    """Finds a metric of forecasts by any spelling; None is the normalised root mean squared error.

    Raises:
        Invalid: there is none of that name.
    """
    plain = (name or "").lower().replace("_", "").replace(" ", "")
    for metric in OWN:
        if plain in (metric.name.replace("_", ""), *(short for short, one in _SHORT.items() if one is metric)):
            return metric
    try:
        return metrics.find(name, Task.FORECASTING)
    except Invalid as error:
        raise Invalid(f"{error.message}, {', '.join(metric.name for metric in OWN)}") from None


def score(plan: ForecastPlan, metric: Metric, rows: Ints, predicted: Floats) -> float:
    """The score of forecasts of some of the plan's rows; NaN where it is not defined.

    Args:
        predicted: ``(len(rows),)``.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of few rows some are not defined
        return _score(plan, metric, rows, predicted)


def _score(plan: ForecastPlan, metric: Metric, rows: Ints, predicted: Floats) -> float:
    y, series = plan.y[rows], plan.series[rows]
    weights = None if plan.weights is None else plan.weights[rows]
    if metric is OWN[0]:
        scale = plan.scales[series]
        return metric.score(y / scale, predicted / scale, weights)
    if metric.name not in BY_SERIES:
        return metric.score(y, predicted, weights)
    found = []
    for number in np.unique(series):
        own = series == number
        kept = None if weights is None else weights[own]
        found.append(metric.score(y[own], predicted[own], kept, scale=float(plan.ranges[number])))
    return float(np.nanmean(found)) if np.isfinite(found).any() else math.nan


def measured(plan: ForecastPlan, rows: Ints, predicted: Floats) -> dict[str, float]:
    """Every metric that is defined, and the absolute and the scaled error by step ahead."""
    found = {one.name: score(plan, one, rows, predicted) for one in (*metrics.REGRESSION, *OWN)}
    steps = plan.steps[rows]
    if plan.maker.horizon > 1:
        for step in range(1, min(plan.maker.horizon, STEPS_TOLD) + 1):
            own = steps == step
            if own.any():
                found[f"mae_step_{step}"] = float(np.mean(np.abs(plan.y[rows][own] - predicted[own])))
                found[f"mase_step_{step}"] = score(plan, OWN[0], rows[own], predicted[own])
    return {name: value for name, value in found.items() if math.isfinite(value)}
