"""How long a season is: what a frequency usually has, taken where the data show it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.learning.forecast_table import Series
from jupyter_mlstudio.learning.forecast_time import SEASONS, Grid

WINDOWED = 60
"""The longest season that a row's history covers; longer ones have columns of their own."""

LOOKED_AT = 50
"""Series that are looked at, the longest ones."""


def seasons_of(grid: Grid) -> list[int]:
    """Steps of the seasons that the grid's frequency usually has."""
    if grid.whole:
        return [4, 5, 7, 12, 24]
    found = [size / grid.multiple for size in SEASONS.get(grid.unit, [])]
    return [int(size) for size in found if size == int(size) and size > 1]


def season_of(series: list[Series], candidates: list[int]) -> int:
    """The season that most series show, the strongest where there are several; 1 is none.

    A season is there when the autocorrelation of the steps from value to value is larger than chance at 95 % (the
    test of Assimakopoulos and Nikolopoulos, "The theta model", International Journal of Forecasting 16, 2000).
    """
    longest = sorted(series, key=lambda one: -len(one.values))[:LOOKED_AT]
    best, strength = 1, 0.0
    for season in candidates:
        if not 1 < season <= WINDOWED:
            continue
        shown = [_strength(one.values, season) for one in longest if len(one.values) >= 3 * season]
        there = [value for value in shown if value > 0]
        if len(there) * 2 > len(shown) and float(np.mean(there)) > strength:
            best, strength = season, float(np.mean(there))
    return best


def _strength(values: NDArray[np.float64], season: int) -> float:
    """The autocorrelation at the season where it is more than chance and a local peak, else 0."""
    steps = np.diff(values)
    steps = steps - steps.mean()
    total = float(steps @ steps)
    if total <= 0:
        return 0.0
    each = np.array([float(steps[lag:] @ steps[:-lag]) / total for lag in range(1, min(season + 2, len(steps)))])
    limit = 1.96 * np.sqrt((1 + 2 * float(np.sum(each[: season - 1] ** 2))) / len(steps))
    found = float(each[season - 1])
    beside = [each[place] for place in (season - 2, season) if 0 <= place < len(each) and season > 2]
    return found if found > limit and all(found > one for one in beside) else 0.0
