"""Beginning an AutoML run: a table and the column to predict become a run that tries models."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from jupyter_mlstudio.client import session
from jupyter_mlstudio.client.automl import AutoMLRun
from jupyter_mlstudio.client.automl_data import data_of
from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.runs import Run
from jupyter_mlstudio.client.submission import seconds, size_bytes, tags_of
from jupyter_mlstudio.client.values import as_text, json_param
from jupyter_mlstudio.client.wire import Connection
from jupyter_mlstudio.entities.automl import Featurization, ForecastingSettings, StackSettings, Task
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid

MINUTES = 5.0


def automl(
    data: Any,
    target: str | None = None,
    *,
    task: str = "auto",
    metric: str | None = None,
    minutes: float | str = MINUTES,
    trials: int | None = None,
    parallel: int | None = None,
    trial_timeout: float | str | None = None,
    exit_score: float | None = None,
    early_termination: bool = True,
    memory: int | str | None = None,
    folds: int | None = None,
    validation: Any = None,
    test: Any = None,
    weight: str | None = None,
    positive_label: object = None,
    allow: Sequence[str] = (),
    block: Sequence[str] = (),
    vote: bool = True,
    stack: bool = True,
    stack_settings: Mapping[str, object] | None = None,
    explain: bool = True,
    onnx: bool = True,
    featurization: str | Mapping[str, object] | None = None,
    forecasting: Mapping[str, object] | None = None,
    time: str | None = None,
    horizon: int | None = None,
    series: Sequence[str] = (),
    partition_by: str | Sequence[str] = (),
    seed: int = 0,
    name: str | None = None,
    experiment: str | None = None,
    tags: Mapping[str, object] | None = None,
    wait: bool = False,
) -> AutoMLRun:
    """Searches for the model that predicts a column of a table best.

    Args:
        data: a data frame, the path of a CSV, TSV, JSON lines or Parquet file, ``runs:/<run id>/<path>``, or an
            automated ML job of Azure Machine Learning (``.yml``), which says everything itself.
        target: the column to predict.
        task: ``classification``, ``regression``, ``forecasting``, or ``auto``, which looks at the target.
        metric: what is to be good, by Azure's names in any spelling, e.g. ``AUC_weighted``; chosen when None.
        minutes: how long it may take, or text such as ``"90s"``.
        trials: how many models at most; parallel: how many at the same time.
        trial_timeout: of one model, in seconds or as text.
        exit_score: ends the search when the metric is at least as good.
        early_termination: give models up that are poor on a part of the rows.
        memory: of all its processes, e.g. ``"4GB"``.
        folds: of the cross-validation; chosen when None.
        validation, test: tables as ``data``, or a share of its rows; the test rows are looked at by nobody but the
            winner, at the end.
        weight: the column that says how much a row counts.
        positive_label: of a binary target; the rarer one when None.
        allow, block: names of families of models, e.g. ``["LightGBM"]``.
        vote, stack: whether ensembles are made of the best models.
        stack_settings: Azure's ``stack_ensemble_settings``.
        explain: whether to find out what the winner rests on.
        onnx: only keep models whose ONNX form answers the same.
        featurization: ``auto``, ``off``, or Azure's mapping of a custom one.
        forecasting: Azure's forecasting settings; ``time``, ``horizon`` and ``series`` say the most frequent of them:
            the column with the time, the steps to predict, the columns that tell series apart.
        partition_by: columns; one model for each of their values.
        seed: the same again makes the same models, when the same number is tried.
        name, experiment, tags: of the run.
        wait: wait until it is over, and raise when it failed.

    Raises:
        Invalid: something cannot be as it was asked for; nothing was started.
        NotFound: there is no such file.
    """
    if isinstance(data, (str, os.PathLike)) and os.fspath(data).endswith((".yml", ".yaml")):
        said: dict[str, Any] = {"target": target, "name": name, "experiment": experiment}
        if minutes != MINUTES:
            said["minutes"] = minutes
        return automl_yaml(data, wait=wait, **{key: one for key, one in said.items() if one})
    if not target:
        raise Invalid("say which column is to be predicted: automl(data, target='churn')")
    connection = connect()
    forecast = _forecasting(forecasting, time, horizon, series)
    spec: dict[str, JSON] = {
        "target": as_text(target, "the target"), "task": _task(task, forecast),
        "primary_metric": metric, "n_cross_validations": folds, "weight_column": weight,
        "positive_label": None if positive_label is None else json_param("positive_label", positive_label),
        "limits": _given({
            "timeout_s": _minutes(minutes), "max_trials": trials, "max_concurrent_trials": parallel,
            "trial_timeout_s": None if trial_timeout is None else seconds(trial_timeout), "exit_score": exit_score,
            "enable_early_termination": bool(early_termination),
            "memory_bytes": None if memory is None else size_bytes(memory),
        }),
        "featurization": _featurization(featurization),
        "training": _given({
            "allowed_training_algorithms": [str(one) for one in allow],
            "blocked_training_algorithms": [str(one) for one in block],
            "enable_vote_ensemble": bool(vote), "enable_stack_ensemble": bool(stack),
            "stack_ensemble_settings": _settings(StackSettings, _spelt(stack_settings), "stack_settings"),
            "enable_model_explainability": bool(explain), "enable_onnx_compatible_models": bool(onnx),
        }),
        "forecasting": forecast,
        "partition_by": [partition_by] if isinstance(partition_by, str) else [str(one) for one in partition_by],
        "seed": int(seed),
    }  # fmt: skip
    uploads: dict[str, str] = {}
    for which, table in (("data", data), ("validation_data", validation), ("test_data", test)):
        spec |= _table(which, table, connection, uploads)
    body: dict[str, JSON] = {
        "automl": spec, "uploads": uploads, "name": name, "experiment": experiment or session.experiment(),
        "tags": tags_of(tags), "origin": session.origin(), "request_id": uuid.uuid4().hex,
    }  # fmt: skip
    made = AutoMLRun(Run(connection.post("automl", body, again=True), connection))
    return made.wait() if wait else made


def automl_yaml(path: str | os.PathLike[str], *, wait: bool = False, **changed: Any) -> AutoMLRun:
    """Begins what an automated ML job of Azure Machine Learning, version 2, describes.

    Args:
        path: the file; what has no meaning on one machine (compute, identities) is named and left out.
        wait: wait until it is over, and raise when it failed.
        changed: arguments of :func:`automl` that are to be different from what the file says.

    Raises:
        Invalid: it is no such job, or something in it cannot be done.
    """
    from jupyter_mlstudio.client.automl_job import arguments_of

    found = arguments_of(Path(path).expanduser())
    for note in found.notes:
        print(note)
    return automl(**{**found.arguments, **changed}, wait=wait)


def _table(which: str, table: Any, connection: Connection, uploads: dict[str, str]) -> dict[str, JSON]:
    """Returns what the specification says of a table; notes in ``uploads`` what was sent."""
    if table is None:
        return {}
    if isinstance(table, float | int) and not isinstance(table, bool) and which != "data":
        return {f"{which}_size": float(table)}
    found = data_of(table, connection, which)
    if "upload" in found:
        uploads[which] = found["upload"]
        return {which: "uploaded"}
    return {which: found["file"]}


def _minutes(minutes: float | str) -> float:
    if isinstance(minutes, str):
        return seconds(minutes)
    return seconds(float(minutes) * 60.0)


def _task(task: str, forecast: Mapping[str, JSON] | None) -> str:
    text = str(task).lower()
    if text not in {one.value for one in Task}:
        raise Invalid(f"{task!r} is not a task; use {', '.join(one.value for one in Task)}")
    return Task.FORECASTING.value if forecast is not None and text == Task.AUTO.value else text


def _featurization(given: str | Mapping[str, object] | None) -> dict[str, JSON]:
    if given is None or isinstance(given, str):
        return {"mode": (given or "auto").lower()}
    found = _settings(Featurization, given, "featurization") or {}
    return {"mode": "custom", **found}


def _forecasting(
    given: Mapping[str, object] | None, time: str | None, horizon: int | None, series: Sequence[str]
) -> dict[str, JSON] | None:
    said = {"time_column_name": time, "forecast_horizon": horizon}
    found = {**(_settings(ForecastingSettings, given, "forecasting") or {}), **_given(said)}
    if series:
        found["time_series_id_column_names"] = [series] if isinstance(series, str) else [str(one) for one in series]
    if not found:
        return None
    if "time_column_name" not in found:
        raise Invalid("a forecast needs the column with the time: automl(data, target, time='date')")
    return found


def _spelt(stack: Mapping[str, object] | None) -> dict[str, object] | None:
    """Settings of a stack by the names of Azure's REST interface, where its YAML has one without the underscore."""
    return None if stack is None else {name.replace("_kwargs", "_k_wargs"): value for name, value in stack.items()}


def _settings(kind: type, given: Mapping[str, object] | None, what: str) -> dict[str, JSON] | None:
    if given is None:
        return None
    known = [one.name for one in fields(kind)]
    strange = next((name for name in given if name not in known), None)
    if strange is not None:
        raise Invalid(f"{strange!r} is nothing that {what} has; it has {', '.join(known)}")
    return {name: json_param(name, value) for name, value in given.items()}


def _given(values: Mapping[str, JSON]) -> dict[str, JSON]:
    return {name: value for name, value in values.items() if value is not None}
