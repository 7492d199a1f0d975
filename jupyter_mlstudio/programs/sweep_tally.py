"""How far a sweep is: how many trials are over, the best so far, and how sure that is."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

from jupyter_mlstudio.client import tracking
from jupyter_mlstudio.entities.sweeps import Goal, Objective, SweepSpec, Trial, TrialState
from jupyter_mlstudio.programs.sweep_study import Book
from jupyter_mlstudio.programs.sweep_told import Teller, write_table
from jupyter_mlstudio.sweeps.honest import lead

LEAD_S, PROGRESS_S = 2.0, 0.5


class Tally:
    """Counts trials that are over, and tells of it.

    ``best`` is the best value of the first objective, None before there is one.
    """

    def __init__(self, spec: SweepSpec, book: Book, teller: Teller) -> None:
        self.over = 0
        self.best: float | None = None
        self._objectives = spec.objectives
        self._goal = spec.objectives[0].goal
        self._book = book
        self._teller = teller
        self._next_lead = self._next_progress = 0.0
        self._moved = False

    def count(self, told: Trial) -> bool:
        """Counts a trial when it is over and is not done again; answers whether it has a value."""
        if told.retried or told.state in (TrialState.RUNNING, TrialState.WAITING):
            return False
        self.over += 1
        value = told.values[0] if told.feasible and told.state is TrialState.COMPLETE else None
        if value is not None and (self.best is None or self._is_better(value, self.best)):
            self.best = value
        logged = {"trials_done": float(self.over)}
        if self.best is not None and len(self._objectives) == 1:
            logged["best"] = self.best
        tracking.log_metrics(logged, step=self.over)
        self._moved = True
        return value is not None

    def has_reached(self, score: float) -> bool:
        """Whether the best is at least as good as a score."""
        return self.best is not None and not self._is_better(score, self.best)

    def tell_progress(self, total: int, *, now: bool = False) -> None:
        """Says how far it is, several times a second at most: each time is a request of its own."""
        if not self._moved or (time.monotonic() < self._next_progress and not now):
            return
        self._moved, self._next_progress = False, time.monotonic() + PROGRESS_S
        best = "" if self.best is None else f", best {self.best:.6g}"
        tracking.progress(min(self.over, total), total, f"{self.over} of {total} trials{best}")

    def tell_lead(self, *, now: bool = False) -> None:
        """Says how sure it is that the best is better than the others."""
        if len(self._objectives) == 1 and (now or time.monotonic() > self._next_lead):
            self._teller.lead(lead(self._book.results(), self._goal))
            self._next_lead = time.monotonic() + max(LEAD_S, self.over / 500)

    def _is_better(self, value: float, other: float) -> bool:
        return value > other if self._goal is Goal.MAXIMIZE else value < other


def write_results(folder: Path, told: Sequence[Trial], objectives: Sequence[Objective]) -> list[Trial]:
    """Writes ``trials.csv``, and ``best.json`` where there is one objective; answers trials that are a result."""
    write_table(folder / "trials.csv", told, objectives)
    complete = [one for one in told if one.state is TrialState.COMPLETE and one.feasible]
    if complete and len(objectives) == 1:
        sign = 1 if objectives[0].goal is Goal.MAXIMIZE else -1
        best = max(complete, key=lambda one: (sign * float(one.values[0] or 0.0), -one.number))
        content = {"number": best.number, "run_id": best.run_id, "value": best.values[0], "params": best.params}
        (folder / "best.json").write_text(json.dumps(content, indent=1), encoding="utf-8")
    return complete
