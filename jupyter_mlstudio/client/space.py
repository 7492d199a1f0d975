"""Distributions of a sweep's parameters: made by functions, read from text, or taken from Optuna's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from jupyter_mlstudio.client.values import json_param
from jupyter_mlstudio.entities import space_text, spaces
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid

Distribution = dict[str, JSON]
Real: TypeAlias = float
Whole: TypeAlias = int
"""The class below has methods of the plain names."""


class Space:
    """Distributions for a search space, e.g. ``{"lr": studio.space.float(1e-5, 0.1, log=True)}``.

    ``loguniform`` and its kind take exponents of e, as in Azure Machine Learning; ``float`` and ``int`` with ``log``
    take the bounds themselves.
    """

    def __repr__(self) -> str:
        return f"space: {', '.join(name for name in dir(self) if not name.startswith('_'))}"

    def choice(self, *values: object) -> Distribution:
        """One of several values, each equally likely; a dict is a branch with parameters of its own."""
        only = values[0] if len(values) == 1 else None
        given = only if isinstance(only, Sequence) and not isinstance(only, str) else values
        return {"type": "choice", "values": [_branch(value) for value in given]}

    def uniform(self, min_value: Real, max_value: Real) -> Distribution:
        """A number between two bounds."""
        return {"type": "uniform", "min_value": min_value, "max_value": max_value}

    def loguniform(self, min_value: Real, max_value: Real) -> Distribution:
        """A number between ``exp(min_value)`` and ``exp(max_value)`` whose logarithm is uniform."""
        return {"type": "loguniform", "min_value": min_value, "max_value": max_value}

    def quniform(self, min_value: Real, max_value: Real, q: Real) -> Distribution:
        """As ``uniform``, rounded to multiples of ``q``."""
        return {"type": "quniform", "min_value": min_value, "max_value": max_value, "q": q}

    def qloguniform(self, min_value: Real, max_value: Real, q: Real) -> Distribution:
        """As ``loguniform``, rounded to multiples of ``q``."""
        return {"type": "qloguniform", "min_value": min_value, "max_value": max_value, "q": q}

    def normal(self, mu: Real, sigma: Real) -> Distribution:
        """A number with a normal distribution."""
        return {"type": "normal", "mu": mu, "sigma": sigma}

    def lognormal(self, mu: Real, sigma: Real) -> Distribution:
        """A number whose logarithm has a normal distribution."""
        return {"type": "lognormal", "mu": mu, "sigma": sigma}

    def qnormal(self, mu: Real, sigma: Real, q: Real) -> Distribution:
        """As ``normal``, rounded to multiples of ``q``."""
        return {"type": "qnormal", "mu": mu, "sigma": sigma, "q": q}

    def qlognormal(self, mu: Real, sigma: Real, q: Real) -> Distribution:
        """As ``lognormal``, rounded to multiples of ``q``."""
        return {"type": "qlognormal", "mu": mu, "sigma": sigma, "q": q}

    def randint(self, upper: Whole) -> Distribution:
        """A whole number from 0 to ``upper - 1``."""
        return {"type": "randint", "upper": upper}

    def int(self, low: Whole, high: Whole, step: Whole = 1, *, log: bool = False) -> Distribution:
        """A whole number, both bounds included."""
        return {"type": "int", "low": low, "high": high, "step": step, "log": log}

    def float(self, low: Real, high: Real, step: Real | None = None, *, log: bool = False) -> Distribution:
        """A number, both bounds included."""
        return {"type": "float", "low": low, "high": high, "step": step, "log": log}


space = Space()


def distributions(given: Mapping[str, object] | None) -> dict[str, Distribution]:
    """Returns a search space as it is sent.

    A value is a distribution of :data:`space`, text such as ``loguniform(-6,-1)``, an Optuna distribution, or a list,
    which is a choice.

    Raises:
        Invalid: one is no distribution; the message names the parameter.
    """
    found = {str(name): distribution(str(name), value) for name, value in (given or {}).items()}
    spaces.check(found)
    return found


def distribution(name: str, value: object) -> Distribution:
    """Returns one parameter's distribution, not checked yet unless it was text."""
    if isinstance(value, str):
        try:
            return spaces.parse(value, name)
        except Invalid as error:
            told = error.message
            raise error if told.startswith(f"parameter {name!r}") else Invalid(f"{name}: {told}") from None
    if isinstance(value, Mapping):
        return dict(json_param(name, value))
    if type(value).__module__.startswith("optuna.distributions"):
        return _of_optuna(name, value)
    if isinstance(value, range) and len(value):
        return space.int(min(value), max(value), abs(value.step))
    if isinstance(value, (list, tuple)):
        return space.choice(*(json_param(name, one) for one in value))
    raise Invalid(
        f"{name!r} has {value!r:.80}, which is no distribution: write for example 'uniform(0,1)', "
        "studio.space.int(2, 12) or a list of choices, or give constants as params"
    )


def _of_optuna(name: str, value: Any) -> Distribution:
    if hasattr(value, "choices"):
        return {"type": "choice", "values": [json_param(name, one) for one in value.choices]}
    kinds = {kind.__name__ for kind in type(value).__mro__}
    kind = "int" if "IntDistribution" in kinds else "float"
    return {"type": kind, "low": value.low, "high": value.high, "step": value.step, "log": value.log}


def _branch(value: object) -> JSON:
    """A choice's value; the entries of a dict may be distributions as text or Optuna's."""
    if not isinstance(value, Mapping):
        return json_param("choice", value)
    return {str(name): _entry(str(name), one) for name, one in value.items()}


def _entry(name: str, value: object) -> JSON:
    if type(value).__module__.startswith("optuna.distributions"):
        return _of_optuna(name, value)
    if isinstance(value, str) and value.endswith(")") and value.partition("(")[0] in space_text.SHAPES:
        return spaces.parse(value, name)
    return json_param(name, value)
