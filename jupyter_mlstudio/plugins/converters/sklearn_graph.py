"""A short hand for writing operators into the graph that skl2onnx is building."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jupyter_mlstudio.errors import Invalid

FLOAT, INT64, STRING, BOOL, DOUBLE = 1, 7, 8, 9, 11
"""Element types of onnx.TensorProto."""


def kind_of(variable: Any) -> int:
    """A variable's element type."""
    return int(variable.type.to_onnx_type().tensor_type.elem_type)


def float_type(variables: list[Any]) -> int:
    """The float type that holds all of these; integers become float64."""
    kinds = {kind_of(variable) for variable in variables}
    if STRING in kinds:
        raise Invalid("text reaches a part of the model that takes numbers: encode it before")
    return FLOAT if FLOAT in kinds and DOUBLE not in kinds else DOUBLE


def number_type(variables: list[Any]) -> int:
    """The float type of those that are numbers; for a model that itself tells texts and numbers apart."""
    return float_type([variable for variable in variables if kind_of(variable) != STRING])


def label_array(classes: Sequence[Any]) -> Any:
    """Classes as a graph can answer them: integers when they are whole numbers or truth values, else texts."""
    array = np.asarray(classes)
    whole = array.dtype.kind in "iub" or (array.dtype.kind == "f" and bool(np.all(np.mod(array, 1) == 0)))
    return array.astype(np.int64) if whole else array.astype(str)


class Graph:
    """The graph at the place where one operator is being written. Names are made up as needed."""

    def __init__(self, scope: Any, container: Any) -> None:
        self.scope, self.container = scope, container

    def node(
        self, kind: str, inputs: Sequence[str], output: str = "", version: int = 13, domain: str = "", **attributes: Any
    ) -> str:
        """Adds an operator with one output; answers the output's name."""
        output = output or str(self.scope.get_unique_variable_name(kind.lower()))
        self.nodes(kind, inputs, [output], version, domain, **attributes)
        return output

    def nodes(
        self, kind: str, inputs: Sequence[str], outputs: Sequence[str], version: int = 13, domain: str = "",
        **attributes: Any,
    ) -> None:  # fmt: skip
        """Adds an operator with several outputs."""
        name = self.scope.get_unique_operator_name(kind)
        self.container.add_node(
            kind, list(inputs), list(outputs), name=name, op_version=version, op_domain=domain, **attributes
        )

    def constant(self, values: Any, wide: bool = True) -> str:
        """Adds an array of floats, float64 when ``wide``; texts and integers keep their types."""
        array = np.asarray(values)
        if array.dtype.kind in "OUS":
            return self._kept(STRING, array, [str(one).encode() for one in array.ravel().tolist()])
        if array.dtype.kind in "iu":
            return self._kept(INT64, array, array.ravel().tolist())
        if array.dtype.kind == "b":
            return self._kept(BOOL, array, array.ravel().tolist())
        return self._kept(DOUBLE if wide else FLOAT, array, array.ravel().astype(float).tolist())

    def matrix(self, variables: list[Any]) -> str:
        """One float matrix of the inputs of an operator."""
        element = float_type(variables)
        names = []
        for variable in variables:
            as_it_is = kind_of(variable) == element
            names.append(variable.full_name if as_it_is else self.node("Cast", [variable.full_name], to=element))
        return str(names[0]) if len(names) == 1 else self.node("Concat", names, axis=1)

    def labels(self, probabilities: str, classes: Sequence[Any], output: str) -> None:
        """Writes the class of the largest probability in each row, the first of equal ones."""
        best = self.node("ArgMax", [probabilities], axis=1, keepdims=0)
        self.pick(best, classes, output)

    def pick(self, numbers: str, classes: Sequence[Any], output: str) -> None:
        """Writes the classes that have these numbers."""
        self.node("Gather", [self.constant(label_array(classes)), numbers], output, axis=0)

    def _kept(self, element: int, array: Any, values: list[Any]) -> str:
        name = str(self.scope.get_unique_variable_name("constant"))
        self.container.add_initializer(name, element, list(array.shape), values)
        return name
