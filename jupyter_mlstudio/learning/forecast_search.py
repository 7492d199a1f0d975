"""The search for a forecast: configurations are tried in workers until the time is over, then the best are mixed."""

from __future__ import annotations

import json
import math
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.entities.automl import AutoMLSpec
from jupyter_mlstudio.entities.automl_candidates import Candidate, FamilyState
from jupyter_mlstudio.entities.experiments import Goal
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.learning import forecast_families, forecast_metrics, forecast_work
from jupyter_mlstudio.learning.evaluate import write_array
from jupyter_mlstudio.learning.forecast_families import Config
from jupyter_mlstudio.learning.forecast_finish import MEMBERS, Finish, config_of, scored
from jupyter_mlstudio.learning.forecast_plan import ForecastPlan
from jupyter_mlstudio.learning.kept import Record
from jupyter_mlstudio.learning.onnx_check import Check
from jupyter_mlstudio.learning.proofs import SHARE
from jupyter_mlstudio.learning.rest import ROWS
from jupyter_mlstudio.learning.rounds import Outcome, Rounds, Running
from jupyter_mlstudio.learning.rungs import CELLS_PER_THREAD
from jupyter_mlstudio.learning.workers import Event

CHECKS = 0.5
"""Of the time of trials, for checks of ONNX forms: models of a forecast are small, so that nearly all are checked."""

FITS = 2.5
"""How often the members of a mix are fitted at the end: on all rows, and for how far they are off; and a little."""

FAR_BEHIND = 1.5
"""A drawn candidate whose error is so many times the best one's is ended early."""


class ForecastSearch(Rounds):
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
        super().__init__(spec, folder, check, began)
        self.plan = plan
        self.account.share = CHECKS
        self.metric = forecast_metrics.find(spec.primary_metric)
        self._taking, self._out = forecast_families.chosen(spec.training, len(plan.X))
        self._configs: Iterator[Config] = forecast_families.configs(plan, self._taking, spec.seed)
        self._known = {_key(one.candidate.family, one.candidate.params) for one in self.records.values()}

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

    def judged(self) -> NDArray[np.int64]:
        return np.concatenate([ahead for _, ahead in self.plan.folds])

    def sample_of(self, record: Record) -> tuple[Any, ...] | None:
        """What a worker calls to check a model of a candidate's parameters; None where its family is out."""
        if record.candidate.family not in self._taking:
            return None
        return forecast_work.sampled, self.plan, config_of(record.candidate), self.check, self.spec.seed, ROWS

    def _prepare(self) -> None:
        forecast_families.warm(self._taking)
        self.kept.write_state(used_s=self.clock.used_s)

    def _finish(self) -> Outcome:
        return Finish(self).run()

    def _reserve_s(self) -> float:
        """What must be left for the end: fits of likely members on all rows, and checks."""
        ranked = self.ranked()
        work = FITS * sum(one.candidate.fit_s for one in ranked[:MEMBERS]) + self.check_s(ranked[:MEMBERS])
        rest = sum(self.sample_check_s([one]) for one in ranked if one.candidate.onnx is None)
        whole = self.clock.timeout_s
        return min(0.5 * whole, 0.5 + 0.03 * whole + work + min(SHARE * whole, rest))

    def _is_over(self) -> bool:
        if self.ranked() and self.clock.left_s <= self._reserve_s():
            return True
        return self.clock.left_s <= 0 or self._is_good_enough()

    def ranked(self) -> list[Record]:
        """Candidates that may win, the best first."""
        fine = [one for one in self.records.values() if math.isfinite(one.loss) and one.candidate.stage != "ensemble"]
        if self.onnx:
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
            numbers, forecast_work.tried, self.plan, self.metric, config, self.proof(config.family, limit_s),
            self.spec.seed, self.threads(), timeout_s=limit_s, memory_bytes=self.memory_bytes(),
        )  # fmt: skip
        self._running[numbers] = Running(Record(candidate), time.monotonic())
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
        told = scored(self.plan, self.metric, running.record.candidate, result)
        seconds = time.monotonic() - running.began
        self.account.tried_s += seconds
        self.account.spent_s += result.check_s
        if result.onnx is not None:
            usual = self.account.usual
            usual[told.family] = min(usual.get(told.family, math.inf), result.check_s)
        self.keep(Record(told, seconds=seconds))

    def _scored(self, number: int, score: float) -> None:
        """Ends a drawn candidate that is far behind the best on the same origins."""
        running, best = self._running[number], self.best()
        running.scores.append(score)
        known = len(running.scores)
        if best is None or running.record.candidate.stage != "search" or not self.limits.enable_early_termination:
            return
        if self.metric.goal is not Goal.MINIMIZE or not 2 <= known < len(self.plan.folds):
            return
        own, its = float(np.mean(running.scores)), float(np.mean(best.candidate.folds[:known]))
        if own > FAR_BEHIND * its:
            self._failed(number, f"ended after {known} origins: {own:.4g}, where the best has {its:.4g}")

    def _failed(self, number: int, why: str) -> None:
        self.workers.kill(number)
        running = self._running.pop(number)
        self.keep(Record(replace(running.record.candidate, failed=why), seconds=time.monotonic() - running.began))

    def keep(self, record: Record) -> None:
        candidate = record.candidate
        if candidate.score is not None and not candidate.failed:
            record = replace(record, loss=self.metric.loss(float(candidate.score)))
        self.records[candidate.number] = record
        self.kept.write(record)
        self.tell(candidate)


def _key(family: str, params: dict[str, JSON]) -> str:
    return f"{family} {json.dumps(params, sort_keys=True)}"
