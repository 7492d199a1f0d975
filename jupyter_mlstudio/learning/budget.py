"""How the time is kept: what a trial will take, and what must be left for the end."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, field

from jupyter_mlstudio.learning.family import Family

GROWTH = 1.1
"""A fit on twice the rows takes ``2 ** GROWTH`` times as long."""

CHECK_S_PER_BYTE = 1.2e-7
"""Of a pickled model; what its conversion and comparison take, beside the features'. See ``Family.density``."""


SMOOTH = "scaled"
"""The form of the features of models that are no trees."""

PROBE_S = 0.15
"""The check of a tiny model, where nothing else runs."""


@dataclass(slots=True)
class Clock:
    """Time from the run's beginning, ``time.monotonic()``. ``parts`` sums up what it went into."""

    timeout_s: float
    began: float = field(default_factory=time.monotonic)
    parts: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def used_s(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self.began

    @property
    def left_s(self) -> float:
        """Seconds until the time is over; never negative."""
        return max(0.0, self.timeout_s - self.used_s)


class Costs:
    """Predicts how long trials take, from those that were seen.

    A family's own trials count most; one that was not tried yet is guessed from others of its kind (trees, or models of
    scaled features) by how expensive it usually is beside them.

    Args:
        classes: of the target; 0 is regression.
    """

    def __init__(self, classes: int = 0) -> None:
        self._classes = classes
        self._seen: dict[str, list[float]] = defaultdict(list)
        self._units: dict[bool, list[float]] = {True: [], False: []}

    def add(self, family: Family, seconds: float, rows: int, folds: int) -> None:
        """Notes what a trial took in all."""
        one = seconds / (max(1, rows) ** GROWTH * folds)
        self._seen[family.name].append(one)
        self._units[family.form == SMOOTH].append(one / family.expense_for(self._classes))

    def trial_s(self, family: Family, rows: int, folds: int) -> float | None:
        """About how long a trial will take; None when nothing was seen yet."""
        seen = self._seen.get(family.name)
        if seen:
            recent = sorted(seen[-5:])
            one = recent[len(recent) * 3 // 4]
        else:
            units = self._units[family.form == SMOOTH] or self._units[False]
            if not units:
                return None
            one = sorted(units)[len(units) // 2] * family.expense_for(self._classes)
        return float(one * max(1, rows) ** GROWTH * folds)


def grown(seconds: float, rows: int, to_rows: int) -> float:
    """What a fit takes on more rows."""
    return float(seconds * (max(1, to_rows) / max(1, rows)) ** GROWTH)


def check_s(usual_s: float, members_s: float, size_bytes: int, longer: float = 1.0) -> float:
    """What the check of a model will take.

    Args:
        usual_s: what that of a tiny model takes, which tells how slow the machine is; ``members_s`` of its members.
        size_bytes: of the pickled model, each as many as its family's ``density`` says.
        longer: how many times as long as of a tiny one, beside what goes by its size.
    """
    return longer * (usual_s + members_s) + CHECK_S_PER_BYTE * size_bytes * max(1.0, usual_s / PROBE_S)
