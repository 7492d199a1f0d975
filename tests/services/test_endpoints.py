"""Endpoints with everything behind them: supervisors, serve programs and scoring processes are the real ones."""

from __future__ import annotations

import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from jupyter_mlstudio.client.model_files import write_model
from jupyter_mlstudio.client.rows import answer, request
from jupyter_mlstudio.entities.endpoints import Endpoint, EndpointState, IssuedKeys
from jupyter_mlstudio.entities.models import VersionStatus
from jupyter_mlstudio.entities.runs import RunKind
from jupyter_mlstudio.entities.specs import RunSpec
from jupyter_mlstudio.errors import Conflict, Invalid, NotFound, Unavailable
from jupyter_mlstudio.store import endpoints as store
from jupyter_mlstudio.store.schema import runs
from jupyter_mlstudio.studio import Studio
from jupyter_mlstudio.workspace import Workspace
from tests.conftest import processes_of
from tests.waiting import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
    pytest.mark.timeout(180),
]

DATA = load_iris()
MODEL = LogisticRegression(max_iter=500).fit(DATA.data, DATA.target)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    made = Studio(Workspace(tmp_path_factory.mktemp("studio")))
    yield made
    for endpoint in made.endpoints.list():
        made.endpoints.delete(endpoint.name)
    made.close()


@pytest.fixture(scope="module")
def model(studio: Studio) -> str:
    """A registered model, converted by its own convert run."""
    run = studio.launcher.submit(RunKind.COMMAND, RunSpec(command=["true"]))
    folder = studio.workspace.run_folder(run.id) / "artifacts" / "model"
    folder.mkdir(parents=True)
    write_model(folder, MODEL, DATA.data, DATA.target)
    version = studio.models.register("iris", run.id)
    until(lambda: studio.models.version("iris", version.version).status is not VersionStatus.CONVERTING, studio)
    ready = studio.models.version("iris", version.version)
    assert ready.status is VersionStatus.READY, ready.reason
    return "iris"


@pytest.fixture
def made(studio: Studio, model: str) -> Iterator[IssuedKeys]:
    issued = studio.endpoints.create("iris-test", model)
    issued_ready = IssuedKeys(endpoint=settled(studio, "iris-test"), keys=issued.keys)
    assert issued_ready.endpoint.state is EndpointState.READY, issued_ready.endpoint.reason
    yield issued_ready
    if "iris-test" in [one.name for one in studio.endpoints.list()]:
        studio.endpoints.delete("iris-test")


def settled(studio: Studio, name: str) -> Endpoint:
    until(lambda: studio.endpoints.get(name).state is not EndpointState.STARTING, studio)
    return studio.endpoints.get(name)


def ask(endpoint: Endpoint, key: str, body: bytes | None = None) -> tuple[int, Any]:
    assert endpoint.scoring_url is not None
    assert endpoint.signature is not None
    content = body or json.dumps(request(endpoint.signature, DATA.data[:3])).encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    call = urllib.request.Request(endpoint.scoring_url, content, headers)
    try:
        with urllib.request.urlopen(call, timeout=10) as got:
            return got.status, json.load(got)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def processes(studio: Studio, name: str) -> tuple[psutil.Process, psutil.Process, psutil.Process]:
    """Supervisor, serve program and scoring process of an endpoint."""
    run_id = studio.endpoints.get(name).deployments[0].run_id
    with studio.database.read() as connection:
        row = connection.execute(runs.select().where(runs.c.id == run_id)).one()
    supervisor = psutil.Process(row.supervisor_pid)
    (parent,) = processes_of(supervisor, "jupyter_mlstudio.programs.serve")
    (scoring,) = processes_of(parent, "jupyter_mlstudio.serving")
    return supervisor, parent, scoring


def test_an_endpoint_answers_like_the_model_with_either_key(studio: Studio, made: IssuedKeys) -> None:
    assert all(key.startswith("mls_") and len(key) >= 47 for key in made.keys.values())
    for key in made.keys.values():
        status, content = ask(made.endpoint, key)
        assert status == 200
        assert answer(content)["label"] == MODEL.predict(DATA.data[:3]).tolist()
        assert answer(content)["probabilities"] == pytest.approx(MODEL.predict_proba(DATA.data[:3]), abs=1e-6)
    assert ask(made.endpoint, "mls_other")[0] == 401


def test_keys_are_nowhere_in_clear_and_only_their_owner_reads_the_digests(studio: Studio, made: IssuedKeys) -> None:
    folder = studio.workspace.folder
    for key in made.keys.values():  # by another process: closing SQLite's file here would drop this one's locks on it
        found = subprocess.run(["grep", "-raF", "--", key, str(folder)], capture_output=True, check=False)
        assert found.returncode == 1, found.stdout
    keys_file = folder / "endpoints" / "iris-test" / "keys.json"
    assert (keys_file.stat().st_mode & 0o777, keys_file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_scoring_through_the_studio_needs_no_key(studio: Studio, made: IssuedKeys) -> None:
    status, content, latency_ms = studio.scoring.score("iris-test", made.endpoint.sample)
    assert status == 200
    assert len(answer(content)["label"]) == 3
    assert latency_ms > 0
    status, content, _ = studio.scoring.score("iris-test", {"inputs": []})
    assert (status, content["code"]) == (400, "invalid")


def test_the_protocol_is_passed_on_behind_jupyters_authentication(studio: Studio, made: IssuedKeys) -> None:
    status, headers, body = studio.scoring.forward("iris-test", "GET", "v2/models/iris", {}, None)
    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.loads(body)["platform"] == "onnxruntime_onnx"
    sample = json.dumps(made.endpoint.sample).encode()
    browser = {"Origin": "http://evil", "Cookie": "x=y", "Host": "evil", "Authorization": "Bearer x"}
    assert studio.scoring.forward("iris-test", "POST", "v2/models/iris/infer", browser, sample)[0] == 200
    text = {"Content-Type": "text/plain"}
    assert studio.scoring.forward("iris-test", "POST", "v2/models/iris/infer", text, sample)[0] == 415
    for path in ("v2/../x", "v2/models/..%2f", "v2/nothing"):
        assert studio.scoring.forward("iris-test", "GET", path, {}, None)[0] == 404
    for path in ("", "x", "http://evil/", "v2 HTTP/1.1\r\nX: y", "v2/é"):
        with pytest.raises((NotFound, Invalid)):
            studio.scoring.forward("iris-test", "GET", path, {}, None)


def test_a_regenerated_key_is_dead_within_a_second_and_the_other_goes_on(studio: Studio, made: IssuedKeys) -> None:
    fresh = studio.endpoints.regenerate("iris-test", studio.endpoints.key_name("primary")).keys
    time.sleep(1)
    assert ask(made.endpoint, made.keys["primary"])[0] == 401
    assert ask(made.endpoint, fresh["primary"])[0] == 200
    assert ask(made.endpoint, made.keys["secondary"])[0] == 200
    with pytest.raises(NotFound):
        studio.endpoints.key_name("third")


def test_the_snippets_run_as_they_are(studio: Studio, made: IssuedKeys, tmp_path: Path) -> None:
    snippets = studio.scoring.snippets("iris-test")
    environment = {**os.environ, "MLSTUDIO_KEY": made.keys["primary"]}
    shell = subprocess.run(["bash", "-c", snippets.curl], env=environment, capture_output=True, check=True)
    assert json.loads(shell.stdout)["outputs"][0]["name"] == "label"
    command = [sys.executable, "-I", "-c", snippets.python]
    python = subprocess.run(command, env=environment, capture_output=True, check=True, cwd=tmp_path, text=True)
    assert python.stdout.startswith("label [1] [")


def test_requests_errors_and_latencies_are_the_serve_runs_metrics(studio: Studio, made: IssuedKeys) -> None:
    for _ in range(5):
        ask(made.endpoint, made.keys["primary"])
    ask(made.endpoint, made.keys["primary"], b"{}")
    until(lambda: studio.endpoints.get("iris-test").stats.requests == 6, studio)
    stats = studio.endpoints.get("iris-test").stats
    assert (stats.requests, stats.errors) == (6, 1)
    assert stats.p50_ms is not None
    assert 0 < float(stats.p50_ms) < 1000
    assert studio.endpoints.get("iris-test").keys[0].last_used_at is not None


def test_stop_ends_every_process_and_restart_keeps_name_keys_and_counts(studio: Studio, made: IssuedKeys) -> None:
    ask(made.endpoint, made.keys["primary"])
    until(lambda: studio.endpoints.get("iris-test").stats.requests == 1, studio)
    _, program, scoring = processes(studio, "iris-test")
    assert studio.endpoints.stop("iris-test").state is EndpointState.STOPPED
    until(lambda: not any(one.is_running() and one.status() != "zombie" for one in (program, scoring)), studio)
    with pytest.raises(Conflict, match="stopped"):
        studio.scoring.score("iris-test", made.endpoint.sample)
    studio.endpoints.restart("iris-test")
    again = settled(studio, "iris-test")
    assert again.state is EndpointState.READY
    assert ask(again, made.keys["primary"])[0] == 200
    until(lambda: studio.endpoints.get("iris-test").stats.requests == 2, studio)


def test_F09_a_killed_scoring_process_is_replaced_while_the_socket_stays_open(studio: Studio, made: IssuedKeys) -> None:
    processes(studio, "iris-test")[2].kill()
    began = time.monotonic()
    status, _ = ask(made.endpoint, made.keys["primary"])
    assert status == 200
    assert time.monotonic() - began < 6


def test_F09_a_scoring_process_that_crashes_again_and_again_stops_with_the_reason(
    studio: Studio, made: IssuedKeys
) -> None:
    killed: set[int] = set()

    def kill_each() -> bool:
        for one in living_scoring(studio):
            if one.pid not in killed and len(killed) < 5:
                one.kill()
                killed.add(one.pid)
        return studio.endpoints.get("iris-test").state is EndpointState.FAILED

    until(kill_each, studio)
    assert len(killed) == 5
    reason = studio.endpoints.get("iris-test").reason
    assert "killed by signal 9, 5 times in a row" in reason
    assert living_scoring(studio) == []


def living_scoring(studio: Studio) -> list[psutil.Process]:
    """The scoring processes that listen for requests now."""
    try:
        return [processes(studio, "iris-test")[2]]
    except (psutil.Error, ValueError):  # between two of them
        return []


def test_F11_a_hanging_scoring_process_is_not_shown_as_ready_and_replaced_within_ten_seconds(
    studio: Studio, made: IssuedKeys
) -> None:
    hung = processes(studio, "iris-test")[2]
    hung.suspend()
    began = time.monotonic()
    until(lambda: studio.endpoints.get("iris-test").state is EndpointState.STARTING, studio)
    with pytest.raises(Unavailable, match="does not answer"):
        studio.scoring.forward("iris-test", "GET", "v2/models/iris/ready", {}, None)
    status, _ = ask(made.endpoint, made.keys["primary"])  # it waits at the socket, which stays open
    assert status == 200
    assert time.monotonic() - began < 10
    until(lambda: studio.endpoints.get("iris-test").state is EndpointState.READY, studio)
    assert processes(studio, "iris-test")[2].pid != hung.pid


def test_F42_nothing_is_left_when_the_program_is_killed(studio: Studio, made: IssuedKeys) -> None:
    _, program, scoring = processes(studio, "iris-test")
    program.kill()
    until(lambda: not scoring.is_running() or scoring.status() == "zombie", studio)
    until(lambda: studio.endpoints.get("iris-test").state is EndpointState.FAILED, studio)
    assert "signal 9" in studio.endpoints.get("iris-test").reason


def test_F42_nothing_is_left_when_the_supervisor_is_killed(studio: Studio, made: IssuedKeys) -> None:
    supervisor, program, scoring = processes(studio, "iris-test")
    supervisor.kill()
    until(lambda: not any(one.is_running() and one.status() != "zombie" for one in (program, scoring)), studio)
    until(lambda: studio.endpoints.get("iris-test").state is EndpointState.FAILED, studio)


def test_F07_after_a_restart_of_the_host_the_endpoint_has_failed_and_says_why(studio: Studio, made: IssuedKeys) -> None:
    run_id = made.endpoint.deployments[0].run_id
    with studio.database.write() as connection:
        connection.execute(runs.update().where(runs.c.id == run_id).values(boot_id="another boot"))
    studio.tick()
    endpoint = studio.endpoints.get("iris-test")
    assert (endpoint.state, endpoint.url) == (EndpointState.FAILED, None)
    assert "restarted" in endpoint.reason


def test_F27_a_port_in_use_fails_with_the_port_and_who_holds_it(studio: Studio, model: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        studio.endpoints.create("taken-port", model, port=port)
        endpoint = settled(studio, "taken-port")
        assert endpoint.state is EndpointState.FAILED
        assert f"port {port} is in use by process {os.getpid()}" in endpoint.reason
    studio.endpoints.restart("taken-port")
    endpoint = settled(studio, "taken-port")
    assert endpoint.url == f"http://127.0.0.1:{port}/v2"
    studio.endpoints.delete("taken-port")


def test_E06_a_stranger_at_the_endpoints_address_is_never_asked(studio: Studio, made: IssuedKeys) -> None:
    asked: list[str] = []

    class Stranger(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            assert "Authorization" not in self.headers
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_POST(self) -> None:
            asked.append(self.path)

        def log_message(self, *_: object) -> None:
            return

    from jupyter_mlstudio.services.endpoint_calls import call

    with http.server.HTTPServer(("127.0.0.1", 0), Stranger) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with studio.database.read() as connection:
            row = store.get_row(connection, "iris-test")
        assert row is not None
        with pytest.raises(Unavailable, match="another program"):
            call(f"http://127.0.0.1:{server.server_port}", row.nonce, "POST", "/v2/models/iris/infer", b"{}")
        server.shutdown()
    assert asked == ["/v2/health/live"]


def test_M20_a_tampered_model_is_not_served(studio: Studio, made: IssuedKeys) -> None:
    file = studio.models.onnx_file("iris", 1)
    good = file.read_bytes()
    try:
        changed = bytearray(good)
        changed[len(changed) // 2] ^= 1
        file.write_bytes(changed)
        studio.endpoints.restart("iris-test")
        endpoint = settled(studio, "iris-test")
        assert endpoint.state is EndpointState.FAILED
        assert "digest mismatch" in endpoint.reason
    finally:
        file.write_bytes(good)


@pytest.mark.parametrize("name", ["", "ab", "1ab", "a_b", "ab-", "a" * 33, "a b", "../x", "a\x00b", "é" * 4])
def test_a_name_that_azure_would_refuse_is_refused(studio: Studio, model: str, name: str) -> None:
    with pytest.raises(Invalid, match="3 to 32"):
        studio.endpoints.create(name, model)


def test_the_same_name_and_the_same_request_make_one_endpoint(studio: Studio, model: str) -> None:
    first = studio.endpoints.create("only-one", model, request_id="q1")
    second = studio.endpoints.create("only-one", model, request_id="q1")
    assert (len(first.keys), second.keys) == (2, {})
    for name in ("only-one", "ONLY-one"):
        with pytest.raises(Conflict, match="already"):
            studio.endpoints.create(name, model)
    with pytest.raises(Conflict, match="only-one"):
        studio.models.delete(model)
    studio.endpoints.delete("only-one")
    with pytest.raises(NotFound):
        studio.endpoints.get("only-one")
