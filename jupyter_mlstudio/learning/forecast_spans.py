"""Rows that are finer than the steps of a forecast: all rows of a step become one, by a function."""

from __future__ import annotations

from typing import Any

import pandas as pd

from jupyter_mlstudio.entities.automl import ForecastingSettings
from jupyter_mlstudio.entities.automl_tables import Finding, Severity
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning.forecast_time import Grid, known_frequency, spans_of

FUNCTIONS = ("sum", "mean", "min", "max")

LEAST_SHARE = 0.9
"""Of the rows that nearly all steps of a series have; a first or last step with fewer looks as if it were not whole."""


def spanned(
    table: pd.DataFrame, settings: ForecastingSettings, time: str, *, known: list[str], past: list[str],
    weight: str | None, grid: Grid | None,
) -> tuple[pd.DataFrame, Grid, list[Finding]]:  # fmt: skip
    """Makes one row of all that a series has in a step.

    The target, and what is not known ahead, becomes its sum, mean, smallest or largest value; a weight becomes its
    mean; what is known ahead has its last value, so that it may be given ahead once for each step.

    Args:
        table: with ``__series``, ``__time`` and ``__y`` beside the columns that are named.
        grid: of earlier rows; None makes one of the frequency.

    Returns:
        The rows, one for each series and step, with ``__step``; the grid; and what was found.

    Raises:
        Invalid: no frequency is said, or it is not known.
    """
    name = str(settings.target_aggregate_function)
    if name not in FUNCTIONS or not settings.frequency:
        raise Invalid(f"target_aggregate_function is one of {', '.join(FUNCTIONS)}, and needs a frequency, e.g. D")
    if grid is None:
        grid = spans_of(table["__time"], known_frequency(settings.frequency))
    table = table.assign(__step=grid.index(table["__time"])[0], **{one: table[one].astype("float64") for one in past})
    parts = table.sort_values("__time", kind="stable").groupby(["__series", "__step"], sort=True)
    numbers = parts[["__y", *past]]
    rows = numbers.sum(min_count=1) if name == "sum" else numbers.agg(name)
    if known:
        rows[known] = parts[known].last()
    if weight:
        rows[weight] = parts[weight].mean()
    rows = rows.reset_index()
    rows["__time"] = grid.times(rows["__step"].to_numpy())
    return rows, grid, _found(parts.size(), len(table), name, grid, time)


def _found(sizes: pd.Series[Any], rows: int, name: str, grid: Grid, time: str) -> list[Finding]:
    found = [
        Finding(
            code="aggregated", severity=Severity.INFO, columns=[time],
            what=f"{rows:,} rows are {len(sizes):,} steps of {grid.freq}", done=f"each has the {name} of its rows",
            remedy="another target_aggregate_function, or a finer frequency, if that is not meant",
        )
    ]  # fmt: skip
    short = [] if name == "mean" else [one for _, own in sizes.groupby(level=0) for one in _not_whole(own)]
    if short:
        found.append(
            Finding(
                code="part_of_a_step", severity=Severity.WARNING, columns=[time],
                what=f"{len(short)} first or last steps of series have fewer rows than nearly all others,"
                f" the smallest {min(short)}",
                done="taken as they are", remedy="leave the rows of a step out that is not over, also to forecast",
            )
        )  # fmt: skip
    return found


def _not_whole(own: pd.Series[Any]) -> list[int]:
    """How many rows the first and the last step have, where these are fewer than nearly all others have."""
    if len(own) < 4:
        return []
    usual = float(own.iloc[1:-1].quantile(0.05))
    return [int(one) for one in (own.iloc[0], own.iloc[-1]) if one < LEAST_SHARE * usual]
