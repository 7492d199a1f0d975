"""Points of a search space: parameters that somebody chose by hand, checked before a sweep tries them."""

from __future__ import annotations

import math

from jupyter_mlstudio.entities import spaces
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid

NEAR = 1e-9
"""How far beyond a bound a number may lie, in parts of it: bounds like exp(-6) are seldom written to the last digit."""


def check_point(space: dict[str, dict[str, JSON]], params: JSON, base: float = math.e) -> None:
    """Refuses a point that no trial of a sweep could have. Parameters that are left out are drawn later.

    Args:
        space: of the sweep, checked.
        params: the point.
        base: of the logarithms of Azure's distributions.

    Raises:
        Invalid: it says which parameter, which value, and what the space allows.
    """
    if not isinstance(params, dict):
        raise Invalid(f"a point is {params!r}: write an object of parameters and their values")
    for name, value in params.items():
        here = _meanings(space, name, params)
        if not here:
            known = sorted({known for known, _ in spaces.every(space)})
            raise Invalid(f"parameter {name!r} is not one of this trial: there are {', '.join(known) or 'none'}")
        if not any(_allows(meaning, value, base) for meaning in here):
            allowed = " or ".join(
                spaces.describe(one) if spaces.is_distribution(one) else f"the constant {one!r}" for one in here
            )
            raise Invalid(f"parameter {name!r} is {value!r}, outside {allowed}: change the value, or the bounds first")


def log_base(options: dict[str, JSON]) -> float:
    """Returns the base of the logarithms of Azure's distributions: ``logbase`` of its random sampling, or e.

    Raises:
        Invalid: it is not a number above 1, or ``e``.
    """
    found = options.get("logbase", math.e)
    if found == "e":
        return math.e
    if isinstance(found, bool) or not isinstance(found, int | float) or not 1 < found < math.inf:
        raise Invalid(f"logbase is {found!r}: write a number above 1, or e")
    return float(found)


def lies_in(distribution: dict[str, JSON], value: JSON, base: float = math.e) -> bool:
    """Tells whether a distribution can have a value."""
    if distribution["type"] == "choice":
        return chosen_key(distribution, value) is not None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return False
    low, high = bounds(distribution, base)
    if not low - NEAR * abs(low) <= value <= high + NEAR * abs(high):
        return False
    step = distribution.get("step") or (1 if distribution["type"] in ("int", "randint") else None)
    return step is None or abs((value - low) / step - round((value - low) / step)) < 1e-6


def bounds(distribution: dict[str, JSON], base: float = math.e) -> tuple[float, float]:
    """Returns the lowest and the highest value that a distribution of numbers can have."""
    kind = distribution["type"]
    if kind == "randint":
        return 0, distribution["upper"] - 1
    if kind in ("int", "float"):
        return distribution["low"], distribution["high"]
    if "normal" in kind:
        return (0.0 if "log" in kind else -math.inf), math.inf
    low, high = distribution["min_value"], distribution["max_value"]
    if "log" in kind:
        low, high = base**low, base**high
    half = distribution.get("q", 0) / 2
    return low - half, high + half


def chosen_key(distribution: dict[str, JSON], value: JSON) -> tuple[JSON] | None:
    """Returns what stands for a value of a choice in a study, in a tuple since it may be None; None: it is no choice.

    A branch may be given by its label or as it is written in the space.
    """
    for place, option in enumerate(distribution["values"]):
        key = spaces.choice_key(option, place)
        if _same(option, value) or (isinstance(option, dict) and _same(key, value)):
            return (key,)
    return None


def _same(one: JSON, other: JSON) -> bool:
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _allows(meaning: JSON, value: JSON, base: float) -> bool:
    return lies_in(meaning, value, base) if spaces.is_distribution(meaning) else _same(meaning, value)


def _meanings(entries: dict[str, JSON], wanted: str, params: dict[str, JSON]) -> list[JSON]:
    """Returns what a name can be in trials with the choices of a point: distributions and constants."""
    found: list[JSON] = []
    for name, entry in entries.items():
        if name == wanted:
            found.append(entry)
        if not spaces.is_distribution(entry) or entry["type"] != "choice":
            continue
        key = chosen_key(entry, params[name]) if name in params else None
        for place, option in enumerate(entry["values"]):
            if isinstance(option, dict) and (key is None or key == (spaces.choice_key(option, place),)):
                found += _meanings(spaces.entries(option), wanted, params)
    return found
