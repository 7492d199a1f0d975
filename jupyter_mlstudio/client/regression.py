"""The metrics and charts of a regressor, computed by scikit-learn."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sklearn import metrics as sk

from jupyter_mlstudio.client.charts import Envelope, envelope
from jupyter_mlstudio.errors import Invalid

POINTS_LIMIT = 2000
RESIDUAL_BINS_LIMIT, PREDICTION_BINS = 100, 10

Array = np.ndarray[Any, Any]


def regress(truth: Array, predicted: Array, weights: Array | None) -> tuple[dict[str, float], dict[str, Envelope]]:
    """Returns metrics and charts of predictions, ``(n_rows,)`` each.

    Raises:
        Invalid: there are values that are not finite numbers.
    """
    truth, predicted = _numbers(truth, "y"), _numbers(predicted, "the model's answer")
    options = {"sample_weight": weights}
    found = {
        "explained_variance": sk.explained_variance_score(truth, predicted, **options),
        "mae": sk.mean_absolute_error(truth, predicted, **options),
        "mape": sk.mean_absolute_percentage_error(truth, predicted, **options),
        "max_error": sk.max_error(truth, predicted),
        "median_absolute_error": sk.median_absolute_error(truth, predicted, **options),
        "mse": sk.mean_squared_error(truth, predicted, **options),
        "rmse": sk.root_mean_squared_error(truth, predicted, **options),
    }
    if len(truth) > 1:
        found["r2"] = sk.r2_score(truth, predicted, **options)
    charts = {
        "residuals": residuals(truth, predicted, weights),
        "predictions": predictions(truth, predicted),
        "predicted_vs_true": predicted_vs_true(truth, predicted),
    }
    return {name: float(value) for name, value in sorted(found.items()) if math.isfinite(value)}, charts


def residuals(truth: Array, predicted: Array, weights: Array | None = None) -> Envelope:
    """Azure's histogram of predicted minus true values, ``bin_edges`` one longer than ``bin_counts``."""
    gaps = predicted - truth
    bins = min(RESIDUAL_BINS_LIMIT, max(1, len(np.histogram_bin_edges(gaps, "auto")) - 1))
    counts, edges = np.histogram(gaps, bins=bins, weights=weights)
    extra = {"mean": float(np.average(gaps, weights=weights)), "std": float(gaps.std())}
    return envelope("residuals", {"bin_edges": edges, "bin_counts": counts, **extra})


def predictions(truth: Array, predicted: Array) -> Envelope:
    """Azure's binned predictions: for each bin of true values the mean prediction and its standard deviation."""
    low, high = float(truth.min()), float(truth.max())
    edges = np.linspace(low, high if high > low else low + 1.0, PREDICTION_BINS + 1)
    bins = np.clip(np.searchsorted(edges, truth, side="right") - 1, 0, PREDICTION_BINS - 1)
    members = [predicted[bins == number] for number in range(PREDICTION_BINS)]
    return envelope(
        "predictions",
        {
            "bin_averages": [float(values.mean()) if len(values) else None for values in members],
            "bin_errors": [float(values.std()) if len(values) else None for values in members],
            "bin_counts": [len(values) for values in members],
            "bin_edges": edges,
        },
    )


def predicted_vs_true(truth: Array, predicted: Array) -> Envelope:
    """Pairs of true and predicted values; evenly chosen along the true values when there are more than 2,000."""
    order = np.argsort(truth, kind="stable")
    if len(order) > POINTS_LIMIT:
        order = order[np.linspace(0, len(order) - 1, POINTS_LIMIT).round().astype(np.int64)]
    return envelope("predicted_vs_true", {"true": truth[order], "predicted": predicted[order]})


def _numbers(values: Array, what: str) -> Array:
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError):
        raise Invalid(f"{what} holds values that are not numbers; for a classifier give labels=[...]") from None
    if not np.isfinite(numbers).all():
        count = np.count_nonzero(~np.isfinite(numbers))
        raise Invalid(f"{what} holds {count} values that are NaN or infinite; leave those rows out")
    return numbers
