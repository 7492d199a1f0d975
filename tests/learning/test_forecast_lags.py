from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_mlstudio.learning.forecast import forecast, from_json, to_json
from jupyter_mlstudio.learning.forecast_families import Config
from jupyter_mlstudio.learning.forecast_plan import ForecastPlan, make_forecast_plan
from jupyter_mlstudio.learning.forecast_table import Unfit
from jupyter_mlstudio.learning.forecast_work import fitted
from tests.learning.test_forecast_plan import codes, spec
from tests.learning.test_forecasters import same_in_onnx

RIDGE = Config("Ridge", {"alpha": 0.01, "base": "mean", "log": False})
BOOSTING = Config("HistGradientBoosting", {"base": "mean", "log": False, "rounds": 10})


def daily(length: int = 220, seed: int = 0) -> pd.DataFrame:
    """Sales that follow what was advertised two days before, and a column that says nothing."""
    rng = np.random.default_rng(seed)
    steps = np.arange(length)
    advertised = rng.normal(size=length)
    sold = 50 + 0.05 * steps + 4 * np.sin(2 * np.pi * steps / 7) + rng.normal(size=length) * 0.3
    sold[2:] += 3 * advertised[:-2]
    when = pd.date_range("2024-01-01", periods=length, freq="D")
    return pd.DataFrame({"when": when, "sold": sold, "ads": advertised, "noise": rng.normal(size=length)})


def plan_of(frame: pd.DataFrame, **given: Any) -> ForecastPlan:
    return make_forecast_plan(frame, spec(**{"feature_lags": "auto", "seasonality": 7, **given}))


def error(frame: pd.DataFrame, **given: Any) -> float:
    """How far a ridge regression is off at the last origin."""
    plan = make_forecast_plan(frame, spec(**{"seasonality": 7, **given}))
    known, ahead = plan.folds[-1]
    model = fitted(plan, RIDGE, known, seed=0, threads=1)
    return float(np.abs(model.predict(plan.X.iloc[ahead]) - plan.y[ahead]).mean())


def test_lags_that_tell_of_the_target_are_found_and_others_are_not() -> None:
    plan = plan_of(daily())
    assert plan.maker.lags["ads"][0] == 2
    assert "noise" not in plan.maker.lags
    assert {"feature_lags", "no_feature_lags"} <= codes(plan)
    row, at = plan.X.iloc[50], plan.about[50]
    assert row["ads_lag_2"] == daily()["ads"][at - 2]
    assert next(one for one in plan.columns if one.name == "ads").steps[1].startswith("lag")


def test_columns_that_say_nothing_get_no_lags_whatever_trend_and_season_they_share() -> None:
    found = 0
    for seed in range(10):
        frame = daily(seed=seed)
        steps = np.arange(len(frame))
        other = np.random.default_rng(100 + seed).normal(size=len(frame))
        frame["alike"] = 0.1 * steps + 5 * np.sin(2 * np.pi * steps / 7) + other
        found += len(set(plan_of(frame).maker.lags) - {"ads"})
    assert found <= 1


def test_lags_make_a_forecast_better_also_where_the_column_is_not_known_ahead() -> None:
    frame = daily().drop(columns="noise")
    plain = error(frame, horizon=2, features_unknown_at_forecast_time=["ads"])
    assert error(frame, horizon=2, feature_lags="auto") < 0.5 * plain
    assert error(frame, horizon=2, feature_lags="auto", features_unknown_at_forecast_time=["ads"]) < 0.5 * plain


def test_a_column_that_is_not_known_ahead_has_to_be_given_for_no_later_time() -> None:
    frame = daily()
    plan = plan_of(frame, features_unknown_at_forecast_time=["ads", "noise"])
    assert plan.maker.known == []
    assert plan.maker.past == ["ads"]
    model = fitted(plan, RIDGE, None, seed=0, threads=1)
    maker, _ = from_json(json.loads(json.dumps(to_json(plan.maker, None))))
    rows, _ = maker.future(frame)
    assert rows["ads_last_2"].tolist() == [frame["ads"].iloc[-2]] * 4
    found = forecast(model, maker, frame, steps=10)
    assert len(found) == 10
    assert np.isfinite(found["sold"]).all()


def test_what_is_known_ahead_reaches_the_lags_of_later_steps() -> None:
    frame = daily()
    plan = plan_of(frame)
    ahead = pd.DataFrame({"when": pd.date_range("2024-08-08", periods=4, freq="D"), "ads": [5.0, 6, 7, 8], "noise": 0})
    rows, _ = plan.maker.future(frame, ahead)
    assert rows["ads_lag_2"].tolist() == [*frame["ads"].iloc[-2:], 5.0, 6.0]


def test_past_values_are_summed_up_as_the_target_is() -> None:
    frame = daily(440).assign(when=pd.date_range("2024-01-01", periods=440, freq="12h"))
    plan = plan_of(
        frame, frequency="D", target_aggregate_function="sum", features_unknown_at_forecast_time=["ads", "noise"]
    )
    days = frame.groupby(frame["when"].dt.normalize())["ads"].sum()
    assert plan.maker.past == ["ads"]
    assert plan.X["ads_last_1"].iloc[0] == pytest.approx(days.iloc[plan.about[0] - plan.steps[0]])


@pytest.mark.parametrize("config", [RIDGE, BOOSTING], ids=["ridge", "boosting"])
@pytest.mark.parametrize("unknown", [[], ["ads"]])
def test_models_of_lags_have_an_equal_onnx_form(config: Config, unknown: list[str]) -> None:
    frame = daily()
    frame.loc[frame.index % 9 == 0, "ads"] = np.nan
    plan = plan_of(frame, features_unknown_at_forecast_time=unknown)
    assert plan.maker.lags
    model = fitted(plan, config, None, seed=0, threads=1)
    assert np.isfinite(model.predict(plan.X)).all()
    same_in_onnx(model, plan.X.iloc[-100:])


def test_a_table_without_numbers_to_lag_says_so_and_one_without_the_column_too() -> None:
    frame = daily()[["when", "sold"]]
    assert "no_feature_lags" in codes(plan_of(frame))
    with pytest.raises(Unfit, match="there is no column 'wind'"):
        plan_of(frame, features_unknown_at_forecast_time=["wind"])


def test_a_column_that_is_not_known_ahead_is_left_out_where_nobody_asks_for_lags() -> None:
    plan = plan_of(daily(), feature_lags=None, features_unknown_at_forecast_time=["ads", "noise"])
    assert plan.maker.others == []
    assert next(one for one in plan.findings if one.code == "columns_left_out").columns == ["ads", "noise"]


def test_a_lag_has_a_name_of_its_own_beside_a_column_of_the_table() -> None:
    frame = daily().assign(ads_lag_2=lambda one: np.arange(len(one)) % 5)
    plan = plan_of(frame)
    assert len(set(plan.X.columns)) == len(plan.X.columns)
    assert set(plan.X["ads_lag_2"]) == {0.0, 1.0, 2.0, 3.0, 4.0}
