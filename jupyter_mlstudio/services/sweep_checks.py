"""Whether a sweep may begin, or be steered, as it is asked for; refused before there is any trial."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from jupyter_mlstudio.entities import expressions, points, spaces
from jupyter_mlstudio.entities.runs import RunKind
from jupyter_mlstudio.entities.sweeps import EarlyTermination, Objective, Sampling, SweepLimits, SweepSpec
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.services.names import checked_name

WORK_KINDS = (RunKind.CELL, RunKind.SCRIPT, RunKind.NOTEBOOK, RunKind.COMMAND, RunKind.TRIAL)
TRIALS_LIMIT, PARALLEL_LIMIT, POINTS_LIMIT, OBJECTIVES_LIMIT = 100_000, 1000, 1000, 8
_SAMPLERS = (
    "random", "sobol", "grid", "bayesian", "tpe", "gp", "cmaes", "nsgaii", "nsgaiii", "qmc", "bruteforce",
)  # fmt: skip
_AZURES = ("bandit", "median_stopping", "truncation_selection")


def check(spec: SweepSpec, kind: RunKind) -> None:
    """Checks what a sweep is made from.

    Raises:
        Invalid: something in it is wrong; the message names it and says what to write instead.
    """
    if kind not in WORK_KINDS:
        raise Invalid(f"a run of kind {kind.value} cannot be swept; sweep {', '.join(WORK_KINDS)}")
    spaces.check(spec.space)
    if not spec.space and kind is not RunKind.TRIAL:
        raise Invalid("the search space is empty: give at least one parameter, e.g. lr=loguniform(-6,-1)")
    _check_objectives(spec.objectives)
    _check_sampling(spec.sampling, spec.space, len(spec.objectives))
    for constraint in spec.constraints:
        expressions.parse(constraint)
    check_limits(spec.limits)
    _check_termination(spec.early_termination, len(spec.objectives))
    if not 1 <= spec.repeats <= 100:
        raise Invalid(f"each point is tried with 1 to 100 seeds, not {spec.repeats}")
    if len(spec.enqueued) > POINTS_LIMIT:
        raise Invalid(f"at most {POINTS_LIMIT:,} points can be tried first, not {len(spec.enqueued):,}")
    for name in (*spec.space, *spec.fixed):
        checked_name(name, "a parameter's name", 250)
    both = sorted(set(spec.space) & set(spec.fixed))
    if both:
        raise Invalid(f"{both[0]!r} is fixed and searched for; leave one of them out")
    for point in spec.enqueued:
        check_point(point, spec.space, points.log_base(spec.sampling.options))


def check_limits(limits: SweepLimits) -> None:
    """Checks when a sweep is to end."""
    if not 1 <= limits.max_total_trials <= TRIALS_LIMIT:
        raise Invalid(f"a sweep has 1 to {TRIALS_LIMIT:,} trials, not {limits.max_total_trials:,}")
    if not 1 <= limits.max_concurrent_trials <= PARALLEL_LIMIT:
        raise Invalid(f"1 to {PARALLEL_LIMIT:,} trials run at the same time, not {limits.max_concurrent_trials:,}")
    for name, seconds in (("timeout_s", limits.timeout_s), ("trial_timeout_s", limits.trial_timeout_s)):
        if seconds is not None and not (math.isfinite(seconds) and seconds > 0):
            raise Invalid(f"{name} is a positive number of seconds, not {seconds}")
    if limits.exit_score is not None and not math.isfinite(limits.exit_score):
        raise Invalid(f"exit_score is a number, not {limits.exit_score}")
    if not 0 <= limits.max_retries <= 100:
        raise Invalid(f"a trial is tried again 0 to 100 times, not {limits.max_retries}")


def changed_limits(limits: SweepLimits, given: Mapping[str, JSON]) -> SweepLimits:
    """Merges what is to be different into limits.

    Raises:
        Invalid: there is no limit of that name, or its value is none.
    """
    known = {field.name for field in fields(SweepLimits)}
    whole = {"max_total_trials", "max_concurrent_trials", "max_retries"}
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            raise Invalid(f"{name[:80]!r} is not a limit of a sweep; these are: {', '.join(sorted(known))}")
        wanted: type | tuple[type, ...] = int if name in whole else (int, float)
        if (value is None and name in whole) or not (value is None or isinstance(value, wanted)):
            raise Invalid(f"{name} is {'a whole number' if name in whole else 'a number or null'}, not {value!r:.80}")
        if isinstance(value, bool):
            raise Invalid(f"{name} is a number, not {value}")
        values[name] = value
    limits = replace(limits, **values)
    check_limits(limits)
    return limits


def check_point(point: Mapping[str, JSON], space: Mapping[str, dict[str, JSON]], base: float = math.e) -> None:
    """Checks a point that is to be tried: values of parameters that are searched for."""
    if not point:
        raise Invalid("the point is empty: give at least one parameter a value")
    known = {name for name, _distribution in spaces.every(dict(space))} if space else None
    for name, value in point.items():
        checked_name(name, "a parameter's name", 250)
        if known is not None and name not in known:
            raise Invalid(f"{name[:80]!r} is not searched for; the parameters are {', '.join(sorted(known))}")
        if space:
            continue
        if not (value is None or isinstance(value, str | int | float | bool)):
            raise Invalid(f"the value of {name!r} is a number, text or true or false, not {type(value).__name__}")
        if isinstance(value, float) and not math.isfinite(value):
            raise Invalid(f"the value of {name!r} is not finite")
    if space:
        points.check_point(dict(space), dict(point), base)


def _check_sampling(sampling: Sampling, space: Mapping[str, dict[str, JSON]], objectives: int) -> None:
    name = sampling.algorithm
    if name not in _SAMPLERS and not name.endswith("Sampler"):
        raise Invalid(
            f"{name[:40]!r} is not a sampler; use one of {', '.join(_SAMPLERS)}, or a class of optuna.samplers"
        )
    infinite = [key for key, one in spaces.every(dict(space)) if not spaces.is_finite(one)]
    if name in ("grid", "bruteforce") and infinite:
        raise Invalid(
            f"parameter {infinite[0]!r} has infinitely many values, and the sampler {name} tries all:"
            " use choice, int, randint, float with a step or quniform, or another sampler"
        )
    if name == "grid" and not space:
        raise Invalid("a grid needs a search space: give one, or use bruteforce")
    if name == "cmaes" and objectives > 1:
        raise Invalid(f"the sampler cmaes has one objective, not {objectives}: use nsgaii, gp or tpe")


def _check_objectives(objectives: list[Objective]) -> None:
    if not 1 <= len(objectives) <= OBJECTIVES_LIMIT:
        raise Invalid(f"a sweep has 1 to {OBJECTIVES_LIMIT} objectives, e.g. the metric val_auc; not {len(objectives)}")
    names = [checked_name(objective.primary_metric, "a metric's name") for objective in objectives]
    if len(set(names)) != len(names):
        raise Invalid(f"the metrics {', '.join(names)} are not different")
    for objective in objectives:
        if objective.value not in ("last", "best"):
            raise Invalid(f"the last or the best of a trial's points counts, not {objective.value[:40]!r}")


def _check_termination(policy: EarlyTermination, objectives: int) -> None:
    if policy.policy != "none" and objectives > 1:
        raise Invalid("early termination compares one objective; with several leave it out")
    if policy.evaluation_interval < 1 or policy.delay_evaluation < 0:
        raise Invalid("evaluation_interval is at least 1 and delay_evaluation at least 0")
    if policy.policy == "bandit":
        given = [value for value in (policy.slack_factor, policy.slack_amount) if value is not None]
        if len(given) != 1 or not math.isfinite(given[0]) or given[0] < 0:
            raise Invalid("a bandit has either slack_factor or slack_amount, a number that is not negative")
    elif policy.slack_factor is not None or policy.slack_amount is not None:
        raise Invalid(f"slack_factor and slack_amount are a bandit's, not of {policy.policy[:40]!r}")
    if policy.policy == "truncation_selection":
        if not 1 <= (policy.truncation_percentage or 0) <= 99:
            raise Invalid(f"truncation_percentage is 1 to 99, not {policy.truncation_percentage}")
    elif policy.truncation_percentage is not None:
        raise Invalid(f"truncation_percentage is of truncation_selection, not of {policy.policy[:40]!r}")
    known = (*_AZURES, "hyperband", "successive_halving", "wilcoxon", "patient", "percentile", "threshold", "none")
    if policy.policy not in known:
        raise Invalid(f"{policy.policy[:40]!r} is not a policy; use one of {', '.join(known)}")
