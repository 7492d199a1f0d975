"""Converts LightGBM's models: a native ``Booster`` or the wrappers for scikit-learn, alone or inside a pipeline.

How a tree decides follows ``include/LightGBM/tree.h`` of LightGBM (``NumericalDecision``, ``CategoricalDecision``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_mlstudio.errors import Invalid, MissingExtra
from jupyter_mlstudio.onnx.forest import EQUAL, LESS_OR_EQUAL, Forest, Leaf, Split
from jupyter_mlstudio.plugins.converters import forests
from jupyter_mlstudio.plugins.converters.base import Source
from jupyter_mlstudio.plugins.converters.boosters import BoosterConverter, frame_categories
from jupyter_mlstudio.plugins.converters.files import load_pickled
from jupyter_mlstudio.plugins.converters.forests import EXP, IDENTITY, SIGMOID, SIGNED_SQUARE, SOFTMAX, Boosted
from jupyter_mlstudio.plugins.converters.refused import Refused

LINKS = {
    "binary": SIGMOID, "cross_entropy": SIGMOID, "multiclassova": SIGMOID, "multiclass": SOFTMAX,
    "regression": IDENTITY, "regression_l1": IDENTITY, "huber": IDENTITY, "fair": IDENTITY, "quantile": IDENTITY,
    "mape": IDENTITY, "poisson": EXP, "gamma": EXP, "tweedie": EXP, "lambdarank": IDENTITY, "rank_xendcg": IDENTITY,
}  # fmt: skip
"""What follows the sum of the trees, by the name of the objective."""

CLASSIFIES = ("binary", "multiclass", "multiclassova")


class LightgbmConverter(BoosterConverter):
    """Reads LightGBM's own text files; a wrapper that MLflow pickled is loaded as scikit-learn models are."""

    name = "LightGBM"
    kind = "lightgbm"

    def read(self, path: Path, source: Source) -> tuple[Any, str]:
        try:
            import lightgbm
        except ImportError as error:
            raise MissingExtra("LightGBM", "lightgbm") from error
        from jupyter_mlstudio.plugins.converters.lightgbm_models import LightgbmClassifier, LightgbmRegressor

        framework = f"LightGBM {lightgbm.__version__}"
        if path.suffix in (".pkl", ".skops"):
            return load_pickled(path), framework
        try:
            booster = lightgbm.Booster(model_file=str(path))
        except lightgbm.basic.LightGBMError as error:
            raise Invalid(f"the file {path.name!r} is not a model of LightGBM that can be read") from error
        if _objective(booster.dump_model(num_iteration=1)) not in CLASSIFIES:
            return LightgbmRegressor(booster), framework
        classes = source.manifest.get("classes") or list(range(max(booster.num_model_per_iteration(), 2)))
        return LightgbmClassifier(booster, classes), framework

    def categories(self, model: Any, rows: Any) -> dict[int, list[Any]]:
        kept = model.booster_.pandas_categorical or []
        return dict(zip(frame_categories(rows), kept, strict=False))


def announce(model: Any) -> None:
    """Tells skl2onnx about the class of a model of LightGBM."""
    forests.register(type(model), read, classes_of, lambda model: int(model.booster_.num_model_per_iteration()))


def classes_of(model: Any) -> Any:
    """A classifier's labels, None for a regressor or a ranker."""
    return getattr(model, "classes_", None) if hasattr(model, "predict_proba") else None


def read(model: Any) -> Boosted:
    """Reads a booster out.

    Raises:
        Refused: it has linear leaves, or its objective is not known.
    """
    content = model.booster_.dump_model()
    objective = _objective(content)
    if objective not in LINKS:
        raise Refused(f"the objective {objective or 'of your own'!r} of LightGBM has no ONNX form: use one of its own")
    words = dict(word.split(":", 1) for word in content["objective"].split()[1:] if ":" in word)
    link = SIGNED_SQUARE if "sqrt" in content["objective"].split()[1:] else LINKS[objective]
    targets = int(content["num_tree_per_iteration"])
    forest = Forest(targets, wide=True)
    trees = content["tree_info"]
    share = len(trees) // targets if content.get("average_output") else 1
    for number, tree in enumerate(trees):
        forest.grow(tree["tree_structure"], _looker(number % targets, share))
    zero = {missing for tree in trees for missing in _missing(tree["tree_structure"])}
    if "Zero" in zero and len(zero - {"None"}) > 1:
        raise Refused("LightGBM took 0 for missing in some columns only, which has no ONNX form")
    return Boosted(
        forest, link, classes_of(model), scale=float(words.get("sigmoid", 1.0)) if link == SIGMOID else 1.0,
        zero_is_missing="Zero" in zero,
    )  # fmt: skip


def _objective(content: dict[str, Any]) -> str:
    return str(content.get("objective") or "").partition(" ")[0]


def _missing(node: dict[str, Any]) -> set[str]:
    found, waiting = set(), [node]
    while waiting:
        one = waiting.pop()
        if "split_feature" in one:
            if one["decision_type"] != "==":
                found.add(one["missing_type"])
            waiting += [one["left_child"], one["right_child"]]
    return found


def _looker(target: int, share: int) -> Any:
    def look(node: dict[str, Any]) -> Split | Leaf:
        if "split_feature" not in node:
            if node.get("leaf_coeff"):
                raise Refused("LightGBM's linear_tree has no ONNX form: train with linear_tree=False")
            return {target: node["leaf_value"] / share}
        feature, left, right = node["split_feature"], node["left_child"], node["right_child"]
        if node["decision_type"] == "==":
            codes = [int(code) for code in str(node["threshold"]).split("||")]
            return Split(feature, EQUAL, left, right, categories=codes)
        threshold = float(node["threshold"])
        missing = bool(node["default_left"]) if node["missing_type"] != "None" else threshold >= 0
        return Split(feature, LESS_OR_EQUAL, left, right, threshold, missing_passes=missing)

    return look
