"""Times of a table: read as what they are, their frequency guessed, and counted on a regular grid."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jupyter_mlstudio.entities.automl_tables import Finding, Severity
from jupyter_mlstudio.errors import Invalid

MONTHS = {"MS": 1, "ME": 1, "QS": 3, "QE": 3, "YS": 12, "YE": 12}
"""Frequencies that are counted in months."""

WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")

OLD = {"M": "ME", "Q": "QE", "A": "YE", "Y": "YE", "AS": "YS", "H": "h", "T": "min", "S": "s", "L": "ms"}
"""Names of frequencies that pandas no longer has, which Azure's documents still use."""

FORMATS = (
    "ISO8601", "%Y-%m", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M",
    "%d.%m.%Y %H:%M", "%d-%m-%Y %H:%M", "%Y%m%d", "%b %Y", "mixed",
)  # fmt: skip
"""Formats of times as text, in the order in which they are tried."""

SEASONS = {
    "s": [60, 3600], "min": [60, 1440], "h": [24, 168], "D": [7, 365], "B": [5, 260], "W": [52], "MS": [12],
    "ME": [12], "QS": [4], "QE": [4], "YS": [], "YE": [],
}  # fmt: skip
"""Steps of the seasons that a frequency usually has, the shortest first."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A regular grid of times: ``number`` steps of ``freq`` from ``anchor``.

    Args:
        freq: pandas' alias with its multiple, e.g. ``D``, ``15min``, ``MS`` or ``W-SUN``.
        anchor: the time of index 0.
        whole: the column counts whole numbers, not times.
        spans: a step is the whole time up to the next one, and not only the time that it is named by.
    """

    freq: str
    anchor: pd.Timestamp
    whole: bool = False
    spans: bool = False

    @property
    def unit(self) -> str:
        """The frequency without its multiple and without a day of the week or a month: ``W-SUN`` is ``W``."""
        return _parts(self.freq)[1].partition("-")[0]

    @property
    def multiple(self) -> int:
        return _parts(self.freq)[0]

    def index(self, times: pd.Series[Any] | pd.DatetimeIndex) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Steps from the anchor ``(n,) int64`` and whether each time lies exactly on the grid ``(n,) bool``."""
        stamps = pd.DatetimeIndex(times)
        if self.spans:
            return self._span(stamps), np.ones(len(stamps), dtype=bool)
        if self.unit in MONTHS:
            per = MONTHS[self.unit] * self.multiple
            months = stamps.year * 12 + stamps.month
            steps = np.floor_divide(np.asarray(months) - (self.anchor.year * 12 + self.anchor.month), per)
        elif self.unit == "B":
            first = np.datetime64(self.anchor, "D")
            days = stamps.to_numpy().astype("datetime64[D]")
            steps = np.floor_divide(np.busday_count(first, days), self.multiple)
        else:
            delta = pd.Timedelta(self._delta()).value
            apart = (stamps - self.anchor).as_unit("ns").asi8
            steps = np.floor_divide(apart + delta // 2, delta)
        steps = np.asarray(steps, dtype=np.int64)
        return steps, np.asarray(self.times(steps) == stamps.as_unit("ns"))

    def times(self, steps: Any) -> pd.DatetimeIndex:
        """Times of steps."""
        steps = np.asarray(steps, dtype=np.int64)
        if self.unit in MONTHS:
            per = MONTHS[self.unit] * self.multiple
            months = self.anchor.to_datetime64().astype("datetime64[M]") + steps * per
            stamps = pd.DatetimeIndex(months.astype("datetime64[ns]"))
            if self.unit.endswith("E"):
                return stamps + pd.offsets.MonthEnd(0)
            return stamps + pd.Timedelta(days=self.anchor.day - 1)
        if self.unit == "B":
            first = np.datetime64(self.anchor, "D")
            days = np.busday_offset(first, steps * self.multiple, roll="forward")
            return pd.DatetimeIndex(days.astype("datetime64[ns]"))
        return pd.DatetimeIndex(self.anchor.as_unit("ns") + pd.to_timedelta(steps * pd.Timedelta(self._delta())))

    def _span(self, stamps: pd.DatetimeIndex) -> np.ndarray[Any, Any]:
        """The step that each time falls into; weeks and what ends with a month are named by their last day."""
        days = stamps.normalize()
        if self.unit in MONTHS:
            months = np.asarray(stamps.year * 12 + stamps.month) - (self.anchor.year * 12 + self.anchor.month)
            steps, per = months, MONTHS[self.unit] * self.multiple
        elif self.unit == "B":
            on = np.busday_offset(days.to_numpy().astype("datetime64[D]"), 0, roll="backward")
            steps, per = np.busday_count(np.datetime64(self.anchor, "D"), on), self.multiple
        else:
            apart = ((days if self.unit == "W" else stamps) - self.anchor).as_unit("ns").asi8
            steps, per = np.asarray(apart), pd.Timedelta(self._delta()).value
        last = self.unit == "W" or self.unit.endswith("E")
        return np.asarray(-np.floor_divide(-steps, per) if last else np.floor_divide(steps, per), dtype=np.int64)

    def _delta(self) -> str:
        return f"{7 * self.multiple}D" if self.unit == "W" else f"{self.multiple}{self.unit}"


def _parts(freq: str) -> tuple[int, str]:
    digits = len(freq) - len(freq.lstrip("0123456789"))
    return int(freq[:digits] or 1), freq[digits:]


def known_frequency(freq: str) -> str:
    """The frequency in pandas' present spelling.

    Raises:
        Invalid: it is none that is counted here.
    """
    text = freq.strip()
    try:
        many, name = _parts(text)
    except ValueError:
        many, name = 1, text
    head, dash, tail = name.partition("-")
    head = OLD.get(head, {"d": "D", "H": "h", "MIN": "min"}.get(head, head))
    if head in ("QS", "QE", "YS", "YE"):
        dash, tail = "", ""
    if head not in SEASONS and head != "ms":
        raise Invalid(f"frequency {freq!r} is not known: use one of {', '.join(sorted(SEASONS))}, e.g. 15min or W-SUN")
    if dash and (head != "W" or tail.upper() not in WEEKDAYS):
        raise Invalid(f"frequency {freq!r} is not known: a week ends on one of {', '.join(WEEKDAYS)}, e.g. W-SUN")
    return f"{many if many > 1 else ''}{head}{dash}{tail.upper()}"


def read_times(column: pd.Series[Any]) -> tuple[pd.Series[Any], bool]:
    """A column as times without a zone ``datetime64[ns]``, and whether it counts whole numbers.

    Dates, ISO texts and texts of one other format are read; whole numbers of 1000 to 3000 are years, large ones
    seconds or milliseconds since 1970, small ones steps.

    Raises:
        Invalid: some of it cannot be read as a time.
    """
    name = str(column.name)
    if isinstance(column.dtype, pd.PeriodDtype):
        return column.dt.to_timestamp().dt.as_unit("ns"), False
    if pd.api.types.is_bool_dtype(column.dtype):
        raise Invalid(f"column {name!r} holds truth values, not times")
    if pd.api.types.is_numeric_dtype(column.dtype):
        return _of_numbers(column, name)
    given = column.notna()
    if not pd.api.types.is_datetime64_any_dtype(column.dtype):
        column = _of_text(column.astype("string").str.strip())
    unread = given & column.isna()
    if unread.any():
        raise Invalid(f"column {name!r}: {int(unread.sum())} values cannot be read as times, the first in row"
                      f" {int(np.flatnonzero(unread)[0])}")  # fmt: skip
    if getattr(column.dtype, "tz", None) is not None:
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    return column.dt.as_unit("ns"), False


def _of_numbers(column: pd.Series[Any], name: str) -> tuple[pd.Series[Any], bool]:
    numbers = column.astype("float64")
    held = numbers.dropna()
    if not (held % 1 == 0).all():
        raise Invalid(f"column {name!r} holds fractions, not times: give dates, years or whole numbers")
    if len(held) and held.between(1000, 3000).all():
        return pd.to_datetime(numbers.astype("Int64").astype("string"), format="%Y").dt.as_unit("ns"), False
    if (
        len(held)
        and held.between(19000101, 21001231).all()
        and _of_text(held.astype("int64").astype("string")).notna().all()
    ):
        return pd.to_datetime(numbers.astype("Int64").astype("string"), format="%Y%m%d").dt.as_unit("ns"), False
    if len(held) and held.abs().max() > 1e8:
        seconds = numbers / 1000 if held.abs().max() > 1e11 else numbers
        return (pd.Timestamp("1970-01-01") + pd.to_timedelta(seconds, unit="s")).dt.as_unit("ns"), False
    return (pd.Timestamp("1970-01-01") + pd.to_timedelta(numbers, unit="D")).dt.as_unit("ns"), True


def _of_text(texts: pd.Series[Any]) -> pd.Series[Any]:
    """The format that reads most of it; days come first where that reads more."""
    best: pd.Series[Any] | None = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for form in FORMATS:
            read = pd.to_datetime(texts, errors="coerce", utc=True, format=form).dt.tz_localize(None)
            if best is None or read.notna().sum() > best.notna().sum():
                best = read
            if best.notna().sum() == texts.notna().sum():
                break
    assert best is not None
    return best


def guess_frequency(series: list[pd.DatetimeIndex], whole: bool = False) -> str:
    """The commonest step between a series' times, as pandas' alias.

    Args:
        series: sorted times without repeats, one index for each series.
        whole: they count whole numbers, and know no months.

    Raises:
        Invalid: no series has two times.
    """
    steps = np.concatenate([np.diff(one.as_unit("ns").asi8) for one in series if len(one) > 1] or [np.zeros(0)])
    if not len(steps):
        raise Invalid("no series has two times, so that there is no frequency: name the series' columns or frequency")
    values, counts = np.unique(steps, return_counts=True)
    usual = pd.Timedelta(int(values[np.argmax(counts)]))
    if whole:
        return _of_delta(usual)
    every = series[int(np.argmax([len(one) for one in series]))]
    days = usual / pd.Timedelta(days=1)
    for low, high, name in ((28, 31, "M"), (89, 92, "Q"), (365, 366, "Y")):
        if low <= days <= high and (days % 7 or every.day.nunique() == 1 or bool(every.is_month_end.all())):
            end = bool(every.is_month_end.mean() > 0.9)
            return name + ("E" if end else "S")
    if days == 7:
        return "W-" + every[-1].day_name()[:3].upper()
    if days == 1 and len(every) > 7 and bool((every.day_of_week < 5).all()):
        return "B"
    return _of_delta(usual)


def _of_delta(delta: pd.Timedelta) -> str:
    for unit, size in (("D", "1D"), ("h", "1h"), ("min", "1min"), ("s", "1s"), ("ms", "1ms")):
        many, rest = divmod(delta.value, pd.Timedelta(size).value)
        if not rest:
            return f"{many if many > 1 else ''}{unit}"
    raise Invalid(f"steps of {delta} are too fine to be forecast: name a frequency such as s or min")


def spans_of(stamps: pd.Series[Any], freq: str) -> Grid:
    """The grid whose steps are whole days, weeks, months, from the one that the first time falls into."""
    first = pd.Timestamp(stamps.min())
    grid = Grid(freq, first.normalize(), spans=True)
    unit, anchor = grid.unit, grid.anchor
    if unit in MONTHS:
        per = MONTHS[unit]
        begin = anchor.replace(day=1, month=(anchor.month - 1) // per * per + 1)
        anchor = begin + pd.offsets.MonthEnd(per) if unit.endswith("E") else begin
    elif unit == "W":
        named = freq.partition("-")[2] or "SUN"
        anchor += pd.Timedelta(days=(WEEKDAYS.index(named) - anchor.day_of_week) % 7)
    elif unit == "B":
        anchor = pd.Timestamp(np.busday_offset(np.datetime64(anchor, "D"), 0, roll="backward"))
    return Grid(freq, anchor, spans=True)


def grid_of(stamps: pd.Series[Any], freq: str, whole: bool) -> tuple[Grid, list[Finding]]:
    """The grid that most times lie on, and a finding when some lie beside it."""
    grid = Grid(freq, pd.Timestamp(stamps.min()), whole)
    if grid.unit in ("MS", "QS", "YS", "ME", "QE", "YE") and not grid.unit.endswith("E"):
        day = int(stamps.dt.day.mode().iloc[0])
        grid = Grid(freq, grid.anchor.normalize().replace(day=min(day, 28)), whole)
    elif grid.unit.endswith("E"):
        grid = Grid(freq, (grid.anchor.normalize() + pd.offsets.MonthEnd(0)), whole)
    elif grid.unit == "B":
        grid = Grid(freq, pd.Timestamp(np.busday_offset(np.datetime64(grid.anchor, "D"), 0, roll="forward")), whole)
    _, on = grid.index(stamps)
    if on.all():
        return grid, []
    return grid, [
        Finding(
            code="times_off_grid", severity=Severity.WARNING, columns=[str(stamps.name)],
            what=f"{int((~on).sum())} of {len(on)} times do not lie on a grid of {freq}",
            done="each was moved to the nearest step",
            remedy="name the frequency that the data have, or sum the values up to it before",
        )
    ]  # fmt: skip
