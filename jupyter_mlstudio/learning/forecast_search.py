"""The search for a forecast: configurations are tried in workers until the time is over, then the best are mixed.

It tells, asks, keeps its files and ends as :class:`jupyter_mlstudio.learning.search.Search` does.
"""

from __future__ import annotations

import json
import math
import os
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.entities.automl import AutoMLSpec, Candidate, FamilyState, Goal
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.learning import forecast_families, forecast_metrics, forecast_work
from jupyter_mlstudio.learning.budget import Clock
from jupyter_mlstudio.learning.evaluate import write_array
from jupyter_mlstudio.learning.forecast_families import Config
from jupyter_mlstudio.learning.forecast_finish import MEMBERS, Finish, Told, scored
from jupyter_mlstudio.learning.forecast_plan import ForecastPlan
from jupyter_mlstudio.learning.forecast_work import Check
from jupyter_mlstudio.learning.kept import Kept, Record
from jupyter_mlstudio.learning.rungs import CELLS_PER_THREAD
from jupyter_mlstudio.learning.search import ASK_S, LOOK_S, Asked, Outcome
from jupyter_mlstudio.learning.workers import Event, Workers

FAR_BEHIND = 1.5
"""A drawn candidate whose error is so many times the best one's is ended early."""


@dataclass(slots=True)
class _Running:
    candidate: Candidate
    config: Config
    began: float
    scores: list[float] = field(default_factory=list)


class ForecastSearch:
    """A search for the best forecast of a plan.

    Every family answers from its row alone and so converts; a candidate whose ONNX form does not agree is shown with
    the reason and does not win, unless ``enable_onnx_compatible_models`` is off.

    Args:
        folder: where candidates and their forecasts are kept; of an earlier search, it goes on.
        check: compares a fitted model with its ONNX form; runs in a worker.
        began: when the run's work began, in seconds since the epoch; None is now.
    """

    def __init__(
        self, plan: ForecastPlan, spec: AutoMLSpec, folder: Path, *, check: Check, began: float | None = None
    ) -> None:
        self.plan, self.spec, self.check, self.limits = plan, spec, check, spec.limits
        self.metric = forecast_metrics.find(spec.primary_metric)
        self.kept = Kept(folder)
        state = self.kept.state()
        used = float(state.get("used_s", 0.0)) if state else max(0.0, time.time() - (began or time.time()))
        self.clock = Clock(self.limits.timeout_s, time.monotonic() - used)
        self.records: dict[int, Record] = self.kept.records()
        self.workers = Workers()
        self._taking, self._out = forecast_families.chosen(spec.training)
        self._configs: Iterator[Config] = forecast_families.configs(plan, self._taking, spec.seed)
        self._known = {_key(one.candidate.family, one.candidate.params) for one in self.records.values()}
        self._running: dict[int, _Running] = {}
        self._said, self._asked_at = Asked(), 0.0

    @property
    def families(self) -> list[FamilyState]:
        """How families fare so far."""
        found = []
        for name in self._taking:
            own = [one for one in self.records.values() if one.candidate.family == name]
            fine = [one for one in own if math.isfinite(one.loss)]
            best = min(fine, key=lambda one: one.loss).candidate.score if fine else None
            found.append(FamilyState(name=name, tried=len(own), best=best))
        return [*found, *(FamilyState(name=name, out=reason) for name, reason in self._out.items())]

    def oof(self, number: int) -> NDArray[np.float64] | None:
        """A candidate's forecasts, one for each of the plan's rows; NaN where no origin looks."""
        found = self.kept.oof(number)
        if found is None:
            return None
        whole = np.full(len(self.plan.y), np.nan)
        whole[self.judged()] = found
        return whole

    def run(self, told: Told, asked: Callable[[], Asked]) -> Outcome:
        """Searches, and fits the winner on all rows.

        Args:
            told: called when a candidate begins and when it ends.
            asked: what people ask for now; called several times a second.

        Raises:
            Invalid: not one model could be fitted.
        """
        self.tell, self._ask = told, asked
        getattr(self.check, "warm", lambda: None)()
        forecast_families.warm(self._taking)
        self.kept.write_state(used_s=self.clock.used_s)
        began = time.monotonic()
        try:
            self._search()
            self.clock.parts["search"] += time.monotonic() - began
            return Finish(self).run()
        finally:
            self.workers.kill_all()
            self.kept.write_state(used_s=self.clock.used_s)

    def judged(self) -> NDArray[np.int64]:
        return np.concatenate([ahead for _, ahead in self.plan.folds])

    def said(self) -> Asked:
        if time.monotonic() - self._asked_at >= ASK_S:
            self._said, self._asked_at = self._ask(), time.monotonic()
            if self._said.limits is not None:
                self.limits = self._said.limits
                self.clock.timeout_s = self.limits.timeout_s
            self.kept.write_state(every_s=1.0, used_s=self.clock.used_s)
        return self._said

    def _search(self) -> None:
        while True:
            asked = self.said()
            for number in asked.stopped & set(self._running):
                self._failed(number, "stopped")
            if asked.stop or self._is_over():
                break
            if asked.paused and not self._running:
                time.sleep(LOOK_S)
                self.clock.began += LOOK_S
                continue
            while not asked.paused and len(self._running) < max(1, self.limits.max_concurrent_trials) and self._start():
                pass
            if not self._running and not asked.paused:
                break
            for event in self.workers.events(LOOK_S):
                self._take(event)
        for number in list(self._running):
            self._failed(number, "the time was over")

    def _reserve_s(self) -> float:
        """What must be left for the end: fits of likely members on all rows, and the check."""
        fits = sum(one.candidate.fit_s for one in self.ranked()[:MEMBERS])
        return min(0.5 * self.clock.timeout_s, 0.5 + 0.03 * self.clock.timeout_s + 1.5 * fits)

    def _is_over(self) -> bool:
        if self.ranked() and self.clock.left_s <= self._reserve_s():
            return True
        best, wanted = next(iter(self.ranked()), None), self.limits.exit_score
        return self.clock.left_s <= 0 or (
            best is not None and wanted is not None and best.loss <= self.metric.loss(wanted)
        )

    def ranked(self) -> list[Record]:
        """Candidates that may win, the best first."""
        fine = [one for one in self.records.values() if math.isfinite(one.loss) and one.candidate.stage != "ensemble"]
        if self.spec.training.enable_onnx_compatible_models:
            fine = [one for one in fine if one.candidate.onnx is None or one.candidate.onnx.ready]
        return sorted(fine, key=lambda one: (one.loss, one.candidate.number))

    def _next(self, limit_s: float) -> Config | None:
        for _ in range(10_000):
            found = next(self._configs, None)
            if found is None:
                return None
            fits = found.stage != "search" or limit_s > self._needed_s(found.family)
            if fits and _key(found.family, found.params) not in self._known:
                return found
        return None

    def _needed_s(self, family: str) -> float:
        """What a drawn candidate of a family takes at least, from what it took before."""
        own = [one for one in self.records.values() if one.candidate.family == family]
        ended = [one.seconds for one in own if math.isfinite(one.loss)]
        return min(ended) if ended else 1.2 * max((one.seconds for one in own), default=0.0)

    def _start(self) -> bool:
        numbers = max([*self.records, *self._running], default=-1) + 1
        if numbers >= self.limits.max_trials:
            return False
        room = max(1.0, self.clock.left_s - self._reserve_s())
        limit_s = min(max(3.0, room / 3), room, self.limits.trial_timeout_s or math.inf)
        config = self._next(limit_s)
        if config is None:
            return False
        self._known.add(_key(config.family, config.params))
        candidate = Candidate(
            number=numbers,
            run_id=uuid.uuid4().hex,
            family=config.family,
            stage=config.stage,
            params=dict(config.params),
        )
        self.workers.start(
            numbers, forecast_work.tried, self.plan, self.metric, config, self.check, self.spec.seed, self.threads(),
            timeout_s=limit_s, memory_bytes=self.memory_bytes(),
        )  # fmt: skip
        self._running[numbers] = _Running(candidate, config, time.monotonic())
        self.tell(candidate)
        return True

    def threads(self) -> int:
        """Threads of a fit: several only for large tables, since threads that wait for each other cost more."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return max(1, min(cores // max(1, self.limits.max_concurrent_trials), self.plan.X.size // CELLS_PER_THREAD))

    def memory_bytes(self) -> int | None:
        whole = self.limits.memory_bytes
        return None if whole is None else max(256 << 20, whole // (1 + max(1, self.limits.max_concurrent_trials)))

    def _take(self, event: Event) -> None:
        if event.number not in self._running:
            return
        if event.what == "said":
            self._scored(event.number, float(event.value))
            return
        if event.what == "failed":
            self._failed(event.number, str(event.value))
            return
        running, result = self._running.pop(event.number), event.value
        write_array(self.kept.oof_path(event.number), result.predicted)
        self.keep(
            Record(scored(self.plan, self.metric, running.candidate, result), seconds=time.monotonic() - running.began)
        )

    def _scored(self, number: int, score: float) -> None:
        """Ends a drawn candidate that is far behind the best on the same origins."""
        running, best = self._running[number], next(iter(self.ranked()), None)
        running.scores.append(score)
        known = len(running.scores)
        if best is None or running.config.stage != "search" or not self.limits.enable_early_termination:
            return
        if self.metric.goal is not Goal.MINIMIZE or not 2 <= known < len(self.plan.folds):
            return
        own, its = float(np.mean(running.scores)), float(np.mean(best.candidate.folds[:known]))
        if own > FAR_BEHIND * its:
            self._failed(number, f"ended after {known} origins: {own:.4g}, where the best has {its:.4g}")

    def _failed(self, number: int, why: str) -> None:
        self.workers.kill(number)
        running = self._running.pop(number)
        self.keep(Record(replace(running.candidate, failed=why), seconds=time.monotonic() - running.began))

    def keep(self, record: Record) -> None:
        candidate = record.candidate
        if candidate.score is not None and not candidate.failed:
            record = replace(record, loss=self.metric.loss(float(candidate.score)))
        self.records[candidate.number] = record
        self.kept.write(record)
        self.tell(candidate)


def _key(family: str, params: dict[str, JSON]) -> str:
    return f"{family} {json.dumps(params, sort_keys=True)}"
