"""Who is given up before all folds: who is far behind after the first one, or behind after the first splitting."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from jupyter_mlstudio.learning.kept import Record
from jupyter_mlstudio.learning.state import State

FIRST = 8
"""A first fold is compared with those of so many, the best ones."""

REPEATED = 12
"""Who is among so many after the first splitting is judged on the others too."""


def given_up(
    search: State, record: Record, rows: int, scores: list[float], fit_s: float
) -> tuple[Record, float] | None:
    """A candidate that has no chance any more, and a guess of what it would have lost; None lets it go on.

    Args:
        rows: that its training sets are limited to, 0 is all; ``scores`` are its folds' so far.
    """
    rungs, metric = search.rungs, search.metric
    loss = mean_loss(search, scores)
    if len(rungs.folds) == 1 or not search.limits.enable_early_termination or not math.isfinite(loss):
        return None
    records, far = list(search.records.values()), None
    if len(scores) == 1:
        far = far_behind(loss, rows or rungs.most, records, record.candidate.stage)
    elif len(scores) == rungs.once and len(scores) < len(rungs.folds):
        done = [one.candidate.folds[: rungs.once] for one in records if math.isfinite(one.loss)]
        far = behind(loss, [mean_loss(search, one) for one in done])
    if far is None:
        return None
    after = "a fold" if len(scores) == 1 else f"{len(scores)} folds"
    candidate = replace(
        record.candidate, folds=list(scores), fit_s=fit_s, rows=rows or rungs.most,
        failed=f"ended after {after}: {metric.turned(loss):.4g}, the best has {metric.turned(far):.4g} there",
    )  # fmt: skip
    guess = (search.best() or record).loss + loss - far
    return replace(record, candidate=candidate, first_loss=metric.loss(scores[0])), guess


def mean_loss(search: State, scores: list[float]) -> float:
    """The mean loss over folds."""
    return float(np.mean([search.metric.loss(one) for one in scores]))


def far_behind(loss: float, rows: int, records: list[Record], stage: str) -> float | None:
    """The best first fold when this one is far behind: outside the best eight by more than the folds differ.

    Known configurations are given twice the distance.
    """
    done = sorted(
        (one for one in records if math.isfinite(one.loss) and one.candidate.rows == rows), key=lambda one: one.loss
    )
    if len(done) < 4:
        return None
    best = done[0]
    spread = float(np.std(best.candidate.folds, ddof=1)) if len(best.candidate.folds) > 1 else 0.0
    bar = max(one.first_loss for one in done[:FIRST]) + (2.0 if stage == "portfolio" else 0.5) * spread
    return best.first_loss if loss > bar else None


def behind(loss: float, losses: list[float]) -> float | None:
    """The best mean loss over the first splitting when this one is not among the best :data:`REPEATED` there.

    Args:
        losses: of those that were judged on all folds, over the first splitting.
    """
    done = sorted(losses)
    return done[0] if len(done) >= REPEATED and loss > done[REPEATED - 1] else None
