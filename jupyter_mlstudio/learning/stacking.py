"""The stack of a search: who is in it, what it is worth on rows that it did not learn from, if there is time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning import stack
from jupyter_mlstudio.learning.ensemble import MOST_MEMBERS
from jupyter_mlstudio.learning.kept import Record
from jupyter_mlstudio.learning.state import State

STACK = "StackEnsemble"
NUMBER = 9_999
PARTS = 5
"""Of the rows of a search with one fold, where the stack learns from some and is judged by others."""

MOST_S, SHARE = 20.0, 0.1
"""Learning the model on top may take so long, and so much of what is left."""

LOOK_S = 0.1


class Stacking:
    """Makes the stack of a search.

    Args:
        has_time: whether there is time to fit and check members of an ensemble.
        seconds: that one takes for that.
    """

    def __init__(
        self, search: State, has_time: Callable[[list[Record]], bool], seconds: Callable[[Record], float]
    ) -> None:
        self._search, self._has_time, self._seconds = search, has_time, seconds

    def made(self, first: Sequence[Record], pool: Sequence[Record]) -> tuple[stack.Learnt, list[Record]]:
        """Learns a stack of those that are voted for, and the best of each family.

        Args:
            first: members of the vote, if there is one; ``pool``: who may be a member, the best first.

        Returns:
            The stack, and its members.

        Raises:
            Invalid: there is none; it says why.
        """
        search = self._search
        members = self._members(first, pool)
        predictions = [np.asarray(search.kept.oof(one.candidate.number)) for one in members]
        rows = search.rungs.judged(search.plan)
        weights = None if search.plan.weights is None else search.plan.weights[rows]
        classes = search.shape.classes
        top = stack.top_of(search.spec.training.stack_ensemble_settings, classes, search.shape.balance)
        found = self._worked(top, predictions, search.plan.y[rows], weights, parts_of(search), classes)
        chosen = [members[number] for number in found.members]
        if len(chosen) < 2:
            raise Invalid(f"it would be of one model alone, {chosen[0].candidate.family}")
        return found, chosen

    def _members(self, first: Sequence[Record], pool: Sequence[Record]) -> list[Record]:
        kept = [one for one in pool if self._search.kept.oof_path(one.candidate.number).is_file()]
        families = {one.candidate.family: one for one in reversed(kept)}
        wanted = {one.candidate.number: one for one in [*first, *kept[:1], *sorted(families.values(), key=_loss)]}
        members = sorted(list(wanted.values())[:MOST_MEMBERS], key=_loss)
        if len(members) < 2:
            raise Invalid("there is one model only")
        while not self._has_time(members):
            members.remove(max(members, key=self._seconds))
            if len(members) < 2:
                raise Invalid("there was no time to fit its members on all rows")
        return members

    def _worked(self, top: Any, *arguments: Any) -> stack.Learnt:
        """Learns in a worker, which is ended when it takes too long."""
        search = self._search
        room = min(MOST_S, SHARE * search.clock.left_s)
        if room < LOOK_S:
            raise Invalid("there was no time")
        search.workers.start(NUMBER, stack.work, top, *arguments, search.spec.seed, timeout_s=room)
        until = time.monotonic() + room + 1.0
        while time.monotonic() < until:
            for event in search.workers.events(LOOK_S):
                if event.number == NUMBER and event.what == "done":
                    found: stack.Learnt = event.value
                    return found
                if event.number == NUMBER and event.what == "failed":
                    raise Invalid(f"its model on top could not be learnt: {event.value}")
        search.workers.kill(NUMBER)
        raise Invalid("there was no time to learn its model on top")


def parts_of(search: State) -> list[NDArray[np.int64]]:
    """The rows of each fold, as places among those that are judged; of one fold, parts of its rows.

    A row that is judged several times is each time in the part of its first, so that none is learnt from elsewhere.
    """
    plan = search.plan
    sizes = [len(plan.folds[fold][1]) for fold in search.rungs.folds]
    if search.rungs.once:
        rows = search.rungs.judged(plan)
        return [np.flatnonzero(np.isin(rows, plan.folds[fold][1])) for fold in range(search.rungs.once)]
    if len(sizes) > 1:
        return np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:-1])
    order = np.random.default_rng(search.spec.seed).permutation(sizes[0])
    return [np.sort(part) for part in np.array_split(order, PARTS)]


def _loss(record: Record) -> tuple[float, int]:
    return record.loss, record.candidate.number
