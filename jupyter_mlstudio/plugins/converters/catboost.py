"""Converts CatBoost's models of numbers, alone or inside a pipeline.

The forest is read from the JSON that CatBoost itself writes ("JSON model format" in its documentation). Categories are
refused: CatBoost counts them by statistics of hashes while it predicts, for which ONNX has no operators.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from jupyter_mlstudio.errors import Invalid, MissingExtra
from jupyter_mlstudio.onnx.forest import GREATER, Forest, Tree
from jupyter_mlstudio.plugins.converters import forests
from jupyter_mlstudio.plugins.converters.base import Source
from jupyter_mlstudio.plugins.converters.boosters import BoosterConverter, manifest_class
from jupyter_mlstudio.plugins.converters.forests import EXP, IDENTITY, SIGMOID, SOFTMAX, Boosted
from jupyter_mlstudio.plugins.converters.refused import Refused

LINKS = {
    "Logloss": SIGMOID, "CrossEntropy": SIGMOID, "MultiClass": SOFTMAX, "MultiClassOneVsAll": SIGMOID,
    "RMSE": IDENTITY, "MAE": IDENTITY, "Quantile": IDENTITY, "LogCosh": IDENTITY, "Lq": IDENTITY, "Huber": IDENTITY,
    "MAPE": IDENTITY, "Expectile": IDENTITY, "MultiRMSE": IDENTITY, "Poisson": EXP, "Tweedie": EXP,
    "YetiRank": IDENTITY, "YetiRankPairwise": IDENTITY, "PairLogit": IDENTITY, "PairLogitPairwise": IDENTITY,
    "QueryRMSE": IDENTITY, "QuerySoftMax": IDENTITY, "StochasticRank": IDENTITY,
}  # fmt: skip
"""What follows the sum of the trees, by the name of the loss function."""

CLASSIFIES = ("Logloss", "CrossEntropy", "MultiClass", "MultiClassOneVsAll")


class CatboostConverter(BoosterConverter):
    """Reads CatBoost's own files (``.cbm``, ``.json``), never a pickle."""

    name = "CatBoost"
    kind = "catboost"
    mlflow_setting = "data"

    def read(self, path: Path, source: Source) -> tuple[Any, str]:
        try:
            import catboost
        except ImportError as error:
            raise MissingExtra("CatBoost", "catboost") from error
        model = catboost.CatBoost()
        try:
            model.load_model(str(path), format="json" if path.suffix == ".json" else "cbm")
        except catboost.CatBoostError as error:
            raise Invalid(f"the file {path.name!r} is not a model of CatBoost that can be read") from error
        wrapper = catboost.CatBoostClassifier if _loss(_content(model)) in CLASSIFIES else catboost.CatBoostRegressor
        if manifest_class(source, self.kind).endswith("CatBoostRegressor"):
            wrapper = catboost.CatBoostRegressor
        return wrapper().load_model(str(path), format="json" if path.suffix == ".json" else "cbm"), (
            f"CatBoost {catboost.__version__}"
        )

    def categories(self, model: Any, rows: Any) -> dict[int, list[Any]]:
        return {}


def announce(model: Any) -> None:
    """Tells skl2onnx about the class of a model of CatBoost.

    Raises:
        Refused: it has categories, texts or embeddings.
    """
    for what, columns in (
        ("categorical", model.get_cat_feature_indices()),
        ("text", model.get_text_feature_indices()),
        ("embedding", model.get_embedding_feature_indices()),
    ):
        if columns:
            raise Refused(
                f"CatBoost with {what} features (columns {str(columns)[1:-1][:60]}) has no ONNX form, since it hashes"
                " and counts them while it predicts: encode the columns before it (OrdinalEncoder, TargetEncoder,"
                " OneHotEncoder), or use LightGBM or XGBoost with categories"
            )
    forests.register(type(model), read, classes_of, targets_of)


def classes_of(model: Any) -> Any:
    """A classifier's labels, None for a regressor or a ranker."""
    return np.asarray(model.classes_) if hasattr(model, "predict_proba") else None


def targets_of(model: Any) -> int:
    """How many numbers it answers for a row."""
    return int(np.size(model.get_scale_and_bias()[1]))


def read(model: Any) -> Boosted:
    """Reads a CatBoost model out.

    Raises:
        Refused: its loss function is not known.
    """
    content = _content(model)
    loss, features = _loss(content), content["features_info"]
    if loss not in LINKS:
        raise Refused(f"the loss function {loss!r} of CatBoost has no ONNX form: use another one")
    scale, bias = content["scale_and_bias"]
    floats = features.get("float_features", [])
    forest = Forest(len(bias), wide=False, test=GREATER, base=bias)
    for tree in content.get("oblivious_trees", []):
        forest.grow(_oblivious(tree, floats, len(bias), scale))
    for tree in content.get("trees", []):
        forest.grow(_plain(tree, floats, len(bias), scale))
    return Boosted(forest, LINKS[loss], classes_of(model))


def _content(model: Any) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="mlstudio-catboost-") as folder:
        path = Path(folder) / "model.json"
        try:
            model.save_model(str(path), format="json")
        except Exception as error:
            raise Refused(f"CatBoost cannot write this model out: {str(error).splitlines()[-1][:200]}") from error
        return json.loads(path.read_text("utf-8"))  # type: ignore[no-any-return]


def _loss(content: dict[str, Any]) -> str:
    parameters = content["model_info"].get("params", {})
    return str(parameters.get("loss_function", {}).get("type", ""))


def _split(split: dict[str, Any], floats: list[dict[str, Any]]) -> tuple[int, float, bool]:
    """The feature, the threshold above which a row passes, and whether a missing value does."""
    if split["split_type"] != "FloatFeature":
        raise Refused(f"CatBoost's split of type {split['split_type']!r} has no ONNX form")
    feature = floats[split["float_feature_index"]]
    missing = feature.get("nan_value_treatment") == "AsTrue"
    return feature["flat_feature_index"], float(np.float32(split["border"])), missing


def _oblivious(tree: dict[str, Any], floats: list[dict[str, Any]], targets: int, scale: float) -> Tree:
    """A symmetric tree asks one question at each level, the last one at the root; the answers are a leaf's bits.

    Its nodes are numbered level by level, so that the children of node n are 2n + 1 and 2n + 2.
    """
    splits = [_split(split, floats) for split in reversed(tree["splits"])]
    inner, leaves = 2 ** len(splits) - 1, 2 ** len(splits)
    sizes = [2**level for level in range(len(splits))]
    features, thresholds, missing = (
        np.concatenate([np.repeat(part, sizes), np.zeros(leaves)])
        for part in (zip(*splits, strict=True) if splits else ([], [], []))
    )
    children = np.arange(inner) * 2
    ends = np.full(leaves, -1)
    weights = np.zeros((inner + leaves, targets))
    weights[inner:] = np.reshape(tree["leaf_values"], (leaves, targets)) * scale
    return Tree(
        features.astype(np.int64), thresholds, np.concatenate([children + 2, ends]),
        np.concatenate([children + 1, ends]), missing != 0, weights,
    )  # fmt: skip


def _plain(tree: dict[str, Any], floats: list[dict[str, Any]], targets: int, scale: float) -> Tree:
    """A tree of nodes inside each other."""
    nodes, splits, children, weights = [tree], [], [], []
    for node in nodes:  # grows meanwhile
        inner = "split" in node
        splits.append(_split(node["split"], floats) if inner else (0, 0.0, False))
        children.append((len(nodes), len(nodes) + 1) if inner else (-1, -1))
        weights.append(np.zeros(targets) if inner else np.ravel(node["value"]) * scale)
        nodes += [node["right"], node["left"]] if inner else []
    features, thresholds, missing = (np.asarray(part) for part in zip(*splits, strict=True))
    passed, failed = np.asarray(children).T
    return Tree(features, thresholds, passed, failed, missing, np.asarray(weights))
