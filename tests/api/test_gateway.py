"""Who holds a run's token may do what concerns that run and its children, on this machine, and nothing else (A09)."""

from __future__ import annotations

import pytest

from jupyter_mlstudio.api.route import PREFIX
from jupyter_mlstudio.api.table import ROUTES
from jupyter_mlstudio.studio import Studio
from tests.api.gateway_world import TOKEN, Gateway, serving
from tests.api.paths import filled
from tests.world import end, insert_run

POINTS = {"client": "c", "sequence": 1, "metrics": {"loss": {"steps": [0], "times": [1.0], "values": [1.0]}}}


NEEDED = {"getSeries": "?name=loss", "previewArtifact": "?path=a"}


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
