"""Runs a notebook cell as a run: IPython's syntax and top-level ``await`` work, parameters are variables.

Where IPython is not installed the cell runs as plain Python.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import inspect
import sys
from types import ModuleType
from typing import Any

from jupyter_mlstudio.client import active
from jupyter_mlstudio.client.values import identifier
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.programs import context


def run(job: context.Job) -> int:
    """Executes the cell; answers 1 after an error, whose last line becomes the run's reason."""
    source = job.spec.get("cell")
    if not isinstance(source, str):
        raise Invalid("the run has no cell")
    for name in job.params:
        identifier(name)
    sys.path.insert(0, "")
    try:
        from jupyter_mlstudio.programs import shell
    except ImportError:
        return _plain(source, job)
    error = shell.run_cell(source, job.params)
    _keep_figures()
    if error is None:
        return 0
    if isinstance(error, SystemExit):
        return context.exit_status(error)
    return context.failed(job, active.sentence(error))


def _plain(source: str, job: context.Job) -> int:
    module = ModuleType("__main__")
    module.__dict__.update(__builtins__=builtins, **job.params)
    sys.modules["__main__"] = module
    tree = ast.parse(source, "<cell>")
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    _execute(compile(tree, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), module)
    if isinstance(last, ast.Expr):
        value = _execute(compile(ast.Expression(last.value), "<cell>", "eval", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), module)
        if value is not None:
            print(repr(value))
    _keep_figures()
    return 0


def _execute(code: Any, module: ModuleType) -> Any:
    value = eval(code, module.__dict__)
    if code.co_flags & inspect.CO_COROUTINE:
        return asyncio.run(_awaited(value))
    return value


async def _awaited(value: Any) -> Any:
    return await value


def _keep_figures() -> None:
    if "matplotlib.pyplot" in sys.modules:
        from jupyter_mlstudio.programs.figures import keep_open_figures

        keep_open_figures()


if __name__ == "__main__":
    sys.exit(context.execute(run))
