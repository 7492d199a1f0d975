"""Models of scikit-learn around others, which convert as usual: thresholds, calibration, targets, chains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jupyter_mlstudio.plugins.converters import sklearn_vectors
from jupyter_mlstudio.plugins.converters.refused import Refused
from jupyter_mlstudio.plugins.converters.sklearn_formulas import isotonic, of_function
from jupyter_mlstudio.plugins.converters.sklearn_graph import DOUBLE, Graph, float_type, kind_of
from jupyter_mlstudio.plugins.converters.sklearn_tensors import Tensor, beside

LEAST_LIKELY = 1e-12
"""What scikit-learn adds to a probability before it takes its logarithm."""


def write(scope: Any, operator: Any, container: Any) -> None:
    """Writes one of these models."""
    WRITERS[type(operator.raw_operator).__name__](Graph(scope, container), operator)


def inner(graph: Graph, model: Any, inputs: list[Any]) -> list[Any]:
    """Declares an inner model on some inputs; answers its outputs."""
    from skl2onnx._parse import _parse_sklearn
    from sklearn.base import is_classifier

    if is_classifier(model):
        last = model.steps[-1][1] if hasattr(model, "steps") else model
        graph.scope.add_options(id(last), {"zipmap": False})
    return list(_parse_sklearn(graph.scope, model, inputs))


def tensor(graph: Graph, variable: Any) -> Tensor:
    """A float variable as a tensor."""
    return Tensor(graph, variable.full_name, kind_of(variable) == DOUBLE)


def _threshold(graph: Graph, operator: Any) -> None:
    """The second class from its threshold on, whatever is more probable."""
    model = operator.raw_operator
    inside, threshold = model.estimator_, getattr(model, "best_threshold_", None)
    if threshold is None:
        threshold = 0.5 if model.threshold == "auto" else model.threshold
    if model.response_method == "decision_function" or not hasattr(inside, "predict_proba"):
        raise Refused(f"{type(model).__name__} of a decision function has no ONNX form: use response_method='auto'")
    _, found = inner(graph, inside, operator.inputs)
    classes = np.asarray(model.classes_)
    label = getattr(model, "pos_label", None)
    if label is None:
        label = getattr(getattr(model, "_curve_scorer", None), "_kwargs", {}).get("pos_label", classes[-1])
    positive = int(np.flatnonzero(classes == label)[0])
    answer = operator.outputs[-1]
    graph.node("Cast", [found.full_name], answer.full_name, to=kind_of(answer))
    wide = kind_of(answer) == DOUBLE
    score = Tensor(graph, answer.full_name, wide).columns([positive]).squeeze(1)
    passed = score.flags("GreaterOrEqual", float(threshold))
    graph.pick(passed.whole(), [classes[1 - positive], classes[positive]], operator.outputs[0].full_name)


def _target(graph: Graph, operator: Any) -> None:
    """The inner regressor's answer, taken back to the scale of the targets."""
    model = operator.raw_operator
    found = tensor(graph, inner(graph, model.regressor_, operator.inputs)[0])
    name, scaler = type(model.transformer_).__name__, model.transformer_
    if name == "FunctionTransformer":
        back = of_function(scaler.inverse_func, found, "inverse_func")
    elif name == "StandardScaler":
        back = found * (1.0 if scaler.scale_ is None else scaler.scale_) + (
            0.0 if scaler.mean_ is None else scaler.mean_
        )
    elif name == "MinMaxScaler":
        back = (found - scaler.min_) / scaler.scale_
    elif name == "LogTarget":
        back = (found * scaler.scale_ + scaler.mean_).clip(*scaler.bounds_).exp() - scaler.added_
    else:
        raise Refused(
            f"TransformedTargetRegressor with a {name} has no ONNX form: use func and inverse_func of numpy,"
            " StandardScaler or MinMaxScaler"
        )
    answer = operator.outputs[0]
    graph.node("Cast", [back.name], answer.full_name, to=kind_of(answer))


def _chain(graph: Graph, operator: Any) -> None:
    """Each regressor sees the rows and what those before it answered."""
    from skl2onnx.common import data_types

    model, wide = operator.raw_operator, float_type(operator.inputs) == DOUBLE
    rows = Tensor(graph, graph.matrix(operator.inputs), wide)
    answers: list[Tensor] = []
    width = model.estimators_[0].n_features_in_
    floats = data_types.DoubleTensorType if wide else data_types.FloatTensorType
    for number, one in enumerate(model.estimators_):
        seen = graph.scope.declare_local_variable("seen", floats([None, width + number]))
        graph.node("Identity", [beside([rows, *answers]).name], seen.full_name)
        found = tensor(graph, inner(graph, one, [seen])[0])
        shape = graph.constant(np.array([-1, 1]))
        answers.append(Tensor(graph, graph.node("Reshape", [found.name, shape], version=14), wide))
    order = np.argsort(model.order_)
    graph.node("Identity", [beside([answers[place] for place in order]).name], operator.outputs[0].full_name)


def takes(model: Any) -> bool:
    """Tells whether a model is one that skl2onnx gets wrong: of calibrations, those by steps or a temperature of a
    linear model, those of support vectors, and those by a temperature of what answers with probabilities alone.
    """
    if type(model).__name__ != "CalibratedClassifierCV":
        return True
    known = [one.estimator for one in model.calibrated_classifiers_]
    if all(sklearn_vectors.takes(one) for one in known):
        return True
    if model.method == "temperature" and all(_only_likely(one) for one in known):
        return True
    return model.method in ("isotonic", "temperature") and all(
        hasattr(one, "coef_") and hasattr(one, "decision_function") for one in known
    )


def _only_likely(model: Any) -> bool:
    return hasattr(model, "predict_proba") and not hasattr(model, "decision_function")


def _step(step: Any, scores: Tensor) -> Tensor:
    """A score through a calibrator: steps, or Platt's sigmoid."""
    return isotonic(step, scores) if not hasattr(step, "a_") else (scores * -float(step.a_) - float(step.b_)).sigmoid()


def _scores(graph: Graph, model: Any, operator: Any) -> Tensor:
    """What a calibrated model decides by: scores of a linear one or of support vectors, probabilities of others."""
    if _only_likely(model):
        likely = tensor(graph, inner(graph, model, operator.inputs)[1])
        return likely.columns([1]) if len(model.classes_) == 2 else likely
    if not (hasattr(model, "coef_") or sklearn_vectors.takes(model)):
        raise Refused(f"a calibrated {type(model).__name__} beside others that are calibrated has no ONNX form")
    rows = Tensor(graph, graph.matrix(operator.inputs), float_type(operator.inputs) == DOUBLE)
    if sklearn_vectors.takes(model):
        return sklearn_vectors.scores(model, rows)
    found: Tensor = rows @ model.coef_.T + model.intercept_
    return found


def _calibrated(graph: Graph, operator: Any) -> None:
    """Scores through steps, sigmoids or a temperature, the mean of all (``_CalibratedClassifier.predict_proba``)."""
    model = operator.raw_operator
    found = []
    for one in model.calibrated_classifiers_:
        if model.method == "temperature" and _only_likely(one.estimator):
            likely = tensor(graph, inner(graph, one.estimator, operator.inputs)[1])
            found.append(((likely + LEAST_LIKELY).log() * float(one.calibrators[0].beta_)).softmax())
            continue
        scores = _scores(graph, one.estimator, operator)
        if model.method == "temperature":
            logits = scores if len(model.classes_) > 2 else beside([scores * -1.0, scores])
            found.append((logits * float(one.calibrators[0].beta_)).softmax())
            continue
        steps = [_step(step, scores.columns([number])) for number, step in enumerate(one.calibrators)]
        if len(steps) == 1:
            found.append(beside([1.0 - steps[0], steps[0]]))
            continue
        each = beside(steps)
        total = each.sum(1)
        none = total.flags("Equal", 0.0)
        even = each * 0.0 + 1.0 / len(steps)
        found.append(even.where(none, each / (total + none)))
    mean = found[0]
    for other in found[1:]:
        mean = mean + other
    mean = mean / float(len(found))
    answer = operator.outputs[-1]
    graph.node("Cast", [mean.name], answer.full_name, to=kind_of(answer))
    graph.labels(answer.full_name, model.classes_, operator.outputs[0].full_name)


WRITERS: dict[str, Callable[[Graph, Any], None]] = {
    "CalibratedClassifierCV": _calibrated,
    "FixedThresholdClassifier": _threshold,
    "TunedThresholdClassifierCV": _threshold,
    "TransformedTargetRegressor": _target,
    "RegressorChain": _chain,
}
"""By the name of the class."""
