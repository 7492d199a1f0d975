"""All families, by any of their names, and which of them take part."""

from __future__ import annotations

import re
from collections.abc import Iterable

from jupyter_mlstudio.entities.automl import Training
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning.families_boosting import CatBoost, HistGradientBoosting, LightGBM, XGBoost
from jupyter_mlstudio.learning.families_forests import DecisionTree, ExtraTrees, RandomForest
from jupyter_mlstudio.learning.families_smooth import KNN, MLP, SGD, SVM, ElasticNet, Linear, LinearSVM, NaiveBayes
from jupyter_mlstudio.learning.family import Family, Shape

FAMILIES: tuple[Family, ...] = (
    LightGBM(), Linear(), ExtraTrees(), CatBoost(), XGBoost(), RandomForest(), MLP(), HistGradientBoosting(), SVM(),
    KNN(), ElasticNet(), SGD(), LinearSVM(), DecisionTree(), NaiveBayes(),
)  # fmt: skip
ON_REQUEST = ("SGD", "LinearSVM", "DecisionTree", "NaiveBayes")
"""Families that only take part when they are allowed by name."""


def find(name: str) -> Family:
    """Finds a family by its name, Azure's or that of one of its classes, in any spelling.

    Raises:
        Invalid: there is none of that name.
    """
    wanted = _plain(name)
    for family in FAMILIES:
        if wanted in map(_plain, (family.name, *family.also)):
            return family
    raise Invalid(
        f"there is no algorithm {name!r}: choose from {', '.join(family.name for family in FAMILIES)}, or Azure's names"
        " for them"
    )


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def chosen(training: Training, shape: Shape) -> tuple[list[Family], dict[str, str]]:
    """Which families take part, and why the others do not.

    Raises:
        Invalid: a name is not known, or none is left.
    """
    allowed = _named(training.allowed_training_algorithms)
    blocked = _named(training.blocked_training_algorithms)
    taking, out = [], {}
    for family in FAMILIES:
        if allowed and family.name not in allowed:
            continue
        if not allowed and family.name in ON_REQUEST:
            continue
        reason = "blocked" if family.name in blocked else ""
        if not reason and not family.installed():
            reason = f'it is not installed: pip install "jupyter-mlstudio[{family.library}]"'
        reason = reason or family.refuses(shape)
        if reason:
            out[family.name] = reason
        else:
            taking.append(family)
    if not taking:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in out.items())
        raise Invalid(f"no algorithm is left to try ({reasons}): allow more of them")
    return taking, out


def _named(names: Iterable[str]) -> set[str]:
    return {find(name).name for name in names}
