"""Rows that are alike, and rows in the order of time: what keeps a model from being judged on what it has seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from jupyter_mlstudio.learning import folds
from jupyter_mlstudio.learning.preflight import Findings, rows_of
from jupyter_mlstudio.learning.target import Target
from jupyter_mlstudio.learning.values import columns_of

MOSTLY = 0.5
"""Where more of the rows than this repeat others, the table is one of few different rows, and repeats say nothing."""

ORDERED_ROWS = 30


def fingerprints(table: pd.DataFrame) -> Any:
    """A number for each row ``(n_rows,) uint64``, the same for rows of the same values."""
    random = np.random.default_rng(20260101)
    total = np.zeros(len(table), dtype=np.uint64)
    for _, column in columns_of(table):
        if column.dtype == np.float64:
            values = np.asarray(column) + 0.0
            bits = np.where(np.isnan(values), np.nan, values).view(np.uint64)
        elif column.dtype.kind == "M":
            bits = column.to_numpy().astype(np.int64).view(np.uint64)
        else:
            bits = pd.factorize(column)[0].astype(np.int64).view(np.uint64)
        bits = (bits ^ (bits >> np.uint64(29))) * np.uint64(random.integers(1, 2**62) * 2 + 1)
        bits = (bits ^ (bits >> np.uint64(32))) * np.uint64(random.integers(1, 2**62) * 2 + 1)
        total += bits ^ (bits >> np.uint64(29))
    return total


def row_groups(table: pd.DataFrame, found: Findings) -> Any:
    """A number for each row, the same for rows that are alike; None where none are, or nearly all."""
    _, groups = np.unique(fingerprints(table), return_inverse=True)
    repeats = len(groups) - int(groups.max(initial=-1)) - 1
    if not repeats:
        return None
    if repeats > len(groups) * MOSTLY:
        found.info(
            "few_different_rows", f"{rows_of(repeats)} of {len(groups):,} repeat others in all columns",
            "they are taken as what they are: a table of few different rows", "",
        )  # fmt: skip
        return None
    found.info(
        "duplicate_rows", f"{rows_of(repeats)} of {len(groups):,} repeat an earlier one in all columns but the target",
        "rows that are alike lie in the same fold, so that none is judged by a model that has seen it",
        "take repeats out, if they are mistakes",
    )  # fmt: skip
    return groups


def seen_before(groups: Any, part: Any, found: Findings) -> Any:
    """Numbers of rows to learn from that the validation or test data have too; these are not learnt from."""
    if groups is None or not (part > 0).any():
        return np.array([], dtype=np.int64)
    shared = np.flatnonzero((part == 0) & np.isin(groups, groups[part > 0]))
    if len(shared):
        found.warning(
            "rows_in_both", f"{rows_of(len(shared))} to learn from are among the validation or test data too",
            "they are not learnt from", "make tables that share no rows",
        )  # fmt: skip
    return shared


def time_order(table: pd.DataFrame, part: Any, found: Findings) -> str | None:
    """The column of times by which the rows are sorted; None without one. Tells when rows to learn from are later."""
    learnt = np.flatnonzero(part == 0)
    name = next((str(name) for name in table.columns if _sorted(table[name].iloc[learnt])), None)
    if name is None:
        return None
    times = table[name].to_numpy()
    if not (part > 0).any():
        found.warning(
            "time_order", f"the rows are in the order of {name!r}, so neighbours in time may be alike",
            "folds are stretches of time; rows held out for a test are the latest",
            "give validation_data with the latest rows, or choose the task forecasting", name,
        )  # fmt: skip
    elif times[learnt].max() > np.nanmin(times[part > 0]):
        late = int((times[learnt] > np.nanmin(times[part > 0])).sum())
        found.warning(
            "time_order_violated",
            f"by {name!r}, {rows_of(late)} to learn from are later than some of the validation or test data",
            "scores may be better than later rows will show", "validate and test on the latest rows", name,
        )  # fmt: skip
    return name


def _sorted(column: pd.Series[Any]) -> bool:
    if column.dtype.kind != "M" or len(column) < ORDERED_ROWS or column.isna().any():
        return False
    values = column.to_numpy().astype(np.int64)
    steps = np.diff(values)
    ordered = bool((steps >= 0).all()) or bool((steps <= 0).all())
    return ordered and len(np.unique(values)) >= len(values) * 0.3


def stretches(times: Any, y: Any, classes: int | None, count: int) -> list[folds.Split] | None:
    """Folds that are stretches of time; None when a model would miss a class."""
    order = np.argsort(times, kind="stable")
    judged = [np.sort(one) for one in np.array_split(order, count) if len(one)]
    every = np.arange(len(y))
    pairs = [(np.setdiff1d(every, one), one) for one in judged]
    if classes is not None and any(len(np.unique(y[learn])) < len(np.unique(y)) for learn, _ in pairs):
        return None
    return pairs


def cut(target: Target, rows: Any, groups: Any, times: Any, share: float, seed: int) -> folds.Split:
    """One split of some rows, by their places among these; the latest ones are judged where there are ``times``."""
    classes = None if target.classes is None else len(target.classes)
    if times is not None:
        order = np.argsort(times, kind="stable")
        count = min(max(round(share * len(order)), 1), len(order) - 1)
        learn, judged = np.sort(order[:-count]), np.sort(order[-count:])
        if classes is None or len(np.unique(target.y[rows][learn])) == len(np.unique(target.y[rows])):
            return learn, judged
    return folds.single(target.y[rows], classes, groups, share, seed)
