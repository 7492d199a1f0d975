"""A sweep as text that people keep: a call in Python, Azure's YAML, a notebook of one of its trials."""

from __future__ import annotations

import json
import math
import re
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import yaml

from jupyter_mlstudio.entities import points, spaces
from jupyter_mlstudio.entities.runs import RunKind
from jupyter_mlstudio.entities.specs import RunSpec
from jupyter_mlstudio.entities.sweeps import Sweep, SweepLimits
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict
from jupyter_mlstudio.services.paths import write_atomically
from jupyter_mlstudio.services.sweep_notebook import filled, notebook_of, options

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
        sweep = self._sweeps.get(self._sweeps.searched(run_id).id)
        return as_python(sweep) if form == "python" else as_yaml(sweep)

    def notebook(self, run_id: str, number: int | None = None) -> str:
        """Writes a notebook that does a trial's work again, the best one's without a number; answers its path.

        Raises:
            NotFound: there is no such trial. Conflict: there are several objectives, so none is the best.
        """
        sweep, trial = self._sweeps.best_trial(self._sweeps.searched(run_id).id, number)
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
    sampling = spec.sampling
    given["sampler"] = {"algorithm": sampling.algorithm, **sampling.options} if sampling.options else sampling.algorithm
    given["seed"] = sampling.seed
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
    names, base = list(spec.space), points.log_base(spec.sampling.options)
    content: dict[str, Any] = {
        "$schema": "https://azuremlschemas.azureedge.net/latest/sweepJob.schema.json",
        "type": "sweep",
        "display_name": sweep.name,
        "experiment_name": sweep.experiment,
        "trial": {"code": work.folder or ".", "command": _command(sweep.work_kind, work, names, spec.fixed)},
        "sampling_algorithm": _sampling(sweep),
        "search_space": {name: _azures(one, base) for name, one in spec.space.items()},
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
    if sweep.work_kind == RunKind.CELL:
        comment += "# Keep the cell as cell.ipynb beside this file: the command runs that\n"
    return comment + str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120))


def _work(kind: str, work: RunSpec) -> str:
    if kind == RunKind.TRIAL:
        return "objective"
    if kind == RunKind.COMMAND:
        return repr(work.command)
    if kind == RunKind.CELL and work.cell and "\n" in work.cell:
        text = work.cell.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
        return f'"""\\\n{text}"""' if text.endswith("\n") else repr(work.cell)
    return repr(work.cell if kind == RunKind.CELL else work.script or work.notebook)


def _command(kind: str, work: RunSpec, names: list[str], fixed: Mapping[str, JSON]) -> str:
    inputs = {name: f"${{{{search_space.{name}}}}}" for name in names}
    if kind == RunKind.COMMAND:
        words = [filled(part, {**fixed, **inputs}) for part in work.command]
        return _joined(["python" if words[0] == work.python else words[0], *words[1:]])
    if kind == RunKind.SCRIPT:
        return _joined(["python", str(work.script), *options({**fixed, **inputs}), *work.args])
    given = " ".join(f"-p {name} {text}" for name, text in {**fixed, **inputs}.items())
    return f"papermill {work.notebook or 'cell.ipynb'} out.ipynb {given}"


def _joined(words: list[str]) -> str:
    """Writes words for a shell; what stands for a parameter needs no quotes of its own."""
    plain = [_PLACE.sub("x", word) for word in words]
    return " ".join(
        word if shlex.quote(bare) == bare else shlex.quote(word) for word, bare in zip(words, plain, strict=True)
    )


def _sampling(sweep: Sweep) -> JSON:
    sampling = sweep.spec.sampling
    rule, logbase = sampling.options.get("rule"), sampling.options.get("logbase")
    names = {"tpe": "bayesian", "bayesian": "bayesian", "grid": "grid"}
    form: dict[str, JSON] = {"type": names.get(sampling.algorithm, "random")}
    if sampling.algorithm == "sobol" or (form["type"] == "random" and rule == "sobol"):
        form["rule"] = "sobol"
    if logbase is not None:
        form["logbase"] = logbase
    if sampling.seed is not None and form["type"] == "random":
        form["seed"] = sampling.seed
    return form if len(form) > 1 else form["type"]


def _azures(distribution: Mapping[str, JSON], base: float) -> dict[str, JSON]:
    kind = distribution.get("type")
    if kind == "int":
        low, high, step = distribution["low"], distribution["high"], distribution.get("step") or 1
        if distribution.get("log"):
            return {"type": "qloguniform", "min_value": math.log(low, base), "max_value": math.log(high, base), "q": 1}
        if (high - low) // step >= _MOST_CHOICES:
            return {"type": "quniform", "min_value": low, "max_value": high, "q": step}
        return {"type": "choice", "values": list(range(low, high + 1, step))}
    if kind == "float":
        low, high, step = distribution["low"], distribution["high"], distribution.get("step")
        if distribution.get("log"):
            return {"type": "loguniform", "min_value": math.log(low, base), "max_value": math.log(high, base)}
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
