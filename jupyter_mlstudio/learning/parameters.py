"""Parameters of estimators: which differ from their defaults, and whether two estimators have the same ones."""

from __future__ import annotations

import dataclasses
import inspect
import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def same_parameters(one: Any, other: Any) -> bool:
    """Tells whether two estimators are of one class with the same parameters, all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same_parameters, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same_parameters(one[key], other[key]) for key in one)
    if has_parameters(one):
        return same_parameters(parameters(one), parameters(other))
    if type(one).__module__.split(".")[0] not in ("builtins", "numpy") and not callable(one):
        return bool(one == other) or vars(one) == vars(other)
    return same(one, other)


def parameters(estimator: Any) -> dict[str, Any]:
    """The parameters of an estimator that are not at their defaults; steps and members are among them."""
    given = estimator.get_params(deep=False)
    known = defaults(type(estimator))
    return {
        name: value
        for name, value in given.items()
        if not (same(value, known[name]) if name in known else value is None)
    }


def has_parameters(value: Any) -> bool:
    """Whether it is an estimator, or another object with parameters in scikit-learn's manner."""
    return hasattr(value, "get_params") and not isinstance(value, type)


def defaults(kind: type) -> dict[str, Any]:
    """Defaults of a constructor; where it passes the rest on (``**kwargs``), also those of the classes below."""
    found: dict[str, Any] = {}
    for one in dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ():
        if one.default_factory is not dataclasses.MISSING:
            found[one.name] = one.default_factory()
    for base in kind.__mro__:
        if "__init__" not in vars(base):
            continue
        takes = inspect.signature(vars(base)["__init__"]).parameters.values()
        for taken in list(takes)[1:]:
            if taken.kind in (taken.POSITIONAL_OR_KEYWORD, taken.KEYWORD_ONLY) and taken.default is not taken.empty:
                found.setdefault(taken.name, taken.default)
        if not any(taken.kind is taken.VAR_KEYWORD for taken in takes):
            break
    return found


def same(one: Any, other: Any) -> bool:
    """Equal and of the same type; NaN is itself."""
    if one is other:
        return True
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.dtype == other.dtype and bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other):
        return True
    if type(one) is not type(other) or isinstance(one, np.ndarray):
        return False
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)
