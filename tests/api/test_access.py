"""Nobody gets in unknown, and nobody does what an authorizer denies (SECURITY A01, A02, A03, A05, A12, R28)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tornado.web import RequestHandler

from jupyter_mlstudio.api.table import ROUTES
from jupyter_mlstudio.handlers import rules
from tests.api.paths import FILLED
from tests.server import API, JupyterServer

pytestmark = pytest.mark.slow

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def _rules() -> list[tuple[str, type[RequestHandler]]]:
    return [(pattern, handler) for pattern, handler, _options in rules(_nobody_asks, "/")]


def _nobody_asks() -> Any:
    raise AssertionError("a rule asked for studios before it was called")


def _path(pattern: str) -> str:
    """Makes a path that a rule matches."""
    filled = re.sub(r"\(\?P<(\w+)>[^)]*\)", lambda found: FILLED.get(found[1], "x1"), pattern)
    return filled.replace("([^/]+)", "x1").replace("(v2.*)", "v2/models/m/infer").replace("(.*)", "nothing/here")[1:]


PATHS = sorted({_path(pattern) for pattern, _handler in _rules()})


@pytest.mark.parametrize("path", PATHS)
def test_A01_no_route_answers_somebody_unknown(server: JupyterServer, path: str) -> None:
    for method in METHODS:
        body = b"{}" if method in ("POST", "PUT", "PATCH") else None
        for headers in ({}, {"Authorization": "token wrong"}, {"Authorization": "token "}, {"Cookie": "username-x=1"}):
            answer = server.ask(method, path, body, known=False, headers=headers)
            assert answer.status == 403, (method, headers, answer)
            assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", PATHS)
def test_the_same_routes_know_somebody_who_is_known(server: JupyterServer, path: str) -> None:
    for method in ("GET", "OPTIONS"):
        assert server.ask(method, path).status != 403


def test_A01_a_body_of_somebody_unknown_is_not_kept(server: JupyterServer) -> None:
    before = sorted(server.root.rglob("*.tmp"))
    head = f"PUT /{API}runs/x1/files/a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9000000000\r\n\r\n"
    assert server.send(head.encode() + b"x" * 100_000).status == 403
    assert sorted(server.root.rglob("*.tmp")) == before


def test_R28_a_method_that_a_path_does_not_have_is_405(server: JupyterServer) -> None:
    for method in ("PUT", "PATCH", "DELETE", "PROPFIND", "TRACE"):
        answer = server.api(method, "changes", b"{}" if method != "TRACE" else None)
        assert answer.status == 405, method
        assert answer.json["code"] == "method_not_allowed"
    assert server.api("GET", "changes").status == 200


def test_A03_a_cookie_alone_writes_nothing_without_its_xsrf_token(server: JupyterServer) -> None:
    cookies = _log_in(server)
    write = {"path": API + "experiments", "method": "POST", "body": {"name": "by cookie"}}
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for route in (route for route in ROUTES if route.method == method):
            path = API + re.sub(r"{(\w+)\*?}", lambda found: FILLED.get(found[1], "x1"), route.path)
            assert server.ask(method, path, b"{}", known=False, headers={"Cookie": cookies}).status == 403, (
                route.operation
            )
    token = re.search(r"_xsrf=([^;]+)", cookies)
    assert token is not None
    good = server.ask(**write, known=False, headers={"Cookie": cookies, "X-XSRFToken": token[1]})
    assert good.status == 201


def test_A05_a_page_of_another_origin_reads_nothing_and_another_host_is_refused(server: JupyterServer) -> None:
    cookies = _log_in(server)
    answer = server.api("GET", "runs", known=False, headers={"Cookie": cookies, "Origin": "http://evil.example"})
    assert answer.status in (403, 404)
    assert "access-control-allow-origin" not in answer.headers
    for host in ("evil.example", f"evil.example:{server.port}", "127.0.0.1.evil.example"):
        assert server.api("GET", "runs", headers={"Host": host}).status == 403
    assert server.api("GET", "runs", known=False, headers={"Cookie": cookies}).status == 200


def test_A12_answers_are_neither_framed_nor_guessed_at(server: JupyterServer) -> None:
    for path in ("runs", "nothing"):
        headers = server.api("GET", path).headers
        assert "frame-ancestors 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-type"].startswith("application/json")


def test_everything_is_below_the_base_url(based_server: JupyterServer) -> None:
    assert based_server.api("GET", "workspaces").status == 200
    with_other_base = (
        f"GET /{API}workspaces HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: token {based_server.token}\r\n"
    )
    assert based_server.send(with_other_base.encode() + b"Connection: close\r\n\r\n").status in (302, 404)


def _log_in(server: JupyterServer) -> str:
    """Logs in as a browser does, with the token in the address once; returns the cookies."""
    form = server.ask("GET", "login", known=False)
    entered = server.ask("GET", f"api/contents?token={server.token}", known=False)
    set_cookies = form.headers["set-cookie"] + "\n" + entered.headers["set-cookie"]
    cookies = dict(re.findall(r"(_xsrf|username-[\w-]+)=([^;]+);", set_cookies))
    assert {name.split("-")[0] for name in cookies} == {"_xsrf", "username"}
    return "; ".join(f"{name}={value}" for name, value in cookies.items())
