"""An AutoML run as text that people keep: a call in Python, Azure's YAML, the notebook that makes the winner again."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import yaml

from jupyter_mlstudio.entities.automl import AutoMLSpec, FeaturizationMode, Task
from jupyter_mlstudio.errors import Conflict, Invalid
from jupyter_mlstudio.services.automl_checks import OF_RUN
from jupyter_mlstudio.services.paths import write_atomically

if TYPE_CHECKING:
    from jupyter_mlstudio.services.automl import AutoMLRuns
    from jupyter_mlstudio.services.automl_answers import AutoMLAnswers
    from jupyter_mlstudio.workspace import Workspace

WIDTH = 100
"""Characters of a line that is shown."""

SCHEMAS = "https://azuremlschemas.azureedge.net/latest/"
_OURS: dict[str, Any] = {"seed": 0, "positive_label": None, "partition_by": []}
"""What Azure's YAML has no word for, with what it is when nobody says."""


class AutoMLCode:
    """Texts of AutoML runs."""

    def __init__(self, workspace: Workspace, automl: AutoMLRuns, answers: AutoMLAnswers) -> None:
        self._workspace = workspace
        self._automl = automl
        self._answers = answers

    def text(self, run_id: str, form: str) -> str:
        """Writes a run as a call in ``python``, or as Azure's ``yaml``.

        Raises:
            Conflict: Azure's YAML has no form for it.
        """
        run, spec = self._automl.run(run_id), self._automl.spec(run_id)
        if form == "python":
            return as_python(spec, run.name, run.experiment)
        task = self._automl.report(run_id).task if spec.task is Task.AUTO else spec.task
        return as_yaml(spec, run.name, run.experiment, task)

    def draft(self, spec: AutoMLSpec, form: str, name: str | None = None, experiment: str | None = None) -> str:
        """Writes a run that nobody has begun; see :meth:`text`."""
        return (as_python if form == "python" else as_yaml)(spec, name, experiment)

    def notebook(self, run_id: str, number: int | None = None) -> str:
        """Writes the notebook that makes a model, by default the winner, beside the table; answers its path.

        Args:
            number: of the model on the leaderboard.

        Raises:
            Conflict: the run has no winner yet, or the model no score. NotFound: there is no such model.
        """
        run, spec = self._automl.run(run_id), self._automl.spec(run_id)
        name, content = run.name, None
        if number is None or number == self._automl.report(run.id).winner:
            content = self._automl.notebook_file(run.id)
        if content is None and number is not None:
            content, name = self._answers.notebook(run.id, number), f"{run.name} model {number}"
        if content is None:
            raise Conflict(f"the run {run.name!r} has no winner that a notebook could make again, or not yet")
        beside = "" if spec.data.startswith(OF_RUN) else PurePosixPath(spec.data).parent.as_posix()
        folder = self._workspace.root / beside
        folder = folder if folder.is_dir() else self._workspace.root
        stem = re.sub(r"[^\w.-]+", " ", name).strip(" .")[:80] or "automl"
        path, further = folder / f"{stem}.ipynb", 2
        while path.exists():
            path, further = folder / f"{stem} ({further}).ipynb", further + 1
        write_atomically(path, content)
        return path.relative_to(self._workspace.root).as_posix()


def as_python(spec: AutoMLSpec, name: str | None = None, experiment: str | None = None) -> str:
    """Writes the call that begins a run like this one; what is as it is by default is left out."""
    lines = [f"    {spec.data!r},", f"    target={spec.target!r},"]
    given: dict[str, Any] = {}
    if spec.task is not Task.AUTO:
        given["task"] = spec.task.value
    given["metric"] = spec.primary_metric
    given["minutes"] = round(spec.limits.timeout_s / 60, 4)
    limits = _changed(spec.limits)
    given |= {"trials": limits.get("max_trials"), "parallel": limits.get("max_concurrent_trials")}
    given |= {"trial_timeout": limits.get("trial_timeout_s"), "exit_score": limits.get("exit_score")}
    given |= {"early_termination": limits.get("enable_early_termination"), "memory": limits.get("memory_bytes")}
    given |= {"folds": spec.n_cross_validations, "validation": spec.validation_data or spec.validation_data_size}
    given |= {"test": spec.test_data or spec.test_data_size, "weight": spec.weight_column}
    given |= {"positive_label": spec.positive_label, "partition_by": spec.partition_by or None}
    training = _changed(spec.training)
    given["allow"], given["block"] = (training.get(f"{which}_training_algorithms") for which in ("allowed", "blocked"))
    given |= {"vote": training.get("enable_vote_ensemble"), "stack": training.get("enable_stack_ensemble")}
    given |= {"stack_settings": training.get("stack_ensemble_settings")}
    given |= {"explain": training.get("enable_model_explainability")}
    given |= {"onnx": training.get("enable_onnx_compatible_models")}
    given["featurization"] = _featurization(spec)
    if spec.forecasting is not None:
        given["forecasting"] = {"time_column_name": spec.forecasting.time_column_name, **_changed(spec.forecasting)}
    given |= {"seed": spec.seed or None, "name": name, "experiment": experiment}
    lines += [_argument(key, value) for key, value in given.items() if value is not None]
    return "\n".join(["import jupyter_mlstudio as studio", "", "run = studio.automl(", *lines, ")", ""])


def _argument(name: str, value: Any) -> str:
    """An argument of a call on a line of its own; a long mapping has a line for each of its keys."""
    line = f"    {name}={value!r},"
    if not isinstance(value, dict) or len(line) <= WIDTH:
        return line
    return "\n".join([f"    {name}={{", *(f"        {key!r}: {one!r}," for key, one in value.items()), "    },"])


def as_yaml(spec: AutoMLSpec, name: str | None = None, experiment: str | None = None, task: Task | None = None) -> str:
    """Writes a run as an AutoML job of Azure Machine Learning, version 2.

    What the format has no word for stands in a comment at its top.

    Raises:
        Invalid: the task is not said, which the format needs.
    """
    task = task or spec.task
    if task is Task.AUTO:
        raise Invalid("Azure's YAML names the task: choose classification, regression or forecasting")
    schema = {"classification": "Classification", "regression": "Regression", "forecasting": "Forecasting"}[task.value]
    content: dict[str, Any] = {
        "$schema": f"{SCHEMAS}autoML{schema}Job.schema.json", "type": "automl", "task": task.value,
        "display_name": name, "experiment_name": experiment, "primary_metric": spec.primary_metric,
        "target_column_name": spec.target, "training_data": _table(spec.data),
        "n_cross_validations": spec.n_cross_validations, "validation_data": _table(spec.validation_data),
        "validation_data_size": spec.validation_data_size, "test_data": _table(spec.test_data),
        "test_data_size": spec.test_data_size, "weight_column_name": spec.weight_column,
        "limits": _limits(spec), "featurization": _featurization(spec), "training": _training(spec),
    }  # fmt: skip
    if task is Task.CLASSIFICATION and spec.positive_label is not None:
        content["positive_label"] = str(spec.positive_label)
    if spec.forecasting is not None:
        settings = {"time_column_name": spec.forecasting.time_column_name, **_changed(spec.forecasting)}
        content["forecasting"] = settings
    lost = [key for key, value in _OURS.items() if getattr(spec, key) != value and key not in content]
    lost += ["memory_bytes"] if spec.limits.memory_bytes is not None else []
    comment = f"# Azure Machine Learning does not know: {', '.join(lost)}\n" if lost else ""
    kept = {key: value for key, value in content.items() if value not in (None, {}, [])}
    return comment + str(yaml.safe_dump(kept, sort_keys=False, allow_unicode=True, width=120))


def _limits(spec: AutoMLSpec) -> dict[str, Any]:
    limits = spec.limits
    given = {
        "timeout_minutes": _whole(limits.timeout_s / 60), "max_trials": limits.max_trials,
        "max_concurrent_trials": limits.max_concurrent_trials,
        "trial_timeout_minutes": None if limits.trial_timeout_s is None else _whole(limits.trial_timeout_s / 60),
        "exit_score": limits.exit_score, "enable_early_termination": limits.enable_early_termination,
    }  # fmt: skip
    return {name: value for name, value in given.items() if value is not None}


def _whole(minutes: float) -> float:
    return int(minutes) if minutes == int(minutes) else round(minutes, 4)


def _featurization(spec: AutoMLSpec) -> Any:
    given = spec.featurization
    changed = _changed(given)
    if not changed:
        return None
    return "off" if given.mode is FeaturizationMode.OFF else _plain(changed)


def _training(spec: AutoMLSpec) -> dict[str, Any]:
    """As its YAML spells it: the REST interface alone has ``k_wargs``."""
    found = _changed(spec.training)
    if stack := found.get("stack_ensemble_settings"):
        found["stack_ensemble_settings"] = {name.replace("_k_wargs", "_kwargs"): one for name, one in stack.items()}
    return found


def _table(text: str | None) -> dict[str, str] | None:
    if text is None:
        return None
    return {"type": "mltable" if text.endswith("MLTable") else "uri_file", "path": text}


def _changed(given: Any) -> dict[str, Any]:
    """The fields of settings that are not as they are by default, as plain values."""
    default = {one.name: _default(one) for one in fields(given)}
    found = {name: getattr(given, name) for name in default}
    return {name: _plain(value) for name, value in found.items() if value != default[name]}


def _default(one: Any) -> Any:
    if one.default is not MISSING:
        return one.default
    return one.default_factory() if one.default_factory is not MISSING else MISSING


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if hasattr(type(value), "__dataclass_fields__"):
        return _changed(value)
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return str(value)
