"""The models that are kept: fitted on all rows in a worker, with the target's own labels, and checked there."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.entities.automl_candidates import OnnxCheck
from jupyter_mlstudio.learning.ensemble import vote
from jupyter_mlstudio.learning.family import Family, Making, Params, Shape
from jupyter_mlstudio.learning.matrices import Matrices, codes_of, part_of, write_whole
from jupyter_mlstudio.learning.onnx_check import Check

PROBE_ROWS = 300
PROBE_ROUNDS = 6
CHECK_ROWS, CHECK_CELLS = 500, 500_000
"""What a model is compared with its ONNX form on, at most."""


def pipeline(plan: Any, family: Family, params: Params, making: Making) -> Any:
    """An unfitted pipeline: the plan's features for the family, then its estimator."""
    from sklearn.pipeline import Pipeline

    return Pipeline([("features", plan.featuriser(family.form_for(params))), ("model", family.make(params, making))])


def fitted(
    plan: Any, family: Family, params: Params, making: Making, rows: NDArray[np.int64], labels: bool = False
) -> Any:
    """A pipeline that is fitted on some rows of the plan.

    Args:
        labels: whether a classifier is to know the target's own labels, where its library takes them; else it knows
            classes as numbers.
    """
    model = pipeline(plan, family, params, replace(making, rows=len(rows)))
    extra = {}
    if plan.weights is not None and family.takes_weights:
        extra["model__sample_weight"] = plan.weights[rows]
    X = plan.X if len(rows) == len(plan.X) else plan.X.iloc[rows]  # noqa: N806
    y = plan.y[rows]
    if labels and plan.classes is not None and family.knows(plan.classes):
        y = np.asarray(plan.classes)[y]
    return model.fit(X, y, **extra)


def single(plan: Any, family: Family, model: Any) -> Any:
    """A fitted pipeline that answers with the target's labels.

    Where its estimator knew classes as numbers that the labels are not, it becomes a vote of one: what scikit-learn
    itself has for labels of others.
    """
    if plan.classes is None or np.array_equal(np.asarray(plan.classes), np.asarray(model.classes_)):
        return model
    return vote([(family.name.lower(), model)], [1.0], plan.classes)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A member that was fitted: where it is, and how long that took."""

    path: Path
    seconds: float
    size_bytes: int


def refit(
    say: Callable[[Any], None], plan: Any, family: Family, params: Params, making: Making, rows: NDArray[np.int64],
    path: Path, labels: bool = False,
) -> Fitted:  # fmt: skip
    """Fits a pipeline and writes it to a file (pickle).

    One that learnt from a part of the rows says which in ``learnt_from_``: fold and number of rows, see
    :func:`jupyter_mlstudio.learning.matrices.part_of`.
    """
    from threadpoolctl import threadpool_limits

    began = time.perf_counter()
    with threadpool_limits(making.threads):
        model = fitted(plan, family, params, making, rows, labels)
    if len(rows) < len(plan.X):
        model.learnt_from_ = part_of(plan, rows, making.seed)
    content = pickle.dumps(model, protocol=5)
    write_whole(path, content)
    return Fitted(path, time.perf_counter() - began, len(content))


def spare(plan: Any, family: Family, path: Path) -> Any:
    """The model of a fold, with the features that it was fitted on."""
    from sklearn.pipeline import Pipeline

    featuriser, model = pickle.loads(path.read_bytes())
    pipeline = Pipeline([("features", featuriser), ("model", pickle.loads(model))])
    pipeline.learnt_from_ = None
    return single(plan, family, pipeline)


def checked(say: Callable[[Any], None], check: Check, model: Any, rows: Any) -> OnnxCheck:
    """Checks a model, in a worker, with one thread: threads that wait for each other on a busy machine take minutes."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return check(model, rows)


@dataclass(frozen=True, slots=True)
class Probe:
    """What the check of a model of a few rows found, and how long it took."""

    check: OnnxCheck
    seconds: float


def probe(
    say: Callable[[Any], None], plan: Any, family: Family, params: Params, shape: Shape, check: Check, seed: int
) -> Probe:
    """Fits a tiny model of a family on a few rows of this table, and checks it on others."""
    small = dict(params)
    for name in {family.rounds, "n_estimators"} & {family.rounds, *params} - {""}:
        small[name] = PROBE_ROUNDS
    if "hidden" in small:
        small["hidden"] = 8
    return sample(say, plan, family, small, shape, check, seed, PROBE_ROWS)


def sample(
    say: Callable[[Any], None], plan: Any, family: Family, params: Params, shape: Shape, check: Check, seed: int,
    count: int,
) -> Probe:  # fmt: skip
    """Fits a model on ``count`` rows of this table at most, and checks it on others."""
    from threadpoolctl import threadpool_limits

    rows = Matrices(plan, None, seed).training_rows(0, count)
    making = Making(shape, seed, 1, codes_of(plan, family.form_for(params)))
    with threadpool_limits(1):
        model = single(plan, family, fitted(plan, family, params, making, rows, labels=True))
    began = time.perf_counter()
    with threadpool_limits(1):
        count = max(20, min(PROBE_ROWS // 2, CHECK_CELLS // plan.X.shape[1]))
        found = check(model, plan.X.iloc[np.asarray(plan.folds[0][1])[:count]], speed=False)
    return Probe(found, time.perf_counter() - began)


def rows_to_check(plan: Any, seed: int) -> Any:
    """Rows for the check of the winner, held out where there are some, else any; fewer of wide tables."""
    most = max(20, min(CHECK_ROWS, CHECK_CELLS // max(1, plan.X.shape[1])))
    if plan.X_test is not None and len(plan.X_test) >= 20:
        return plan.X_test.iloc[:most]
    count = min(most, len(plan.X))
    return plan.X.iloc[np.sort(np.random.default_rng(seed).choice(len(plan.X), count, replace=False))]
