"""How a search goes round: it asks people, begins what is next and takes what comes back, until the time is over.

What is tried, and what it ends with, is said by :class:`jupyter_mlstudio.learning.search.Search` and
:class:`jupyter_mlstudio.learning.forecast_search.ForecastSearch`.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.entities.automl import AutoMLLimits, AutoMLSpec
from jupyter_mlstudio.entities.automl_candidates import SEARCH_ENDED, Candidate, FamilyState
from jupyter_mlstudio.entities.automl_reports import Budget
from jupyter_mlstudio.learning.budget import Clock
from jupyter_mlstudio.learning.kept import Kept, Record
from jupyter_mlstudio.learning.metrics import Metric
from jupyter_mlstudio.learning.onnx_check import Check
from jupyter_mlstudio.learning.proofs import Account, Proof
from jupyter_mlstudio.learning.workers import Event, Workers

LOOK_S = 0.1
ASK_S = 0.2
WHOLE = 2.0
"""How much longer the check of a winner takes than one of few rows, as measured, beside what goes by its size."""

Told = Callable[[Candidate], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What people ask of a search while it runs; ``stopped`` are numbers of candidates that are to be ended."""

    paused: bool = False
    stop: bool = False
    limits: AutoMLLimits | None = None
    stopped: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a search ended with.

    Args:
        model: the winner, fitted on all rows: a pipeline, or a vote or a stack of pipelines.
        oof: predictions of candidates for the rows of the plan, ``(n_rows, ...)``, NaN where there are none.
    """

    candidates: list[Candidate]
    families: list[FamilyState]
    winner: Candidate
    model: Any
    oof: dict[int, NDArray[np.float64]]
    budget: Budget


@dataclass(slots=True)
class Running:
    """A candidate at work; ``rows`` limits its training sets, 0 is all; ``scores`` are its folds' so far."""

    record: Record
    began: float
    rows: int = 0
    scores: list[float] = field(default_factory=list)


class Rounds(ABC):
    """A search as it goes round.

    Args:
        folder: where candidates and their predictions are kept; of an earlier search, it goes on.
        check: compares a fitted model with its ONNX form; runs in a worker.
        began: when the run's work began, in seconds since the epoch, reading the table included; None is now. A search
            that goes on counts the time that was used on its folder before instead.
    """

    metric: Metric
    tell: Told

    def __init__(self, spec: AutoMLSpec, folder: Path, check: Check, began: float | None) -> None:
        self.spec, self.check, self.limits = spec, check, spec.limits
        self.onnx = spec.training.enable_onnx_compatible_models
        self.kept = Kept(folder)
        self.before = self.kept.state()
        used = float(self.before.get("used_s", 0.0)) if self.before else max(0.0, time.time() - (began or time.time()))
        self.clock = Clock(self.limits.timeout_s, time.monotonic() - used)
        self.workers = Workers()
        self.records: dict[int, Record] = self.kept.records()
        self.account = Account()
        self._running: dict[int, Running] = {}
        self._said, self._asked_at = Asked(), 0.0

    def run(self, told: Told, asked: Callable[[], Asked]) -> Outcome:
        """Searches, and fits the winner on all rows.

        Args:
            told: called when a candidate begins and when it ends.
            asked: what people ask for now; called several times a second.

        Raises:
            Invalid: not one model could be fitted.
        """
        self.tell, self._ask = told, asked
        self.check.warm()
        self._prepare()
        began = time.monotonic()
        try:
            self._go_round()
        finally:
            self.workers.kill_all()
        self.clock.parts["search"] += time.monotonic() - began
        try:
            return self._finish()
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

    def best(self) -> Record | None:
        """The best candidate so far."""
        return next(iter(self.ranked()), None)

    def check_s(self, members: list[Record]) -> float:
        """What the check of a winner of these members will take."""
        return self._check_s(members, WHOLE)

    def sample_check_s(self, members: list[Record]) -> float:
        """What the check of a model of these members that did not win will take, on few rows."""
        return self._check_s(members, 1.0)

    def _check_s(self, members: list[Record], longer: float) -> float:
        if not self.onnx:
            return 0.0
        size = sum(self.density(one.candidate.family) * one.candidate.size_bytes for one in members)
        return self.account.expected_s({one.candidate.family for one in members}, int(size), longer)

    def density(self, family: str) -> float:
        """See :attr:`jupyter_mlstudio.learning.family.Family.density`."""
        return 1.0

    def proof(self, family: str, limit_s: float) -> Proof | None:
        """What the worker of a trial that ends in so many seconds needs for its check; None when none is asked for."""
        if not self.onnx:
            return None
        losses = [one.loss for one in self.ranked()]
        return self.account.proof(self.check, family, losses, limit_s, self.clock.timeout_s)

    @abstractmethod
    def ranked(self) -> list[Record]:
        """Candidates that may win, the best first."""

    def _go_round(self) -> None:
        while True:
            asked = self.said()
            for number in asked.stopped & set(self._running):
                self._failed(number, "stopped")
            if asked.stop or self._is_over():
                break
            if asked.paused and not self._running:
                self._rest()
                continue
            while not asked.paused and len(self._running) < max(1, self.limits.max_concurrent_trials) and self._start():
                pass
            if not self._running:
                break
            for event in self.workers.events(LOOK_S):
                self._take(event)
        for number in list(self._running):
            self._failed(number, SEARCH_ENDED)

    def _rest(self) -> None:
        """Waits while paused; that time does not count."""
        began = time.monotonic()
        time.sleep(LOOK_S)
        self.clock.began += time.monotonic() - began

    def _is_good_enough(self) -> bool:
        best, wanted = self.best(), self.limits.exit_score
        return best is not None and wanted is not None and best.loss <= self.metric.loss(wanted)

    @abstractmethod
    def _prepare(self) -> None:
        """Does what workers that are forked later are to have done."""

    @abstractmethod
    def _is_over(self) -> bool:
        """Whether nothing more is to be begun, and what is under way to be ended."""

    @abstractmethod
    def _start(self) -> bool:
        """Begins what is next; False when nothing is, or nothing fits into what is left."""

    @abstractmethod
    def _take(self, event: Event) -> None:
        """Takes what a worker says or ended with."""

    @abstractmethod
    def _failed(self, number: int, why: str) -> None:
        """Ends a candidate that is at work."""

    @abstractmethod
    def _finish(self) -> Outcome:
        """Fits what the search ends with."""
