"""Classifiers that learn several labels at once, and networks with several targets, answer in ONNX as in Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn import ensemble, neighbors, neural_network, preprocessing, tree
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline

from jupyter_mlstudio.onnx.session import open_session
from jupyter_mlstudio.plugins.converters.base import Original
from jupyter_mlstudio.plugins.converters.sklearn import SklearnConverter
from jupyter_mlstudio.programs.ladder import climb

AT_ONCE: dict[str, Callable[[], Any]] = {
    "a tree": lambda: tree.DecisionTreeClassifier(max_depth=3, random_state=0),
    "a random tree": lambda: tree.ExtraTreeClassifier(max_depth=4, random_state=0),
    "a forest": lambda: ensemble.RandomForestClassifier(7, max_depth=4, random_state=0),
    "extra trees after a scaler": lambda: make_pipeline(
        preprocessing.StandardScaler(), ensemble.ExtraTreesClassifier(7, max_depth=4, random_state=0)
    ),
    "neighbours": lambda: neighbors.KNeighborsClassifier(4, weights="distance"),
}


@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize("name", AT_ONCE)
def test_what_learns_several_labels_at_once_answers_as_it_does_in_python(name: str, words: bool) -> None:
    data = load_iris()
    long = data.data[:, 0] > 5.8
    answers = np.column_stack([data.target, long]).astype(int)
    if words:
        answers = np.column_stack([data.target_names[data.target], np.where(long, "long", "short")])
    model = AT_ONCE[name]().fit(data.data, answers)
    found = climb(SklearnConverter(), Original(model, data.data, "scikit-learn"))
    assert found.conversion.ready, found.conversion.reason
    assert found.onnx is not None
    assert found.conversion.parity is not None
    assert (found.conversion.parity.label_flips, found.conversion.parity.dtype) == (0, "float64")
    label, probability = open_session(found.onnx).run(None, {"X": data.data})
    assert np.array_equal(label, model.predict(data.data))
    assert np.abs(probability - np.hstack(model.predict_proba(data.data))).max() < 1e-6
    assert probability.max() <= 1.0
    assert np.shape(model.predict(data.data)) == (150, 2), "the model itself is as it was"


def test_a_network_with_several_labels_answers_with_a_probability_for_each() -> None:
    data = load_iris()
    answers = np.column_stack([data.target > 0, data.target > 1, data.data[:, 0] > 5.8]).astype(int)
    network = neural_network.MLPClassifier((6, 4), random_state=0, max_iter=200, tol=1.0)
    model = make_pipeline(preprocessing.StandardScaler(), network).fit(data.data, answers)
    found = climb(SklearnConverter(), Original(model, data.data, "scikit-learn"))
    assert found.conversion.ready, found.conversion.reason
    assert found.onnx is not None
    label, probability = open_session(found.onnx).run(None, {"X": data.data})
    assert np.array_equal(label, model.predict(data.data))
    assert np.abs(probability - model.predict_proba(data.data)).max() < 1e-12


@pytest.mark.parametrize("activation", ["identity", "relu", "tanh", "logistic"])
@pytest.mark.parametrize("targets", [1, 2])
def test_a_network_for_several_targets_answers_with_all_of_them(activation: str, targets: int) -> None:
    data = load_iris()
    answers = np.column_stack([data.data[:, 2], -data.data[:, 3]])[:, :targets]
    network = neural_network.MLPRegressor(
        hidden_layer_sizes=(5,), activation=activation, random_state=0, max_iter=50, tol=1.0
    )
    model = network.fit(data.data, answers if targets > 1 else answers[:, 0])
    found = climb(SklearnConverter(), Original(model, data.data, "scikit-learn"))
    assert found.conversion.ready, found.conversion.reason
    assert found.conversion.signature is not None
    assert found.conversion.signature.outputs[0].shape == [-1, targets]
