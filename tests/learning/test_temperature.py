"""A vote at a temperature: surer where its members agree by chance too seldom, the same in ONNX."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from jupyter_mlstudio.entities.automl import Task
from jupyter_mlstudio.learning import ensemble, temperature
from jupyter_mlstudio.learning.diagram import diagram
from jupyter_mlstudio.learning.doubt import MISTAKES
from jupyter_mlstudio.learning.explain import explain
from jupyter_mlstudio.programs.automl_check import ModelCheck

rng = np.random.default_rng(0)
LOGITS = rng.normal(scale=2.0, size=(4000, 4))
Y = np.array([rng.choice(4, p=one) for one in softmax(LOGITS, axis=1)])
ROWS = pd.DataFrame({"x": rng.normal(size=400), "z": rng.normal(size=400), "hue": rng.choice(["red", "blue"], 400)})
VALUE = ROWS["x"] + (ROWS["hue"] == "red") + rng.normal(scale=0.3, size=400)


@pytest.mark.parametrize("degree", [0.5, 1.0, 3.0])
def test_the_temperature_is_found(degree: float) -> None:
    too_even = softmax(LOGITS * degree, axis=1)
    assert temperature.best(too_even, Y) == pytest.approx(degree, rel=0.1)
    assert temperature.changed(too_even, degree) == pytest.approx(softmax(LOGITS, axis=1), abs=1e-3)


def test_rows_that_do_not_count_have_no_say() -> None:
    weights = np.repeat([1.0, 0.0], 2000)
    mixed = np.vstack([softmax(LOGITS[:2000] / 2, axis=1), softmax(LOGITS[2000:] * 5, axis=1)])
    assert temperature.best(mixed, Y, weights) == pytest.approx(0.5, rel=0.1)


def test_few_rows_without_a_mistake_do_not_make_a_vote_sure_of_all() -> None:
    """A vote that was right on 142 rows, each with 0.98, is not taken to be right always."""
    sure = np.full((142, 3), 0.01)
    y = np.arange(142) % 3
    sure[np.arange(142), y] = 0.98
    assert temperature.best(sure, y, mistakes=0.0) < 0.2
    assert temperature.best(sure, y) > 0.7
    wrong = temperature.changed(np.array([[0.98, 0.01, 0.01]]), temperature.best(sure, y))[0, 1]
    assert -np.log(wrong) < 6.5, "what one mistake costs"
    thrice = [np.tile(one, (3, *[1] * (one.ndim - 1))) if one.ndim > 1 else np.tile(one, 3) for one in (sure, y)]
    assert temperature.best(*thrice, mistakes=3 * MISTAKES) == pytest.approx(temperature.best(sure, y), rel=1e-3)
    assert temperature.best(sure, y, np.full(142, 7.0)) == pytest.approx(temperature.best(sure, y), rel=1e-3)


def test_each_part_gets_the_temperature_of_the_others() -> None:
    mixed = np.vstack([softmax(LOGITS[:2000] / 2, axis=1), softmax(LOGITS[2000:] * 2, axis=1)])
    parts = [np.arange(2000), np.arange(2000, 4000)]
    found = temperature.out_of_fold(mixed, Y, None, parts)
    assert found[:5] == pytest.approx(temperature.changed(mixed[:5], 2.0), abs=0.05)
    assert found.sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize("labels", [["no", "yes"], ["low", "mid", "top"], [1, 5, 20]])
def test_a_vote_at_a_temperature_is_scikit_learns_own_and_converts(labels: list[object]) -> None:
    classes = np.asarray(labels)
    y = np.clip(np.digitize(VALUE, [0.3, 1.0]), 0, len(classes) - 1)
    features = make_column_transformer((StandardScaler(), ["x", "z"]), (OneHotEncoder(), ["hue"]))
    members = [
        (name, make_pipeline(features, model).fit(ROWS, y))
        for name, model in (("a", LogisticRegression()), ("b", DecisionTreeClassifier(max_depth=4, random_state=0)))
    ]
    vote = ensemble.vote(members, [0.6, 0.4], classes)
    model = temperature.at(vote, 0.7)
    own = CalibratedClassifierCV(FrozenEstimator(vote), method="temperature")
    own.fit(ROWS, y if classes.dtype.kind == "i" else classes[y])  # it takes labels that are numbers for places
    own.calibrated_classifiers_[0].calibrators[0].beta_ = 1 / 0.7
    assert np.array_equal(model.predict_proba(ROWS), own.predict_proba(ROWS))
    assert np.array_equal(model.predict(ROWS), vote.predict(ROWS))
    assert np.array_equal(model.classes_, classes)
    assert model.predict_proba(ROWS) == pytest.approx(temperature.changed(vote.predict_proba(ROWS), 0.7), abs=1e-12)
    assert temperature.inside(model) == (vote, 0.7)
    assert temperature.inside(vote) == (vote, None)
    checked = ModelCheck()(model, ROWS)
    assert checked.ready, checked.reason
    assert checked.label_flips == 0
    assert checked.max_abs_difference is not None
    assert checked.max_abs_difference < 1e-5
    assert "LogisticRegression" in diagram(model)


def test_it_is_explained_by_a_copy_at_the_same_temperature() -> None:
    classes = np.array(["low", "mid", "top"])
    y = np.digitize(VALUE, [0.3, 1.0])
    plan = SimpleNamespace(
        task=Task.CLASSIFICATION, X=ROWS[["x", "z"]], y=y, classes=classes, X_test=None, weights=None, positive=None,
        folds=[(np.arange(300), np.arange(300, 400))],
    )  # fmt: skip
    members = [(name, DecisionTreeClassifier(max_depth=depth).fit(plan.X, y)) for name, depth in (("a", 2), ("b", 3))]
    model = temperature.at(ensemble.vote(members, [0.5, 0.5], classes), 0.5)
    found = explain(model, plan, "log_loss", fit_s=0.01)
    assert "copy of the model" in found.note
    assert found.importances[0].column == "x"
