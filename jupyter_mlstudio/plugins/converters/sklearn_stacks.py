"""Stacks of scikit-learn: what the members answer stands beside each other, and the last model answers for it.

skl2onnx's own conversion takes one matrix; here members may be pipelines that take a table's columns by name, some of
them texts.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jupyter_mlstudio.plugins.converters.sklearn_graph import DOUBLE, FLOAT, Graph, kind_of, label_array, number_type
from jupyter_mlstudio.plugins.converters.sklearn_tensors import Tensor, beside
from jupyter_mlstudio.plugins.converters.sklearn_wrappers import inner

NAMES = ("StackingClassifier", "StackingRegressor")


def takes(model: Any) -> bool:
    """Tells whether a stack is written here: of probabilities or values, and no rows beside them."""
    wanted = "predict_proba" if hasattr(model, "classes_") else "predict"
    return not model.passthrough and set(getattr(model, "stack_method_", [])) == {wanted}


def register(part: Any, options: dict[str, Any]) -> None:
    """Tells skl2onnx, in this process, how a stack is written."""
    from skl2onnx import update_registered_converter

    kind = type(part)
    update_registered_converter(
        kind, f"Mlstudio{kind.__name__}", _shape, _write, overwrite=True, options=options, parser=_parse
    )


def _floats(inputs: list[Any]) -> Any:
    from skl2onnx.common import data_types

    return data_types.DoubleTensorType if number_type(inputs) == DOUBLE else data_types.FloatTensorType


def _parse(scope: Any, model: Any, inputs: Any, custom_parsers: Any = None) -> Any:
    from skl2onnx._supported_operators import _get_sklearn_operator_name
    from skl2onnx.common import data_types

    operator = scope.declare_local_operator(_get_sklearn_operator_name(type(model)), model)
    operator.inputs = inputs
    if hasattr(model, "classes_"):
        operator.outputs.append(scope.declare_local_variable("label", data_types.Int64TensorType()))
    operator.outputs.append(scope.declare_local_variable("answer", _floats(inputs)()))
    return operator.outputs


def _shape(operator: Any) -> None:
    from skl2onnx.common import data_types

    rows, classes = operator.inputs[0].get_first_dimension(), getattr(operator.raw_operator, "classes_", None)
    if classes is not None:
        text = label_array(classes).dtype.kind == "U"
        operator.outputs[0].type = (data_types.StringTensorType if text else data_types.Int64TensorType)([rows])
    operator.outputs[-1].type = _floats(operator.inputs)([rows, 1 if classes is None else len(classes)])


def _write(scope: Any, operator: Any, container: Any) -> None:
    from skl2onnx.common import data_types

    graph, model = Graph(scope, container), operator.raw_operator
    answer = operator.outputs[-1]
    wide = kind_of(answer) == DOUBLE
    parts = [_answers(graph, one, operator.inputs, wide) for one in model.estimators_]
    floats = data_types.DoubleTensorType if wide else data_types.FloatTensorType
    seen = scope.declare_local_variable("stacked", floats([None, model.final_estimator_.n_features_in_]))
    graph.node("Identity", [beside(parts).name], seen.full_name)
    found = inner(graph, model.final_estimator_, [seen])[-1]
    graph.node("Cast", [found.full_name], answer.full_name, to=kind_of(answer))
    if len(operator.outputs) > 1:
        graph.labels(answer.full_name, model.classes_, operator.outputs[0].full_name)


def _answers(graph: Graph, model: Any, inputs: list[Any], wide: bool) -> Tensor:
    """What a member hands on: its value, of two classes the probability of the second, of more all of them."""
    found = inner(graph, model, inputs)[-1]
    cast = Tensor(graph, graph.node("Cast", [found.full_name], to=DOUBLE if wide else FLOAT), wide)
    if not hasattr(model, "classes_"):
        name = graph.node("Reshape", [cast.name, graph.constant(np.array([-1, 1]))], version=14)
        return Tensor(graph, name, wide)
    return cast.columns([1]) if len(model.classes_) == 2 else cast
