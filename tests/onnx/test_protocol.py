from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from jupyter_mlstudio.entities.models import Signature, TensorSpec
from jupyter_mlstudio.errors import Invalid, TooLarge
from jupyter_mlstudio.onnx.protocol import NON_FINITE, Protocol, request_for
from tests.onnx.graphs import DOUBLING, TYPES


def tensor(data: str, datatype: str = "FP32", shape: str = "[1, 2]", name: str = "X") -> str:
    return f'{{"name": "{name}", "datatype": "{datatype}", "shape": {shape}, "data": {data}}}'


def body(*tensors: str, rest: str = "") -> bytes:
    return f'{{"inputs": [{", ".join(tensors)}]{rest}}}'.encode()


def protocol(datatype: str = "FP32", **options: Any) -> Protocol:
    spec = TensorSpec(name="X", datatype=datatype, shape=[-1, 2], onnx_name="x_0")
    signature = Signature(inputs=[spec], outputs=DOUBLING.outputs, task="other")
    return Protocol(signature, "m", "1", **options)


def test_a_request_is_read_as_the_array_it_says() -> None:
    request = protocol().read(body(tensor("[1.5, 2]"), rest=', "id": "a"'))
    assert request.feeds["x_0"].dtype == np.float32
    assert request.feeds["x_0"].tolist() == [[1.5, 2.0]]
    assert (request.rows, request.id) == (1, "a")


def test_E14_nested_and_flat_data_are_the_same() -> None:
    flat = protocol().read(body(tensor("[1, 2, 3, 4]", shape="[2, 2]")))
    nested = protocol().read(body(tensor("[[1, 2], [3, 4]]", shape="[2, 2]")))
    assert np.array_equal(flat.feeds["x_0"], nested.feeds["x_0"])


@pytest.mark.parametrize(
    ("datatype", "good"),
    [("BOOL", "[true, false]"), ("UINT8", "[0, 255]"), ("INT8", "[-128, 127]"), ("BYTES", '["a", "é"]'),
     ("INT64", "[-9223372036854775808, 9223372036854775807]"), ("UINT64", "[0, 18446744073709551615]"),
     ("FP16", "[1, 65504]"), ("FP32", "[1, 3.4e38]"), ("FP64", "[1e-320, 1.7e308]")],
)  # fmt: skip
def test_every_type_takes_its_own_values(datatype: str, good: str) -> None:
    read = protocol(datatype).read(body(tensor(good, datatype))).feeds["x_0"]
    assert read.ravel().tolist() == pytest.approx(json.loads(good)) if datatype.startswith("FP") else json.loads(good)


@pytest.mark.parametrize(
    ("datatype", "bad", "said"),
    [
        ("FP32", "[null, 1]", "null is not a number"),
        ("FP32", '["1.5", 1]', '"1.5" is not a number'),
        ("INT64", "[1.9, 1]", "1.9 is not an integer"),
        ("INT64", "[1.0, 1]", "1.0 is not an integer"),
        ("BOOL", '["false", true]', '"false" is not true or false'),
        ("BOOL", "[1, 0]", "1 is not true or false"),
        ("FP32", "[1e39, 1]", "out of range for FP32"),
        ("FP16", "[65520, 1]", "out of range for FP16"),
        ("FP64", "[1e999, 1]", "in range"),
        ("FP32", "[true, 1]", "true is not a number"),
        ("INT64", "[true, 1]", "true is not an integer"),
        ("UINT8", "[300, 1]", "out of range for UINT8"),
        ("UINT8", "[-1, 1]", "out of range for UINT8"),
        ("INT64", "[9223372036854775808, 1]", "out of range for INT64"),
        ("INT64", f"[1{'0' * 400}, 1]", "out of range for INT64"),
        ("FP64", f"[1{'0' * 400}, 1]", "in range"),
        ("BYTES", "[1, 2]", "1 is not a string"),
        ("BYTES", "[null, null]", "null is not a string"),
        ("FP32", "null", "not a list of values"),
        ("FP32", "{}", "not a list of values"),
        ("FP32", "[[1, 2], [3]]", "different lengths"),
        ("FP32", "[[1], [2]]", "says otherwise"),
        ("FP32", "[[[1, 2]]]", "nested as deep"),
        ("FP32", "[1, 2, 3]", "says otherwise"),
        ("FP32", "[]", "says otherwise"),
    ],
)  # fmt: skip
def test_E12_E13_E14_E16_a_value_that_is_not_of_the_type_is_refused(datatype: str, bad: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        protocol(datatype).read(body(tensor(bad, datatype)))


@pytest.mark.parametrize(
    "shape", ["[2, 2]", "[-1, 2]", "[1]", "[1, 2, 1]", "[9223372036854775807, 2]", "[1.0, 2]", "[true, 2]", "[0, 2]",
              "[1, -2]", "[1, 3]", '["1", 2]', "null", "[]"],
)  # fmt: skip
def test_E11_a_shape_that_is_not_that_of_the_data_and_the_model_is_refused(shape: str) -> None:
    with pytest.raises((Invalid, TooLarge)):
        protocol().read(body(tensor("[1, 2]", shape=shape)))


@pytest.mark.parametrize("datatype", ["FP31", "FP64", "fp32", "INT64", ""])
def test_E10_a_datatype_that_is_not_the_models_is_refused(datatype: str) -> None:
    with pytest.raises(Invalid, match="takes FP32"):
        protocol().read(body(tensor("[1, 2]", datatype)))


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (b'{"inputs": []}', "no inputs"),
        (b'{"inputs": {}}', "not an inference request"),
        (b"{}", "inputs"),
        (b"[1]", "not an inference request"),
        (b"", "not JSON"),
        (b"\xff\xfe{}", "not JSON"),
        (b'{"inputs": [NaN]}', "not JSON"),
        (b"[" * 200_000, "."),
        (body(tensor("[NaN, 1]")), "not JSON"),
        (body(tensor("[1, 2]"), tensor("[1, 2]")), "X is there twice"),
        (body(tensor("[1, 2]", name="Z")), "Z is not one of the model's: X"),
        (body(tensor("[1, 2]"), tensor("[1, 2]", name="Z")), "Z is not one"),
        (body(tensor("[1, 2]"), rest=', "outputs": [{"name": "Q"}]'), "Q is not one of the model's: Y"),
        (body(tensor("[1, 2]"), rest=', "outputs": [{"name": "Y"}, {"name": "Y"}]'), "asked for twice"),
        (body(tensor("[1, 2]"), rest=', "strange": 1'), "strange"),
        (b'{"inputs": [{"name": "X", "datatype": "FP32", "shape": [1, 2]}]}', "data"),
    ],
)  # fmt: skip
def test_E09_E15_a_body_that_is_no_request_is_refused(bad: bytes, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        protocol().read(bad)


def test_E18_more_rows_than_allowed_are_too_many() -> None:
    with pytest.raises(TooLarge, match="3 rows are more than the 2"):
        protocol(rows_limit=2).read(body(tensor("[1, 2, 3, 4, 5, 6]", shape="[3, 2]")))


def test_inputs_with_different_numbers_of_rows_are_refused() -> None:
    specs = [TensorSpec(name=name, datatype="FP32", shape=[-1, 1]) for name in ("a", "b")]
    two = Protocol(Signature(inputs=specs, outputs=[], task="other"), "m", "1")
    with pytest.raises(Invalid, match="has 1 rows, the others have 2"):
        two.read(body(tensor("[1, 2]", shape="[2, 1]", name="a"), tensor("[1]", shape="[1, 1]", name="b")))
    with pytest.raises(Invalid, match="input b is missing"):
        two.read(body(tensor("[1, 2]", shape="[2, 1]", name="a")))


def test_null_is_nan_only_where_the_tensor_says_so() -> None:
    nullable = tensor("[null, 1]").replace("}", ', "parameters": {"allow_null": true}}')
    read = protocol().read(body(nullable)).feeds["x_0"]
    assert np.isnan(read[0, 0])
    assert read[0, 1] == 1


def test_E15_a_nan_in_the_answer_becomes_null_and_the_answer_says_so() -> None:
    asked = protocol().read(body(tensor("[1, 2]")))
    answer = protocol().write(asked, [np.array([[np.nan, np.inf]], np.float32)])
    assert b"NaN" not in answer
    read = json.loads(answer)
    assert read["outputs"][0]["data"] == [None, None]
    assert read["parameters"]["warning"] == NON_FINITE


def test_the_answer_names_model_version_shape_and_type() -> None:
    asked = protocol().read(body(tensor("[1, 2]"), rest=', "id": "7"'))
    answer = json.loads(protocol().write(asked, [np.array([[0.1, 2]], np.float32)]))
    expected = [{"name": "Y", "datatype": "FP32", "shape": [1, 2], "data": [float(np.float32(0.1)), 2.0]}]
    assert answer == {"model_name": "m", "model_version": "1", "id": "7", "outputs": expected}


@pytest.mark.parametrize("datatype", TYPES)
def test_a_request_made_from_arrays_reads_back_as_the_same_arrays(datatype: str) -> None:
    rows = {"BYTES": [["a", "b"]], "BOOL": [[True, False]]}.get(datatype, [[1, 2]])
    signature = protocol(datatype).signature
    request = request_for(signature, {"X": rows})
    assert protocol(datatype).read(json.dumps(request).encode()).feeds["x_0"].tolist() == rows


def test_a_request_with_missing_numbers_says_so_itself() -> None:
    request = request_for(protocol().signature, {"X": [[np.nan, 1.0]]})
    assert request["inputs"][0]["data"] == [None, 1.0]
    assert np.isnan(protocol().read(json.dumps(request).encode()).feeds["x_0"][0, 0])
