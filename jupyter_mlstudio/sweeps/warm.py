"""What a sweep knows before its first trial: results of past runs and sweeps, as trials of Optuna's."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from jupyter_mlstudio.entities import points
from jupyter_mlstudio.entities.sweeps import TrialState
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.sweeps.space import POINT, Space

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

FROM = "warm_start"
"""The user attribute that holds the id of the run that a trial was."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Past:
    """One past run: its parameters, which may be text as MLflow keeps them, and a value for each objective.

    ``steps`` are the reported values of a trial that ended early, whose last value then counts as its result.
    """

    run_id: str
    params: Mapping[str, JSON]
    values: Sequence[float | None]
    state: TrialState = TrialState.COMPLETE
    steps: Sequence[tuple[int, float]] = ()
    constraints: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Known:
    """Past runs that fit the space, as trials to add, and why the others were left out: reason -> how many."""

    trials: list[FrozenTrial]
    left_out: dict[str, int]


def known(space: Space, past: Iterable[Past]) -> Known:
    """Turns past runs into trials for ``study.add_trial``; each set of parameters and values once."""
    trials: list[FrozenTrial] = []
    left_out: dict[str, int] = {}
    seen: set[str] = set()
    for one in past:
        try:
            params = fit(space, one.params)
        except Invalid as error:
            reason = error.message
        else:
            reason = _useless(one)
            same = repr((sorted(params.items()), list(one.values)))
            if not reason and same in seen:
                reason = "the same result is there already"
            seen.add(same)
        if reason:
            left_out[reason] = left_out.get(reason, 0) + 1
        else:
            trials.append(frozen(space, one, params))
    return Known(trials, left_out)


def _useless(past: Past) -> str:
    if past.state not in (TrialState.COMPLETE, TrialState.PRUNED):
        return f"the trial ended as {past.state.value}"
    if past.state == TrialState.PRUNED:
        return "" if past.steps else "the trial was ended early and reported nothing"
    finite = past.values and all(value is not None and math.isfinite(value) for value in past.values)
    return "" if finite else "the metric is missing or not finite"


def fit(space: Space, params: Mapping[str, JSON]) -> dict[str, JSON]:
    """Returns those of a run's parameters that the space has, text turned into numbers and choices.

    Raises:
        Invalid: one is missing, or lies outside the space.
    """
    found: dict[str, JSON] = {}
    for name, distribution in space.active(params):
        if name not in params:
            raise Invalid(f"the parameter {name!r} is missing")
        value = _read(distribution, params[name])
        if not points.lies_in(distribution, value, space.base):
            raise Invalid(f"the parameter {name!r} lies outside the space")
        found[name] = value
    return found


def _read(distribution: dict[str, JSON], value: JSON) -> JSON:
    """Returns a value as its distribution has it; MLflow's parameters are text."""
    if not isinstance(value, str):
        return value
    if distribution["type"] == "choice":
        options = distribution["values"]
        return next(
            (option for option in options if not isinstance(option, dict | str) and str(option) == value), value
        )
    try:
        number = float(value)
    except ValueError:
        return value
    return int(number) if number.is_integer() and distribution["type"] in ("int", "randint") else number


def frozen(space: Space, past: Past, params: Mapping[str, JSON]) -> FrozenTrial:
    """Returns one trial that ended, with parameters that lie in the space."""
    import optuna

    hidden = space.hide(params)
    known_distributions = space.distributions()
    at = datetime.now()
    trial = optuna.trial.FrozenTrial(
        number=-1,
        trial_id=-1,
        state=optuna.trial.TrialState[past.state.value],
        value=None,
        values=[float(value or 0.0) for value in past.values] if past.state == TrialState.COMPLETE else None,
        datetime_start=at,
        datetime_complete=at,
        params=hidden,
        distributions={name: known_distributions[name] for name in hidden},
        user_attrs={FROM: past.run_id, POINT: dict(params)},
        system_attrs={f"constraints:{name}": value for name, value in past.constraints.items()},
        intermediate_values=dict(past.steps),
    )
    trial._validate()
    return trial
