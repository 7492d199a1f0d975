"""Classical forecasts as weights: each is a linear function of the last values, one row of weights for each step ahead.

Exponential smoothing with additive errors, trends and seasons, and the theta method, do nothing but add and multiply by
constants once their smoothing parameters are chosen, and so does ARIMA. Run over a window of ``history`` values, from a
start that is linear in them too, their forecasts are ``weights[step] @ window``. So they need no state besides the row.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.learning import arima

Floats = NDArray[np.float64]

FREE: dict[str, int] = {
    "naive": 0, "seasonal_naive": 0, "drift": 0, "mean": 0, "seasonal_drift": 0, "ses": 1, "holt": 2, "damped": 3,
    "seasonal": 2, "holt_winters": 3, "damped_holt_winters": 4, "theta": 1,
    **{method: arima.free_of(method) for method in (*arima.PLAIN, *arima.SEASONAL)},
}  # fmt: skip
"""How many smoothing parameters each method has, each given as a number from 0 to 1."""

SEASONAL = {
    "seasonal_naive", "seasonal_drift", "seasonal", "holt_winters", "damped_holt_winters", *arima.SEASONAL,
}  # fmt: skip
"""Methods that need a season."""


def weights(method: str, history: int, horizon: int, season: int, free: Sequence[float] = ()) -> Floats:
    """Weights of a method.

    Args:
        history: values in the window, the last one first.
        season: steps of a season; 1 is none.
        free: smoothing parameters, each between 0 and 1.

    Returns:
        ``(horizon, history)``: the forecast of step ``h`` is ``weights[h - 1] @ window``. Each row sums to 1.
    """
    window = np.eye(history)[::-1]
    if method == "naive":
        return np.repeat(window[-1:], horizon, axis=0)
    if method == "mean":
        return np.full((horizon, history), 1.0 / history)
    if method == "seasonal_naive":
        return np.stack([window[_same_place(history, step, season)] for step in range(1, horizon + 1)])
    if method in ("drift", "seasonal_drift"):
        return _drift(window, horizon, season if method == "seasonal_drift" else 1)
    if method == "theta":
        return _theta(window, horizon, season, free[0])
    if method.startswith("arima"):
        return arima.weights(method, window, horizon, season, free)
    return _smoothed(window, horizon, season if method in SEASONAL else 1, method, free)


def _same_place(history: int, step: int, season: int) -> int:
    """Number of the value at the same place in the last season before the origin."""
    return history + step - 1 - season * -(-step // season)


def _drift(window: Floats, horizon: int, season: int) -> Floats:
    """The line from the first to the last value, from the last (seasonal: from the same place of the last season)."""
    history = len(window)
    if season == 1:
        slope = (window[-1] - window[0]) / max(history - 1, 1)
        return np.stack([window[-1] + step * slope for step in range(1, horizon + 1)])
    seasons = history // season
    means = [window[history - season * (back + 1) : history - season * back].mean(axis=0) for back in range(seasons)]
    change = (means[0] - means[-1]) / max(seasons - 1, 1)
    places = [_same_place(history, step, season) for step in range(1, horizon + 1)]
    return np.stack([window[place] + -(-step // season) * change for step, place in enumerate(places, start=1)])


def _smoothed(window: Floats, horizon: int, season: int, method: str, free: Sequence[float]) -> Floats:
    """The innovations form of exponential smoothing with additive errors (models ANN to AAdA).

    Hyndman, Koehler, Ord and Snyder, "Forecasting with Exponential Smoothing", Springer 2008, tables 2.2 and 2.3; the
    parameters keep to its bounds: beta below alpha, gamma below 1 - alpha, a damping of 0.8 to 0.98.
    """
    names = {"ses": "a", "holt": "ab", "damped": "abp", "seasonal": "ag", "holt_winters": "abg",
             "damped_holt_winters": "abgp"}[method]  # fmt: skip
    given = dict(zip(names, free, strict=True))
    alpha = min(max(given["a"], 1e-4), 0.9999)
    beta, gamma = given.get("b", 0.0) * alpha, given.get("g", 0.0) * (1 - alpha)
    phi = 0.8 + 0.18 * given["p"] if "p" in given else 1.0
    level, trend, seasons = _start(window, season, "b" in given)
    for number, value in enumerate(window):
        place = number % season
        expected = level + phi * trend
        error = value - expected - seasons[place]
        level, trend = expected + alpha * error, phi * trend + beta * error
        if season > 1:
            seasons[place] = seasons[place] + gamma * error
    found, damped = [], 0.0
    for step in range(1, horizon + 1):
        damped += phi**step
        found.append(level + damped * trend + seasons[(len(window) + step - 1) % season])
    return np.stack(found)


def _start(window: Floats, season: int, has_trend: bool) -> tuple[Floats, Floats, list[Floats]]:
    """Level and trend before the first value, and the seasons' offsets, from the first values."""
    none = np.zeros(len(window))
    if season == 1:
        few = min(len(window) - 1, 4)
        trend = (window[few] - window[0]) / few if has_trend and few else none
        return window[: few + 1].mean(axis=0) - trend * (few / 2 + 1), trend, [none]
    first = window[:season].mean(axis=0)
    trend = (window[season : 2 * season].mean(axis=0) - first) / season if len(window) >= 2 * season else none
    middle = (season - 1) / 2
    offsets = [window[place] - first - trend * (place - middle) for place in range(season)]
    trend = trend if has_trend else none
    return first - trend * (middle + 1), trend, offsets


def _theta(window: Floats, horizon: int, season: int, free: float) -> Floats:
    """The theta method: simple exponential smoothing with half the slope of the line through the values as drift.

    Assimakopoulos and Nikolopoulos, "The theta model", International Journal of Forecasting 16, 2000, in the form of
    Hyndman and Billah, "Unmasking the Theta method", ibid. 19, 2003; seasons are taken off additively before.
    """
    history = len(window)
    offsets = _offsets(window, season)
    plain = np.stack([value - offsets[number % season] for number, value in enumerate(window)])
    alpha = min(max(free, 1e-4), 0.9999)
    times = np.arange(history) - (history - 1) / 2
    slope = times @ plain / float(times @ times) if history > 1 else np.zeros(history)
    level = plain[0]
    for value in plain[1:]:
        level = level + alpha * (value - level)
    more = (1 - (1 - alpha) ** history) / alpha
    return np.stack([
        level + slope / 2 * (step - 1 + more) + offsets[(history + step - 1) % season] for step in range(1, horizon + 1)
    ])  # fmt: skip


def _offsets(window: Floats, season: int) -> list[Floats]:
    """Seasonal offsets by classical decomposition: the mean distance from the centred moving average."""
    history = len(window)
    if season == 1 or history < 2 * season:
        return [np.zeros(history)] * season
    half = season // 2
    kernel = np.full(2 * half + 1, 1.0 / season)
    if season % 2 == 0:
        kernel[[0, -1]] = 0.5 / season
    apart: list[list[Floats]] = [[] for _ in range(season)]
    for number in range(half, history - half):
        apart[number % season].append(window[number] - kernel @ window[number - half : number + half + 1])
    offsets = [np.mean(one, axis=0) if one else np.zeros(history) for one in apart]
    mean = np.mean(offsets, axis=0)
    return [one - mean for one in offsets]
