"""Search spaces: which values each parameter of a sweep may have, as JSON in Azure's form and as text.

A space is ``{parameter: distribution}``. With U a uniform and N a normal random number, and Azure's names (reference of
the sweep job's YAML, "Parameter expressions"), a distribution is one of

- ``choice`` {values}: each value is equally likely;
- ``uniform``, ``loguniform`` {min_value, max_value}: U(min, max), exp(U(min, max));
- ``quniform``, ``qloguniform`` {min_value, max_value, q}: round(U(min, max) / q) * q, round(exp(U(min, max)) / q) * q;
- ``normal``, ``lognormal`` {mu, sigma}, ``qnormal``, ``qlognormal`` {mu, sigma, q}: the same with N(mu, sigma);
- ``randint`` {upper}: 0, 1, ... upper - 1;
- ``int``, ``float`` {low, high, step, log}: ours, the bounds as they are, also for a logarithmic scale.

A value of a choice may be a *branch*, an object of constants and further distributions: when it is chosen, its
entries are parameters too, and the parameter itself is the branch's label: its ``name`` or ``type``, else ``option 1``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator

from jupyter_mlstudio.entities import space_text
from jupyter_mlstudio.entities.space_text import SHAPES
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid

MAX_PARAMETERS = 500
MAX_CHOICES = 1_000
MAX_NAME = 250
MAX_DEPTH = 10
EXACT = 2**53
"""Whole numbers beyond this are not exact as float64, which samplers calculate with."""

LARGEST_EXPONENT = math.log(1.7976931348623157e308)
SMALLEST_EXPONENT = math.log(2.2250738585072014e-308)
LABELS = ("name", "type")
Reader = Callable[[str, str, JSON], float]


def parse(text: str, name: str = "value") -> dict[str, JSON]:
    """Returns the distribution that a text like ``loguniform(-6,-1)`` says, checked; JSON is read too.

    Args:
        name: of the parameter, for messages.

    Raises:
        Invalid: it is not a distribution.
    """
    stripped = text.strip()
    try:
        found = json.loads(stripped) if stripped.startswith("{") else space_text.read(stripped)
    except ValueError as error:
        raise Invalid(f"{text!r} is not JSON: {error}") from error
    if not isinstance(found, dict) or "type" not in found:
        raise Invalid(f"{text!r} is no distribution: write for example uniform(0,1), int(2,12) or choice(relu,tanh)")
    check({name: found})
    return found


def describe(distribution: dict[str, JSON]) -> str:
    """Returns the text of a distribution; :func:`parse` reads it back."""
    return space_text.write(distribution)


def is_distribution(value: JSON) -> bool:
    """Tells whether an entry of a space is a distribution, rather than a constant."""
    return isinstance(value, dict) and value.get("type") in SHAPES


def is_finite(distribution: dict[str, JSON]) -> bool:
    """Tells whether a distribution has finitely many values, so that a grid can try all; not those in branches."""
    kind = distribution["type"]
    if kind in ("choice", "int", "randint") or ("uniform" in kind and "q" in distribution):
        return True
    return distribution.get("step") is not None or (
        "low" in distribution and distribution["low"] == distribution["high"]
    )


def label(branch: dict[str, JSON], number: int) -> str:
    """Returns what a branch of a choice is called, ``number`` being its place from 0."""
    found = next((branch[name] for name in LABELS if isinstance(branch.get(name), str)), "")
    return str(found) if found else f"option {number + 1}"


def entries(branch: dict[str, JSON]) -> dict[str, JSON]:
    """Returns a branch's own parameters: all but what gives it its label."""
    own = next((name for name in LABELS if isinstance(branch.get(name), str) and branch[name]), None)
    return {name: value for name, value in branch.items() if name != own}


def every(space: dict[str, JSON]) -> Iterator[tuple[str, dict[str, JSON]]]:
    """Yields each parameter that has a distribution, those in branches too; a name may come more than once."""
    for name, value in space.items():
        if not is_distribution(value):
            continue
        yield name, value
        for option in value["values"] if value["type"] == "choice" else ():
            if isinstance(option, dict):
                yield from every(entries(option))


def replace(space: dict[str, dict[str, JSON]], changes: dict[str, dict[str, JSON]]) -> dict[str, dict[str, JSON]]:
    """Returns a space with other bounds for some parameters, which a sweep that runs may take over.

    Raises:
        Invalid: a parameter is not there, a distribution is wrong, or it has another type, other choices or another
            scale, so that the trials that were done would mean something else.
    """
    known = dict(every(space))
    for name, new in changes.items():
        if name not in known:
            raise Invalid(f"the sweep has no parameter {name!r}: it has {', '.join(sorted(known)) or 'none'}")
        check({name: new})
        _check_change(name, known[name], new)
    replaced = {name: _replaced(name, value, changes) for name, value in space.items()}
    check(replaced)
    return replaced


def _check_change(name: str, old: dict[str, JSON], new: dict[str, JSON]) -> None:
    if old["type"] != new["type"]:
        raise _wrong(name, f"is of type {old['type']}, not {new['type']}", "start another sweep to change the type")
    kept = ("values", "mu", "sigma", "log")
    for field in kept:
        if (old.get(field) or False) != (new.get(field) or False):
            raise _wrong(name, f"has {field} {old.get(field)!r}", "start another sweep to change it; bounds may change")


def _replaced(name: str, value: JSON, changes: dict[str, dict[str, JSON]]) -> JSON:
    if not is_distribution(value):
        return value
    if name in changes:
        return changes[name]
    if value["type"] != "choice":
        return value
    options = [
        {inner: _replaced(inner, entry, changes) for inner, entry in option.items()}
        if isinstance(option, dict)
        else option
        for option in value["values"]
    ]
    return {**value, "values": options}


def check(space: JSON) -> None:
    """Refuses a space that no sampler could draw from, before any trial.

    Raises:
        Invalid: it says which parameter, which value, and what to write instead.
    """
    if not isinstance(space, dict):
        raise Invalid(f"a search space is {_told(space)}: write an object of parameters and their distributions")
    for name, value in space.items():
        if not isinstance(value, dict):
            remedy = "write a distribution such as uniform(0,1), or put constants into the fixed parameters"
            raise _wrong(name, f"is {_told(value)}", remedy)
    names = _check_entries(space, 0)
    if len(names) > MAX_PARAMETERS:
        raise Invalid(f"the search space has {len(names)} parameters: at most {MAX_PARAMETERS} are allowed")


def _check_entries(parameters: dict[str, JSON], depth: int) -> dict[str, JSON]:
    """Checks one level; answers all names below it with their distribution, or None for a constant."""
    found: dict[str, JSON] = {}
    for name, value in parameters.items():
        _check_name(name)
        below = _check_one(name, value, depth) if isinstance(value, dict) else {}
        if not isinstance(value, dict):
            _check_constant(name, value)
        for other, distribution in {name: value if isinstance(value, dict) else None, **below}.items():
            if other in found or (other == name and name in below):
                raise _wrong(other, "is there twice for the same trial", "give one of them another name")
            found[other] = distribution
    return found


def _check_name(name: JSON) -> None:
    if not isinstance(name, str) or not name.strip() or name != name.strip() or not name.isprintable():
        raise Invalid(f"{name!r} is no name of a parameter: write text without spaces around it")
    if len(name) > MAX_NAME:
        raise Invalid(f"the name {name[:40]!r}... has {len(name)} characters: at most {MAX_NAME} are allowed")


def _check_one(name: str, distribution: dict[str, JSON], depth: int) -> dict[str, JSON]:
    kind = distribution.get("type")
    if not isinstance(kind, str) or kind not in SHAPES:
        said = f"has the type {kind!r}" if "type" in distribution else "has no type"
        raise _wrong(name, said, f"choose from {', '.join(SHAPES)}")
    shape = SHAPES[kind]
    for field in distribution:
        if field != "type" and field not in shape.fields:
            raise _wrong(name, f"has a field {field!r}", f"{kind} has {', '.join(shape.fields)}")
    for field in shape.fields[: shape.required]:
        if field not in distribution:
            raise _wrong(name, f"has no {field}", f"{kind} needs {', '.join(shape.fields[: shape.required])}")
    if kind == "choice":
        return _check_choice(name, distribution["values"], depth)
    if kind == "randint":
        if _whole(name, "upper", distribution["upper"]) < 1:
            raise _wrong(name, f"has upper {distribution['upper']!r}", "at least 1 is needed: it draws 0 to upper - 1")
    elif kind in ("int", "float"):
        _check_range(name, distribution)
    else:
        _check_azure(name, distribution)
    return {}


def _check_choice(name: str, values: JSON, depth: int) -> dict[str, JSON]:
    if not isinstance(values, list) or not values:
        raise _wrong(name, f"has no choices ({_told(values)})", "give at least one value in a list")
    if len(values) > MAX_CHOICES:
        raise _wrong(
            name, f"has {len(values)} choices", f"at most {MAX_CHOICES} are allowed; int and float need no list"
        )
    if depth > MAX_DEPTH:
        raise _wrong(name, f"lies {depth} choices deep", f"at most {MAX_DEPTH} are allowed")
    seen: dict[JSON, JSON] = {}
    below: dict[str, JSON] = {}
    for number, value in enumerate(values):
        key = choice_key(value, number)
        if key in seen:
            remedy = 'give each branch a "name" of its own' if isinstance(value, dict) else "leave one out"
            raise _wrong(name, f"has the choices {_told(seen[key])} and {_told(value)}, which are equal", remedy)
        if is_distribution(value):
            remedy = f'put it into a branch: {{"name": "a", {name!r}: ...}}, or choose between constants'
            raise _wrong(name, f"has the distribution {describe(value)} as a choice", remedy)
        seen[key] = value
        if not isinstance(value, dict):
            _check_constant(name, value)
            continue
        for inner, distribution in _check_entries(entries(value), depth + 1).items():
            _check_same(inner, below.get(inner), distribution)
            below[inner] = distribution if distribution is not None else below.get(inner)
    return below


def choice_key(value: JSON, number: int) -> JSON:
    """Returns what stands for a choice in a study: a scalar itself, a branch's label, a list's JSON."""
    if isinstance(value, dict):
        return label(value, number)
    return json.dumps(value) if isinstance(value, list) else value


def _check_same(name: str, one: JSON, other: JSON) -> None:
    if one is not None and other is not None and one != other:
        said = f"is {describe(one)} in one branch and {describe(other)} in another"
        raise _wrong(name, said, "give them different names")


def _check_constant(name: str, value: JSON) -> None:
    if isinstance(value, list):
        for item in value:
            _check_constant(name, item)
    elif isinstance(value, float) and not math.isfinite(value):
        raise _wrong(name, f"has the value {value!r}", "write a finite number, or the text in quotes")
    elif not (value is None or isinstance(value, bool | int | float | str)):
        raise _wrong(
            name, f"has the value {_told(value)}", "write a number, a text, true, false, none or a list of them"
        )


def _check_range(name: str, distribution: dict[str, JSON]) -> None:
    """Checks ``int`` and ``float``."""
    read = _whole if distribution["type"] == "int" else _number
    low, high = _ordered(name, distribution, "low", "high", read)
    log = distribution.get("log", False)
    if not isinstance(log, bool):
        raise _wrong(name, f"has log {log!r}", "write true or false")
    if log and low <= 0:
        raise _wrong(name, f"is logarithmic and has low {low!r}", "a logarithmic scale begins above 0")
    step = distribution.get("step")
    if step is None:
        return
    if read(name, "step", step) <= 0:
        raise _wrong(name, f"has step {step!r}", "a step is above 0")
    if log and not (distribution["type"] == "int" and step == 1):
        raise _wrong(name, f"is logarithmic and has step {step!r}", "leave out one of the two")
    if (high - low) / step > EXACT:
        raise _wrong(name, f"has more than 2^53 steps of {step!r}", "make the step larger")


def _check_azure(name: str, distribution: dict[str, JSON]) -> None:
    """Checks the families of ``uniform`` and ``normal``."""
    kind = distribution["type"]
    if "uniform" in kind:
        low, high = _ordered(name, distribution, "min_value", "max_value", _number)
        if "log" in kind:
            for field, exponent in (("min_value", low), ("max_value", high)):
                _check_exponent(name, kind, field, exponent)
    else:
        mu, sigma = (_number(name, field, distribution[field]) for field in ("mu", "sigma"))
        if sigma <= 0:
            raise _wrong(name, f"has sigma {sigma!r}", "a standard deviation is above 0")
        if "log" in kind:
            for exponent in (mu - 40 * sigma, mu + 40 * sigma):
                _check_exponent(name, kind, "mu and sigma that reach", exponent)
    if "q" in distribution and _number(name, "q", distribution["q"]) <= 0:
        raise _wrong(name, f"has q {distribution['q']!r}", "q is the distance of two values, above 0")


def _check_exponent(name: str, kind: str, field: str, exponent: float) -> None:
    if not SMALLEST_EXPONENT < exponent < LARGEST_EXPONENT:
        remedy = f"{kind} takes exponents of e, for 1e-6 to 0.1 write {kind}(-13.8,-2.3); or write float(1e-6,0.1,log)"
        raise _wrong(name, f"has {field} {exponent!r}, and exp of it is not a number", remedy)


def _ordered(name: str, distribution: dict[str, JSON], low: str, high: str, read: Reader) -> tuple[float, float]:
    first, last = read(name, low, distribution[low]), read(name, high, distribution[high])
    if first > last:
        raise _wrong(name, f"has {low} {first!r} above {high} {last!r}", "swap them")
    if not math.isfinite(last - first):
        raise _wrong(name, f"reaches from {first!r} to {last!r}", "choose bounds that are closer to each other")
    return first, last


def _number(name: str, field: str, value: JSON) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(name, f"has {field} {_told(value)}", "write a number")
    if isinstance(value, int) and abs(value) > 10**300:
        raise _wrong(name, f"has a {field} of {len(str(abs(value)))} digits", "write a number that float64 can hold")
    if not math.isfinite(value):
        raise _wrong(name, f"has {field} {value!r}", "write a finite number")
    return value


def _whole(name: str, field: str, value: JSON) -> float:
    number = _number(name, field, value)
    if number != int(number):
        raise _wrong(name, f"has {field} {number!r}", "write a whole number, or use float")
    if abs(number) > EXACT:
        raise _wrong(name, f"has {field} {number!r}", "whole numbers up to 2^53 are exact; use float")
    return number


def _told(value: JSON) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _wrong(name: str, what: str, remedy: str) -> Invalid:
    return Invalid(f"parameter {name!r} {what}: {remedy}")
