"""Stacks of pipelines that take a table's columns by name: their ONNX form answers like them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVR

from jupyter_mlstudio.plugins.converters.base import Original
from jupyter_mlstudio.plugins.converters.sklearn import SklearnConverter
from jupyter_mlstudio.programs.automl_check import ModelCheck
from jupyter_mlstudio.programs.ladder import answers

rng = np.random.default_rng(0)
ROWS = pd.DataFrame({"x": rng.normal(size=300), "z": rng.normal(size=300), "colour": rng.choice(["red", "blue"], 300)})
VALUE = ROWS["x"] + (ROWS["colour"] == "red") + rng.normal(scale=0.2, size=300)


def piped(model: Any) -> Pipeline:
    made = ColumnTransformer([("numbers", StandardScaler(), ["x", "z"]), ("words", OneHotEncoder(), ["colour"])])
    return Pipeline([("features", made), ("model", model)])


@pytest.mark.parametrize("classes", [["no", "yes"], ["low", "mid", "high"], [0, 1]])
def test_a_stack_of_classifiers_answers_alike_in_onnx(classes: list[Any]) -> None:
    y = np.array(classes)[np.clip(np.digitize(VALUE, [0.3, 1.2]), 0, len(classes) - 1)]
    members = [("a", piped(RandomForestClassifier(5, max_depth=4, random_state=0))), ("b", piped(LogisticRegression()))]
    model = StackingClassifier(members, LogisticRegression(), cv=2, stack_method="predict_proba").fit(ROWS, y)
    found = ModelCheck()(model, ROWS)
    assert found.ready, found.reason
    assert found.label_flips == 0
    assert found.max_abs_difference is not None
    assert found.max_abs_difference < 1e-5


def test_a_stack_of_regressors_answers_alike_in_onnx() -> None:
    members = [("a", piped(RandomForestRegressor(5, max_depth=4, random_state=0))), ("b", piped(Ridge()))]
    model = StackingRegressor(members, Ridge(), cv=2).fit(ROWS, VALUE)
    found = ModelCheck()(model, ROWS)
    assert found.ready, found.reason
    assert found.max_abs_difference is not None
    assert found.max_abs_difference < 1e-5


@pytest.mark.parametrize("model", [
    FixedThresholdClassifier(piped(LogisticRegression()), threshold=0.3),
    CalibratedClassifierCV(piped(RandomForestClassifier(5, max_depth=4, random_state=0)), method="temperature", cv=3),
    TransformedTargetRegressor(piped(Ridge()), func=np.log1p, inverse_func=np.expm1),
])  # fmt: skip
def test_what_stands_around_a_pipeline_takes_the_columns_of_a_table_too(model: Any) -> None:
    target = (VALUE > 0.5).map({True: "yes", False: "no"}) if is_classifier(model) else np.exp(VALUE)
    found = ModelCheck()(model.fit(ROWS, target), ROWS)
    assert found.ready, found.reason
    assert not found.label_flips
    assert found.max_abs_difference is not None
    assert found.max_abs_difference < 1e-5


@pytest.mark.parametrize("method", ["isotonic", "sigmoid", "temperature"])
@pytest.mark.parametrize("bounds", [[0.5], [0.3, 1.2]])
def test_a_vote_at_a_temperature_may_have_members_that_are_calibrated(method: str, bounds: list[float]) -> None:
    y = np.array(["low", "mid", "top"])[np.digitize(VALUE, bounds)]
    forest = CalibratedClassifierCV(RandomForestClassifier(5, max_depth=3, random_state=0), method=method, cv=3)
    vote = VotingClassifier([("a", piped(forest)), ("b", piped(LogisticRegression()))], voting="soft").fit(ROWS, y)
    model = CalibratedClassifierCV(FrozenEstimator(vote), method="temperature").fit(ROWS, y)
    found = ModelCheck()(model, ROWS)
    assert found.ready, found.reason
    assert found.label_flips == 0
    assert found.max_abs_difference is not None
    assert found.max_abs_difference < 1e-5


def test_support_vectors_do_not_bring_a_vote_down_to_float32() -> None:
    """The trees beside them would answer otherwise: a value lands on the other side of a threshold."""
    rows = ROWS.assign(x=1e4 + ROWS["x"] / 8)
    members = [("a", piped(SVR(C=30.0))), ("b", piped(RandomForestRegressor(20, random_state=0)))]
    found = ModelCheck()(VotingRegressor(members).fit(rows[:200], VALUE[:200]), rows)
    assert found.ready, found.reason
    assert found.max_abs_difference is not None
    assert found.max_abs_difference < 1e-6


@pytest.mark.parametrize("kind", [VotingRegressor, StackingRegressor])
def test_members_of_an_ensemble_can_compute_in_float32_behind_columns_in_float64(kind: Any) -> None:
    """Where a member has no form in float64, what comes before it keeps its digits."""
    rows = ROWS.assign(x=1e7 + ROWS["x"])
    members = [("a", piped(RandomForestRegressor(5, max_depth=4, random_state=0))), ("b", piped(Ridge()))]
    model, converter = kind(members).fit(rows, VALUE), SklearnConverter()
    converted = converter.convert(Original(model, rows, ""), "float64 with float32 model")
    _, found = answers(converted, rows)
    assert np.ravel(found.values) == pytest.approx(model.predict(rows), abs=1e-5)
