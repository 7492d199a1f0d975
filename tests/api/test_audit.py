"""What matters for security is told in the audit log, whichever face it came through, and no key is in it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from jupyter_mlstudio.api.audited import AUDITED
from jupyter_mlstudio.api.mlflow import ROUTES as MLFLOW
from jupyter_mlstudio.api.table import ROUTES
from jupyter_mlstudio.studio import Studio
from tests.server import JupyterServer


@pytest.fixture
def studio(server: JupyterServer) -> Iterator[Studio]:
    opened = server.studio()
    yield opened
    opened.close()


def test_every_audited_operation_is_one_and_its_fields_are_those_of_its_body() -> None:
    routes = {route.operation: route for route in [*ROUTES, *MLFLOW]}
    for operation, fields in AUDITED.items():
        known = getattr(routes[operation].body, "model_fields", {})
        assert set(fields) <= set(known), operation


def test_keys_deployments_with_code_and_deletions_are_told_with_their_outcome(
    server: JupyterServer, studio: Studio
) -> None:
    name = f"e{uuid.uuid4().hex[:8]}"
    made = server.api("POST", "endpoints", {"name": name})
    assert made.status == 201, made.json
    issued = server.api("POST", f"endpoints/{name}/keys/primary/regenerate", {}, headers={"X-Request-Id": "r-1"})
    assert issued.status == 200, issued.json
    code = {"name": "green", "model": "none", "kind": "script", "script": "s.py", "allow_code": True}
    assert server.api("POST", f"endpoints/{name}/deployments", code).status == 404
    assert server.api("DELETE", f"endpoints/{name}").status == 204

    told = [entry for entry in studio.audit.entries() if name in str(entry)]

    assert [(entry["action"], entry["resource"], entry["outcome"]) for entry in told] == [
        ("createEndpoint", "endpoints", "done"),
        ("regenerateKey", f"endpoints/{name}/keys/primary/regenerate", "done"),
        ("addDeployment", f"endpoints/{name}/deployments", "not_found"),
        ("deleteEndpoint", f"endpoints/{name}", "done"),
    ]
    assert (told[1]["request"], told[2]["allow_code"], told[2]["kind"]) == ("r-1", True, "script")
    assert all(entry["actor"] and entry["peer"] == "127.0.0.1" for entry in told)
    assert studio.audit.verify().problem == ""
    text = studio.audit.path.read_text()
    assert not any(key in text for key in [*made.json["keys"].values(), *issued.json["keys"].values()])


def test_an_alias_moved_through_mlflows_protocol_is_told_too(server: JupyterServer, studio: Studio) -> None:
    body = {"name": "nobody", "alias": "champion", "version": "1"}
    answer = server.ask("POST", "mlstudio/mlflow/api/2.0/mlflow/registered-models/alias", body)
    assert answer.status == 404
    last = list(studio.audit.entries())[-1]
    assert (last["action"], last["name"], last["alias"], last["outcome"]) == (
        "mlflow.setRegisteredModelAlias", "nobody", "champion", "not_found",
    )  # fmt: skip


def test_reading_is_not_told(server: JupyterServer, studio: Studio) -> None:
    before = len(list(studio.audit.entries()))
    assert server.api("GET", "endpoints").status == 200
    assert len(list(studio.audit.entries())) == before
