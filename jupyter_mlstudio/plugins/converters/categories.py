"""Categories of a data frame on their way into a booster: each becomes its code, as the library itself would do it."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.plugins.converters.sklearn_graph import (
    DOUBLE,
    FLOAT,
    INT64,
    STRING,
    Graph,
    float_type,
    kind_of,
    label_array,
)  # fmt: skip


class CategoryCodes(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Stands before a booster in the pipeline that is converted; ``categories`` by the number of the column.

    What is no category becomes NaN, which boosters take for missing.
    """

    def __init__(self, width: int, categories: dict[int, list[Any]]) -> None:
        self.width = width
        self.categories = categories

    def fit(self, rows: Any, y: Any = None) -> CategoryCodes:
        return self

    def onnx_parser(self) -> Any:
        return lambda scope=None, inputs=None: [("codes", inputs[0].type)]

    def onnx_shape_calculator(self) -> Any:
        return _shape

    def onnx_converter(self) -> Any:
        return _convert


def _shape(operator: Any) -> None:
    from skl2onnx.common import data_types

    floats = data_types.DoubleTensorType if number_type(operator.inputs) == DOUBLE else data_types.FloatTensorType
    operator.outputs[0].type = floats([operator.inputs[0].get_first_dimension(), operator.raw_operator.width])


def _convert(scope: Any, operator: Any, container: Any) -> None:
    graph, codes = Graph(scope, container), operator.raw_operator
    rows = coded_matrix(graph, operator.inputs, list(range(codes.width)), codes.categories)
    graph.node("Identity", [rows], operator.outputs[0].full_name)


def coded_matrix(graph: Graph, variables: list[Any], order: list[int], categories: dict[int, list[Any]]) -> str:
    """One matrix of columns in this order, those with categories as codes, NaN for what is no category."""
    element = number_type(variables)
    columns = []
    for number in order:
        name, kind = _column(graph, variables, number, len(order))
        if number in categories:
            columns.append(_coded(graph, name, kind, categories[number], element))
        else:
            columns.append(graph.node("Cast", [name], to=element))
    return graph.node("Concat", columns, axis=1)


def number_type(variables: list[Any]) -> int:
    """The float type of the columns that are not text."""
    numbers = [variable for variable in variables if kind_of(variable) != STRING]
    return float_type(numbers) if numbers else FLOAT


def _column(graph: Graph, variables: list[Any], number: int, width: int) -> tuple[str, int]:
    if len(variables) == width:
        return str(variables[number].full_name), kind_of(variables[number])
    if len(variables) != 1:
        raise Invalid(f"the rows have {len(variables)} columns, the model takes {width}")
    picked = graph.node("Gather", [variables[0].full_name, graph.constant(np.array([number]))], axis=1)
    return picked, kind_of(variables[0])


def _coded(graph: Graph, name: str, kind: int, categories: list[Any], element: int) -> str:
    """Looks each value up: text by text, whole numbers by number."""
    keys = label_array(categories)
    values = [float(code) for code in range(len(keys))]
    if kind == STRING:
        keyed: dict[str, Any] = {"keys_strings": [str(key) for key in categories]}
    elif keys.dtype.kind == "i":
        name, keyed = graph.node("Cast", [name], to=INT64), {"keys_int64s": keys.tolist()}
    else:
        raise Invalid(f"a column of categories such as {categories[0]!r} came as numbers")
    coded = graph.node(
        "LabelEncoder",
        [name],
        domain="ai.onnx.ml",
        version=2,
        values_floats=values,
        default_float=float("nan"),
        **keyed,
    )
    return graph.node("Cast", [coded], to=element)
