"""Writes a boosted forest into a graph that skl2onnx builds: its trees, the link after them, and labels.

One way for every library: alone, as the last step of a pipeline, or inside an ensemble of scikit-learn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np

from jupyter_mlstudio.onnx import forest_nodes
from jupyter_mlstudio.onnx.check import nodes_of
from jupyter_mlstudio.onnx.forest import Forest
from jupyter_mlstudio.plugins.converters.sklearn_codes import coded_matrix, number_type
from jupyter_mlstudio.plugins.converters.sklearn_graph import DOUBLE, FLOAT, Graph, kind_of, label_array

IDENTITY, SIGMOID, SOFTMAX, EXP, SIGNED_SQUARE = "identity", "sigmoid", "softmax", "exp", "signed square"
SHARES = "shares"
"""Probabilities that the trees have added up, in float32: what is a little above 1 by that is 1.

With two classes and one target they are those of the second class.
"""


@dataclass(frozen=True, slots=True)
class Boosted:
    """A booster read out: its forest, what follows, and its classes (None for a regressor).

    ``scale`` multiplies the sum before the link; ``average`` divides it by the number of trees, which gives even votes
    even shares. ``zero_is_missing`` tells that a 0 goes where a missing value goes.
    """

    forest: Forest
    link: str
    classes: Sequence[Any] | None = None
    scale: float = 1.0
    average: bool = False
    zero_is_missing: bool = False


Reader = Callable[[Any], Boosted]
Encoders = Callable[[Any], tuple[list[int], dict[int, list[Any]]]]
"""Answers the order of a model's columns and the categories that become codes; nothing where rows go in as they are."""


_KEPT: ContextVar[list[Forest]] = ContextVar("forests of the model that is being converted")
_OPERATOR = "TreeEnsemble"
_PLACE = b"forest "
"""Stands with a forest's number as the function of its node until it is put there."""


@contextmanager
def kept_apart() -> Iterator[Callable[[Any], None]]:
    """Keeps forests out of the graph while skl2onnx builds it, since that copies each node several times.

    Yields:
        What puts them into the finished model.
    """
    forests: list[Forest] = []
    token = _KEPT.set(forests)
    try:
        yield lambda proto: _plant(proto, forests)
    finally:
        _KEPT.reset(token)


def _plant(proto: Any, forests: list[Forest]) -> None:
    """One version of a domain holds for all of a file: the older one where an operator has no newer form."""
    nodes = [node for node in nodes_of(proto.graph) if node.op_type.startswith(_OPERATOR)]
    places = [(node, int(text.removeprefix(_PLACE))) for node in nodes if (text := _function(node)).startswith(_PLACE)]
    old = len(places) < len(nodes) or any(forest.joint for forest in forests)
    for node, number in places:
        forest_nodes.write(forests[number], node, forest_nodes.OLD if old else forest_nodes.NEW)
        node.name = f"{node.op_type} {number + 1}"
    if places and not old:
        proto.ir_version = max(proto.ir_version, forest_nodes.IR_VERSION)
        next(one for one in proto.opset_import if one.domain == forest_nodes.DOMAIN).version = forest_nodes.NEW


def _function(node: Any) -> bytes:
    return next((one.s for one in node.attribute if one.name == "aggregate_function"), b"")


def converter_of(read: Reader, encoders: Encoders | None = None) -> Callable[[Any, Any, Any], None]:
    """Makes skl2onnx's conversion function for models that ``read`` reads."""

    def convert(scope: Any, operator: Any, container: Any) -> None:
        boosted = read(operator.raw_operator)
        graph = Graph(scope, container)
        answer = operator.outputs[-1]
        wide = kind_of(answer) == DOUBLE
        order, categories = ([], {}) if encoders is None else encoders(operator.raw_operator)
        rows = coded_matrix(graph, operator.inputs, order, categories) if order else graph.matrix(operator.inputs)
        values = answer_of(graph, boosted, rows, wide)
        if boosted.classes is None:
            graph.node("Identity", [values], answer.full_name)
            return
        if boosted.link in (SIGMOID, SHARES) and boosted.forest.targets == 1 < len(boosted.classes):
            one = graph.constant([1.0], wide)
            values = graph.node("Concat", [graph.node("Sub", [one, values]), values], axis=1)
        graph.node("Identity", [values], answer.full_name)
        if len(operator.outputs) > 1:
            graph.labels(values, boosted.classes, operator.outputs[0].full_name)

    return convert


def answer_of(graph: Graph, boosted: Boosted, rows: str, wide: bool) -> str:
    """Writes the trees and their link; answers the matrix of values."""
    parts = [graph.node("Cast", [part], to=DOUBLE if wide else FLOAT) for part in _trees(graph, boosted, rows)]
    raw = parts[0] if len(parts) == 1 else graph.node("Sum", parts)
    if any(boosted.forest.base):
        raw = graph.node("Add", [raw, graph.constant(boosted.forest.base, wide)])
    return _linked(graph, boosted, raw, wide)


def shape_of(classes: Callable[[Any], Sequence[Any] | None], targets: Callable[[Any], int]) -> Callable[[Any], None]:
    """Makes skl2onnx's shape calculator for such models."""

    def shape(operator: Any) -> None:
        from skl2onnx.common import data_types

        model = operator.raw_operator
        rows = operator.inputs[0].get_first_dimension()
        floats = data_types.DoubleTensorType if number_type(operator.inputs) == DOUBLE else data_types.FloatTensorType
        labels = classes(model)
        if labels is None:
            operator.outputs[0].type = floats([rows, targets(model)])
            return
        text = label_array(labels).dtype.kind == "U"
        operator.outputs[0].type = (data_types.StringTensorType if text else data_types.Int64TensorType)([rows])
        if len(operator.outputs) > 1:
            operator.outputs[1].type = floats([rows, len(labels)])

    return shape


def register(
    kind: type,
    read: Reader,
    classes: Callable[[Any], Sequence[Any] | None],
    targets: Callable[[Any], int],
    encoders: Encoders | None = None,
) -> None:
    """Tells skl2onnx, in this process, about a class of another library."""
    from skl2onnx import update_registered_converter

    options = {"zipmap": [True, False, "columns"], "nocl": [True, False], "output_class_labels": [False, True],
               "raw_scores": [True, False]}  # fmt: skip
    update_registered_converter(
        kind, f"Mlstudio{kind.__module__.partition('.')[0].title()}{kind.__name__}", shape_of(classes, targets),
        converter_of(read, encoders), overwrite=True, options=options, parser=_parse,
    )  # fmt: skip


def _parse(scope: Any, model: Any, inputs: Any, custom_parsers: Any = None) -> Any:
    """Declares what it answers; ZipMap is never wanted."""
    from skl2onnx._supported_operators import _get_sklearn_operator_name
    from skl2onnx.common import data_types

    operator = scope.declare_local_operator(_get_sklearn_operator_name(type(model)), model)
    operator.inputs = inputs
    if hasattr(model, "predict_proba"):
        operator.outputs.append(scope.declare_local_variable("label", data_types.Int64TensorType()))
    floats = data_types.DoubleTensorType if number_type(inputs) == DOUBLE else data_types.FloatTensorType
    operator.outputs.append(scope.declare_local_variable("answer", floats()))
    return operator.outputs


def _trees(graph: Graph, boosted: Boosted, source: str) -> list[str]:
    """Writes the trees as operators whose answers are to be added up."""
    forest = boosted.forest
    compared = graph.node("Cast", [source], to=DOUBLE if forest.wide else FLOAT)
    if boosted.zero_is_missing:
        tiny, nan = graph.constant([1e-35], forest.wide), graph.constant([np.nan], forest.wide)
        zero = graph.node("LessOrEqual", [graph.node("Abs", [compared]), tiny], version=16)
        compared = graph.node("Where", [zero, nan, compared], version=16)
    return [_put(graph, part, compared) for part in forest.parts()]


def _put(graph: Graph, forest: Forest, rows: str) -> str:
    """Keeps a place for a forest."""
    kept = _KEPT.get()
    kept.append(forest)
    place = _PLACE + str(len(kept) - 1).encode()
    output, version = str(graph.scope.get_unique_variable_name("trees")), forest_nodes.OLD
    return graph.node(f"{_OPERATOR}Regressor", [rows], output, version, forest_nodes.DOMAIN, aggregate_function=place)


def _linked(graph: Graph, boosted: Boosted, raw: str, wide: bool) -> str:
    if boosted.average:
        raw = graph.node("Div", [raw, graph.constant([float(len(boosted.forest.trees))], wide)])
    if boosted.scale != 1.0:
        raw = graph.node("Mul", [raw, graph.constant([boosted.scale], wide)])
    if boosted.link == SHARES:
        return graph.node("Min", [raw, graph.constant([1.0], wide)])
    if boosted.link == SIGMOID:
        return graph.node("Sigmoid", [raw])
    if boosted.link == SOFTMAX:
        return graph.node("Softmax", [raw], axis=1)
    if boosted.link == EXP:
        return graph.node("Exp", [raw])
    if boosted.link == SIGNED_SQUARE:
        return graph.node("Mul", [raw, graph.node("Abs", [raw])])
    return raw
