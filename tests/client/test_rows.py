"""Rows become requests without any value being changed, whatever they come in."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from jupyter_mlstudio.client.rows import answer, request
from jupyter_mlstudio.entities.models import Signature, TensorSpec
from jupyter_mlstudio.errors import Invalid


def spec(name: str, datatype: str, width: int | None = None, columns: list[str] | None = None) -> TensorSpec:
    shape = [-1] if width is None else [-1, width]
    return TensorSpec(name=name, datatype=datatype, shape=shape, onnx_name=name, columns=columns or [])


MATRIX = Signature(inputs=[spec("X", "FP64", 2)], outputs=[], task="regression")
NAMED = Signature(inputs=[spec("X", "FP64", 2, ["b", "a"])], outputs=[], task="regression")
MIXED = Signature(
    inputs=[spec("age", "INT64", 1), spec("city", "BYTES", 1), spec("member", "BOOL", 1)], outputs=[], task="regression"
)


@pytest.mark.parametrize(
    "rows", [np.array([[1.0, 2.0], [3.0, 4.0]]), [[1, 2], [3, 4]], [(1.0, 2.0), (3.0, 4.0)], np.array([[1, 2], [3, 4]])]
)
def test_a_matrix_is_sent_flat_with_its_shape(rows: object) -> None:
    tensor = {"name": "X", "shape": [2, 2], "datatype": "FP64", "data": [1.0, 2.0, 3.0, 4.0]}
    assert request(MATRIX, rows) == {"inputs": [tensor]}


@pytest.mark.parametrize("rows", [pd.DataFrame({"a": [1.0], "b": [2.0]}), [{"a": 1.0, "b": 2.0}], {"a": 1.0, "b": 2.0}])
def test_columns_are_found_by_name_whatever_their_order(rows: object) -> None:
    assert request(NAMED, rows)["inputs"][0]["data"] == [2.0, 1.0]


def test_each_input_gets_its_own_column_and_type() -> None:
    frame = pd.DataFrame({"city": ["Zürich", None], "age": [40, 41], "member": [True, False]})
    sent = {one["name"]: one["data"] for one in request(MIXED, frame)["inputs"]}
    assert sent == {"age": [40, 41], "city": ["Zürich", ""], "member": [True, False]}
    assert request(MIXED, [[40, "Zürich", True]])["inputs"][1]["data"] == ["Zürich"]


def test_missing_numbers_travel_as_null_and_say_so() -> None:
    tensor = request(MATRIX, [[1.0, math.nan], [None, 2.0]])["inputs"][0]
    assert tensor["data"] == [1.0, None, None, 2.0]
    assert tensor["parameters"] == {"allow_null": True}
    assert "parameters" not in request(MATRIX, [[1.0, 2.0]])["inputs"][0]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "no rows"),
        ([[1.0, 2.0, 3.0]], "row 0 has 3 values"),
        ([[1.0, 2.0], [1.0]], "row 1 has 1 values"),
        ([["1.5", 2.0]], "'1.5' in 'X'"),
        ([[math.inf, 2.0]], "inf in 'X'"),
    ],
)
def test_rows_that_do_not_fit_are_refused_with_the_place(rows: object, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        request(MATRIX, rows)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"age": 1.5, "city": "x", "member": True}, "1.5 in 'age'"),
        ({"age": None, "city": "x", "member": True}, "missing"),
        ({"age": 1, "city": 5, "member": True}, "5 in 'city'"),
        ({"age": 1, "city": "x", "member": "false"}, "'false' in 'member'"),
        ({"age": 1, "city": "x"}, "no value for 'member'"),
    ],
)
def test_a_value_of_another_type_is_refused_and_never_guessed(row: dict[str, object], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        request(MIXED, [row])


def test_a_frame_without_a_column_is_refused_with_its_name() -> None:
    with pytest.raises(Invalid, match="column 'b' is missing"):
        request(NAMED, pd.DataFrame({"a": [1.0]}))


def test_an_answer_is_nested_as_its_shape_says() -> None:
    outputs = [
        {"name": "label", "shape": [2], "data": [0, 1]},
        {"name": "probabilities", "shape": [2, 2], "data": [0.9, 0.1, 0.2, 0.8]},
    ]
    assert answer({"outputs": outputs}) == {"label": [0, 1], "probabilities": [[0.9, 0.1], [0.2, 0.8]]}
