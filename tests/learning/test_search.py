"""A search on small tables: what it ends with, in which time, and after a kill."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler

from jupyter_mlstudio.entities.automl import AutoMLLimits, AutoMLSpec, StackSettings, Task, Training
from jupyter_mlstudio.entities.automl_candidates import Candidate, OnnxCheck
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning.evaluate import write_array
from jupyter_mlstudio.learning.finish import Finish
from jupyter_mlstudio.learning.kept import Record
from jupyter_mlstudio.learning.search import ENOUGH, Asked, Outcome, Search
from tests.learning.looking import Looking

pytestmark = pytest.mark.slow
NAMES = ["a", "b", "c", "d"]


class TinyPlan(SimpleNamespace):
    """What a search needs of a plan: numbers alone."""

    def featuriser(self, form: str, params: Any = None) -> ColumnTransformer:
        return ColumnTransformer([("numbers", StandardScaler() if form == "scaled" else "passthrough", NAMES)])


def plan_of(task: Task = Task.CLASSIFICATION, rows: int = 300, **values: Any) -> TinyPlan:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(rows, 4)), columns=NAMES)
    value = frame["a"] * 2 - frame["b"] + rng.normal(scale=0.5, size=rows)
    folds = list(KFold(3, shuffle=True, random_state=0).split(frame))
    y, classes = value.to_numpy(), None
    if task is Task.CLASSIFICATION:
        y, classes = (value > 0).to_numpy().astype(np.int64), np.array(["no", "yes"], dtype=object)
    return TinyPlan(
        **{"task": task, "X": frame, "y": y, "classes": classes, "positive": 1 if classes is not None else None,
           "weights": None, "X_test": None, "y_test": None, "folds": folds, "repeats": 1, **values}
    )  # fmt: skip


def of_two_kinds() -> TinyPlan:
    """A target that a linear model and trees each know a part of."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(size=(400, 4)), columns=NAMES)
    y = (3 * frame["a"] + 4 * (frame["b"] > 0) * (frame["c"] > 0)).to_numpy() + rng.normal(scale=0.3, size=400)
    folds = list(KFold(3, shuffle=True, random_state=0).split(frame))
    return plan_of(Task.REGRESSION, X=frame, y=y, folds=folds)


def agrees(model: Any, rows: Any) -> OnnxCheck:
    model.predict(rows)
    return OnnxCheck(ready=True, rows=len(rows))


def spec_of(*algorithms: str, timeout_s: float = 30.0, trials: int = 4, **training: Any) -> AutoMLSpec:
    return AutoMLSpec(
        data="t.csv", target="t", limits=AutoMLLimits(timeout_s=timeout_s, max_trials=trials),
        training=Training(allowed_training_algorithms=list(algorithms), **training),
    )  # fmt: skip


def searched(plan: TinyPlan, spec: AutoMLSpec, folder: Path, check: Any = agrees) -> tuple[Outcome, list[Candidate]]:
    told: list[Candidate] = []
    return Search(plan, spec, folder, check=Looking(check)).run(told.append, Asked), told


def test_a_search_ends_with_a_pipeline_that_answers_with_the_targets_labels(tmp_path: Path) -> None:
    plan = plan_of()
    outcome, told = searched(plan, spec_of("LogisticRegression", "XGBoostClassifier"), tmp_path)
    assert set(outcome.model.predict(plan.X)) == {"no", "yes"}
    assert list(outcome.model.classes_) == ["no", "yes"]
    assert outcome.winner.score is not None
    assert outcome.winner.score > 0.9
    low, high = outcome.winner.low, outcome.winner.high
    assert low is not None
    assert high is not None
    assert low < outcome.winner.score < high
    assert len([one for one in outcome.candidates if one.stage != "ensemble"]) == 4
    assert told[0].score is None
    assert {one.number for one in told} == {one.number for one in outcome.candidates}
    assert all(one.onnx is not None and one.onnx.ready for one in outcome.candidates if one.score is not None)
    assert outcome.oof[0].shape == (300, 2)
    assert not np.isnan(outcome.oof[0]).any()


def test_the_same_seed_finds_the_same(tmp_path: Path) -> None:
    spec = spec_of("Ridge", "LightGBM", trials=5)
    one, two = (searched(plan_of(Task.REGRESSION), spec, tmp_path / name)[0] for name in ("one", "two"))
    assert [(c.family, c.params, c.score) for c in one.candidates] == [
        (c.family, c.params, c.score) for c in two.candidates
    ]
    rows = plan_of(Task.REGRESSION).X
    assert np.array_equal(one.model.predict(rows), two.model.predict(rows))


def test_a_search_on_the_same_folder_goes_on_where_it_was(tmp_path: Path) -> None:
    plan, told = plan_of(), []
    first = Search(plan, spec_of("LogisticRegression", "KNN"), tmp_path, check=Looking(agrees))

    class Killed(Exception):
        pass

    def tell(candidate: Candidate) -> None:
        told.append(candidate)
        if candidate.score is not None:
            raise Killed

    with pytest.raises(Killed):
        first.run(tell, Asked)
    outcome, later = searched(plan, spec_of("LogisticRegression", "KNN"), tmp_path)
    assert 0 not in {one.number for one in later if one.score is None}
    assert [one.number for one in outcome.candidates if one.stage != "ensemble"] == [0, 1, 2, 3]


def test_a_family_without_an_onnx_form_is_out_with_the_reason(tmp_path: Path) -> None:
    def check(model: Any, rows: Any) -> OnnxCheck:
        name = type(getattr(model, "steps", [(0, model)])[-1][1]).__name__
        return OnnxCheck(ready="Neighbors" not in name, reason="labels flip" if "Neighbors" in name else "")

    outcome, _ = searched(plan_of(), spec_of("LogisticRegression", "KNN", trials=2), tmp_path, check)
    out = {one.name: one.out for one in outcome.families}
    assert "labels flip" in out["KNN"]
    assert not out["Linear"]
    assert {one.family for one in outcome.candidates} <= {"Linear", "VotingEnsemble", "StackEnsemble"}


@pytest.mark.parametrize("lifted", [False, True])
def test_a_candidate_whose_onnx_form_differs_cannot_win_unless_that_is_allowed(tmp_path: Path, lifted: bool) -> None:
    def check(model: Any, rows: Any) -> OnnxCheck:
        last = model.steps[-1][1] if hasattr(model, "steps") else model
        differs = "RandomForest" in type(last).__name__ and len(last.estimators_) > 6  # more than the family's probe
        return OnnxCheck(ready=not differs, rows=len(rows), reason="it differs" if differs else "")

    plan = of_two_kinds()
    plan.y = (4 * (plan.X["b"] > 0) * (plan.X["c"] > 0)).to_numpy()
    spec = spec_of("Ridge", "RandomForest", trials=2, enable_onnx_compatible_models=not lifted)
    outcome, _ = searched(plan, spec, tmp_path, check)
    best = min((one for one in outcome.candidates if one.stage != "ensemble"), key=lambda one: one.score or 0)
    assert best.family == "RandomForest"
    if not lifted:
        assert best.onnx is not None
        assert best.onnx.reason == "it differs"
        assert outcome.winner.family == "Linear"
        assert {one.family for one in outcome.candidates} == {"Linear", "RandomForest"}, "no ensemble has it either"
    else:
        assert outcome.winner.family != "Linear"


def test_a_vote_that_does_not_agree_in_the_last_moment_gives_way_to_a_member_that_does(tmp_path: Path) -> None:
    def check(model: Any, rows: Any) -> OnnxCheck:
        if type(model).__name__ != "VotingRegressor":
            return OnnxCheck(ready=True, rows=len(rows))
        time.sleep(60)  # until the time is over
        return OnnxCheck(ready=False, reason="it differs")

    spec = spec_of("Ridge", "KNN", "LightGBM", timeout_s=12.0, trials=3, enable_stack_ensemble=False)
    outcome, told = searched(of_two_kinds(), spec, tmp_path, check)
    votes = [one.onnx.reason for one in told if one.stage == "ensemble" and one.onnx is not None]
    assert votes, "no vote was tried"
    assert outcome.winner.stage != "ensemble"
    assert outcome.winner.onnx is not None
    assert outcome.winner.onnx.ready


def test_a_stack_wins_where_it_is_better_and_is_scikit_learns_own(tmp_path: Path) -> None:
    spec = spec_of("Ridge", "RandomForest", "KNN", trials=3, enable_vote_ensemble=False)
    outcome, told = searched(of_two_kinds(), spec, tmp_path)
    assert outcome.winner.family == "StackEnsemble"
    assert type(outcome.model).__name__ == "StackingRegressor"
    assert sum(outcome.winner.weights.values()) == pytest.approx(1)
    assert outcome.winner.score is not None
    assert all(outcome.winner.score < one.score for one in told if one.stage == "portfolio" and one.score)
    assert outcome.oof[outcome.winner.number].shape == (400,)


def test_why_there_is_no_stack_is_said(tmp_path: Path) -> None:
    settings = StackSettings(stack_meta_learner_type="LightGBMRegressor")
    spec = spec_of("Ridge", "KNN", trials=2, stack_ensemble_settings=settings)
    outcome, _ = searched(plan_of(Task.REGRESSION), spec, tmp_path)
    assert {one.name: one.out for one in outcome.families}["StackEnsemble"].startswith("the model on top of a stack")
    assert not [one for one in outcome.candidates if one.family == "StackEnsemble"]


def test_the_time_is_kept(tmp_path: Path) -> None:
    began = time.time()
    outcome, _ = searched(plan_of(), spec_of("LightGBM", "RandomForest", timeout_s=4.0, trials=1000), tmp_path)
    assert time.time() - began < 12.0, "a thousand trials would take minutes"
    assert len(outcome.candidates) > 1


def test_people_can_stop_it_and_keep_the_best(tmp_path: Path) -> None:
    told: list[Candidate] = []
    search = Search(plan_of(), spec_of("LightGBM", trials=1000), tmp_path, check=Looking(agrees))
    began = time.time()
    outcome = search.run(told.append, lambda: Asked(stop=any(one.score is not None for one in told)))
    assert time.time() - began < 15
    assert outcome.winner.score is not None


def test_no_algorithm_left_is_an_error_that_says_why(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="it is for regression"):
        Search(plan_of(), spec_of("ElasticNet"), tmp_path, check=Looking(agrees))


def test_a_fit_that_cannot_be_cut_off_is_not_begun_too_late(tmp_path: Path) -> None:
    search = Search(plan_of(), spec_of("LightGBM", "HistGradientBoosting"), tmp_path, check=Looking(agrees))
    for family in search.by_name.values():
        search.costs.add(family, 10.0, 200, 3)
    fits = {name: search._fits(family, 200, room=8.0) for name, family in search.by_name.items()}
    assert fits == {"LightGBM": True, "HistGradientBoosting": False}


def test_a_boosting_is_not_begun_to_be_cut_off_at_once_when_there_are_others(tmp_path: Path) -> None:
    search = Search(plan_of(), spec_of("LightGBM", "Ridge"), tmp_path, check=Looking(agrees))
    search.costs.add(search.by_name["LightGBM"], 30.0, 200, 3)
    assert search._fits(search.by_name["LightGBM"], 200, room=20.0), "cut off, for it is among the first"
    known(search, *(["Linear"] * ENOUGH))
    assert not search._fits(search.by_name["LightGBM"], 200, room=20.0)
    assert search._fits(search.by_name["LightGBM"], 200, room=45.0), "there is time for all of it"


def test_what_has_time_as_a_whole_is_not_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    search = Search(plan_of(), spec_of("LightGBM", "Ridge"), tmp_path, check=Looking(agrees))
    search.costs.add(search.by_name["LightGBM"], 9.0, 200, 3)
    known(search, "Linear")
    jobs: list[tuple[float, float]] = []
    monkeypatch.setattr(
        search.workers, "start", lambda *given, timeout_s, **_: jobs.append((given[4].fit_limit_s, timeout_s))
    )
    search.tell = lambda one: None
    record = Record(Candidate(number=9, run_id="", family="LightGBM", stage="search"), base={})
    search._launch(9, search.by_name["LightGBM"], record, 0, 15.0)
    (fit_limit_s, timeout_s), *_ = jobs
    assert fit_limit_s * 3 >= 0.7 * 9.0, "of three folds"
    assert 9.0 < timeout_s <= 15.0


def test_late_in_a_search_what_is_left_for_the_end_is_for_those_who_would_vote(tmp_path: Path) -> None:
    plan = of_two_kinds()
    search = Search(plan, spec_of("LightGBM", "Ridge", timeout_s=100.0), tmp_path, check=Looking(agrees))
    search.tell = lambda one: None
    known(search, "Linear", "LightGBM", fit_s=0.1)
    slow = Candidate(number=7, run_id="", family="LightGBM", stage="search", fit_s=20.0, rows=267, score=9.0)
    search.records[7] = Record(slow, base={}, loss=9.0, whole=True)
    rows = search.rungs.judged(plan)
    for number in (0, 1):
        write_array(search.kept.oof_path(number), plan.y[rows] + (0.1 if number else -0.1))
    write_array(search.kept.oof_path(7), np.zeros(len(rows)))
    early = search.reserve_s()
    search.clock.began -= 60.0
    assert [one.candidate.number for one in search.likely(search.ranked())[0]] == [0, 1]
    assert search.reserve_s() < 0.5 * early, "nobody fits the slow one"


def test_before_a_search_ends_it_is_looked_again_who_would_vote(tmp_path: Path) -> None:
    plan = of_two_kinds()
    search = Search(plan, spec_of("LightGBM", "Ridge", timeout_s=100.0), tmp_path, check=Looking(agrees))
    search.tell = lambda one: None
    known(search, "Linear", "LightGBM", fit_s=8.0)
    rows = search.rungs.judged(plan)
    for number in (0, 1):
        write_array(search.kept.oof_path(number), plan.y[rows] + (0.1 if number else -0.1))
    search.clock.began -= 60.0
    slow = search.reserve_s()
    assert slow > 16.0, "both that vote take long"
    quick = Candidate(number=2, run_id="", family="Linear", stage="search", fit_s=0.01, rows=267, score=1.0)
    search.records[2] = Record(quick, base={}, loss=0.9, whole=True)
    write_array(search.kept.oof_path(2), plan.y[rows])
    assert search.reserve_s() == slow, "it is not looked all the time"
    search.clock.began -= 40.0 - slow + 1.0
    assert not search._is_over(), "the new one votes alone"


def known(search: Search, *families: str, fit_s: float = 0.01) -> None:
    """Puts candidates into a search that it has tried."""
    for number, family in enumerate(families):
        candidate = Candidate(
            number=number, run_id="", family=family, stage="portfolio", score=1.0, fit_s=fit_s, rows=267
        )
        search.records[number] = Record(candidate, base={}, loss=1.0, whole=True)


@pytest.mark.parametrize("judged", ["on a part", "on all"])
def test_a_winner_of_a_table_that_is_too_long_learns_from_what_there_is_time_for(tmp_path: Path, judged: str) -> None:
    plan = plan_of(rows=100_000)
    search = Search(plan, spec_of("Ridge", timeout_s=10.0), tmp_path, check=Looking(agrees))
    candidate = Candidate(number=0, run_id="", family="Linear", stage="portfolio", params={}, rows=1000, fit_s=1.0)
    record, finish = Record(candidate, base={}, suggested=None, whole=judged == "on all"), Finish(search, print, Asked)
    alone, beside_two = (len(finish._rows(record, others)) for others in (0, 2))
    if judged == "on all":
        assert (alone, beside_two) == (100_000, 100_000)
    else:
        assert 1000 < beside_two < alone < 10_000, "they share the time"
        assert alone * 1.1 / 1000 < 10.0 - 1.0, "and the check has some"
