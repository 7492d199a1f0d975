"""What a worker does for a forecast: it tries a configuration on all rolling origins, or fits the one that is kept."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.entities.automl_candidates import OnnxCheck
from jupyter_mlstudio.learning import forecast_metrics
from jupyter_mlstudio.learning.ensemble import vote
from jupyter_mlstudio.learning.forecast import Spread, spread_of
from jupyter_mlstudio.learning.forecast_families import Config, make
from jupyter_mlstudio.learning.forecast_plan import ForecastPlan
from jupyter_mlstudio.learning.matrices import write_whole
from jupyter_mlstudio.learning.metrics import Metric
from jupyter_mlstudio.learning.onnx_check import Check
from jupyter_mlstudio.learning.proofs import Proof, within
from jupyter_mlstudio.learning.refit import Probe

CHECKED_ROWS = 200


@dataclass(slots=True)
class Tried:
    """What came of a configuration: scores by origin, forecasts of each origin's rows, one behind the other.

    Args:
        onnx: how the ONNX form of the last model answers, None where it was not looked at; ``check_s`` is its time.
    """

    scores: list[float]
    predicted: NDArray[np.float64]
    measured: dict[str, float] = field(default_factory=dict)
    fit_s: float = 0.0
    predict_ms: float = 0.0
    size_bytes: int = 0
    rows: int = 0
    onnx: OnnxCheck | None = None
    check_s: float = 0.0


def fitted(plan: ForecastPlan, config: Config, rows: NDArray[np.int64] | None, *, seed: int, threads: int) -> Any:
    """The model of a configuration, fitted on some rows of the plan; None is all."""
    model = make(plan, config, seed=seed, threads=threads)
    picked = slice(None) if rows is None else rows
    X = plan.X if rows is None else plan.X.iloc[rows]  # noqa: N806
    if plan.weights is None:
        return model.fit(X, plan.y[picked])
    name = "model__sample_weight" if hasattr(model, "steps") else "sample_weight"
    return model.fit(X, plan.y[picked], **{name: plan.weights[picked]})


def tried(
    say: Callable[[Any], None],
    plan: ForecastPlan,
    metric: Metric,
    config: Config,
    proof: Proof | None,
    seed: int,
    threads: int,
) -> Tried:
    """Fits on what was known at each origin and forecasts from there; then, where there is time, checks the ONNX form
    of the last model.

    Says each origin's score.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(threads):
        scores, found, fit_s, predict_s = [], [], 0.0, 0.0
        model = None
        for known, ahead in plan.folds:
            began = time.perf_counter()
            model = fitted(plan, config, known, seed=seed, threads=threads)
            fit_s += time.perf_counter() - began
            began = time.perf_counter()
            predicted = np.asarray(model.predict(plan.X.iloc[ahead]), dtype=np.float64)
            predict_s += time.perf_counter() - began
            found.append(predicted)
            scores.append(forecast_metrics.score(plan, metric, ahead, predicted))
            say(scores[-1])
        rows = np.concatenate([ahead for _, ahead in plan.folds])
        predicted = np.concatenate(found)
        size, loss = len(pickle.dumps(model)), metric.loss(float(np.mean(scores)))
        onnx, check_s = within(proof, loss, size, lambda: (model, rows_to_check(plan)))
    return Tried(
        scores=scores, predicted=predicted, measured=forecast_metrics.measured(plan, rows, predicted),
        fit_s=fit_s / len(plan.folds), predict_ms=predict_s * 1e6 / len(rows), size_bytes=size,
        rows=max(len(known) for known, _ in plan.folds), onnx=onnx, check_s=check_s,
    )  # fmt: skip


def sampled(
    say: Callable[[Any], None], plan: ForecastPlan, config: Config, check: Check, seed: int, count: int
) -> Probe:
    """Fits a model on ``count`` rows at most, of those that the last origin knows, and checks it."""
    from threadpoolctl import threadpool_limits

    known = plan.folds[-1][0]
    rows = known[np.linspace(0, len(known) - 1, min(count, len(known))).round().astype(np.int64)]
    with threadpool_limits(1):
        model = fitted(plan, config, rows, seed=seed, threads=1)
        began = time.perf_counter()
        return Probe(check(model, rows_to_check(plan), speed=False), time.perf_counter() - began)


def rows_to_check(plan: ForecastPlan) -> Any:
    """Rows to compare a model with its ONNX form on: the held out ones, else the latest."""
    if plan.X_test is not None and len(plan.X_test):
        return plan.X_test.iloc[:CHECKED_ROWS]
    last = np.argsort(plan.about, kind="stable")[-CHECKED_ROWS:]
    return plan.X.iloc[last]


@dataclass(frozen=True, slots=True)
class Kept:
    """The model that is kept, in a file, with the check of its ONNX form and how long it took to fit."""

    path: Path
    onnx: OnnxCheck
    fit_s: float
    size_bytes: int
    spread: Spread | None = None


def kept(
    say: Callable[[Any], None], plan: ForecastPlan, members: list[tuple[Config, float]], check: Check, path: Path,
    seed: int, threads: int,
) -> Kept:  # fmt: skip
    """Fits a model, or the members of a vote, on all rows, checks it, and measures how far its forecasts are off."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(threads):
        began = time.perf_counter()
        model = _model_of(plan, members, None, seed, threads)
        seconds = time.perf_counter() - began
        onnx = check(model, rows_to_check(plan))
        spread = spread_of(plan, _model_of(plan, members, plan.folds[0][0], seed, threads), plan.origins[0])
    content = pickle.dumps(model, protocol=5)
    write_whole(path, content)
    return Kept(path, onnx, seconds, len(content), spread)


def _model_of(
    plan: ForecastPlan, members: list[tuple[Config, float]], rows: NDArray[np.int64] | None, seed: int, threads: int
) -> Any:
    models = [fitted(plan, config, rows, seed=seed, threads=threads) for config, _ in members]
    if len(models) == 1:
        return models[0]
    names = [f"{config.family.lower()}_{place}" for place, (config, _) in enumerate(members)]
    return vote(list(zip(names, models, strict=True)), [weight for _, weight in members], None)
