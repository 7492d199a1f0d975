"""Columns that tell something of the target: those that a quick boosting splits by more than by shuffled copies.

After Kursa and Rudnicki, "Feature selection with the Boruta package" (Journal of Statistical Software 36, 2010), with
gains of one boosting in place of many forests.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

SHUFFLED = 100
"""Columns at most that are shuffled, to see what columns that tell nothing come to."""

LEAST = 5
"""Columns that are kept in any case."""

ROWS, ROUNDS, LEAST_ROUNDS = 2_000, 80, 8
"""Rows that the boosting learns from at most, and its rounds, fewer where each grows a tree for every class."""


class TellingColumns(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Keeps the features whose gain is above that of every shuffled copy.

    Args:
        classes: number of classes of a target of classes; None for a number.
        seed: of the copies, the rows and the boosting.

    Attributes:
        places_: numbers of the features that are kept ``(n_kept,)``, ascending.
        seconds_: that choosing them took.
    """

    def __init__(self, classes: int | None = None, seed: int = 0) -> None:
        self.classes = classes
        self.seed = seed

    def fit(self, rows: Any, y: Any = None) -> TellingColumns:
        began = time.perf_counter()
        given, target = np.asarray(rows, dtype=np.float64), np.asarray(y)
        self.n_features_in_ = given.shape[1]
        self.places_ = np.arange(given.shape[1])
        random = np.random.default_rng(self.seed)
        picked = self._picked(target, random)
        if given.shape[1] > LEAST and len(np.unique(target[picked])) > 1:
            self.places_ = self._chosen(np.nan_to_num(given[picked]), target[picked], random)
        self.seconds_ = time.perf_counter() - began
        return self

    def transform(self, rows: Any) -> Any:
        check_is_fitted(self, "places_")
        return np.asarray(rows, dtype=np.float64)[:, self.places_]

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        given = [f"x{place}" for place in range(self.n_features_in_)] if input_features is None else input_features
        return np.asarray(given, dtype=object)[self.places_]

    def _picked(self, target: NDArray[Any], random: np.random.Generator) -> NDArray[np.int64]:
        """Which rows are learnt from: any, with some of each class first."""
        order = random.permutation(len(target))
        if self.classes is not None and len(target) > ROWS:
            labels = np.unique(target)
            share = max(1, ROWS // (2 * len(labels)))
            front = np.concatenate([np.flatnonzero(target[order] == one)[:share] for one in labels])
            order = order[np.concatenate([front, np.setdiff1d(np.arange(len(order)), front)])]
        return np.asarray(order[:ROWS], dtype=np.int64)

    def _chosen(self, rows: NDArray[np.float64], y: NDArray[Any], random: np.random.Generator) -> NDArray[np.int64]:
        width = rows.shape[1]
        copied = random.choice(width, SHUFFLED, replace=False) if width > SHUFFLED else np.arange(width)
        gains = self._gains(np.hstack([rows, random.permuted(rows[:, copied], axis=0)]), y)
        own, shuffled = gains[:width], gains[width:]
        count = max(LEAST, int((own > shuffled.max()).sum()))
        return np.sort(np.argsort(-own, kind="stable")[:count])

    def _gains(self, rows: NDArray[np.float64], y: NDArray[Any]) -> NDArray[np.float64]:
        """What each column's splits gain, summed up."""
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        kind = HistGradientBoostingRegressor if self.classes is None else HistGradientBoostingClassifier
        trees = max(1, len(np.unique(y)) - 1) if self.classes is not None else 1
        model = kind(
            max_iter=max(LEAST_ROUNDS, ROUNDS // trees), learning_rate=0.15, max_leaf_nodes=15, min_samples_leaf=10,
            max_features=0.3, early_stopping=False, random_state=self.seed,
        ).fit(rows, y)  # fmt: skip
        gains = np.zeros(rows.shape[1])
        for grown in model._predictors:
            for tree in grown:
                splits = tree.nodes[tree.nodes["is_leaf"] == 0]
                np.add.at(gains, splits["feature_idx"], splits["gain"])
        return gains
