"""A sweep as text that people keep: a call in Python, Azure's YAML, a notebook with a trial's parameters filled in."""

from __future__ import annotations

import json
import math
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from jupyter_mlstudio.entities import spaces
from jupyter_mlstudio.entities.runs import RunKind
from jupyter_mlstudio.entities.specs import RunSpec
from jupyter_mlstudio.entities.sweeps import Sweep, SweepLimits, Trial
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict
from jupyter_mlstudio.services.paths import write_atomically

if TYPE_CHECKING:
    from jupyter_mlstudio.services.sweeps import Sweeps
    from jupyter_mlstudio.workspace import Workspace

_AZURE = {"random", "sobol", "grid", "bayesian", "tpe"}
_OURS = ("int", "float")
_MOST_CHOICES = 100
_PLACE = re.compile(r"\$\{\{(?:inputs|search_space)\.[^\s}]+\}\}")


class SweepCode:
    """Texts of sweeps."""

    def __init__(self, workspace: Workspace, sweeps: Sweeps) -> None:
        self._workspace = workspace
        self._sweeps = sweeps

    def text(self, run_id: str, form: str) -> str:
        """Writes a sweep as a call in ``python``, or as Azure's ``yaml``.

        Raises:
            Conflict: Azure's YAML has no form for it.
        """
        sweep = self._sweeps.get(run_id)
        return as_python(sweep) if form == "python" else as_yaml(sweep)

    def notebook(self, run_id: str, number: int | None = None) -> str:
        """Writes a notebook that does a trial's work again, the best one's without a number; answers its path.

        Raises:
            NotFound: there is no such trial. Conflict: there are several objectives, so none is the best.
        """
        sweep, trial = self._sweeps.best_trial(run_id, number)
        content = notebook_of(sweep, trial, self._workspace.run_folder(sweep.run_id))
        folder = self._workspace.root / sweep.work.folder
        stem = re.sub(r"[^\w.-]+", " ", sweep.name).strip(" .")[:80] or "sweep"
        path = folder / f"{stem} {trial.number}.ipynb"
        further = 2
        while path.exists():
            path, further = folder / f"{stem} {trial.number} ({further}).ipynb", further + 1
        write_atomically(path, json.dumps(content, indent=1).encode())
        return path.relative_to(self._workspace.root).as_posix()


def as_python(sweep: Sweep) -> str:
    """Writes the call that begins a sweep like this one."""
    spec, work = sweep.spec, sweep.work
    space = {name: spaces.describe(one) for name, one in spec.space.items()}
    given: dict[str, Any] = {}
    if len(spec.objectives) == 1:
        given |= {"metric": spec.objectives[0].primary_metric, "goal": spec.objectives[0].goal.value}
    else:
        given["objectives"] = {one.primary_metric: one.goal.value for one in spec.objectives}
    given |= {"trials": spec.limits.max_total_trials, "parallel": spec.limits.max_concurrent_trials}
    if any(one.value != "last" for one in spec.objectives):
        given["value"] = "best"
    options = spec.sampling.options
    given["sampler"] = {"algorithm": spec.sampling.algorithm, **options} if options else spec.sampling.algorithm
    given["seed"] = spec.sampling.seed
    policy = spec.early_termination
    if policy.policy != "none":
        told = {"policy": policy.policy, "evaluation_interval": policy.evaluation_interval}
        further = {
            "delay_evaluation": policy.delay_evaluation or None, "slack_factor": policy.slack_factor,
            "slack_amount": policy.slack_amount, "truncation_percentage": policy.truncation_percentage,
        }  # fmt: skip
        given["early_termination"] = {**told, **{k: v for k, v in further.items() if v is not None}, **policy.options}
    limits = spec.limits
    given |= {"timeout": limits.timeout_s, "trial_timeout": limits.trial_timeout_s, "exit_score": limits.exit_score}
    given["retries"] = limits.max_retries if limits.max_retries != SweepLimits().max_retries else None
    given |= {
        "params": spec.fixed or None, "points": spec.enqueued or None, "constraints": spec.constraints or None,
        "repeats": spec.repeats if spec.repeats > 1 else None, "warm_start": spec.warm_start or None,
        "name": sweep.name, "experiment": sweep.experiment, "args": work.args or None, "env": work.env or None,
        "kernel": work.kernel, "target": work.target if work.target != RunSpec().target else None,
        "priority": work.priority or None, "cpus": work.resources.cpus if work.resources.cpus != 1 else None,
        "memory": work.resources.memory_bytes or None, "gpus": work.resources.gpus or None,
        "memory_limit": work.limits.memory_bytes,
    }  # fmt: skip
    lines = [f"    {_work(sweep.work_kind, work)},"]
    lines += ["    {", *(f"        {name!r}: {text!r}," for name, text in space.items()), "    },"] if space else []
    lines += [f"    {name}={value!r}," for name, value in given.items() if value is not None]
    return "\n".join(["import jupyter_mlstudio as studio", "", "sweep = studio.sweep(", *lines, ")", ""])


def as_yaml(sweep: Sweep) -> str:
    """Writes a sweep as a sweep job of Azure Machine Learning, version 2.

    What the format has no word for stands in a comment at its top.

    Raises:
        Conflict: its trials are calls of a function, or it has several objectives.
    """
    spec, work = sweep.spec, sweep.work
    if sweep.work_kind == RunKind.TRIAL or len(spec.objectives) != 1:
        raise Conflict("Azure's YAML sweeps one metric of a command; copy this sweep as Python instead")
    names = list(spec.space)
    content: dict[str, Any] = {
        "$schema": "https://azuremlschemas.azureedge.net/latest/sweepJob.schema.json",
        "type": "sweep",
        "display_name": sweep.name,
        "experiment_name": sweep.experiment,
        "trial": {"code": work.folder or ".", "command": _command(sweep.work_kind, work, names, spec.fixed)},
        "sampling_algorithm": _sampling(sweep),
        "search_space": {name: _azures(one) for name, one in spec.space.items()},
        "objective": {
            "goal": spec.objectives[0].goal.value, "primary_metric": spec.objectives[0].primary_metric,
        },
        "limits": _limits(spec.limits),
    }  # fmt: skip
    policy = spec.early_termination
    if policy.policy != "none":
        told = {
            "type": policy.policy, "evaluation_interval": policy.evaluation_interval,
            "delay_evaluation": policy.delay_evaluation, "slack_factor": policy.slack_factor,
            "slack_amount": policy.slack_amount, "truncation_percentage": policy.truncation_percentage,
        }  # fmt: skip
        content["early_termination"] = {name: value for name, value in told.items() if value is not None}
    lost = _lost(sweep)
    comment = f"# Azure Machine Learning does not know: {', '.join(lost)}\n" if lost else ""
    return comment + str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120))


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
        words = [work.script, *_options(params), *work.args]
        cells.append(_code(f"import sys\n\nsys.argv = {words!r}"))
        cells.append(_code((run_folder / "code" / work.script).read_text(encoding="utf-8", errors="replace")))
    elif kind == RunKind.COMMAND:
        command = [_filled(part, params) for part in work.command]
        cells.append(_code(f"import subprocess\n\nsubprocess.run({command!r}, check=True)"))
    else:
        cells.append(_code("\n".join(f"{name} = {value!r}" for name, value in params.items()) or "# no parameters"))
        cells.append(_code(work.cell or str(work.options.get("source", f"# objective(**{params!r})"))))
    return _notebook(cells)


def _work(kind: str, work: RunSpec) -> str:
    if kind == RunKind.TRIAL:
        return "objective"
    if kind == RunKind.COMMAND:
        return repr(work.command)
    return repr(work.cell if kind == RunKind.CELL else work.script or work.notebook)


def _command(kind: str, work: RunSpec, names: list[str], fixed: Mapping[str, JSON]) -> str:
    inputs = {name: f"${{{{search_space.{name}}}}}" for name in names}
    if kind == RunKind.COMMAND:
        filled = [_filled(part, {**fixed, **inputs}) for part in work.command]
        return _joined(["python" if filled[0] == work.python else filled[0], *filled[1:]])
    if kind == RunKind.SCRIPT:
        return _joined(["python", str(work.script), *_options({**fixed, **inputs}), *work.args])
    given = " ".join(f"-p {name} {text}" for name, text in {**fixed, **inputs}.items())
    return f"papermill {work.notebook or 'cell.ipynb'} out.ipynb {given}"


def _joined(words: list[str]) -> str:
    """Writes words for a shell; what stands for a parameter needs no quotes of its own."""
    plain = [_PLACE.sub("x", word) for word in words]
    return " ".join(
        word if shlex.quote(bare) == bare else shlex.quote(word) for word, bare in zip(words, plain, strict=True)
    )


def _options(params: Mapping[str, JSON]) -> list[str]:
    words: list[str] = []
    for name, value in params.items():
        if value is True:
            words.append(f"--{name}")
        elif value is not False and value is not None:
            words += [f"--{name}", value if isinstance(value, str) else json.dumps(value)]
    return words


def _filled(part: str, params: Mapping[str, JSON]) -> str:
    for name, value in params.items():
        text = value if isinstance(value, str) else json.dumps(value)
        for prefix in ("inputs", "search_space"):
            part = part.replace(f"${{{{{prefix}.{name}}}}}", text)
    return part


def _sampling(sweep: Sweep) -> JSON:
    sampling = sweep.spec.sampling
    names = {"tpe": "bayesian", "bayesian": "bayesian", "grid": "grid"}
    form: dict[str, JSON] = {"type": names.get(sampling.algorithm, "random")}
    if sampling.algorithm == "sobol":
        form["rule"] = "sobol"
    if sampling.seed is not None and form["type"] == "random":
        form["seed"] = sampling.seed
    return form if len(form) > 1 else form["type"]


def _azures(distribution: Mapping[str, JSON]) -> dict[str, JSON]:
    kind = distribution.get("type")
    if kind == "int":
        low, high, step = distribution["low"], distribution["high"], distribution.get("step") or 1
        if distribution.get("log"):
            return {"type": "qloguniform", "min_value": math.log(low), "max_value": math.log(high), "q": 1}
        if (high - low) // step >= _MOST_CHOICES:
            return {"type": "quniform", "min_value": low, "max_value": high, "q": step}
        return {"type": "choice", "values": list(range(low, high + 1, step))}
    if kind == "float":
        low, high, step = distribution["low"], distribution["high"], distribution.get("step")
        if distribution.get("log"):
            return {"type": "loguniform", "min_value": math.log(low), "max_value": math.log(high)}
        if step:
            return {"type": "quniform", "min_value": low, "max_value": high, "q": step}
        return {"type": "uniform", "min_value": low, "max_value": high}
    return dict(distribution)


def _limits(limits: SweepLimits) -> dict[str, JSON]:
    given = {
        "max_total_trials": limits.max_total_trials, "max_concurrent_trials": limits.max_concurrent_trials,
        "timeout": limits.timeout_s and int(limits.timeout_s),
        "trial_timeout": limits.trial_timeout_s and int(limits.trial_timeout_s),
    }  # fmt: skip
    return {name: value for name, value in given.items() if value is not None}


def _lost(sweep: Sweep) -> list[str]:
    spec = sweep.spec
    lost = [] if spec.sampling.algorithm in _AZURE else [f"the sampler {spec.sampling.algorithm}"]
    lost += [f"{name} as {spaces.describe(one)}" for name, one in spec.space.items() if one.get("type") in _OURS]
    lost += ["constraints"] if spec.constraints else []
    lost += ["points to try first"] if spec.enqueued else []
    lost += ["repeated seeds"] if spec.repeats > 1 else []
    lost += ["an exit score"] if spec.limits.exit_score is not None else []
    return lost


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
