"""The frame of Azure's three policies: when they are applied, and which figures of which trials they compare."""

from __future__ import annotations

import math
from bisect import insort
from collections import defaultdict
from collections.abc import Callable, Sequence

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

Judge = Callable[[float, Sequence[float]], bool]
Figures = Callable[[Sequence[float]], list[float]]
"""Turns a trial's values, larger is better, into its figure at each interval."""

ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


class AzurePruner(optuna.pruners.BasePruner):
    """Compares a trial's figure with the figures of all trials at the same interval.

    It remembers the figures of trials that are over, so that a decision in a sweep of thousands reads only those that
    run. One pruner serves one study.

    Args:
        mine: the figures of the trial that is judged.
        theirs: the figures that it is compared with.
        judge: decides, from the trial's figure and all figures in ascending order.
        interval: how many values lie between two decisions.
        delay: the first decision comes at the first multiple of ``interval`` that is not smaller.
        ended_too: whether trials that are over are compared with.
    """

    def __init__(
        self, mine: Figures, theirs: Figures, judge: Judge, interval: int = 1, delay: int = 0, ended_too: bool = True
    ) -> None:
        self._mine, self._theirs, self._judge = mine, theirs, judge
        self._interval, self._delay, self._ended_too = interval, delay, ended_too
        self._known: set[int] = set()
        self._ended: defaultdict[int, list[float]] = defaultdict(list)

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Tells whether the trial ends; called after each value that it reports."""
        sign = 1.0 if study.direction == StudyDirection.MAXIMIZE else -1.0
        values = _values(trial, sign)
        at = len(values)
        if not at or at % self._interval or at < self._delay:
            return False
        others = [
            self._theirs(theirs)[at - 1]
            for other in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
            if other.number != trial.number and len(theirs := _values(other, sign)) >= at
        ]
        if self._ended_too:
            self._remember(study, sign)
            others += self._ended[at]
        return self._judge(self._mine(values)[at - 1], sorted([*others, self._theirs(values)[at - 1]]))

    def _remember(self, study: optuna.Study, sign: float) -> None:
        for trial in study.get_trials(deepcopy=False, states=ENDED):
            if trial.number in self._known:
                continue
            self._known.add(trial.number)
            for place, figure in enumerate(self._theirs(_values(trial, sign)), start=1):
                if place % self._interval == 0 and place >= self._delay:
                    insort(self._ended[place], figure)


def _values(trial: FrozenTrial, sign: float) -> list[float]:
    """Returns what a trial reported, by step, larger is better; what is no number is worse than any."""
    told = (sign * value for _, value in sorted(trial.intermediate_values.items()))
    return [-math.inf if math.isnan(value) else value for value in told]


def running_bests(values: Sequence[float]) -> list[float]:
    """Returns the best value up to each interval."""
    found: list[float] = []
    for value in values:
        found.append(max(value, found[-1]) if found else value)
    return found


def running_averages(values: Sequence[float]) -> list[float]:
    """Returns the mean of the finite values up to each interval."""
    found: list[float] = []
    total, count = 0.0, 0
    for value in values:
        if math.isfinite(value):
            total, count = total + value, count + 1
        found.append(total / count if count else -math.inf)
    return found
