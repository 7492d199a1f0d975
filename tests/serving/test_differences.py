from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jupyter_mlstudio.onnx.binary import write_binary
from jupyter_mlstudio.serving import mirror
from jupyter_mlstudio.serving.dialects.arrow import ARROW_TYPE
from jupyter_mlstudio.serving.differences import Difference, compare
from jupyter_mlstudio.serving.request import Reply


def found(live: Any, copy: Any) -> Difference:
    return compare(reply(json.dumps(live).encode()), reply(json.dumps(copy).encode()))


def reply(body: bytes, lines: bytes = b"") -> Reply:
    return Reply(200, body, lines)


def v2(**outputs: list[Any]) -> dict[str, Any]:
    listed = [{"name": name, "shape": [len(data)], "data": data} for name, data in outputs.items()]
    return {"model_name": "m", "model_version": "1", "outputs": listed}


def test_what_a_model_says_of_itself_makes_no_difference() -> None:
    other = v2(label=["a"]) | {"model_version": "2", "id": "x"}
    assert not found(v2(label=["a"]), other).disagrees


def test_a_label_that_differs_disagrees_and_numbers_beside_it_are_measured() -> None:
    one = found(v2(label=["a", "b"], p=[0.5, 0.25]), v2(label=["a", "c"], p=[0.5, 0.75]))
    assert (one.disagrees, one.labels, one.max_difference, one.numbers) == (True, 1, 0.5, 2)
    assert one.examples[0] == {"at": "label[1]", "live": "b", "copy": "c"}
    assert not found(v2(label=["a"], p=[0.5]), v2(label=["a"], p=[0.9])).disagrees


@pytest.mark.parametrize(("copy", "disagrees"), [(100.0, False), (104.0, False), (106.0, True)])
def test_numbers_alone_disagree_when_they_are_far_apart(copy: float, disagrees: bool) -> None:
    assert found(v2(value=[100.0]), v2(value=[copy])).disagrees is disagrees


def test_answers_of_other_forms_are_compared_as_they_stand() -> None:
    assert found([1, 2], [1, 3]).labels == 1
    assert found({"predictions": [1, 2]}, {"predictions": [1]}).examples == [
        {"at": "predictions[1]", "live": 2, "copy": None}
    ]
    assert compare(reply(b"\x00"), reply(b"\x01")).disagrees
    assert not compare(reply(b"\x00"), reply(b"\x00")).disagrees


def binary(*outputs: tuple[str, str, list[int], bytes]) -> Reply:
    """An answer whose tensors are bytes."""
    told = [
        {"name": name, "datatype": kind, "shape": shape, "parameters": {"binary_data_size": len(data)}}
        for name, kind, shape, data in outputs
    ]
    text = json.dumps({"model_name": "m", "outputs": told}).encode()
    lines = b"\r\nx: y\r\nInference-Header-Content-Length: %d" % len(text)
    return reply(text + b"".join(data for *_, data in outputs), lines)


def test_tensors_that_are_bytes_are_compared_as_tensors() -> None:
    def answered(labels: list[str], *values: float) -> Reply:
        return binary(
            ("label", "BYTES", [len(labels)], write_binary(labels, "BYTES")),
            ("p", "FP32", [len(values) // 2, 2], write_binary(values, "FP32")),
        )

    one = compare(answered(["a", "b"], 0.5, 0.5, 0.25, 0.75), answered(["a", "c"], 0.5, 0.5, 0.75, 0.25))
    assert (one.values, one.labels, one.numbers, one.max_difference) == (6, 1, 4, 0.5)
    assert [example["at"] for example in one.examples] == ["label[1]", "p[1][0]", "p[1][1]"]
    close = compare(answered(["a"], 0.5, 0.5), answered(["a"], 0.5000001, 0.5))
    assert not close.disagrees, "other bytes, the same answer"
    assert not compare(answered(["a"], float("nan"), 0.5), answered(["a"], float("nan"), 0.5)).disagrees
    text = reply(json.dumps({"outputs": [{"name": "p", "shape": [1, 2], "data": [0.5, 0.5]}]}).encode())
    assert not compare(text, binary(("p", "FP32", [1, 2], write_binary([0.5, 0.5], "FP32")))).labels


@pytest.mark.parametrize("size", [0, 3, 8, 10**9])
def test_bytes_that_do_not_fit_what_is_said_of_them_are_compared_as_bytes(size: int) -> None:
    text = json.dumps({"outputs": [
        {"name": "p", "datatype": "FP32", "shape": [1], "parameters": {"binary_data_size": size}}
    ]}).encode()  # fmt: skip
    cut = reply(text + b"1234", b"\r\ninference-header-content-length: %d" % len(text))
    assert not compare(cut, cut).disagrees
    assert compare(cut, reply(b"[1]")).disagrees


def test_an_answer_of_arrow_is_compared_by_its_columns() -> None:
    def answered(**columns: list[Any]) -> Reply:
        batch = pa.record_batch(columns)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as stream:
            stream.write_batch(batch)
        return Reply(200, sink.getvalue().to_pybytes(), media=ARROW_TYPE)

    one = compare(answered(label=["a", "b"], p=[0.5, 0.5]), answered(label=["a", "c"], p=[0.5, 0.25]))
    assert (one.labels, one.max_difference, one.examples[0]["at"]) == (1, 0.25, "label[1]")
    passed = answered(p=[0.5])
    passed.lines, passed.media = b"\r\ncontent-type: " + ARROW_TYPE, b""
    assert not compare(passed, answered(p=[0.5])).disagrees
    assert compare(Reply(200, b"cut", media=ARROW_TYPE), answered(p=[0.5])).disagrees


def test_a_file_that_is_full_makes_room_and_keeps_the_one_before(tmp_path: Path) -> None:
    file = tmp_path / "mirror" / "green.jsonl"
    line = b"x" * 1023 + b"\n"
    for _ in range(mirror.FILE_BYTES // len(line) + 2):
        mirror.append(file, line)
    assert file.stat().st_size == len(line)
    assert (tmp_path / "mirror" / "green.1.jsonl").stat().st_size > mirror.FILE_BYTES
    assert file.stat().st_mode & 0o777 == 0o600
