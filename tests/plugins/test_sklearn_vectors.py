"""Support vectors answer in ONNX in float64, also behind a calibration and beside other models."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC

from jupyter_mlstudio.programs.automl_check import ModelCheck

rng = np.random.default_rng(0)
ROWS = pd.DataFrame(rng.normal(size=(240, 4)), columns=list("abcd"))
VALUE = (ROWS["a"] - ROWS["b"] * ROWS["c"] + rng.normal(scale=0.3, size=240)).to_numpy()


def difference(model: Any, y: Any) -> float:
    found = ModelCheck()(make_pipeline(StandardScaler(), model).fit(ROWS, y), ROWS)
    assert found.ready, found.reason
    assert not found.label_flips
    assert found.max_abs_difference is not None
    return float(found.max_abs_difference)


@pytest.mark.parametrize("classes", [2, 3, 4])
@pytest.mark.parametrize("settings", [{"method": "isotonic"}, {"method": "sigmoid", "ensemble": False}])
def test_calibrated_support_vectors_answer_to_many_digits(classes: int, settings: dict[str, Any]) -> None:
    y = np.array(["w", "x", "y", "z"])[np.digitize(VALUE, np.quantile(VALUE, np.arange(1, classes) / classes))]
    assert difference(CalibratedClassifierCV(SVC(C=50.0), cv=3, **settings), y) < 1e-10


@pytest.mark.parametrize(
    "model", [SVC(C=50.0), OneVsRestClassifier(SVC(C=5.0)), LinearSVC()], ids=lambda one: type(one).__name__
)
@pytest.mark.parametrize("classes", [2, 4])
def test_scores_with_a_temperature_answer_to_many_digits(model: Any, classes: int) -> None:
    y = np.array(["w", "x", "y", "z"])[np.digitize(VALUE, np.quantile(VALUE, np.arange(1, classes) / classes))]
    if classes == 2 and isinstance(model, OneVsRestClassifier):
        model = model.estimator
    assert difference(CalibratedClassifierCV(model, cv=3, ensemble=False, method="temperature"), y) < 1e-10


def test_a_sigmoid_for_each_of_one_against_the_rest_answers_to_many_digits() -> None:
    y = np.array(["w", "x", "y"])[np.digitize(VALUE, [-1.0, 1.0])]
    model = OneVsRestClassifier(SVC(C=5.0))
    assert difference(CalibratedClassifierCV(model, cv=3, ensemble=False), y) < 1e-10


@pytest.mark.parametrize("kernel", ["rbf", "linear", "poly", "sigmoid"])
def test_every_kernel_answers_to_many_digits(kernel: str) -> None:
    assert difference(SVR(kernel=kernel, C=2.0), VALUE) < 1e-9
