"""The Pareto front: trials that no other trial beats in every objective."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_mlstudio.entities.sweeps import Goal


def front(trials: Sequence[Mapping[str, Any]], goals: Sequence[Goal]) -> list[int]:
    """Finds the numbers of those trials, in order; trials without a value for each objective are left out.

    Args:
        trials: with ``number`` and ``values``.
        goals: one for each value.
    """
    import numpy as np

    whole = [one for one in trials if len(one["values"]) == len(goals) and None not in one["values"]]
    if not whole:
        return []
    signs = np.array([-1.0 if goal is Goal.MAXIMIZE else 1.0 for goal in goals])
    values = np.array([one["values"] for one in whole], dtype=np.float64) * signs
    order = np.lexsort(values.T[::-1])
    kept: list[int] = []
    for i in order:  # sorted by the first objective: only those before can be better in all
        others = values[kept]
        beaten = bool(np.any(np.all(others <= values[i], axis=1) & np.any(others < values[i], axis=1)))
        if not beaten:
            kept.append(int(i))
    return sorted(int(whole[i]["number"]) for i in kept)
