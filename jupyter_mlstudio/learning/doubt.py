"""What it costs to be sure of few rows: half a row more is counted, as a mistake, where log loss is the metric.

Where a model errs on none of few rows, all the surer would be all the better, until it errs; and of hundreds of models
one is sure of each of them by chance. Half a row is what Krichevsky and Trofimov add, "The performance of universal
encoding" (IEEE Transactions on Information Theory 27, 1981). Of many rows it says next to nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.entities.automl_candidates import Candidate
from jupyter_mlstudio.learning.state import State

MISTAKES = 0.5
"""Rows that are counted beside those that are there, each a mistake."""

MOST_ROWS = 20_000
"""Of more rows a mistake more is not counted: it would say nothing."""

EPS = 1e-12
"""What scikit-learn adds to a probability before it takes its logarithm."""

Floats = NDArray[np.float64]


def mistaken(probabilities: Floats) -> Floats:
    """The log loss of each row if its class were the second likeliest; ``(n_rows, n_classes)`` to ``(n_rows,)``."""
    return np.asarray(-np.log(np.partition(probabilities, -2, axis=1)[:, -2] + EPS), dtype=np.float64)


def share_of(mistakes: float, weights: Floats) -> float:
    """So many rows more as a share of those that are there, of which each counts by its weight ``(n_rows,)``."""
    return mistakes * float(np.sum(weights**2) / np.sum(weights) ** 2)  # Kish's number of rows that count alike


def mistakes_of(rows: NDArray[np.int64]) -> float:
    """Mistakes that are counted beside rows that are judged, by their numbers: one that is judged thrice is one row."""
    return MISTAKES * len(rows) / len(np.unique(rows))


class Doubt:
    """What is added to the losses of a search; nothing where log loss is not its metric, or there are many rows."""

    def __init__(self, search: State) -> None:
        self._search, plan = search, search.plan
        self._share = 0.0
        if search.metric.name == "log_loss":
            rows = search.rungs.judged(plan)
            weights = np.ones(len(rows)) if plan.weights is None else plan.weights[rows]
            self._share = share_of(mistakes_of(rows), weights) if len(rows) <= MOST_ROWS else 0.0

    def __call__(self, probabilities: Floats) -> float:
        """What is added to the mean log loss of these rows."""
        return self._share * float(np.mean(mistaken(probabilities))) if self._share else 0.0

    def folds(self, candidate: Candidate) -> list[float]:
        """The scores of a candidate by fold, and what is added to each."""
        search = self._search
        predicted = search.kept.oof(candidate.number) if self._share else None
        if predicted is None:
            return candidate.folds
        ends = np.cumsum([len(search.plan.folds[fold][1]) for fold in search.rungs.folds])
        return [score + self(part) for score, part in zip(candidate.folds, np.split(predicted, ends[:-1]), strict=True)]
