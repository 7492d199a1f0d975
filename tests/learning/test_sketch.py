"""Any model of a leaderboard as a notebook, from what is kept of a plan without its rows."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from jupyter_mlstudio.entities.automl import AutoMLLimits, AutoMLSpec, ForecastingSettings, Task, Training
from jupyter_mlstudio.entities.automl_candidates import Candidate, OnnxCheck
from jupyter_mlstudio.errors import Conflict
from jupyter_mlstudio.learning import families, refit, stack, temperature
from jupyter_mlstudio.learning.emitted import notebook
from jupyter_mlstudio.learning.ensemble import vote
from jupyter_mlstudio.learning.family import Making
from jupyter_mlstudio.learning.forecast_families import Config
from jupyter_mlstudio.learning.forecast_plan import make_forecast_plan
from jupyter_mlstudio.learning.forecast_work import fitted as fitted_forecast
from jupyter_mlstudio.learning.matrices import codes_of
from jupyter_mlstudio.learning.plan import make_plan
from jupyter_mlstudio.learning.reading import read
from jupyter_mlstudio.learning.rungs import shape_of
from jupyter_mlstudio.learning.search import Asked, Search
from jupyter_mlstudio.learning.sketch import model_of, sketch, written
from tests.learning.looking import Looking
from tests.learning.test_emitted import assert_same, executed, small, spec_of, write_table

# Models of a few rounds do not converge; LightGBM warns of a parameter that it takes.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:categorical_feature:UserWarning"),
]
SEED = 3


class Board:
    """A few candidates of a table, each fitted on all rows as a run does that keeps it."""

    def __init__(self, folder: Path, names: list[str], **asked: Any) -> None:
        self.spec = spec_of(write_table(folder), seed=SEED, **asked)
        self.plan = make_plan(read(folder / "table.csv"), self.spec)
        self.shape = shape_of(self.plan, "log_loss")
        self.kept = pickle.loads(written(sketch(self.plan, self.shape, 1, SEED)))
        self.found = {number: self._candidate(number, name) for number, name in enumerate(names)}

    def _candidate(self, number: int, name: str, **more: Any) -> Candidate:
        params = {} if more else small(families.find(name), self.shape)
        return Candidate(number=number, run_id="", family=name, stage="search", score=0.9, params=params, **more)

    def fitted(self, number: int, *, labels: bool) -> Any:
        family, plan = families.find(self.found[number].family), self.plan
        making = Making(self.shape, SEED, 1, codes_of(plan, family.form))
        with threadpool_limits(1):
            return refit.fitted(plan, family, self.found[number].params, making, np.arange(len(plan.X)), labels)

    def members(self) -> list[tuple[str, Any]]:
        return [
            (f"{one.family.lower()}_{one.number}", self.fitted(one.number, labels=False)) for one in self.found.values()
        ]

    def ensemble(self, name: str, weights: list[float]) -> Candidate:
        told = {str(number): weight for number, weight in zip(self.found, weights, strict=True)}
        return self._candidate(9, name, weights=told)

    def notebook(self, found: Candidate, top: Any = None) -> Any:
        model = model_of(self.kept, found, self.found, top)
        return notebook(self.spec, self.kept, found, model, threads=1, won=False)


@pytest.mark.parametrize("name", ["XGBoost", "ExtraTrees"])  # one whose classifiers know numbers alone, one with labels
def test_a_model_that_did_not_win_is_made_of_all_rows(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = Board(tmp_path, [name], test_data_size=0.2)
    content = board.notebook(board.found[0])
    model = refit.single(board.plan, families.find(name), board.fitted(0, labels=True))
    assert_same(executed(content, tmp_path, monkeypatch), model, board.plan)
    assert "Model 0 of an AutoML run, scored 0.9" in content["cells"][0]["source"]


def test_a_vote_and_a_stack_that_did_not_win_are_made_with_their_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = Board(tmp_path, ["HistGradientBoosting", "Linear"], weight_column="row weight")
    members, classes = board.members(), board.plan.classes
    found = board.ensemble("VotingEnsemble", [0.25, 0.75])
    assert_same(
        executed(board.notebook(found), tmp_path, monkeypatch), vote(members, [0.25, 0.75], classes), board.plan
    )
    warm = temperature.at(vote(members, [0.25, 0.75], classes), 0.8)
    found = replace(found, params={"temperature": 0.8})
    assert_same(executed(board.notebook(found), tmp_path, monkeypatch), warm, board.plan)

    top = stack.linear([[1.5, 0.7]], [-1.0], 2)
    kept = json.loads(json.dumps(stack.top_weights(top)))
    found = board.ensemble("StackEnsemble", [0.7, 0.3])
    assert_same(
        executed(board.notebook(found, kept), tmp_path, monkeypatch), stack.stack(members, top, classes), board.plan
    )
    with pytest.raises(Conflict, match="did not keep the weights"):
        board.notebook(found)
    with pytest.raises(Conflict, match="model 7"):
        board.notebook(replace(found, weights={"7": 1.0, "0": 0.5}), kept)


def test_a_forecast_that_did_not_win_is_made_of_all_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    units = 50 + 10 * np.sin(np.arange(120) * 2 * np.pi / 7) + random.normal(size=120)
    days = pd.date_range("2024-01-01", periods=120)
    pd.DataFrame({"day": days, "units": units}).to_csv(tmp_path / "units.csv", index=False)
    settings = ForecastingSettings(time_column_name="day", forecast_horizon=5)
    spec = AutoMLSpec(data="units.csv", target="units", task=Task.FORECASTING, forecasting=settings)
    plan = make_forecast_plan(read(tmp_path / "units.csv"), spec)
    found = Candidate(number=4, run_id="", family="SeasonalNaive", stage="portfolio", score=1.0)
    kept = pickle.loads(written(sketch(plan, None, 1, 0)))
    content = notebook(spec, kept, found, model_of(kept, found, {}), won=False)
    model = fitted_forecast(plan, Config("SeasonalNaive"), None, seed=0, threads=1)
    assert_same(executed(content, tmp_path, monkeypatch), model, plan)


def test_a_sketch_has_no_rows_and_a_search_keeps_the_weights_of_its_stack(tmp_path: Path) -> None:
    spec = spec_of(
        write_table(tmp_path, 400), limits=AutoMLLimits(timeout_s=60, max_trials=2),
        training=Training(allowed_training_algorithms=["Linear", "ExtraTrees"]),
    )  # fmt: skip
    plan = make_plan(read(tmp_path / "table.csv"), spec)
    agrees = Looking(lambda *_: OnnxCheck(ready=True))
    search = Search(plan, spec, tmp_path / "kept", check=agrees)
    outcome = search.run(lambda _: None, Asked)
    made = sketch(plan, search.shape, 1, 0)
    assert len(written(made)) < 20_000
    for found in outcome.candidates:
        others = {one.number: one for one in outcome.candidates}
        content: Any = notebook(spec, made, found, model_of(made, found, others, search.kept.top(found.number)))
        assert found.family in content["cells"][0]["source"]
    assert {one.family for one in outcome.candidates} >= {"VotingEnsemble", "StackEnsemble"}
