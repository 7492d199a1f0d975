"""Automated ML jobs as Azure Machine Learning's YAML describes them, version 2, read as arguments of ``studio.automl``.

Source: Azure Machine Learning, "CLI (v2) Automated ML" job schemas for classification, regression and forecasting. What
has no meaning on one machine (compute, identities, nodes) is named and left out;
:mod:`jupyter_mlstudio.services.automl_code` writes the same format.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from jupyter_mlstudio.client.automl_data import OF_RUN
from jupyter_mlstudio.client.azure_files import content_of, tags_of
from jupyter_mlstudio.client.workspace import find_root
from jupyter_mlstudio.entities.automl import Featurization, ForecastingSettings
from jupyter_mlstudio.errors import Invalid, NotFound

TASKS = ("classification", "regression", "forecasting")
MINUTES = 360
"""How long a job may take that does not say so; Azure's default."""

_LIMITS = {
    "timeout_minutes": "minutes", "max_trials": "trials", "max_concurrent_trials": "parallel",
    "trial_timeout_minutes": "trial_timeout", "exit_score": "exit_score",
    "enable_early_termination": "early_termination",
}  # fmt: skip
_TRAINING = {
    "allowed_training_algorithms": "allow", "blocked_training_algorithms": "block", "enable_vote_ensemble": "vote",
    "enable_stack_ensemble": "stack", "stack_ensemble_settings": "stack_settings",
    "enable_model_explainability": "explain", "enable_onnx_compatible_models": "onnx",
}  # fmt: skip
_FIELDS = {
    "primary_metric": "metric", "target_column_name": "target", "weight_column_name": "weight",
    "positive_label": "positive_label", "display_name": "name", "experiment_name": "experiment", "task": "task",
}  # fmt: skip
_READ = {
    "$schema", "type", "name", "description", "tags", "training_data", "validation_data", "test_data", "limits",
    "validation_data_size", "test_data_size", "n_cross_validations", "featurization", "training", "forecasting",
    "outputs", "log_verbosity", *_FIELDS,
}  # fmt: skip
_WORDS = ("short_series_handling_config", "feature_lags", "target_aggregate_function")
"""Fields of forecasting that are one word, in any case."""

_AUTO = ("target_lags", "target_rolling_window_size", "seasonality", "forecast_horizon", "frequency")


@dataclass
class Job:
    """What a file says: the arguments of ``studio.automl``, and notes on what was left out."""

    arguments: dict[str, Any]
    notes: list[str] = field(default_factory=list)


def arguments_of(path: Path) -> Job:
    """Reads an automated ML job.

    Raises:
        NotFound: there is no such file, or a table that it names is not there.
        Invalid: it is no such job, or something in it cannot be done.
    """
    content = _content(path)
    left_out = [name for name in content if name not in _READ]
    given: dict[str, Any] = {own: content.get(name) for name, own in _FIELDS.items()}
    given["name"] = given["name"] or content.get("name")
    given["data"] = _data(content.get("training_data"), "training_data", path)
    for which in ("validation", "test"):
        table = content.get(f"{which}_data")
        given[which] = content.get(f"{which}_data_size") if table is None else _data(table, f"{which}_data", path)
    folds = content.get("n_cross_validations")
    given["folds"] = None if folds in (None, "auto") else folds
    given |= _renamed(content, "limits", _LIMITS, left_out)
    given |= _renamed(content, "training", _TRAINING, left_out)
    if given.get("trial_timeout") is not None:
        given["trial_timeout"] = float(given["trial_timeout"]) * 60.0
    given["featurization"] = _featurization(content.get("featurization"), left_out)
    given["forecasting"] = _forecasting(content.get("forecasting"), left_out)
    given["tags"] = tags_of(content)
    if given["task"] == "forecasting" and given["forecasting"] is None:
        raise Invalid(f"{path.name} is a forecast without forecasting: say its time_column_name there")
    notes = [f"left out, it has no meaning here: {', '.join(left_out)}"] if left_out else []
    if given.get("minutes") is None:
        given["minutes"] = float(MINUTES)
        notes.append(f"limits.timeout_minutes is not said: {MINUTES}, as Azure has it")
    return Job({name: value for name, value in given.items() if value is not None}, notes)


def _content(path: Path) -> dict[str, Any]:
    content = content_of(path)
    if not isinstance(content, dict) or content.get("type", "automl") != "automl" or "training_data" not in content:
        said = content.get("type") if isinstance(content, dict) else type(content).__name__
        raise Invalid(f"{path.name} is no automated ML job (type {said!r}); it has type: automl and training_data")
    task = str(content.get("task", "")).lower()
    if task not in TASKS:
        raise Invalid(f"{path.name} has the task {content.get('task')!r}; tables are for {', '.join(TASKS)}")
    if not isinstance(content.get("target_column_name"), str):
        raise Invalid(f"{path.name} has no target_column_name: name the column to predict")
    return {**content, "task": task}


def _data(given: Any, name: str, path: Path) -> str:
    """Finds a table: a file beside the job or below the workspace's root, or the one that an MLTable names."""
    text = given.get("path") if isinstance(given, Mapping) else given
    if not isinstance(text, str) or not text:
        raise Invalid(f"{path.name}: {name} has no path")
    if text.startswith(OF_RUN):
        return text
    if text.startswith("azureml:") or "://" in text:
        raise Invalid(f"{path.name}: {name} lies elsewhere ({text[:80]}): download it, and give the path of the file")
    text = text.removeprefix("file:")
    for base in (path.parent, find_root()):
        found = (base / text).resolve()
        if found.is_dir():
            return str(_of_mltable(found / "MLTable", name))
        if found.is_file():
            return str(_of_mltable(found, name) if found.name == "MLTable" else found)
    raise NotFound(f"{path.name}: there is no file {text!r}, which {name} names")


def _of_mltable(file: Path, name: str) -> Path:
    """Reads which file an MLTable stands for.

    Raises:
        Invalid: it stands for several files, or does more with them than reading. NotFound: there is none.
    """
    import yaml

    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError:
        raise NotFound(f"{name}: there is no MLTable in {file.parent}; give the path of a file") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Invalid(f"{file} is not YAML: {str(error).splitlines()[0]}") from None
    paths = content.get("paths") if isinstance(content, Mapping) else None
    named = [one.get("file") or one.get("pattern") for one in paths or [] if isinstance(one, Mapping)]
    if len(named) != 1 or not isinstance(named[0], str) or "*" in named[0]:
        raise Invalid(f"{file} stands for {len(named)} paths; give one file that holds the whole table")
    found = (file.parent / named[0]).resolve()
    if not found.is_file():
        raise NotFound(f"{file} names {named[0]!r}, which is not there")
    return found


def _renamed(content: Mapping[str, Any], name: str, names: Mapping[str, str], left_out: list[str]) -> dict[str, Any]:
    given = content.get(name) or {}
    if not isinstance(given, Mapping):
        raise Invalid(f"{name} is {given!r}: write its fields below {name}:")
    left_out += [f"{name}.{one}" for one in given if one not in names]
    return {own: given[one] for one, own in names.items() if given.get(one) is not None}


def _featurization(given: Any, left_out: list[str]) -> Any:
    if given is None or isinstance(given, str):
        return given
    known = {one.name for one in fields(Featurization)}
    found = {str(name): value for name, value in given.items() if name in known and value is not None}
    left_out += [f"featurization.{name}" for name in given if name not in known]
    types = found.get("column_name_and_types")
    if isinstance(types, Mapping):
        found["column_name_and_types"] = {str(name): str(value) for name, value in types.items()}
    return found or None


def _forecasting(given: Any, left_out: list[str]) -> Any:
    if given is None:
        return None
    known = {one.name for one in fields(ForecastingSettings)}
    left_out += [f"forecasting.{name}" for name in given if name not in known]
    found = {str(name): value for name, value in given.items() if name in known and value is not None}
    for name in _AUTO:
        if str(found.get(name, "")).lower() in ("auto", "none"):
            del found[name]
    found |= {name: str(given[name]).lower() for name in _WORDS if name in given}
    for name in ("feature_lags", "target_aggregate_function"):
        if found.get(name) == "none":
            del found[name]
    if (stl := re.sub(r"[\W_]", "", str(found.pop("use_stl", "none")).lower())) != "none":
        found["use_stl"] = "season_trend" if stl == "seasontrend" else stl
    if isinstance(found.get("target_lags"), int):
        found["target_lags"] = [found["target_lags"]]
    for name in ("time_series_id_column_names", "features_unknown_at_forecast_time"):
        if isinstance(found.get(name), str):
            found[name] = [found[name]]
    return found
