"""Origins of a forecast: where validation and test look ahead, and the rows that begin there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jupyter_mlstudio.entities.automl import AutoMLSpec, ForecastingSettings
from jupyter_mlstudio.learning.forecast_rows import RowMaker, pairs
from jupyter_mlstudio.learning.forecast_table import Laid, Series
from jupyter_mlstudio.learning.forecast_time import read_times

ROWS = 200_000
"""Feature rows at most; of more, evenly spaced origins are taken."""

FOLDS = 5
LEAST_VALUES = 3
"""Values that a series has to have before its first validated step."""


@dataclass(frozen=True, slots=True)
class Starts:
    """Steps of the grid where validation looks ahead, and where the test begins."""

    origins: list[int]
    test: int | None
    end: int


def starts_of(
    laid: Laid, spec: AutoMLSpec, settings: ForecastingSettings, validation: pd.DataFrame | None,
    test: pd.DataFrame | None,
) -> Starts:  # fmt: skip
    horizon = settings.forecast_horizon
    stride = settings.cv_step_size or horizon
    first, end = min(one.start for one in laid.series), max(one.end for one in laid.series)
    test_start: int | None = None
    last = end
    if test is not None:
        test_start = last = _first_step(laid, test, settings)
    elif spec.test_data_size:
        size = spec.test_data_size
        test_start = last = end - max(horizon, round(size * (end - first)) if size < 1 else int(size))
    if validation is not None:
        low = _first_step(laid, validation, settings)
        origins = list(range(low, last - horizon + 1, stride)) or [low]
    else:
        origins = _rolling(laid, spec, first, last, horizon, stride)
    return Starts(origins, test_start, last)


def _rolling(laid: Laid, spec: AutoMLSpec, first: int, last: int, horizon: int, stride: int) -> list[int]:
    """Origins that end with the last steps; fewer where most of the history would be before none."""
    wanted = spec.n_cross_validations or FOLDS
    least = first + max(LEAST_VALUES, min((last - first) // 2, 3 * horizon if spec.n_cross_validations is None else 0))
    found = [last - horizon - number * stride for number in range(wanted)]
    kept = [origin for origin in found if origin >= least] or [max(first + LEAST_VALUES, last - horizon)]
    return sorted({origin for origin in kept if any(one.start < origin < one.end for one in laid.series)})


def _first_step(laid: Laid, frame: pd.DataFrame, settings: ForecastingSettings) -> int:
    times, _ = read_times(frame[settings.time_column_name])
    return int(laid.grid.index(times.dropna())[0].min())


class Rows:
    """All rows of all series, and where on the grid each begins and what it is about."""

    def __init__(self, series: list[Series], maker: RowMaker, starts: Starts) -> None:
        total = sum(len(one.values) for one in series) * maker.horizon
        spacing = max(1, -(-total // ROWS))
        marks = {*starts.origins, *range(starts.end, max(one.end for one in series), maker.horizon)}
        frames, ys, weights, numbers, origins, about = [], [], [], [], [], []
        for number, one in enumerate(series):
            before = starts.origins[0] - one.start - 2 * maker.horizon if starts.origins else 1
            first = max(1, min(maker.history, len(one.values) // 3, before))
            parts = list(pairs(first, len(one.values) - 1, maker.horizon, len(one.values)))
            known, steps = (np.concatenate([part[side] for part in parts]) for side in (0, 1))
            at = known + one.start
            wanted = ((at % spacing == 0) | np.isin(at, list(marks))) & one.seen[known + steps - 1]
            if one.weights is not None:
                wanted &= one.weights[known + steps - 1] > 0
            order = np.flatnonzero(wanted)
            order = order[np.lexsort((steps[order], known[order]))]
            known, steps = known[order], steps[order]
            frames.append(maker.rows(one, known, steps))
            ys.append(one.values[known + steps - 1])
            weights.append(None if one.weights is None else one.weights[known + steps - 1])
            numbers.append(np.full(len(order), number))
            origins.append(known + one.start)
            about.append(known + steps - 1 + one.start)
        self.X = pd.concat(frames, ignore_index=True)
        self.y = np.concatenate(ys)
        self.weights = None if weights[0] is None else np.concatenate([one for one in weights if one is not None])
        self.series = np.concatenate(numbers)
        self.origins, self.about = np.concatenate(origins), np.concatenate(about)

    def before(self, origin: int) -> NDArray[np.bool_]:
        """Rows whose value was known at an origin."""
        return np.asarray(self.about < origin)

    def ahead_of(self, origin: int) -> NDArray[np.bool_]:
        """Rows that look ahead from an origin."""
        return np.asarray(self.origins == origin)

    def on_stride(self, first: int, stride: int) -> NDArray[np.bool_]:
        return np.asarray((self.origins - first) % stride == 0)
