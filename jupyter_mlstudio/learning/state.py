"""What a search of models for a table knows while it runs, for those who take part in it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.entities.automl import AutoMLSpec
from jupyter_mlstudio.entities.automl_candidates import FamilyState
from jupyter_mlstudio.learning import families, metrics, proposals
from jupyter_mlstudio.learning.budget import GROWTH, Costs, grown
from jupyter_mlstudio.learning.family import Family, Shape
from jupyter_mlstudio.learning.kept import Record
from jupyter_mlstudio.learning.matrices import Matrices
from jupyter_mlstudio.learning.onnx_check import Check
from jupyter_mlstudio.learning.refit import Probe, sample
from jupyter_mlstudio.learning.rest import ROWS
from jupyter_mlstudio.learning.rounds import Asked as Asked
from jupyter_mlstudio.learning.rounds import Outcome as Outcome
from jupyter_mlstudio.learning.rounds import Rounds
from jupyter_mlstudio.learning.rounds import Told as Told
from jupyter_mlstudio.learning.rungs import Rungs, shape_of

LAST_SHARE, VOTE_SHARE = 0.2, 1 / 3
"""Of the time, what may be left for the fit of a winner that learns from a part of the rows; and for a vote."""

MARGIN = 1.25
"""What is left for the end beside what it is expected to take: others may want the machine at the same time."""

LIKELY = 6
"""Members of a vote that nobody has chosen yet."""


class State(Rounds):
    """The parts of a search: families, features, costs, and the candidates so far."""

    def __init__(self, plan: Any, spec: AutoMLSpec, folder: Path, check: Check, began: float | None) -> None:
        super().__init__(spec, folder, check, began)
        self.plan = plan
        self.metric = metrics.find(spec.primary_metric, plan.task)
        self.shape: Shape = shape_of(plan, self.metric.name)
        self.costs = Costs(self.shape.classes)
        own = getattr(plan, "families", None)
        self.out: dict[str, str]
        taking, self.out = own(spec) if own else families.chosen(spec.training, self.shape)
        self.by_name: dict[str, Family] = {family.name: family for family in taking}
        self.rungs = Rungs.read(self.before.get("rungs")) or Rungs.of(plan, self.shape, self.limits.timeout_s)
        self.matrices = Matrices(plan, self.kept.features, spec.seed)
        self.probes: dict[str, Probe] = {}

    @property
    def families(self) -> list[FamilyState]:
        """How families fare so far."""
        return proposals.states(self.records, list(self.by_name), self.out)

    def oof(self, number: int) -> NDArray[np.float64] | None:
        """A candidate's out-of-fold predictions, a row for each of the plan's; NaN where there is none.

        Where folds are repeated, it is their mean.
        """
        found = self.kept.oof(number)
        if found is None:
            return None
        rows = self.rungs.judged(self.plan)
        whole, times = np.zeros((len(self.plan.y), *found.shape[1:])), np.zeros(len(self.plan.y))
        np.add.at(whole, rows, found)
        np.add.at(times, rows, 1)
        with np.errstate(invalid="ignore"):
            return whole / times.reshape(-1, *[1] * (found.ndim - 1))

    def reserve_s(self) -> float:
        """What must be left for the end: to fit and check the best candidate, and what a vote takes."""
        ranked, wanted = self.ranked(), self.spec.training
        least = whole = self._end_s(ranked[:1])
        if wanted.enable_vote_ensemble or wanted.enable_stack_ensemble:
            whole = max(self._end_s(members) for members in self.likely(ranked))
        return float(0.3 + 0.02 * self.clock.timeout_s + min(0.4 * self.clock.timeout_s, max(
            least, min(whole, self.vote_s)
        )))  # fmt: skip

    def density(self, family: str) -> float:
        return self.by_name[family].density if family in self.by_name else 1.0

    @property
    def vote_s(self) -> float:
        """What may be left for a vote."""
        return VOTE_SHARE * self.clock.timeout_s

    def likely(self, ranked: list[Record]) -> list[list[Record]]:
        """Who may be the members of a vote: the best, or the best of each family."""
        each = sorted({one.candidate.family: one for one in reversed(ranked)}.values(), key=lambda one: one.loss)
        return [one[:LIKELY] for one in (ranked, each)]

    def _end_s(self, members: list[Record]) -> float:
        most = LAST_SHARE * self.clock.timeout_s
        fits = [self.refit_s(one) if one.whole else min(most, self.refit_s(one)) for one in members]
        return MARGIN * (sum(fits) + self.check_s(members))

    def refit_s(self, record: Record, rows: int = 0) -> float:
        """What fitting a candidate on so many rows will take; 0 is all."""
        return 0.05 + grown(record.candidate.fit_s, record.candidate.rows, rows or len(self.plan.X))

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

    def sample_of(self, record: Record) -> tuple[Any, ...] | None:
        """What a worker calls to check a model of a candidate's parameters; None where its family is out."""
        family = self.by_name.get(record.candidate.family)
        if family is None:
            return None
        return sample, self.plan, family, record.candidate.params, self.shape, self.check, self.spec.seed, ROWS

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
