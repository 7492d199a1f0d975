from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor, VotingRegressor
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning import arima, smoothing, stl
from jupyter_mlstudio.learning.forecast_families import Config, make
from jupyter_mlstudio.learning.forecast_plan import ForecastPlan, make_forecast_plan
from jupyter_mlstudio.learning.forecast_regressors import REGRESSORS
from jupyter_mlstudio.learning.forecast_work import fitted
from jupyter_mlstudio.learning.forecasters import (
    ColumnForecaster,
    HistoryForecaster,
    LaggedForecaster,
    RidgeForecaster,
)
from jupyter_mlstudio.plugins.converters.base import Original
from jupyter_mlstudio.plugins.converters.sklearn import SklearnConverter
from jupyter_mlstudio.programs.ladder import climb
from tests.learning.test_forecast_plan import monthly, spec

BOOSTING = HistGradientBoostingRegressor(max_iter=20, early_stopping=False, min_samples_leaf=5, random_state=0)
ALL = [method for method in smoothing.FREE if method != "naive"]


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def layout(plan: ForecastPlan) -> dict[str, int]:
    maker = plan.maker
    return {"history": maker.history, "horizon": maker.horizon, "season": maker.season}


@pytest.fixture(scope="module")
def plan() -> ForecastPlan:
    frame = monthly(96)
    frame["sold"] += np.random.default_rng(0).normal(size=len(frame))
    return make_forecast_plan(frame, spec(horizon=6))


def error(model: Any, plan: ForecastPlan) -> float:
    known, ahead = plan.folds[0]
    fitted = clone(model).fit(plan.X.iloc[known], plan.y[known])
    return float(np.mean(np.abs(fitted.predict(plan.X.iloc[ahead]) - plan.y[ahead])))


def same_in_onnx(model: Any, rows: pd.DataFrame) -> None:
    conversion = climb(SklearnConverter(), Original(model, rows, "scikit-learn", None), 1e-5).conversion
    assert conversion.ready, conversion.reason


@pytest.mark.parametrize("method", smoothing.FREE)
@pytest.mark.parametrize(("history", "season"), [(2, 1), (30, 1), (36, 12), (9, 4)])
def test_a_classical_method_of_a_constant_is_that_constant(method: str, history: int, season: int) -> None:
    if method in smoothing.SEASONAL and season == 1:
        return
    if method.startswith("arima") and arima.reach_of(method, season) >= history:
        with pytest.raises(Invalid, match=rf"needs more than \d+ values of history, there are {history}"):
            smoothing.weights(method, history, 14, season, [0.3] * smoothing.FREE[method])
        return
    found = smoothing.weights(method, history, 14, season, [0.3] * smoothing.FREE[method])
    np.testing.assert_allclose(found.sum(axis=1), 1.0)


def test_naive_methods_answer_with_values_that_anybody_can_look_up() -> None:
    window = np.array([8.0, 7, 6, 5, 4, 3, 2, 1])  # the last one first: the series is 1, 2, ... 8
    expected = {"naive": [8, 8, 8, 8, 8], "seasonal_naive": [5, 6, 7, 8, 5], "drift": [9, 10, 11, 12, 13],
                "seasonal_drift": [9, 10, 11, 12, 13], "mean": [4.5] * 5}  # fmt: skip
    for method, values in expected.items():
        assert (smoothing.weights(method, 8, 5, 4) @ window).tolist() == pytest.approx(values), method


@pytest.mark.parametrize("method", ["holt", "damped", "holt_winters", "seasonal_drift"])
def test_a_line_goes_on(method: str) -> None:
    window = np.arange(24.0, 0, -1)
    found = smoothing.weights(method, 24, 3, 4, [0.5, 0.5, 0.0, 1.0][: smoothing.FREE[method]]) @ window
    assert found[0] == pytest.approx(25, abs=1.0 if method == "damped" else 1e-9)


def test_smoothing_is_what_its_recursion_gives() -> None:
    values, alpha = np.array([3.0, 5.0, 4.0, 9.0, 1.0, 7.0]), 0.3
    level = values[:5].mean()
    for value in values:
        level += alpha * (value - level)
    found = smoothing.weights("ses", 6, 2, 1, [alpha]) @ values[::-1]
    assert found.tolist() == pytest.approx([level, level])


def test_arima_is_what_its_equation_gives() -> None:
    """By hand: an autoregression about the mean, and the airline model with its errors from zero."""
    series = np.array([3.0, 5, 4, 8, 6, 9, 7, 11, 8, 12, 9, 14])
    window = series[::-1]
    phi = arima.EDGE * (2 * 0.7 - 1)
    mean = series.mean()
    by_hand = [mean + phi**step * (series[-1] - mean) for step in (1, 2, 3)]
    found = smoothing.weights("arima_101", 12, 3, 1, [0.7, 0.5]) @ window  # without its moving average
    np.testing.assert_allclose(found, by_hand)

    theta, late = (-arima.EDGE * (2 * free - 1) for free in (0.3, 0.2))
    missed = [0.0] * 5
    for at in range(5, 12):
        moved = series[at] - series[at - 1] - series[at - 4] + series[at - 5]
        missed.append(moved - theta * missed[at - 1] - late * missed[at - 4] - theta * late * missed[at - 5])
    nearest = series[-1] + series[-4] - series[-5] + theta * missed[-1] + late * missed[-4] + theta * late * missed[-5]
    found = smoothing.weights("arima_011_011", 12, 3, 4, [0.3, 0.2]) @ window
    assert found[0] == pytest.approx(nearest)


def test_a_window_is_taken_apart_into_season_and_trend() -> None:
    steps = np.arange(36)
    season = 5 * np.sin(2 * np.pi * steps / 12)
    own, trend = stl.components(36, 12)
    window = 20 + 0.5 * steps + season
    assert np.abs(own @ window - season).max() < 0.35
    assert np.abs(trend @ window - (20 + 0.5 * steps))[6:-6].max() < 0.35
    np.testing.assert_allclose(own.sum(axis=1), 0.0, atol=1e-9)
    np.testing.assert_allclose(trend.sum(axis=1), 1.0)
    ahead, last = stl.ahead(36, 3, 12)
    np.testing.assert_allclose(ahead @ window[::-1], (own @ window)[24:27])
    assert last @ window[::-1] == pytest.approx((trend @ window)[-1])


def test_an_autoregression_is_recovered_and_beats_the_naive_forecast() -> None:
    random = np.random.default_rng(0)
    values = [0.0, 0.0]
    for shock in random.normal(size=240):
        values.append(1.1 * values[-1] - 0.5 * values[-2] + shock)
    frame = pd.DataFrame({"when": pd.date_range("2000-01-01", periods=200, freq="MS"), "sold": values[42:]})
    plan = make_forecast_plan(frame, spec(horizon=3, seasonality=1))
    naive, arima_ = (error(HistoryForecaster(one, **layout(plan)), plan) for one in ("naive", "arima_212"))
    assert arima_ < 0.85 * naive


def test_trend_and_season_are_recovered(plan: ForecastPlan) -> None:
    naive = error(HistoryForecaster("naive", **layout(plan)), plan)
    for model in (
        HistoryForecaster("holt_winters", **layout(plan)), HistoryForecaster("theta", **layout(plan)),
        RidgeForecaster(alpha=0.01, **layout(plan)),
        LaggedForecaster(BOOSTING, base="season", **layout(plan)),
    ):  # fmt: skip
        assert error(model, plan) < 0.5 * naive, model
    assert error(HistoryForecaster("holt_winters", **layout(plan)), plan) < 2.0


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize(
    "method", ["naive", "seasonal_naive", "drift", "damped_holt_winters", "theta", "arima_111_011"]
)
def test_a_classical_forecast_is_the_same_in_onnx(plan: ForecastPlan, method: str, log: bool) -> None:
    same_in_onnx(HistoryForecaster(method, log=log, **layout(plan)).fit(plan.X, plan.y), plan.X)


@pytest.mark.parametrize(
    "model",
    [
        LaggedForecaster(BOOSTING), LaggedForecaster(BOOSTING, base="season", log=True),
        LaggedForecaster(BOOSTING, base="mean", lags=[1, 12], windows=[6]),
        LaggedForecaster(BOOSTING, lags=[], windows=[], stl="season"),
        RidgeForecaster(), RidgeForecaster(base="season", log=True, stl="season_trend"),
        VotingRegressor([("one", RidgeForecaster()), ("two", LaggedForecaster(BOOSTING))], weights=[0.25, 0.75]),
        VotingRegressor([("one", LaggedForecaster(RidgeForecaster())), ("two", LaggedForecaster(BOOSTING))]),
    ],
    ids=["boosting", "log", "few lags", "no lags", "ridge", "log ridge", "vote", "vote of alike"],
)  # fmt: skip
def test_a_lagged_forecast_is_the_same_in_onnx(plan: ForecastPlan, model: Any) -> None:
    model = clone(model)
    members = [one for _, one in model.estimators] if isinstance(model, VotingRegressor) else [model]
    for one in members:
        one.set_params(**layout(plan))
        if isinstance(getattr(one, "estimator", None), RidgeForecaster):
            from sklearn.linear_model import Ridge

            one.set_params(estimator=Ridge())
    same_in_onnx(model.fit(plan.X, plan.y), plan.X)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize("family", REGRESSORS)
def test_each_regressor_of_lags_beats_the_naive_forecast_and_is_the_same_in_onnx(
    family: str, plan: ForecastPlan
) -> None:
    usual: dict[str, Any] = {"base": "season", "log": False}
    model = make(plan, Config(family, usual), seed=0, threads=1)
    assert error(model, plan) < 0.5 * error(HistoryForecaster("naive", **layout(plan)), plan)
    same_in_onnx(clone(model).fit(plan.X, plan.y), plan.X)
    drawn = Config(family, usual | {"log": True} | REGRESSORS[family].drawn(np.random.default_rng(1)))
    same_in_onnx(make(plan, drawn, seed=0, threads=1).fit(plan.X, plan.y), plan.X)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize("family", REGRESSORS)
def test_rows_that_weigh_more_are_learnt_more_by_what_can(family: str, plan: ForecastPlan) -> None:
    late = np.where(np.arange(len(plan.y)) > len(plan.y) // 2, 1.0, 0.01)
    weighted = dataclasses.replace(plan, weights=late)
    config = Config(family, {"base": "last", "log": False})
    answers = [fitted(one, config, None, seed=0, threads=1).predict(plan.X) for one in (plan, weighted)]
    assert np.array_equal(*answers) == (family == "KNN")


def test_several_series_other_columns_and_long_seasons_are_the_same_in_onnx() -> None:
    days = pd.date_range("2018-01-01", periods=900, freq="D")
    angle = 2 * np.pi * np.arange(900) / 365
    shop = {name: 100 * size + 20 * size * np.sin(angle) for size, name in enumerate(["north", "south"], start=1)}
    frame = pd.concat(
        [
            pd.DataFrame({"when": days, "sold": sold, "store": name, "price": np.arange(900) % 7})
            for name, sold in shop.items()
        ]
    )
    frame.loc[frame.index % 11 == 0, "price"] = np.nan
    plan = make_forecast_plan(frame, spec(horizon=3, time_series_id_column_names=["store"]))
    assert plan.maker.long_seasons == [365]
    own = {**layout(plan), "long": 2}
    for model in (
        LaggedForecaster(BOOSTING, **own), RidgeForecaster(**own), LaggedForecaster(KNeighborsRegressor(3), **own),
        ColumnForecaster(plan.maker.history + 2, plan.maker.history, plan.maker.horizon),
    ):  # fmt: skip
        whole = make_pipeline(plan.featuriser(), model).fit(plan.X, plan.y)
        same_in_onnx(whole, plan.X.iloc[::9])


def test_what_cannot_be_is_said() -> None:
    plan = make_forecast_plan(monthly().assign(sold=lambda one: one["sold"] - 60), spec())
    with pytest.raises(Invalid, match="logarithm"):
        HistoryForecaster("naive", log=True, **layout(plan)).fit(plan.X, plan.y)
    with pytest.raises(Invalid, match="season of 2"):
        HistoryForecaster("holt_winters", history=12, horizon=4, season=1).fit(plan.X, plan.y)
