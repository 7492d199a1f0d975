"""Converts XGBoost's models: a native ``Booster`` or the wrappers for scikit-learn, alone or inside a pipeline.

The forest is read from the JSON that XGBoost itself writes ("XGBoost JSON model schema" in its documentation) and not
from a dump of text, whose thresholds are rounded.
"""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from jupyter_mlstudio.errors import Invalid, MissingExtra
from jupyter_mlstudio.onnx.forest import LESS, Forest, Tree
from jupyter_mlstudio.plugins.converters import forests
from jupyter_mlstudio.plugins.converters.base import Source
from jupyter_mlstudio.plugins.converters.boosters import BoosterConverter, frame_categories, manifest_class
from jupyter_mlstudio.plugins.converters.forests import EXP, IDENTITY, SIGMOID, SOFTMAX, Boosted
from jupyter_mlstudio.plugins.converters.refused import Refused

LINKS = {
    "binary:logistic": SIGMOID, "reg:logistic": SIGMOID, "multi:softprob": SOFTMAX, "multi:softmax": SOFTMAX,
    "reg:squarederror": IDENTITY, "reg:absoluteerror": IDENTITY, "reg:pseudohubererror": IDENTITY,
    "reg:quantileerror": IDENTITY, "reg:squaredlogerror": IDENTITY, "rank:ndcg": IDENTITY, "rank:pairwise": IDENTITY,
    "rank:map": IDENTITY, "binary:logitraw": IDENTITY, "count:poisson": EXP, "reg:gamma": EXP, "reg:tweedie": EXP,
    "survival:cox": EXP, "survival:aft": EXP,
}  # fmt: skip
"""What follows the sum of the trees, by the name of the objective."""

CLASSIFIES = ("binary:", "multi:")
NO_FORM = "{what} has no ONNX form: {instead}"


class XgboostConverter(BoosterConverter):
    """Reads XGBoost's own files (``.json``, ``.ubj``), never a pickle."""

    name = "XGBoost"
    kind = "xgboost"

    def read(self, path: Path, source: Source) -> tuple[Any, str]:
        try:
            import xgboost
        except ImportError as error:
            raise MissingExtra("XGBoost", "xgboost") from error
        try:
            booster = xgboost.Booster(model_file=str(path))
        except ValueError as error:  # XGBoostError is one, and so is what its text may hold
            raise Invalid(f"the file {path.name!r} is not a model of XGBoost that can be read") from error
        objective = json.loads(booster.save_config())["learner"]["objective"]["name"]
        kept = json.loads(booster.attr("scikit_learn") or "{}").get("_estimator_type")
        wrappers = {"ranker": xgboost.XGBRanker, "classifier": xgboost.XGBClassifier}
        usual = xgboost.XGBClassifier if objective.startswith(CLASSIFIES) else xgboost.XGBRegressor
        model = wrappers.get(kept, usual)(enable_categorical=True)
        model.load_model(path)
        if manifest_class(source, self.kind).endswith(".Booster"):
            model.get_booster().set_attr(best_iteration=None)
        return model, f"XGBoost {xgboost.__version__}"

    def categories(self, model: Any, rows: Any) -> dict[int, list[Any]]:
        return _categories(model.get_booster()) or frame_categories(rows)


def announce(model: Any) -> None:
    """Tells skl2onnx about the class of a model of XGBoost."""
    forests.register(type(model), read, classes_of, targets_of)


def read(model: Any) -> Boosted:
    """Reads a wrapper's booster out.

    Raises:
        Refused: it is linear, or its objective is not known.
    """
    booster = model.get_booster()
    last = getattr(model, "best_iteration", None) if booster.attr("best_iteration") is not None else None
    content = json.loads(bytes((booster if last is None else booster[: last + 1]).save_raw("json")))["learner"]
    gradient, objective = content["gradient_booster"], content["objective"]["name"]
    if gradient["name"] not in ("gbtree", "dart"):
        raise Refused(NO_FORM.format(what=f"booster={gradient['name']!r}", instead="use booster='gbtree'"))
    if objective not in LINKS:
        raise Refused(NO_FORM.format(what=f"the objective {objective!r} of XGBoost", instead="use another objective"))
    weights = gradient.get("weight_drop")
    trees = (gradient.get("gbtree", gradient))["model"]
    link = LINKS[objective]
    classes = classes_of(model)
    targets = 1 if link == SIGMOID or (classes is not None and len(classes) == 2) else targets_of(model, content)
    base = _margins(content["learner_model_param"]["base_score"], link, targets)
    forest = Forest(targets, wide=False, test=LESS, base=base)
    for number, (tree, target) in enumerate(zip(trees["trees"], trees["tree_info"], strict=True)):
        if int(tree["tree_param"].get("size_leaf_vector", 1)) > 1:
            raise Refused(
                NO_FORM.format(what="multi_strategy='multi_output_tree'", instead="use 'one_output_per_tree'")
            )
        forest.grow(_tree(tree, target, 1.0 if not weights else float(weights[number])))
    return Boosted(forest, link, classes)


def classes_of(model: Any) -> Any:
    """A classifier's labels, None for a regressor or a ranker."""
    return getattr(model, "classes_", None) if hasattr(model, "predict_proba") else None


def targets_of(model: Any, content: Any = None) -> int:
    """How many numbers it answers for a row, before labels."""
    content = content or json.loads(model.get_booster().save_config())["learner"]
    parameters = content["learner_model_param"]
    return max(int(parameters["num_class"]), int(parameters["num_target"]), 1)


def _tree(tree: dict[str, Any], target: int, weight: float) -> Tree:
    """A row in a set of categories goes to the right, one below a threshold to the left."""
    sets = {
        node: tree["categories"][start : start + size]
        for node, start, size in zip(
            tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"], strict=True
        )
    }
    lefts, rights = np.asarray(tree["left_children"]), np.asarray(tree["right_children"])
    values = np.asarray(tree["split_conditions"], np.float32).astype(np.float64)
    right_passes, missing_left = np.asarray(tree["split_type"]) != 0, np.asarray(tree["default_left"]) != 0
    return Tree(
        np.asarray(tree["split_indices"]), values, np.where(right_passes, rights, lefts),
        np.where(right_passes, lefts, rights), missing_left != right_passes, (values * weight).astype(np.float32),
        target, sets,
    )  # fmt: skip


def _margins(text: str, link: str, targets: int) -> list[float]:
    """Intercepts before the link; the file keeps them as they are after it."""
    values = json.loads(text) if text.startswith("[") else [float(text)]
    values = [float(value) for value in (values * targets if len(values) == 1 else values)]
    if link == SIGMOID:
        return [math.log(value / (1 - value)) for value in values]
    return [math.log(value) for value in values] if link == EXP else values


def _categories(booster: Any) -> dict[int, list[Any]]:
    """Categories that the booster itself keeps (XGBoost 3.1 and later), by the number of the column."""
    content = json.loads(bytes(booster.save_raw("json")))["learner"]["gradient_booster"]
    model = (content.get("gbtree", content)).get("model", {})
    found = {}
    for number, kept in enumerate((model.get("cats") or {}).get("enc", [])):
        values, offsets = kept.get("values", []), kept.get("offsets")
        if offsets:
            text = bytes(value % 256 for value in values)
            found[number] = [text[start:end].decode() for start, end in pairwise(offsets)]
        elif values:
            found[number] = values
    return found
