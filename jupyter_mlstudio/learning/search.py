"""The search: tries models in workers until the time is over, and ends with one that is fitted on all rows.

Everything that is finished is on disk at once. A search that is made again on the same folder, after a kill too, goes
on where it was. With one trial at a time and enough time for all of them, the same seed finds the same.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jupyter_mlstudio.entities.automl import AutoMLSpec, Candidate
from jupyter_mlstudio.learning import proposals
from jupyter_mlstudio.learning.evaluate import FoldScore, Job, Result, evaluate
from jupyter_mlstudio.learning.family import Family, Making, Params
from jupyter_mlstudio.learning.finish import Finish
from jupyter_mlstudio.learning.kept import Record
from jupyter_mlstudio.learning.refit import Check, probe
from jupyter_mlstudio.learning.state import Asked, Outcome, State, Told
from jupyter_mlstudio.learning.trials import begun, ended, failed
from jupyter_mlstudio.learning.workers import Event

LOOK_S = 0.1
ASK_S = 0.2
FIT_SHARE, FAR_SHARE = 0.2, 0.35
"""Of what is left that a boosting trial trains for at most; and one that goes on to more rows."""

LATE_SHARE = 0.4
"""Of the time, after which the best model goes on to more rows whatever else is waiting."""

REST = 0.25
"""Of a boosting trial that is not its fit."""


class Search(State):
    """A search for the best model of a plan.

    Args:
        folder: where candidates and their predictions are kept; of an earlier search, it goes on.
        check: compares a fitted model with its ONNX form; runs in a worker.
        began: when the run's work began, in seconds since the epoch, reading the table included; None is now. A search
            that goes on counts the time that was used on its folder before instead.
    """

    def __init__(self, plan: Any, spec: AutoMLSpec, folder: Path, *, check: Check, began: float | None = None) -> None:
        super().__init__(plan, spec, folder, check, began)
        self.proposals = proposals.Proposals(list(self.by_name.values()), self.shape, spec.seed)
        self._running: dict[int, _Running] = {}
        self._numbers = max(self.records, default=-1) + 1
        self._said = Asked()
        self._asked_at = 0.0
        self._take_up()

    def run(self, told: Told, asked: Callable[[], Asked]) -> Outcome:
        """Searches, and fits the winner.

        Args:
            told: called when a candidate begins and when it ends.
            asked: what people ask for now; called several times a second.

        Raises:
            Invalid: not one model could be fitted.
        """
        self._tell, self._ask = told, asked
        getattr(self.check, "warm", lambda: None)()
        self.kept.write_state(used_s=self.clock.used_s, rungs=self.rungs.written())
        began = time.monotonic()
        try:
            self._search()
        finally:
            self.workers.kill_all()
        self.clock.parts["search"] += time.monotonic() - began
        try:
            return Finish(self, told, self.said).run()
        finally:
            self.workers.kill_all()
            self.kept.write_state(used_s=self.clock.used_s)

    def said(self) -> Asked:
        """What people ask for, looked at every so often."""
        if time.monotonic() - self._asked_at >= ASK_S:
            self._said, self._asked_at = self._ask(), time.monotonic()
            if self._said.limits is not None:
                self.limits = self._said.limits
                self.clock.timeout_s = self.limits.timeout_s
            self.kept.write_state(every_s=1.0, used_s=self.clock.used_s)
        return self._said

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

    def _search(self) -> None:
        while True:
            asked = self.said()
            for number in asked.stopped & set(self._running):
                self._end(number, failed(self._running[number].record, "stopped"))
            if asked.stop or self._is_over():
                break
            if asked.paused and not self._running:
                self._rest()
                continue
            began = False
            while not asked.paused and len(self._running) < max(1, self.limits.max_concurrent_trials):
                if not self._start():
                    break
                began = True
            if not self._running and not began:
                break
            for event in self.workers.events(LOOK_S):
                self._take(event)
        for number in list(self._running):
            self._end(number, failed(self._running[number].record, "the time was over"))

    def _rest(self) -> None:
        """Waits while paused; that time does not count."""
        began = time.monotonic()
        time.sleep(LOOK_S)
        self.clock.began += time.monotonic() - began

    def _is_over(self) -> bool:
        if self.clock.left_s <= self.reserve_s():
            return True
        best, wanted = self.best(), self.limits.exit_score
        return best is not None and wanted is not None and best.loss <= self.metric.loss(wanted)

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
        limit = min(
            room, self.limits.trial_timeout_s or math.inf, room if rows or not self.ranked() else max(2.0, 0.5 * room)
        )
        share = FAR_SHARE if number in self.records else FIT_SHARE
        job = Job(
            number, family, record.base, self.rungs.folds, rows, self.spec.seed, self.threads(rows),
            fit_limit_s=min(0.6 * limit, max(1.0, share * room)) / len(self.rungs.folds),
            proof=self.proof(family, limit),
        )  # fmt: skip
        self.workers.start(
            number, evaluate, self.plan, self.shape, job, self.matrices, self.kept.oof_path(number),
            timeout_s=limit, memory_bytes=self.memory_bytes(),
        )  # fmt: skip
        self._running[number] = _Running(record, rows, time.monotonic())
        self._tell(begun(record.candidate))

    def _fresh(self, room: float) -> tuple[Record, int] | None:
        if self._numbers >= self.limits.max_trials:
            return None
        rows = self.rungs.rows[0]
        allowed = {name for name, family in self.by_name.items() if self._fits(family, rows, room)}
        known = self.proposals.next_known(allowed)
        if known is not None:
            record = self._numbered(known[0], known[1], None, "portfolio")
            return record, rows
        found = self.proposals.next_searched(self._numbers, allowed)
        if found is None:
            return None
        return self._numbered(found[0], found[1], found[2], "search"), rows

    def _numbered(self, family: Family, params: Params, suggested: Params | None, stage: str) -> Record:
        candidate = Candidate(number=self._numbers, run_id="", family=family.name, stage=stage, params=dict(params))
        self._numbers += 1
        return Record(candidate, base=params, suggested=suggested, whole=False)

    def _fits(self, family: Family, rows: int, room: float, share: float = FIT_SHARE) -> bool:
        predicted = self.costs.trial_s(family, rows or self.rungs.most, len(self.rungs.folds))
        if predicted is not None and family.rounds:  # its fit ends in time; the rest is features and predictions
            predicted = min(predicted, max(1.0, share * room) + REST * predicted)
        return predicted is None or predicted <= (0.7 if self.ranked() else 0.9) * room

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
        self._running[number] = _Running(record, rows, time.monotonic())
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
            self._end(event.number, failed(running.record, str(event.value)))
        else:
            self._end(event.number, self._ended(running, event.value))

    def _probed(self, event: Event, running: _Running) -> None:
        """Goes on with the family's candidate, or takes the family out."""
        del self._running[event.number]
        record = running.record
        family = self.by_name[record.candidate.family]
        self.clock.parts["onnx"] += time.monotonic() - running.began
        reason = str(event.value)
        if event.what == "done":
            self.probes[family.name] = event.value
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

    def _scored(self, number: int, running: _Running, said: FoldScore) -> None:
        """Ends a candidate whose first fold is far behind."""
        if said.fold != 0 or len(self.rungs.folds) == 1 or not self.limits.enable_early_termination:
            return
        loss = self.metric.loss(said.score)
        if not math.isfinite(loss):
            return
        running.first_loss = loss
        far = self.rungs.far_behind(loss, running.rows, list(self.records.values()), running.record.candidate.stage)
        if far is not None:
            candidate = replace(
                running.record.candidate, folds=[said.score], fit_s=said.fit_s, rows=running.rows or self.rungs.most,
                failed=f"ended after a fold: {said.score:.4g}, the best has {self.metric.turned(far):.4g} there",
            )  # fmt: skip
            guess = (self.best() or running.record).loss + loss - far
            self._end(number, replace(running.record, candidate=candidate, first_loss=loss), guess)

    def _ended(self, running: _Running, result: Result) -> Record:
        self.account.spent_s += result.check_s
        record = ended(self, running.record, result)
        return replace(record, first_loss=self.metric.loss(result.scores[0]), whole=running.rows == 0)

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
        self._tell(record.candidate)

    def _cost(self, record: Record) -> None:
        family = self.by_name.get(record.candidate.family)
        folds = len(record.candidate.folds)
        if family is not None and folds and record.candidate.rows:
            self.costs.add(family, record.seconds, record.candidate.rows, folds)


@dataclass(slots=True)
class _Running:
    """A candidate at work; ``rows`` limits its training sets, 0 is all."""

    record: Record
    rows: int
    began: float
    first_loss: float = math.inf


__all__ = ["Asked", "Outcome", "Search"]
