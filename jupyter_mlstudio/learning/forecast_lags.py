"""Which past values of other columns tell of a forecast's target, beyond what its own past tells.

Granger, "Investigating causal relations by econometric models and cross-spectral methods", Econometrica 37, 1969: a
column's past belongs into a model where it makes the errors of one that has the target's past smaller. It is asked for
one lag after the other, the best first, by an F test over all series.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.learning.forecast_table import Series

Floats = NDArray[np.float64]

LEVEL = 0.001
"""Of the test of all lags of all columns together."""

MOST = 3
"""Lags of a column."""

LONGEST = 24
SHORTEST = 6
"""The longest lag that is looked at: a season within these."""

SERIES, VALUES = 50, 2000
"""Of the longest series and their last values that are looked at."""

ROOM = 20
"""Values that there have to be beside one for each number that is estimated."""


def lags_of(
    series: list[Series], numbers: list[str], past: list[str], season: int, end: int
) -> dict[str, list[int]]:  # fmt: skip
    """Chooses lags.

    Args:
        numbers: columns that are known ahead: their own value at the time in question is held against their past.
        past: columns that are not.
        season: steps of the season; 1 is none.
        end: the step from which on nothing is looked at.

    Returns:
        Column -> lags in ascending order, where there are any. Of a column that is not known ahead these are all up to
        the last one that tells something, since each step ahead finds it at another place.
    """
    tested = max(SHORTEST, min(season, LONGEST))
    longest = sorted(series, key=lambda one: -len(one.values))[:SERIES]
    found: dict[str, list[int]] = {}
    for name in [*numbers, *past]:
        parts = [part for one in longest if (part := _rows(one, name, name in numbers, season, end, tested))]
        if not parts:
            continue
        target, base, lagged = (np.concatenate([part[place] for part in parts]) for place in range(3))
        picked = _picked(target, base, lagged, LEVEL / (tested * len([*numbers, *past])))
        if picked:
            found[name] = sorted(picked) if name in numbers else list(range(1, max(picked) + 1))
    return found


def filled(values: Floats) -> Floats:
    """Values with what is missing filled by the one before it; what is missing at the beginning stays so."""
    there = np.isfinite(values)
    last = np.maximum.accumulate(np.where(there, np.arange(len(values)), 0))
    return values[last]


def _rows(
    one: Series, name: str, ahead: bool, season: int, end: int, tested: int
) -> tuple[Floats, Floats, Floats] | None:  # fmt: skip
    """Changes of the target ``(n,)``, of what is known of it ``(n, m)``, and of the column's past ``(n, tested)``.

    Changes are those over a season, so that neither seasons nor trends that both have are taken for an effect; each
    series is set off from its mean and scaled by its spread.
    """
    most = max(0, end - one.start)
    values = one.values[:most][-VALUES:]
    column = filled(one.known[name].to_numpy(dtype=np.float64)[:most][-VALUES:])
    missing = int((~np.isfinite(column)).sum())  # at the beginning
    values, column = values[missing:], column[missing:]
    if len(values) <= season + tested + ROOM:
        return None
    own, other = (_scaled(each[season:] - each[:-season]) for each in (values, column))
    if own is None or other is None:
        return None
    behind = sorted({*range(1, tested + 1), season})
    first = behind[-1]
    count = len(own) - first
    base = [own[first - lag : first - lag + count] for lag in behind]
    base += [other[first:]] if ahead else []
    lagged = [other[first - lag : first - lag + count] for lag in range(1, tested + 1)]
    return own[first:], np.stack(base, axis=1), np.stack(lagged, axis=1)


def _scaled(values: Floats) -> Floats | None:
    spread = float(values.std())
    return (values - values.mean()) / spread if spread > 1e-9 * (1.0 + float(np.abs(values).max())) else None


def _picked(target: Floats, base: Floats, lagged: Floats, level: float) -> list[int]:
    """Lags that make the errors smaller by more than chance, the best first."""
    from scipy.stats import f

    picked: list[int] = []
    columns = np.column_stack([np.ones(len(target)), base])
    while len(picked) < MOST:
        room = len(target) - columns.shape[1] - 1
        if room < ROOM:
            break
        known, _ = np.linalg.qr(columns)
        error, left = target - known @ (known.T @ target), lagged - known @ (known.T @ lagged)
        size = np.sqrt((left**2).sum(axis=0))
        alone = size > 1e-6 * np.sqrt((lagged**2).sum(axis=0)) + 1e-12
        shared = np.where(alone, (left.T @ error) ** 2 / np.where(alone, size, 1.0) ** 2, 0.0)
        best, total = int(np.argmax(shared)), float(error @ error)
        if total <= 1e-12 * len(target):
            break
        ratio = float(shared[best]) / max(total - float(shared[best]), 1e-300) * room
        if best + 1 in picked or float(f.sf(ratio, 1, room)) > level:
            break
        picked.append(best + 1)
        columns = np.column_stack([columns, lagged[:, best]])
    return picked
