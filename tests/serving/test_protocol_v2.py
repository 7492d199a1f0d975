from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import tritonclient.http

from tests.onnx import graphs
from tests.serving.conftest import Scoring

GOOD = b'{"inputs": [{"name": "X", "datatype": "FP32", "shape": [1, 2], "data": [1.5, 2]}]}'


def test_the_server_says_what_it_is(doubling: Scoring) -> None:
    assert doubling.ask("/v2").json["name"] == "jupyter_mlstudio"
    assert doubling.ask("/v2/health/live", key=None).json == {"live": True}
    assert doubling.ask("/v2/health/ready", key=None).json == {"ready": True}


@pytest.mark.parametrize("path", ["/v2/models/m", "/v2/models/m/versions/3"])
def test_the_model_describes_itself_with_and_without_its_version(doubling: Scoring, path: str) -> None:
    described = doubling.ask(path).json
    assert described["versions"] == ["3"]
    assert described["inputs"] == [{"name": "X", "datatype": "FP32", "shape": [-1, 2]}]
    assert described["platform"] == "onnxruntime_onnx"
    assert doubling.ask(path + "/ready").json == {"name": "m", "ready": True}


@pytest.mark.parametrize("path", ["/v2/models/m/infer", "/v2/models/m/versions/3/infer", "/v2/models/%6d/infer"])
def test_a_request_is_answered(doubling: Scoring, path: str) -> None:
    answer = doubling.ask(path, GOOD)
    assert answer.status == 200
    assert answer.json["outputs"] == [{"name": "Y", "datatype": "FP32", "shape": [1, 2], "data": [3.0, 4.0]}]
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "path",
    ["/v2/models/other/infer", "/v2/models/..%2fm/infer", "/v2/models/m%2f../infer", "/v2/models/../models/m/infer",
     "/v2/models/m%00/infer", "/v2/models//infer", "/v2/models/m/versions/4/infer", "/v2/models/M/infer",
     "/v2/models/m/infer/", "//v2/models/m/infer", "/.", "/v2/models", "/infer", "/v2/models/m%252f/infer"],
)  # fmt: skip
def test_E07_a_path_that_is_not_the_models_is_not_found(doubling: Scoring, path: str) -> None:
    assert doubling.ask(path, GOOD).status == 404


@pytest.mark.parametrize(
    "path", ["/v2/repository/index", "/v2/repository/models/x/load", "/v2/repository/models/m/unload",
             "/models?url=http://127.0.0.1/x", "/v2/systemsharedmemory/status", "/v2/logging", "/v2/trace/setting"],
)  # fmt: skip
def test_E08_the_data_port_has_no_control_verbs(doubling: Scoring, path: str) -> None:
    assert doubling.ask(path, b"{}").status == 404


def test_R28_another_method_is_refused_and_the_right_one_named(doubling: Scoring) -> None:
    answer = doubling.ask("/v2/models/m/infer")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert doubling.ask("/v2/models/m", method="PROPFIND").status == 405


def test_E12_a_wrong_value_is_named_in_the_answer(doubling: Scoring) -> None:
    answer = doubling.infer(GOOD.replace(b"1.5", b'"1.5"'))
    assert (answer.status, answer.json["code"]) == (400, "invalid")
    assert '"1.5" is not a number' in answer.json["error"]


def test_E15_a_nan_in_the_answer_is_null_with_a_warning(serve: Callable[..., Scoring]) -> None:
    answer = serve(graphs.logarithm()).infer(GOOD.replace(b"1.5, 2", b"-1, 0"))
    assert answer.json["outputs"][0]["data"] == [None, None]
    assert "not finite" in answer.json["parameters"]["warning"]


def test_every_type_goes_through_unchanged(serve: Callable[..., Scoring]) -> None:
    values = {"BOOL": [True, False], "UINT8": [0, 255], "INT8": [-128, 127], "INT64": [-(2**63), 2**63 - 1]}
    values |= {"FP32": [0.5, -1.0], "FP64": [0.1, 1e-300], "BYTES": ["é\u2028", ""]}
    inputs = [{"name": t, "datatype": t, "shape": [1, 2], "data": data} for t, data in values.items()]
    answer = serve(graphs.typed(), graphs.TYPED).infer(json.dumps({"inputs": inputs}).encode())
    assert {one["datatype"]: one["data"] for one in answer.json["outputs"]} == values


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it leaves its sockets open
def test_tritons_client_speaks_to_it(doubling: Scoring) -> None:
    headers = {"Authorization": "Bearer mls_one"}
    client = tritonclient.http.InferenceServerClient(f"127.0.0.1:{doubling.port}")
    try:
        assert client.is_server_live()
        assert client.is_model_ready("m", "3", headers=headers)
        assert client.get_model_metadata("m", headers=headers)["inputs"][0]["datatype"] == "FP32"
        tensor = tritonclient.http.InferInput("X", [2, 2], "FP32")
        tensor.set_data_from_numpy(np.array([[1, 2], [3, 4]], np.float32), binary_data=False)
        wanted = [tritonclient.http.InferRequestedOutput("Y", binary_data=False)]
        answer = client.infer("m", [tensor], outputs=wanted, headers=headers, request_id="42")
        assert answer.as_numpy("Y").tolist() == [[2, 4], [6, 8]]
        assert answer.get_response()["id"] == "42"
        wrong = tritonclient.http.InferInput("X", [1, 2], "FP64")
        wrong.set_data_from_numpy(np.array([[1, 2.0]]), binary_data=False)
        with pytest.raises(tritonclient.http.InferenceServerException, match="takes FP32"):
            client.infer("m", [wrong], headers=headers)
    finally:
        client.close()


@pytest.fixture
def triton(doubling: Scoring) -> Iterator[tritonclient.http.InferenceServerClient]:
    client = tritonclient.http.InferenceServerClient(f"127.0.0.1:{doubling.port}")
    yield client
    client.close()


HEADERS = {"Authorization": "Bearer mls_one"}
"""The client adds to what it is given, so each call has its own."""

closes_late = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@closes_late
def test_tritons_client_finds_out_what_the_server_is(triton: tritonclient.http.InferenceServerClient) -> None:
    assert triton.is_server_live()
    assert triton.is_server_ready()
    assert triton.is_model_ready("m", headers=dict(HEADERS))
    assert not triton.is_model_ready("other", headers=dict(HEADERS))
    assert triton.get_server_metadata(headers=dict(HEADERS))["extensions"] == ["binary_tensor_data"]
    assert triton.get_model_metadata("m", "3", headers=dict(HEADERS))["outputs"][0]["name"] == "Y"


@closes_late
def test_E08_tritons_client_cannot_load_or_list_models(triton: tritonclient.http.InferenceServerClient) -> None:
    for ask in (triton.get_model_repository_index, lambda headers: triton.load_model("m", headers=headers),
                lambda headers: triton.unload_model("m", headers=headers)):  # fmt: skip
        with pytest.raises(tritonclient.http.InferenceServerException, match="404"):
            ask(headers=dict(HEADERS))


@closes_late
@pytest.mark.parametrize("binary_input", [True, False])
@pytest.mark.parametrize("binary_output", [True, False, None])
def test_tritons_client_sends_and_reads_bytes(
    triton: tritonclient.http.InferenceServerClient, binary_input: bool, binary_output: bool | None
) -> None:
    rows = np.arange(200, dtype=np.float32).reshape(100, 2)
    tensor = tritonclient.http.InferInput("X", list(rows.shape), "FP32")
    tensor.set_data_from_numpy(rows, binary_data=binary_input)
    wanted = None
    if binary_output is not None:
        wanted = [tritonclient.http.InferRequestedOutput("Y", binary_data=binary_output)]
    answer = triton.infer("m", [tensor], outputs=wanted, headers=dict(HEADERS), model_version="3", request_id="7")
    assert np.array_equal(answer.as_numpy("Y"), rows * 2)
    assert answer.get_response()["id"] == "7"


@closes_late
def test_tritons_client_sends_every_type_as_bytes(serve: Callable[..., Scoring]) -> None:
    values = {
        "BOOL": np.array([[True, False]]), "UINT8": np.array([[0, 255]], np.uint8),
        "INT8": np.array([[-128, 127]], np.int8), "INT64": np.array([[-(2**63), 2**63 - 1]]),
        "FP32": np.array([[0.5, -1]], np.float32), "FP64": np.array([[0.1, 1e-300]]),
        "BYTES": np.array([["é\u2028".encode(), b""]], object),
    }  # fmt: skip
    tensors = []
    for kind, array in values.items():
        tensors.append(tritonclient.http.InferInput(kind, list(array.shape), kind))
        tensors[-1].set_data_from_numpy(array)
    client = tritonclient.http.InferenceServerClient(f"127.0.0.1:{serve(graphs.typed(), graphs.TYPED).port}")
    try:
        answer = client.infer("m", tensors, headers=dict(HEADERS))
    finally:
        client.close()
    for kind, array in values.items():
        assert answer.as_numpy(f"{kind}_out").tolist() == array.tolist()
