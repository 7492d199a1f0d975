"""Columns of categories as codes, in the graph: looked up as texts or as whole numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.plugins.converters.sklearn_graph import (
    FLOAT,
    INT64,
    STRING,
    Graph,
    float_type,
    kind_of,
    label_array,
)


def coded_matrix(graph: Graph, variables: list[Any], order: list[int], categories: dict[int, list[Any]]) -> str:
    """One matrix of columns in this order, those with categories as codes, NaN for what is no category."""
    element = number_type(variables)
    columns = []
    for number in order:
        name, kind = column(graph, variables, number, len(order))
        if number in categories:
            columns.append(_coded(graph, name, kind, categories[number], element))
        else:
            columns.append(graph.node("Cast", [name], to=element))
    return graph.node("Concat", columns, axis=1)


def number_type(variables: list[Any]) -> int:
    """The float type of the columns that are not text."""
    numbers = [variable for variable in variables if kind_of(variable) != STRING]
    return float_type(numbers) if numbers else FLOAT


def column(graph: Graph, variables: list[Any], number: int, width: int) -> tuple[str, int]:
    """One of the columns of an operator's inputs, and its element type."""
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
