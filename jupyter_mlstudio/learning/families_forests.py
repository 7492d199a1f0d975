"""Forests of independent trees, and a single tree. Leaves are bounded, so that a model stays small enough to serve."""

from __future__ import annotations

import math
import time
import warnings
from typing import Any

from jupyter_mlstudio.learning.family import (
    Family,
    Making,
    Params,
    Part,
    Shape,
    common,
    suggest_common,
    weighted_classes,
    with_log,
    without,
)

MOST_NODES = 400_000
"""Of a whole forest: about 10 MB of ONNX and some seconds of conversion."""


MOST_ROWS = 60_000
"""That a tree is grown on; of more, each tree has a sample."""

FIRST_TREES, STEP_TREES = 12, 40
"""Trees that are grown to see how long one takes, and at once afterwards."""


def most_leaves(trees: int) -> int:
    """Leaves for each tree so that a forest keeps below :data:`MOST_NODES`."""
    return MOST_NODES // (2 * trees)


class _Forest(Family):
    form = "trees"
    kinds: tuple[str, str]

    def known(self, shape: Shape) -> list[Params]:
        rows: list[Params]
        if shape.classifies:
            rows = [{"max_features": "sqrt", "min_samples_leaf": 1}, {"max_features": 0.5, "min_samples_leaf": 3}]
        else:
            rows = [{"max_features": 0.6, "min_samples_leaf": 1}, {"max_features": 1.0, "min_samples_leaf": 3}]
        return [{"n_estimators": 160, **params} | common(shape) for params in rows]

    def suggest(self, trial: Any, shape: Shape) -> Params:
        found: Params = {
            "n_estimators": trial.suggest_int("n_estimators", 80, 300, log=True),
            "max_features": trial.suggest_float("max_features", 0.05, 1.0, log=True),
            "min_samples_leaf": trial.suggest_int("min_samples_leaf", 1, 30, log=True),
        }
        if shape.classifies:
            found["criterion"] = trial.suggest_categorical("criterion", ["gini", "entropy"])
        return found | suggest_common(trial, shape)

    def make(self, params: Params, making: Making) -> Any:
        from sklearn import ensemble

        kind = getattr(ensemble, self.kinds[0] if making.shape.classifies else self.kinds[1])
        settings = without(params)
        if weighted_classes(params):
            settings["class_weight"] = params["class_weight"]
        leaves = most_leaves(int(settings["n_estimators"]))
        if making.shape.rows > leaves:
            settings.setdefault("max_leaf_nodes", leaves)
        if making.shape.rows > MOST_ROWS:
            settings |= {"bootstrap": True, "max_samples": round(MOST_ROWS / making.shape.rows, 6)}
        return with_log(kind(**settings, n_jobs=making.threads, random_state=making.seed), params)

    def fit_within(self, model: Any, part: Part, limit_s: float) -> Params:
        wanted = getattr(model, "n_estimators", 0)
        if wanted <= FIRST_TREES or not math.isfinite(limit_s):
            return super().fit_within(model, part, limit_s)  # of the logarithm, or quick anyway
        began = time.monotonic()
        model.set_params(n_estimators=FIRST_TREES, warm_start=True)
        self.fit(model, part)
        one = (time.monotonic() - began) / FIRST_TREES
        while model.n_estimators < wanted and time.monotonic() - began + one < limit_s:
            more = int(min(wanted - model.n_estimators, max(1, (limit_s + began - time.monotonic()) / one), STEP_TREES))
            model.set_params(n_estimators=model.n_estimators + more)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # of balanced weights, which are those of the same rows
                self.fit(model, part)
        model.set_params(warm_start=False)
        if model.n_estimators == wanted:
            return {}
        leaves = {} if model.max_leaf_nodes is None else {"max_leaf_nodes": model.max_leaf_nodes}
        return {"n_estimators": int(model.n_estimators), **leaves}


class RandomForest(_Forest):
    """Trees on bootstrap samples (Breiman, 2001)."""

    name = "RandomForest"
    also = ("RandomForestClassifier", "RandomForestRegressor", "RF")
    kinds = ("RandomForestClassifier", "RandomForestRegressor")
    expense = 8.0


class ExtraTrees(_Forest):
    """Trees with random thresholds (Geurts, Ernst and Wehenkel, 2006)."""

    name = "ExtraTrees"
    also = ("ExtremeRandomTrees", "ExtraTreesClassifier", "ExtraTreesRegressor")
    kinds = ("ExtraTreesClassifier", "ExtraTreesRegressor")
    expense = 4.0


class DecisionTree(Family):
    """A single tree: seldom the best, but people can read it. Tried when asked for by name."""

    name, form = "DecisionTree", "trees"
    also = ("DecisionTreeClassifier", "DecisionTreeRegressor")
    expense = 0.2

    def known(self, shape: Shape) -> list[Params]:
        leaf = max(1, min(20, shape.rows // 200))
        return [{"max_depth": 8, "min_samples_leaf": leaf} | common(shape)]

    def suggest(self, trial: Any, shape: Shape) -> Params:
        return {
            "max_depth": trial.suggest_int("max_depth", 2, 16),
            "min_samples_leaf": trial.suggest_int("min_samples_leaf", 1, 100, log=True),
        } | suggest_common(trial, shape)

    def make(self, params: Params, making: Making) -> Any:
        from sklearn import tree

        kind = tree.DecisionTreeClassifier if making.shape.classifies else tree.DecisionTreeRegressor
        settings = without(params)
        if weighted_classes(params):
            settings["class_weight"] = params["class_weight"]
        return with_log(kind(**settings, random_state=making.seed), params)
