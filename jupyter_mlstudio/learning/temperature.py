"""One temperature for the probabilities of a vote: the mean of models that err differently is less sure than it may be.

After Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks" (ICML 2017): logarithms of
probabilities are divided by a temperature, so that the order of the classes stays. Below 1 the model becomes surer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.learning.doubt import EPS, MISTAKES, mistaken, share_of

PARAMETER = "temperature"
"""Of a candidate that is a vote."""

LEAST, MOST = 0.1, 10.0
LEARNT_ROWS = 20_000
"""So many rows say what one number is."""

Floats = NDArray[np.float64]


def is_known() -> bool:
    """Whether this scikit-learn has models with a temperature (1.8 and newer)."""
    from sklearn import calibration

    return hasattr(calibration, "_TemperatureScaling")


def changed(probabilities: Floats, temperature: float) -> Floats:
    """Probabilities ``(n_rows, n_classes)`` at a temperature."""
    logits = np.log(probabilities + EPS) / temperature
    found = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(found / found.sum(axis=1, keepdims=True), dtype=np.float64)


def best(
    probabilities: Floats, y: NDArray[np.int64], weights: Floats | None = None, mistakes: float = MISTAKES
) -> float:
    """The temperature at which the log loss is least, with so many more rows whose class was the second likeliest.

    Args:
        probabilities: for rows that were not learnt from, ``(n_rows, n_classes)``.
        y: class numbers ``(n_rows,)``; ``weights`` say how much each row counts.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    rows = np.arange(len(y))
    if len(y) > LEARNT_ROWS:
        rows = np.random.default_rng(0).choice(len(y), LEARNT_ROWS, replace=False, shuffle=False)
    counted = np.ones(len(rows)) if weights is None else weights[rows]
    share = share_of(mistakes * len(rows) / len(y), counted)
    logits = np.log(probabilities[rows] + EPS)
    told = logits[np.arange(len(rows)), y[rows]] - share * mistaken(probabilities[rows])

    def loss(exponent: float) -> float:
        beta = np.exp(-exponent)
        return float(np.average((1.0 + share) * logsumexp(beta * logits, axis=1) - beta * told, weights=counted))

    found = minimize_scalar(loss, bounds=(np.log(LEAST), np.log(MOST)), method="bounded")
    return float(np.exp(found.x))


def out_of_fold(
    probabilities: Floats,
    y: NDArray[np.int64],
    weights: Floats | None,
    parts: Sequence[NDArray[np.int64]],
    mistakes: float = MISTAKES,
) -> Floats:
    """Probabilities of each part of the rows at the best temperature of the other parts."""
    found = np.empty_like(probabilities)
    for part in parts:
        others = np.delete(np.arange(len(y)), part)
        known = None if weights is None else weights[others]
        found[part] = changed(probabilities[part], best(probabilities[others], y[others], known, mistakes))
    return found


def at(model: Any, temperature: float) -> Any:
    """A fitted classifier at a temperature, which it has as ``temperature_``.

    The same as ``CalibratedClassifierCV(FrozenEstimator(model), method="temperature")``, but that the temperature is
    that of predictions out of fold: the model itself has learnt from all rows.
    """
    from sklearn import calibration
    from sklearn.frozen import FrozenEstimator

    step = calibration._TemperatureScaling()
    step.beta_ = 1.0 / temperature
    made = calibration.CalibratedClassifierCV(FrozenEstimator(model), method="temperature")
    made.classes_, made.temperature_ = model.classes_, temperature
    made.calibrated_classifiers_ = [
        calibration._CalibratedClassifier(model, [step], classes=model.classes_, method="temperature")
    ]
    for name in ("feature_names_in_", "n_features_in_"):
        if hasattr(model, name):
            setattr(made, name, getattr(model, name))
    return made


def inside(model: Any) -> tuple[Any, float | None]:
    """The classifier that was brought to a temperature, and the temperature; other models as they are, and None."""
    found = getattr(model, "temperature_", None)
    return (model, None) if found is None else (model.calibrated_classifiers_[0].estimator, float(found))
