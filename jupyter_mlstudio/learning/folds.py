"""Splits rows so that equal rows lie together, every class is learnt in every fold, and the same seed splits alike."""

from __future__ import annotations

from typing import Any

import numpy as np

Split = tuple[Any, Any]
"""Numbers of the rows to learn from, and of those to be judged on."""

REPEATED_ROWS = 2_000
REPEAT = 1_000_003
"""Between the seeds of one splitting and the next."""


def count_of(rows: int) -> int:
    """How many folds a table gets; 1 is a single split, enough where there are many rows."""
    return 5 if rows < 20_000 else 3 if rows < 100_000 else 1


def repeats_of(rows: int) -> int:
    """How many times a table is split anew: scores of few rows differ more by how they were split than models do."""
    return 3 if rows < REPEATED_ROWS else 1


def share_of(rows: int) -> float:
    """The share of rows to be judged on in a single split: a fifth, and of large tables 50,000 rows."""
    return min(0.2, 50_000 / max(rows, 1))


def folds(y: Any, classes: int | None, groups: Any, count: int, seed: int, repeats: int = 1) -> list[Split]:
    """Splits all rows into ``count`` parts, each judged on once; so many times, each time in other parts.

    Args:
        y: class numbers ``(n_rows,)``, or values.
        groups: a number for each row; rows of one number lie in one part. None is each row by itself.
    """
    found = []
    for repeat in range(repeats):
        part = parts(y, classes, groups, count, seed + REPEAT * repeat)
        found += [(np.flatnonzero(part != one), np.flatnonzero(part == one)) for one in range(count)]
    return found


def parts(y: Any, classes: int | None, groups: Any, count: int, seed: int) -> Any:
    """The part that each row is in, ``(n_rows,)``, with alike shares of every class, or of small and large values."""
    random = np.random.default_rng(seed)
    if groups is None:
        first, inverse = np.arange(len(y)), np.arange(len(y))
    else:
        _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    strata = y[first] if classes is not None else _ranks(y[first], count)
    part = np.empty(len(first), dtype=np.int64)
    start = 0
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        random.shuffle(members)
        part[members] = (np.arange(len(members)) + start) % count
        start += len(members)
    return part[inverse]


def single(y: Any, classes: int | None, groups: Any, share: float, seed: int) -> Split:
    """One split with this share of the rows to be judged on."""
    pieces = 20 if share >= 0.05 else round(1 / max(share, 0.001))
    judged = parts(y, classes, groups, pieces, seed) < max(round(share * pieces), 1)
    for one in np.unique(y) if classes is not None else []:
        members = np.flatnonzero(y == one)
        if judged[members].all():
            judged[members[0]] = False
    if judged.all() or not judged.any():
        judged[0] = not judged[0]
    return np.flatnonzero(~judged), np.flatnonzero(judged)


def _ranks(values: Any, count: int) -> Any:
    """Groups of neighbours in size, about ``count`` to a group."""
    order = np.argsort(values, kind="stable")
    strata = np.empty(len(values), dtype=np.int64)
    strata[order] = np.arange(len(values)) // max(count, len(values) // 50)
    return strata
