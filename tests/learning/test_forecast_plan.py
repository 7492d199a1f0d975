from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_mlstudio.entities.automl import AutoMLSpec, ForecastingSettings, Task
from jupyter_mlstudio.entities.automl_tables import Role
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning.forecast_plan import ForecastPlan, make_forecast_plan
from jupyter_mlstudio.learning.forecast_rows import RowMaker
from jupyter_mlstudio.learning.forecast_table import Unfit
from jupyter_mlstudio.learning.forecast_time import Grid, guess_frequency, read_times


def spec(horizon: int = 4, **given: Any) -> AutoMLSpec:
    settings = {name: given.pop(name) for name in list(given) if name in ForecastingSettings.__dataclass_fields__}
    forecasting = ForecastingSettings(**{"time_column_name": "when", "forecast_horizon": horizon, **settings})
    return AutoMLSpec(data="t.csv", target="sold", task=Task.FORECASTING, forecasting=forecasting, **given)


def monthly(length: int = 72, season: float = 10.0) -> pd.DataFrame:
    steps = np.arange(length)
    sold = 50 + 0.5 * steps + season * np.sin(2 * np.pi * steps / 12)
    return pd.DataFrame({"when": pd.date_range("2015-01-01", periods=length, freq="MS"), "sold": sold})


def codes(plan: ForecastPlan) -> set[str]:
    return {one.code for one in plan.findings}


@pytest.mark.parametrize(
    ("texts", "first"),
    [
        (["2024-01-31", "2024-02-29"], "2024-01-31"), (["2024-01", "2024-02"], "2024-01-01"),
        (["31.01.2024", "29.02.2024"], "2024-01-31"), (["31/01/2024", "01/02/2024"], "2024-01-31"),
        (["01/31/2024", "02/01/2024"], "2024-01-31"), (["2024-01-31T00:00:00+02:00", "2024-02-01T00:00:00+02:00"],
                                                      "2024-01-30 22:00"),
        ([2023, 2024], "2023-01-01"), ([20240131, 20240201], "2024-01-31"), ([1706659200, 1706745600], "2024-01-31"),
        ([1706659200000, 1706745600000], "2024-01-31"),
    ],
)  # fmt: skip
def test_times_are_read_in_many_forms(texts: list[Any], first: str) -> None:
    times, whole = read_times(pd.Series(texts, name="when"))
    assert times.iloc[0] == pd.Timestamp(first)
    assert not whole


def test_what_is_no_time_is_named_with_its_row() -> None:
    with pytest.raises(Invalid, match=r"'when'.*1 values.*row 1"):
        read_times(pd.Series(["2024-01-01", "soon"], name="when"))


@pytest.mark.parametrize("freq", ["D", "h", "15min", "W-SUN", "W-MON", "MS", "ME", "QS", "YS", "YE", "B", "2D", "s"])
def test_a_frequency_is_guessed_though_times_are_missing_and_counted_both_ways(freq: str) -> None:
    times = pd.date_range("2020-01-06", periods=60, freq=freq)
    guessed = guess_frequency([times.delete([7, 8, 30])])
    assert guessed == freq
    grid = Grid(guessed, times[0])
    steps, on = grid.index(times)
    assert steps.tolist() == list(range(60))
    assert on.all()
    assert grid.times(steps).tolist() == times.tolist()


def test_three_months_are_months_though_one_step_is_of_four_weeks() -> None:
    assert guess_frequency([pd.date_range("2018-01-01", periods=3, freq="MS")]) == "MS"
    assert guess_frequency([pd.date_range("2018-01-01", periods=9, freq="28D")]) == "28D"


def test_gaps_are_filled_by_the_value_before_and_never_learnt_from() -> None:
    frame = monthly().drop(index=[20, 21])
    plan = make_forecast_plan(frame, spec())
    found = next(one for one in plan.findings if one.code == "time_gaps")
    assert "2 steps" in found.what
    assert found.remedy
    assert not set(plan.about.tolist()) & {20, 21}


def test_rows_know_nothing_of_what_comes_after_their_origin() -> None:
    frame = monthly()
    plan = make_forecast_plan(frame, spec())
    changed = frame.copy()
    changed.loc[60:, "sold"] += 1000
    other = make_forecast_plan(changed, spec(seasonality=plan.maker.season))
    known = plan.about - plan.steps + 1 <= 60
    pd.testing.assert_frame_equal(plan.X[known], other.X[known])
    for before, ahead in plan.folds:
        assert plan.about[before].max() < plan.about[ahead].min()
        assert sorted(plan.steps[ahead].tolist()) == [1, 2, 3, 4]


def test_a_season_is_found_where_there_is_one() -> None:
    assert make_forecast_plan(monthly(), spec()).maker.season == 12
    noise = monthly(season=0.0)
    noise["sold"] = np.random.default_rng(0).normal(size=len(noise))
    assert make_forecast_plan(noise, spec()).maker.season == 1


def test_several_series_in_one_are_refused_with_the_column_that_tells_them_apart() -> None:
    frame = pd.concat([monthly().assign(store=store, sold=lambda one: one["sold"] * 2) for store in "ab"])
    frame["sold"] += np.where(frame["store"] == "a", 0, 100)
    with pytest.raises(Unfit, match="'store' would do"):
        make_forecast_plan(frame, spec())
    plan = make_forecast_plan(frame, spec(time_series_id_column_names=["store"]))
    assert plan.keys == [("a",), ("b",)]
    assert {column.name: column.role for column in plan.columns}["store"] is Role.SERIES


def test_rows_of_many_series_do_not_say_which_they_are_of() -> None:
    frame = pd.concat([monthly(30).assign(store=f"s{number}") for number in range(51)])
    plan = make_forecast_plan(frame, spec(time_series_id_column_names=["store"]))
    assert "store" not in plan.X
    assert plan.maker.future(frame)[1]["store"].nunique() == 51


def test_a_few_repeats_become_their_mean_and_equal_rows_count_once() -> None:
    frame = monthly()
    again = pd.concat([frame, frame.iloc[[5]], frame.iloc[[9]].assign(sold=0.0)])
    plan = make_forecast_plan(again, spec())
    assert {"duplicate_rows", "duplicate_times"} <= codes(plan)


def test_short_series_are_left_out_padded_or_kept_as_asked() -> None:
    frame = pd.concat([monthly().assign(store="long"), monthly(5).assign(store="short")])
    ids = {"time_series_id_column_names": ["store"]}
    dropped = make_forecast_plan(frame, spec(**ids))
    assert dropped.keys == [("long",)]
    assert "short_series" in codes(dropped)
    padded = make_forecast_plan(frame, spec(short_series_handling_config="pad", **ids))
    assert padded.keys == [("long",), ("short",)]
    with pytest.raises(Unfit, match=r"fewer than 7 values.*smaller forecast_horizon"):
        make_forecast_plan(monthly(5), spec())


def test_stl_has_two_seasons_of_history_or_is_said_to_be_left_out() -> None:
    plan = make_forecast_plan(monthly(40), spec(horizon=4, use_stl="season", seasonality=12))
    assert plan.maker.history >= 24
    assert "no_stl" not in codes(plan)
    assert "no_stl" in codes(make_forecast_plan(monthly(40), spec(horizon=4, use_stl="season", seasonality=1)))


def test_other_columns_are_taken_as_known_ahead_and_copies_of_the_target_are_not() -> None:
    frame = monthly().assign(price=lambda one: np.arange(len(one)) % 5, copy=lambda one: one["sold"] * 2, promo="no")
    frame.loc[::3, "promo"] = "yes"
    plan = make_forecast_plan(frame, spec())
    assert plan.maker.known == ["price", "promo"]
    assert {"known_ahead", "target_leak"} <= codes(plan)
    row = plan.X.iloc[0]
    assert row["price"] == plan.about[0] % 5
    with pytest.raises(Invalid, match="have to be given"):
        plan.prepare(frame)
    ahead = pd.DataFrame({"when": pd.date_range("2021-01-01", periods=4, freq="MS"), "price": 1.0, "promo": "yes"})
    rows = plan.prepare(pd.concat([frame, ahead]))
    assert rows["step"].tolist() == [1, 2, 3, 4]
    assert rows["promo"].tolist() == ["yes"] * 4


def test_the_last_steps_are_kept_for_a_test_when_asked_for() -> None:
    plan = make_forecast_plan(monthly(), spec(test_data_size=0.2))
    assert plan.X_test is not None
    assert plan.y_test is not None
    assert plan.about.max() < 72 - 14
    later = monthly(80).iloc[72:]
    with_table = make_forecast_plan(monthly(), spec(), test=later)
    assert with_table.y_test is not None
    assert with_table.y_test.tolist() == later["sold"].tolist()
    validated = make_forecast_plan(monthly(), spec(), validation=later)
    assert validated.origins == [72, 76]


def test_whole_numbers_are_steps() -> None:
    frame = pd.DataFrame({"when": range(100), "sold": np.tile([1.0, 5.0, 9.0, 2.0], 25)})
    plan = make_forecast_plan(frame, spec())
    assert plan.maker.season == 4
    assert plan.maker.future(frame)[1]["when"].tolist() == [100, 101, 102, 103]


def test_a_row_maker_comes_back_from_json_and_a_plan_from_a_pickle() -> None:
    plan = make_forecast_plan(monthly(), spec())
    again = RowMaker.from_json(plan.maker.to_json())
    pd.testing.assert_frame_equal(again.future(monthly())[0], plan.maker.future(monthly())[0])
    assert pickle.loads(pickle.dumps(plan)).origins == plan.origins


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sold": None}, "no value"), ({"sold": "many"}, "no numbers"), ({"when": "soon"}, "cannot be read as times"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_forecast_says_what_to_do(change: dict[str, Any], message: str) -> None:
    with pytest.raises(Unfit, match=message) as raised:
        make_forecast_plan(monthly().assign(**change), spec())
    assert all(one.remedy for one in raised.value.findings)


def test_a_season_longer_than_the_series_is_none() -> None:
    plan = make_forecast_plan(monthly(9), spec(seasonality=12, horizon=2))
    assert plan.maker.season == 1


def test_a_series_without_a_row_to_learn_from_does_no_harm() -> None:
    frame = pd.concat([monthly(40).assign(store="long"), monthly(1).assign(store="short")])
    plan = make_forecast_plan(
        frame, spec(time_series_id_column_names=["store"], short_series_handling_config="none", test_data_size=0.2)
    )
    assert set(plan.series.tolist()) == {0}
    assert all(len(known) and len(ahead) for known, ahead in plan.folds)


def test_one_row_is_too_short() -> None:
    with pytest.raises(Unfit):
        make_forecast_plan(monthly(1), spec())
