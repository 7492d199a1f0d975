"""What may win: the best candidates, and a vote and a stack of them that there is time for."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.entities.automl_candidates import Candidate
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning import ensemble, temperature
from jupyter_mlstudio.learning.doubt import Doubt, mistakes_of
from jupyter_mlstudio.learning.evaluate import measured, scores_of, write_array
from jupyter_mlstudio.learning.kept import Record
from jupyter_mlstudio.learning.stack import shares, top_weights
from jupyter_mlstudio.learning.stacking import STACK, Stacking, parts_of
from jupyter_mlstudio.learning.state import MARGIN, State, Told
from jupyter_mlstudio.learning.trials import bounds_of

VOTE = "VotingEnsemble"
SHARE = 1 / MARGIN
"""Of what is left that a vote may be expected to take."""

MEMBER = 0.5
"""Of that time, what the fit of one member may take where one is fitted after the other."""

VOTE_ERRORS, STACK_ERRORS = 0.1, 0.5
"""Standard errors that an ensemble must be better by; what learns more, a stack or a temperature, can learn chance."""

CHOOSING, FORESEEING = 0.15, 0.02
"""Of what is left that choosing members may take; and guessing who they will be."""

FEW_ROWS, SELECTIONS, START = 1000, 8, 3
"""To so few rows of classes members are fitted by chance: they are chosen so often, from so many of the best on.

Fewer of the best are in from the beginning where there are fewer than eight models for each of them.
"""

POOL = 25
MOST_NUMBERS = 300_000
"""Of predictions of one model while members are chosen; of more, some rows are taken."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What may win: one candidate, or members with weights.

    Args:
        top: the model that a stack has on top of its members.
        temperature: of the probabilities of a vote.
    """

    candidate: Candidate
    members: list[Record]
    weights: list[float]
    top: Any = None
    temperature: float | None = None


class Choices:
    """Makes the choices of a search, in the order in which they are tried.

    Args:
        left_s: the time that there will be for an ensemble; None is what is left.
    """

    def __init__(self, search: State, told: Told, left_s: float | None = None) -> None:
        self._search, self._told, self._given_s = search, told, left_s

    def made(self, ranked: list[Record]) -> list[Choice]:
        """The winner first, then what is taken where it does not hold."""
        began = time.monotonic()
        best = [Choice(one.candidate, [one], [1.0]) for one in ranked[:4]]
        pool, wanted = self._pool(ranked), self._search.spec.training
        vote = self._ensemble(pool) if wanted.enable_vote_ensemble else None
        stack = self._stack(vote, pool) if wanted.enable_stack_ensemble else None
        self._search.clock.parts["ensemble"] += time.monotonic() - began
        order = best
        for one in (vote, stack):
            if one is not None:
                order = [one, *order] if self._is_better(one, order[0]) else [*order[:1], one, *order[1:]]
        return order

    def voters(self, ranked: list[Record]) -> list[Record]:
        """Who would vote if the search ended now, or who would win alone; nobody where there are fewer than two."""
        rows, found = self._predicted(self._pool(ranked))
        return [rows[place] for place in self._weights(rows, found, FORESEEING)] if len(rows) > 1 else []

    def _is_better(self, one: Choice, other: Choice) -> bool:
        metric, doubt = self._search.metric, Doubt(self._search)
        if self._has_few_rows():  # the best score of many is partly luck, and so is what a stack learns
            if one.candidate.family == VOTE:
                return any(score != metric.best for score in other.candidate.folds)
            if other.candidate.family == VOTE:
                return False
        errors = VOTE_ERRORS if one.candidate.family == VOTE else STACK_ERRORS
        return ensemble.is_better(metric, doubt.folds(one.candidate), doubt.folds(other.candidate), errors)

    def _stack(self, vote: Choice | None, pool: list[Record]) -> Choice | None:
        """A stack that there is time for; where there is none, its line among the families says why."""
        search = self._search
        search.out.pop(STACK, None)
        try:
            found, members = Stacking(search, self._has_time, self._end_s).made(vote.members if vote else [], pool)
        except Invalid as error:
            search.out[STACK] = error.message
            return None
        weights = shares(found.top, len(members))
        return self._told_of(STACK, members, weights, found.predicted, top=found.top)

    def _ensemble(self, pool: list[Record]) -> Choice | None:
        """A vote that there is time for; None with fewer than two members."""
        rows, found = self._predicted(pool)
        if len(rows) < 2:
            return None
        weights = self._weights(rows, found)
        if len(weights) < 2:
            return None
        members, mixed = [rows[place] for place in weights], ensemble.mixed(found, weights)
        degree, predicted = self._tempered(mixed)
        return self._told_of(VOTE, members, list(weights.values()), predicted, degree=degree)

    def _predicted(self, pool: list[Record]) -> tuple[list[Record], list[NDArray[np.float64]]]:
        """Those of the pool whose predictions out of fold are there, and these."""
        found = [(one, self._search.kept.oof(one.candidate.number)) for one in pool]
        there = [(one, predicted) for one, predicted in found if predicted is not None]
        return [one for one, _ in there], [predicted for _, predicted in there]

    def _tempered(self, mixed: NDArray[np.float64]) -> tuple[float | None, NDArray[np.float64]]:
        """The temperature of a vote, where its log loss is asked for and is less with it, and its predictions so."""
        search, plan = self._search, self._search.plan
        if search.metric.name != "log_loss" or not temperature.is_known():
            return None, mixed
        rows = search.rungs.judged(plan)
        weights = None if plan.weights is None else plan.weights[rows]
        mistakes = mistakes_of(rows)
        found = temperature.out_of_fold(mixed, plan.y[rows], weights, parts_of(search), mistakes)
        tempered, plain = (scores_of(plan, search.metric, search.rungs.folds, one) for one in (found, mixed))
        if not ensemble.is_better(search.metric, tempered, plain, STACK_ERRORS):
            return None, mixed
        return temperature.best(mixed, plan.y[rows], weights, mistakes), found

    def _weights(
        self, rows: list[Record], found: list[NDArray[np.float64]], share: float = CHOOSING
    ) -> dict[int, float]:
        """Weights by place of members that there is time for.

        Where there is not, it goes without those that weigh least for the time that they take. As long as choosing has
        time, others are chosen in their stead.
        """
        search = self._search
        until = time.monotonic() + share * search.clock.left_s
        thinned, losses = self._thinned(found), self._losses(found[0])
        seconds = [self._more_s(one) for one in rows]
        places = list(range(len(rows)))
        began = time.monotonic()

        def chosen() -> dict[int, float]:
            there = [thinned[one] for one in places]
            start = max(1, min(START, len(there) // 8)) if len(losses) > 1 else 1
            made = ensemble.select_often(there, losses, start=start, timed_out=lambda: time.monotonic() > until)
            return {places[place]: weight for place, weight in made.items()}

        weights = chosen()
        took = time.monotonic() - began
        while len(weights) > 1 and not self._has_time([rows[place] for place in weights]):
            out = min((place for place in weights if place), key=lambda place: weights[place] / seconds[place])
            places = [place for place in places if place in weights or seconds[place] < seconds[out]]
            places.remove(out)
            again = time.monotonic() + took < until and len(places) > 1
            weights = chosen() if again else ensemble.shares({one: weights[one] for one in weights if one != out})
        return weights

    def _pool(self, ranked: list[Record]) -> list[Record]:
        """Who may be a member: the best, and the best of each family, that leave time for others."""
        search = self._search
        firsts = {record.candidate.family: record for record in reversed(ranked)}
        wanted = ranked[:POOL] + [one for one in firsts.values() if one not in ranked[:POOL]]
        most = min(1.0, MEMBER * max(1, search.limits.max_concurrent_trials)) * SHARE * self._left_s
        return [ranked[0], *(one for one in wanted if one is not ranked[0] and search.refit_s(one) <= most)]

    def _places(self, numbers: int) -> list[NDArray[np.int64]]:
        """For each fold which of its rows are looked at while members are chosen."""
        search = self._search
        sizes = [len(search.plan.folds[fold][1]) for fold in search.rungs.folds]
        share = min(1.0, MOST_NUMBERS / max(1, sum(sizes) * numbers))
        rng = np.random.default_rng(search.spec.seed)
        return [np.sort(rng.permutation(size)[: max(50, math.ceil(share * size))]) for size in sizes]

    def _thinned(self, found: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
        search = self._search
        places = self._places(found[0][0].size)
        starts = np.cumsum([0, *(len(search.plan.folds[fold][1]) for fold in search.rungs.folds)])
        picked = np.concatenate([start + one for start, one in zip(starts, places, strict=False)])
        return [one[picked] for one in found]

    def _losses(self, like: NDArray[np.float64]) -> list[Callable[[NDArray[np.float64]], float]]:
        """By what members are chosen: where few rows have classes, several draws of what each row counts.

        A draw is one of the Bayesian bootstrap (Rubin, 1981): no row counts nothing, so each fold keeps its classes.
        """
        if not self._has_few_rows():
            return [self._loss(like)]
        rng, rows = np.random.default_rng(self._search.spec.seed), len(self._search.plan.y)
        return [self._loss(like, rng.exponential(size=rows)) for _ in range(SELECTIONS)]

    def _has_few_rows(self) -> bool:
        """Whether there are so few rows with classes that some models are good at them by chance."""
        plan = self._search.plan
        return plan.classes is not None and len(plan.y) <= FEW_ROWS

    def _loss(
        self, like: NDArray[np.float64], counts: NDArray[np.float64] | None = None
    ) -> Callable[[NDArray[np.float64]], float]:
        """The mean loss over the folds, of the rows that are looked at, with what it costs to be sure of few.

        Args:
            counts: how much each row of the table counts, beside its weight.
        """
        search, plan, doubt = self._search, self._search.plan, Doubt(self._search)
        places = self._places(like[0].size)
        ends = np.cumsum([len(one) for one in places])[:-1]
        rows = [np.asarray(plan.folds[fold][1])[one] for fold, one in zip(search.rungs.folds, places, strict=True)]
        scale = None if plan.classes is not None else float(np.ptp(plan.y)) or 1.0
        own = getattr(plan, "score", None)
        given = [one for one in (plan.weights, counts) if one is not None]
        weights = np.prod(given, axis=0) if given else None

        def score(which: NDArray[np.int64], part: NDArray[np.float64]) -> float:
            if own is not None:
                return float(own(search.metric, which, part))
            counted = None if weights is None else weights[which]
            return search.metric.score(plan.y[which], part, counted, scale=scale, positive=plan.positive)

        def loss(predicted: NDArray[np.float64]) -> float:
            parts = np.split(predicted, ends)
            found = [search.metric.loss(score(which, part)) for which, part in zip(rows, parts, strict=True)]
            return float(np.mean(found)) + doubt(predicted)

        return loss

    def _told_of(
        self, name: str, members: list[Record], weights: list[float], mixed: NDArray[np.float64], *,
        top: Any = None, degree: float | None = None,
    ) -> Choice:  # fmt: skip
        """Scores an ensemble by its predictions out of fold, keeps it, and tells of it."""
        search = self._search
        earlier = [one for one in search.records.values() if one.candidate.family == name]
        number = max(search.records) + 1 if not earlier else earlier[0].candidate.number
        folds = scores_of(search.plan, search.metric, search.rungs.folds, mixed)
        write_array(search.kept.oof_path(number), mixed)
        low, high = bounds_of(search, number, folds)
        candidate = Candidate(
            number=number, run_id="", family=name, stage="ensemble", score=float(np.mean(folds)), low=low, high=high,
            params={} if degree is None else {temperature.PARAMETER: degree},
            folds=folds, metrics=measured(search.plan, search.shape, search.rungs.folds, mixed),
            rows=max(one.candidate.rows for one in members), fit_s=sum(one.candidate.fit_s for one in members),
            predict_ms=sum(one.candidate.predict_ms for one in members),
            size_bytes=sum(one.candidate.size_bytes for one in members),
            weights={str(one.candidate.number): weight for one, weight in zip(members, weights, strict=True)},
        )  # fmt: skip
        loss = search.metric.loss(float(np.mean(folds)))
        search.records[number] = Record(candidate, loss=loss, whole=True)
        search.kept.write(search.records[number])
        if top is not None:
            search.kept.write_top(number, top_weights(top))
        self._told(replace(candidate, score=None, folds=[], metrics={}, low=None, high=None))
        self._told(candidate)
        return Choice(candidate, members, weights, top, degree)

    def _end_s(self, record: Record) -> float:
        return self._search.refit_s(record) + self._search.check_s([record])

    def _more_s(self, record: Record) -> float:
        """What a vote takes longer with a member."""
        search = self._search
        return max(1e-3, search.refit_s(record) + search.check_s([record]) - search.check_s([]))

    def _has_time(self, members: list[Record]) -> bool:
        search = self._search
        fits = sum(search.refit_s(one) for one in members) / max(1, search.limits.max_concurrent_trials)
        return fits + search.check_s(members) <= SHARE * self._left_s

    @property
    def _left_s(self) -> float:
        return self._search.clock.left_s if self._given_s is None else self._given_s
