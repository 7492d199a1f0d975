"""Feature rows of a forecast: one for each series, origin and step ahead, from what was known at the origin alone.

A row holds the last values before the origin, how many steps ahead it looks, the values of other seasons, the calendar
of the time it is about, and what else is known of that time. So a model answers each row by itself, for every step of
the horizon ("direct" forecasting with the step as a feature), and nothing has to be fed back into it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jupyter_mlstudio.entities.automl import ForecastingSettings
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid, MissingExtra
from jupyter_mlstudio.learning.forecast_lags import filled
from jupyter_mlstudio.learning.forecast_table import Series, keys_of, lay
from jupyter_mlstudio.learning.forecast_time import Grid, read_times

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

CALENDAR = {
    "ms": ["minute", "second"], "s": ["hour", "minute"], "min": ["hour", "minute", "weekday"],
    "h": ["hour", "weekday", "month"], "D": ["weekday", "day", "month", "year_sin", "year_cos"],
    "B": ["weekday", "day", "month", "year_sin", "year_cos"], "W": ["month", "year_sin", "year_cos"],
    "MS": ["month", "year_sin", "year_cos"], "ME": ["month", "year_sin", "year_cos"], "QS": ["month"], "QE": ["month"],
    "YS": [], "YE": [],
}  # fmt: skip
"""Parts of the calendar that say something at a frequency."""


@dataclass(frozen=True, slots=True)
class RowMaker:
    """Makes feature rows of series.

    Args:
        history: how many of the last values a row has: ``lag_1`` is the last one.
        season: steps of the season within the history; 1 is none.
        long_seasons: steps of seasons that are longer than the history; each gives two columns.
        numbers, texts: other columns, known ahead.
        past: other columns of numbers, not known ahead.
        lags: which lags of columns are features: steps before the time that a row is about, where the column is known
            ahead, else before its origin.
        holidays: ISO 3166 code of the country whose holidays are marked, or None.
        ids_in_rows: whether rows say which series they are of; of many series they do not.
    """

    target: str
    settings: ForecastingSettings
    grid: Grid
    history: int
    season: int
    long_seasons: list[int] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    calendar: list[str] = field(default_factory=list)
    holidays: str | None = None
    ids_in_rows: bool = True
    past: list[str] = field(default_factory=list)
    lags: dict[str, list[int]] = field(default_factory=dict)

    @property
    def horizon(self) -> int:
        return self.settings.forecast_horizon

    @property
    def ids(self) -> list[str]:
        return list(self.settings.time_series_id_column_names)

    @property
    def _row_ids(self) -> list[str]:
        return self.ids if self.ids_in_rows else []

    @property
    def known(self) -> list[str]:
        """Columns that have to be given for the times to be forecast."""
        return [*self.numbers, *self.texts]

    @property
    def columns(self) -> list[str]:
        """The columns of a row: numbers first, beginning with ``lag_1`` ... and ``step``, then texts."""
        own = [*(f"lag_{lag}" for lag in range(1, self.history + 1)), "step"]
        for season in self.long_seasons:
            own += [f"season_{season}", f"season_{season}_around"]
        own += [*self.calendar, *(["holiday"] if self.holidays else [])]
        ways = {name: "last" if name in self.past else "lag" for name in self.lags}
        lagged = [f"{name}_{ways[name]}_{lag}" for name, lags in self.lags.items() for lag in lags]
        taken = {*own}
        for name in [*self.numbers, *lagged, *self._row_ids, *self.texts]:
            while name in taken:
                name = f"known_{name}"
            own.append(name)
            taken.add(name)
        return own

    @property
    def others(self) -> list[str]:
        """Those of :attr:`columns` that are numbers of other columns of the table; some may be missing."""
        texts, width = len(self.text_columns), len(self.numbers) + sum(map(len, self.lags.values()))
        names = self.columns
        return names[len(names) - texts - width : len(names) - texts]

    @property
    def text_columns(self) -> list[str]:
        """Those of :attr:`columns` that hold text."""
        return self.columns[len(self.columns) - len(self._row_ids) - len(self.texts) :]

    def rows(self, series: Series, origins: Ints, steps: Ints, future: pd.DataFrame | None = None) -> pd.DataFrame:
        """Rows of one series.

        Args:
            origins: ``(n,)``: for each row how many of the series' values are known, at least 1.
            steps: ``(n,)``: how many steps ahead it looks; 1 is the first unknown one.
            future: the known columns of the steps after the series' last, one row for each.

        Returns:
            ``(n, len(columns))``, float64 and text.
        """
        values, about = series.values, origins + steps - 1
        lags = origins[:, None] - np.arange(1, self.history + 1)[None, :]
        blocks: list[Floats] = [values[np.maximum(lags, 0)], steps[:, None].astype(np.float64)]
        usual = blocks[0].mean(axis=1)
        for season in self.long_seasons:
            blocks += [_ago(values, origins, about, season, usual), _around(values, origins, about, season, usual)]
        blocks.append(self._times(series.start + about))
        others = series.known if future is None else pd.concat([series.known, future], ignore_index=True)
        if self.numbers:
            blocks.append(others[self.numbers].astype("float64").to_numpy()[about])
        for name, behind in self.lags.items():
            at = origins if name in self.past else about
            column = filled(others[name].to_numpy(dtype=np.float64))
            blocks.append(column[np.maximum(at[:, None] - np.array(behind)[None, :], 0)])
        numbers = np.concatenate([block if block.ndim == 2 else block[:, None] for block in blocks], axis=1)
        texts = self.text_columns
        made = pd.DataFrame(numbers, columns=self.columns[: len(self.columns) - len(texts)])
        for name, value in zip(texts[: len(self._row_ids)], series.key, strict=False):
            made[name] = np.full(len(made), value, dtype=object)
        for name, given in zip(texts[len(self._row_ids) :], self.texts, strict=True):
            made[name] = others[given].astype("string").fillna("").to_numpy(dtype=object)[about]
        return made

    def _times(self, steps: Ints) -> Floats:
        names = [*self.calendar, *(["holiday"] if self.holidays else [])]
        if not names:
            return np.zeros((len(steps), 0))
        unique, places = np.unique(steps, return_inverse=True)
        times = self.grid.times(unique)
        return np.column_stack([self._time(name, times) for name in names])[places]

    def _time(self, name: str, times: pd.DatetimeIndex) -> Floats:
        if name == "holiday":
            return _holidays(times, str(self.holidays))
        if name.startswith("year_"):
            angle = 2 * np.pi * (times.day_of_year.to_numpy() - 1) / 365.25
            return np.asarray(np.sin(angle) if name == "year_sin" else np.cos(angle), dtype=np.float64)
        part = {"weekday": "day_of_week"}.get(name, name)
        return np.asarray(getattr(times, part), dtype=np.float64)

    def lay(self, history: pd.DataFrame) -> list[Series]:
        """A table's series on this grid."""
        return lay(history, self.target, self.settings, known=self.known, past=self.past, grid=self.grid).series

    def future(self, history: pd.DataFrame, known: pd.DataFrame | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Rows of the whole horizon after each series' last value.

        Args:
            history: the table up to now; rows without a target tell what is known of later times.
            known: more such rows: the known columns, times and ids.

        Returns:
            The rows, and beside them a table of the series' columns and the time, in the same order.

        Raises:
            Invalid: what is known ahead is not there for a time of the horizon.
        """
        ahead = history[history[self.target].isna()] if self.target in history else history.iloc[:0]
        if known is not None:
            ahead = pd.concat([ahead, known.drop(columns=[self.target], errors="ignore")], ignore_index=True)
        laid = self.lay(history[history[self.target].notna()])
        found, beside = [], []
        for series in laid:
            steps = np.arange(1, self.horizon + 1)
            times = self.grid.times(series.end + steps - 1)
            given = self._given(series, ahead, series.end + steps - 1) if self.known else None
            found.append(self.rows(series, np.full(len(steps), len(series.values)), steps, given))
            labels = {name: [value] * len(steps) for name, value in zip(self.ids, series.key, strict=False)}
            beside.append(pd.DataFrame({**labels, self.settings.time_column_name: self._shown(times)}))
        return pd.concat(found, ignore_index=True), pd.concat(beside, ignore_index=True)

    def _shown(self, times: pd.DatetimeIndex) -> Any:
        """Times as the table has them: whole numbers where it counts."""
        return (times - pd.Timestamp("1970-01-01")).days if self.grid.whole else times

    def _given(self, series: Series, ahead: pd.DataFrame, steps: Ints) -> pd.DataFrame:
        own = ahead[keys_of(ahead, self.ids) == "\x1f".join(series.key)]
        if len(own):
            stamps, _ = read_times(own[self.settings.time_column_name])
            own = own.assign(__step=self.grid.index(stamps)[0]).drop_duplicates("__step", keep="last")
            own = own.set_index("__step").reindex(steps)
        if not len(own) or own[self.known].isna().all(axis=1).any():
            of = f" of series {'/'.join(series.key)}" if self.ids else ""
            raise Invalid(
                f"{', '.join(map(repr, self.known))} have to be given for the {len(steps)} steps to be forecast{of}:"
                " add rows with these times and no target, or train without these columns"
            )
        return own[self.known].reset_index(drop=True)

    def to_json(self) -> dict[str, JSON]:
        """Everything as JSON, so that rows can be made beside a served model."""
        grid = {"freq": self.grid.freq, "anchor": self.grid.anchor.isoformat(), "whole": self.grid.whole,
                "spans": self.grid.spans}  # fmt: skip
        return {**{name: getattr(self, name) for name in self.__dataclass_fields__}, "settings": asdict(self.settings),
                "grid": grid}  # fmt: skip

    @classmethod
    def from_json(cls, value: dict[str, JSON]) -> RowMaker:
        grid = Grid(**{**value["grid"], "anchor": pd.Timestamp(value["grid"]["anchor"])})
        return cls(**{**value, "settings": ForecastingSettings(**value["settings"]), "grid": grid})


def pairs(first: int, last: int, horizon: int, most: int) -> Iterator[tuple[Ints, Ints]]:
    """Origins from ``first`` to ``last`` known values with each step whose value is among ``most``."""
    origins = np.arange(first, last + 1)
    for step in range(1, horizon + 1):
        fitting = origins[origins + step <= most]
        yield fitting, np.full(len(fitting), step)


def _ago(values: Floats, origins: Ints, about: Ints, season: int, usual: Floats) -> Floats:
    """The value one season before, or the last season before the origin."""
    ahead = about - origins + 1
    place = about - season * np.ceil(ahead / season).astype(np.int64)
    return np.where(place >= 0, values[np.maximum(place, 0)], usual)


def _around(values: Floats, origins: Ints, about: Ints, season: int, usual: Floats) -> Floats:
    """The mean of the values around the same place of all seasons before the origin."""
    wide = max(1, season // 50)
    total, count = np.zeros(len(about)), np.zeros(len(about))
    sums = np.concatenate([[0.0], np.cumsum(values)])
    for back in range(1, len(values) // season + 2):
        low = np.maximum(about - back * season - wide, 0)
        high = np.minimum(about - back * season + wide + 1, origins)
        many = np.maximum(high - low, 0)
        fits = many > 0
        total += np.where(fits, sums[np.where(fits, high, 0)] - sums[np.where(fits, low, 0)], 0.0)
        count += many
    return np.where(count > 0, total / np.maximum(count, 1), usual)


def _holidays(times: pd.DatetimeIndex, country: str) -> Floats:
    """1 on public holidays."""
    try:
        import holidays
    except ImportError as error:
        raise MissingExtra("holidays", "forecasting") from error
    try:
        days = holidays.country_holidays(country, years=range(int(times.year.min()), int(times.year.max()) + 1))
    except NotImplementedError as error:
        raise Invalid(f"holidays of {country!r} are not known: give an ISO 3166 code, e.g. DE or US") from error
    return np.fromiter((time.date() in days for time in times), dtype=np.float64, count=len(times))
