"""A search space as Optuna needs it: what a trial asks for, in which order, and which values come back."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from jupyter_mlstudio.entities import points, spaces
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.sweeps.scales import Scale

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.trial import Trial

POINT = "point"
"""The user attribute of a trial that was enqueued: the parameters as they were given, to the last digit."""


class Space:
    """Draws the parameters of trials.

    It holds no state besides the space itself, so that a sweep whose bounds change takes another one and goes on.

    Args:
        space: as :mod:`jupyter_mlstudio.entities.spaces` describes it.
        base: of the logarithms of Azure's distributions, e unless its ``logbase`` says otherwise.

    Raises:
        Invalid: the space cannot be drawn from.
    """

    def __init__(self, space: dict[str, dict[str, JSON]], base: float = math.e) -> None:
        spaces.check(space)
        self.space = space
        self.base = base
        self._scales = {name: Scale(name, distribution, base) for name, distribution in spaces.every(space)}
        for scale in self._scales.values():
            if scale.kind != "choice":
                _ = scale.bounds
        self.names = {scale.hidden: name for name, scale in self._scales.items()}
        """Optuna's name of a parameter -> its own."""

    @property
    def flat(self) -> bool:
        """Whether every trial has the same parameters."""
        return len(self._scales) == len(self.space) and not any(
            isinstance(option, dict) for one in self.space.values() for option in one.get("values", ())
        )

    def distributions(self) -> dict[str, BaseDistribution]:
        """Returns every parameter of Optuna's, those in branches too, with its distribution."""
        return {scale.hidden: scale.optuna() for scale in self._scales.values()}

    def suggest(self, trial: Trial) -> dict[str, JSON]:
        """Asks for a trial's parameters and returns their values; in a branch, also its constants."""
        given = trial.user_attrs.get(POINT) or {}
        return dict(self._suggested(self.space, trial, given if isinstance(given, dict) else {}))

    def _suggested(self, entries: dict[str, JSON], trial: Trial, given: dict[str, JSON]) -> Iterator[tuple[str, JSON]]:
        for name, entry in entries.items():
            if not spaces.is_distribution(entry):
                yield name, entry
                continue
            scale = self._scales[name]
            hidden = _ask(trial, scale)
            if scale.kind == "choice":
                option = _option(entry, hidden)
                yield name, hidden if isinstance(option, dict) else option
                if isinstance(option, dict):
                    yield from self._suggested(spaces.entries(option), trial, given)
            elif name in given and scale.hidden != name and hidden == scale.unvalue(given[name]):
                yield name, given[name]
            else:
                yield name, scale.value(hidden)

    def hide(self, params: Mapping[str, JSON], anyhow: bool = False) -> dict[str, JSON]:
        """Returns Optuna's parameters for a point that may leave some out; what is a constant is left out.

        Args:
            params: the point.
            anyhow: numbers may lie outside the bounds, as they are now, and unknown names are passed over.

        Raises:
            Invalid: the point does not lie in the space.
        """
        if not anyhow:
            points.check_point(self.space, dict(params), self.base)
        found: dict[str, JSON] = {}
        for name, scale in self._scales.items():
            if name not in params:
                continue
            if scale.kind == "choice":
                key = points.chosen_key(scale.distribution, params[name])
                found.update({} if key is None else {name: key[0]})
            elif points.lies_in(scale.distribution, params[name], self.base):
                found[scale.hidden] = scale.unvalue(params[name])
            elif anyhow and isinstance(params[name], int | float):
                found[scale.hidden] = scale.unvalue(params[name], clipped=False)
        return found

    def show(self, hidden: Mapping[str, JSON]) -> dict[str, JSON]:
        """Returns the values of a trial from Optuna's parameters, as :meth:`suggest` did."""
        return dict(self._shown(self.space, hidden))

    def _shown(self, entries: dict[str, JSON], hidden: Mapping[str, JSON]) -> Iterator[tuple[str, JSON]]:
        for name, entry in entries.items():
            if not spaces.is_distribution(entry):
                yield name, entry
            elif (scale := self._scales[name]).hidden in hidden:
                found = hidden[scale.hidden]
                option = _option(entry, found) if scale.kind == "choice" else None
                if isinstance(option, dict):
                    yield name, found
                    yield from self._shown(spaces.entries(option), hidden)
                else:
                    yield name, option if scale.kind == "choice" else scale.value(found)

    def active(self, params: Mapping[str, JSON]) -> Iterator[tuple[str, dict[str, JSON]]]:
        """Yields the parameters with a distribution that a trial with these choices has."""
        wanted = [self.space]
        while wanted:
            for name, entry in wanted.pop().items():
                if not spaces.is_distribution(entry):
                    continue
                yield name, entry
                key = points.chosen_key(entry, params.get(name)) if entry["type"] == "choice" else None
                option = _option(entry, key[0]) if key else None
                wanted += [spaces.entries(option)] if isinstance(option, dict) else []

    def enqueue(self, study: Study, params: Mapping[str, JSON], user_attrs: dict[str, JSON] | None = None) -> None:
        """Has a point tried next; parameters that it leaves out are sampled.

        Raises:
            Invalid: the point does not lie in the space.
        """
        study.enqueue_trial(self.hide(params), user_attrs={**(user_attrs or {}), POINT: dict(params)})

    def size(self) -> int | None:
        """Returns how many different points there are, None for infinitely many."""
        return self._size(self.space)

    def _size(self, entries: dict[str, JSON]) -> int | None:
        total = 1
        for parts in self._parts(entries):
            if None in parts[1]:
                return None
            total *= sum(part for part in parts[1] if part is not None)
        return total

    def _parts(self, entries: dict[str, JSON]) -> Iterator[tuple[Scale, list[int | None]]]:
        """Yields each parameter with how many points each of its values stands for (a number has one part for all)."""
        for name, entry in entries.items():
            if not spaces.is_distribution(entry):
                continue
            scale = self._scales[name]
            if scale.kind == "choice":
                options = entry["values"]
                parts = [self._size(spaces.entries(one)) if isinstance(one, dict) else 1 for one in options]
                yield scale, parts
            else:
                yield scale, [scale.count()]

    def infinite(self) -> list[str]:
        """Returns the names of parameters with infinitely many values."""
        return [name for name, scale in self._scales.items() if scale.count() is None]

    def at(self, place: int) -> dict[str, JSON]:
        """Returns Optuna's parameters of the point at a place of the grid; the last parameter changes fastest."""
        return self._at(self.space, place)

    def _at(self, entries: dict[str, JSON], place: int) -> dict[str, JSON]:
        found: list[dict[str, JSON]] = []
        for scale, parts in reversed(list(self._parts(entries))):
            sizes = [part or 0 for part in parts]
            place, inner = divmod(place, sum(sizes))
            if scale.kind != "choice":
                found.append({scale.hidden: scale.at(inner)})
                continue
            number = 0
            while inner >= sizes[number]:
                inner -= sizes[number]
                number += 1
            option = scale.distribution["values"][number]
            below = self._at(spaces.entries(option), inner) if isinstance(option, dict) else {}
            found.append({scale.hidden: spaces.choice_key(option, number), **below})
        return {name: value for one in reversed(found) for name, value in one.items()}

    def place(self, hidden: Mapping[str, JSON]) -> int | None:
        """Returns the place of a point in the grid, the opposite of :meth:`at`; None when it does not lie on it."""
        return self._place(self.space, hidden)

    def _place(self, entries: dict[str, JSON], hidden: Mapping[str, JSON]) -> int | None:
        place = 0
        for scale, parts in self._parts(entries):
            sizes = [part or 0 for part in parts]
            if scale.hidden not in hidden:
                return None
            found = hidden[scale.hidden]
            if scale.kind != "choice":
                inner = scale.place(found)
            else:
                options = scale.distribution["values"]
                number = [spaces.choice_key(option, place) for place, option in enumerate(options)].index(found)
                option = options[number]
                inner = self._place(spaces.entries(option), hidden) if isinstance(option, dict) else 0
                inner = None if inner is None else inner + sum(sizes[:number])
            if inner is None:
                return None
            place = place * sum(sizes) + inner
        return place


def _option(distribution: dict[str, JSON], key: JSON) -> JSON:
    options = distribution["values"]
    keys = [spaces.choice_key(option, place) for place, option in enumerate(options)]
    return options[keys.index(key)]


def _ask(trial: Trial, scale: Scale) -> JSON:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    one = scale.optuna()
    if isinstance(one, CategoricalDistribution):
        return trial.suggest_categorical(scale.hidden, one.choices)
    if isinstance(one, IntDistribution):
        return trial.suggest_int(scale.hidden, one.low, one.high, step=one.step, log=one.log)
    assert isinstance(one, FloatDistribution)
    return trial.suggest_float(scale.hidden, one.low, one.high, step=one.step, log=one.log)
