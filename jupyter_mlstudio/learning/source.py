"""Writes an estimator as the Python source that makes it, with the parameters that differ from their defaults.

Source is made of constructor calls alone: no pickle, no state of a fit. What has no such form (a lambda, a random
generator that was used) is refused by name.
"""

from __future__ import annotations

import datetime
import enum
import functools
import importlib
import inspect
import keyword
import math
import types
from collections.abc import Iterable
from typing import Any

import numpy as np

from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning.parameters import defaults, has_parameters, parameters, same

WIDTH = 100
"""Columns of a line; a call that needs more has a line for each argument."""

_SHORT = {"numpy": "np", "pandas": "pd"}
_LITERALS = (bool, int, bytes, complex, types.NoneType, types.EllipsisType)


class Source:
    """Expressions for values, and the imports that they need.

    One writer is used for all cells of a notebook, so that its imports can stand at the top.
    """

    def __init__(self) -> None:
        self._modules: set[str] = set()
        self._names: dict[str, str] = {}
        self._known: list[tuple[Any, str]] = []

    def imports(self) -> str:
        """The import statements for everything written so far, sorted."""
        lines = sorted(f"import {module}{_alias(module)}" for module in self._modules)
        homes: dict[str, list[str]] = {}
        for name, home in self._names.items():
            homes.setdefault(home, []).append(name)
        for home in sorted(homes):
            line = f"from {home} import {', '.join(sorted(homes[home]))}"
            if len(line) > WIDTH:
                line = f"from {home} import (\n" + "".join(f"    {name},\n" for name in sorted(homes[home])) + ")"
            lines.append(line)
        return "\n".join(lines)

    def use(self, home: str, *names: str) -> None:
        """Imports names that the caller's own code uses; without names, the module."""
        for name in names:
            self._named(home, name)
        if not names:
            self._modules.add(home)

    def call(self, variable: str, value: Any) -> None:
        """From now on this very object is written as a variable."""
        self._known.append((value, variable))

    def write(self, value: Any, before: int = 0) -> str:
        """Returns an expression that makes the value again.

        Args:
            value: an unfitted or fitted estimator (its fit is not written), or anything that parameters hold.
            before: characters that stand before it on its line.

        Raises:
            Invalid: it holds something that has no source; the message names it.
        """
        return self._written(value, 0, before)

    def _written(self, value: Any, depth: int, used: int) -> str:
        for known, variable in self._known:
            if known is value:
                return variable
        if isinstance(value, (list, tuple, dict, set, frozenset)):
            return self._collection(value, depth, used)
        if has_parameters(value):
            arguments = [(name, one) for name, one in parameters(value).items()]
            return self._call(self._class(type(value)), [], arguments, depth, used)
        return self._plain(value, depth, used)

    def _plain(self, value: Any, depth: int, used: int) -> str:
        if isinstance(value, enum.Enum):
            return f"{self._class(type(value))}.{value.name}"
        if isinstance(value, np.generic):
            return self._scalar(value)
        if isinstance(value, float):
            return repr(value) if math.isfinite(value) else f'float("{value!r}")'
        if isinstance(value, str):
            return quoted(value)
        if isinstance(value, _LITERALS):
            return repr(value)
        if isinstance(value, np.ndarray):
            return self._array(value, depth, used)
        if isinstance(value, np.dtype):
            self._modules.add("numpy")
            return f"np.dtype({quoted(str(value))})"
        if isinstance(value, (slice, range)):
            kind = type(value).__name__
            return self._call(kind, [value.start, value.stop, value.step], [], depth, used)
        if isinstance(value, functools.partial):
            named = list(value.keywords.items())
            return self._call(self._named("functools", "partial"), [value.func, *value.args], named, depth, used)
        if isinstance(value, (datetime.date, datetime.timedelta)):
            self._modules.add("datetime")
            return repr(value)
        if isinstance(value, (type, np.ufunc)) or hasattr(value, "__qualname__"):
            return self._class(value)
        return self._object(value, depth, used)

    def _scalar(self, value: np.generic) -> str:
        """A number of numpy; those that Python has too are Python's."""
        if isinstance(value, (np.float64, np.int64, np.bool_, np.str_)):
            return self._plain(value.item(), 0, 0)
        self._modules.add("numpy")
        if isinstance(value, (np.datetime64, np.timedelta64)):
            unit = np.datetime_data(value.dtype)[0]
            return f"np.{type(value).__name__}({int(value.astype(np.int64))}, {quoted(unit)})"
        return f"np.{type(value).__name__}({value.item()!r})"

    def _array(self, value: Any, depth: int, used: int) -> str:
        self._modules.add("numpy")
        kind = "object" if value.dtype == object else quoted(str(value.dtype))
        head = f"np.array({self._written(value.tolist(), depth, used + 9)}, dtype={kind})"
        return head if value.size else f"np.empty({value.shape!r}, dtype={kind})"

    def _collection(self, value: Any, depth: int, used: int) -> str:
        kind = type(value)
        if kind not in (list, tuple, dict, set, frozenset):
            raise Invalid(f"a {kind.__name__} has no source")
        if isinstance(value, dict):
            return self._wrapped("{", "}", [(f"{self._written(k, 0, 0)}: ", v) for k, v in value.items()], depth, used)
        items = sorted(value, key=repr) if isinstance(value, (set, frozenset)) else list(value)
        if kind in (set, frozenset):
            inner = self._wrapped("{", "}", [("", one) for one in items], depth, used) if items else "set()"
            return inner if kind is set else f"frozenset({inner if items else ''})"
        opening, closing = ("[", "]") if kind is list else ("(", ",)" if len(items) == 1 else ")")
        return self._wrapped(opening, closing, [("", one) for one in items], depth, used)

    def _call(self, name: str, plain: Iterable[Any], named: Iterable[tuple[str, Any]], depth: int, used: int) -> str:
        arguments, extra = [("", one) for one in plain], {}
        for word, value in named:
            if word.isidentifier() and not keyword.iskeyword(word):
                arguments.append((f"{word}=", value))
            else:
                extra[word] = value
        if extra:
            arguments.append(("**", extra))
        return self._wrapped(f"{name}(", ")", arguments, depth, used)

    def _wrapped(self, opening: str, closing: str, parts: list[tuple[str, Any]], depth: int, used: int) -> str:
        """Parts on one line where they fit, else one on each line, or short ones filled up."""
        flat = [f"{head}{self._written(value, depth, 0)}" for head, value in parts]
        line = f"{opening}{', '.join(flat)}{closing}"
        if used + len(line) <= WIDTH and "\n" not in line:
            return line
        indent = "    " * (depth + 1)
        deep = [f"{head}{self._written(value, depth + 1, len(indent) + len(head) + 1)}" for head, value in parts]
        if len(deep) > 8 and all(len(one) < 40 and "\n" not in one for one in deep):
            rows = _filled(deep, WIDTH - len(indent))
        else:
            rows = deep
        end = closing if closing != ",)" else ")"
        return opening + "\n" + "".join(f"{indent}{row},\n" for row in rows) + "    " * depth + end

    def _class(self, value: Any) -> str:
        """A class or function by its public name."""
        name, home = str(getattr(value, "__qualname__", getattr(value, "__name__", ""))), _module(value)
        if home == "builtins":
            return name
        if home.split(".")[0] == "numpy" and getattr(np, name, None) is value:
            self._modules.add("numpy")
            return f"np.{name}"
        if not home or home == "__main__" or not name.replace("_", "a").isalnum():
            raise Invalid(f"{name!r} has no source: it cannot be imported")
        return self._named(_public(home, name, value), name)

    def _named(self, home: str, name: str) -> str:
        if self._names.setdefault(name, home) == home:
            return name
        self._modules.add(home)
        return f"{home}.{name}"

    def _object(self, value: Any, depth: int, used: int) -> str:
        """An object whose constructor's arguments are its attributes, e.g. a splitter of scikit-learn's."""
        if isinstance(value, (np.random.RandomState, np.random.Generator)):
            raise Invalid("a random generator has no source: give a number as random_state")
        try:
            names = [name for name in inspect.signature(type(value)).parameters if hasattr(value, name)]
            whole = len(names) == len(inspect.signature(type(value)).parameters)
        except (TypeError, ValueError):
            whole = False
        if not whole or not names:
            raise Invalid(f"a {type(value).__module__}.{type(value).__qualname__} has no source")
        known = defaults(type(value))
        given = [(name, getattr(value, name)) for name in names if not same(getattr(value, name), known.get(name))]
        return self._call(self._class(type(value)), [], given, depth, used)


def quoted(text: str) -> str:
    """A text as a literal, in double quotes where that needs no escape."""
    written = repr(text)
    return f'"{written[1:-1]}"' if written.startswith("'") and '"' not in text else written


def _module(value: Any) -> str:
    return "numpy" if isinstance(value, np.ufunc) else str(getattr(value, "__module__", None) or "")


def _public(home: str, name: str, value: Any) -> str:
    """The shortest module without an underscore that has it; its own when there is none."""
    parts = home.split(".")
    for end in range(1, len(parts) + 1):
        module = ".".join(parts[:end])
        if any(part.startswith("_") for part in parts[:end]):
            break
        try:
            if getattr(importlib.import_module(module), name, None) is value:
                return module
        except ImportError:
            continue
    try:
        if getattr(importlib.import_module(home), name, None) is value:
            return home
    except ImportError:
        pass
    raise Invalid(f"{home}.{name} has no source: it cannot be imported")


def _alias(module: str) -> str:
    return f" as {_SHORT[module]}" if module in _SHORT else ""


def _filled(parts: list[str], width: int) -> list[str]:
    rows = [parts[0]]
    for part in parts[1:]:
        if len(rows[-1]) + len(part) + 3 > width:
            rows.append(part)
        else:
            rows[-1] += f", {part}"
    return rows
