"""How predictions change with one column: partial dependence, and single rows (ICE)."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pandas as pd

from jupyter_mlstudio.entities.automl import Task
from jupyter_mlstudio.entities.automl_explanations import Dependence
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.learning.family import answers

GRID = 24
CATEGORIES = 20
CURVES = 30
BATCH = 2000
"""Rows that are predicted at once."""


def dependence(model: Any, plan: Any, column: str, rows: pd.DataFrame, until: float = math.inf) -> Dependence | None:
    """The mean prediction over values of a column, and the curves of some rows.

    Partial dependence is Friedman's ("Greedy function approximation", Annals of Statistics 29, 2001), single curves are
    those of Goldstein, Kapelner, Bleich and Pitkin (JCGS 24, 2015). Other columns stay as they are in each row.

    Args:
        model: fitted; predicts rows of the form of ``plan.X``.
        rows: some rows of it, a few hundred.
        until: ``time.monotonic()`` at which it gives up.

    Returns:
        None for prose, which has no values to go through, and when there was no time.
    """
    grid, shown = grid_of(plan.X[column])
    if len(grid) < 2:
        return None
    classifies = plan.task is Task.CLASSIFICATION
    found = []
    at_once = max(1, BATCH // len(rows))
    for start in range(0, len(grid), at_once):
        if time.monotonic() >= until:
            return None
        part = grid[start : start + at_once]
        changed = pd.concat([rows] * len(part), ignore_index=True)
        filled = [value for value in part for _ in range(len(rows))]
        changed[column] = pd.Series(filled, dtype=plan.X[column].dtype)
        answered = answers(model, changed, classifies)
        found.append(answered.reshape(len(part), len(rows), *answered.shape[1:]))
    table = np.concatenate(found)  # (n_values, n_rows[, n_classes])
    number = class_of(plan)
    picks = np.linspace(0, len(rows) - 1, min(CURVES, len(rows))).round().astype(np.int64)  # a table may be sorted
    curves = table[:, picks, number] if classifies else table[:, picks]
    means = table.mean(axis=1)
    return Dependence(
        column=column, values=shown, of="" if not classifies else str(plan.classes[number]),
        mean=[[_rounded(one) for one in line] for line in np.atleast_2d(means.T)],
        rows=[[_rounded(one) for one in line] for line in curves.T],
    )  # fmt: skip


def class_of(plan: Any) -> int:
    """The number of the class that one number is told of: the positive one, or the most frequent one."""
    if plan.classes is None:
        return 0
    if plan.positive is not None:
        return int(plan.positive)
    return int(np.bincount(plan.y).argmax())


def grid_of(column: pd.Series[Any]) -> tuple[list[Any], list[JSON]]:
    """Values to go through, as they stand in the table and as they are told: quantiles, or the usual categories."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        usual = column.value_counts().head(CATEGORIES)
        found = [value for value, count in usual.items() if count]
        return found, [str(value) for value in found]
    present = column.dropna()
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        times = np.unique(present.to_numpy())
        if len(times) > GRID:
            times = times[np.linspace(0, len(times) - 1, GRID).round().astype(int)]
        return list(times), [str(np.datetime_as_string(time, unit="s")).removesuffix("T00:00:00") for time in times]
    if column.dtype.kind in "biuf":
        numbers = np.unique(present.to_numpy(dtype=np.float64))
        if len(numbers) > GRID:
            shares = np.linspace(0.01, 0.99, GRID)
            numbers = np.unique(np.quantile(present.to_numpy(dtype=np.float64), shares, method="nearest"))
        return numbers.tolist(), numbers.tolist()
    return [], []


def _rounded(value: Any) -> float:
    return float(f"{float(value):.6g}")
