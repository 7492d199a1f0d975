"""Ensembles: greedy selection on out-of-fold predictions, and the vote that is served.

Selection with replacement follows Caruana, Niculescu-Mizil, Crew and Ksikes, "Ensemble selection from libraries of
models" (ICML 2004); that several begin together, and the mean of several selections, against what is learnt of few rows
by chance, Caruana, Munson and Niculescu-Mizil, "Getting the most out of ensemble selection" (ICDM 2006).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.learning.metrics import Metric

MOST_MEMBERS = 8
STEPS = 40
Floats = NDArray[np.float64]


def select(
    predictions: Sequence[Floats],
    loss: Callable[[Floats], float],
    *,
    most: int = MOST_MEMBERS,
    steps: int = STEPS,
    start: int = 1,
    timed_out: Callable[[], bool] = lambda: False,
) -> dict[int, float]:
    """Weighs models so that the mean of their predictions is best.

    Args:
        predictions: of each model for the same rows, the best model first.
        loss: of mixed predictions; less is better.
        most: models at most.
        start: so many of the best are in from the beginning.

    Returns:
        Weights by place in ``predictions``; they add up to 1.
    """
    counts = np.zeros(len(predictions), dtype=np.int64)
    counts[:start] = 1
    total = np.sum(predictions[:start], axis=0)
    begun = int(counts.sum())
    best, chosen = loss(total / begun), counts.copy()
    for step in range(begun, steps):
        open_ = [place for place in range(len(predictions)) if counts[place] or (counts > 0).sum() < most]
        losses = []
        for place in open_:
            if timed_out():
                return _shares(chosen)
            losses.append(loss((total + predictions[place]) / (step + 1)))
        place = open_[int(np.argmin(losses))]
        counts[place] += 1
        total += predictions[place]
        if min(losses) < best - 1e-12:
            best, chosen = min(losses), counts.copy()
        elif step - int(chosen.sum()) >= 8:
            break
    return _shares(chosen)


def select_often(
    predictions: Sequence[Floats],
    losses: Sequence[Callable[[Floats], float]],
    *,
    start: int,
    timed_out: Callable[[], bool] = lambda: False,
) -> dict[int, float]:
    """The mean of selections, each by a loss of its own: what one has chosen by chance, the others outvote.

    Args:
        predictions: as for :func:`select`.
        losses: the same loss, of rows that are weighed differently.
        start: so many of the best are in each from the beginning.

    Returns:
        Weights of the models that weigh most, as from :func:`select`.
    """
    weights: dict[int, float] = {}
    for made, loss in enumerate(losses):
        found = select(predictions, loss, start=start, timed_out=timed_out)
        if made and timed_out():
            break
        weights = {place: weights.get(place, 0.0) + found.get(place, 0.0) for place in {*weights, *found}}
    return shares({place: weights[place] for place in sorted(weights, key=lambda one: -weights[one])[:MOST_MEMBERS]})


def _shares(counts: NDArray[np.int64]) -> dict[int, float]:
    return shares({place: int(count) for place, count in enumerate(counts) if count})


def shares(weights: dict[int, float]) -> dict[int, float]:
    """Weights that add up to 1."""
    total = sum(weights.values())
    return {place: weight / total for place, weight in weights.items()}


def mixed(predictions: Sequence[Floats], weights: dict[int, float]) -> Floats:
    """The weighted mean of predictions."""
    return np.asarray(sum(weights[place] * predictions[place] for place in weights), dtype=np.float64)


def is_better(metric: Metric, ensemble: Sequence[float], single: Sequence[float], errors: float = 0.1) -> bool:
    """Tells whether an ensemble is better than a single model by more than noise, from scores of the same folds.

    The mean of the differences must be above so many of its standard errors; few, since of two that are about as good,
    the mean of several models errs less on new rows. On one fold any gain of a thousandth of the error counts.
    """
    gains = np.asarray([metric.loss(two) - metric.loss(one) for one, two in zip(ensemble, single, strict=True)])
    if not np.isfinite(gains).all():
        return False
    if len(gains) == 1:
        return bool(
            gains[0] > 1e-3 * max(1e-9, min(abs(single[0]), abs(1 - single[0]) if metric.best == 1 else np.inf))
        )
    return bool(gains.mean() > errors * gains.std(ddof=1) / np.sqrt(len(gains)))


def vote(members: Sequence[tuple[str, Any]], weights: Sequence[float], classes: Any | None) -> Any:
    """Makes the vote of members that are fitted already: of class numbers 0 .. n - 1, or of values.

    The same as ``VotingClassifier(voting="soft")`` or ``VotingRegressor`` fitted on all rows; its members are fitted
    beforehand because each has a process of its own, and rows may have weights.

    Args:
        classes: labels by class number; None is regression.
    """
    from sklearn.ensemble import VotingClassifier, VotingRegressor
    from sklearn.preprocessing import LabelEncoder
    from sklearn.utils import Bunch

    if classes is None:
        model: Any = VotingRegressor(list(members), weights=list(weights))
    else:
        model = VotingClassifier(list(members), voting="soft", weights=list(weights), flatten_transform=False)
        model.le_ = LabelEncoder().fit(classes)
        model.classes_ = model.le_.classes_
    model.estimators_ = [member for _, member in members]
    model.named_estimators_ = Bunch(**dict(members))
    names = getattr(model.estimators_[0], "feature_names_in_", None)
    if names is not None:
        model.feature_names_in_ = names
    return model
