from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_mlstudio.entities.automl import AutoMLLimits, AutoMLSpec, Training
from jupyter_mlstudio.entities.automl_candidates import Candidate, OnnxCheck
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning import forecast_families, forecast_metrics
from jupyter_mlstudio.learning.forecast_families import Config, configs, make
from jupyter_mlstudio.learning.forecast_plan import ForecastPlan, make_forecast_plan
from jupyter_mlstudio.learning.forecast_search import ForecastSearch
from jupyter_mlstudio.learning.forecast_work import tried
from jupyter_mlstudio.learning.search import Asked, Outcome
from tests.learning.looking import Looking
from tests.learning.test_forecast_plan import monthly, spec

CLASSICAL = ["Naive", "SeasonalNaive", "Drift", "Theta", "Ridge", "ExponentialSmoothing"]


def noisy(length: int = 96) -> pd.DataFrame:
    frame = monthly(length)
    frame["sold"] += np.random.default_rng(1).normal(size=length)
    return frame


def agrees(model: Any, rows: Any) -> OnnxCheck:
    assert np.isfinite(model.predict(rows)).all()
    return OnnxCheck(ready=True, rows=len(rows))


def refuses_ridge(model: Any, rows: Any) -> OnnxCheck:
    return OnnxCheck(ready=type(model).__name__ != "RidgeForecaster", reason="as the test wants it")


def asked_for(max_trials: int = 6, seed: int = 0, **training: Any) -> AutoMLSpec:
    training = {"allowed_training_algorithms": CLASSICAL, **training}
    limits = AutoMLLimits(timeout_s=60, max_trials=max_trials)
    return spec(horizon=6, limits=limits, training=Training(**training), seed=seed)


def searched(folder: Path, given: AutoMLSpec, check: Any = agrees) -> tuple[Outcome, list[Candidate]]:
    told: list[Candidate] = []
    plan = make_forecast_plan(noisy(), given)
    return ForecastSearch(plan, given, folder, check=Looking(check)).run(told.append, Asked), told


@pytest.fixture(scope="module")
def plan() -> ForecastPlan:
    return make_forecast_plan(noisy(), spec(horizon=6))


def test_a_naive_forecast_has_a_scaled_error_that_anybody_can_work_out(plan: ForecastPlan) -> None:
    found = tried(lambda _: None, plan, forecast_metrics.find("mase"), Config("SeasonalNaive"), None, 0, 1)
    values = noisy()["sold"].to_numpy()
    start = plan.origins[0]
    scale = np.abs(values[12:start] - values[: start - 12]).mean()
    errors = [np.abs(values[cut : cut + 6] - values[cut - 12 : cut - 6]).mean() / scale for cut in plan.origins]
    assert found.scores == pytest.approx(errors)
    assert found.measured["mase_step_1"] > 0


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("MASE", "mean_absolute_scaled_error"), ("smape", "symmetric_mean_absolute_percentage_error"),
        (None, "normalized_root_mean_squared_error"), ("NormalizedMeanAbsoluteError", "normalized_mean_absolute_error"),
        ("SpearmanCorrelation", "spearman_correlation"), ("R2Score", "r2_score"),
    ],
)  # fmt: skip
def test_metrics_are_found_by_any_name(name: str | None, found: str) -> None:
    assert forecast_metrics.find(name).name == found


def test_a_metric_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(Invalid, match="mean_absolute_scaled_error"):
        forecast_metrics.find("AUC")


def test_errors_are_normalised_by_the_range_of_each_series() -> None:
    frame = pd.concat([monthly().assign(store="small"), monthly().assign(store="large")])
    frame.loc[frame["store"] == "large", "sold"] *= 1000
    plan = make_forecast_plan(frame, spec(time_series_id_column_names=["store"]))
    rows = np.concatenate([ahead for _, ahead in plan.folds])
    predicted = plan.y[rows] + 0.1 * plan.ranges[plan.series[rows]]
    assert forecast_metrics.score(plan, forecast_metrics.find(None), rows, predicted) == pytest.approx(0.1)


def test_families_go_by_azures_names_too_and_unknown_ones_are_refused() -> None:
    taking, out = forecast_families.chosen(Training(allowed_training_algorithms=["ElasticNet", "ExtremeRandomTrees"]))
    assert taking == ["Ridge", "ExtraTrees"]
    taking, out = forecast_families.chosen(Training(blocked_training_algorithms=["naive"]))
    assert "Naive" not in taking
    assert out["Naive"] == "blocked"
    assert forecast_families.chosen(Training(allowed_training_algorithms=["AutoArima"]))[0] == ["Arima"]
    with pytest.raises(Invalid, match=r"no algorithm is left to try \(Prophet: its form of trend.*choose from Naive,"):
        forecast_families.chosen(Training(allowed_training_algorithms=["Prophet"]))
    taking, out = forecast_families.chosen(Training(allowed_training_algorithms=["prophet", "Naive"]))
    assert taking == ["Naive"]
    assert out["Prophet"].startswith("its form of trend and season has no ONNX form")
    with pytest.raises(Invalid, match="there is no algorithm 'Oracle' for forecasts"):
        forecast_families.chosen(Training(allowed_training_algorithms=["Oracle"]))
    assert len(forecast_families.chosen(Training(blocked_training_algorithms=["Prophet", "TCN_Forecaster"]))[0]) > 5


def test_what_stands_for_a_name_of_azures_is_told_and_blocking_it_blocks_nothing_else() -> None:
    taking, out = forecast_families.chosen(
        Training(allowed_training_algorithms=["TCNForecaster", "Arimax", "LassoLars"])
    )
    assert taking == ["Ridge", "MLP"]
    assert out == {name: f"{there} is tried instead" for name, there in
                   (("Arimax", "Ridge"), ("LassoLars", "Ridge"), ("TCNForecaster", "MLP"))}  # fmt: skip
    taking, out = forecast_families.chosen(Training(blocked_training_algorithms=["TCNForecaster", "Arimax", "SGD"]))
    assert {"Ridge", "MLP"} <= set(taking)
    assert not out


def test_a_single_tree_takes_part_when_it_is_asked_for_and_neighbours_where_the_rows_are_few() -> None:
    assert "DecisionTree" not in forecast_families.chosen(Training())[0]
    assert forecast_families.chosen(Training(allowed_training_algorithms=["DecisionTree"]))[0] == ["DecisionTree"]
    taking, out = forecast_families.chosen(Training(), rows=20_000)
    assert "KNN" not in taking
    assert out["KNN"] == "of 20,000 rows it keeps them all in the model, which is slow to answer: at most 15,000"
    with pytest.raises(Invalid, match="no algorithm is left to try"):
        forecast_families.chosen(Training(allowed_training_algorithms=["KNN"]), rows=20_000)


def test_good_configurations_come_first_then_such_that_are_drawn_the_same_each_time(plan: ForecastPlan) -> None:
    def first(count: int) -> list[Config]:
        found = configs(plan, list(forecast_families.FAMILIES), 3)
        return [next(found) for _ in range(count)]

    assert first(60) == first(60)
    assert [one.stage for one in first(60)][-1] == "search"
    for config in first(60):
        assert make(plan, config, seed=0, threads=1).get_params()


@pytest.mark.slow
def test_a_search_tells_each_candidate_twice_and_its_winner_beats_the_naive_forecast(tmp_path: Path) -> None:
    outcome, told = searched(tmp_path, asked_for(max_trials=8))
    begun = [one for one in told if one.score is None and not one.failed]
    assert [one.number for one in begun] == sorted({one.number for one in told})
    naive = next(one for one in outcome.candidates if one.family == "Naive")
    assert naive.score is not None
    assert outcome.winner.score is not None
    assert outcome.winner.score < 0.5 * naive.score
    rows = make_forecast_plan(noisy(), asked_for()).prepare(noisy())
    assert outcome.model.predict(rows).shape == (6,)
    assert np.isfinite(outcome.oof[outcome.winner.number]).sum() == 30
    assert outcome.budget.used_s <= 60


@pytest.mark.slow
def test_a_search_goes_on_where_it_was_and_tries_nothing_twice(tmp_path: Path) -> None:
    searched(tmp_path, asked_for(max_trials=3, enable_vote_ensemble=False))
    outcome, told = searched(tmp_path, asked_for(max_trials=5, enable_vote_ensemble=False))
    assert {one.number for one in told} >= {3, 4}
    assert not {one.number for one in told if one.score is None} & {0, 1, 2}
    configs = [(one.family, str(one.params)) for one in outcome.candidates]
    assert len(configs) == len(set(configs)) == 5


@pytest.mark.slow
def test_what_has_no_onnx_form_is_shown_with_the_reason_and_wins_only_when_that_is_wanted(tmp_path: Path) -> None:
    families = ["Naive", "Ridge"]
    strict = asked_for(max_trials=3, allowed_training_algorithms=families)
    outcome, _ = searched(tmp_path / "strict", strict, refuses_ridge)
    assert outcome.winner.family == "Naive"
    ridge = next(one for one in outcome.candidates if one.family == "Ridge")
    assert ridge.onnx is not None
    assert ridge.onnx.reason == "as the test wants it"
    free = asked_for(max_trials=3, allowed_training_algorithms=families, enable_onnx_compatible_models=False)
    outcome, _ = searched(tmp_path / "free", free, refuses_ridge)
    assert outcome.winner.family != "Naive"


@pytest.mark.slow
def test_checks_have_a_share_of_the_time_and_what_is_left_of_it(tmp_path: Path) -> None:
    def slow(model: Any, rows: Any) -> OnnxCheck:
        time.sleep(0.3)
        return agrees(model, rows)

    given = asked_for(max_trials=7, enable_vote_ensemble=False)
    outcome, told = searched(tmp_path, given, slow)
    tried = {one.number: one for one in reversed(told) if one.score is not None}
    assert any(one.onnx is None for one in tried.values())
    assert all(one.onnx is not None and one.onnx.ready for one in outcome.candidates)
    free = replace(given, limits=replace(given.limits, max_trials=2),
                   training=replace(given.training, enable_onnx_compatible_models=False))  # fmt: skip
    outcome, _ = searched(tmp_path / "free", free)
    assert [one.number for one in outcome.candidates if one.onnx is not None] == [outcome.winner.number]


@pytest.mark.slow
def test_stop_ends_at_once_with_the_best_so_far(tmp_path: Path) -> None:
    given = asked_for(max_trials=1000)
    told: list[Candidate] = []
    search = ForecastSearch(make_forecast_plan(noisy(), given), given, tmp_path, check=Looking(agrees))
    outcome = search.run(told.append, lambda: Asked(stop=any(one.score is not None for one in told)))
    assert outcome.winner.score is not None
    assert outcome.budget.used_s < 30
