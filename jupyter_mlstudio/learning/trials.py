"""What is told of a trial when it begins, when it ends, and when it fails."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from jupyter_mlstudio.entities.automl_candidates import Candidate
from jupyter_mlstudio.learning import metrics
from jupyter_mlstudio.learning.evaluate import Result
from jupyter_mlstudio.learning.kept import Record
from jupyter_mlstudio.learning.state import State


def begun(candidate: Candidate) -> Candidate:
    """A candidate that begins, or begins again on more rows."""
    return replace(candidate, failed="")


def failed(record: Record, reason: str) -> Record:
    """A candidate that came to nothing."""
    return replace(record, candidate=replace(record.candidate, failed=reason), loss=math.inf)


def ended(search: State, record: Record, result: Result) -> Record:
    """A candidate that was scored on all its folds."""
    defined = [one for one in result.scores if math.isfinite(one)]
    if not defined:
        return failed(record, "its score is not a number")
    score = float(np.mean(defined))  # a class that a fold has no row of leaves some metrics undefined there
    bounds = bounds_of(search, record.candidate.number, result.scores)
    candidate = replace(
        record.candidate, params=result.params, score=score, low=bounds[0], high=bounds[1], folds=result.scores,
        metrics=result.measured, rows=result.rows, fit_s=result.fit_s, predict_ms=result.predict_ms,
        size_bytes=result.size_bytes, onnx=result.onnx, failed="",
    )  # fmt: skip
    return replace(record, candidate=candidate, loss=search.metric.loss(score))


def bounds_of(search: State, number: int, scores: list[float]) -> tuple[float | None, float | None]:
    """The 95 % interval of a candidate's score: over the folds, or of their rows where there are not three."""
    plan, folds = search.plan, search.rungs.folds
    if len(folds) > 2:
        train, test = (np.mean([len(plan.folds[fold][side]) for fold in folds]) for side in (0, 1))
        return metrics.interval(scores, float(test / train), search.metric) or (None, None)
    found = search.kept.oof(number)
    rows = search.rungs.judged(plan)
    if found is None or hasattr(plan, "score"):
        return None, None
    scale = None if plan.classes is not None else float(np.ptp(plan.y)) or 1.0

    def score(picked: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> float:
        weights = None if plan.weights is None else plan.weights[rows[picked]]
        return search.metric.score(plan.y[rows[picked]], found[picked], weights, scale=scale, positive=plan.positive)

    return metrics.resampled(score, len(rows), search.metric, seed=search.spec.seed) or (None, None)
