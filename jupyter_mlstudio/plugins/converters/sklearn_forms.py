"""Puts the studio's own formulas, forests and wrappers into skl2onnx's place for classes of scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jupyter_mlstudio.plugins.converters import (
    forests,
    sklearn_forecasts,
    sklearn_forests,
    sklearn_many,
    sklearn_stacks,
    sklearn_wrappers,
)
from jupyter_mlstudio.plugins.converters.sklearn_formulas import CENTERS, FORMULAS, OUTLIERS
from jupyter_mlstudio.plugins.converters.sklearn_graph import DOUBLE, Graph, float_type, label_array, number_type
from jupyter_mlstudio.plugins.converters.sklearn_inputs import parts
from jupyter_mlstudio.plugins.converters.sklearn_tensors import Tensor, squared_distances

OPTIONS = {"zipmap": [True, False, "columns"], "nocl": [True, False], "output_class_labels": [False, True],
           "raw_scores": [True, False]}  # fmt: skip


def register_forms(model: Any) -> None:
    """Registers the studio's form of every part of a model that has one, with skl2onnx in this process."""
    for part in parts(model):
        name = type(part).__name__
        if type(part).__module__ == sklearn_forecasts.HOME and name in sklearn_forecasts.WRITERS:
            _register(part, sklearn_forecasts.write, has_labels=False)
        if not type(part).__module__.startswith("sklearn."):
            continue
        if name in CENTERS:
            _register(part, _nearest, has_labels=True, has_answer=False)
        elif name in OUTLIERS or name == "IsolationForest":
            _register(part, _outliers, has_labels=True)
        elif name in FORMULAS:
            selects = hasattr(part, "support_")
            _register(part, _formula, hasattr(part, "classes_") and not selects)
        elif name in sklearn_many.NAMES and sklearn_many.answers_many(part):
            sklearn_many.register(part, OPTIONS, _parser(has_labels=True, has_answer=True))
        elif name in sklearn_forests.WRITERS:
            sklearn_forests.register(part)
        elif name in sklearn_wrappers.WRITERS and sklearn_wrappers.takes(part):
            _register(part, sklearn_wrappers.write, hasattr(part, "classes_"), type_of=number_type)
        elif name in sklearn_stacks.NAMES and sklearn_stacks.takes(part):
            sklearn_stacks.register(part, OPTIONS)


def _register(
    part: Any, write: Callable[..., None], has_labels: bool, has_answer: bool = True,
    type_of: Callable[[list[Any]], int] = float_type,
) -> None:  # fmt: skip
    """Tells skl2onnx, in this process, how a part is written; ``type_of`` says in which type it answers such inputs."""
    from skl2onnx import update_registered_converter

    kind = type(part)
    update_registered_converter(
        kind, f"Mlstudio{kind.__name__}", _shape(has_labels, has_answer, type_of), write, overwrite=True,
        options=OPTIONS, parser=_parser(has_labels, has_answer, type_of),
    )  # fmt: skip


def _parser(has_labels: bool, has_answer: bool, type_of: Callable[[list[Any]], int] = float_type) -> Callable[..., Any]:
    def parse(scope: Any, model: Any, inputs: Any, custom_parsers: Any = None) -> Any:
        from skl2onnx._supported_operators import _get_sklearn_operator_name
        from skl2onnx.common import data_types

        operator = scope.declare_local_operator(_get_sklearn_operator_name(type(model)), model)
        operator.inputs = inputs
        if has_labels:
            operator.outputs.append(scope.declare_local_variable("label", data_types.Int64TensorType()))
        if has_answer:
            wide = type_of(inputs) == DOUBLE
            floats = data_types.DoubleTensorType if wide else data_types.FloatTensorType
            operator.outputs.append(scope.declare_local_variable("answer", floats()))
        return operator.outputs

    return parse


def _shape(has_labels: bool, has_answer: bool, type_of: Callable[[list[Any]], int]) -> Callable[[Any], None]:
    def shape(operator: Any) -> None:
        from skl2onnx.common import data_types

        rows = operator.inputs[0].get_first_dimension()
        if has_labels:
            text = label_array(classes_of(operator.raw_operator)).dtype.kind == "U"
            operator.outputs[0].type = (data_types.StringTensorType if text else data_types.Int64TensorType)([rows])
        if has_answer:
            wide = type_of(operator.inputs) == DOUBLE
            floats = data_types.DoubleTensorType if wide else data_types.FloatTensorType
            operator.outputs[-1].type = floats([rows, width_of(operator.raw_operator, operator.inputs)])

    return shape


def classes_of(model: Any) -> Sequence[Any]:
    """Labels: a classifier's classes, or numbers of clusters."""
    return list(getattr(model, "classes_", range(2)))


def width_of(model: Any, inputs: list[Any]) -> int | None:
    """How many columns a model answers with, measured on a row of ones where the model does not say."""
    if type(model).__name__ in OUTLIERS or type(model).__name__ == "IsolationForest":
        return 1
    if hasattr(model, "support_"):
        return int(np.sum(model.support_))
    if hasattr(model, "classes_"):
        return len(model.classes_)
    count = sum(variable.type.shape[1] or 0 for variable in inputs)
    try:
        row = np.full((1, getattr(model, "n_features_in_", count)), 0.5)
        answer = model.predict(row) if hasattr(model, "predict") else model.transform(row)
        return int(np.asarray(answer.toarray() if hasattr(answer, "toarray") else answer).reshape(1, -1).shape[1])
    except Exception:
        return None


def _formula(scope: Any, operator: Any, container: Any) -> None:
    graph, model = Graph(scope, container), operator.raw_operator
    rows = Tensor(graph, graph.matrix(operator.inputs), float_type(operator.inputs) == DOUBLE)
    found = FORMULAS[type(model).__name__](model, rows)
    graph.node("Identity", [found.name], operator.outputs[-1].full_name)
    if len(operator.outputs) > 1:
        graph.labels(found.name, model.classes_, operator.outputs[0].full_name)


def _outliers(scope: Any, operator: Any, container: Any) -> None:
    """1 for what lies with the others, -1 for what lies apart, and how far."""
    graph, model = Graph(scope, container), operator.raw_operator
    matrix, wide = graph.matrix(operator.inputs), float_type(operator.inputs) == DOUBLE
    if type(model).__name__ == "IsolationForest":
        boosted = sklearn_forests.isolation(model)
        found = Tensor(graph, forests.answer_of(graph, boosted, matrix, wide), wide) * -1.0 - model.offset_
    else:
        found = OUTLIERS[type(model).__name__](model, Tensor(graph, matrix, wide))
    graph.node("Identity", [found.name], operator.outputs[1].full_name)
    inside = found.flags("GreaterOrEqual", 0.0).squeeze(1)
    graph.pick(inside.whole(), [-1, 1], operator.outputs[0].full_name)


def _nearest(scope: Any, operator: Any, container: Any) -> None:
    graph, model = Graph(scope, container), operator.raw_operator
    rows = Tensor(graph, graph.matrix(operator.inputs), float_type(operator.inputs) == DOUBLE)
    centers = np.asarray(CENTERS[type(model).__name__](model), dtype=np.float64)
    best = graph.node("ArgMin", [squared_distances(rows, centers).name], axis=1, keepdims=0)
    labels = list(getattr(model, "subcluster_labels_", range(len(centers))))
    graph.pick(best, labels, operator.outputs[0].full_name)
