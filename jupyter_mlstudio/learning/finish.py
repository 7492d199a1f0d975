"""The end of a search: an ensemble where it is better, the winner fitted on all rows, and its ONNX form checked."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.entities.automl_candidates import Candidate, OnnxCheck
from jupyter_mlstudio.entities.automl_reports import Budget
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning import ensemble, stack, temperature
from jupyter_mlstudio.learning.choices import Choice, Choices
from jupyter_mlstudio.learning.evaluate import spare_path
from jupyter_mlstudio.learning.family import Making
from jupyter_mlstudio.learning.kept import Record
from jupyter_mlstudio.learning.matrices import codes_of
from jupyter_mlstudio.learning.proofs import SHARE
from jupyter_mlstudio.learning.refit import Fitted, checked, refit, rows_to_check, single, spare
from jupyter_mlstudio.learning.rest import Rest
from jupyter_mlstudio.learning.state import Asked, Outcome, State, Told

LOOK_S = 0.1
EARLY_S, LATE_S = 0.5, 3.0
"""The least time that a check has; where the one before did not hold, a little beyond the run's own."""

OTHERS_S = 2.0
"""What checks of those that did not win may take at least; of a long search a share of its time."""

ROWS_SHARE = 0.75
"""Of what is left after the check that fits of as many rows as there is time for may take."""


class Finish:
    """Ends a search."""

    def __init__(self, search: State, told: Told, said: Callable[[], Asked]) -> None:
        self._search, self._told, self._said = search, told, said
        self._models: dict[tuple[int, bool], Any] = {}
        self._number = 10_000

    def run(self) -> Outcome:
        """Chooses, fits and checks the winner; where it does not agree with its ONNX form the next one is taken.

        Raises:
            Invalid: not one model could be fitted.
        """
        search = self._search
        ranked = search.ranked()
        if not ranked:
            raise Invalid(_why(list(search.records.values()), search.out))
        choices = Choices(search, self._told).made(ranked)
        winner, model = self._first_that_holds(choices)
        self._check_others(choices)
        for record in list(search.records.values()):
            if record.candidate.number == winner.number:
                search.records[winner.number] = replace(record, candidate=winner)
        self._told(winner)
        Rest(search, self._said, self._note).run()
        candidates = [search.records[number].candidate for number in sorted(search.records)]
        oof = {one.number: found for one in candidates if (found := search.oof(one.number)) is not None}
        parts = {name: round(seconds, 3) for name, seconds in search.clock.parts.items()}
        budget = Budget(timeout_s=search.clock.timeout_s, used_s=search.clock.used_s, parts=parts)
        return Outcome(candidates, search.families, winner, model, oof, budget)

    def _first_that_holds(self, choices: list[Choice]) -> tuple[Candidate, Any]:
        """Fits and checks one after the other until one holds, or there is no more time."""
        search = self._search
        fallback: tuple[Candidate, Any] | None = None
        for choice in choices:
            late = search.clock.left_s < 0.02 * search.clock.timeout_s
            if fallback is not None and late and not self._is_fitted(choice):
                continue
            short = search.clock.left_s < 2 * search.check_s(choice.members)
            if fallback is not None and len(choice.members) > 1 and short:
                continue  # it takes as long as the ensemble that did not hold
            began = time.monotonic()
            model = self._model(choice)
            search.clock.parts["refit"] += time.monotonic() - began
            if model is None:
                continue
            found = self._checked(choice, model, LATE_S if fallback is not None else EARLY_S)
            candidate = replace(choice.candidate, onnx=found)
            self._note(candidate)
            if found is None or found.ready or not search.onnx:
                return candidate, model
            fallback = fallback or (candidate, model)
        return fallback or self._spare(choices)

    def _check_others(self, choices: list[Choice]) -> None:
        """Checks what did not win and was not checked while it was tried: ensembles of members that are fitted already,
        and members, as far as there is time.
        """
        search = self._search
        until = time.monotonic() + max(OTHERS_S, SHARE * search.clock.used_s)
        members = [search.records[number] for number in dict.fromkeys(number for number, _ in self._models)]
        ensembles = [one for one in choices if len(one.members) > 1]
        for choice in [*ensembles, *(Choice(one.candidate, [one], [1.0]) for one in members)]:
            candidate = search.records[choice.candidate.number].candidate
            ready = all((one.candidate.number, False) in self._models for one in choice.members)
            if not search.onnx or candidate.onnx is not None or not (ready or self._is_fitted(choice)):
                continue
            if search.check_s(choice.members) < min(0.5 * search.clock.left_s, until - time.monotonic()):
                self._note(replace(candidate, onnx=self._checked(choice, self._model(choice))))

    def _is_fitted(self, choice: Choice) -> bool:
        """Whether a single model was fitted on all rows already, as a member of a vote."""
        number = choice.candidate.number
        return len(choice.members) == 1 and ((number, True) in self._models or (number, False) in self._models)

    def _note(self, candidate: Candidate) -> None:
        record = replace(self._search.records[candidate.number], candidate=candidate)
        self._search.records[candidate.number] = record
        self._search.kept.write(record)
        self._told(candidate)

    def _checked(self, choice: Choice, model: Any, least_s: float = EARLY_S) -> OnnxCheck | None:
        """The check of a model; None where the time was over before it ended and its family's passed."""
        search = self._search
        began = time.monotonic()
        room = max(least_s, search.clock.left_s + 0.03 * search.clock.timeout_s)
        if len(choice.members) > 1 and least_s == EARLY_S:  # where it does not hold, a member is checked after it
            room = max(least_s, search.clock.left_s - 0.5 * search.check_s(choice.members[:1]))
        self._number += 1
        rows = rows_to_check(search.plan, search.spec.seed)
        search.workers.start(self._number, checked, search.check, model, rows, timeout_s=room)
        found = self._wait([self._number]).get(self._number)
        search.clock.parts["onnx"] += time.monotonic() - began
        if isinstance(found, OnnxCheck):
            return found
        return OnnxCheck(ready=False, reason=f"the check did not end: {found}")

    def _model(self, choice: Choice) -> Any | None:
        """A choice, fitted on all rows; None when there is no time for it."""
        alone = len(choice.members) == 1
        fitted = self._fitted(choice.members, alone)
        if any(one is None for one in fitted):
            return None
        plan = self._search.plan
        if alone:
            return single(plan, self._search.by_name[choice.members[0].candidate.family], fitted[0])
        names = [f"{one.candidate.family.lower()}_{one.candidate.number}" for one in choice.members]
        named = list(zip(names, fitted, strict=True))
        if choice.top is not None:
            return stack.stack(named, choice.top, plan.classes)
        model = ensemble.vote(named, choice.weights, plan.classes)
        return model if choice.temperature is None else temperature.at(model, choice.temperature)

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
                if not self._begin(record, labels, len(waiting)):
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

    def _begin(self, record: Record, labels: bool, others: int) -> bool:
        """Begins to fit a member, of which as many others wait; False when there is no time for it."""
        search, plan = self._search, self._search.plan
        family = search.by_name[record.candidate.family]
        room, rows = search.clock.left_s - 0.3, self._rows(record, others)
        if search.refit_s(record, len(rows)) > 1.5 * room + 1.0 or room <= 0:
            return False
        making = Making(
            search.shape, search.spec.seed, search.threads(), codes_of(plan, family.form_for(record.candidate.params))
        )
        self._number += 1
        path = search.kept.models / f"{record.candidate.number:05d}.pkl"
        search.workers.start(
            self._number, refit, plan, family, record.candidate.params, making, rows, path, labels,
            timeout_s=room, memory_bytes=search.memory_bytes(),
        )  # fmt: skip
        return True

    def _rows(self, record: Record, others: int) -> NDArray[np.int64]:
        """All rows; or only as many as there is time for, when no candidate was fitted on all."""
        search = self._search
        count = len(search.plan.X)
        if not record.whole:
            room = max(0.0, search.clock.left_s - 1.5 * search.check_s([record]))
            count = search.affordable(record, ROWS_SHARE * room / (others + 1))
        if count >= len(search.plan.X):
            return np.arange(len(search.plan.X))
        return search.matrices.training_rows(search.rungs.folds[-1], count)

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

    def _spare(self, choices: list[Choice]) -> tuple[Candidate, Any]:
        """The best candidate's model of its last fold, when nothing was fitted on all rows in time."""
        search = self._search
        for record in search.ranked():
            path = spare_path(search.kept.oof_path(record.candidate.number))
            if path.is_file():
                family = search.by_name[record.candidate.family]
                model = spare(search.plan, family, path)
                found = self._checked(Choice(record.candidate, [record], [1.0]), model)
                candidate = replace(record.candidate, onnx=found)
                self._note(candidate)
                return candidate, model
        raise Invalid("no model could be fitted on all rows in time: give it more time, or fewer rows")


def _why(records: list[Record], out: dict[str, str]) -> str:
    reasons = [f"{one.candidate.family}: {one.candidate.failed}" for one in records if one.candidate.failed]
    reasons += [f"{name}: {reason}" for name, reason in out.items()]
    return f"no model could be fitted ({'; '.join(dict.fromkeys(reasons)) or 'there was no time'}): give it more time"
