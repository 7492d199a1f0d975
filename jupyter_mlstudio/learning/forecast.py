"""Forecasts with a fitted model: rows of the times after a table, their answers, and how far they may be off."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning.forecast_plan import ForecastPlan
from jupyter_mlstudio.learning.forecast_plan import make_forecast_plan as make_forecast_plan
from jupyter_mlstudio.learning.forecast_rows import RowMaker
from jupyter_mlstudio.learning.forecasters import movement

LEVELS = (0.5, 0.8, 0.9, 0.95)
ENOUGH = 40
"""Errors that an interval of a step is taken from at least; of fewer, those of the steps beside it count too."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How far forecasts are off, by step ahead, in units of how much a series moves from step to step.

    Args:
        low, high: level of coverage, as text -> ``(horizon,)``.
        errors: how many errors it rests on.
    """

    low: dict[str, list[float]] = field(default_factory=dict)
    high: dict[str, list[float]] = field(default_factory=dict)
    errors: int = 0

    @classmethod
    def of(cls, steps: NDArray[np.int64], errors: NDArray[np.float64], horizon: int) -> Spread:
        """From errors of forecasts that were not fitted on: the quantiles of split conformal prediction.

        Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World", Springer 2005: of ``n`` errors the one
        at ``ceil((n + 1) q)``. Errors of a series follow each other, so that its coverage holds about, not exactly.
        """
        low: dict[str, list[float]] = {f"{level:g}": [] for level in LEVELS}
        high: dict[str, list[float]] = {f"{level:g}": [] for level in LEVELS}
        for step in range(1, horizon + 1):
            own = np.sort(_of_step(steps, errors, step, horizon))
            for level in LEVELS:
                place = math.ceil((len(own) + 1) * (1 + level) / 2) - 1
                high[f"{level:g}"].append(float(own[min(place, len(own) - 1)]) if len(own) else math.nan)
                low[f"{level:g}"].append(float(own[max(len(own) - 1 - place, 0)]) if len(own) else math.nan)
        return cls(low, high, len(errors))


def _of_step(steps: NDArray[np.int64], errors: NDArray[np.float64], step: int, horizon: int) -> NDArray[np.float64]:
    for wide in range(horizon):
        own = errors[np.abs(steps - step) <= wide]
        if len(own) >= ENOUGH:
            return own
    return errors


def scale_of(rows: pd.DataFrame, history: int) -> NDArray[np.float64]:
    """How much each row's history moves, ``(n_rows,)``: what errors are measured in."""
    return movement(rows[[f"lag_{lag}" for lag in range(1, history + 1)]].to_numpy(dtype=np.float64))


def spread_of(plan: ForecastPlan, model: Any, origin: int) -> Spread:
    """How far a model, fitted on what was known at an origin, is off from there on."""
    began = plan.about - plan.steps + 1
    rows = np.flatnonzero(began >= origin)
    predicted = np.asarray(model.predict(plan.X.iloc[rows]), dtype=np.float64)
    errors = (plan.y[rows] - predicted) / scale_of(plan.X.iloc[rows], plan.maker.history)
    return Spread.of(plan.steps[rows], errors, plan.maker.horizon)


def forecast(
    model: Any, maker: RowMaker, history: pd.DataFrame, *, known: pd.DataFrame | None = None, steps: int | None = None,
    spread: Spread | None = None, level: float = 0.95,
) -> pd.DataFrame:  # fmt: skip
    """Forecasts the steps after each series of a table.

    Args:
        model: answers feature rows: fitted on them, or anything with a ``predict`` that asks an endpoint.
        history: the table up to now; rows without a target tell what is known of later times.
        known: more such rows.
        steps: how many; None is the horizon. Beyond the horizon forecasts are taken for values and forecast from.
        spread: how far forecasts may be off; adds the columns ``low`` and ``high``.
        level: the share of values that is to lie between them: one of :data:`LEVELS`.

    Returns:
        The series' columns, the time, and the target's forecast; a row for each series and step.

    Raises:
        Invalid: what is known ahead is not there, or the level is none of those.
    """
    wanted = maker.horizon if steps is None else steps
    if wanted < 1:
        raise Invalid(f"{wanted} steps are none: ask for 1 or more")
    found: list[pd.DataFrame] = []
    now, done = history, 0
    while done < wanted:
        block = _block(model, maker, now, known, spread, level)
        block = block[block.groupby(maker.ids).cumcount() < wanted - done] if maker.ids else block[: wanted - done]
        found.append(block)
        done += maker.horizon
        if done < wanted:
            now = _with(maker, now, block, known)
    order = [*maker.ids, maker.settings.time_column_name]
    return pd.concat(found, ignore_index=True).sort_values(order, kind="stable", ignore_index=True)


def _block(
    model: Any, maker: RowMaker, history: pd.DataFrame, known: pd.DataFrame | None, spread: Spread | None, level: float
) -> pd.DataFrame:
    rows, beside = maker.future(history, known)
    predicted = np.asarray(model.predict(rows), dtype=np.float64).ravel()
    found = beside.assign(**{maker.target: predicted})
    if spread is None:
        return found
    name = f"{level:g}"
    if name not in spread.low:
        raise Invalid(f"there is no interval of {level:g}: choose from {', '.join(map(str, LEVELS))}")
    place = rows["step"].to_numpy(dtype=np.int64) - 1
    scale = scale_of(rows, maker.history)
    found["low"] = predicted + np.asarray(spread.low[name])[place] * scale
    found["high"] = predicted + np.asarray(spread.high[name])[place] * scale
    return found


def _with(maker: RowMaker, history: pd.DataFrame, block: pd.DataFrame, known: pd.DataFrame | None) -> pd.DataFrame:
    """A history that goes on with forecasts, and with what is known of their times."""
    own = [*maker.ids, maker.settings.time_column_name]
    values = block[[*own, maker.target]]
    ahead = history[history[maker.target].isna()]
    if known is not None:
        ahead = pd.concat([ahead, known], ignore_index=True)
    if maker.known:
        for name in maker.ids:
            values = values.assign(**{name: values[name].astype(ahead[name].dtype)})
        times = pd.to_datetime(ahead[own[-1]]) if not maker.grid.whole else ahead[own[-1]]
        values = values.merge(ahead.assign(**{own[-1]: times})[[*own, *maker.known]], on=own, how="left")
    past = history[history[maker.target].notna()]
    if not maker.grid.whole:
        from jupyter_mlstudio.learning.forecast_time import read_times

        past = past.assign(**{own[-1]: read_times(past[own[-1]])[0]})
        ahead = ahead.assign(**{own[-1]: read_times(ahead[own[-1]])[0]})
    return pd.concat([past, values, ahead], ignore_index=True)


def to_json(maker: RowMaker, spread: Spread | None) -> dict[str, JSON]:
    """What a model needs beside it to forecast from a table."""
    return {"rows": maker.to_json(), "spread": None if spread is None else asdict(spread)}


def from_json(value: dict[str, JSON]) -> tuple[RowMaker, Spread | None]:
    """The other way round."""
    spread = value.get("spread")
    return RowMaker.from_json(value["rows"]), None if spread is None else Spread(**spread)
