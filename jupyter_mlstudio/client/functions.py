"""Makes the source of a cell out of a function: its own text, what it uses of its module, and the call."""

from __future__ import annotations

import ast
import builtins
import inspect
import textwrap
from collections.abc import Callable, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any

from jupyter_mlstudio.errors import Invalid


def source_of_call(function: Callable[..., Any], params: Mapping[str, object]) -> str:
    """Returns a cell that defines ``function`` with what it uses and calls it, its parameters taken from variables.

    Raises:
        Invalid: its source is not to be had, or it uses something that cannot be written down.
    """
    lines: dict[str, str] = {}
    plain = inspect.unwrap(function)
    _add(plain, lines, plain)
    call = ", ".join(f"{name}={name}" for name in params)
    return "\n".join([*lines.values(), f"{plain.__name__}({call})"])


def _add(thing: Any, lines: dict[str, str], top: Any) -> None:
    """Adds the source of a function or class after what it uses."""
    name = thing.__name__
    if name in lines:
        return
    lines[name] = ""
    code = _source(thing)
    for used, value in _uses(thing, top).items():
        _add_value(used, value, lines, top)
    lines[name] = lines.pop(name) + code


def _source(thing: Any) -> str:
    name = getattr(thing, "__name__", repr(thing))
    if name == "<lambda>" or not isinstance(thing, (FunctionType, type)):
        raise Invalid(f"{name} cannot be submitted: define a function with def, or give a file or the text of a cell")
    try:
        text = textwrap.dedent(inspect.getsource(thing))
        ast.parse(text)
    except (OSError, TypeError, SyntaxError):
        raise Invalid(f"the source of {name} is not to be had; put it into a .py file and submit that") from None
    return text


def _uses(thing: Any, top: Any) -> dict[str, Any]:
    functions = (
        [thing] if isinstance(thing, FunctionType) else [m for m in vars(thing).values() if isinstance(m, FunctionType)]
    )
    used: dict[str, Any] = {}
    for function in functions:
        if function.__code__.co_freevars and isinstance(thing, FunctionType):
            free = ", ".join(function.__code__.co_freevars)
            raise Invalid(f"{top.__name__} uses {free} of the function around it; pass what it needs as parameters")
        names = _names(function.__code__)
        used |= {name: function.__globals__[name] for name in names if name in function.__globals__}
    return {
        name: value
        for name, value in used.items()
        if name != thing.__name__ and value is not getattr(builtins, name, used)
    }


def _names(code: CodeType) -> set[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _names(constant)
    return names


def _add_value(name: str, value: Any, lines: dict[str, str], top: Any) -> None:
    module = getattr(value, "__module__", None)
    if isinstance(value, ModuleType):
        lines.setdefault(name, f"import {value.__name__} as {name}")
    elif isinstance(value, (FunctionType, type)) and module in ("__main__", top.__module__):
        _add(value, lines, top)
    elif module and getattr(value, "__qualname__", ".").isidentifier():
        lines.setdefault(name, f"from {module} import {value.__qualname__} as {name}")
    elif _is_literal(value):
        lines.setdefault(name, f"{name} = {value!r}")
    else:
        kind = type(value).__name__
        raise Invalid(
            f"{top.__name__} uses the variable {name} (a {kind}), which the run will not have; make it in the function"
        )


def _is_literal(value: object) -> bool:
    try:
        return bool(ast.literal_eval(repr(value)) == value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False
