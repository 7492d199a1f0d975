"""Classifiers that learn several labels at once, taken apart into one for each label.

Trees, forests and neighbours keep for each label what a classifier of that label alone would keep; a network has an
output for each. So each part answers exactly as the whole does, and is converted like any other
(``sklearn.tree.BaseDecisionTree.predict_proba``, ``sklearn.ensemble.ForestClassifier``, ``KNeighborsClassifier``,
``MLPClassifier`` with ``out_activation_ == "logistic"``).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

TREES = ("DecisionTreeClassifier", "ExtraTreeClassifier")
FORESTS = ("RandomForestClassifier", "ExtraTreesClassifier")
NEIGHBORS = ("KNeighborsClassifier",)
NETWORK = "MLPClassifier"


def learns_many(model: Any) -> bool:
    """Whether a fitted classifier answers with several labels for a row, and can be taken apart."""
    name = type(model).__name__
    if not type(model).__module__.startswith("sklearn."):
        return False
    if name == NETWORK:
        binarizer = getattr(model, "_label_binarizer", None)
        return getattr(binarizer, "y_type_", "") == "multilabel-indicator"
    return name in PARTS and isinstance(getattr(model, "classes_", None), list)


def taken_apart(model: Any) -> Any:
    """Returns a ``MultiOutputClassifier`` of one classifier for each label. The given one is not changed.

    ``second_class_only`` says that the whole answers with the probability of each label's second class alone.
    """
    from sklearn.multioutput import MultiOutputClassifier

    name = type(model).__name__
    twin = MultiOutputClassifier(model)
    count = len(model.classes_)
    part = _network if name == NETWORK else PARTS[name]
    twin.estimators_ = [part(model, number) for number in range(count)]
    twin.classes_ = [one.classes_ for one in twin.estimators_]
    twin.n_features_in_ = model.n_features_in_
    twin.second_class_only = name == NETWORK
    return twin


def _tree(model: Any, number: int) -> Any:
    twin = copy.copy(model)
    classes = int(model.n_classes_[number])
    state = model.tree_.__getstate__()
    state["values"] = np.ascontiguousarray(model.tree_.value[:, number : number + 1, :classes])
    twin.tree_ = type(model.tree_)(model.n_features_in_, np.array([classes], dtype=np.intp), 1)
    twin.tree_.__setstate__(state)
    twin.n_outputs_, twin.n_classes_, twin.classes_ = 1, np.intp(classes), model.classes_[number]
    return twin


def _forest(model: Any, number: int) -> Any:
    twin = copy.copy(model)
    twin.estimators_ = [_tree(one, number) for one in model.estimators_]
    twin.n_outputs_, twin.n_classes_, twin.classes_ = 1, model.n_classes_[number], model.classes_[number]
    return twin


def _neighbors(model: Any, number: int) -> Any:
    twin = copy.copy(model)
    twin._y, twin.classes_, twin.outputs_2d_ = model._y[:, number], model.classes_[number], False
    return twin


def _network(model: Any, number: int) -> Any:
    twin = copy.copy(model)
    twin.coefs_ = [*model.coefs_[:-1], model.coefs_[-1][:, [number]]]
    twin.intercepts_ = [*model.intercepts_[:-1], model.intercepts_[-1][[number]]]
    twin.n_outputs_, twin.classes_ = 1, np.array([0, 1])
    twin._label_binarizer = type(model._label_binarizer)().fit([0, 1])
    return twin


PARTS: dict[str, Callable[[Any, int], Any]] = {
    **dict.fromkeys(TREES, _tree), **dict.fromkeys(FORESTS, _forest), **dict.fromkeys(NEIGHBORS, _neighbors),
}  # fmt: skip
