"""Encoders that group infrequent categories, as tables: each category's own code, looked up by its place.

What a category becomes is asked of the encoder itself, so that ``min_frequency``, ``max_categories``, ``drop`` and the
treatment of unknown values are scikit-learn's own. A category that is missing is NaN in numbers and empty in text.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.plugins.converters.sklearn_codes import column
from jupyter_mlstudio.plugins.converters.sklearn_graph import DOUBLE, FLOAT, INT64, STRING, Graph, kind_of

NAMES = ("OneHotEncoder", "OrdinalEncoder")
_INFREQUENT = ("infrequent_if_exist", "warn")


def is_grouped(encoder: Any) -> bool:
    """Whether an encoder has put categories together."""
    return type(encoder).__name__ in NAMES and any(one is not None for one in _infrequent(encoder))


def convert(scope: Any, operator: Any, container: Any) -> None:
    """Writes a grouping encoder: each column's value becomes its place among the categories, and that its row."""
    graph, encoder = Graph(scope, container), operator.raw_operator
    answer = operator.outputs[0]
    wide, names = kind_of(answer) == DOUBLE, []
    for number, table in enumerate(tables(encoder)):
        name, kind = column(graph, operator.inputs, number, len(encoder.categories_))
        place = _place(graph, name, kind, encoder.categories_[number])
        rows = graph.node("Gather", [graph.constant(table, wide), place], axis=0)
        names.append(graph.node("Reshape", [rows, graph.constant(np.array([-1, table.shape[1]]))], version=14))
    graph.node("Concat", names, answer.full_name, axis=1)


def shape(operator: Any) -> None:
    """Says what a grouping encoder answers: a float for each column that it makes."""
    from skl2onnx.common import data_types

    kinds = {kind_of(variable) for variable in operator.inputs}
    floats = data_types.FloatTensorType if FLOAT in kinds else data_types.DoubleTensorType
    width = sum(table.shape[1] for table in tables(operator.raw_operator))
    operator.outputs[0].type = floats([operator.inputs[0].get_first_dimension(), width])


def tables(encoder: Any) -> list[Any]:
    """For each column what each of its categories becomes, and in the last row what any other value does."""
    found, start = [], 0
    for number, categories in enumerate(encoder.categories_):
        width = _width(encoder, number)
        rows = _encoded(encoder, number)[:, start : start + width]
        found.append(np.vstack([rows, _unknown(encoder, number, rows)]).astype(np.float64))
        assert len(found[-1]) == len(categories) + 1
        start += width
    return found


def _infrequent(encoder: Any) -> list[Any]:
    if not getattr(encoder, "_infrequent_enabled", False):
        return []
    return list(getattr(encoder, "infrequent_categories_", []))


def _width(encoder: Any, number: int) -> int:
    if type(encoder).__name__ == "OrdinalEncoder":
        return 1
    grouped = _infrequent(encoder)[number]
    width = len(encoder.categories_[number]) - (0 if grouped is None else len(grouped) - 1)
    dropped = encoder.drop_idx_ is not None and encoder.drop_idx_[number] is not None
    return width - int(dropped)


def _encoded(encoder: Any, number: int) -> Any:
    """Every category of a column, encoded, with the first one of each other column."""
    size = len(encoder.categories_[number])
    rows = np.empty((size, len(encoder.categories_)), dtype=object)
    for at, categories in enumerate(encoder.categories_):
        rows[:, at] = categories if at == number else categories[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answer = encoder.transform(rows)
    return np.asarray(answer.toarray() if hasattr(answer, "toarray") else answer)


def _unknown(encoder: Any, number: int, rows: Any) -> Any:
    """What a value becomes that is no category; ONNX cannot raise an error, so there it counts as none of them."""
    grouped = _infrequent(encoder)[number]
    if type(encoder).__name__ == "OrdinalEncoder":
        known = encoder.handle_unknown == "use_encoded_value"
        return np.array([encoder.unknown_value if known else np.nan], dtype=np.float64)
    if grouped is not None and encoder.handle_unknown in _INFREQUENT:
        return rows[list(encoder.categories_[number]).index(grouped[0])]
    return np.zeros(rows.shape[1])


def _place(graph: Graph, name: str, kind: int, categories: Any) -> str:
    """A column's values as numbers of categories; the number behind the last for any other value."""
    if kind == STRING:
        keyed: dict[str, Any] = {"keys_strings": [_text(one) for one in categories]}
        return _looked_up(graph, name, list(range(len(categories))), len(categories), **keyed)
    if any(not isinstance(one, int | float | np.number | np.bool_) for one in categories):
        raise Invalid(f"a column of categories such as {categories[0]!r} came as numbers")
    present = [number for number, one in enumerate(categories) if one == one]
    if kind == INT64:
        keyed = {"keys_int64s": [int(categories[number]) for number in present]}
        return _looked_up(graph, name, present, len(categories), **keyed)
    numbers = np.asarray([categories[number] for number in present], np.float64)
    if len(np.unique(numbers.astype(np.float32))) != len(numbers):
        raise Invalid("categories differ by less than ONNX tells apart: make them texts")
    name = graph.node("Cast", [name], to=FLOAT)
    place = _looked_up(graph, name, present, len(categories), keys_floats=numbers.tolist())
    absent = next((number for number, one in enumerate(categories) if one != one), None)
    if absent is None:
        return place
    return graph.node("Where", [graph.node("IsNaN", [name]), graph.constant(np.array([[absent]])), place], version=16)


def _looked_up(graph: Graph, name: str, places: list[int], other: int, **keyed: Any) -> str:
    return graph.node(
        "LabelEncoder", [name], domain="ai.onnx.ml", version=2, values_int64s=places, default_int64=other, **keyed
    )


def _text(category: Any) -> str:
    return "" if category is None or category != category else str(category)
