"""Season and trend of a window by STL, as weights: without its robustness each component is a sum of the values.

Cleveland, Cleveland, McRae and Terpenning, "STL: A seasonal-trend decomposition procedure based on loess", Journal of
Official Statistics 6, 1990: the inner loop, five times, with a season that does not change (their periodic smoothing).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ROUNDS = 5


def components(history: int, season: int) -> tuple[Floats, Floats]:
    """Weights of season and trend.

    Args:
        history: values of the window, two seasons at least.
        season: steps of a season, two at least.

    Returns:
        Both ``(history, history)``, oldest first: ``season[t] @ window`` is the season at ``t``. Rows of the season sum
        to 0, those of the trend to 1.
    """
    phase = np.arange(history) % season
    alike = (phase[:, None] == phase[None, :]).astype(np.float64)
    means = alike / alike.sum(axis=1, keepdims=True)
    about_zero = means - means[-season:].mean(axis=0)
    loess = _loess(history, int(np.ceil(1.5 * season)) | 1)
    own, trend = np.zeros((history, history)), np.zeros((history, history))
    for _ in range(ROUNDS):
        own = about_zero @ (np.eye(history) - trend)
        trend = loess @ (np.eye(history) - own)
    return own, trend


def ahead(history: int, horizon: int, season: int) -> tuple[Floats, Floats]:
    """What is known of the steps ahead: the season of each, and the trend at the end.

    Returns:
        ``(horizon, history)`` and ``(history,)``, weights of the last values, the last one first.
    """
    own, trend = components(history, season)
    places = [history - season + step % season for step in range(horizon)]
    return own[places][:, ::-1].copy(), trend[-1, ::-1].copy()


def _loess(count: int, span: int) -> Floats:
    """Local lines over the nearest ``span`` values with tricube weights, as a matrix."""
    span = min(span, count)
    found = np.zeros((count, count))
    for at in range(count):
        apart = np.arange(count) - at
        reach = float(np.sort(np.abs(apart))[span - 1]) + 1.0
        weight = np.clip(1 - (np.abs(apart) / reach) ** 3, 0, None) ** 3
        total, first, second = weight.sum(), weight @ apart, weight @ apart**2
        found[at] = weight * (second - first * apart) / (total * second - first**2)
    return found
