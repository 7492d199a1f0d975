"""Who holds a run's token may do what concerns that run and its children, on this machine, and nothing else (A09)."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from jupyter_mlstudio.api.route import PREFIX
from jupyter_mlstudio.api.table import ROUTES
from jupyter_mlstudio.runner.gateway import serve
from jupyter_mlstudio.runner.listening import listen
from jupyter_mlstudio.studio import Studio
from tests.api.paths import filled
from tests.server import Answer, send
from tests.world import end, insert_run

TOKEN = "a-token-of-this-run"
POINTS = {"client": "c", "sequence": 1, "metrics": {"loss": {"steps": [0], "times": [1.0], "values": [1.0]}}}


NEEDED = {"getSeries": "?name=loss", "previewArtifact": "?path=a"}


class Gateway:
    """Asks a gateway."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        given = {"Host": f"127.0.0.1:{self.port}", "Authorization": f"Bearer {TOKEN}", "Connection": "close"}
        raw = b"" if body is None else json.dumps(body).encode()
        given |= {"Content-Type": "application/json", "Content-Length": str(len(raw))} if body is not None else {}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{method} /{path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items() if value != "-")]
        return send(self.port, "\r\n".join(lines).encode() + b"\r\n\r\n" + raw, method)

    def api(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        return self.ask(method, f"{PREFIX}/{path}", body, **headers)


@contextmanager
def serving(studio: Studio, run_id: str | None) -> Iterator[Gateway]:
    """Serves a studio as a supervisor (with a run) or a door (without) does, from a thread."""
    loop = asyncio.new_event_loop()
    listener = listen()
    ready = threading.Event()

    def work() -> None:
        asyncio.set_event_loop(loop)

        async def begin() -> None:
            serve(listener, lambda: studio, token=TOKEN, user="tester", run_id=run_id)
            ready.set()

        loop.run_until_complete(begin())
        loop.run_forever()
        loop.close()

    thread = threading.Thread(target=work)
    thread.start()
    assert ready.wait(10)
    try:
        yield Gateway(listener.getsockname()[1])
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        listener.close()


@pytest.fixture
def run_id(studio: Studio) -> Iterator[str]:
    run_id = insert_run(studio, name="mine")
    yield run_id
    end(studio, run_id)


@pytest.fixture
def gateway(studio: Studio, run_id: str) -> Iterator[Gateway]:
    with serving(studio, run_id) as gateway:
        yield gateway


def test_a_run_logs_with_its_token(gateway: Gateway, run_id: str) -> None:
    assert gateway.api("POST", f"runs/{run_id}/log", POINTS).json == {"taken": True}
    assert gateway.api("GET", f"runs/{run_id}/metrics").json[0]["last"] == 1.0
    assert gateway.api("GET", f"runs/{run_id}").json["name"] == "mine"


@pytest.mark.parametrize("given", ["-", "", "Bearer", "Bearer ", "Bearer x", f"Basic {TOKEN}", f"Bearer {TOKEN}x"])
def test_without_its_token_nothing_is_answered(gateway: Gateway, run_id: str, given: str) -> None:
    answer = gateway.api("GET", f"runs/{run_id}", Authorization=given)
    assert (answer.status, answer.json["code"]) == (401, "unauthorized")


def test_A01_every_route_of_a_gateway_wants_the_token(gateway: Gateway) -> None:
    for path in [*(filled(route) for route in ROUTES), "mlstudio/mlflow/api/2.0/mlflow/runs/search", "", "anything"]:
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
            assert gateway.ask(method, path, {} if method in ("POST", "PUT") else None, Authorization="-").status == 401


def test_A09_another_runs_token_is_refused_and_a_childs_is_not(gateway: Gateway, studio: Studio, run_id: str) -> None:
    other, child = insert_run(studio, name="other"), insert_run(studio, name="child", parent=run_id)
    grandchild = insert_run(studio, name="grandchild", parent=child)
    for route in (route for route in ROUTES if route.gateway and "{run_id}" in route.path):
        path = filled(route).replace("/x1", f"/{other}", 1) + NEEDED.get(route.operation, "")
        answer = gateway.ask(route.method, path, _body(route.operation), **_type(route.operation))
        assert answer.status == 403, (route.operation, answer)
    for mine in (run_id, child, grandchild):
        assert gateway.api("POST", f"runs/{mine}/log", POINTS).json == {"taken": True}
    assert gateway.api("POST", "runs/other/log", POINTS).status == 403  # by its name, too
    assert studio.tracking.summaries(other) == []
    for one in (other, child, grandchild):
        end(studio, one)


def test_A09_what_is_not_for_runs_is_refused(gateway: Gateway) -> None:
    for route in (route for route in ROUTES if not route.gateway):
        answer = gateway.ask(route.method, filled(route), _body(route.operation))
        assert (answer.status, answer.json["code"]) == (403, "forbidden"), route.operation


def test_A09_a_run_cannot_put_its_child_below_another_run(gateway: Gateway, studio: Studio) -> None:
    other = insert_run(studio, name="other")
    new = {"kind": "command", "spec": {"command": ["true"]}, "parent_run_id": other}
    answer = gateway.api("POST", "runs", new)
    assert (answer.status, answer.json["code"]) == (403, "forbidden")
    assert gateway.api("POST", "runs", {**new, "parent_run_id": "nothing"}).status == 404
    end(studio, other)


def test_E04_E05_neither_another_host_nor_a_page_is_answered(gateway: Gateway, run_id: str) -> None:
    for headers in ({"Host": "evil.example"}, {"Host": f"evil.example:{gateway.port}"}, {"Origin": "http://127.0.0.1"}):
        answer = gateway.api("GET", f"runs/{run_id}", **headers)
        assert answer.status == 403
        assert "access-control-allow-origin" not in answer.headers
    assert gateway.api("GET", f"runs/{run_id}", Host=f"localhost:{gateway.port}").status == 200


def test_a_door_opens_the_whole_table_to_its_holder(studio: Studio) -> None:
    with serving(studio, None) as door:
        for path in ("workspaces", "experiments", "runs", "compute", "models", "endpoints", "changes"):
            assert door.api("GET", path).status == 200
            assert door.api("GET", path, Authorization="-").status == 401
        assert door.api("POST", "experiments", {"name": "through the door"}).status == 201
        assert door.api("POST", "workspaces", {"path": "x"}).status == 400


NOTHING = ["", "x", "mlstudio/", "mlstudio/api/v2/runs", f"{PREFIX}/nothing", f"{PREFIX}/runs/../runs"]


@pytest.mark.parametrize("path", NOTHING)
def test_what_is_not_there_is_not_found_as_json(gateway: Gateway, path: str) -> None:
    assert gateway.ask("GET", path).json["code"] == "not_found"


def _body(operation: str) -> object:
    bodies = {"logBatch": POINTS, "putChart": {"schema_type": "t", "schema_version": "1", "data": {}}}
    reads = operation.startswith(("get", "list", "preview", "download", "experimentColumns", "diagnose"))
    return None if reads else bodies.get(operation, {})


def _type(operation: str) -> dict[str, str]:
    return {"Content_Type": "application/octet-stream"} if operation == "uploadArtifact" else {}
