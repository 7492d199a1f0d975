"""A notebook with a sweep's work and the parameters of one of its trials filled in."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from jupyter_mlstudio.entities.runs import RunKind
from jupyter_mlstudio.entities.sweeps import Sweep, Trial
from jupyter_mlstudio.entities.values import JSON


def notebook_of(sweep: Sweep, trial: Trial, run_folder: Path) -> dict[str, JSON]:
    """Builds a notebook with the work of a sweep and the parameters of one of its trials."""
    params = {**sweep.work.params, **sweep.spec.fixed, **trial.params}
    work, kind = sweep.work, sweep.work_kind
    value = "" if not trial.values or trial.values[0] is None else f": {trial.values[0]:.6g}"
    metric = sweep.spec.objectives[0].primary_metric
    head = _markdown(f"# {sweep.name}, trial {trial.number}\n\n`{metric}`{value}")
    if kind == RunKind.NOTEBOOK and work.notebook:
        return _with_parameters(run_folder / "code" / work.notebook, params, head)
    cells = [head]
    if kind == RunKind.SCRIPT and work.script:
        words = [work.script, *options(params), *work.args]
        cells.append(_code(f"import sys\n\nsys.argv = {words!r}"))
        cells.append(_code((run_folder / "code" / work.script).read_text(encoding="utf-8", errors="replace")))
    elif kind == RunKind.COMMAND:
        command = [filled(part, params) for part in work.command]
        cells.append(_code(f"import subprocess\n\nsubprocess.run({command!r}, check=True)"))
    elif kind == RunKind.TRIAL:
        source, name = (str(work.options.get(key, "")) for key in ("source", "name"))
        cells += _called(source, name, params, asks=not sweep.spec.space)
    else:
        cells.append(_code("\n".join(f"{name} = {value!r}" for name, value in params.items()) or "# no parameters"))
        cells.append(_code(str(work.cell)))
    return _notebook(cells)


def _called(source: str, name: str, params: dict[str, JSON], *, asks: bool) -> list[dict[str, JSON]]:
    """Cells with a function and its call; only the parameters where its name is not in its source, as a lambda's."""
    try:
        found = [one for one in ast.walk(ast.parse(dedent(source))) if isinstance(one, ast.FunctionDef)]
    except SyntaxError:
        found = []
    names = [[arg.arg for arg in one.args.args] for one in found if one.name == name]
    values = "\n".join(f"{key} = {value!r}" for key, value in params.items()) or "# no parameters"
    if not names:
        return [_code(values), *([_code(dedent(source))] if source else [])]
    if asks or names[0] == ["trial"]:
        call = f"import optuna\n\n{name}(optuna.trial.FixedTrial({params!r}))"
        return [_code(dedent(source)), _code(call)]
    given = ", ".join(f"{key}={key}" for key in params)
    return [_code(values), _code(dedent(source)), _code(f"{name}({given})")]


def options(params: Mapping[str, JSON]) -> list[str]:
    words: list[str] = []
    for name, value in params.items():
        if value is True:
            words.append(f"--{name}")
        elif value is not False and value is not None:
            words += [f"--{name}", value if isinstance(value, str) else json.dumps(value)]
    return words


def filled(part: str, params: Mapping[str, JSON]) -> str:
    for name, value in params.items():
        text = value if isinstance(value, str) else json.dumps(value)
        for prefix in ("inputs", "search_space"):
            part = part.replace(f"${{{{{prefix}.{name}}}}}", text)
    return part


def _with_parameters(path: Path, params: Mapping[str, JSON], head: dict[str, JSON]) -> dict[str, JSON]:
    content = json.loads(path.read_text(encoding="utf-8"))
    cells = content["cells"]
    tagged = [i for i, one in enumerate(cells) if "parameters" in one.get("metadata", {}).get("tags", [])]
    filled = _code("\n".join(f"{name} = {value!r}" for name, value in params.items()))
    cells.insert(tagged[0] + 1 if tagged else 0, filled)
    for one in cells:
        if one.get("cell_type") == "code":
            one |= {"outputs": [], "execution_count": None}
    return {**content, "cells": [head, *cells]}


def _notebook(cells: list[dict[str, JSON]]) -> dict[str, JSON]:
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 4}


def _code(source: str) -> dict[str, JSON]:
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}


def _markdown(source: str) -> dict[str, JSON]:
    return {"cell_type": "markdown", "metadata": {}, "source": source}
