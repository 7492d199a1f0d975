"""What an endpoint says of itself: its OpenAPI document and Prometheus' metrics, against the running server."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.serving.conftest import Scoring, end, launch
from tests.serving.models import PASSENGERS, passengers
from tests.serving.test_protocol_v2 import GOOD

SAMPLE = {
    "inputs": [
        {"name": "age", "datatype": "FP64", "shape": [2, 1], "data": [22.5, None], "parameters": {"allow_null": True}},
        {"name": "sex", "datatype": "BYTES", "shape": [2, 1], "data": ["male", "female"]},
        {"name": "siblings", "datatype": "INT64", "shape": [2, 1], "data": [1, 0]},
    ]
}


@pytest.fixture(scope="module")
def boarding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scoring]:
    scoring = launch(tmp_path_factory.mktemp("boarding"), passengers(), PASSENGERS, sample=SAMPLE)
    yield scoring
    end(scoring)


@pytest.mark.parametrize("path", ["/openapi.json", "/swagger.json", "/swagger.json?version=3.1"])
def test_the_document_needs_a_key_and_names_every_dialect(boarding: Scoring, path: str) -> None:
    assert boarding.ask(path, key=None).status == 401
    document = boarding.ask(path).json
    assert document["openapi"] == "3.1.0"
    assert {"/score", "/invocations", "/v2/models/m/infer", "/v2/models/m/versions/3/infer"} <= document["paths"].keys()


def test_every_example_of_the_document_is_answered(boarding: Scoring) -> None:
    asked = 0
    for path, operations in boarding.ask("/openapi.json").json["paths"].items():
        if "post" in operations:
            example = operations["post"]["requestBody"]["content"]["application/json"]["example"]
            answer = boarding.ask(path, json.dumps(example).encode())
            assert answer.status == 200, (path, example, answer.json)
            asked += 1
    assert asked == 4


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_server_answers_as_its_document_says_whatever_it_is_asked(boarding: Scoring, tmp_path: Path) -> None:
    """Schemathesis makes requests for every operation, good and bad ones."""
    document = tmp_path / "openapi.json"
    document.write_bytes(boarding.ask("/openapi.json").body)
    program = shutil.which("schemathesis", path=str(Path(sys.executable).parent))
    assert program is not None
    command = [
        program, "run", str(document), "--url", f"http://127.0.0.1:{boarding.port}",
        "--header", "Authorization: Bearer mls_one", "--phases", "examples,coverage,fuzzing",
        "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
        "--max-examples", "20", "--seed", "1", "--generation-database", "none", "--no-color",
        "--request-timeout", "20", "--suppress-health-check", "all",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert f"Tested: {len(json.loads(document.read_text())['paths'])}" in done.stdout


def test_metrics_are_read_by_prometheus_parser(tmp_path: Path) -> None:
    scoring = launch(tmp_path, passengers(), PASSENGERS)
    try:
        rows = json.dumps({"data": [[22.5, "male", 1]]}).encode()
        assert [scoring.ask("/score", rows).status for _ in range(3)] == [200, 200, 200]
        assert [scoring.ask("/score", body).status for body in (b"[]", GOOD)] == [400, 400]
        assert scoring.ask("/metrics", key=None).status == 401
        answer = scoring.ask("/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        families = {family.name: family for family in text_string_to_metric_families(answer.body.decode())}
    finally:
        end(scoring)
    labels = {"endpoint": "e", "deployment": "blue", "model": "m", "version": "3"}
    requests_by_class = families["mlstudio_endpoint_requests"].samples
    assert {s.labels["status"]: s.value for s in requests_by_class} == {"2xx": 3, "4xx": 2, "5xx": 0}
    assert labels.items() <= requests_by_class[0].labels.items()
    duration = families["mlstudio_endpoint_request_duration_seconds"]
    counts = [sample.value for sample in duration.samples if sample.name.endswith("_bucket")]
    assert counts == sorted(counts)
    assert counts[-1] == next(sample.value for sample in duration.samples if sample.name.endswith("_count")) == 5
    assert 0 < next(sample.value for sample in duration.samples if sample.name.endswith("_sum")) < 5
    assert families["mlstudio_endpoint_requests_waiting"].samples[0].value == 0
