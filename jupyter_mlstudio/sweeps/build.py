"""Optuna's classes, made with the arguments that a sweep gives them."""

from __future__ import annotations

import inspect
import warnings
from typing import Any, TypeVar

from jupyter_mlstudio.errors import Invalid

T = TypeVar("T")


def build(kind: type[T], told: str, arguments: dict[str, Any]) -> T:
    """Returns an object of a class of Optuna's.

    Args:
        kind: the class.
        told: what it is called in messages, e.g. ``the sampler tpe``.
        arguments: for it, by name.

    Raises:
        Invalid: the class has no such argument, lacks one, or refuses a value.
    """
    from optuna.exceptions import ExperimentalWarning

    parameters = inspect.signature(kind).parameters
    for name in arguments:
        if name not in parameters:
            raise Invalid(f"{told} has no option {name!r}: it has {', '.join(parameters) or 'none'}")
    for name, parameter in parameters.items():
        if parameter.default is parameter.empty and name not in arguments:
            raise Invalid(f"{told} needs the option {name!r}: add it to the options")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        try:
            return kind(**arguments)
        except (TypeError, ValueError) as error:
            raise Invalid(f"{told}: {error}") from error
