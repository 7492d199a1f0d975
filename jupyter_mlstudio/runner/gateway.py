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

from jupyter_mlstudio.api import mlflow
from jupyter_mlstudio.api.host import StudioHandler, patterns
from jupyter_mlstudio.api.route import PREFIX, Caller
from jupyter_mlstudio.api.table import ROUTES
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


def serve(listener: socket.socket, studio: Any, *, token: str, user: str, run_id: str | None) -> httpserver.HTTPServer:
    """Serves the table on an open port.

    Args:
        listener: from :func:`listen`.
        studio: called for the studio at each request.
        token: what callers must hold.
        user: who the callers are taken to be.
        run_id: of a gateway; None for a door.
    """
    rules: list[Any] = [
        (f"/{PREFIX}/{pattern}", GatewayHandler, {"routes": routes}) for pattern, routes in patterns(ROUTES)
    ]
    rules += [(f"/{mlflow.PREFIX}/{p}", GatewayHandler, {"routes": routes}) for p, routes in patterns(mlflow.ROUTES)]
    rules.append((r"/.*", NothingHere, {"routes": {}}))
    application = web.Application(
        rules, studio=studio, token=token, user=user, run_id=run_id, log_function=lambda handler: None
    )
    server = httpserver.HTTPServer(application, max_header_size=HEADER_LIMIT_BYTES, max_body_size=16 * 1024**3)
    server.add_socket(listener)
    return server
