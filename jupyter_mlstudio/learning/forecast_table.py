"""A table of time series laid on a regular grid: series without repeats and gaps, and what was found on the way."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jupyter_mlstudio.entities.automl import ForecastingSettings
from jupyter_mlstudio.entities.automl_tables import Finding, Severity
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning.forecast_spans import spanned
from jupyter_mlstudio.learning.forecast_time import Grid, grid_of, guess_frequency, known_frequency, read_times

REPEATS_ALLOWED = 0.05
"""Share of rows that may repeat another's series and time with another value; more look like several series in one."""

SNAPPED_ALLOWED = 0.2
"""Share of times that may lie beside the grid; more look like a wrong frequency."""


@dataclass(frozen=True, slots=True)
class Series:
    """One series on the grid.

    Args:
        key: the values of the columns that tell series apart, as text.
        start: step of its first value.
        values: ``(n_steps,) float64``, every step from the first to the last value, gaps filled by the value before.
        seen: ``(n_steps,) bool``: which of them the table had.
        known: other columns at these steps, gaps filled by the row before.
        weights: how much each step counts, or None.
    """

    key: tuple[str, ...]
    start: int
    values: NDArray[np.float64]
    seen: NDArray[np.bool_]
    known: pd.DataFrame
    weights: NDArray[np.float64] | None = None

    @property
    def end(self) -> int:
        """The step after the last one."""
        return self.start + len(self.values)


@dataclass(frozen=True, slots=True)
class Laid:
    """A table on its grid."""

    grid: Grid
    series: list[Series]
    findings: list[Finding]


class Unfit(Invalid):
    """Findings that end it before any fit; ``findings`` has all of them."""

    def __init__(self, findings: list[Finding]) -> None:
        wrong = [one for one in findings if one.severity is Severity.ERROR]
        super().__init__("; ".join(f"{one.what}: {one.remedy}" for one in wrong))
        self.findings = findings


def lay(
    frame: pd.DataFrame, target: str, settings: ForecastingSettings, *, known: list[str], past: list[str] | None = None,
    weight: str | None = None, grid: Grid | None = None,
) -> Laid:  # fmt: skip
    """Lays a table on a regular grid.

    Args:
        known: other columns to keep, whose values are known ahead; ``past`` are such that are not.
        grid: the grid to lie on; None takes the frequency of the settings, or guesses it.

    Raises:
        Unfit: a column is not there or of the wrong type, or the table looks like several series in one.
    """
    ids, time = settings.time_series_id_column_names, settings.time_column_name
    _present(frame, [target, time, *ids])
    findings: list[Finding] = []
    past = past or []
    table = frame[[*ids, *known, *past, *([weight] if weight else [])]].copy()
    table["__y"] = _numbers(frame[target], target)
    try:
        table["__time"], whole = read_times(frame[time])
    except Invalid as error:
        raise Unfit(
            [_error("time_unreadable", error.message, "give it in one format, e.g. 2024-01-31", time)]
        ) from None
    table["__time"].name = time
    table["__series"] = keys_of(frame, ids)
    table = _without_missing(table, target, time, findings)
    if not len(table):
        raise Unfit([_error("target_all_missing", f"{target!r} has no value", "choose another target", target)])
    if settings.target_aggregate_function:
        if whole:
            remedy = "sum the values up before, and leave target_aggregate_function out"
            raise Unfit([_error("no_times", f"{time!r} counts whole numbers, which have no frequency", remedy, time)])
        try:
            table, grid, found = spanned(table, settings, time, known=known, past=past, weight=weight, grid=grid)
        except Invalid as error:
            raise Unfit([*findings, _error("frequency_unknown", error.message, "name the frequency", time)]) from None
        findings += found
    else:
        table = _without_repeats(table, frame, target, time, ids, weight, findings)
        if grid is None:
            grid = _grid(table, time, settings, whole, findings)
        table["__step"], _ = grid.index(table["__time"])
        table = table.drop_duplicates(["__series", "__step"], keep="last")
    series = [_series(key, part, [*known, *past], weight) for key, part in table.groupby("__series", sort=True)]
    gaps = {one.key: int((~one.seen).sum()) for one in series}
    if any(gaps.values()):
        worst = max(gaps, key=lambda key: gaps[key])
        of = f", most in {'/'.join(worst)}" if ids else ""
        findings.append(
            Finding(
                code="time_gaps", severity=Severity.WARNING, columns=[time],
                what=f"{sum(gaps.values())} steps of {grid.freq} have no value{of}",
                done="each is filled by the value before it, and never learnt from as a target",
                remedy="add the missing rows (with 0 where nothing happened), or name the frequency if it is another",
            )
        )  # fmt: skip
    return Laid(grid, series, findings)


def _series(key: Any, part: pd.DataFrame, known: list[str], weight: str | None) -> Series:
    part = part.sort_values("__step")
    steps = part["__step"].to_numpy()
    start, length = int(steps[0]), int(steps[-1] - steps[0]) + 1
    places = steps - start
    seen = np.zeros(length, dtype=bool)
    seen[places] = True
    last = np.maximum.accumulate(np.where(seen, np.arange(length), 0))
    values = np.zeros(length)
    values[places] = part["__y"].to_numpy()
    rows = np.zeros(length, dtype=np.int64)
    rows[places] = np.arange(len(part))
    others = part[known].iloc[rows[last]].reset_index(drop=True)
    weights = None
    if weight:
        weights = np.zeros(length)
        weights[places] = pd.to_numeric(part[weight]).fillna(0.0).to_numpy()
    return Series(tuple(str(key).split("\x1f")), start, values[last], seen, others, weights)


def _present(frame: pd.DataFrame, columns: list[str]) -> None:
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        names = ", ".join(map(str, frame.columns[:20]))
        raise Unfit([_error("column_missing", f"there is no column {name!r}", f"choose from {names}", name)
                     for name in missing])  # fmt: skip


def _numbers(column: pd.Series[Any], target: str) -> pd.Series[Any]:
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.astype("float64").replace([np.inf, -np.inf], np.nan)
    read = pd.to_numeric(column, errors="coerce").astype("float64")
    unread = int((read.isna() & column.notna()).sum())
    if unread:
        example = column[read.isna() & column.notna()].iloc[0]
        raise Unfit([_error("target_not_numeric", f"{unread} values of {target!r} are no numbers, e.g. {example!r}",
                            "forecasting predicts numbers: make them numbers, or empty", target)])  # fmt: skip
    return read


def keys_of(frame: pd.DataFrame, ids: list[str]) -> pd.Series[Any]:
    """The values that tell series apart as one text for each row."""
    if not ids:
        return pd.Series("", index=frame.index)
    key = _text(frame[ids[0]])
    for name in ids[1:]:
        key = key + "\x1f" + _text(frame[name])
    return key


def _text(column: pd.Series[Any]) -> pd.Series[Any]:
    """Ids as text, whole numbers without a fraction, so that 1.0 of one file is 1 of another."""
    if pd.api.types.is_float_dtype(column.dtype) and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")
    return column.astype("string").fillna("").astype(object).astype(str)


def _without_missing(table: pd.DataFrame, target: str, time: str, findings: list[Finding]) -> pd.DataFrame:
    for column, name, code in (("__time", time, "time_missing"), ("__y", target, "target_missing")):
        missing = int(table[column].isna().sum())
        if missing:
            findings.append(
                Finding(
                    code=code, severity=Severity.WARNING, columns=[name], what=f"{missing} rows have no {name!r}",
                    done="they are left out", remedy="fill them in, or leave the rows out before",
                )
            )  # fmt: skip
            table = table[table[column].notna()]
    return table


def _without_repeats(
    table: pd.DataFrame, frame: pd.DataFrame, target: str, time: str, ids: list[str], weight: str | None,
    findings: list[Finding],
) -> pd.DataFrame:  # fmt: skip
    keys = ["__series", "__time"]
    same = table.duplicated([*keys, "__y"])
    if same.any():
        findings.append(
            Finding(
                code="duplicate_rows", severity=Severity.INFO, columns=[time],
                what=f"{int(same.sum())} rows repeat another's time and value", done="each was taken once",
                remedy="leave them out before, if they are no mistake of the export",
            )
        )  # fmt: skip
        table = table[~same]
    repeats = table.duplicated(keys, keep=False)
    share = float(repeats.mean())
    if not repeats.any():
        return table
    what = f"{int(repeats.sum())} rows have a time that their series has already, with another value"
    if share > REPEATS_ALLOWED:
        raise Unfit([*findings, _error("duplicate_times", what, _telling(frame, target, time, ids), time)])
    findings.append(
        Finding(
            code="duplicate_times", severity=Severity.WARNING, columns=[time], what=what, done="their mean was taken",
            remedy="sum them up before if they are parts of a whole, or name the columns that tell series apart",
        )
    )  # fmt: skip
    means = table.groupby(keys)["__y"].transform("mean")
    return table.assign(__y=means).drop_duplicates(keys, keep="last")


def _telling(frame: pd.DataFrame, target: str, time: str, ids: list[str]) -> str:
    """Which columns would tell the series apart."""
    others = [name for name in frame.columns if name not in (target, time, *ids) and frame[name].nunique() > 1]
    few = [name for name in others if frame[name].nunique() <= len(frame) // 2][:12]
    for width in (1, 2):
        for names in combinations(few, width):
            if not frame.duplicated([*ids, *names, time]).any():
                found = ", ".join(repr(str(name)) for name in [*ids, *names])
                return f"name the columns that tell series apart: {found} would do"
    return "sum the values up to one row for each time and series, or name the columns that tell series apart"


def _grid(table: pd.DataFrame, time: str, settings: ForecastingSettings, whole: bool, findings: list[Finding]) -> Grid:
    stamps = table["__time"].rename(time)
    if settings.frequency and not whole:
        try:
            freq = known_frequency(settings.frequency)
        except Invalid as error:
            raise Unfit(
                [*findings, _error("frequency_unknown", error.message, "leave it out to guess it", time)]
            ) from None
    else:
        each = [pd.DatetimeIndex(np.sort(part.unique())) for _, part in stamps.groupby(table["__series"])]
        try:
            freq = guess_frequency(each, whole)
        except Invalid as error:
            raise Unfit([*findings, _error("frequency_unknown", error.message, "give more rows", time)]) from None
    grid, beside = grid_of(stamps, freq, whole)
    share = 1 - float(grid.index(stamps)[1].mean())
    if beside and share > SNAPPED_ALLOWED and not settings.frequency:
        what = f"{share:.0%} of the times do not lie on a grid of {freq}, which is the commonest step"
        remedy = "name the frequency, and sum the values up to it before"
        raise Unfit([*findings, _error("frequency_unclear", what, remedy, time)])
    findings += beside
    findings.append(
        Finding(
            code="frequency", severity=Severity.INFO, columns=[time],
            what=f"the times are steps of {freq.removesuffix('D') or '1' if whole else freq}",
            done="named in the request" if settings.frequency else "guessed from the commonest step",
            remedy="name the frequency if it is another",
        )
    )  # fmt: skip
    return grid


def _error(code: str, what: str, remedy: str, column: str) -> Finding:
    return Finding(code=code, severity=Severity.ERROR, what=what, remedy=remedy, columns=[column])
