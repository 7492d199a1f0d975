"""HOST 2: the table of routes on the loopback interface, for those who hold a token.

A supervisor's gateway takes the token of its run and serves the routes marked for it; a door takes its own token and
serves all of them. No cookie is read and no page of a browser is answered, so there is nothing to forge.
"""

from __future__ import annotations

import hmac
import logging
import socket
from typing import Any

from tornado import httpserver, web
from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.routing import Router

from jupyter_mlstudio.api.host import POOL, WRITERS, StudioHandler
from jupyter_mlstudio.api.parts import part_of, routes_of
from jupyter_mlstudio.api.patterns import patterns
from jupyter_mlstudio.api.route import Caller
from jupyter_mlstudio.errors import Forbidden, StudioError, Unauthorized
from jupyter_mlstudio.studio import Studio

HEADER_LIMIT_BYTES = 64 * 1024
_log = logging.getLogger(__name__)


class GatewayHandler(StudioHandler):
    """Answers whoever holds the token."""

    def caller(self) -> Caller:
        return Caller(user=str(self.settings["user"]), run_id=self.settings["run_id"], ends=self.ends())

    def studio_for(self, workspace: str | None) -> Studio:
        return self.settings["studio"]()  # type: ignore[no-any-return]

    async def prepare(self) -> None:
        try:
            self._check()
        except StudioError as error:
            self.set_header("Connection", "close")
            self._write_error(error)
            await self.finish()
            return
        await super().prepare()

    def _check(self) -> None:
        host = self.request.host.rsplit(":", 1)[0]
        if host not in ("127.0.0.1", "localhost") or "Origin" in self.request.headers:
            raise Forbidden("a gateway answers programs of this machine only")
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        given, wanted = token.encode("utf-8", "replace"), self.settings["token"].encode()
        if scheme.lower() != "bearer" or not hmac.compare_digest(given, wanted):
            raise Unauthorized("the token is missing or not valid here")
        route = self.routes.get(self.request.method or "")
        if route is not None and self.settings["run_id"] is not None and not route.gateway:
            raise Forbidden(f"a run's own token may not call {route.operation}")

    async def _respond(self, **path: str) -> None:
        route = self.routes.get(self.request.method or "")
        if route is None:
            raise web.HTTPError(405)
        await self.answer(route, path)

    get = post = put = patch = delete = _respond

    def log_exception(self, kind: Any, value: Any, trace: Any) -> None:
        if not isinstance(value, web.HTTPError):
            _log.error("%s %s failed", self.request.method, self.request.path, exc_info=(kind, value, trace))


class NothingHere(GatewayHandler):
    """Answers every other path, to those who hold the token."""

    async def _respond(self, **path: str) -> None:
        raise web.HTTPError(404)

    get = post = put = patch = delete = _respond


class _Parts(Router):
    """Finds the handler of a request in the part of the table that its path belongs to, which is imported by then."""

    def __init__(self, **settings: Any) -> None:
        self._settings = settings
        self._applications: dict[str | None, web.Application] = {}

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> HTTPMessageDelegate | None:
        part = part_of(request.path)
        if part not in self._applications:
            self._applications[part] = web.Application(_rules(part), **self._settings)
        return self._applications[part].find_handler(request, **kwargs)


def _rules(part: str | None) -> list[Any]:
    rules: list[Any] = []
    if part is not None:
        prefix, routes = routes_of(part)
        rules = [(f"/{prefix}/{pattern}", GatewayHandler, {"routes": found}) for pattern, found in patterns(routes)]
    return [*rules, (r"/.*", NothingHere, {"routes": {}})]


def serve(listener: socket.socket, studio: Any, *, token: str, user: str, run_id: str | None) -> httpserver.HTTPServer:
    """Serves the table on an open port.

    Args:
        listener: from :func:`listen`.
        studio: called for the studio at each request.
        token: what callers must hold.
        user: who the callers are taken to be.
        run_id: of a gateway; None for a door.
    """
    router = _Parts(studio=studio, token=token, user=user, run_id=run_id, log_function=lambda handler: None)
    server = httpserver.HTTPServer(router, max_header_size=HEADER_LIMIT_BYTES, max_body_size=16 * 1024**3)
    server.add_socket(listener)
    return server


def finish() -> None:
    """Waits for the end of what was asked for when nobody is answered any more, as the end of a process would."""
    for pool in (POOL, WRITERS):
        pool.shutdown()
