"""The end of a search: an ensemble where it is better, the winner fitted on all rows, and its ONNX form checked."""

from __future__ import annotations

import math
import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.automl import ensemble
from jupyter_mlstudio.automl.evaluate import measured, scores_of, spare_path
from jupyter_mlstudio.automl.family import Making
from jupyter_mlstudio.automl.kept import Record
from jupyter_mlstudio.automl.matrices import codes_of
from jupyter_mlstudio.automl.refit import Fitted, checked, refit, rows_to_check, single, spare
from jupyter_mlstudio.automl.trials import bounds_of
from jupyter_mlstudio.entities.automl import Budget, Candidate, OnnxCheck
from jupyter_mlstudio.errors import Invalid

if TYPE_CHECKING:
    from jupyter_mlstudio.automl.search import Asked, Outcome, Search, Told

VOTE = "VotingEnsemble"
POOL = 25
MOST_NUMBERS = 300_000
"""Of predictions of one model while members are chosen; of more, some rows are taken."""

LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class _Choice:
    """What may win: one candidate, or members with weights."""

    candidate: Candidate
    members: list[Record]
    weights: list[float]


class Finish:
    """Ends a search."""

    def __init__(self, search: Search, told: Told, said: Callable[[], Asked]) -> None:
        self._search, self._told, self._said = search, told, said
        self._models: dict[tuple[int, bool], Any] = {}
        self._number = 10_000

    def run(self) -> Outcome:
        """Chooses, fits and checks the winner; where it does not agree with its ONNX form the next one is taken.

        Raises:
            Invalid: not one model could be fitted.
        """
        from jupyter_mlstudio.automl.search import Outcome

        search = self._search
        ranked = search.ranked()
        if not ranked:
            raise Invalid(_why(list(search.records.values()), search.out))
        choices = self._choices(ranked)
        winner, model = self._first_that_holds(choices)
        for record in list(search.records.values()):
            if record.candidate.number == winner.number:
                search.records[winner.number] = replace(record, candidate=winner)
        self._told(winner)
        candidates = [search.records[number].candidate for number in sorted(search.records)]
        oof = {one.number: found for one in candidates if (found := search.oof(one.number)) is not None}
        parts = {name: round(seconds, 3) for name, seconds in search.clock.parts.items()}
        budget = Budget(timeout_s=search.clock.timeout_s, used_s=search.clock.used_s, parts=parts)
        return Outcome(candidates, search.families, winner, model, oof, budget)

    def _choices(self, ranked: list[Record]) -> list[_Choice]:
        began = time.monotonic()
        best = [_Choice(one.candidate, [one], [1.0]) for one in ranked[:4]]
        found = self._ensemble(ranked) if self._search.spec.training.enable_vote_ensemble else None
        self._search.clock.parts["ensemble"] += time.monotonic() - began
        if found is None:
            return best
        choice, better = found
        return [choice, *best] if better else [*best[:1], choice, *best[1:]]

    def _ensemble(self, ranked: list[Record]) -> tuple[_Choice, bool] | None:
        """The vote of the best candidates, and whether it is better than the best one; None with fewer than two."""
        search = self._search
        pool = self._pool(ranked)
        predictions = [search.kept.oof(one.candidate.number) for one in pool]
        rows = [one for one, found in zip(pool, predictions, strict=True) if found is not None]
        found = [one for one in predictions if one is not None]
        if len(rows) < 2:
            return None
        until = time.monotonic() + 0.15 * search.clock.left_s
        weights = ensemble.select(
            self._thinned(found), self._loss(found[0]), timed_out=lambda: time.monotonic() > until
        )
        if len(weights) < 2:
            return None
        mixed = ensemble.mixed(found, weights)
        members = [rows[place] for place in weights]
        choice = self._voted(members, list(weights.values()), mixed)
        better = ensemble.is_better(search.metric, choice.candidate.folds, rows[0].candidate.folds)
        return choice, better

    def _pool(self, ranked: list[Record]) -> list[Record]:
        """Who may be a member: the best, and the best of each family, that can be fitted in the time that is left."""
        search = self._search
        firsts = {record.candidate.family: record for record in reversed(ranked)}
        wanted = ranked[:POOL] + [one for one in firsts.values() if one not in ranked[:POOL]]
        room = 0.5 * search.clock.left_s / ensemble.MOST_MEMBERS * max(1, search.limits.max_concurrent_trials)
        return [ranked[0], *(one for one in wanted if one is not ranked[0] and search.refit_s(one) <= 2.5 * room)]

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

    def _loss(self, like: NDArray[np.float64]) -> Callable[[NDArray[np.float64]], float]:
        """The mean loss over the folds, of the rows that are looked at."""
        search, plan = self._search, self._search.plan
        places = self._places(like[0].size)
        ends = np.cumsum([len(one) for one in places])[:-1]
        rows = [np.asarray(plan.folds[fold][1])[one] for fold, one in zip(search.rungs.folds, places, strict=True)]
        scale = None if plan.classes is not None else float(np.ptp(plan.y)) or 1.0
        own = getattr(plan, "score", None)

        def score(which: NDArray[np.int64], part: NDArray[np.float64]) -> float:
            if own is not None:
                return float(own(search.metric, which, part))
            weights = None if plan.weights is None else plan.weights[which]
            return search.metric.score(plan.y[which], part, weights, scale=scale, positive=plan.positive)

        def loss(predicted: NDArray[np.float64]) -> float:
            parts = np.split(predicted, ends)
            return float(np.mean([
                search.metric.loss(score(which, part)) for which, part in zip(rows, parts, strict=True)
            ]))  # fmt: skip

        return loss

    def _voted(self, members: list[Record], weights: list[float], mixed: NDArray[np.float64]) -> _Choice:
        from jupyter_mlstudio.automl.evaluate import write_array

        search = self._search
        earlier = [one for one in search.records.values() if one.candidate.stage == "ensemble"]
        number = max(search.records) + 1 if not earlier else earlier[0].candidate.number
        folds = scores_of(search.plan, search.metric, search.rungs.folds, mixed)
        write_array(search.kept.oof_path(number), mixed)
        low, high = bounds_of(search, number, folds)
        candidate = Candidate(
            number=number, run_id="", family=VOTE, stage="ensemble", score=float(np.mean(folds)), low=low, high=high,
            folds=folds, metrics=measured(search.plan, search.shape, search.rungs.folds, mixed),
            rows=max(one.candidate.rows for one in members), fit_s=sum(one.candidate.fit_s for one in members),
            predict_ms=sum(one.candidate.predict_ms for one in members),
            size_bytes=sum(one.candidate.size_bytes for one in members),
            weights={str(one.candidate.number): weight for one, weight in zip(members, weights, strict=True)},
        )  # fmt: skip
        loss = search.metric.loss(float(np.mean(folds)))
        search.records[number] = Record(candidate, loss=loss, whole=True)
        search.kept.write(search.records[number])
        self._told(replace(candidate, score=None, folds=[], metrics={}, low=None, high=None))
        self._told(candidate)
        return _Choice(candidate, members, weights)

    def _first_that_holds(self, choices: list[_Choice]) -> tuple[Candidate, Any]:
        """Fits and checks one after the other until one holds, or there is no more time."""
        search = self._search
        fallback: tuple[Candidate, Any] | None = None
        for choice in choices:
            if fallback is not None and search.clock.left_s < 0.02 * search.clock.timeout_s:
                break
            began = time.monotonic()
            model = self._model(choice)
            search.clock.parts["refit"] += time.monotonic() - began
            if model is None:
                continue
            found = self._checked(choice, model)
            candidate = replace(choice.candidate, onnx=found)
            self._note(candidate)
            if found is None or found.ready:
                return candidate, model
            fallback = fallback or (candidate, model)
        return fallback or self._spare(choices)

    def _note(self, candidate: Candidate) -> None:
        record = replace(self._search.records[candidate.number], candidate=candidate)
        self._search.records[candidate.number] = record
        self._search.kept.write(record)
        self._told(candidate)

    def _checked(self, choice: _Choice, model: Any) -> OnnxCheck | None:
        """The check of a model; None where the time was over before it ended and its family's passed."""
        search = self._search
        began = time.monotonic()
        room = max(0.5, search.clock.left_s + 0.03 * search.clock.timeout_s)
        self._number += 1
        rows = rows_to_check(search.plan, search.spec.seed)
        search.workers.start(self._number, checked, search.check, model, rows, timeout_s=room)
        found = self._wait([self._number]).get(self._number)
        search.clock.parts["onnx"] += time.monotonic() - began
        if isinstance(found, OnnxCheck):
            return found
        return OnnxCheck(ready=False, reason=f"the check did not end: {found}")

    def _model(self, choice: _Choice) -> Any | None:
        """A choice, fitted on all rows; None when there is no time for it."""
        alone = len(choice.members) == 1
        fitted = self._fitted(choice.members, alone)
        if any(one is None for one in fitted):
            return None
        plan = self._search.plan
        if alone:
            return single(plan, self._search.by_name[choice.members[0].candidate.family], fitted[0])
        names = [f"{one.candidate.family.lower()}_{one.candidate.number}" for one in choice.members]
        return ensemble.vote(list(zip(names, fitted, strict=True)), choice.weights, plan.classes)

    def _fitted(self, members: list[Record], labels: bool) -> list[Any]:
        """Members fitted on all rows, as many at once as trials; those that are fitted already are taken."""
        search = self._search
        key = {one.candidate.number: (one.candidate.number, labels) for one in members}
        if labels and (members[0].candidate.number, False) in self._models:
            return [self._models[members[0].candidate.number, False]]
        waiting = [one for one in members if key[one.candidate.number] not in self._models]
        running: dict[int, Record] = {}
        while waiting or running:
            while waiting and len(running) < max(1, search.limits.max_concurrent_trials):
                record = waiting.pop(0)
                if not self._begin(record, labels):
                    return [None]
                running[self._number] = record
            for number, value in self._wait(list(running), first=True).items():
                record = running.pop(number)
                if not isinstance(value, Fitted):
                    for other in running:
                        search.workers.kill(other)
                    return [None]
                self._models[key[record.candidate.number]] = pickle.loads(value.path.read_bytes())
        return [self._models[key[one.candidate.number]] for one in members]

    def _begin(self, record: Record, labels: bool) -> bool:
        search, plan = self._search, self._search.plan
        family = search.by_name[record.candidate.family]
        room = search.clock.left_s - 0.3
        if search.refit_s(record) > 1.5 * room + 1.0 or room <= 0:
            return False
        making = Making(search.shape, search.spec.seed, search.threads(), codes_of(plan, family.form))
        self._number += 1
        path = search.kept.models / f"{record.candidate.number:05d}.pkl"
        search.workers.start(
            self._number, refit, plan, family, record.candidate.params, making, self._rows(record), path, labels,
            timeout_s=room, memory_bytes=search.memory_bytes(),
        )  # fmt: skip
        return True

    def _rows(self, record: Record) -> NDArray[np.int64]:
        """All rows; or only as many as there is time for, when no candidate was fitted on all."""
        search = self._search
        count = len(search.plan.X)
        if record.whole or search.refit_s(record) < 0.6 * search.clock.left_s:
            return np.arange(count)
        return search.matrices.training_rows(search.rungs.folds[-1], record.candidate.rows)

    def _wait(self, numbers: list[int], first: bool = False) -> dict[int, Any]:
        """What workers end with; a reason where one failed, or people ask to stop."""
        search = self._search
        found: dict[int, Any] = {}
        while len(found) < len(numbers):
            for event in search.workers.events(LOOK_S):
                if event.number in numbers and event.what != "said":
                    found[event.number] = event.value
            self._said()
            if first and found:
                break
        return found

    def _spare(self, choices: list[_Choice]) -> tuple[Candidate, Any]:
        """The best candidate's model of its last fold, when nothing was fitted on all rows in time."""
        search = self._search
        for record in search.ranked():
            path = spare_path(search.kept.oof_path(record.candidate.number))
            if path.is_file():
                family = search.by_name[record.candidate.family]
                model = spare(search.plan, family, path)
                found = self._checked(_Choice(record.candidate, [record], [1.0]), model)
                candidate = replace(record.candidate, onnx=found)
                self._note(candidate)
                return candidate, model
        raise Invalid("no model could be fitted on all rows in time: give it more time, or fewer rows")


def _why(records: list[Record], out: dict[str, str]) -> str:
    reasons = [f"{one.candidate.family}: {one.candidate.failed}" for one in records if one.candidate.failed]
    reasons += [f"{name}: {reason}" for name, reason in out.items()]
    return f"no model could be fitted ({'; '.join(dict.fromkeys(reasons)) or 'there was no time'}): give it more time"
