"""What a sweep is asked for with, as it is sent: objectives, sampling, early termination, limits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields

from jupyter_mlstudio.client.experiments import Experiment
from jupyter_mlstudio.client.space import distributions
from jupyter_mlstudio.client.submission import seconds
from jupyter_mlstudio.client.values import as_text, checked_name, json_param
from jupyter_mlstudio.entities import space_text
from jupyter_mlstudio.entities.sweeps import EarlyTermination
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid

_GOALS = {"max": "maximize", "min": "minimize", "maximize": "maximize", "minimize": "minimize"}
_POLICY = {field.name for field in fields(EarlyTermination)} - {"options"}
LIMITS = {
    "trials": "max_total_trials",
    "parallel": "max_concurrent_trials",
    "timeout": "timeout_s",
    "trial_timeout": "trial_timeout_s",
    "exit_score": "exit_score",
    "retries": "max_retries",
}
"""How people name a sweep's limits, and how the studio does."""


def limits_of(given: Mapping[str, object]) -> dict[str, JSON]:
    """Returns limits by the studio's names.

    Raises:
        Invalid: there is no such limit, or its value is none.
    """
    found: dict[str, JSON] = {}
    for name, value in given.items():
        if name not in LIMITS and name not in LIMITS.values():
            raise Invalid(f"{name!r} is not a limit of a sweep; these are: {', '.join(LIMITS)}")
        own = LIMITS.get(name, name)
        found[own] = seconds(_number_or_text(value)) if own.endswith("_s") and value is not None else value
    return {name: json_param(name, value) for name, value in found.items()}


def objectives_of(
    metric: object, goal: str, objectives: Mapping[str, str] | Sequence[object] | None, value: str, default: str
) -> list[dict[str, JSON]]:
    """Returns the objectives: one metric with its goal, or several as ``{metric: goal}``."""
    if metric is not None and not isinstance(metric, str):
        raise Invalid(f"metric is one name, not {metric!r:.80}: several are objectives={{'auc': 'max', 'ms': 'min'}}")
    if objectives is None:
        if not metric and not default:
            raise Invalid("the metric is missing: say which one is to be good, e.g. metric='val_auc'")
        objectives = {metric or default: goal}
    elif metric:
        raise Invalid(f"give either metric={metric!r} or objectives, not both")
    pairs = objectives.items() if isinstance(objectives, Mapping) else (_pair(one) for one in objectives)
    return [
        {"primary_metric": checked_name(name, "metric"), "goal": goal_of(wanted), "value": value}
        for name, wanted in pairs
    ]


def goal_of(text: str) -> str:
    """Reads a goal: ``max``, ``min``, ``maximize`` or ``minimize``."""
    if str(text) not in _GOALS:
        raise Invalid(f"{text!r} is not a goal; write maximize or minimize")
    return _GOALS[str(text)]


def sampling_of(sampler: str | Mapping[str, object] | type, seed: int | None) -> dict[str, JSON]:
    """Returns how parameters are chosen: a name, ``"tpe(n_startup_trials=5)"``, a dict, or a class of Optuna's."""
    if isinstance(sampler, type):
        sampler = sampler.__name__
    if not isinstance(sampler, (str, Mapping)):
        raise Invalid(
            f"{type(sampler).__name__} is an object, which cannot be sent: give the name of the sampler and its "
            "arguments, e.g. sampler='TPESampler(n_startup_trials=5)'"
        )
    name, options = _named(sampler, "algorithm")
    given = options.pop("seed", None)
    return {"algorithm": name, "seed": seed if seed is not None else given, "options": options}


def termination_of(policy: str | Mapping[str, object] | None) -> dict[str, JSON]:
    """Returns which trials end early: None, ``"median_stopping"``, ``"bandit(slack_factor=0.1)"``, or a dict."""
    name, options = _named(policy or "none", "policy")
    own = {key: options.pop(key) for key in list(options) if key in _POLICY}
    return {"policy": name, **own, "options": options}


def spec_of(
    space: Mapping[str, object] | None,
    *,
    objectives: list[dict[str, JSON]],
    sampling: Mapping[str, JSON],
    early_termination: Mapping[str, JSON],
    limits: Mapping[str, object],
    params: Mapping[str, object] | None,
    points: Iterable[Mapping[str, object]],
    constraints: Iterable[str],
    repeats: int,
    warm_start: Iterable[object],
) -> dict[str, JSON]:
    """Puts a sweep's specification together."""
    given = {name: value for name, value in limits.items() if value is not None}
    return {
        "space": distributions(space),
        "objectives": objectives,
        "sampling": dict(sampling),
        "early_termination": dict(early_termination),
        "limits": limits_of(given),
        "constraints": [as_text(one, "a constraint") for one in constraints],
        "fixed": {checked_name(key, "parameter"): json_param(key, value) for key, value in (params or {}).items()},
        "enqueued": [point_of(one) for one in points],
        "repeats": int(repeats),
        "warm_start": [_source(one) for one in warm_start],
    }


def point_of(point: Mapping[str, object]) -> dict[str, JSON]:
    """Returns the values of parameters that are to be tried."""
    return {checked_name(key, "parameter"): json_param(key, value) for key, value in point.items()}


def _source(known: object) -> str:
    """A sweep, run or experiment that is known already: its id or its name."""
    if isinstance(known, Experiment):
        return known.name
    return as_text(getattr(known, "run_id", None) or getattr(known, "id", known), "a warm start")


def _named(given: str | Mapping[str, object], key: str) -> tuple[str, dict[str, JSON]]:
    if isinstance(given, Mapping):
        options = {str(name): json_param(str(name), value) for name, value in given.items()}
        name = options.pop(key, None) or options.pop("type", None)
        if not isinstance(name, str):
            raise Invalid(f"{dict(given)!r} names no {key}: write e.g. {{{key!r}: 'random'}}")
        return name, options
    match = re.fullmatch(r"\s*([A-Za-z_]\w*)\s*(?:\((.*)\))?\s*", given, re.DOTALL)
    if match is None:
        raise Invalid(f"{given!r} is not a name, nor a name with options in brackets, e.g. tpe(n_startup_trials=5)")
    read = space_text.read("{" + match[2] + "}") if match[2] else {}
    return match[1], {name: json_param(name, value) for name, value in read.items()}


def _pair(given: object) -> tuple[str, str]:
    if isinstance(given, Mapping) and "primary_metric" in given:
        return str(given["primary_metric"]), str(given.get("goal", "maximize"))
    if isinstance(given, str):
        name, colon, goal = given.rpartition(":")
        return (name, goal) if colon else (given, "maximize")
    if isinstance(given, Sequence) and len(given) == 2:
        return str(given[0]), str(given[1])
    raise Invalid(f"{given!r} is no objective: write {{'val_auc': 'maximize', 'latency_ms': 'minimize'}}")


def _number_or_text(value: object) -> float | str:
    return value if isinstance(value, (int, float, str)) else str(value)
