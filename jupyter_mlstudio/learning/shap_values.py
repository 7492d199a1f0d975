"""SHAP values of a model by the table's own columns: exact for trees with the extra ``explain``, else sampled.

For one pipeline whose last step is trees, ``shap``'s TreeExplainer tells features apart (Lundberg et al., "From local
explanations to global understanding with explainable AI for trees", Nature Machine Intelligence 2, 2020), and those of
one column are added up. Any other model is asked row by row, see :mod:`jupyter_mlstudio.learning.contributions`.
"""

from __future__ import annotations

import importlib.util
import time
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.entities.automl import Task
from jupyter_mlstudio.learning.contributions import OTHERS
from jupyter_mlstudio.learning.dependence import class_of
from jupyter_mlstudio.learning.explain_row import explain_row

TREE_ROWS, SAMPLED_ROWS, BACKGROUND = 300, 40, 20
TREES = ("RandomForest", "ExtraTrees", "HistGradientBoosting", "LGBM", "XGB", "CatBoost", "DecisionTree")
INSTALL = 'pip install "jupyter-mlstudio[explain]"'


def mean_absolute(
    model: Any, plan: Any, names: Sequence[str], seed: int, until: float, notes: list[str]
) -> dict[str, Any]:
    """The mean absolute SHAP value of each column, the largest first; empty when there was no time."""
    random = np.random.default_rng(seed)
    single = _single(model)
    found: dict[str, float] | None = None
    if single is not None and type(single[-1]).__name__.startswith(TREES):
        if importlib.util.find_spec("shap") is None:
            notes.append(f"SHAP values were sampled: {INSTALL} for exact ones")
        else:
            picks = np.sort(random.choice(len(plan.X), min(TREE_ROWS, len(plan.X)), replace=False))
            found = _of_trees(single, plan, plan.X.iloc[picks])
    if found is None:
        found = _sampled(model, plan, names, random, until, seed)
        if not found:
            notes.append("there was no time for SHAP values")
    return {name: float(f"{value:.6g}") for name, value in sorted(found.items(), key=lambda one: -one[1])}


def _single(model: Any) -> Any:
    """The pipeline that a model is, also as a vote of one."""
    members = getattr(model, "estimators_", None)
    if members is not None and len(members) == 1 and hasattr(model, "voting"):
        model = members[0]
    steps = getattr(model, "named_steps", {})
    return model if {"features", "model"} <= set(steps) else None


def _of_trees(pipeline: Any, plan: Any, rows: Any) -> dict[str, float] | None:
    """From shap's TreeExplainer; None where it cannot, or features cannot be told to columns."""
    features = pipeline.named_steps["features"]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import shap

            columns = _columns_of(features, list(rows.columns))
            if columns is None:
                return None
            values = np.asarray(shap.TreeExplainer(pipeline.named_steps["model"]).shap_values(_dense(features, rows)))
    except Exception:  # a library that does not know this version of another one's trees
        return None
    if values.ndim == 3:
        values = values[:, :, min(class_of(plan), values.shape[2] - 1)]
    if values.shape[1] != len(columns):
        return None
    summed: dict[str, NDArray[np.float64]] = {}
    for number, column in enumerate(columns):
        summed[column] = summed.get(column, np.zeros(len(values))) + values[:, number]
    return {name: float(np.abs(one).mean()) for name, one in summed.items()}


def _dense(features: Any, rows: Any) -> NDArray[np.float64]:
    found = features.transform(rows)
    return np.asarray(found.toarray() if hasattr(found, "toarray") else found, dtype=np.float64)


def _columns_of(features: Any, names: Sequence[str]) -> list[str] | None:
    """The column that each feature was made of."""
    known, found = set(names), []
    for feature in features.get_feature_names_out():
        plain = str(feature).split("__", 1)[-1].removeprefix("missingindicator_")
        while plain not in known and "_" in plain:
            plain = plain.rpartition("_")[0]
        if plain not in known:
            return None
        found.append(plain)
    return found


def _sampled(
    model: Any, plan: Any, names: Sequence[str], random: np.random.Generator, until: float, seed: int
) -> dict[str, float]:
    picks = random.permutation(len(plan.X))
    background = plan.X.iloc[np.sort(picks[:BACKGROUND])].reset_index(drop=True)
    totals: dict[str, list[float]] = {}
    of = class_of(plan) if plan.task is Task.CLASSIFICATION else None
    budget = min(2 * BACKGROUND * (len(names) + 1), 4000)
    for pick in picks[-SAMPLED_ROWS:]:
        began = time.monotonic()
        one = explain_row(model, background, plan.X.iloc[[pick]], of=of, columns=names, rows=budget, seed=seed)
        for name, value in one.values.items():
            totals.setdefault(name, []).append(abs(value))
        if time.monotonic() + (time.monotonic() - began) > until:
            break
    return {name: float(np.mean(values)) for name, values in totals.items() if name != OTHERS}
