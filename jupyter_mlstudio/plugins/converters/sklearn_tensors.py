"""Arithmetic on tensors of a graph that is being written, so that a model's formula reads as it does in numpy."""

from __future__ import annotations

from typing import Any

import numpy as np

from jupyter_mlstudio.plugins.converters.sklearn_graph import BOOL, DOUBLE, FLOAT, INT64, Graph


class Tensor:
    """A tensor of floats, by its name. Arrays and numbers beside it become constants of its type."""

    __array_ufunc__ = None

    def __init__(self, graph: Graph, name: str, wide: bool) -> None:
        self.graph, self.name, self.wide = graph, name, wide

    def of(self, value: Any) -> str:
        """The name of a value: another tensor's, or a new constant's."""
        if isinstance(value, Tensor):
            return value.name
        return self.graph.constant(np.asarray(value, dtype=np.float64), self.wide)

    def op(self, kind: str, *others: Any, version: int = 13, **attributes: Any) -> Tensor:
        """Any operator of this tensor and others."""
        names = [self.name, *(self.of(other) for other in others)]
        return Tensor(self.graph, self.graph.node(kind, names, version=version, **attributes), self.wide)

    def __add__(self, other: Any) -> Tensor:
        return self.op("Add", other)

    def __sub__(self, other: Any) -> Tensor:
        return self.op("Sub", other)

    def __rsub__(self, other: Any) -> Tensor:
        return (self * -1.0) + other

    def __mul__(self, other: Any) -> Tensor:
        return self.op("Mul", other)

    def __truediv__(self, other: Any) -> Tensor:
        return self.op("Div", other)

    def __matmul__(self, other: Any) -> Tensor:
        return self.op("MatMul", other)

    def __pow__(self, power: float) -> Tensor:
        return self.op("Pow", power)

    def exp(self) -> Tensor:
        return self.op("Exp")

    def log(self) -> Tensor:
        return self.op("Log")

    def sqrt(self) -> Tensor:
        return self.op("Sqrt")

    def abs(self) -> Tensor:
        return self.op("Abs")

    def sigmoid(self) -> Tensor:
        return self.op("Sigmoid")

    def softmax(self) -> Tensor:
        return self.op("Softmax", axis=1)

    def clip(self, low: Any, high: Any) -> Tensor:
        """Within bounds, which may differ by column."""
        return self.op("Max", low).op("Min", high)

    def sum(self, axis: int, keep: bool = True) -> Tensor:
        axes = self.graph.constant(np.array([axis]))
        name = self.graph.node("ReduceSum", [self.name, axes], keepdims=int(keep))
        return Tensor(self.graph, name, self.wide)

    def squeeze(self, axis: int) -> Tensor:
        name = self.graph.node("Squeeze", [self.name, self.graph.constant(np.array([axis]))])
        return Tensor(self.graph, name, self.wide)

    def unsqueeze(self, axis: int) -> Tensor:
        name = self.graph.node("Unsqueeze", [self.name, self.graph.constant(np.array([axis]))])
        return Tensor(self.graph, name, self.wide)

    def columns(self, numbers: Any) -> Tensor:
        """Some of the columns."""
        picked = self.graph.constant(np.asarray(numbers, dtype=np.int64))
        return Tensor(self.graph, self.graph.node("Gather", [self.name, picked], axis=1), self.wide)

    def flags(self, test: str, other: Any) -> Tensor:
        """1 where a comparison holds, 0 elsewhere."""
        found = self.graph.node(test, [self.name, self.of(other)], version=16 if "OrEqual" in test else 13)
        return Tensor(self.graph, self.graph.node("Cast", [found], to=DOUBLE if self.wide else FLOAT), self.wide)

    def missing(self) -> Tensor:
        """1 where a value is missing."""
        found = self.graph.node("IsNaN", [self.name])
        return Tensor(self.graph, self.graph.node("Cast", [found], to=DOUBLE if self.wide else FLOAT), self.wide)

    def where(self, flags: Tensor, other: Any) -> Tensor:
        """This where a flag is set, ``other`` elsewhere."""
        test = self.graph.node("Cast", [flags.name], to=BOOL)
        return Tensor(self.graph, self.graph.node("Where", [test, self.name, self.of(other)], version=16), self.wide)

    def smallest(self, count: int) -> tuple[Tensor, str]:
        """The smallest values of each row and the name of their column numbers."""
        values, numbers = (str(self.graph.scope.get_unique_variable_name(name)) for name in ("values", "numbers"))
        wanted = self.graph.constant(np.array([count]))
        self.graph.nodes("TopK", [self.name, wanted], [values, numbers], version=11, axis=1, largest=0, sorted=1)
        return Tensor(self.graph, values, self.wide), numbers

    def pick(self, table: Any, numbers: str) -> Tensor:
        """Rows of a constant table by their numbers."""
        return Tensor(self.graph, self.graph.node("Gather", [self.of(table), numbers], axis=0), self.wide)

    def whole(self) -> str:
        """The name of this as integers."""
        return self.graph.node("Cast", [self.name], to=INT64)


def beside(parts: list[Tensor]) -> Tensor:
    """Columns beside each other."""
    graph = parts[0].graph
    return Tensor(graph, graph.node("Concat", [part.name for part in parts], axis=1), parts[0].wide)


def squared_distances(rows: Tensor, points: Any) -> Tensor:
    """Squared Euclidean distances to constant points ``(n_points, n_features)``, as scikit-learn expands them."""
    array = np.asarray(points, dtype=np.float64)
    return ((rows * rows).sum(1) - (rows @ (2.0 * array.T)) + (array**2).sum(axis=1)).op("Relu", version=14)
