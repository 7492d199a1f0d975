"""Who may call MLflow's routes: on a server who is logged in, on a gateway who holds its run's token, for that run."""

from __future__ import annotations

import re

import pytest

from jupyter_mlstudio.api.mlflow import PREFIX, ROUTES
from jupyter_mlstudio.api.route import Route
from jupyter_mlstudio.studio import Studio
from tests.api.gateway_world import serving
from tests.server import JupyterServer
from tests.world import insert_run

NAMES = [route.operation for route in ROUTES]


def path(route: Route, run_id: str) -> str:
    """Fills the names in a path."""
    return f"{PREFIX}/" + re.sub(r"\{[^}]*\}", "x", route.path.replace("{run_id}", run_id))


def test_every_operation_has_a_name_of_its_own() -> None:
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("route", ROUTES, ids=NAMES)
def test_nobody_unknown_is_answered_by_a_server(server: JupyterServer, route: Route) -> None:
    body = None if route.method in ("GET", "DELETE") else {}

    answer = server.ask(route.method, path(route, "0" * 32), body, known=False)

    assert answer.status in (401, 403)
    assert set(answer.json) == {"error_code", "message"}
    assert answer.json["error_code"] in ("UNAUTHENTICATED", "PERMISSION_DENIED")


def test_a_gateway_takes_its_runs_token_for_nothing_that_is_not_its_runs(studio: Studio) -> None:
    mine, other = insert_run(studio), insert_run(studio)
    closed = [route for route in ROUTES if not route.gateway]
    refused = (403, "PERMISSION_DENIED")
    with serving(studio, mine) as gateway:
        for route in closed:
            answer = gateway.ask(route.method, path(route, mine), None if route.method == "GET" else {})
            assert (answer.status, answer.json["error_code"]) == refused, route.operation
        api = f"{PREFIX}/api/2.0/mlflow/"
        files = f"{PREFIX}/api/2.0/mlflow-artifacts/artifacts"
        point = {"run_id": other, "key": "m", "value": 1, "timestamp": 1}
        for method, where, body in [
            ("GET", api + f"runs/get?run_id={other}", None),
            ("POST", api + "runs/update", {"run_id": other, "status": "FINISHED"}),
            ("POST", api + "runs/log-metric", point),
            ("POST", api + "runs/create", {"tags": [{"key": "mlflow.parentRunId", "value": other}]}),
            ("POST", api + "logged-models", {"source_run_id": other}),
            ("GET", api + f"metrics/get-history?run_id={other}&metric_key=m", None),
            ("GET", f"{files}?path={other}", None),
            ("GET", f"{files}/{other}/a.txt", None),
            ("PUT", f"{files}/{other}/a.txt", {}),
        ]:
            answer = gateway.ask(method, where, body)
            assert (answer.status, answer.json["error_code"]) == refused, where
        found = gateway.ask("POST", api + "runs/search", {"experiment_ids": ["0"]}).json["runs"]
        assert [run["info"]["run_id"] for run in found] == [mine]
