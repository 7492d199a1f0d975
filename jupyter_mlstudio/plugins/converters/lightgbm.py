"""Converts LightGBM's models: a native ``Booster`` or the wrappers for scikit-learn, alone or inside a pipeline.

The forest is read from the text that LightGBM itself writes, a section for each tree (``Tree::ToString`` in its
``src/io/tree.cpp``), ten times as fast as its JSON. How a tree decides follows ``include/LightGBM/tree.h``
(``NumericalDecision``, ``CategoricalDecision``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from jupyter_mlstudio.errors import Invalid, MissingExtra
from jupyter_mlstudio.onnx.forest import LESS_OR_EQUAL, Forest, Tree
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

CATEGORICAL, DEFAULT_LEFT = 1, 2
"""Bits of a split's type; the next two tell what is missing."""

NOTHING, ZERO = 0, 1
"""What a split takes for missing; otherwise it is NaN."""


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
        if _objective(_fields(booster.model_to_string(num_iteration=1))) not in CLASSIFIES:
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
    head, *sections = model.booster_.model_to_string().split("\nTree=")
    content = _fields(head)
    objective, *words = content.get("objective", "").split() or [""]
    if objective not in LINKS:
        raise Refused(f"the objective {objective or 'of your own'!r} of LightGBM has no ONNX form: use one of its own")
    link = SIGNED_SQUARE if "sqrt" in words else LINKS[objective]
    scale = next((float(word.partition(":")[2]) for word in words if word.startswith("sigmoid:")), 1.0)
    targets = int(content["num_tree_per_iteration"])
    forest = Forest(targets, wide=True, test=LESS_OR_EQUAL)
    share = len(sections) // targets if "average_output" in content else 1
    missing: set[int] = set()
    for number, section in enumerate(sections):
        tree = _fields(section)
        missing |= _missing(tree)
        forest.grow(_tree(tree, number % targets, share))
    if ZERO in missing and len(missing - {NOTHING}) > 1:
        raise Refused("LightGBM took 0 for missing in some columns only, which has no ONNX form")
    return Boosted(
        forest, link, classes_of(model), scale=scale if link == SIGMOID else 1.0, zero_is_missing=ZERO in missing,
    )  # fmt: skip


def _fields(section: str) -> dict[str, str]:
    """What is told line by line, until an empty one; a line may be a word alone."""
    return {name: value for name, _, value in (line.partition("=") for line in section.split("\n\n")[0].split("\n"))}


def _objective(content: dict[str, str]) -> str:
    return content.get("objective", "").partition(" ")[0]


def _numbers(tree: dict[str, str], name: str, kind: Any = np.int64) -> Any:
    """An array that a tree without splits may lack."""
    return np.fromstring(tree.get(name, ""), kind, sep=" ")


def _missing(tree: dict[str, str]) -> set[int]:
    types = _numbers(tree, "decision_type")
    return set(np.unique(types[types & CATEGORICAL == 0] >> 2).tolist())


def _tree(tree: dict[str, str], target: int, share: int) -> Tree:
    """Inner nodes come first, then leaves; a child below zero is the leaf with the number ``-1 - child``."""
    if tree.get("is_linear") == "1":
        raise Refused("LightGBM's linear_tree has no ONNX form: train with linear_tree=False")
    types, thresholds = _numbers(tree, "decision_type"), _numbers(tree, "threshold", np.float64)
    leaves, inner = _numbers(tree, "leaf_value", np.float64), len(types)
    lefts, rights = (_numbers(tree, f"{side}_child") for side in ("left", "right"))
    lefts, rights = (np.where(side < 0, inner - 1 - side, side) for side in (lefts, rights))
    categorical = types & CATEGORICAL != 0
    missing = np.where(types >> 2 == NOTHING, thresholds >= 0, types & DEFAULT_LEFT != 0) & ~categorical
    bounds, words = _numbers(tree, "cat_boundaries"), _numbers(tree, "cat_threshold")
    sets = {
        node: _members(words[bounds[at] : bounds[at + 1]])
        for node, at in zip(
            np.flatnonzero(categorical).tolist(), thresholds[categorical].astype(int).tolist(), strict=True
        )
    }
    nothing, ends = np.zeros(len(leaves)), np.full(len(leaves), -1)
    return Tree(
        np.concatenate([_numbers(tree, "split_feature"), nothing.astype(np.int64)]),
        np.concatenate([thresholds, nothing]), np.concatenate([lefts, ends]), np.concatenate([rights, ends]),
        np.concatenate([missing, nothing != 0]), np.concatenate([np.zeros(inner), leaves / share]), target, sets,
    )  # fmt: skip


def _members(words: Any) -> list[int]:
    """Categories of a set, kept as bits of words of 32."""
    return [32 * at + bit for at, word in enumerate(words.tolist()) for bit in range(32) if word >> bit & 1]
