"""Parts of times, by arithmetic that the ONNX form repeats operator by operator."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

DAY_S = 86400.0
PARTS = ("elapsed", "year", "month", "day", "weekday", "day_of_year", "hour")
"""``elapsed`` is days since 1970, ``hour`` has fractions, ``weekday`` is 0 on Mondays."""

CYCLES = (("day_of_year", 365.25, 1.0), ("weekday", 7.0, 0.0), ("hour", 24.0, 0.0))
"""A part, how long its round is, and where it begins."""

DATE = r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
HOUR_MINUTE, SECOND = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", r":[0-5][0-9]"
SHAPE = f"{DATE}(?:[T ]{HOUR_MINUTE}(?:{SECOND})?)?"
"""How times are written as text: a date, and perhaps hours and minutes, and perhaps seconds."""


def seconds(column: pd.Series[Any]) -> Any:
    """Seconds since 1970, ``(n_rows,) float64``, of times or ISO 8601 text; NaN for what is none."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        if isinstance(column.dtype, pd.DatetimeTZDtype):
            column = column.dt.tz_convert("UTC").dt.tz_localize(None)
        whole = column.to_numpy().astype("datetime64[s]")
    else:
        codes, found = pd.factorize(column)
        whole = np.array([*(_second(value) for value in found), np.datetime64("NaT", "s")])[codes]
    return np.where(np.isnat(whole), np.nan, whole.astype(np.int64).astype(np.float64))


def _second(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return np.datetime64(value.tz_localize(None) if value.tz is None else value.tz_convert(None), "s")
    match = re.fullmatch(SHAPE, value) if isinstance(value, str) else None
    try:
        return np.datetime64("NaT" if match is None else value.replace(" ", "T"), "s")
    except ValueError:
        return np.datetime64("NaT", "s")


def parts(since: Any) -> dict[str, Any]:
    """Every part of times that are given in seconds since 1970, each ``(n_rows,) float64``.

    The civil date of a day's number is by Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    """
    days = np.floor(since / DAY_S)
    shifted = days + 719468.0
    era = np.floor(shifted / 146097.0)
    of_era = shifted - era * 146097.0
    year_of_era = np.floor(
        (of_era - np.floor(of_era / 1460.0) + np.floor(of_era / 36524.0) - np.floor(of_era / 146096.0)) / 365.0
    )
    from_march = of_era - (365.0 * year_of_era + np.floor(year_of_era / 4.0) - np.floor(year_of_era / 100.0))
    march_month = np.floor((5.0 * from_march + 2.0) / 153.0)
    month = march_month + np.where(march_month < 10.0, 3.0, -9.0)
    year = year_of_era + era * 400.0 + (month <= 2.0)
    return {
        "elapsed": since / DAY_S,
        "year": year,
        "month": month,
        "day": from_march - np.floor((153.0 * march_month + 2.0) / 5.0) + 1.0,
        "weekday": days + 3.0 - np.floor((days + 3.0) / 7.0) * 7.0,
        "day_of_year": days - first_day(year) + 1.0,
        "hour": (since - days * DAY_S) / 3600.0,
    }


def first_day(year: Any) -> Any:
    """The number of a year's first day, since 1970."""
    before = year - 1.0
    return before * 365.0 + np.floor(before / 4.0) - np.floor(before / 100.0) + np.floor(before / 400.0) - 719162.0
