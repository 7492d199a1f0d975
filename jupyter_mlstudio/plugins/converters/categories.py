"""Categories of a data frame on their way into a booster: each becomes its code, as the library itself would do it."""

from __future__ import annotations

from typing import Any

from sklearn.base import BaseEstimator, TransformerMixin

from jupyter_mlstudio.plugins.converters.sklearn_codes import coded_matrix, number_type
from jupyter_mlstudio.plugins.converters.sklearn_graph import DOUBLE, Graph


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
