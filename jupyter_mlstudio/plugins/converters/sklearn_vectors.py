"""Support vector classification by its formula: onnxruntime's own operator for it computes in float32 alone.

That is far enough off to show in a calibrated probability, where the steps from scores to probabilities are steep.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jupyter_mlstudio.plugins.converters.sklearn_formulas import kernel
from jupyter_mlstudio.plugins.converters.sklearn_tensors import Tensor, beside

NAMES = ("SVC", "NuSVC")


def takes(model: Any) -> bool:
    """Whether a classifier is one of them, with a score for each class, or one of them for each class."""
    if type(model).__name__ == "OneVsRestClassifier":
        return not model.multilabel_ and len(model.classes_) > 2 and all(map(takes, model.estimators_))
    return type(model).__name__ in NAMES and (len(model.classes_) == 2 or model.decision_function_shape == "ovr")


def scores(model: Any, rows: Tensor) -> Tensor:
    """Its ``decision_function``: a column for the second of two classes, of more a column for each."""
    if type(model).__name__ == "OneVsRestClassifier":
        return beside([scores(one, rows) for one in model.estimators_])
    vectors, weights = (
        one.toarray() if hasattr(one, "toarray") else one for one in (model.support_vectors_, model.dual_coef_)
    )
    near = kernel(model.kernel, model, rows, vectors, model._gamma)
    if len(model.classes_) == 2:
        binary: Tensor = near @ weights.T + model.intercept_
        return binary
    return _by_class(near @ _of_pairs(model, weights) + model.intercept_, len(model.classes_))


def _of_pairs(model: Any, weights: Any) -> Any:
    """Weights of the support vectors in the model of each pair of classes, ``(n_vectors, n_pairs)``."""
    ends = np.cumsum(model.n_support_)
    own = [slice(end - count, end) for end, count in zip(ends, model.n_support_, strict=True)]
    classes, columns = len(own), []
    for first in range(classes):
        for second in range(first + 1, classes):
            column = np.zeros(weights.shape[1])
            column[own[first]] = weights[second - 1, own[first]]
            column[own[second]] = weights[first, own[second]]
            columns.append(column)
    return np.stack(columns, axis=1)


def _by_class(found: Tensor, classes: int) -> Tensor:
    """Votes of the pairs, and how sure they are where votes are equal (``_ovr_decision_function``)."""
    pairs = [(first, second) for first in range(classes) for second in range(first + 1, classes)]
    signs = np.zeros((len(pairs), classes))
    for number, (first, second) in enumerate(pairs):
        signs[number, first], signs[number, second] = 1.0, -1.0
    sure = found @ signs
    against = found.flags("Less", 0.0)
    votes = against @ np.minimum(signs, 0.0) * -1.0 + (1.0 - against) @ np.maximum(signs, 0.0)
    return votes + sure / ((sure.abs() + 1.0) * 3.0)
