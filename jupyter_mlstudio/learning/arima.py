"""ARIMA as weights: with its coefficients fixed, its forecast is a linear function of the last values, like smoothing.

Box, Jenkins, Reinsel and Ljung, "Time Series Analysis", 5th edition, chapters 5 and 9: the difference equation form of
the forecast, conditional on errors of zero before the window. Coefficients are given by partial autocorrelations
(Monahan, "A note on enforcing stationarity in autoregressive-moving average models", Biometrika 71, 1984): every choice
of them is stationary and invertible.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.errors import Invalid

Floats = NDArray[np.float64]
Order = tuple[int, int, int, int, int, int]
"""p, d, q of the steps, and P, D, Q of the seasons."""

PLAIN = ("arima_111", "arima_101", "arima_210", "arima_212")
SEASONAL = ("arima_011_011", "arima_101_011", "arima_111_011", "arima_200_110")
"""The airline model first: Box and Jenkins' for series with trend and season."""

EDGE = 0.98
"""Partial autocorrelations keep this far from 1."""


def order_of(method: str) -> Order:
    """The order in a method's name: ``arima_111`` or ``arima_011_011``."""
    _, plain, *seasonal = method.split("_")
    p, d, q = (int(one) for one in plain)
    more = (int(one) for one in seasonal[0]) if seasonal else (0, 0, 0)
    more_p, more_d, more_q = more
    return p, d, q, more_p, more_d, more_q


def free_of(method: str) -> int:
    """How many coefficients a method has."""
    p, _, q, more_p, _, more_q = order_of(method)
    return p + q + more_p + more_q


def reach_of(method: str, season: int) -> int:
    """How many values before one its equation looks at; a history has more of them."""
    p, d, _, more_p, more_d, _ = order_of(method)
    return p + d + season * (more_p + more_d)


def weights(method: str, window: Floats, horizon: int, season: int, free: Sequence[float]) -> Floats:
    """Weights of a model.

    Args:
        window: ``(history, history)``, a row for each value, the oldest first.
        season: steps of a season.
        free: partial autocorrelations, each from 0 (near -1) to 1 (near 1): p, P, q, Q of them.

    Returns:
        ``(horizon, history)``. Each row sums to 1: a model that takes no differences is about the window's mean.

    Raises:
        Invalid: the window is too short for the order.
    """
    p, d, q, more_p, more_d, _ = order_of(method)
    partial = EDGE * (2 * np.asarray(free, dtype=np.float64) - 1)
    ends = np.cumsum([p, more_p, q])
    own, seasonal, errors, late = np.split(partial, ends)
    past = np.convolve(_polynomial(own), _spread(_polynomial(seasonal), season))
    for steps, times in ((1, d), (season, more_d)):
        for _ in range(times):
            past = np.convolve(past, np.r_[1.0, np.zeros(steps - 1), -1.0])
    noise = np.convolve(_polynomial(errors), _spread(_polynomial(late), season))
    history, reach = len(window), len(past) - 1
    if history <= reach:
        raise Invalid(f"{method} needs more than {reach} values of history, there are {history}")
    level = window.mean(axis=0) if d + more_d == 0 else np.zeros(history)
    values = np.concatenate([window - level, np.zeros((horizon, history))])
    missed = np.zeros_like(values)
    for at in range(reach, history):
        missed[at] = past @ values[at - reach : at + 1][::-1] - _earlier(noise, missed, at)
    for at in range(history, history + horizon):
        values[at] = _earlier(noise, missed, at) - _earlier(past, values, at)
    return np.asarray(values[history:] + level)


def _earlier(polynomial: Floats, rows: Floats, at: int) -> Floats:
    """The sum of earlier rows, each times its coefficient."""
    count = min(len(polynomial) - 1, at)
    return np.asarray(polynomial[1 : count + 1] @ rows[at - count : at][::-1])


def _polynomial(partial: Floats) -> Floats:
    """``1 - phi_1 B - ... - phi_p B^p`` with all roots outside the unit circle (Durbin's and Levinson's recursion)."""
    phi: Floats = np.zeros(0)
    for value in partial:
        phi = np.append(phi - value * phi[::-1], value)
    return np.asarray(np.append(1.0, -phi))


def _spread(polynomial: Floats, season: int) -> Floats:
    """The same in ``B^season``."""
    found = np.zeros((len(polynomial) - 1) * season + 1)
    found[::season] = polynomial
    return found
