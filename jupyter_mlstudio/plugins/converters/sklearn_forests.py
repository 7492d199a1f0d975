"""Reads scikit-learn's own trees out: single ones, forests, boosting, histogram boosting with categories, isolation.

Trees and forests compare rows as float32 with float64 thresholds, histogram boosting compares float64: the graph does
the same, so that a scaler before them moves no row to the other side of a threshold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jupyter_mlstudio.onnx.forest import LESS_OR_EQUAL, Forest, Tree, rounded_down
from jupyter_mlstudio.plugins.converters import forests
from jupyter_mlstudio.plugins.converters.forests import EXP, IDENTITY, SHARES, SIGMOID, SOFTMAX, Boosted
from jupyter_mlstudio.plugins.converters.refused import Refused


def register(part: Any) -> None:
    """Tells skl2onnx, in this process, how a model of trees is read."""
    name = type(part).__name__
    forests.register(type(part), WRITERS[name], _classes, _targets, _encoders if "HistGradient" in name else None)


def _classes(model: Any) -> Any:
    return getattr(model, "classes_", None)


def _targets(model: Any) -> int:
    return int(getattr(model, "n_outputs_", 1))


def _trees(model: Any) -> Boosted:
    """A tree or a forest, the mean of its trees; of two classes the second one is enough."""
    trees = [one.tree_ for one in model.estimators_] if hasattr(model, "estimators_") else [model.tree_]
    classes = _classes(model)
    width = len(classes) if classes is not None else trees[0].value.shape[1]
    forest = Forest(1 if classes is not None and width == 2 else width, wide=False, test=LESS_OR_EQUAL)
    for tree in trees:
        values = tree.value.reshape(len(tree.value), -1)
        if classes is not None:
            values = (values / values.sum(axis=1, keepdims=True))[:, -forest.targets :]
        forest.grow(_grown(tree, values))
    return Boosted(forest, IDENTITY if classes is None else SHARES, classes, average=len(trees) > 1)


def _gradient(model: Any) -> Boosted:
    if model.init is not None and model.init != "zero":
        raise Refused(f"{type(model).__name__} with init={type(model.init).__name__} has no ONNX form: leave init out")
    classes, count = _classes(model), model.estimators_.shape[1]
    start = model._raw_predict_init(np.zeros((1, model.n_features_in_), dtype=np.float32))
    forest = Forest(count, wide=False, test=LESS_OR_EQUAL, base=np.ravel(start).tolist())
    for stage in model.estimators_:
        for target, one in enumerate(stage):
            forest.grow(_grown(one.tree_, model.learning_rate * one.tree_.value.ravel(), target))
    link = IDENTITY if classes is None else SIGMOID if count == 1 else SOFTMAX
    return Boosted(forest, link, classes, scale=2.0 if model.loss == "exponential" else 1.0)


def _grown(tree: Any, weights: Any, target: int = 0, columns: Any = None) -> Tree:
    """``columns`` are the features' numbers where the tree has seen some of them only."""
    features = tree.feature if columns is None else columns[np.maximum(tree.feature, 0)]
    return Tree(
        features, rounded_down(tree.threshold), tree.children_left, tree.children_right, tree.missing_go_to_left,
        weights, target,
    )  # fmt: skip


def isolation(model: Any) -> Boosted:
    """Isolation forests: how deep a row falls on average (Liu, Ting and Zhou, 2008), as ``score_samples`` has it."""
    from sklearn.ensemble._iforest import _average_path_length

    forest, count = Forest(1, wide=False, test=LESS_OR_EQUAL), len(model.estimators_)
    usual = float(_average_path_length(np.array([model._max_samples]))[0]) * count
    for one, features, lengths, averages in zip(
        model.estimators_, model.estimators_features_, model._decision_path_lengths,
        model._average_path_length_per_tree, strict=True,
    ):  # fmt: skip
        depths = (np.asarray(lengths) + np.asarray(averages) - 1.0) / -usual * np.log(2.0)
        forest.grow(_grown(one.tree_, depths, columns=np.asarray(features)))
    return Boosted(forest, EXP, None)


def _histogram(model: Any) -> Boosted:
    classes, count = _classes(model), model.n_trees_per_iteration_
    forest = Forest(count, wide=True, test=LESS_OR_EQUAL, base=np.ravel(model._baseline_prediction).tolist())
    known, places = model._bin_mapper.make_known_categories_bitsets()
    for stage in model._predictors:
        for target, predictor in enumerate(stage):
            forest.grow(_binned(predictor, target, known, places))
    if classes is not None:
        return Boosted(forest, SIGMOID if count == 1 else SOFTMAX, classes)
    return Boosted(forest, EXP if model.loss in ("poisson", "gamma") else IDENTITY, None)


def _binned(predictor: Any, target: int, known: Any, places: Any) -> Tree:
    """Where missing values go with a set of categories, a row passes that is of none of the others."""
    nodes = predictor.nodes
    inner, missing_left = nodes["is_leaf"] == 0, nodes["missing_go_to_left"] != 0
    categorical = inner & (nodes["is_categorical"] != 0)
    sets = {}
    for number in np.flatnonzero(categorical).tolist():
        members = _members(predictor.raw_left_cat_bitsets[nodes["bitset_idx"][number]])
        others = [code for code in _members(known[places[nodes["feature_idx"][number]]]) if code not in members]
        sets[number] = others if missing_left[number] else members
    turned = categorical & missing_left
    lefts, rights = (np.where(inner, nodes[side].astype(np.int64), -1) for side in ("left", "right"))
    return Tree(
        nodes["feature_idx"], nodes["num_threshold"], np.where(turned, rights, lefts), np.where(turned, lefts, rights),
        missing_left & ~categorical, nodes["value"], target, sets,
    )  # fmt: skip


def _members(bits: Any) -> list[int]:
    """Categories of a bit set of 256 bits."""
    return [32 * word + bit for word in range(len(bits)) for bit in range(32) if int(bits[word]) >> bit & 1]


def _encoders(model: Any) -> tuple[list[int], dict[int, list[Any]]]:
    """The order in which histogram boosting takes its columns, and the categories that it turns into codes first."""
    flags = model.is_categorical_
    if flags is None:
        return [], {}
    categorical = np.flatnonzero(flags).tolist()
    encoder = model._preprocessor.named_transformers_["encoder"]
    categories = {
        column: [value for value in kept.tolist() if value is not None and value == value]
        for column, kept in zip(categorical, encoder.categories_, strict=True)
    }
    return [*categorical, *np.flatnonzero(~np.asarray(flags)).tolist()], categories


WRITERS: dict[str, Callable[[Any], Boosted]] = {
    "DecisionTreeClassifier": _trees, "DecisionTreeRegressor": _trees, "ExtraTreeClassifier": _trees,
    "ExtraTreeRegressor": _trees, "RandomForestClassifier": _trees, "RandomForestRegressor": _trees,
    "ExtraTreesClassifier": _trees, "ExtraTreesRegressor": _trees, "GradientBoostingClassifier": _gradient,
    "GradientBoostingRegressor": _gradient, "HistGradientBoostingClassifier": _histogram,
    "HistGradientBoostingRegressor": _histogram,
}  # fmt: skip
"""By the name of the class."""
