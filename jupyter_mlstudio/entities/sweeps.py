"""Sweeps: one piece of work tried with many parameters, each try (a trial) a run of its own below the sweep's run."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from jupyter_mlstudio.entities.experiments import Goal as Goal
from jupyter_mlstudio.entities.specs import RunSpec
from jupyter_mlstudio.entities.tracking import Points
from jupyter_mlstudio.entities.values import JSON, Real


class TrialState(StrEnum):
    """What became of a trial; the names are Optuna's."""

    WAITING = "WAITING"
    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    PRUNED = "PRUNED"
    FAIL = "FAIL"


STOPPED = re.compile(r"stopped\b")
"""How the reason of a trial begins that was stopped, alone or with its sweep: Optuna's state for it is ``FAIL``."""


def word_of(state: TrialState, reason: str) -> str:
    """What became of a trial, for people: one that was stopped has not failed."""
    if state is TrialState.FAIL:
        return "stopped" if STOPPED.match(reason) else "failed"
    return state.value.lower()


class SweepPhase(StrEnum):
    """What a sweep does, in one word."""

    RUNNING = "Running"
    PAUSED = "Paused"
    STOPPING = "Stopping"
    ENDED = "Ended"


@dataclass(frozen=True, kw_only=True, slots=True)
class Objective:
    """A metric that is made as large or as small as possible.

    ``value`` says which of a trial's points counts: ``last``, or ``best`` in the direction of the goal. A program that
    logs nothing is read instead: the last line ``<metric>=<number>`` or ``<metric>: <number>`` of its output.
    """

    primary_metric: str
    goal: Goal = Goal.MAXIMIZE
    value: str = "last"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sampling:
    """How parameters are chosen.

    Args:
        algorithm: ``random``, ``sobol``, ``grid``, ``bayesian`` (the same as ``tpe``), ``tpe``, ``gp``, ``cmaes``,
            ``nsgaii``, ``nsgaiii``, ``qmc``, ``bruteforce``, or the name of any class of ``optuna.samplers``.
        seed: makes the choice repeatable.
        options: further arguments of the sampler.
    """

    algorithm: str = "tpe"
    seed: int | None = None
    options: dict[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class EarlyTermination:
    """Which trials are ended before they are done.

    Args:
        policy: Azure's ``bandit``, ``median_stopping`` or ``truncation_selection``, or ``hyperband``,
            ``successive_halving``, ``wilcoxon``, ``patient``, ``percentile``, ``threshold``, ``none``.
        evaluation_interval: how many reported values lie between two decisions.
        delay_evaluation: how many values a trial may report before the first one.
        slack_factor, slack_amount: of a bandit; exactly one of them.
        truncation_percentage: of the running trials, 1 to 99.
        options: further arguments of Optuna's pruner of that name.
    """

    policy: str = "none"
    evaluation_interval: int = 1
    delay_evaluation: int = 0
    slack_factor: float | None = None
    slack_amount: float | None = None
    truncation_percentage: int | None = None
    options: dict[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepLimits:
    """When a sweep ends. Times in seconds; None is no limit.

    Args:
        max_total_trials: trials that end complete, pruned or failed; those that repeat a crashed one do not count.
        max_concurrent_trials: how many run at the same time.
        exit_score: the sweep ends when its (first) objective is at least as good.
        max_retries: how often a trial whose process was killed is tried again.
    """

    max_total_trials: int = 20
    max_concurrent_trials: int = 1
    timeout_s: float | None = None
    trial_timeout_s: float | None = None
    exit_score: float | None = None
    max_retries: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepSpec:
    """Everything that starts a sweep again.

    Args:
        space: parameter -> distribution in Azure's form, e.g. ``{"type": "uniform", "min_value": 0, "max_value": 1}``;
            empty when a function asks for its parameters itself. See :mod:`jupyter_mlstudio.entities.spaces`.
        objectives: one, or several for a Pareto front.
        constraints: expressions over parameters and metrics that have to hold, e.g. ``"latency_ms <= 20"``.
        fixed: parameters that every trial has.
        enqueued: points to try first; parameters that they leave out are sampled.
        repeats: how many seeds each point is tried with; the objective is then the mean of them.
        warm_start: ids of sweeps or runs, or names of experiments, whose results the sampler knows from the start.
        function: the trials are calls of a pickled function, done by warm workers, not runs with a process each.
    """

    space: dict[str, dict[str, JSON]] = field(default_factory=dict)
    objectives: list[Objective] = field(default_factory=list)
    sampling: Sampling = field(default_factory=Sampling)
    early_termination: EarlyTermination = field(default_factory=EarlyTermination)
    limits: SweepLimits = field(default_factory=SweepLimits)
    constraints: list[str] = field(default_factory=list)
    fixed: dict[str, JSON] = field(default_factory=dict)
    enqueued: list[dict[str, JSON]] = field(default_factory=list)
    repeats: int = 1
    warm_start: list[str] = field(default_factory=list)
    function: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepControl:
    """What people have asked of a sweep while it runs. ``etag`` grows with each change.

    ``points`` are those enqueued by hand since it started, in order, and ``stopped`` the numbers of trials to end.
    """

    paused: bool = False
    stop: bool = False
    limits: SweepLimits = field(default_factory=SweepLimits)
    space: dict[str, dict[str, JSON]] = field(default_factory=dict)
    points: list[dict[str, JSON]] = field(default_factory=list)
    stopped: list[int] = field(default_factory=list)
    etag: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """One trial. ``values`` has a number for each objective; None where there is none.

    ``steps`` are the reported values of the first objective by step, for pruning and the plot of them. One that was
    ``retried`` ended through nobody's fault; another trial has its parameters, and it does not count.
    """

    number: int
    run_id: str
    state: TrialState
    params: dict[str, JSON]
    values: list[Real | None]
    steps: list[tuple[int, Real]] = field(default_factory=list)
    feasible: bool = True
    started_at: str | None = None
    ended_at: str | None = None
    reason: str = ""
    retried: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialReport(Trial):
    """A trial as its sweep tells of it, with the points that were logged since it was told of last.

    ``metrics`` and the run that they are kept in are for trials that are calls of a function; others log themselves.
    """

    metrics: dict[str, Points] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialPage:
    """Trials that were changed after a position in the sweep's own history; ask again with ``cursor``."""

    trials: list[Trial]
    cursor: int
    total: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Lead:
    """How sure it is that the best trial is the best.

    ``low`` and ``high`` hold the best trial's value with 95 % confidence where its seeds or folds tell; ``note`` is a
    sentence for people, empty when there is nothing to warn of.
    """

    low: Real | None = None
    high: Real | None = None
    runner_up: int | None = None
    within_noise: bool = False
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Importance:
    """How much each parameter had to do with an objective's values, told from ``trials`` complete ones; sums to 1."""

    evaluator: str
    objective: int
    trials: int
    params: dict[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sweep:
    """A sweep as it is now. ``best`` is the number of the best trial, ``front`` those on the Pareto front."""

    run_id: str
    name: str
    experiment: str
    status: str
    phase: SweepPhase
    spec: SweepSpec
    work: RunSpec
    work_kind: str
    control: SweepControl
    counts: dict[str, int]
    best: Trial | None
    front: list[int]
    lead: Lead
    resume_from: str | None = None
