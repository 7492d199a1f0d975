"""Columns that alone tell the target: what is only known afterwards, or is the target in another form.

Each column is tried by itself. A quick look along the column's order (von Neumann 1941, Annals of Mathematical
Statistics 12) leaves few; for these a small tree is judged by cross-validation. The bounds are high: that a column is
good is no leak, and easy tables, where several columns tell the target, are told of but not cut down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jupyter_mlstudio.entities.automl import Task
from jupyter_mlstudio.learning import folds
from jupyter_mlstudio.learning.dates import seconds
from jupyter_mlstudio.learning.target import Target

ROWS = 4000
"""Rows that are looked at."""

ROWS_OF_MANY = 1000
"""Rows of a first look where there are more than a thousand columns."""

LEAST_ROWS = 30
SUSPECT = 0.97
SURE = {Task.CLASSIFICATION: 0.99, Task.REGRESSION: 0.998}
"""Balanced accuracy, or the share of the ranks' variance, from which a column looks like a leak, or is one.

In what people have measured one column may well tell almost the whole value (a ship's speed its resistance: 0.995), so
a value's copy is one with an error of a few per cent at most.
"""

TRIED = 200
"""Columns that are tried with trees at most, the most telling first."""


@dataclass(frozen=True, slots=True)
class Leak:
    """How well one column alone tells the target, from 0 (not at all) to 1; ``sure`` when it can hardly be chance."""

    column: str
    score: float
    sure: bool


def leaks(table: pd.DataFrame, target: Target, seed: int = 0) -> list[Leak]:
    """Columns that alone tell the target, the most telling first.

    Args:
        table: columns in their types, as in ``Plan.X``.
    """
    if len(table) < LEAST_ROWS:
        return []
    random = np.random.default_rng(seed)
    rows = np.arange(len(table)) if len(table) <= ROWS else np.sort(random.choice(len(table), ROWS, replace=False))
    few = rows if table.shape[1] <= 1000 or len(rows) <= ROWS_OF_MANY else rows[:: -(-len(rows) // ROWS_OF_MANY)]
    telling = _telling(table, target, few)
    order = [name for name, rest in sorted(telling.items(), key=lambda item: item[1]) if rest <= 0.15][:TRIED]
    part = folds.parts(target.y[rows], _classes(target), None, 5, seed)
    found = []
    for name in order:
        values = _as_numbers(table[name].iloc[rows], target.y[rows], part, target)
        score = _judged(values, target.y[rows], part, target)
        if score >= SUSPECT:
            found.append(Leak(name, score, score >= SURE[target.task]))
    return sorted(found, key=lambda one: -one.score)


def _classes(target: Target) -> int | None:
    return None if target.task is Task.REGRESSION else len(target.classes)


def _telling(table: pd.DataFrame, target: Target, rows: Any) -> dict[str, float]:
    """For each column how much of the target is left when rows lie in its order: 0 is nothing, about 1 is all."""
    y = target.y[rows]
    names = table.columns[(table.dtypes == np.float64).to_numpy()].tolist()
    found: dict[str, float] = {}
    whole = table.to_numpy() if len(names) == table.shape[1] else np.empty((0, 0))
    for start in range(0, len(names), 500):
        some = names[start : start + 500]
        block = table[some].to_numpy()[rows] if len(names) < table.shape[1] else whole[rows, start : start + 500]
        for name, rest in zip(some, _left(block, y, target), strict=True):
            found[name] = float(rest)
    for name in table.columns:
        if name not in found:
            codes, _ = pd.factorize(table[name].iloc[rows], use_na_sentinel=True)
            if codes.max(initial=0) > len(rows) * 0.5:
                codes = (codes >= 0).astype(np.int64) if table[name].dtype.kind != "M" else codes
            if table[name].dtype.kind == "M":
                block = _times(table[name].iloc[rows], target)[:, np.newaxis]
            else:
                block = _means(codes, y, target)[codes][:, np.newaxis]
            found[name] = float(_left(block, y, target)[0])
    return found


def _left(block: Any, y: Any, target: Target) -> Any:
    """Changes between neighbours in each column's order, compared with those of an order by chance."""
    block = np.where(np.isnan(block), -np.inf, block)
    ranks = y if target.task is not Task.REGRESSION else _ranked(y)
    tie = np.random.default_rng(0).permutation(len(y))
    shuffled = block[tie]
    sorted_y = ranks[tie][np.argsort(shuffled, axis=0, kind="stable")]
    sorted_x = np.sort(shuffled, axis=0)
    same = np.all(sorted_x[1:] == sorted_x[:1], axis=0)
    if target.task is Task.REGRESSION:
        rest = (np.diff(sorted_y, axis=0) ** 2).mean(axis=0) / (2 * max(float(ranks.var()), 1e-300))
    else:
        shares = np.bincount(y) / len(y)
        rest = (sorted_y[1:] != sorted_y[:-1]).mean(axis=0) / max(1 - float((shares**2).sum()), 1e-300)
    return np.where(same, 1.0, rest)


def _ranked(y: Any) -> Any:
    _, codes = np.unique(y, return_inverse=True)
    middle = np.cumsum(np.bincount(codes)) - np.bincount(codes) / 2
    return middle[codes] / len(y)


def _means(codes: Any, y: Any, target: Target) -> Any:
    """A number for each category, of the class or the rank that is commonest in it; the last is of missing."""
    places = np.where(codes < 0, codes.max(initial=-1) + 1, codes)
    count = int(places.max(initial=0)) + 1
    if target.task is Task.REGRESSION:
        rows = np.bincount(places, minlength=count)
        return np.append(np.bincount(places, _ranked(y), minlength=count) / np.maximum(rows, 1), 0.0)
    table = np.zeros((count, len(target.classes)))
    np.add.at(table, (places, y), 1.0)
    best = table.argmax(axis=1) + table.max(axis=1) / np.maximum(table.sum(axis=1), 1) / 2
    return np.append(best, best[-1] if (codes < 0).any() else -1.0)


def _times(column: pd.Series[Any], target: Target) -> Any:
    """Times as numbers; for a value only whether there is one, since a value that grows with time is no leak."""
    return column.notna().to_numpy(dtype=np.float64) if target.task is Task.REGRESSION else seconds(column)


def _as_numbers(column: pd.Series[Any], y: Any, part: Any, target: Target) -> Any:
    """The column as one number for each row; of categories the target's among the rows of the other folds."""
    if column.dtype == np.float64:
        return column.to_numpy()
    if column.dtype.kind == "M":
        return _times(column, target)
    codes, _ = pd.factorize(column, use_na_sentinel=True)
    if codes.max(initial=0) > len(codes) * 0.5:
        return (codes >= 0).astype(np.float64)
    made = np.empty(len(codes))
    places = np.where(codes < 0, codes.max(initial=-1) + 1, codes)
    for one in np.unique(part):
        learnt = np.full(int(places.max(initial=0)) + 2, -1.0)
        known = _means(places[part != one], y[part != one], target)[:-1]
        learnt[: len(known)] = known
        made[part == one] = learnt[places[part == one]]
    return made


def _judged(values: Any, y: Any, part: Any, target: Target) -> float:
    """Balanced accuracy beyond chance of a small tree on rows that it has not seen, or of ranks the variance told."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    rows = np.where(np.isnan(values), np.nanmin(values, initial=0.0) - 1.0, values).reshape(-1, 1)
    if target.task is Task.REGRESSION:
        ranks, guess = _ranked(y), np.empty(len(y))
        for one in np.unique(part):
            tree = DecisionTreeRegressor(min_samples_leaf=2, random_state=0).fit(rows[part != one], ranks[part != one])
            guess[part == one] = tree.predict(rows[part == one])
        return float(1 - ((guess - ranks) ** 2).mean() / max(float(ranks.var()), 1e-300))
    leaves = 2 * len(target.classes) + 2
    told = np.empty(len(y), dtype=np.int64)
    for one in np.unique(part):
        tree = DecisionTreeClassifier(
            max_leaf_nodes=leaves, min_samples_leaf=2, class_weight="balanced", random_state=0
        )  # fmt: skip
        tree.fit(rows[part != one], y[part != one])
        told[part == one] = tree.predict(rows[part == one])
    present = np.unique(y)
    recall = np.mean([(told[y == label] == label).mean() for label in present])
    right = np.mean([(y[told == label] == label).mean() if (told == label).any() else 0.0 for label in present])
    return float((min(recall, right) - 1 / len(present)) / (1 - 1 / len(present)))
