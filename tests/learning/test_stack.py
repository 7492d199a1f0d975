"""Stacks: what the model on top learns, how it is judged, and what is served."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor, StackingClassifier, StackingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from jupyter_mlstudio.entities.automl import StackSettings, Task
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning import stack
from jupyter_mlstudio.learning.diagram import diagram
from jupyter_mlstudio.learning.explain import explain
from jupyter_mlstudio.programs.automl_check import ModelCheck

rng = np.random.default_rng(0)
ROWS = pd.DataFrame(rng.normal(size=(300, 3)), columns=["a", "b", "c"])
VALUE = (ROWS["a"] - ROWS["b"] + rng.normal(scale=0.4, size=300)).to_numpy()
PARTS = np.array_split(np.arange(300), 3)
USUAL = StackSettings()


def test_the_model_on_top_gives_no_member_a_weight_below_zero() -> None:
    members = [VALUE + rng.normal(scale=0.5, size=300), VALUE + rng.normal(scale=0.5, size=300), -VALUE]
    found = stack.work(lambda _: None, stack.top_of(USUAL, 0), members, VALUE, None, PARTS, 0, 0)
    assert found.members == [0, 1], "what says the opposite is left out"
    assert (found.top.coef_ > 0).all()
    assert np.mean((found.predicted - VALUE) ** 2) < 0.8 * np.mean((members[0] - VALUE) ** 2)
    assert sum(stack.shares(found.top, 2)) == pytest.approx(1)


def test_a_stack_is_judged_on_rows_that_it_did_not_learn_from() -> None:
    noise = [rng.normal(size=60) for _ in range(20)]
    truth = rng.normal(size=60)
    top = stack.top_of(StackSettings(stack_meta_learner_type="Ridge"), 0)
    found = stack.work(lambda _: None, top, noise, truth, None, np.array_split(np.arange(60), 3), 0, 0)
    learnt = found.top.predict(stack.handed_on([noise[number] for number in found.members]))
    errors = [np.mean((one - truth) ** 2) for one in (learnt, found.predicted)]
    assert errors[1] > 1.3 * errors[0], "what it says of rows that it knows is better than it is"


@pytest.mark.parametrize("classes", [["no", "yes"], ["low", "mid", "top"]])
def test_a_stack_of_classifiers_is_scikit_learns_own_and_converts(classes: list[str]) -> None:
    y = np.clip(np.digitize(VALUE, [-0.3, 1.0]), 0, len(classes) - 1)
    named = [("a", make_pipeline(StandardScaler(), LogisticRegression())), ("b", DecisionTreeClassifier(max_depth=3))]
    fitted = [(name, one.fit(ROWS, y)) for name, one in named]
    seen = [one.predict_proba(ROWS) for _, one in fitted]
    found = stack.work(lambda _: None, stack.top_of(USUAL, len(classes)), seen, y, None, PARTS, len(classes), 0)
    assert found.predicted.sum(axis=1) == pytest.approx(1)
    model = stack.stack(fitted, found.top, np.asarray(classes))
    labels = np.asarray(classes)[y]
    own = StackingClassifier(fitted, LogisticRegression(), cv="prefit", stack_method="predict_proba").fit(ROWS, labels)
    own.final_estimator_ = found.top
    assert np.array_equal(model.predict_proba(ROWS), own.predict_proba(ROWS))
    assert np.array_equal(model.predict(ROWS), own.predict(ROWS))
    compared = ModelCheck()(model, ROWS)
    assert compared.ready, compared.reason
    assert compared.label_flips == 0
    assert "LogisticRegression" in diagram(model)


def test_a_stack_of_regressors_is_scikit_learns_own_and_converts() -> None:
    fitted = [("a", Ridge().fit(ROWS, VALUE)), ("b", HistGradientBoostingRegressor().fit(ROWS, VALUE))]
    seen = stack.handed_on([one.predict(ROWS) for _, one in fitted])
    top = stack.learnt(stack.top_of(USUAL, 0), seen, VALUE, np.ones(300), 0)
    model = stack.stack(fitted, top, None)
    own = StackingRegressor(fitted, stack.top_of(USUAL, 0), cv="prefit").fit(ROWS, VALUE)
    assert model.predict(ROWS) == pytest.approx(own.predict(ROWS))
    compared = ModelCheck()(model, ROWS)
    assert compared.ready, compared.reason


def test_a_stack_is_explained_by_a_copy_that_has_not_seen_the_rows() -> None:
    plan = SimpleNamespace(
        task=Task.REGRESSION, X=ROWS, y=VALUE, classes=None, X_test=None, weights=None, positive=None,
        folds=[(np.arange(200), np.arange(200, 300))],
    )  # fmt: skip
    fitted = [("a", Ridge().fit(ROWS, VALUE)), ("b", DecisionTreeRegressor(max_depth=3).fit(ROWS, VALUE))]
    top = stack.learnt(
        stack.top_of(USUAL, 0), stack.handed_on([one.predict(ROWS) for _, one in fitted]), VALUE, None, 0
    )
    found = explain(stack.stack(fitted, top, None), plan, "r2_score", fit_s=0.01)
    assert "copy of the model" in found.note
    assert {one.column for one in found.importances[:2]} == {"a", "b"}


@pytest.mark.parametrize(
    ("settings", "classes", "said"),
    [
        ({"stack_meta_learner_type": "LightGBMClassifier"}, 2, "LogisticRegression, LogisticRegressionCV"),
        ({"stack_meta_learner_type": "ElasticNet"}, 2, "cannot be ElasticNet"),
        ({"stack_meta_learner_k_wargs": {"depth": 3}}, 2, "do not fit LogisticRegression"),
    ],
)
def test_settings_that_no_stack_has_are_refused(settings: dict[str, Any], classes: int, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        stack.top_of(StackSettings(**settings), classes)


def test_the_models_on_top_that_azure_names_are_made() -> None:
    for name in ("ElasticNet", "ElasticNetCV", "LinearRegression", "linear_regression", "elastic_net_cv", "none"):
        made = type(stack.top_of(StackSettings(stack_meta_learner_type=name), 0)).__name__
        assert made.lower() == {"none": "linearregression"}.get(name, name.replace("_", "").lower())
    made = stack.top_of(StackSettings(stack_meta_learner_k_wargs={"C": 0.5}), 2, balance=True)
    assert (made.C, made.class_weight) == (0.5, "balanced")
