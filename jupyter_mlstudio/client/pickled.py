"""A function as bytes that another process of the same Python makes the function of again."""

from __future__ import annotations

import inspect
import site
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from jupyter_mlstudio.errors import Invalid

LIMIT_BYTES = 64 * 1024 * 1024


def pickled(function: Callable[..., Any]) -> bytes:
    """Returns a function with everything of the notebook and of the user's own modules that it uses.

    Raises:
        Invalid: it holds something that cannot be written down, such as an open file or a lock, or too much data.
    """
    try:
        import cloudpickle
    except ImportError:
        raise Invalid(
            f"cloudpickle is not installed in {sys.executable}, so no function can be sent: "
            "%pip install cloudpickle, or sweep a script, a notebook or a cell"
        ) from None
    name = getattr(function, "__qualname__", repr(function))
    try:
        with _own_modules_by_value(cloudpickle, function):
            content = bytes(cloudpickle.dumps(function))
    except Exception as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Invalid(
            f"{name} cannot be sent to other processes: {said}. It uses{_culprits(cloudpickle, function)} "
            "something that cannot be pickled; make or open that inside the function"
        ) from error
    if len(content) > LIMIT_BYTES:
        raise Invalid(
            f"{name} has {len(content) / 1024**2:,.0f} MB with all that it uses, and {LIMIT_BYTES // 1024**2} MB may "
            f"be sent: read the data inside the function, from a file{_largest(cloudpickle, function)}"
        )
    return content


def source_text(function: Callable[..., Any]) -> str:
    """Returns a function's source for people to read, empty when there is none."""
    try:
        return inspect.getsource(inspect.unwrap(function))
    except (OSError, TypeError):
        return ""


@contextmanager
def _own_modules_by_value(cloudpickle: ModuleType, function: Callable[..., Any]) -> Iterator[None]:
    """Modules beside the notebook may change, and other processes may not find them: they are sent along."""
    known = set(cloudpickle.list_registry_pickle_by_value())
    added = [module for module in _own_modules(function) if module.__name__ not in known]
    for module in added:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in added:
            cloudpickle.unregister_pickle_by_value(module)


def _own_modules(function: Callable[..., Any]) -> list[ModuleType]:
    """The module of a function, and those that it and they import, as far as they are the user's own files."""
    found: dict[str, ModuleType] = {}
    waiting = [sys.modules.get(getattr(inspect.unwrap(function), "__module__", "") or "")]
    while waiting:
        module = waiting.pop()
        if module is None or module.__name__ in found or not (module.__name__ == "__main__" or _is_own(module)):
            continue
        found[module.__name__] = module
        for value in list(vars(module).values()):
            name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
            waiting.append(sys.modules.get(name) if isinstance(name, str) else None)
    found.pop("__main__", None)
    return list(found.values())


def _is_own(module: ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    if not file or module.__name__.partition(".")[0] in ("jupyter_mlstudio", "cloudpickle"):
        return False
    path = Path(file).resolve()
    installed = {sysconfig.get_paths()[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")}
    installed |= {*site.getsitepackages(), site.getusersitepackages()}
    return not any(path.is_relative_to(Path(folder).resolve()) for folder in installed)


def _used(function: Callable[..., Any]) -> dict[str, Any]:
    """The variables that a function uses of what is around it."""
    plain: Any = inspect.unwrap(function)
    try:
        used = inspect.getclosurevars(plain)
    except (TypeError, ValueError):
        return {}
    return {**used.globals, **used.nonlocals}


def _culprits(cloudpickle: ModuleType, function: Callable[..., Any]) -> str:
    bad = []
    for name, value in _used(function).items():
        try:
            cloudpickle.dumps(value)
        except Exception:
            bad.append(f"{name} (a {type(value).__name__})")
    return f" {', '.join(bad)}," if bad else ""


def _largest(cloudpickle: ModuleType, function: Callable[..., Any]) -> str:
    sizes: dict[str, int] = {}
    for name, value in _used(function).items():
        if not isinstance(value, ModuleType) and not callable(value):
            sizes[name] = len(cloudpickle.dumps(value))
    if not sizes:
        return ""
    name = max(sizes, key=lambda one: sizes[one])
    return f" ({name} alone has {sizes[name] / 1024**2:,.0f} MB)"
