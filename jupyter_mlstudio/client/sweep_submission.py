"""Beginning a sweep: work, a search space and what is to be good become a run that tries."""

from __future__ import annotations

import base64
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_mlstudio.client import session, submission, sweep_request
from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.pickled import pickled, source_text
from jupyter_mlstudio.client.runs import Run
from jupyter_mlstudio.client.submission import Work, prepared, tags_of
from jupyter_mlstudio.client.sweeps import Sweep
from jupyter_mlstudio.client.values import identifier
from jupyter_mlstudio.entities.runs import RunKind
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid


def sweep(
    what: Work,
    space: Mapping[str, object] | None = None,
    *,
    metric: str | None = None,
    goal: str = "maximize",
    objectives: Mapping[str, str] | Sequence[object] | None = None,
    value: str = "last",
    trials: int | None = None,
    parallel: int | None = None,
    sampler: str | Mapping[str, object] | type = "tpe",
    seed: int | None = None,
    early_termination: str | Mapping[str, object] | None = None,
    timeout: float | str | None = None,
    trial_timeout: float | str | None = None,
    exit_score: float | None = None,
    retries: int | None = None,
    params: Mapping[str, object] | None = None,
    points: Sequence[Mapping[str, object]] = (),
    constraints: Sequence[str] = (),
    repeats: int = 1,
    warm_start: Sequence[object] = (),
    name: str | None = None,
    experiment: str | None = None,
    tags: Mapping[str, object] | None = None,
    wait: bool = False,
    **work: Any,
) -> Sweep:
    """Tries work with many parameters, to find those with the best metric.

    Args:
        what: as in :func:`submit`: a script, a notebook, a command or a cell, each trial a run of its own; an Azure
            Machine Learning sweep job (``.yml``); or a function, called by warm workers. A function is called with
            its parameters by name and returns a number, several numbers or a dict of metrics; one whose only
            parameter is ``trial``, or that has no space, is called with an Optuna trial.
        space: parameter -> distribution: of :data:`space`, text such as ``"loguniform(-6,-1)"``, Optuna's, or a list.
        metric: what is to be good: a metric that is logged or returned, or printed as ``metric=value``.
        goal: ``maximize`` or ``minimize``.
        objectives: several metrics with their goals instead, for a Pareto front.
        value: which of a trial's points counts, the ``last`` or the ``best``.
        trials: how many; 20 by default.
        parallel: how many at the same time; 1 by default.
        sampler: ``tpe``, ``random``, ``sobol``, ``grid``, ``gp``, ``cmaes``, ``nsgaii`` ..., or the name of any of
            Optuna's, with options as in ``"tpe(n_startup_trials=5)"``.
        seed: makes the choice of parameters repeatable.
        early_termination: ends poor trials early: ``median_stopping``, ``"bandit(slack_factor=0.1)"``,
            ``"truncation_selection(truncation_percentage=20)"``, ``hyperband`` ...
        timeout, trial_timeout: of the sweep and of a trial; seconds, or e.g. ``"2h"``.
        exit_score: ends the sweep when the objective is at least as good.
        retries: how often a trial whose process was killed is tried again.
        params: parameters that every trial has.
        points: points to try first; parameters that they leave out are chosen.
        constraints: expressions that have to hold, e.g. ``"latency_ms <= 20"``.
        repeats: how many seeds each point is tried with; the objective is their mean.
        warm_start: sweeps, runs or experiments whose results the sampler knows from the start.
        name, experiment, tags: of the sweep's run.
        wait: wait until it is over, and raise when it failed.
        work: further arguments of :func:`submit`, for each trial: ``args``, ``env``, ``folder``, ``python``,
            ``target``, ``cpus``, ``memory``, ``gpus``, ``memory_limit`` ...

    Raises:
        Invalid: the space, a limit or the work is wrong; no trial was started then.
    """
    if isinstance(what, (str, os.PathLike)) and os.fspath(what).strip().endswith((".yml", ".yaml")):
        return _of_yaml(Path(os.fspath(what).strip()), space, {**locals()})
    kind, spec, origin, function = _work(what, space, params or {}, work)
    default = "objective" if function is not None else ""
    body: dict[str, JSON] = {
        "work_kind": kind.value,
        "work": spec,
        "sweep": sweep_request.spec_of(
            space,
            objectives=sweep_request.objectives_of(metric, goal, objectives, value, default),
            sampling=sweep_request.sampling_of(sampler, seed),
            early_termination=sweep_request.termination_of(early_termination),
            limits={
                "trials": trials, "parallel": parallel, "timeout": timeout, "trial_timeout": trial_timeout,
                "exit_score": exit_score, "retries": retries,
            },
            params=params, points=points, constraints=constraints, repeats=repeats, warm_start=warm_start,
        ),
        "function": function,
        "name": name,
        "experiment": experiment or session.experiment(),
        "tags": tags_of(tags),
        "origin": origin,
        "request_id": uuid.uuid4().hex,
    }  # fmt: skip
    connection = connect()
    made = Sweep(Run(connection.post("sweeps", body, again=True), connection))
    return made.wait() if wait else made


def _work(
    what: Work, space: Mapping[str, object] | None, params: Mapping[str, object], work: dict[str, Any]
) -> tuple[RunKind, dict[str, JSON], dict[str, JSON], str | None]:
    """What one trial does, where it comes from, and the function as it is sent."""
    given = set(work) - _SUBMITTED
    if given:
        raise Invalid(f"{sorted(given)[0]!r} is no argument of a sweep; see help(studio.sweep)")
    if callable(what) and not isinstance(what, (str, os.PathLike)):
        return _calls(what, work)
    kind, spec, origin = prepared(what, **work)
    if kind in (RunKind.CELL, RunKind.NOTEBOOK):
        for name in (*(space or {}), *params):
            identifier(str(name))
    return kind, spec, origin, None


def _calls(function: Callable[..., Any], work: dict[str, Any]) -> tuple[RunKind, dict[str, JSON], dict[str, JSON], str]:
    for name in ("args", "kernel"):
        if work.get(name):
            raise Invalid(f"{name} is nothing that a function takes; give it parameters with params")
    content = pickled(function)
    kind, spec, origin = prepared(None, **work)
    called = {"source": source_text(function), "name": getattr(function, "__name__", "objective")}
    return kind, {**spec, "options": called}, origin, base64.b64encode(content).decode()


def _of_yaml(path: Path, space: Mapping[str, object] | None, given: dict[str, Any]) -> Sweep:
    from jupyter_mlstudio.client.sweep_yaml import arguments_of

    if space:
        raise Invalid(f"{path} has a search space of its own; leave out the other one, or change the file")
    found = arguments_of(path)
    for note in found.notes:
        print(note)
    if given["params"] or given["work"]:
        raise Invalid(f"{path} says what a trial executes; leave out {', '.join([*given['work'], 'params'])}")
    if given["metric"] is None:
        given = {**given, "goal": None}
    said = {key: given[key] for key in _SAID if given[key] and given[key] != _UNSAID.get(key)}
    return sweep(found.what, **{**found.arguments, **said})


_SAID = (
    "metric", "goal", "objectives", "trials", "parallel", "seed", "early_termination", "timeout", "trial_timeout",
    "exit_score", "retries", "points", "constraints", "repeats", "warm_start", "name", "experiment", "wait",
)  # fmt: skip
"""What may be said beside a file, and then counts."""

_UNSAID = {"repeats": 1}

_SUBMITTED = set(submission.prepared.__kwdefaults__ or {}) - {"params", "timeout"}
