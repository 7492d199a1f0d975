from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning.forecast import Spread, forecast, from_json, spread_of, to_json
from jupyter_mlstudio.learning.forecast_plan import make_forecast_plan
from jupyter_mlstudio.learning.forecasters import HistoryForecaster, RidgeForecaster
from tests.learning.test_forecast_plan import monthly, spec
from tests.learning.test_forecasters import layout


def noisy(length: int, seed: int = 0) -> pd.DataFrame:
    frame = monthly(length)
    frame["sold"] += 3 * np.random.default_rng(seed).normal(size=length)
    return frame


def test_a_forecast_continues_the_table_in_its_own_columns() -> None:
    plan = make_forecast_plan(monthly(), spec())
    model = HistoryForecaster("holt_winters", **layout(plan)).fit(plan.X, plan.y)
    found = forecast(model, plan.maker, monthly())
    truth = monthly(76).iloc[72:]
    assert found["when"].tolist() == truth["when"].tolist()
    np.testing.assert_allclose(found["sold"], truth["sold"], rtol=0.02)


def test_steps_beyond_the_horizon_are_forecast_from_forecasts() -> None:
    plan = make_forecast_plan(monthly(), spec())
    model = HistoryForecaster("holt_winters", **layout(plan)).fit(plan.X, plan.y)
    found = forecast(model, plan.maker, monthly(), steps=10)
    truth = monthly(82).iloc[72:]
    assert found["when"].tolist() == truth["when"].tolist()
    np.testing.assert_allclose(found["sold"], truth["sold"], rtol=0.05)


def test_each_series_is_continued_from_its_own_end() -> None:
    frame = pd.concat([monthly(72).assign(store="a"), monthly(60).assign(store="b")])
    plan = make_forecast_plan(frame, spec(time_series_id_column_names=["store"]))
    model = make_pipeline(plan.featuriser(), HistoryForecaster("naive", **layout(plan))).fit(plan.X, plan.y)
    found = forecast(model, plan.maker, frame, steps=6)
    assert found["store"].tolist() == ["a"] * 6 + ["b"] * 6
    assert found["when"].iloc[6] == pd.Timestamp("2020-01-01")
    assert found["sold"].nunique() == 2


def test_intervals_cover_about_as_much_as_they_say() -> None:
    inside = []
    for seed in range(12):
        frame = noisy(150, seed)
        plan = make_forecast_plan(frame.iloc[:138], spec(horizon=6, n_cross_validations=6))
        known, _ = plan.folds[0]
        model = RidgeForecaster(alpha=0.1, **layout(plan))
        spread = spread_of(plan, model.fit(plan.X.iloc[known], plan.y[known]), plan.origins[0])
        found = forecast(model.fit(plan.X, plan.y), plan.maker, frame.iloc[:138], steps=12, spread=spread, level=0.8)
        truth = frame["sold"].iloc[138:].to_numpy()
        inside += ((found["low"] <= truth) & (truth <= found["high"])).tolist()
        assert (found["low"] < found["sold"]).all()
    assert 0.65 < np.mean(inside) < 0.95


def test_an_interval_of_a_level_that_was_not_measured_is_refused() -> None:
    plan = make_forecast_plan(monthly(), spec())
    model = HistoryForecaster("naive", **layout(plan)).fit(plan.X, plan.y)
    spread = spread_of(plan, model, plan.origins[0])
    with pytest.raises(Invalid, match="choose from"):
        forecast(model, plan.maker, monthly(), spread=spread, level=0.42)


def test_everything_beside_a_model_goes_through_json() -> None:
    plan = make_forecast_plan(monthly(), spec())
    model = HistoryForecaster("theta", **layout(plan)).fit(plan.X, plan.y)
    spread = Spread.of(np.array([1, 2, 3, 4] * 20), np.linspace(-1, 1, 80), 4)
    maker, again = from_json(json.loads(json.dumps(to_json(plan.maker, spread))))
    first, second = (
        forecast(model, one, monthly(), spread=kept) for one, kept in ((plan.maker, spread), (maker, again))
    )
    pd.testing.assert_frame_equal(first, second)


def test_holidays_are_marked_when_they_are_asked_for() -> None:
    pytest.importorskip("holidays")
    days = pd.DataFrame({"when": pd.date_range("2022-01-01", periods=500, freq="D"), "sold": np.arange(500.0)})
    plan = make_forecast_plan(days, spec(country_or_region_for_holidays="DE"))
    times = plan.maker.grid.times(plan.about)
    assert set(plan.X["holiday"][times == pd.Timestamp("2022-12-25")]) == {1.0}
    assert set(plan.X["holiday"][times == pd.Timestamp("2022-12-12")]) == {0.0}
    assert "holiday" not in make_forecast_plan(days, spec()).X
    with pytest.raises(Invalid, match="ISO 3166"):
        make_forecast_plan(days, spec(country_or_region_for_holidays="XYZ"))
