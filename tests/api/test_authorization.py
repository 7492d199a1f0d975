"""Each route asks Jupyter's authorizer for its own action on its own resource, whatever was asked before.

``@authorized`` keeps the first resource that it saw for each decorated function (SECURITY A02): a function that two
routes shared would be authorised as the other one's. And a method without a decorator would ask nobody (A13).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from jupyter_server.auth import Authorizer, User
from jupyter_server.base.handlers import JupyterHandler
from tornado.httpclient import HTTPClientError, HTTPResponse
from traitlets.config import Config

from jupyter_mlstudio.api.route import Route
from jupyter_mlstudio.api.table import ROUTES
from jupyter_mlstudio.handlers import rules
from jupyter_mlstudio.services.audit import Audit
from jupyter_mlstudio.workspace import Workspace
from tests.api.paths import filled

OWN = "jupyter_mlstudio:"
Fetch = Callable[..., Awaitable[HTTPResponse]]


class Denies(Authorizer):
    """Denies what a test names, and keeps a list of what it was asked."""

    denied: ClassVar[set[tuple[str, str]]] = set()
    asked: ClassVar[list[tuple[str, str]]] = []

    def is_authorized(self, handler: JupyterHandler, user: User, action: str, resource: str) -> bool:
        self.asked.append((action, resource))
        return (action, resource) not in self.denied


@pytest.fixture
def jp_server_config(jp_server_config: Config) -> Config:
    jp_server_config.ServerApp.authorizer_class = Denies
    Denies.denied, Denies.asked = set(), []
    return jp_server_config


async def test_A13_every_route_asks_for_its_own_action_and_resource_and_is_refused_without(jp_fetch: Fetch) -> None:
    everything = {(route.action, OWN + route.resource) for route in ROUTES}
    Denies.denied = everything
    for route in ROUTES:
        Denies.asked.clear()
        assert await _status(jp_fetch, route) == 403, route.operation
        assert Denies.asked == [(route.action, OWN + route.resource)], route.operation


@pytest.mark.parametrize("first", ["runs", "models"])
async def test_A02_a_denied_resource_is_denied_whichever_was_asked_for_first(jp_fetch: Fetch, first: str) -> None:
    by_operation = {route.operation: route for route in ROUTES}
    Denies.denied = {("read", f"{OWN}models")}
    runs, models = by_operation["listRuns"], by_operation["listModels"]
    order = [runs, models] if first == "runs" else [models, runs]
    for route in [*order, *order]:
        assert await _status(jp_fetch, route) == (403 if route is models else 200)


@pytest.mark.parametrize("resource", sorted({route.resource for route in ROUTES}))
async def test_A02_a_viewer_reads_and_writes_nothing(jp_fetch: Fetch, resource: str) -> None:
    Denies.denied = {(action, OWN + resource) for action in ("write", "execute")}
    for route in (route for route in ROUTES if route.resource == resource):
        status = await _status(jp_fetch, route)
        assert (status == 403) == (route.action != "read"), route.operation


def test_the_table_names_known_actions_and_methods_are_not_shared() -> None:
    handlers = [handler for _pattern, handler, _options in rules(lambda: pytest.fail("asked"), "/")]
    functions = [vars(handler)[name] for handler in handlers for name in _own_methods(handler)]
    shared = len(functions) - len(set(map(id, functions)))
    nothing_here = 3  # put, patch and delete of what is not there are its post, of the same resource
    assert shared == nothing_here
    assert {route.action for route in ROUTES} == {"read", "write", "execute"}
    starters = {"submitRun", "retryRun", "stopRun", "startInteractive", "createEndpoint", "restartEndpoint"}
    assert {route.operation for route in ROUTES if route.action == "execute"} >= starters
    assert all(route.action != "read" for route in ROUTES if route.method != "GET")


def _own_methods(handler: type[Any]) -> list[str]:
    return [name for name in ("get", "post", "put", "patch", "delete", "head", "options") if name in vars(handler)]


async def _status(fetch: Fetch, route: Route) -> int:
    body = "{}" if route.method in ("POST", "PUT", "PATCH") else None
    try:
        answer = await fetch(
            filled(route), method=route.method, body=body, headers={"Content-Type": "application/json"}
        )
    except HTTPClientError as refused:
        return int(refused.code)
    return int(answer.code)


async def test_what_the_authoriser_denies_is_told_in_the_audit_log(jp_fetch: Fetch, jp_root_dir: Path) -> None:
    by_operation = {route.operation: route for route in ROUTES}
    await _status(jp_fetch, by_operation["listRuns"])  # makes the workspace
    Denies.denied = {("write", f"{OWN}models")}
    assert await _status(jp_fetch, by_operation["deleteModel"]) == 403
    told = list(Audit(Workspace(jp_root_dir).folder).entries())
    assert [(entry["action"], entry["outcome"]) for entry in told] == [("write", "denied")]
    assert str(told[0]["resource"]).startswith("models /")
