"""Deployments that execute what somebody else wrote: scoring scripts, and models in their own framework."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from jupyter_mlstudio.entities.runs import RunStatus
from jupyter_mlstudio.studio import Studio
from jupyter_mlstudio.workspace import Workspace
from tests.programs.endpoint import Begin, Load, beginning, deployment, living, ready, register, times
from tests.waiting import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
]
DATA = load_iris()
MODEL = LogisticRegression(max_iter=500).fit(DATA.data, DATA.target)

SCRIPT = """
import json, os, sys, time
from pathlib import Path

def init():
    global files
    print("init is called")
    files = sorted(path.name for path in Path(os.environ["AZUREML_MODEL_DIR"]).iterdir())

def run(raw_data):
    data = json.loads(raw_data)
    print("a line for the log")
    if "sleep" in data:
        time.sleep(data["sleep"])
    if "raise" in data:
        raise ValueError("secret " + data["raise"])
    if "megabytes" in data:
        return len(bytearray(data["megabytes"] * 1024 * 1024))
    return {"doubled": [2 * value for value in data["data"]], "files": files}
"""
RAW = """
from azureml.contrib.services.aml_request import AMLRequest, rawhttp
from azureml.contrib.services.aml_response import AMLResponse

def init():
    pass

@rawhttp
def run(request):
    if request.method == "GET":
        return AMLResponse(request.args, 200, json_str=True)
    return AMLResponse(bytes(reversed(request.get_data(False))), 201, {"Content-Type": request.content_type})
"""


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    made = Studio(Workspace(tmp_path_factory.mktemp("studio")))
    register(made, "m", times(2.0))
    register(made, "iris", MODEL, DATA.data)
    yield made
    made.close()


@pytest.fixture
def start(studio: Studio, tmp_path: Path) -> Iterator[Begin]:
    with beginning(studio, tmp_path) as begin:
        yield begin


def script(studio: Studio, folder: Path, text: str, name: str = "blue", **settings: Any) -> dict[str, Any]:
    path = folder / "score.py"
    path.write_text(text)
    further = {"kind": "script", "script": str(path), "folder": str(studio.models.folder("m", 1)), "settings": settings}
    return deployment(studio, name, 1) | further


def test_a_scoring_script_answers_behind_a_process_that_checks_who_asks(
    studio: Studio, start: Begin, tmp_path: Path
) -> None:
    served = ready(start(script(studio, tmp_path, SCRIPT, limits={"memory_mb": 300})))
    answer = served.ask(b'{"data": [1, 2]}', "/score")
    assert (answer.status, answer.deployment) == (200, "blue")
    assert answer.json["doubled"] == [2, 4]
    assert "mlstudio.json" in answer.json["files"] or "model.onnx" in answer.json["files"]
    for headers, status in (
        ({"Authorization": "Bearer no"}, 401), ({"Origin": "http://evil"}, 403), ({"Host": "evil"}, 403),
        ({"Content-Type": "text/plain"}, 415), ({"Content-Length": "99999999"}, 413),
    ):  # fmt: skip
        assert served.ask(b"{}", "/score", **headers).status == status
    assert served.ask(b"{}", "/elsewhere").status == 404

    failed = served.ask(b'{"raise": "word"}', "/score")
    assert (failed.status, failed.headers["x-ms-run-function-failed"]) == (500, "True")
    assert failed.json["error"] == "run() of score.py raised ValueError; the log says more"
    assert "secret" not in str(failed.body)
    assert served.ask(b'{"megabytes": 4000}', "/score").status == 413
    assert served.ask(b'{"data": [1]}', "/score").status == 200
    log = studio.workspace.run_folder(served.run_id) / "output.log"
    until(lambda: "init is called" in (text := log.read_text()) and "a line for the log" in text and "secret" in text)
    until(lambda: served.metric("blue/errors") == 2)


def test_a_script_that_does_not_return_is_answered_for_and_its_process_replaced(
    studio: Studio, start: Begin, tmp_path: Path
) -> None:
    served = ready(start(script(studio, tmp_path, SCRIPT, request_settings={"request_timeout_ms": 700})))
    stuck = served.pids("blue")
    began = time.monotonic()
    answer = served.ask(b'{"sleep": 600, "data": []}', "/score")
    assert (answer.status, time.monotonic() - began < 30) == (504, True)
    until(lambda: served.ask(b'{"data": [1]}', "/score").status == 200)
    assert not set(stuck) & set(served.pids("blue"))
    until(lambda: not living(stuck))


def test_a_raw_script_sees_the_request_and_says_status_and_headers(
    studio: Studio, start: Begin, tmp_path: Path
) -> None:
    served = ready(start(script(studio, tmp_path, RAW)))
    answer = served.ask(b"\x00\x01\xff", "/score", Content_Type="application/octet-stream")
    assert (answer.status, answer.body) == (201, b"\xff\x01\x00")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert served.ask(None, "/score?a=1&b=x").json == {"a": "1", "b": "x"}


def test_a_script_whose_init_fails_fails_with_the_reason(studio: Studio, start: Begin, tmp_path: Path) -> None:
    served = start(script(studio, tmp_path, "import nowhere\ndef run(data): ..."))
    until(lambda: served.run.status is RunStatus.FAILED)
    assert "importing score.py failed: ModuleNotFoundError: No module named 'nowhere'" in served.run.reason


def test_traffic_goes_from_a_model_to_a_script_and_back_without_a_failed_request(
    studio: Studio, start: Begin, tmp_path: Path
) -> None:
    text = """
def run(raw_data):
    return {"outputs": [{"name": "Y", "data": [7.5, 10.0]}]}
"""
    blue, green = deployment(studio, "blue", 1), script(studio, tmp_path, text, "green")
    served = ready(start(blue, green))
    with Load(served, path="/score", body=b'{"data": [[1.5, 2.0]]}', callers=2) as load:
        for traffic in ({"blue": 0, "green": 100}, {"blue": 100, "green": 0}):
            time.sleep(0.5)
            served.change(traffic=traffic)
        time.sleep(0.5)
    assert load.failures == []
    assert served.ask(b'{"data": [[1.5, 2.0]]}', "/score", azureml_model_deployment="green").status == 200


def test_a_model_answers_in_its_own_framework_like_its_ONNX_form(studio: Studio, start: Begin) -> None:
    folder = str(studio.models.folder("iris", 1))
    native = deployment(studio, "native", 1, "iris") | {"kind": "native", "folder": folder}
    served = ready(start(deployment(studio, "onnx", 1, "iris"), native))
    rows = DATA.data[:5]
    body = {"inputs": [{"name": "X", "shape": [5, 4], "datatype": "FP64", "data": rows.ravel().tolist()}]}
    answers = [
        served.ask(json.dumps(body).encode(), "/v2/models/iris/infer", azureml_model_deployment=name).json["outputs"]
        for name in ("onnx", "native")
    ]
    assert [one["name"] for one in answers[0]] == [one["name"] for one in answers[1]]
    assert answers[1][0]["data"] == MODEL.predict(rows).tolist() == answers[0][0]["data"]
    assert answers[1][1]["data"] == pytest.approx(MODEL.predict_proba(rows).ravel().tolist())
    plain = served.ask(json.dumps({"data": rows.tolist()}).encode(), "/score", azureml_model_deployment="native")
    assert plain.json == MODEL.predict(rows).tolist()
