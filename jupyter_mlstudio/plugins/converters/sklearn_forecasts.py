"""Writes AutoML's models of a forecast: sums of a row's history, by the step that the row looks ahead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jupyter_mlstudio.plugins.converters.sklearn_graph import DOUBLE, FLOAT, Graph, float_type
from jupyter_mlstudio.plugins.converters.sklearn_tensors import Tensor, beside
from jupyter_mlstudio.plugins.converters.sklearn_wrappers import inner, tensor

HOME = "jupyter_mlstudio.learning.forecasters"
"""The module of these models."""


class _Row:
    """The parts of a row: its history on the model's scale, its step, and what comes after."""

    def __init__(self, graph: Graph, operator: Any) -> None:
        self.graph, self.model = graph, operator.raw_operator
        self.matrix = Tensor(graph, graph.matrix(operator.inputs), float_type(operator.inputs) == DOUBLE)
        self.values = self.scaled(self.matrix.columns(range(self.model.history)))
        step = self.matrix.columns([self.model.history]).squeeze(1)
        self.step = (step.op("Floor") - 1.0).clip(0.0, float(self.model.horizon - 1)).whole()

    def scaled(self, values: Tensor) -> Tensor:
        return values.op("Max", self.model.floor_).log() if self.model.log else values

    def back(self, values: Tensor) -> Tensor:
        return values.exp() if self.model.log else values

    def by_step(self, of: Tensor, table: Any) -> Tensor:
        """``sum(of * table[step])`` of each row, as a column."""
        return (of * of.pick(np.asarray(table, dtype=np.float64), self.step)).sum(1)


def write(scope: Any, operator: Any, container: Any) -> None:
    """Writes one of these models."""
    graph = Graph(scope, container)
    found = WRITERS[type(operator.raw_operator).__name__](graph, operator)
    graph.node("Identity", [found.name], operator.outputs[0].full_name)


def _history(graph: Graph, operator: Any) -> Tensor:
    row = _Row(graph, operator)
    return row.back(row.by_step(row.values, row.model.weights_))


def _column(graph: Graph, operator: Any) -> Tensor:
    return _Row(graph, operator).matrix.columns([operator.raw_operator.column])


def _features(row: _Row) -> tuple[Tensor, Tensor, Tensor]:
    """Features, base and scale, as ``_Lagged._features`` has them."""
    model, values = row.model, row.values
    base = row.by_step(values, model.base_)
    scale = base * 0.0 + 1.0 if model.log else _movement(values, model.history, model.least_)
    parts = []
    if model.mix_.shape[1]:
        parts.append(((values @ model.mix_) - base * model.mix_.sum(axis=0)) / scale)
    for window in model._windows():
        own = values.columns(range(window))
        mean = own.sum(1) / float(window)
        parts.append((own - mean).abs().sum(1) / float(window) / scale)
    if model.seasons_ is not None:
        parts.append((row.by_step(values, model.seasons_) - base) / scale)
    if model.stl_ is not None:
        parts.append(row.by_step(values, model.stl_[0]) / scale)
        if model.stl == "season_trend":
            parts.append(((values @ model.stl_[1].reshape(-1, 1)) - base) / scale)
    after, width = model.history + 1, model.n_features_in_
    if model.long:
        parts.append((row.scaled(row.matrix.columns(range(after, after + model.long))) - base) / scale)
    parts.append(row.matrix.columns([model.history, *range(after + model.long, width)]))
    return _rounded(beside(parts)), base, scale


def _rounded(values: Tensor) -> Tensor:
    """Rounded to float32, in the type that it has."""
    narrow = values.graph.node("Cast", [values.name], to=FLOAT)
    if not values.wide:
        return Tensor(values.graph, narrow, wide=False)
    return Tensor(values.graph, values.graph.node("Cast", [narrow], to=DOUBLE), wide=True)


def _movement(values: Tensor, history: int, least: float) -> Tensor:
    level = values.abs().sum(1) / float(history) * 1e-3 + least
    if history < 2:
        return level
    steps = values.columns(range(history - 1)) - values.columns(range(1, history))
    return steps.abs().sum(1) / float(history - 1) + level


def _lagged(graph: Graph, operator: Any) -> Tensor:
    from skl2onnx.common import data_types

    row = _Row(graph, operator)
    features, base, scale = _features(row)
    wide = features.wide
    floats = data_types.DoubleTensorType if wide else data_types.FloatTensorType
    seen = graph.scope.declare_local_variable("seen", floats([None, row.model.estimator_.n_features_in_]))
    graph.node("Identity", [features.name], seen.full_name)
    answer = tensor(graph, inner(graph, row.model.estimator_, [seen])[0])
    if answer.wide != wide:
        answer = Tensor(graph, graph.node("Cast", [answer.name], to=DOUBLE if wide else FLOAT), wide)
    shape = graph.constant(np.array([-1, 1]))
    answer = Tensor(graph, graph.node("Reshape", [answer.name, shape], version=14), wide)
    return row.back(base + scale * answer)


def _ridge(graph: Graph, operator: Any) -> Tensor:
    row = _Row(graph, operator)
    features, base, scale = _features(row)
    after = features.pick(row.model.intercept_.reshape(-1, 1), row.step)
    return row.back(base + scale * (row.by_step(features, row.model.coef_) + after))


WRITERS: dict[str, Callable[[Graph, Any], Tensor]] = {
    "HistoryForecaster": _history,
    "ColumnForecaster": _column,
    "LaggedForecaster": _lagged,
    "RidgeForecaster": _ridge,
}
"""By the name of the class."""
