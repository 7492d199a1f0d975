"""Checks and conversions of what user code hands over: names, numbers, texts, anything that becomes JSON."""

from __future__ import annotations

import json
import keyword
import math
import numbers
import re
import unicodedata
from collections.abc import Iterable, Mapping

from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid

NAME_LIMIT = 250
PARAM_LIMIT, TAG_LIMIT = 6000, 8000
INT64 = 2**63
_STRANGE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINER = "\u200d"
_CHART_NAME = re.compile(r"(?!\.)[\w.\- ]{1,120}")


def checked_name(name: object, what: str) -> str:
    """Returns ``name`` when the studio takes it as the name of a metric, parameter or tag.

    Raises:
        Invalid: it is not text, empty, longer than 250 characters, or holds control or invisible characters.
    """
    if not isinstance(name, str):
        raise Invalid(f"a {what} name is text, not {type(name).__name__} ({_short(name)})")
    if not name.strip():
        raise Invalid(f"a {what} name is empty; give it at least one visible character")
    if len(unicodedata.normalize("NFC", name)) > NAME_LIMIT:
        raise Invalid(f"the {what} name {name[:40]!r}... has {len(name)} characters; at most {NAME_LIMIT} are kept")
    if not name.isascii() or not name.isprintable():
        strange = next((char for char in name if unicodedata.category(char) in _STRANGE and char != _JOINER), None)
        if strange is not None:
            raise Invalid(f"the {what} name {name!r} holds the invisible character U+{ord(strange):04X}; remove it")
    return str(name)


def chart_name(name: object) -> str:
    """Returns ``name`` when the studio takes it as the name of a chart.

    Raises:
        Invalid: it is longer than 120 characters, or holds others than letters, digits, spaces, dots and dashes.
    """
    if not isinstance(name, str) or not _CHART_NAME.fullmatch(name):
        raise Invalid(f"{_short(name)} cannot name a chart: use 1 to 120 letters, digits, spaces, dots and dashes")
    return name


def chart_name_of(file: str) -> str:
    """Makes a chart's name of a file's."""
    return re.sub(r"[^\w.\- ]", "_", file).lstrip(".")[:120] or "chart"


def real_number(value: object, name: str) -> float:
    """Returns a metric's value as a float: a Python or NumPy number, a 0-d array or tensor; NaN is kept.

    Raises:
        Invalid: it is a bool, text, complex, or holds more than one number.
    """
    if isinstance(value, float):
        return float(value)
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
        raise Invalid(f"metric {name!r} is {value}: a truth value is not a number; log int(value) to count it")
    if isinstance(value, numbers.Real):
        return _as_float(value, name)
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        return real_number(value.item(), name)
    raise Invalid(f"metric {name!r} is a {type(value).__name__} ({_short(value)}); give one real number")


def _as_float(value: numbers.Real, name: str) -> float:
    try:
        return float(value)
    except OverflowError:
        raise Invalid(f"metric {name!r} is an integer that no 64-bit float can hold") from None


def int64(step: object, name: str) -> int | None:
    """Returns a step as an int, None for "the next one".

    Raises:
        Invalid: it is not an integer of 64 bits.
    """
    if step is None:
        return None
    if isinstance(step, bool) or not isinstance(step, numbers.Integral):
        raise Invalid(f"the step of metric {name!r} is {_short(step)} ({type(step).__name__}); give an integer")
    if not -INT64 <= int(step) < INT64:
        raise Invalid(f"the step of metric {name!r} is {_short(step)}; it does not fit into 64 bits")
    return int(step)


def as_text(value: object, what: str, limit: int = TAG_LIMIT) -> str:
    """Returns how a parameter or tag is kept: text as it is, True as ``true``, everything else as its ``str``.

    Raises:
        Invalid: it is longer than ``limit`` characters or not valid Unicode.
    """
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if len(text) > limit:
        raise Invalid(f"{what} has {len(text)} characters; at most {limit} are kept: log it with log_text")
    if "\x00" in text or any(0xD800 <= ord(char) < 0xE000 for char in text):
        raise Invalid(f"{what} holds a NUL character or half a surrogate pair; remove it")
    return text


def identifier(name: str, what: str = "parameter") -> str:
    """Returns ``name`` when it can be a variable of a cell or notebook.

    Raises:
        Invalid: it is not an identifier, is a keyword, or has two leading underscores.
    """
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name) or name.startswith("__"):
        raise Invalid(f"{name!r} cannot be a {what}: it must be a plain variable name such as learning_rate")
    return name


def json_param(name: str, value: object) -> JSON:
    """Returns a parameter of a run as a JSON value, NumPy scalars and arrays included.

    Raises:
        Invalid: it has no JSON form; NaN and infinities have none either.
    """
    converted = plain(value, non_finite=False)
    try:
        json.dumps(converted, allow_nan=False)
    except (TypeError, ValueError):
        raise Invalid(
            f"parameter {name!r} is {_short(value)}, which JSON cannot hold; "
            "give text, a finite number, true, false, None, or lists and dicts of those"
        ) from None
    return converted


def plain(value: object, *, non_finite: bool = True) -> JSON:
    """Converts to JSON values: NumPy arrays and scalars, pandas values, tuples, sets, dates, nested as they are.

    With ``non_finite`` NaN and infinities become ``"NaN"``, ``"Infinity"``, ``"-Infinity"``, as on the wire.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, float):
        return wire_float(value) if non_finite else float(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item, non_finite=non_finite) for key, item in value.items()}
    if hasattr(value, "tolist") and callable(value.tolist):
        return plain(value.tolist(), non_finite=non_finite)
    if isinstance(value, Iterable) and not isinstance(value, (bytes, bytearray)):
        return [plain(item, non_finite=non_finite) for item in value]
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return value if not non_finite else str(value)


def wire_float(value: float) -> float | str:
    """Returns a float as JSON can carry it: non-finite ones as text."""
    if math.isfinite(value):
        return float(value)
    return "NaN" if value != value else ("Infinity" if value > 0 else "-Infinity")


def _short(value: object) -> str:
    try:
        text = repr(value)
    except Exception:
        return f"<{type(value).__name__}>"
    return text if len(text) <= 80 else text[:77] + "..."
