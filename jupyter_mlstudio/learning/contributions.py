"""What each column adds to the prediction of one row, for any model and without another library.

Shapley values by sampled orders of the columns (Strumbelj and Kononenko, "Explaining prediction models and individual
predictions with feature contributions", Knowledge and Information Systems 41, 2014), each order also backwards, which
halves the noise (Mitchell, Cooper, Frank and Holmes, JMLR 23, 2022). Only numpy is needed: whoever answers the rows may
be a fitted model or a session of onnxruntime.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROWS = 20_000
"""Rows that are predicted at most for one explanation."""

CELLS = 20_000_000
"""The same for values, where there are very many columns; then not all background rows are used."""

MOST_COLUMNS = 60
"""Columns that are told apart; more share one contribution."""

OTHERS = "other columns"
Columns = Mapping[str, NDArray[Any]]
Predict = Callable[[dict[str, NDArray[Any]]], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Contributions:
    """One row, explained: ``base`` plus all contributions is ``prediction``.

    ``base`` is the mean prediction of the background rows, ``error`` the standard error of each contribution;
    ``others`` are the columns that share the contribution ``other columns``.
    """

    prediction: float
    base: float
    values: dict[str, float]
    error: dict[str, float] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)


def contributions(
    predict: Predict,
    background: Columns,
    row: Mapping[str, Any],
    *,
    columns: Sequence[str] | None = None,
    rows: int = ROWS,
    seed: int = 0,
) -> Contributions:
    """Explains the prediction of one row.

    Args:
        predict: answers columns ``(n_rows,)`` with one number for each row.
        background: rows of the kind that the model learnt from, 20 to 200 of them, as columns ``(n_background,)``.
        row: the value of each column.
        columns: which are told apart, the most important ones; None is all, or the first 60.
        rows: rows to predict at most; as many background rows are used as that allows, each with as many orders.
        seed: the same seed makes the same numbers.

    Returns:
        The contributions. They add up to the row's prediction minus the mean prediction of the background rows.
    """
    names = list(background)
    told = [name for name in (names if columns is None else columns) if name in background][:MOST_COLUMNS]
    others = [name for name in names if name not in set(told)]
    players = [[name] for name in told] + ([others] if others else [])
    random = np.random.default_rng(seed)
    rows = min(rows, CELLS // len(names))
    count = max(1, min(len(background[names[0]]), rows // (2 * (len(players) + 1))))
    orders = _orders(len(players), count, rows, random)
    marks = np.stack([_marks(order) for order in orders])  # (n_orders, n_players + 1, n_players)
    of = np.arange(len(orders)) // 2 % count
    answers = _answers(predict, background, row, players, marks, of)
    gains = np.zeros((len(orders), len(players)))
    steps = np.diff(answers, axis=1)
    np.put_along_axis(gains, np.stack(orders), steps, axis=1)
    labels = [*told, *([OTHERS] if others else [])]
    pairs = gains.reshape(-1, 2, len(players)).mean(axis=1)
    spread = pairs.std(axis=0, ddof=1) / np.sqrt(len(pairs)) if len(pairs) > 1 else np.zeros(len(players))
    return Contributions(
        prediction=float(answers[0, -1]), base=float(answers[:, 0].mean()), others=others,
        values=dict(zip(labels, pairs.mean(axis=0).tolist(), strict=True)),
        error=dict(zip(labels, spread.tolist(), strict=True)),
    )  # fmt: skip


def _orders(players: int, background: int, rows: int, random: np.random.Generator) -> list[NDArray[np.int64]]:
    """Orders of the columns, each followed by itself backwards; as many pairs for each background row."""
    pairs = max(1, rows // (2 * (players + 1)) // background) * background
    found = []
    for _ in range(pairs):
        order = random.permutation(players)
        found += [order, order[::-1].copy()]
    return found


def _marks(order: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which columns have the row's own value after each step of an order."""
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return np.arange(len(order) + 1)[:, None] > place[None, :]


def _answers(
    predict: Predict, background: Columns, row: Mapping[str, Any], players: list[list[str]],
    marks: NDArray[np.bool_], of: NDArray[np.int64],
) -> NDArray[np.float64]:  # fmt: skip
    """Predictions after each step of each order, ``(n_orders, n_players + 1)``, a limited number of rows at a time."""
    orders, steps, _ = marks.shape
    found = np.empty((orders, steps))
    most = max(1, 8192 // steps)
    for start in range(0, orders, most):
        part = marks[start : start + most].reshape(-1, len(players))
        drawn = np.repeat(of[start : start + most], steps)
        batch: dict[str, NDArray[Any]] = {}
        for number, group in enumerate(players):
            for name in group:
                column = background[name][drawn]
                column[part[:, number]] = row[name]
                batch[name] = column
        ordered = {name: batch[name] for name in background}
        found[start : start + most] = np.asarray(predict(ordered), dtype=np.float64).reshape(-1, steps)
    return found
