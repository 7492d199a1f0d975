"""Cross-validation of one configuration, in a worker: scores by fold and out-of-fold predictions.

A boosting model's number of rounds is chosen over all folds at once, like any other parameter: the first fold stops
early and says how far to go, then the score after several numbers of rounds is compared over the folds.
"""

from __future__ import annotations

import math
import os
import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.entities.automl_candidates import OnnxCheck
from jupyter_mlstudio.learning import metrics
from jupyter_mlstudio.learning.family import Boosting, Family, Making, Params, Part, Shape, answers
from jupyter_mlstudio.learning.matrices import Matrices, write_whole
from jupyter_mlstudio.learning.proofs import Proof, proved

STAGES = 10
PATIENCE, MOST_PATIENCE, ROWS_PER_ROUND = 30, 100, 130
"""Rounds without gain before a boosting fit ends, at a learning rate of :data:`USUAL_RATE`; more of smaller steps, and
of longer tables, where there is gain after a long time without any.
"""

USUAL_RATE = 0.08


@dataclass(frozen=True, slots=True)
class Job:
    """A configuration to try. ``rows`` limits each training set; 0 is all; ``folds`` are numbers of the plan's.

    ``fit_limit_s`` is when a fit of the first fold ends with what it has; ``proof`` is for the check of the ONNX form.
    """

    number: int
    family: Family
    params: Params
    folds: tuple[int, ...]
    rows: int = 0
    seed: int = 0
    threads: int = 1
    fit_limit_s: float = math.inf
    proof: Proof | None = None


@dataclass(slots=True)
class Result:
    """What came of a configuration.

    Args:
        params: with the number of rounds that was best.
        scores: by fold; ``fit_s`` is the mean of a fold's fit, ``rows`` the most that one was fitted on.
        predict_ms: for 1,000 rows; ``size_bytes`` of one pickled model. Both it and ``fit_s`` are of as many rounds as
            were chosen, not of those behind them that showed it.
        onnx: how the ONNX form of one fold's model answers, None where it was not looked at; ``check_s`` is its time.
    """

    params: Params
    scores: list[float] = field(default_factory=list)
    fit_s: float = 0.0
    predict_ms: float = 0.0
    size_bytes: int = 0
    rows: int = 0
    measured: dict[str, float] = field(default_factory=dict)
    onnx: OnnxCheck | None = None
    check_s: float = 0.0


@dataclass(frozen=True, slots=True)
class FoldScore:
    """Said after each fold."""

    fold: int
    score: float
    fit_s: float


@dataclass(slots=True)
class _Fold:
    """Predictions of a fold after numbers of rounds; a model without rounds has them under 0.

    ``seen`` is how many rounds its fit took, of which ``trained`` are in its model.
    """

    after: dict[int, NDArray[np.float64]]
    fit_s: float
    predict_ms: float
    pickled: bytes
    rows: int
    found: Params
    seen: int = 0
    trained: int = 0


def evaluate(
    say: Callable[[FoldScore], None], plan: Any, shape: Shape, job: Job, matrices: Matrices, kept: Path
) -> Result:
    """Fits and scores a configuration on its folds.

    Its out-of-fold predictions go to ``kept``, the model of the last fold to :func:`spare_path`.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(job.threads):
        return _evaluate(say, plan, shape, job, matrices, kept)


def spare_path(kept: Path) -> Path:
    """Where the featuriser and model of a fold are: what is served when there is no time for anything better."""
    return kept.with_suffix(".spare")


def _evaluate(
    say: Callable[[FoldScore], None], plan: Any, shape: Shape, job: Job, matrices: Matrices, kept: Path
) -> Result:
    family, metric = job.family, metrics.find(shape.metric, shape.task)
    folds: list[_Fold] = []
    form = family.form_for(job.params)
    for place, number in enumerate(job.folds):
        part, held, codes = matrices.fold(form, number, job.rows)
        making = Making(shape, job.seed, job.threads, codes, part.X.shape[0])
        folds.append(_fitted(job, making, part, held, folds[0] if folds else None))
        found = folds[-1].after
        best = min(metric.loss(score_of(plan, metric, job.folds[place], one)) for one in found.values())
        say(FoldScore(place, metric.turned(best), folds[-1].fit_s))
    count = _best_count(plan, metric, job, folds)
    params = {**job.params, **folds[0].found}
    if family.rounds and family.rounds not in params:
        params[family.rounds] = count
    predictions = [fold.after[count] for fold in folds]
    write_array(kept, np.concatenate(predictions))
    featuriser = matrices.featuriser(form, job.folds[-1], job.rows)
    write_whole(spare_path(kept), pickle.dumps((featuriser, folds[-1].pickled)))
    scores = [score_of(plan, metric, number, one) for number, one in zip(job.folds, predictions, strict=True)]
    loss = float(np.mean([metric.loss(one) for one in scores]))
    onnx, check_s = proved(job.proof, plan, family, featuriser, folds[-1].pickled, job.folds[-1], loss)
    fit_s = float(np.mean([fold.fit_s * _share(count, fold.seen) for fold in folds]))
    return Result(
        params=params, scores=scores, fit_s=chosen_s(featuriser) + fit_s,
        predict_ms=float(np.mean([fold.predict_ms for fold in folds])), rows=max(fold.rows for fold in folds),
        size_bytes=int(max(len(fold.pickled) * _share(count, fold.trained) for fold in folds)),
        measured=measured(plan, shape, job.folds, np.concatenate(predictions)), onnx=onnx, check_s=check_s,
    )  # fmt: skip


def chosen_s(featuriser: Any) -> float:
    """What choosing columns took, which a fit of the whole has to do again."""
    steps = getattr(featuriser, "steps", None)
    return float(getattr(steps[-1][1], "seconds_", 0.0)) if steps else 0.0


def _fitted(job: Job, making: Making, part: Part, held: Part, first: _Fold | None) -> _Fold:
    """Fits one fold; the first one of a boosting model stops early, the others go as far as it did."""
    family, params = job.family, {**job.params, **(first.found if first else {})}
    classifies, seen, trained = making.shape.classifies, 0, 0
    changed: Params = dict(first.found) if first else {}
    began = time.perf_counter()
    if not isinstance(family, Boosting) or family.rounds in params:
        model = family.make(params, making)
        if first is None:
            changed = family.fit_within(model, part, job.fit_limit_s)
        else:
            family.fit(model, part)
        fit_s = time.perf_counter() - began
        began = time.perf_counter()
        after = {0: full(answers(model, held.X, classifies), model, making.shape)}
    else:
        if first is None:
            model = family.make(params, making)
            patience = patience_of(params, making.rows)
            best = family.fit_until_no_better(model, part, held, patience, job.fit_limit_s)
            counts = stages(best, patience, family.trained(model))
        else:
            counts = sorted(first.after)
            model = family.fit(family.make({**params, family.rounds: counts[-1]}, making), part)
        fit_s, seen, trained = time.perf_counter() - began, family.seen(model), family.trained(model)
        began = time.perf_counter()
        found = family.staged(model, held.X, counts, classifies)
        after = {count: full(one, model, making.shape) for count, one in zip(counts, found, strict=True)}
    seconds = (time.perf_counter() - began) / len(after)
    pickled = pickle.dumps(model, protocol=5)
    predict_ms = seconds * 1e6 / max(1, held.X.shape[0])
    return _Fold(after, fit_s, predict_ms, pickled, part.X.shape[0], changed, seen, trained)


def _share(count: int, rounds: int) -> float:
    """The part of its rounds that so many are; all of a model without rounds."""
    return min(1.0, count / rounds) if rounds else 1.0


def patience_of(params: Params, rows: int) -> int:
    """How many rounds without gain end a boosting fit on so many rows."""
    rate = float(params.get("learning_rate", USUAL_RATE))
    usual = min(MOST_PATIENCE, max(PATIENCE, rows // ROWS_PER_ROUND))
    return int(usual * min(3.0, max(1.0, USUAL_RATE / rate)))


def stages(best: int, patience: int, trained: int) -> list[int]:
    """Numbers of rounds to compare around the best of one fold: half of it up to what it has seen behind it."""
    last = max(1, min(trained, best + max(1, min(patience, round(0.4 * best)))))
    return sorted({max(1, round(count)) for count in np.geomspace(max(1, min(best, last) / 2), last, STAGES)})


def full(found: NDArray[np.float64], model: Any, shape: Shape) -> NDArray[np.float64]:
    """Probabilities for all classes of the task, also where the model has not seen all of them."""
    if not shape.classifies:
        return found
    classes = np.asarray(model.classes_, dtype=np.int64)
    if len(classes) == shape.classes:
        return found
    whole = np.zeros((len(found), shape.classes))
    whole[:, classes] = found
    return whole


def score_of(plan: Any, metric: metrics.Metric, fold: int, predicted: NDArray[np.float64]) -> float:
    """The score of predictions for one fold's test rows."""
    rows = plan.folds[fold][1]
    own = getattr(plan, "score", None)
    if own is not None:
        return float(own(metric, rows, predicted))
    weights = None if plan.weights is None else plan.weights[rows]
    return metric.score(plan.y[rows], predicted, weights, scale=scale_of(plan), positive=plan.positive)


def scale_of(plan: Any) -> float | None:
    """The range of a regression's target over the whole table."""
    return None if plan.classes is not None else float(np.ptp(plan.y)) or 1.0


def scores_of(plan: Any, metric: metrics.Metric, folds: tuple[int, ...], predicted: NDArray[np.float64]) -> list[float]:
    """Scores by fold of out-of-fold predictions that stand one fold behind the other."""
    ends = np.cumsum([len(plan.folds[fold][1]) for fold in folds])
    parts = np.split(predicted, ends[:-1])
    return [score_of(plan, metric, fold, part) for fold, part in zip(folds, parts, strict=True)]


def measured(plan: Any, shape: Shape, folds: tuple[int, ...], predicted: NDArray[np.float64]) -> dict[str, float]:
    """All metrics over the rows of these folds."""
    rows = np.concatenate([plan.folds[fold][1] for fold in folds])
    weights = None if plan.weights is None else plan.weights[rows]
    return metrics.measured(shape.task, plan.y[rows], predicted, weights, scale=scale_of(plan), positive=plan.positive)


def _best_count(plan: Any, metric: metrics.Metric, job: Job, folds: list[_Fold]) -> int:
    counts = sorted(set.intersection(*(set(fold.after) for fold in folds)))
    if len(counts) == 1:
        return counts[0]
    losses = [
        float(np.mean([
            metric.loss(score_of(plan, metric, number, fold.after[count]))
            for number, fold in zip(job.folds, folds, strict=True)
        ]))
        for count in counts
    ]  # fmt: skip
    return counts[int(np.argmin(losses))]


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Writes an array so that it is there as a whole or not at all."""
    part = path.with_name(f".{path.stem}.{os.getpid()}.npy")
    np.save(part, array)
    part.replace(path)
