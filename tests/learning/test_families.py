"""Every family: by its names, fitted on a mixed table, and its ONNX form agrees."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pytest
from sklearn.datasets import load_digits, make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss

from jupyter_mlstudio.entities.automl import AutoMLSpec, Task, Training
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning import families
from jupyter_mlstudio.learning.budget import Costs
from jupyter_mlstudio.learning.evaluate import Job, evaluate, patience_of, spare_path, stages
from jupyter_mlstudio.learning.families_smooth import LEAST_BATCH, LEAST_BATCHES, MOST_BATCH, batch_of
from jupyter_mlstudio.learning.family import Family, Making, Part, Shape
from jupyter_mlstudio.learning.matrices import Matrices, codes_of
from jupyter_mlstudio.learning.metrics import DEFAULTS
from jupyter_mlstudio.learning.plan import Plan, make_plan
from jupyter_mlstudio.learning.portfolio import portfolio
from jupyter_mlstudio.learning.refit import fitted, probe, single
from jupyter_mlstudio.learning.rungs import is_skewed, shape_of
from jupyter_mlstudio.programs.automl_check import ModelCheck

EVERY = [pytest.param(family, id=family.name) for family in families.FAMILIES]


def mixed_plan(task: Task) -> Plan:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({
        "x": rng.normal(size=400), "gaps": np.where(rng.uniform(size=400) < 0.2, np.nan, rng.normal(size=400)),
        "colour": rng.choice(["red", "green", "blue"], 400), "city": rng.choice([f"c{n}" for n in range(40)], 400),
        "long": np.exp(rng.normal(size=400)),
    })  # fmt: skip
    value = frame["x"] + (frame["colour"] == "red") + rng.normal(scale=0.3, size=400)
    if task is Task.REGRESSION:
        frame["target"] = np.exp(value)
    else:
        frame["target"] = pd.cut(value, [-9, 0, 0.8, 9], labels=["low", "mid", "high"]).astype(str)
    return make_plan(frame, AutoMLSpec(data="t.csv", target="target", task=task, n_cross_validations=3))


@pytest.fixture(scope="module")
def plans() -> dict[Task, Plan]:
    return {task: mixed_plan(task) for task in (Task.CLASSIFICATION, Task.REGRESSION)}


@pytest.mark.parametrize("name", ["SVM", "LinearSVM", "XGBoost", "Linear"])
@pytest.mark.parametrize("labels", [[3, 5, 8], [1.0, 2.0, 3.0], [0, 1, 2]])
def test_a_winner_is_as_sure_of_classes_that_are_numbers_as_of_names(name: str, labels: list[float]) -> None:
    """scikit-learn's search for a temperature takes numbers of classes for places in memory."""
    found = families.find(name)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))  # noqa: N806
    number = np.digitize(X[:, 0] + rng.normal(scale=0.2, size=200), [-0.4, 0.4])
    answers = []
    for classes in (np.array(["a", "b", "c"]), np.array(labels)):
        frame = pd.DataFrame(X, columns=["x", "z", "v"]).assign(target=classes[number])
        plan = make_plan(frame, AutoMLSpec(data="t.csv", target="target", task=Task.CLASSIFICATION))
        shape = shape_of(plan, "log_loss")
        making = Making(shape, 0, 1, codes_of(plan, found.form_for({})))
        model = single(plan, found, fitted(plan, found, found.known(shape)[0], making, np.arange(200), labels=True))
        assert np.mean(model.predict(plan.X) == classes[number]) > 0.8
        assert model.classes_.tolist() == classes.tolist()
        answers.append(model.predict_proba(plan.X))
    assert answers[0] == pytest.approx(answers[1], abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.REGRESSION])
@pytest.mark.parametrize("family", EVERY)
def test_a_family_is_fitted_on_a_mixed_table_and_agrees_with_its_onnx_form(
    family: Family, task: Task, plans: dict[Task, Plan]
) -> None:
    plan = plans[task]
    shape = shape_of(plan, DEFAULTS.get(task, "r2_score"))
    if family.refuses(shape):
        return  # a family for the other task
    warnings.simplefilter("ignore", ConvergenceWarning)
    for params in (family.known(shape)[0], _suggested(family, shape)):
        found = probe(lambda _: None, plan, family, params, shape, ModelCheck(), seed=0).check
        assert found.ready, found.reason
        assert not found.label_flips
        assert found.max_abs_difference is not None
        assert found.max_abs_difference <= (1e-5 if task is Task.CLASSIFICATION else 1e-4)


@pytest.mark.parametrize("name", ["SVM", "LinearSVM"])
def test_probabilities_of_many_classes_come_true_as_often_as_they_say(name: str) -> None:
    table, y = load_digits(return_X_y=True)
    table, known, rows = table / 16, 900, 1500
    family = families.find(name)
    shape = Shape(task=Task.CLASSIFICATION, rows=known, features=64, classes=10)
    model = family.make({"C": 5.0 if name == "SVM" else 0.3}, Making(shape=shape)).fit(table[:known], y[:known])
    assert log_loss(y[known:rows], model.predict_proba(table[known:rows])) < (0.1 if name == "SVM" else 0.2)


def _suggested(family: Family, shape: Shape) -> dict[str, Any]:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    return {**family.suggest(study.ask(), shape), **({"log_target": True} if shape.skewed else {})}


@pytest.mark.parametrize(
    ("name", "family"),
    [("LogisticRegression", "Linear"), ("ExtremeRandomTrees", "ExtraTrees"), ("XGBoostClassifier", "XGBoost"),
     ("gradient_boosting", "HistGradientBoosting"), ("knn", "KNN"), ("LinearSVM", "LinearSVM"), ("SGD", "SGD"),
     ("LassoLars", "ElasticNet"), ("xgboost_regressor", "XGBoost"), ("BernoulliNaiveBayes", "NaiveBayes")],
)  # fmt: skip
def test_a_family_has_azures_names(name: str, family: str) -> None:
    assert families.find(name).name == family


def test_an_unknown_algorithm_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(Invalid, match="LightGBM"):
        families.find("Prophet")


def test_families_that_cannot_take_part_say_why() -> None:
    shape = Shape(Task.CLASSIFICATION, rows=50_000, features=10, classes=2)
    taking, out = families.chosen(Training(blocked_training_algorithms=["MLP"]), shape)
    assert {family.name for family in taking} >= {"LightGBM", "Linear", "RandomForest"}
    assert out["MLP"] == "blocked"
    assert "15,000" in out["KNN"]
    assert "LinearSVM" not in {family.name for family in taking}


def test_the_portfolio_begins_with_a_boosting_a_linear_model_and_quick_trees() -> None:
    shape = Shape(Task.REGRESSION, rows=5000, features=10, skewed=True)
    found = portfolio(families.chosen(Training(), shape)[0], shape)
    assert [family.name for family, _ in found[:3]] == ["LightGBM", "Linear", "ExtraTrees"]
    logs = [family.name for family, params in found[3:] if params.get("log_target")]
    assert [family.name for family, _ in found[3 : 3 + len(logs)]][:3] == logs[:3] == ["LightGBM", "Linear", "CatBoost"]
    assert "MLP" in logs


def test_a_table_of_more_columns_than_rows_begins_with_a_linear_model() -> None:
    shape = Shape(Task.CLASSIFICATION, rows=500, features=2000, classes=2)
    found = portfolio(families.chosen(Training(), shape)[0], shape)
    assert [family.name for family, _ in found[:2]] == ["Linear", "LightGBM"]


def test_a_table_of_many_classes_begins_with_models_that_have_no_tree_for_each() -> None:
    shape = Shape(Task.CLASSIFICATION, rows=3000, features=16, classes=26)
    found = [family.name for family, _ in portfolio(families.chosen(Training(), shape)[0], shape)]
    assert found.index("MLP") < found.index("ExtraTrees") < found.index("LightGBM")


@pytest.mark.parametrize("name", ["LightGBM", "HistGradientBoosting", "XGBoost", "CatBoost"])
@pytest.mark.parametrize("log", [False, True])
def test_boosting_stops_early_and_predicts_after_any_number_of_rounds(name: str, log: bool) -> None:
    from jupyter_mlstudio.learning.family import Making

    rng = np.random.default_rng(0)
    rows = rng.normal(size=(300, 4))
    y = np.exp(rows[:, 0] + rng.normal(scale=0.5, size=300))
    part, held = Part(rows[:200], y[:200]), Part(rows[200:], y[200:])
    family, making = families.find(name), Making(Shape(Task.REGRESSION, rows=300, features=4))
    params = {**family.known(making.shape)[0], "log_target": log}
    model = family.make(params, making)
    best = family.fit_until_no_better(model, part, held, 10, 30.0)
    assert 1 <= best < family.most_rounds
    assert best <= family.trained(model)
    counts = stages(best, 10, family.trained(model))
    found = dict(zip(counts, family.staged(model, held.X, counts, classifies=False), strict=True))
    again = family.fit(family.make({**params, family.rounds: counts[2]}, making), part)
    assert np.allclose(found[counts[2]], again.predict(held.X), rtol=1e-5)


@pytest.mark.parametrize("name", ["LightGBM", "HistGradientBoosting", "XGBoost", "CatBoost"])
def test_a_boosting_is_told_to_be_as_large_as_it_will_be_kept(name: str, tmp_path: Path) -> None:
    plan = mixed_plan(Task.REGRESSION)
    shape, family = shape_of(plan, "root_mean_squared_error"), families.find(name)
    params = {**family.known(shape)[0], "learning_rate": 0.3}
    result = evaluate(lambda one: None, plan, shape, Job(0, family, params, (0,), 0, 0, 1, 30.0),
                      Matrices(plan, None, 0), tmp_path / "oof.npy")  # fmt: skip
    _, pickled = pickle.loads(spare_path(tmp_path / "oof.npy").read_bytes())
    model, kept = pickle.loads(pickled), result.params[family.rounds]
    assert kept < family.seen(model), "it was watched for longer than it got better"
    assert result.size_bytes == pytest.approx(len(pickled) * kept / family.trained(model), abs=1)


@pytest.mark.parametrize("name", ["RandomForest", "ExtraTrees"])
def test_a_forest_has_as_many_trees_as_there_is_time_for(name: str) -> None:
    from jupyter_mlstudio.learning.family import Making

    rng = np.random.default_rng(0)
    part = Part(rng.normal(size=(100, 3)), rng.integers(0, 2, 100))
    family, making = families.find(name), Making(Shape(Task.CLASSIFICATION, rows=100, features=3, classes=2))
    params = family.known(making.shape)[0]
    short, whole = family.make(params, making), family.make(params, making)
    found = family.fit_within(short, part, 1e-6)
    assert found["n_estimators"] == len(short.estimators_) < params["n_estimators"]
    assert family.fit_within(whole, part, 60.0) == {}
    plain = family.fit(family.make(params, making), part)
    assert np.allclose(whole.predict_proba(part.X), plain.predict_proba(part.X))


@pytest.mark.parametrize("rows", [1, 31, 128, 401, 801, 1001, 2401, 18_001])
def test_no_batch_of_a_network_is_much_smaller_than_the_others(rows: int) -> None:
    batch = batch_of(rows)
    last = rows % batch or batch
    assert 1 <= batch <= MOST_BATCH
    assert batch - last <= -(-rows // batch)
    assert rows < LEAST_BATCH * LEAST_BATCHES or rows // batch >= LEAST_BATCHES


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_network_learns_as_well_from_one_row_more() -> None:
    X, y = make_classification(  # noqa: N806
        401, 16, n_informative=12, n_classes=10, n_clusters_per_class=1, class_sep=1.6, random_state=1
    )
    X = (X - X.mean(axis=0)) / X.std(axis=0)  # noqa: N806
    family, shape = families.find("MLP"), Shape(Task.CLASSIFICATION, rows=401, features=16, classes=10)
    losses = []
    for rows in (400, 401):
        model = family.make(family.known(shape)[0], Making(shape, rows=rows)).fit(X[:rows], y[:rows])
        losses.append(log_loss(y[:400], model.predict_proba(X[:400])))
    assert losses[1] < 1.1 * losses[0]


def test_forests_are_tried_for_many_classes_where_boosting_takes_long() -> None:
    boosting, forest = families.find("LightGBM"), families.find("ExtraTrees")
    few, many = Costs(2), Costs(26)
    for costs in (few, many):
        costs.add(boosting, 26.0, 2000, 5)
    assert few.trial_s(forest, 2000, 5) == pytest.approx(26 * (many.trial_s(forest, 2000, 5) or 0))


@pytest.mark.parametrize("counts", [[3, 6, 40], [2]])
def test_lightgbm_adds_up_its_rounds_to_the_probabilities_it_gives(counts: list[int]) -> None:
    from jupyter_mlstudio.learning.family import Making

    rng = np.random.default_rng(0)
    rows, family = rng.normal(size=(200, 3)), families.find("LightGBM")
    for classes in (2, 3):
        shape = Shape(Task.CLASSIFICATION, rows=200, features=3, classes=classes)
        params = {**family.known(shape)[0], "n_estimators": 10}
        model = family.fit(family.make(params, Making(shape)), Part(rows, rng.integers(0, classes, 200)))
        for count, found in zip(counts, family.staged(model, rows, counts, classifies=True), strict=True):
            assert np.allclose(found, model.predict_proba(rows, num_iteration=count))


def test_a_positive_target_with_a_long_tail_is_skewed() -> None:
    rng = np.random.default_rng(0)
    assert is_skewed(np.exp(rng.normal(size=500)))
    assert not is_skewed(rng.normal(size=500))
    assert not is_skewed(rng.uniform(size=500))


def test_longer_tables_and_smaller_steps_are_waited_for_longer() -> None:
    """Of 13,000 rows CatBoost found its best trees after 60 rounds without any gain, and lost 3 % by ending before."""
    assert patience_of({"learning_rate": 0.08}, 1_000) == 30
    assert patience_of({"learning_rate": 0.08}, 13_000) == 100
    assert patience_of({"learning_rate": 0.04}, 13_000) == 200
    assert patience_of({"learning_rate": 0.001}, 10_000_000) == 300
