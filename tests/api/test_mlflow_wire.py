"""What reaches MLflow's routes from others than MLflow's client: byte for byte, and what must come of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.mlflow_world import API, FILES, Door
from tests.server import Answer

pytestmark = pytest.mark.slow
UNKNOWN = "0" * 32


@pytest.fixture(scope="module")
def run_id(door: Door) -> Iterator[str]:
    made = door.call("runs/create", {"experiment_id": "0", "run_name": "a run"})["run"]["info"]["run_id"]
    assert door.ask("PUT", f"{FILES}/{made}/model/MLmodel", b"flavors: {}").status == 200
    yield made
    door.call("runs/update", {"run_id": made, "status": "FINISHED"})


@pytest.fixture(scope="module")
def ended(door: Door) -> str:
    made: str = door.call("runs/create", {})["run"]["info"]["run_id"]
    assert door.ask("PUT", f"{FILES}/{made}/kept.txt", b"kept").status == 200
    door.call("runs/update", {"run_id": made, "status": "FINISHED"})
    return made


def point(**changed: object) -> dict[str, object]:
    return {"key": "m", "value": 1.0, "timestamp": 1, "step": 0, **changed}


def code(answer: Answer) -> tuple[int, str]:
    """Status and MLflow's error code of a refusal, which has nothing else in it but its sentence."""
    assert set(answer.json) == {"error_code", "message"}
    return answer.status, answer.json["error_code"]


BAD_POINTS = {
    "r03 text for a number": point(value="1.5"),
    "r03 1e999": b'{"run_id": "%s", "key": "m", "value": 1e999, "timestamp": 1}',
    "r03 NaN as a step": b'{"run_id": "%s", "key": "m", "value": 1, "timestamp": 1, "step": NaN}',
    "r03 NaN as a key": b'{"run_id": "%s", "key": NaN, "value": 1, "timestamp": 1}',
    "r05 a step beyond 64 bits": point(step=2**63),
    "r05 a step of 5,000 digits": b'{"run_id": "%s", "key": "m", "timestamp": 1, "value": 1, "step": 1'
    + b"0" * 5000
    + b"}",
    "r05 a time beyond all bounds": point(timestamp=2**62),
    "r09 a number for a name": point(key=123),
    "r09 text for a step": point(step="3"),
    "r09 a truth value for a value": point(value=True),
    "no name": point(key=""),
    "a line break in a name": point(key="a\nb"),
    "a key twice": b'{"run_id": "%s", "run_id": "x", "key": "m", "value": 1, "timestamp": 1}',
    "not UTF-8": b'{"run_id": "%s", "key": "\xff", "value": 1, "timestamp": 1}',
    "not an object": b"[]",
    "not JSON": b"{",
}


@pytest.mark.parametrize("body", BAD_POINTS.values(), ids=list(BAD_POINTS))
def test_a_bad_point_is_refused_and_not_kept(door: Door, run_id: str, body: dict[str, object] | bytes) -> None:
    sent = (
        body.replace(b"%s", run_id.encode()).replace(b"LONG", b"9" * 5000)
        if isinstance(body, bytes)
        else {**body, "run_id": run_id}
    )

    answer = door.ask("POST", API + "runs/log-metric", sent)

    assert code(answer) == (400, "INVALID_PARAMETER_VALUE")
    assert door.call(f"runs/get?run_id={run_id}")["run"]["data"]["metrics"] == []


def test_f39_bare_words_for_what_is_not_finite_are_taken_as_values_too(door: Door) -> None:
    made = door.call("runs/create", {})["run"]["info"]["run_id"]
    for word in (b"NaN", b"Infinity", b"-Infinity", b'"NaN"'):
        raw = b'{"run_id": "%s", "key": "m", "value": %s, "timestamp": 1, "step": 5}' % (made.encode(), word)
        assert door.ask("POST", API + "runs/log-metric", raw).status == 200

    points = door.call(f"metrics/get-history?run_id={made}&metric_key=m")["metrics"]

    assert [one["value"] for one in points] == ["NaN", "Infinity", "-Infinity", "NaN"]


@pytest.mark.parametrize("value", [{}, 1, None, True])
def test_r09_a_tag_that_is_no_text_is_refused(door: Door, run_id: str, value: object) -> None:
    answer = door.ask("POST", API + "runs/set-tag", {"run_id": run_id, "key": "k", "value": value})

    assert code(answer) == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize("given", ["../x", "..", "a/b", "", "x" * 32, UNKNOWN[:31] + "G", "a run"])
def test_r10_what_is_no_id_of_a_run_is_refused(door: Door, run_id: str, given: str) -> None:
    answer = door.ask("POST", API + "runs/log-metric", {**point(), "run_id": given})

    assert code(answer) == (400, "INVALID_PARAMETER_VALUE")


def test_what_is_not_there_is_said_in_mlflows_words(door: Door) -> None:
    missing = (404, "RESOURCE_DOES_NOT_EXIST")
    assert code(door.ask("GET", API + f"runs/get?run_id={UNKNOWN}")) == missing
    assert code(door.ask("GET", API + "experiments/get?experiment_id=77777")) == missing
    assert code(door.ask("GET", API + "experiments/get-by-name?experiment_name=nope")) == missing
    assert code(door.ask("GET", API + f"logged-models/m-{UNKNOWN}")) == missing
    assert code(door.ask("GET", API + "registered-models/get?name=nope")) == missing
    assert code(door.ask("GET", API + "no/such/thing")) == (404, "ENDPOINT_NOT_FOUND")
    assert code(door.ask("POST", "mlstudio/mlflow/api/3.0/mlflow/traces", {})) == (501, "NOT_IMPLEMENTED")
    assert code(door.ask("POST", "mlstudio/mlflow/v1/traces", b"\x00")) == (501, "NOT_IMPLEMENTED")
    assert code(door.ask("GET", API + "experiments/search", Authorization="Bearer wrong")) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    "batch",
    [
        {"metrics": [point()] * 1001},
        {"params": [{"key": f"p{i}", "value": "1"} for i in range(101)]},
        {"tags": [{"key": f"t{i}", "value": "1"} for i in range(101)]},
        {"params": [{"key": "p", "value": "1"}, {"key": "p", "value": "2"}]},
        {"metrics": [point()], "params": [{"key": "p", "value": "1" * 6001}]},
        {"metrics": [point(), point(step=2**63)]},
        {"metrics": [point()], "tags": [{"key": "t", "value": "x" * 1_000_000}]},
    ],
    ids=["1001 metrics", "101 params", "101 tags", "a param twice", "a long param", "a bad step", "over 1 MB"],
)
def test_r17_a_batch_over_its_limits_is_refused_whole(door: Door, run_id: str, batch: dict[str, object]) -> None:
    answer = door.ask("POST", API + "runs/log-batch", {"run_id": run_id, **batch})

    assert code(answer) == (400, "INVALID_PARAMETER_VALUE")
    data = door.call(f"runs/get?run_id={run_id}")["run"]["data"]
    assert (data["metrics"], data["params"]) == ([], [])


def test_r17_a_batch_at_its_limits_is_taken(door: Door) -> None:
    made = door.call("runs/create", {})["run"]["info"]["run_id"]
    params = [{"key": f"p{i}", "value": "1"} for i in range(100)]
    door.call("runs/log-batch", {"run_id": made, "metrics": [point(step=i) for i in range(1000)], "params": params})

    assert len(door.call(f"metrics/get-history?run_id={made}&metric_key=m")["metrics"]) == 1000


@pytest.mark.parametrize("count", ["-1", "0", "1000000000", "x", "1.5"])
def test_r18_pages_of_no_sensible_size_are_refused(door: Door, run_id: str, count: str) -> None:
    number = int(count) if count.lstrip("-").isdigit() else count
    found = door.ask("POST", API + "runs/search", {"experiment_ids": ["0"], "max_results": number})
    points = door.ask("GET", API + f"metrics/get-history?run_id={run_id}&metric_key=m&max_results={count}")

    assert code(found) == code(points) == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize("token", ["x", "bzE" * 9, "b-1", "%00"])
def test_r18_forged_page_tokens_are_refused(door: Door, token: str) -> None:
    answer = door.ask("POST", API + "runs/search", {"experiment_ids": ["0"], "page_token": token})

    assert code(answer) == (400, "INVALID_PARAMETER_VALUE")


def test_r24_what_the_server_owns_is_not_the_clients_to_say(door: Door) -> None:
    claimed = {
        "status": "FINISHED", "artifact_uri": "file:///etc", "user_id": "root2", "pid": 1, "run_id": UNKNOWN,
        "start_time": 1, "end_time": 2, "lifecycle_stage": "deleted",
    }  # fmt: skip
    info = door.call("runs/create", claimed)["run"]["info"]

    assert info["status"] == "RUNNING"
    assert info["run_id"] != UNKNOWN
    assert info["artifact_uri"] == f"mlflow-artifacts:/{info['run_id']}"
    assert info["user_id"] != "root2"
    assert info["start_time"] > 1_000_000_000_000
    place = door.call("experiments/create", {"name": "placed", "artifact_location": "file:///etc"})["experiment_id"]
    shown = door.call(f"experiments/get?experiment_id={place}")["experiment"]
    assert shown["artifact_location"] == "mlflow-artifacts:/"


CLIMBS = [
    "../../canary", "..%2f..%2fcanary", "%2e%2e/canary", "a/%2e%2e/%2e%2e/canary", "/etc/hostname", "%2fetc%2fhostname",
    "C:/x", "C:%5Cx", "%5C%5Chost%5Cs", "..%5c..%5ccanary", "a%00b", "a%0ab", "a//b", "%ed%a0%80",
]  # fmt: skip


@pytest.mark.parametrize("path", CLIMBS)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_p01_to_p04_paths_that_lead_elsewhere_are_refused(door: Door, ended: str, method: str, path: str) -> None:
    body = b"overwritten" if method == "PUT" else None

    answer = door.ask(method, f"{FILES}/{ended}/{path}", body)

    assert answer.status in (400, 404)
    files = door.root / ".mlstudio" / "runs" / ended / "artifacts"
    assert [(path.name, path.read_bytes()) for path in files.rglob("*")] == [("kept.txt", b"kept")]
    assert list(door.root.rglob("*canary*")) == []


@pytest.mark.parametrize("path", ["..", "../x", "/etc", "C:/x", "a/../../x", "..\\x"])
def test_p01_listing_leads_nowhere_else(door: Door, run_id: str, path: str) -> None:
    from urllib.parse import quote

    for asked in (f"{FILES}?path={run_id}/{quote(path)}", API + f"artifacts/list?run_id={run_id}&path={quote(path)}"):
        assert code(door.ask("GET", asked)) == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize(
    "source",
    [
        "file:///etc", "file://./etc", "file://localhost/etc", "FILE:/etc", "/etc/passwd", "http:///#/../../etc",
        "dbfs:/a?/a", "x;/../..", "s3://bucket/x", "models:/x", "mlflow-artifacts:/",
        "mlflow-artifacts://host/x", "mlflow-artifacts:/registry/69/1", "runs:/RUN", "runs:/RUN/", "runs:/RUN/../x",
        "runs:/RUN/a\\..\\x", "runs:/RUN//etc", "mlflow-artifacts:/RUN/../../mlstudio.db", "",
    ],
)  # fmt: skip
def test_p05_p07_p08_only_files_of_runs_can_be_registered(door: Door, run_id: str, source: str) -> None:
    door.ask("POST", API + "registered-models/create", {"name": "stolen"})

    answer = door.ask(
        "POST", API + "model-versions/create", {"name": "stolen", "source": source.replace("RUN", run_id)}
    )

    assert code(answer) == (400, "INVALID_PARAMETER_VALUE")
    assert door.call("registered-models/get?name=stolen")["registered_model"]["latest_versions"] == []


@pytest.mark.parametrize("source", ["models:/iris/1", "models:/../x", "models:/iris@champion"])
def test_p08_a_version_that_does_not_exist_is_not_copied(door: Door, source: str) -> None:
    door.ask("POST", API + "registered-models/create", {"name": "stolen"})

    answer = door.ask("POST", API + "model-versions/create", {"name": "stolen", "source": source})

    assert code(answer) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_p08_another_runs_files_are_not_registered_as_this_ones(door: Door, run_id: str) -> None:
    door.ask("POST", API + "registered-models/create", {"name": "mixed"})
    other = door.call("runs/create", {})["run"]["info"]["run_id"]
    body = {"name": "mixed", "source": f"mlflow-artifacts:/{run_id}/model", "run_id": other}

    assert code(door.ask("POST", API + "model-versions/create", body)) == (400, "INVALID_PARAMETER_VALUE")


def test_files_are_never_for_a_browser_to_render(door: Door, run_id: str) -> None:
    door.ask("PUT", f"{FILES}/{run_id}/page.html", b"<script>1</script>")

    answer = door.ask("GET", f"{FILES}/{run_id}/page.html")

    assert answer.body == b"<script>1</script>"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-type"] == "application/octet-stream"


def test_the_server_tells_what_it_speaks(door: Door) -> None:
    assert door.ask("GET", "mlstudio/mlflow/version").body == b"3.17.2"
    assert door.ask("GET", "mlstudio/mlflow/health").body == b"OK"
    info = door.ask("GET", "mlstudio/mlflow/api/3.0/mlflow/server-info").json
    assert info["multipart_uploads_enabled"] is False


@pytest.mark.parametrize("text", ["metrics.", "x = ", "name = 'a' OR name = 'b'", "metrics.m > 'a'", "'" * 20_000])
def test_filters_that_cannot_be_read_are_refused(door: Door, text: str) -> None:
    for path in ("runs/search", "experiments/search", "logged-models/search"):
        answer = door.ask("POST", API + path, {"experiment_ids": ["0"], "filter": text})
        assert code(answer) == (400, "INVALID_PARAMETER_VALUE")
