"""Samplers of our own: one that tries every point, and one that keeps another on the space as it is now."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.sweeps.space import Space

FIXED = "fixed_params"
"""The system attribute in which Optuna keeps what was enqueued."""

MOST_AGAIN = 10
"""How often a point that was tried already is sampled again."""

MOST_LOOKED_AT = 10_000
"""How many points are looked at for one that agrees with what somebody fixed."""


class Steered(optuna.samplers.BaseSampler):
    """Gives a sampler the space as it is now.

    Samplers find the space in past trials, and leave out what has had other bounds or is not in every trial. Here a
    flat space is known from the start, so that a Sobol sequence begins with its first point and a Gaussian process
    goes on after somebody moved a bound; a Sobol sequence has a dimension for each parameter of each branch too.

    In a space of finitely many points TPE likes to come back to the best one. A point that was tried already tells
    nothing new, so it is sampled again, and after some times at random. Seeds of one point are the sweep's ``repeats``.
    """

    def __init__(self, inner: optuna.samplers.BaseSampler, space: Space, seed: int | None = None) -> None:
        self.inner = inner
        everything = space.flat or isinstance(inner, optuna.samplers.QMCSampler)
        found = space.distributions() if everything else {}
        self._space = {name: found[name] for name in sorted(found) if not found[name].single()}
        self._whole = space
        self._single = {name for name, one in space.distributions().items() if one.single()}
        self._again = isinstance(inner, optuna.samplers.TPESampler) and (space.size() or 0) > 1
        self._random = optuna.samplers.RandomSampler(seed=seed)
        self._tried: set[str] = set()
        self._seen: set[int] = set()

    def reseed_rng(self) -> None:
        """Seeds anew, in a process of its own."""
        self.inner.reseed_rng()

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Returns the parameters that are sampled together."""
        independent = isinstance(self.inner, optuna.samplers.TPESampler) and len(study.directions) > 1
        return self._space if self._space and not independent else self.inner.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, JSON]:
        """Samples parameters together."""
        found = self.inner.sample_relative(study, trial, search_space)
        if not self._again or not (found or self._space):
            return found
        self._look(study, trial)
        for _ in range(MOST_AGAIN):
            if found and self._key(found) not in self._tried:
                return found
            if not found:
                break
            found = self.inner.sample_relative(study, trial, search_space)
        for _ in range(MOST_AGAIN):
            found = {
                name: self._random.sample_independent(study, trial, name, distribution)
                for name, distribution in search_space.items()
            }
            if self._key(found) not in self._tried:
                break
        return found

    def _look(self, study: optuna.Study, current: FrozenTrial) -> None:
        """Takes note of the points of trials that have all their parameters."""
        for trial in _all_trials(study):
            if trial.number != current.number and trial.number not in self._seen and trial.params:
                self._tried.add(self._key(trial.params))
                if trial.state.is_finished():
                    self._seen.add(trial.number)

    def _key(self, hidden: Mapping[str, JSON]) -> str:
        return repr(sorted(self._whole.show({k: v for k, v in hidden.items() if k not in self._single}).items()))

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> JSON:
        """Samples one parameter."""
        return self.inner.sample_independent(study, trial, param_name, param_distribution)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Is told that a trial begins."""
        self.inner.before_trial(study, trial)

    def after_trial(
        self, study: optuna.Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        """Is told how a trial ended."""
        self.inner.after_trial(study, trial, state, values)


class Exhaustive(optuna.samplers.BaseSampler):
    """Tries every point of a finite space once: in order, the last parameter fastest, or shuffled.

    Points that are there already, because somebody enqueued them or the sweep was resumed, are not tried again.
    """

    def __init__(self, space: Space, shuffled: bool = False, seed: int | None = None) -> None:
        self._space = space
        self._size = space.size() or 0
        numbers = random.Random(seed)
        step = numbers.randrange(1, self._size + 1) if shuffled else 1
        while math.gcd(step, self._size) != 1:
            step += 1
        self._step, self._first = step, numbers.randrange(self._size) if shuffled else 0
        self._tried: set[int] = set()
        self._turn = 0
        self._seen = 0
        self._open: set[int] = set()
        self._points: dict[int, dict[str, JSON]] = {}

    def left(self, study: optuna.Study) -> int:
        """Returns how many points have not been tried."""
        self._look(study, None)
        return self._size - len(self._tried)

    def _look(self, study: optuna.Study, current: int | None) -> None:
        """Takes note of the points of trials, those that wait included."""
        trials = _all_trials(study)
        numbers = [*sorted(self._open), *range(self._seen, len(trials))]
        self._seen = len(trials)
        for number in numbers:
            trial = trials[number]
            waits = trial.state == TrialState.WAITING
            place = self._space.place(trial.system_attrs.get(FIXED, {}) if waits else trial.params)
            if place is not None and number != current:
                self._tried.add(place)
            self._open.discard(number)
            if waits or number == current:
                self._open.add(number)

    def _untried(self, fixed: dict[str, JSON]) -> dict[str, JSON]:
        """Returns the next point that agrees with what is fixed; the first one when all were tried."""
        for turn in range(self._turn, self._size):
            place = (self._first + turn * self._step) % self._size
            if place in self._tried:
                self._turn += turn == self._turn
                continue
            point = self._space.at(place)
            if all(name in point and point[name] == value for name, value in fixed.items()):
                return point
            if turn - self._turn > MOST_LOOKED_AT:
                break
        return {}

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Chooses the point of a trial."""
        self._look(study, trial.number)
        self._points = {trial.number: self._untried(trial.system_attrs.get(FIXED, {}))}

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Answers nothing: parameters are asked for one by one, as the branches need them."""
        return {}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, JSON]:
        """Answers nothing."""
        return {}

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> JSON:
        """Returns the parameter of the chosen point, or its first value where the point has none."""
        point = self._points.get(trial.number, {})
        if param_name in point:
            return point[param_name]
        if isinstance(param_distribution, CategoricalDistribution):
            return param_distribution.choices[0]
        assert isinstance(param_distribution, IntDistribution | FloatDistribution)
        return param_distribution.low


def _all_trials(study: optuna.Study) -> list[FrozenTrial]:
    """Returns every trial by number; a Hyperband study shows a sampler those of one bracket only."""
    return study._storage.get_all_trials(study._study_id, deepcopy=False)
