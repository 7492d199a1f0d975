"""What a forecast is learnt from: a table of series becomes feature rows, targets and rolling origins."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jupyter_mlstudio.entities.automl import AutoMLSpec, ForecastingSettings, Task
from jupyter_mlstudio.entities.automl_tables import Column, Finding, Severity
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning.forecast_lags import lags_of
from jupyter_mlstudio.learning.forecast_origins import LEAST_VALUES, ROWS, Rows, Starts, starts_of
from jupyter_mlstudio.learning.forecast_rows import CALENDAR, Floats, Ints, RowMaker
from jupyter_mlstudio.learning.forecast_season import WINDOWED, season_of, seasons_of
from jupyter_mlstudio.learning.forecast_table import Laid, Series, Unfit, lay
from jupyter_mlstudio.learning.forecast_told import columns_of, known_columns, told_of_lags

_USUAL = {"D": 28, "B": 20, "h": 48, "min": 60, "s": 60}
"""How many values a row's history has without a season, by the frequency; else 12."""


NAMED_SERIES = 50
"""Series that a model may tell apart by name; of more it goes by their values alone."""


@dataclass(slots=True)
class ForecastPlan:
    """Everything that models of a forecast are fitted on and compared by. Picklable.

    Args:
        X, y: feature rows (see :class:`RowMaker`) and the values that they are about.
        weights: how much each row counts, or None.
        X_test, y_test: rows after everything that was learnt from, or None.
        folds: for each rolling origin the rows whose value was known then, and those that it looks ahead from there.
        series: for each row the number of its series; ``about`` is the step of the grid that it is about.
        scales: for each series the mean absolute error of its (seasonal) naive forecast before the first origin.
        ranges: for each series the range of its values.
        origins: steps of the grid where the folds look ahead.
        spread: how far the winner's forecasts are off, once there is one.
    """

    maker: RowMaker
    X: pd.DataFrame
    y: Floats
    weights: Floats | None
    X_test: pd.DataFrame | None
    y_test: Floats | None
    columns: list[Column]
    findings: list[Finding]
    folds: list[tuple[Ints, Ints]]
    series: Ints
    about: Ints
    test_series: Ints
    scales: Floats
    ranges: Floats
    origins: list[int]
    keys: list[tuple[str, ...]]
    task: Task = Task.FORECASTING
    classes: NDArray[Any] | None = None
    positive: int | None = None
    rows: int = 0
    spread: Any = None
    repeats: ClassVar[int] = 1

    @property
    def steps(self) -> Ints:
        """How many steps ahead each row looks."""
        return self.X["step"].to_numpy(dtype=np.int64)

    def prepare(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Feature rows of new data: raw rows up to now, or feature rows, whose types are settled."""
        if not set(self.maker.columns) <= set(frame.columns):
            return self.maker.future(frame)[0]
        texts = set(self.maker.text_columns)
        settled = {name: frame[name].astype("string").fillna("").astype(object) if name in texts
                   else pd.to_numeric(frame[name]).astype("float64") for name in self.maker.columns}  # fmt: skip
        return pd.DataFrame(settled, index=frame.index)

    def featuriser(self, form: str = "native", params: dict[str, Any] | None = None) -> Any:
        """The unfitted step that makes a matrix of rows: ``lag_1`` ..., ``step``, numbers, then texts as flags."""
        from sklearn.compose import ColumnTransformer
        from sklearn.impute import SimpleImputer
        from sklearn.preprocessing import OneHotEncoder

        texts, known = self.maker.text_columns, self.maker.columns
        numbers = known[: len(known) - len(texts)]
        filled = self.maker.others
        steps: list[tuple[str, Any, list[str]]] = [("history", "passthrough", numbers[: len(numbers) - len(filled)])]
        if filled:
            steps.append(("numbers", SimpleImputer(strategy="median", keep_empty_features=True), filled))
        if texts:
            steps.append(("texts", OneHotEncoder(handle_unknown="ignore", sparse_output=False), texts))
        return ColumnTransformer(steps, verbose_feature_names_out=False)


def make_forecast_plan(
    frame: pd.DataFrame, spec: AutoMLSpec, *, validation: pd.DataFrame | None = None, test: pd.DataFrame | None = None
) -> ForecastPlan:
    """Looks at a table of series and makes feature rows and rolling origins of it.

    Args:
        validation, test: later rows of the same series; without them the last steps of the table, as the request says.

    Raises:
        Unfit: findings end it; the message has each with its remedy, ``findings`` has all.
    """
    settings = spec.forecasting
    if settings is None or settings.forecast_horizon < 1 or spec.target not in frame.columns:
        raise Invalid(_wrong(frame, spec))
    numbers, texts, past, findings = known_columns(frame, spec)
    whole = pd.concat([one for one in (frame, validation, test) if one is not None], ignore_index=True)
    laid = lay(whole, spec.target, settings, known=[*numbers, *texts], past=past, weight=spec.weight_column)
    findings = [*findings, *laid.findings]
    kept, about_series = _long_enough(laid.series, settings)
    findings += about_series
    if not kept:
        raise Unfit(findings)
    laid = replace(laid, series=kept)
    maker, chosen = _maker(laid, spec, settings, numbers, texts)
    starts = starts_of(laid, spec, settings, validation, test)
    lags = lags_of(kept, numbers, past, maker.season, starts.end) if settings.feature_lags else {}
    findings += [*chosen, *told_of_lags(settings, numbers, past, lags)]
    maker = replace(maker, lags=lags, past=[name for name in past if name in lags])
    return _plan(whole, spec, laid, maker, findings, starts)


def _wrong(frame: pd.DataFrame, spec: AutoMLSpec) -> str:
    if spec.forecasting is None:
        return "forecasting needs settings: give forecasting with time_column_name and forecast_horizon"
    if spec.target not in frame.columns:
        return f"there is no column {spec.target!r}: choose from {', '.join(map(str, frame.columns[:20]))}"
    return f"a forecast_horizon of {spec.forecasting.forecast_horizon} is none: give 1 or more steps"


def _long_enough(series: list[Series], settings: ForecastingSettings) -> tuple[list[Series], list[Finding]]:
    """What is done with series that are too short to be validated, as the request says."""
    needed = settings.forecast_horizon + LEAST_VALUES
    short = [one for one in series if len(one.values) < needed]
    way = str(settings.short_series_handling_config or "none").lower()
    if not short or way == "none":
        return series, []
    least = min(len(one.values) for one in short)
    what = f"{len(short)} of {len(series)} series have fewer than {needed} values, the shortest {least}"
    ids = settings.time_series_id_column_names
    if way == "pad":
        done = Finding(code="short_series", severity=Severity.WARNING, columns=ids, what=what,
                       done="their first value is repeated before it", remedy="give more history")  # fmt: skip
        return [_padded(one, needed) for one in series], [done]
    if len(short) == len(series):
        remedy = "give more history, a smaller forecast_horizon, or short_series_handling_config: pad"
        return [], [Finding(code="short_series", severity=Severity.ERROR, columns=ids, what=what, remedy=remedy)]
    done = Finding(code="short_series", severity=Severity.WARNING, columns=ids, what=what, done="they are left out",
                   remedy="give more history, or short_series_handling_config: pad")  # fmt: skip
    return [one for one in series if len(one.values) >= needed], [done]


def _padded(one: Series, needed: int) -> Series:
    more = needed - len(one.values)
    if more <= 0:
        return one
    places = np.r_[np.zeros(more, dtype=np.int64), np.arange(len(one.known))]
    known = pd.DataFrame(one.known.take(places.tolist())).reset_index(drop=True)
    weights = None if one.weights is None else np.r_[np.zeros(more), one.weights]
    return Series(one.key, one.start - more, np.r_[np.full(more, one.values[0]), one.values],
                  np.r_[np.zeros(more, dtype=bool), one.seen], known, weights)  # fmt: skip


def _maker(
    laid: Laid, spec: AutoMLSpec, settings: ForecastingSettings, numbers: list[str], texts: list[str]
) -> tuple[RowMaker, list[Finding]]:
    usual = seasons_of(laid.grid)
    length = int(np.median([len(one.values) for one in laid.series]))
    horizon = settings.forecast_horizon
    season = settings.seasonality or season_of(laid.series, usual)
    longer = [one for one in {*usual, season} if one > WINDOWED and length >= 2 * one + horizon]
    window = season if season <= WINDOWED else 1
    room = max(2, (length - horizon) // 3)
    most = max(3 * window, 2 * window + 2, _USUAL.get(laid.grid.unit, 12))
    history = min(most, max(room, min(2 * window, length - horizon - 1)))
    history = max([history, *(settings.target_lags or []), settings.target_rolling_window_size or 1])
    if settings.use_stl and length - horizon > 2 * window:
        history = max(history, 2 * window)
    window = window if window <= history else 1  # the series are shorter than their season
    maker = RowMaker(
        target=spec.target, settings=settings, grid=laid.grid, history=int(history), season=int(window),
        long_seasons=sorted(longer), numbers=numbers, texts=texts,
        calendar=[] if laid.grid.whole else CALENDAR.get(laid.grid.unit, []),
        holidays=settings.country_or_region_for_holidays or None, ids_in_rows=len(laid.series) <= NAMED_SERIES,
    )  # fmt: skip
    shown = [window] if window > 1 else []
    shown += sorted(longer)
    what = f"seasons of {', '.join(map(str, shown))} steps" if shown else "no season shows"
    done = "as the request says" if settings.seasonality else "from the frequency and the autocorrelation"
    found = [Finding(code="season", severity=Severity.INFO, what=what, done=done,
                     remedy="name the seasonality if it is another; 1 is none")]  # fmt: skip
    if settings.use_stl and not 1 < window <= history // 2:
        what = f"{settings.use_stl} by STL needs two seasons in the last {history} values"
        found.append(Finding(code="no_stl", severity=Severity.WARNING, what=what, done="use_stl was left out",
                             remedy="give more history, or name the seasonality"))  # fmt: skip
    return maker, found


def _plan(
    frame: pd.DataFrame, spec: AutoMLSpec, laid: Laid, maker: RowMaker, findings: list[Finding], starts: Starts
) -> ForecastPlan:
    table = Rows(laid.series, maker, starts)
    learnt = table.about < starts.end
    cuts = [origin for origin in starts.origins if (table.ahead_of(origin) & learnt).any()]
    cuts = [origin for origin in cuts if table.before(origin).any()]
    if not cuts:
        most = max(len(one.values) for one in laid.series)
        what = f"{most} values are too few to look {maker.horizon} steps ahead and compare"
        raise Unfit([*findings, Finding(code="too_short", severity=Severity.ERROR, columns=[spec.target], what=what,
                                        remedy="give more history, or a smaller forecast_horizon")])  # fmt: skip
    test = np.flatnonzero(~learnt & (table.origins >= starts.end) & table.on_stride(starts.end, maker.horizon))
    learnt_rows = np.flatnonzero(learnt)
    place = np.full(len(table.about), -1)
    place[learnt_rows] = np.arange(len(learnt_rows))
    folds = [
        (place[np.flatnonzero(table.before(cut))], place[np.flatnonzero(table.ahead_of(cut) & learnt)]) for cut in cuts
    ]
    if len(table.about) >= ROWS:
        findings = [*findings, Finding(code="origins_spaced", severity=Severity.INFO, columns=[],
                    what=f"a row for each origin and step would be more than {ROWS:,}",
                    done="evenly spaced origins were taken", remedy="")]  # fmt: skip
    weights = table.weights
    return ForecastPlan(
        maker=maker, X=table.X.iloc[learnt_rows].reset_index(drop=True), y=table.y[learnt_rows],
        weights=None if weights is None else weights[learnt_rows],
        X_test=table.X.iloc[test].reset_index(drop=True) if len(test) else None,
        y_test=table.y[test] if len(test) else None,
        columns=columns_of(frame, spec, maker), findings=findings, folds=folds, series=table.series[learnt_rows],
        about=table.about[learnt_rows], test_series=table.series[test], scales=_scales(laid.series, maker, cuts[0]),
        ranges=np.array([float(np.ptp(one.values[one.seen])) or 1.0 for one in laid.series]), origins=cuts,
        keys=[one.key for one in laid.series], rows=len(frame),
    )  # fmt: skip


def _scales(series: list[Series], maker: RowMaker, origin: int) -> Floats:
    """Mean absolute error of the seasonal naive forecast within what was known at the first origin (MASE's scale).

    Hyndman and Koehler, "Another look at measures of forecast accuracy", International Journal of Forecasting 22, 2006.
    """
    found = []
    for one in series:
        known = one.values[: max(origin - one.start, 0)]
        values = known if len(known) > maker.season + 1 else one.values
        lag = maker.season if len(values) > maker.season + 1 else 1
        found.append(float(np.mean(np.abs(values[lag:] - values[:-lag]))) if len(values) > lag else 1.0)
    scales = np.array(found)
    positive = scales[scales > 0]
    return np.where(scales > 0, scales, float(np.median(positive)) if len(positive) else 1.0)
