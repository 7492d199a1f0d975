"""What a search knows while it runs, for those who take part in it; and what people ask of it and get."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.entities.automl import AutoMLLimits, AutoMLSpec, Budget, Candidate, FamilyState
from jupyter_mlstudio.learning import families, metrics, proposals
from jupyter_mlstudio.learning.budget import GROWTH, Clock, Costs, check_s, grown
from jupyter_mlstudio.learning.family import Family, Shape
from jupyter_mlstudio.learning.kept import Kept, Record
from jupyter_mlstudio.learning.matrices import Matrices
from jupyter_mlstudio.learning.proofs import FIRST, LEAD_S, LEAD_SHARE, Account, Proof
from jupyter_mlstudio.learning.refit import Check, Probe
from jupyter_mlstudio.learning.rungs import Rungs, shape_of
from jupyter_mlstudio.learning.workers import Workers

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


class State:
    """The parts of a search: files, workers, clock, and the candidates so far."""

    def __init__(self, plan: Any, spec: AutoMLSpec, folder: Path, check: Check, began: float | None) -> None:
        self.plan, self.spec, self.check = plan, spec, check
        self.metric = metrics.find(spec.primary_metric, plan.task)
        self.shape: Shape = shape_of(plan, self.metric.name)
        self.limits = spec.limits
        self.kept = Kept(folder)
        state = self.kept.state()
        used = float(state.get("used_s", 0.0)) if state else max(0.0, time.time() - (began or time.time()))
        self.clock = Clock(self.limits.timeout_s, time.monotonic() - used)
        self.workers = Workers()
        self.costs = Costs()
        self.records: dict[int, Record] = self.kept.records()
        own = getattr(plan, "families", None)
        self.out: dict[str, str]
        taking, self.out = own(spec) if own else families.chosen(spec.training, self.shape)
        self.by_name: dict[str, Family] = {family.name: family for family in taking}
        self.rungs = Rungs.read(state.get("rungs")) or Rungs.of(plan, self.shape, self.limits.timeout_s)
        self.matrices = Matrices(plan, self.kept.features, spec.seed)
        self.probes: dict[str, Probe] = {}
        self.account = Account()
        self.onnx = spec.training.enable_onnx_compatible_models

    @property
    def families(self) -> list[FamilyState]:
        """How families fare so far."""
        return proposals.states(self.records, list(self.by_name), self.out)

    def oof(self, number: int) -> NDArray[np.float64] | None:
        """A candidate's out-of-fold predictions, a row for each of the plan's; NaN where there is none."""
        found = self.kept.oof(number)
        if found is None:
            return None
        whole = np.full((len(self.plan.y), *found.shape[1:]), np.nan)
        whole[self.rungs.judged(self.plan)] = found
        return whole

    def reserve_s(self) -> float:
        """What must be left for the end: to fit and check the best candidate, and a quarter of the time for a vote."""
        wanted = self.spec.training
        ranked = self.ranked()
        least = whole = self._end_s(ranked[:1])
        if wanted.enable_vote_ensemble or wanted.enable_stack_ensemble:  # of the best, or of the best of each family
            each = sorted({one.candidate.family: one for one in reversed(ranked)}.values(), key=lambda one: one.loss)
            whole = max(self._end_s(likely[:6]) for likely in (ranked, each))
        return float(0.3 + 0.02 * self.clock.timeout_s + min(0.4 * self.clock.timeout_s, max(
            least, min(whole, self.clock.timeout_s / 4)
        )))  # fmt: skip

    def _end_s(self, members: list[Record]) -> float:
        most = 0.12 * self.clock.timeout_s
        fits = [self.refit_s(one) if one.whole else min(most, self.refit_s(one)) for one in members]
        return 1.5 * (sum(fits) + self.check_s(members))

    def check_s(self, members: list[Record]) -> float:
        """What the check of a model of these members will take."""
        if not self.onnx:
            return 0.0
        usual = self._probe_s()
        own = {one.candidate.family for one in members}
        probes = sum(self.probes[name].seconds if name in self.probes else usual for name in own)
        return check_s(usual, 0.7 * probes, sum(record.candidate.size_bytes for record in members))

    def proof(self, family: Family, limit_s: float) -> Proof | None:
        """What the worker of a trial that ends in so many seconds needs for its check; None when none is asked for."""
        if not self.onnx:
            return None
        usual, losses = self._probe_s(), [one.loss for one in self.ranked()[:FIRST]]
        own = self.probes[family.name].seconds if family.name in self.probes else usual
        lead_s = max(LEAD_S, LEAD_SHARE * self.clock.timeout_s)
        lead, first = losses[0] if losses else math.inf, losses[-1] if len(losses) == FIRST else math.inf
        return Proof(self.check, usual, own, self.account.left_s(), lead_s, lead, first, time.monotonic() + limit_s)

    def _probe_s(self) -> float:
        return float(np.median([one.seconds for one in self.probes.values()] or [0.5]))

    def refit_s(self, record: Record, rows: int = 0) -> float:
        """What fitting a candidate on so many rows will take; 0 is all."""
        return 0.05 + 1.1 * grown(record.candidate.fit_s, record.candidate.rows, rows or len(self.plan.X))

    def affordable(self, record: Record, seconds: float) -> int:
        """On how many rows a candidate can be fitted in a time; at least those that it was fitted on."""
        one = max(1e-3, 1.1 * record.candidate.fit_s)
        rows = record.candidate.rows * max(1.0, (seconds / one) ** (1 / GROWTH))
        return int(min(len(self.plan.X), rows))

    def ranked(self) -> list[Record]:
        """Candidates that may win, the best first; those of a part of the rows while there are no others.

        One whose ONNX form answers otherwise is not among them, unless there are no others.
        """
        fine = [one for one in self.records.values() if math.isfinite(one.loss) and one.candidate.stage != "ensemble"]
        fine = [one for one in fine if one.candidate.family in self.by_name]
        if self.onnx:
            fine = [one for one in fine if one.candidate.onnx is None or one.candidate.onnx.ready] or fine
        whole = [one for one in fine if one.whole] or fine
        return sorted(whole, key=lambda one: (one.loss, one.candidate.number))

    def best(self) -> Record | None:
        """The best candidate so far."""
        return next(iter(self.ranked()), None)

    def threads(self, rows: int = 0) -> int:
        """Threads of one fit on so many rows; 0 is all."""
        return self.rungs.threads(max(1, self.limits.max_concurrent_trials), rows)

    def memory_bytes(self) -> int:
        """What a worker may take: its share of the limit, or of what the machine has left."""
        import psutil

        free = int(0.8 * psutil.virtual_memory().available)
        own = int(psutil.Process().memory_info().rss)
        whole = free if self.limits.memory_bytes is None else min(free, self.limits.memory_bytes - own)
        return max(256 << 20, whole // max(1, self.limits.max_concurrent_trials))
