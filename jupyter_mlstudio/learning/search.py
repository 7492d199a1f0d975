"""The search: tries models in workers until the time is over, and ends with one that is fitted on all rows.

Everything that is finished is on disk at once. A search that is made again on the same folder, after a kill too, goes
on where it was. With one trial at a time and enough time for all of them, the same seed finds the same.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_mlstudio.entities.automl import AutoMLSpec
from jupyter_mlstudio.entities.automl_candidates import Candidate
from jupyter_mlstudio.learning import proposals
from jupyter_mlstudio.learning.choices import Choices
from jupyter_mlstudio.learning.early import given_up
from jupyter_mlstudio.learning.evaluate import FoldScore, Job, Result, evaluate
from jupyter_mlstudio.learning.family import Boosting, Family, Making, Params
from jupyter_mlstudio.learning.finish import Finish
from jupyter_mlstudio.learning.kept import Record
from jupyter_mlstudio.learning.onnx_check import Check
from jupyter_mlstudio.learning.refit import probe
from jupyter_mlstudio.learning.rounds import Asked, Outcome, Running
from jupyter_mlstudio.learning.state import State
from jupyter_mlstudio.learning.trials import begun, ended, failed
from jupyter_mlstudio.learning.workers import Event

FIT_SHARE, FAR_SHARE = 0.2, 0.35
"""Of what is left that a boosting trial trains for at most; and one that goes on to more rows."""

FORESEEN_SHARE, LOOK_EVERY = 0.5, 50
"""Of the time, after which it is looked who would vote; and how many times as long as that took until it is again, or
until the search would end."""

CUT, ENOUGH = 0.4, 8
"""A boosting that would be cut off before this part of its usual time is not begun once so many others are there."""

LATE_SHARE = 0.4
"""Of the time, after which the best model goes on to more rows whatever else is waiting."""

SURE_SHARE = 0.7
"""Of what is left that a trial may be expected to take."""

REST = 0.25
"""Of a boosting trial that is not its fit."""


class Search(State):
    """A search for the best model of a plan; the other arguments are those of its :class:`Rounds`."""

    def __init__(self, plan: Any, spec: AutoMLSpec, folder: Path, *, check: Check, began: float | None = None) -> None:
        super().__init__(plan, spec, folder, check, began)
        self.proposals = proposals.Proposals(list(self.by_name.values()), self.shape, spec.seed)
        self._numbers = max(self.records, default=-1) + 1
        self._voters: list[Record] = []
        self._look_at, self._looked_at = 0.0, 0
        self._take_up()

    def _take_up(self) -> None:
        """Learns from what an earlier search has tried."""
        for record in self.records.values():
            if record.suggested is None:
                self.proposals.begun(record.candidate.family, record.base)
            self.proposals.learn(record, record.loss)
            self._cost(record)
        best = self.best()
        if best is not None:
            self.kept.keep_spare(best.candidate.number, True)

    def _prepare(self) -> None:
        self.kept.write_state(used_s=self.clock.used_s, rungs=self.rungs.written())

    def _finish(self) -> Outcome:
        return Finish(self, self.tell, self.said).run()

    def likely(self, ranked: list[Record]) -> list[list[Record]]:
        """Who may be the members of a vote; later in the search those who would vote if it ended now.

        That takes a while: it is looked at again when that is a small part of the time since, and before the search
        ends.
        """
        if self.clock.used_s < FORESEEN_SHARE * self.clock.timeout_s or len(ranked) < 2:
            return super().likely(ranked)
        began = time.monotonic()
        if began >= self._look_at:
            self._voters = Choices(self, self.tell, self.vote_s).voters(ranked)
            now = time.monotonic()
            self._look_at, self._looked_at = now + LOOK_EVERY * (now - began), len(self.records)
        return [self._voters] if self._voters else super().likely(ranked)

    def _is_over(self) -> bool:
        if self.clock.left_s <= self.reserve_s() and len(self.records) > self._looked_at:
            self._look_at = 0.0  # who would vote may take less time now
        return self.clock.left_s <= self.reserve_s() or self._is_good_enough()

    def _start(self) -> bool:
        """Begins what is next, if anything fits into what is left."""
        room = self.clock.left_s - self.reserve_s()
        job = self._promotion(room) or self._fresh(room)
        if job is None:
            return False
        record, rows = job
        number, family = record.candidate.number, self.by_name[record.candidate.family]
        if self.onnx and family.name not in self.probes:
            return self._start_probe(family, record, rows, room)
        self._launch(number, family, record, rows, room)
        return True

    def _launch(self, number: int, family: Family, record: Record, rows: int, room: float) -> None:
        usual = self.costs.trial_s(family, rows or self.rungs.most, len(self.rungs.folds)) or 0.0
        usual = usual if usual <= SURE_SHARE * room else 0.0  # what has time as a whole is not cut off
        limit = room if rows or not self.ranked() else max(2.0, 0.5 * room, min(room, 1.4 * usual))
        limit = min(limit, room, self.limits.trial_timeout_s or math.inf)
        share = FAR_SHARE if number in self.records else FIT_SHARE
        job = Job(
            number, family, record.base, self.rungs.folds, rows, self.spec.seed, self.threads(rows),
            fit_limit_s=min(0.6 * limit, max(1.0, share * room, 0.8 * usual)) / len(self.rungs.folds),
            proof=self.proof(family.name, limit),
        )  # fmt: skip
        self.workers.start(
            number, evaluate, self.plan, self.shape, job, self.matrices, self.kept.oof_path(number),
            timeout_s=limit, memory_bytes=self.memory_bytes(),
        )  # fmt: skip
        self._running[number] = Running(record, time.monotonic(), rows)
        self.tell(begun(record.candidate))

    def _fresh(self, room: float) -> tuple[Record, int] | None:
        if self._numbers >= self.limits.max_trials:
            return None
        rows = self.rungs.rows[0]
        allowed = {name for name, family in self.by_name.items() if self._fits(family, rows, room)}
        known = self.proposals.next_known(allowed)
        found = None if known is not None else self.proposals.next_searched(self._numbers, allowed)
        if found is not None:
            return self._numbered(found[0], found[1], found[2], "search"), rows
        known = known or self.proposals.next_known(allowed, behind=True)
        return None if known is None else (self._numbered(known[0], known[1], None, "portfolio"), rows)

    def _numbered(self, family: Family, params: Params, suggested: Params | None, stage: str) -> Record:
        candidate = Candidate(number=self._numbers, run_id="", family=family.name, stage=stage, params=dict(params))
        self._numbers += 1
        return Record(candidate, base=params, suggested=suggested, whole=False)

    def _fits(self, family: Family, rows: int, room: float, share: float = FIT_SHARE) -> bool:
        predicted = self.costs.trial_s(family, rows or self.rungs.most, len(self.rungs.folds))
        if predicted is not None and isinstance(family, Boosting) and family.keeps_time:  # the rest is not its fit
            cut = max(1.0, share * room)
            if cut >= CUT * predicted or len(self.ranked()) < ENOUGH:
                predicted = min(predicted, cut + REST * predicted)
        return predicted is None or predicted <= (SURE_SHARE if self.ranked() else 0.9) * room

    def _promotion(self, room: float) -> tuple[Record, int] | None:
        """The best candidate that was fitted on a part of the rows, when its turn on more of them has come."""
        late = self.clock.used_s > LATE_SHARE * self.clock.timeout_s
        known = self.proposals.known_left
        record = self.rungs.promoted(list(self.records.values()), known, set(self._running), late)
        if record is None:
            return None
        rows = self.rungs.after(record.candidate.rows)
        if not self._fits(self.by_name[record.candidate.family], rows, room, FAR_SHARE):
            return None
        return record, rows

    def _start_probe(self, family: Family, record: Record, rows: int, room: float) -> bool:
        number = -1 - record.candidate.number
        family.make(record.base, Making(self.shape))  # its imports, once for all workers
        limit = min(room, max(10.0, 0.15 * self.clock.timeout_s))
        self.workers.start(
            number, probe, self.plan, family, record.base, self.shape, self.check, self.spec.seed, timeout_s=limit,
            memory_bytes=self.memory_bytes(),
        )  # fmt: skip
        self._running[number] = Running(record, time.monotonic(), rows)
        return True

    def _take(self, event: Event) -> None:
        running = self._running.get(event.number)
        if running is None:
            return
        if event.number < 0:
            self._probed(event, running)
        elif event.what == "said":
            self._scored(event.number, running, event.value)
        elif event.what == "failed":
            self._failed(event.number, str(event.value))
        else:
            self._end(event.number, self._ended(running, event.value))

    def _probed(self, event: Event, running: Running) -> None:
        """Goes on with the family's candidate, or takes the family out."""
        del self._running[event.number]
        record = running.record
        family = self.by_name[record.candidate.family]
        self.clock.parts["onnx"] += time.monotonic() - running.began
        reason = str(event.value)
        if event.what == "done":
            self.probes[family.name] = event.value
            self.account.usual[family.name] = event.value.seconds
            reason = event.value.check.reason or "its ONNX form does not agree"
            if event.value.check.ready:
                room = self.clock.left_s - self.reserve_s()
                self._launch(record.candidate.number, family, record, running.rows, max(room, 1.0))
                return
        if len(self.by_name) == 1 and not self.ranked():
            self.onnx = False
            self._launch(record.candidate.number, family, record, running.rows, max(1.0, self.clock.left_s))
            return
        self.out[family.name] = f"no ONNX form: {reason}"
        del self.by_name[family.name]
        self.proposals.drop(family.name)

    def _scored(self, number: int, running: Running, said: FoldScore) -> None:
        """Ends a candidate that has no chance any more."""
        running.scores.append(said.score)
        found = given_up(self, running.record, running.rows, running.scores, said.fit_s)
        if found is not None:
            self._end(number, *found)

    def _ended(self, running: Running, result: Result) -> Record:
        self.account.spent_s += result.check_s
        record = ended(self, running.record, result)
        return replace(record, first_loss=self.metric.loss(result.scores[0]), whole=running.rows == 0)

    def _failed(self, number: int, why: str) -> None:
        self._end(number, failed(self._running[number].record, why))

    def _end(self, number: int, record: Record, guess: float | None = None) -> None:
        running = self._running.pop(number)
        self.workers.kill(number)
        if number < 0:
            return
        record = replace(record, seconds=time.monotonic() - running.began)
        self.account.tried_s += record.seconds
        before = self.records.get(number)
        if before is not None and math.isfinite(before.loss) and not math.isfinite(record.loss):
            record = replace(before, whole=before.whole, candidate=before.candidate)
        self.records[number] = record
        self._cost(record)
        if math.isfinite(record.loss):
            best = self.best()
            self.kept.keep_spare(number, best is not None and best.candidate.number == number)
        elif before is None:
            self.kept.forget(number)
        self.kept.write(record)
        if before is None:
            self.proposals.learn(record, record.loss if guess is None else guess)
        self.tell(record.candidate)

    def _cost(self, record: Record) -> None:
        family = self.by_name.get(record.candidate.family)
        folds = len(record.candidate.folds)
        if family is not None and folds and record.candidate.rows:
            self.costs.add(family, record.seconds, record.candidate.rows, folds)


__all__ = ["Asked", "Outcome", "Search"]
