"""Stacks: a linear model that learns from what others predict for rows that they have not seen, and what is served.

After Wolpert, "Stacked generalization" (Neural Networks 5, 1992). Weights of a regression, and of two classes, are not
negative, which keeps members that say nearly the same from being set off against each other (Breiman, "Stacked
regressions", Machine Learning 24, 1996).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.entities.automl import StackSettings
from jupyter_mlstudio.errors import Invalid

Floats = NDArray[np.float64]
CLASSIFIERS = ("LogisticRegression", "LogisticRegressionCV")
REGRESSORS = ("LinearRegression", "Ridge", "ElasticNet", "ElasticNetCV")
USUAL = "LogisticRegression"
"""Of Azure's settings: for a regression it means least squares."""

LEARNT_ROWS = 20_000
"""The model on top learns from so many rows at most: it has a few weights."""

LEAST_WEIGHT = 1e-3
"""A member with a smaller share of the weights is left out."""


def top_of(settings: StackSettings, classes: int, balance: bool = False) -> Any:
    """The unfitted model on top.

    Args:
        classes: 0 is regression; ``balance`` weighs rare classes up.

    Raises:
        Invalid: the settings name no linear model of the task, or arguments that it does not have.
    """
    from sklearn import linear_model

    arguments = dict(settings.stack_meta_learner_k_wargs)
    known = CLASSIFIERS if classes else REGRESSORS
    wanted = _named(settings.stack_meta_learner_type)
    if not classes and wanted == USUAL:
        wanted = "LinearRegression"
    if wanted not in known:
        raise Invalid(f"the model on top of a stack cannot be {wanted}: take {', '.join(known)}")
    if balance:
        arguments = {"class_weight": "balanced", **arguments}
    if not classes and wanted != "Ridge":
        arguments = {"positive": True, **arguments}
    try:
        return getattr(linear_model, wanted)(**arguments)
    except TypeError as error:
        raise Invalid(f"stack_meta_learner_k_wargs do not fit {wanted}: {error}") from error


def _named(kind: str) -> str:
    """scikit-learn's name for a model on top, in any spelling: Azure's YAML has ``logistic_regression``."""
    plain = kind.replace("_", "").lower()
    if plain in ("", "none"):
        return USUAL
    return next((name for name in (*CLASSIFIERS, *REGRESSORS) if name.lower() == plain), kind)


def handed_on(predictions: Sequence[Floats]) -> Floats:
    """What members hand on, ``(n_rows, n_columns)``: of two classes the second's probability, of more all.

    As :class:`sklearn.ensemble.StackingClassifier` lays them beside each other.
    """
    parts = [one[:, None] if one.ndim == 1 else one[:, 1:] if one.shape[1] == 2 else one for one in predictions]
    return np.ascontiguousarray(np.hstack(parts), dtype=np.float64)


def learnt(top: Any, columns: Floats, y: Any, weights: Any | None, classes: int, seed: int = 0) -> Any:
    """Fits a copy of the model on top, with no weight below zero where there are not more than two classes."""
    from sklearn.base import clone

    rows = np.arange(len(columns))
    if len(columns) > LEARNT_ROWS:
        rows = np.sort(np.random.default_rng(seed).permutation(len(columns))[:LEARNT_ROWS])
    kept = np.arange(columns.shape[1])
    while True:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = clone(top).fit(
                columns[np.ix_(rows, kept)], y[rows], **({} if weights is None else {"sample_weight": weights[rows]})
            )
        coef = np.atleast_2d(model.coef_)
        below = np.flatnonzero(coef[0] < 0) if classes <= 2 else np.empty(0, dtype=np.int64)
        if not len(below) or len(kept) == 1:
            break
        kept = np.delete(kept, below[np.argmin(coef[0][below])])
    whole = np.zeros((len(coef), columns.shape[1]))
    whole[:, kept] = coef
    return linear(whole, model.intercept_, classes, getattr(model, "classes_", None))


def linear(coef: Any, intercept: Any, classes: int, known: Any | None = None) -> Any:
    """A fitted linear model with weights ``(1, n_columns)``, of more than two classes ``(n_classes, n_columns)``.

    Args:
        classes: how many; 0 is regression.
        known: numbers of the classes that it knows; None is all of them.
    """
    from sklearn.linear_model import LinearRegression, LogisticRegression

    weights = np.asarray(coef, dtype=np.float64)
    if not classes:
        model: Any = LinearRegression()
        model.coef_, model.intercept_ = weights.ravel(), np.float64(np.ravel(intercept)[0])
        model.n_features_in_ = weights.shape[-1]
        return model
    model = LogisticRegression()
    model.coef_, model.intercept_ = np.atleast_2d(weights), np.atleast_1d(np.asarray(intercept, dtype=np.float64))
    model.classes_ = np.arange(classes) if known is None else np.asarray(known, dtype=np.int64)
    model.n_features_in_, model.n_iter_ = weights.shape[-1], np.array([1])
    return model


def top_weights(top: Any) -> dict[str, Any]:
    """The weights of the model on top of a stack, as JSON."""
    return {"coef": np.atleast_2d(top.coef_).tolist(), "intercept": np.atleast_1d(top.intercept_).tolist()}


def shares(model: Any, members: int) -> list[float]:
    """How much each member counts; they add up to 1."""
    weights = np.abs(np.atleast_2d(model.coef_)).sum(axis=0).reshape(members, -1).sum(axis=1)
    total = float(weights.sum())
    return [float(one) / total for one in weights] if total else [1.0 / members] * members


def out_of_fold(
    top: Any, columns: Floats, y: Any, weights: Any | None, parts: Sequence[NDArray[np.int64]], classes: int,
    seed: int = 0,
) -> Floats:  # fmt: skip
    """What stacks predict for each part of the rows that learnt from the other parts alone.

    Args:
        columns: what the members predict, out of fold; ``parts`` are numbers of its rows, each row in one of them.

    Returns:
        Values ``(n_rows,)``, or probabilities ``(n_rows, n_classes)``.
    """
    found = np.zeros((len(columns), classes) if classes else len(columns))
    for part in parts:
        others = np.setdiff1d(np.arange(len(columns)), part)
        model = learnt(top, columns[others], y[others], None if weights is None else weights[others], classes, seed)
        if classes:
            found[np.ix_(part, model.classes_)] = model.predict_proba(columns[part])
        else:
            found[part] = model.predict(columns[part])
    return found


@dataclass(frozen=True, slots=True)
class Learnt:
    """A stack that was learnt: what it predicts out of fold, its model on top, and which members it is of."""

    predicted: Floats
    top: Any
    members: list[int]


def work(
    say: Callable[[Any], None], top: Any, predictions: Sequence[Floats], y: Any, weights: Any | None,
    parts: Sequence[NDArray[np.int64]], classes: int, seed: int,
) -> Learnt:  # fmt: skip
    """Judges a stack part by part, then learns it from all of them; members that hardly count are left out at the end.

    In a worker. ``predictions`` are the members' out of fold, ``(n_rows,)`` or ``(n_rows, n_classes)``.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        columns = handed_on(predictions)
        predicted = out_of_fold(top, columns, y, weights, parts, classes, seed)
        model = learnt(top, columns, y, weights, classes, seed)
        counted = [number for number, one in enumerate(shares(model, len(predictions))) if one >= LEAST_WEIGHT]
        if len(counted) < len(predictions):
            columns = handed_on([predictions[number] for number in counted])
            model = learnt(top, columns, y, weights, classes, seed)
        return Learnt(predicted, model, counted)


def stack(members: Sequence[tuple[str, Any]], top: Any, classes: Any | None) -> Any:
    """Makes the stack of members, and a model on top of them, that are fitted already.

    The same as ``StackingClassifier`` or ``StackingRegressor`` with ``cv="prefit"``, but that the model on top has
    learnt from predictions for rows that its members had not seen.

    Args:
        members: of class numbers 0 .. n - 1, or of values.
        classes: labels by class number; None is regression.
    """
    from sklearn.ensemble import StackingClassifier, StackingRegressor
    from sklearn.preprocessing import LabelEncoder
    from sklearn.utils import Bunch

    if classes is None:
        model: Any = StackingRegressor(list(members), top, cv="prefit")
    else:
        model = StackingClassifier(list(members), top, cv="prefit", stack_method="predict_proba")
        model._label_encoder = LabelEncoder().fit(classes)
        model.classes_ = model._label_encoder.classes_
    model.estimators_ = [member for _, member in members]
    model.named_estimators_ = Bunch(**dict(members))
    model.stack_method_ = ["predict" if classes is None else "predict_proba"] * len(members)
    model.final_estimator_ = top
    names = getattr(model.estimators_[0], "feature_names_in_", None)
    if names is not None:
        model.feature_names_in_ = names
    return model
