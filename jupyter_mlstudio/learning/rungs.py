"""How much of a table a trial looks at: successive halving over rows and folds.

After Jamieson and Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization" (AISTATS 2016):
all begin on a part of the rows, the best third goes on to four times as many; and who is far behind on the first fold
is not fitted on the others.
"""

from __future__ import annotations

import math
import os
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.learning.family import Shape
from jupyter_mlstudio.learning.kept import Record
from jupyter_mlstudio.learning.skewed import LOOKED_AT, SKEWED, added, skewness

S_PER_CELL = 5e-6
"""What a fit takes for each number of its table, about, over the families; with a tree for each class
a quarter as much for each."""

FIT_S = 0.12
WANTED_FITS = 50
"""Fits that are to have time. Many models of different kinds that are judged on one fold make a better vote than few
that are judged on all, once that fold is large enough."""

ENOUGH_ROWS, ENOUGH_RARE = 2000, 150
"""To be judged on, in all and of the rarest class; fewer cannot tell good models from lucky ones."""

REPEATED_FITS = 80
"""Fits that are to have time where folds are repeated: trying more kinds of models is worth more than that."""

BEYOND = 3
"""How many times as many folds as there is time for are taken to have enough rows."""

FACTOR = 4
LEAST_ROWS = 5000
CELLS_PER_THREAD = 4_000_000


def _enough(plan: Any, shape: Shape) -> int:
    """Folds that have enough rows to be judged on."""
    judged = float(np.mean([len(test) for _, test in plan.folds]))
    found = ENOUGH_ROWS / max(1.0, judged)
    if shape.classifies:
        found = max(found, ENOUGH_RARE / max(1.0, judged * shape.rarest))
    return math.ceil(found)


def shape_of(plan: Any, metric: str) -> Shape:
    """What families need to know of a plan."""
    categorical = [name for name in plan.X.columns if str(plan.X[name].dtype) == "category"]
    most = max((len(plan.X[name].cat.categories) for name in categorical), default=0)
    counts = None if plan.classes is None else np.bincount(plan.y, minlength=len(plan.classes))
    return Shape(
        task=plan.task, rows=len(plan.X), features=plan.X.shape[1],
        classes=0 if plan.classes is None else len(plan.classes),
        rarest=1.0 if counts is None else float(counts.min() / counts.sum()),
        skewed=counts is None and is_skewed(plan.y), categorical=len(categorical), most_categories=most,
        weighted=plan.weights is not None, metric=metric,
    )  # fmt: skip


def is_skewed(y: NDArray[np.float64]) -> bool:
    """Whether a target is never negative, skewed to the right, and less so as a logarithm."""
    values = np.asarray(y, dtype=np.float64)
    if values.min() < 0 or len(np.unique(values[:1000])) < 20:
        return False
    return skewness(values) > SKEWED and added(values[:: max(1, len(values) // LOOKED_AT)]) is not None


@dataclass(frozen=True, slots=True)
class Rungs:
    """The folds that are used, and how many training rows: ascending, 0 is all of ``most``. Set by size and time alone.

    ``cells`` are the numbers in a training set; ``once`` is how many folds judge each row once, 0 where no fold
    repeats that.
    """

    folds: tuple[int, ...]
    rows: tuple[int, ...]
    most: int
    cells: int
    once: int = 0

    @classmethod
    def of(cls, plan: Any, shape: Shape, timeout_s: float) -> Rungs:
        """Chooses so that about :data:`WANTED_FITS` trials have time; on all folds and rows if they can."""
        most = max(len(train) for train, _ in plan.folds)
        cells = most * shape.features
        one = (FIT_S + S_PER_CELL * cells) * max(1.0, min(shape.classes, 10) / 4)
        affordable = timeout_s / (WANTED_FITS * one)
        enough = min(_enough(plan, shape), math.ceil(BEYOND * affordable))
        once = len(plan.folds) // plan.repeats
        count = min(once, max(1, int(affordable), enough))
        repeats = int(timeout_s / (REPEATED_FITS * one * once))
        if once < len(plan.folds) and count == once and repeats > 1:
            return cls(tuple(range(min(len(plan.folds), once * repeats))), (0,), most, cells, once)
        rows = [0]
        size = most
        while affordable < 1 and size // FACTOR >= LEAST_ROWS:
            size //= FACTOR
            rows.insert(0, size)
            affordable *= FACTOR
        return cls(tuple(range(count)), tuple(rows), most, cells)

    @classmethod
    def read(cls, written: dict[str, Any] | None) -> Rungs | None:
        """As they were written."""
        if not written:
            return None
        once = written.get("once", 0)
        return cls(tuple(written["folds"]), tuple(written["rows"]), written["most"], written["cells"], once)

    def written(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    def judged(self, plan: Any) -> NDArray[np.int64]:
        """Numbers of the rows that are judged on, one fold behind the other."""
        return np.concatenate([np.asarray(plan.folds[fold][1]) for fold in self.folds])

    def threads(self, workers: int, rows: int = 0) -> int:
        """Threads of a fit: several only for many numbers and on a machine that has nothing else to do.

        Threads that wait for each other on a busy machine take many times as long as one.
        """
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
        cells = self.cells * (rows or self.most) // self.most
        return int(max(1, min((cores - max(0.0, busy - 1)) // workers, cells // CELLS_PER_THREAD)))

    def after(self, rows: int) -> int:
        """The next number of rows; 0 is all."""
        return next((one for one in self.rows if one > rows), 0)

    def promoted(self, records: list[Record], known_left: int, running: set[int], late: bool = False) -> Record | None:
        """The best candidate of a part of the rows that is among the best third there, and not beyond it yet.

        When it is late the best one goes on where nobody is beyond it, however few have been compared with it.
        """
        if len(self.rows) == 1:
            return None
        for level in reversed(self.rows[:-1]):
            there = [one for one in records if math.isfinite(one.loss) and (one.whole or one.candidate.rows >= level)]
            waiting = sorted(
                (one for one in there if not one.whole and one.candidate.rows == level), key=lambda one: one.loss
            )
            beyond = [one for one in there if one.whole or one.candidate.rows > level]
            if not waiting or waiting[0].candidate.number in running:
                continue
            if len(there) >= (3 if not beyond else 3 * (len(beyond) + 1)) or ((late or not known_left) and not beyond):
                return waiting[0]
        return None
