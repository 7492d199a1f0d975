from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import pytest

from jupyter_mlstudio.entities.models import Signature, TensorSpec
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx.binary import write_binary
from jupyter_mlstudio.onnx.protocol import Protocol
from tests.onnx.graphs import DOUBLING


def protocol(datatype: str) -> Protocol:
    specs = [TensorSpec(name=name, datatype=datatype, shape=[-1, 2]) for name in ("X", "Z")]
    return Protocol(Signature(inputs=specs, outputs=DOUBLING.outputs, task="other"), "m", "1")


def request(datatype: str, *parts: bytes, shape: Any = (1, 2), said: Any = None, **more: Any) -> tuple[bytes, int]:
    """A body of two tensors, and how long its JSON is."""
    inputs = []
    for name, part in zip("XZ", parts, strict=False):
        size = {"binary_data_size": len(part) if said is None else said, **more}
        inputs.append({"name": name, "datatype": datatype, "shape": list(shape), "parameters": size})
    text = json.dumps({"inputs": inputs}).encode()
    return text + b"".join(parts), len(text)


def text(*values: bytes) -> bytes:
    return b"".join(struct.pack("<I", len(value)) + value for value in values)


GOOD = {
    "BOOL": np.array([[True, False]]), "UINT8": np.array([[0, 255]]), "UINT16": np.array([[0, 65535]]),
    "UINT32": np.array([[0, 2**32 - 1]]), "UINT64": np.array([[0, 2**64 - 1]], np.uint64),
    "INT8": np.array([[-128, 127]]), "INT16": np.array([[-32768, 32767]]), "INT32": np.array([[-(2**31), 5]]),
    "INT64": np.array([[-(2**63), 2**63 - 1]]), "FP16": np.array([[0.5, 65504]]), "FP32": np.array([[0.5, -3.4e38]]),
    "FP64": np.array([[0.1, -1.7e308]]), "BYTES": np.array([["é", ""]], object),
}  # fmt: skip


@pytest.mark.parametrize("datatype", GOOD)
def test_bytes_are_read_as_the_values_that_were_written(datatype: str) -> None:
    part = write_binary(GOOD[datatype], datatype)
    read = protocol(datatype).read(*request(datatype, part, part))
    wanted = GOOD[datatype].astype(read.feeds["X"].dtype)
    assert np.array_equal(read.feeds["X"], wanted)
    assert np.array_equal(read.feeds["Z"], wanted)
    assert read.feeds["Z"].flags.aligned


def test_a_tensor_in_json_may_stand_beside_one_in_bytes() -> None:
    body, _ = request("FP32", np.array([1, 2], "<f4").tobytes())
    inputs = json.loads(body[: body.index(b"}]}") + 3])["inputs"]
    inputs.append({"name": "Z", "datatype": "FP32", "shape": [1, 2], "data": [3, 4]})
    head = json.dumps({"inputs": inputs}).encode()
    read = protocol("FP32").read(head + body[-8:], len(head))
    assert [feed.tolist() for feed in read.feeds.values()] == [[[1, 2]], [[3, 4]]]


PART = np.array([1, 2], "<f4").tobytes()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (request("FP32", PART), "input Z is missing"),
        (request("FP32", PART, PART + b"\0"), "input Z has 9 bytes, its shape .* takes 8"),
        (request("FP32", PART[:7], PART), "input X has 7 bytes"),
        (request("FP32", PART, PART, shape=(2**62, 2)), "more than the 100000"),
        (request("FP32", PART, PART, shape=(-1, 2)), "where -1 is any number from 1"),
        (request("FP32", PART, PART, shape=(1, 2, 1)), "the model takes"),
        (request("FP32", PART, PART, said=-8), "not a number of bytes"),
        (request("FP32", PART, PART, said=8.0), "not a number of bytes"),
        (request("FP32", PART, PART, said=True), "not a number of bytes"),
        (request("FP32", PART, PART, said="8"), "not a number of bytes"),
        (request("FP32", PART, PART, said=10**30), "only 16 are there|not an inference request"),
        (request("FP32", PART, PART, shared_memory_region="x"), "shared_memory_region does not work here"),
        (request("FP32", PART, PART, allow_null=1), "allow_null is not true or false"),
        (request("FP32", np.array([1, np.nan], "<f4").tobytes(), PART), "row 0, column 1: NaN is not a number"),
        (request("FP32", np.array([np.inf, 1], "<f4").tobytes(), PART), "row 0, column 0: the value is out of range"),
        (request("BOOL", b"\0\2", b"\0\1"), "row 0, column 1: the byte 2 is neither 0 nor 1"),
        (request("BYTES", text(b"a", b"\xff"), text(b"", b"")), "row 0, column 1: the text is not UTF-8"),
        (request("BYTES", text(b"a", b"b") + b"c", text(b"", b"")), "1 bytes more than its 2 texts take"),
        (request("BYTES", text(b"a") + b"\xff\xff\xff\xff", text(b"", b"")), "longer than the bytes that are there"),
        (request("BYTES", text(b"a"), text(b"", b"")), "too few for the lengths|longer than the bytes"),
    ],
)  # fmt: skip
def test_E11_bytes_that_are_not_what_they_are_said_to_be_are_refused(body: tuple[bytes, int], said: str) -> None:
    datatype = json.loads(body[0][: body[1]])["inputs"][0]["datatype"]
    with pytest.raises(Invalid, match=said):
        protocol(datatype).read(*body)


@pytest.mark.parametrize("more", [b"\0", PART])
def test_E11_bytes_that_no_tensor_takes_are_refused(more: bytes) -> None:
    body, length = request("FP32", PART, PART)
    with pytest.raises(Invalid, match=f"{len(more)} bytes follow the tensors"):
        protocol("FP32").read(body + more, length)


def test_the_length_of_the_json_is_checked() -> None:
    body, length = request("FP32", PART, PART)
    for wrong in (0, length - 1, length + 1, len(body) + 1):
        with pytest.raises(Invalid):
            protocol("FP32").read(body, wrong)
    with pytest.raises(Invalid, match="Inference-Header-Content-Length is missing"):
        protocol("FP32").read(body[:length])


def test_nan_in_bytes_is_a_missing_number_where_that_is_announced() -> None:
    nan = np.array([1, np.nan], "<f4").tobytes()
    read = protocol("FP32").read(*request("FP32", nan, nan, allow_null=True))
    assert np.isnan(read.feeds["X"][0, 1])
