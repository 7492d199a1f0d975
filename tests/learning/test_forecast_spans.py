from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from jupyter_mlstudio.learning.forecast import forecast, from_json, to_json
from jupyter_mlstudio.learning.forecast_plan import make_forecast_plan
from jupyter_mlstudio.learning.forecast_table import Unfit
from jupyter_mlstudio.learning.forecast_time import spans_of
from jupyter_mlstudio.learning.forecasters import HistoryForecaster
from tests.learning.test_forecast_plan import codes, monthly, spec


def hourly(days: int = 40) -> pd.DataFrame:
    """One sale in each hour, on Sundays none."""
    when = pd.date_range("2024-01-01", periods=days * 24, freq="h")
    return pd.DataFrame({"when": when, "sold": np.where(when.day_of_week == 6, 0.0, 1.0), "price": when.hour + 1.0})


@pytest.mark.parametrize(
    "freq", ["D", "6h", "15min", "W-SUN", "W-WED", "2W", "MS", "ME", "QS", "QE", "YS", "YE", "B", "2D"]
)
def test_times_fall_into_the_steps_that_pandas_counts(freq: str) -> None:
    times = pd.Series(pd.date_range("2023-02-02 01:20", periods=900, freq="7h"), name="when")
    grid = spans_of(times, freq)
    steps, on = grid.index(times)
    assert on.all()
    named = pd.Series(1, index=pd.DatetimeIndex(times)).resample(freq).sum()
    own = pd.Series(1, index=grid.times(steps)).groupby(level=0).sum()
    named = named[named > 0]
    assert own.index.tolist() == named.index.tolist()
    assert own.tolist() == named.tolist()


@pytest.mark.parametrize(("function", "monday"), [("sum", 24.0), ("mean", 1.0), ("min", 1.0), ("max", 1.0)])
def test_a_days_rows_become_one_and_what_is_known_ahead_has_its_last_value(function: str, monday: float) -> None:
    plan = make_forecast_plan(hourly(), spec(frequency="D", target_aggregate_function=function))
    days = plan.maker.lay(hourly())[0]
    assert len(days.values) == 40
    assert days.values[:8].tolist() == [monday] * 6 + [0.0, monday]
    assert set(days.known["price"]) == {24.0}
    told = next(one for one in plan.findings if one.code == "aggregated")
    assert told.what == "960 rows are 40 steps of D"
    assert function in told.done
    assert not {"duplicate_times", "time_gaps"} & codes(plan)


def test_many_sales_at_one_time_are_all_counted() -> None:
    frame = pd.concat([hourly().drop(columns="price")] * 3)
    days = make_forecast_plan(frame, spec(frequency="d", target_aggregate_function="sum")).maker.lay(frame)[0]
    assert days.values[0] == 72.0


def test_a_forecast_goes_on_after_the_last_step_and_takes_what_is_known_once_for_each() -> None:
    history = hourly()
    plan = make_forecast_plan(history, spec(frequency="D", target_aggregate_function="sum", seasonality=7))
    model = HistoryForecaster("seasonal_naive", plan.maker.history, plan.maker.horizon, 7).fit(
        plan.X.drop(columns=plan.maker.others), plan.y
    )
    maker, _ = from_json(json.loads(json.dumps(to_json(plan.maker, None))))
    ahead = pd.DataFrame({"when": pd.date_range("2024-02-10", periods=8, freq="D"), "price": 7.0})
    rows, _ = maker.future(history, ahead)
    assert set(rows["price"]) == {7.0}

    class Alone:
        def predict(self, rows: pd.DataFrame) -> object:
            return model.predict(rows.drop(columns=plan.maker.others))

    found = forecast(Alone(), maker, history, known=ahead, steps=6)
    assert found["when"].tolist() == ahead["when"].tolist()[:6]
    assert found["sold"].tolist() == [24.0, 0.0, 24.0, 24.0, 24.0, 24.0]


def test_a_last_step_that_is_not_over_is_said() -> None:
    part = hourly(40).iloc[: 39 * 24 + 5]
    found = make_forecast_plan(part, spec(frequency="D", target_aggregate_function="sum")).findings
    told = next(one for one in found if one.code == "part_of_a_step")
    assert "1 first or last" in told.what
    assert "smallest 5" in told.what
    whole = make_forecast_plan(hourly(), spec(frequency="D", target_aggregate_function="sum"))
    assert "part_of_a_step" not in codes(whole)


def test_the_test_begins_at_the_step_that_its_first_row_falls_into() -> None:
    frame = hourly(60)
    plan = make_forecast_plan(
        frame.iloc[: 50 * 24], spec(frequency="D", target_aggregate_function="sum"), test=frame.iloc[50 * 24 + 3 :]
    )
    assert plan.about.max() == 49


@pytest.mark.parametrize(
    ("frame", "frequency", "said"),
    [
        (monthly(), None, "needs a frequency"), (monthly(), "fortnight", "'fortnight' is not known"),
        (monthly(), "W-TODAY", "a week ends on one of MON"),
        (monthly().assign(when=range(72)), "D", "counts whole numbers"),
    ],
)  # fmt: skip
def test_what_cannot_be_aggregated_says_what_to_do(frame: pd.DataFrame, frequency: str | None, said: str) -> None:
    with pytest.raises(Unfit, match=said) as raised:
        make_forecast_plan(frame, spec(frequency=frequency, target_aggregate_function="sum"))
    assert all(one.remedy for one in raised.value.findings)
