"""The table of routes as Jupyter handlers. Each method is decorated by itself with its own action and resource.

``@authorized`` remembers the first resource it saw for each decorated function, so a method shared between handlers
would be authorised as another's; here every route has a function of its own.
"""

from __future__ import annotations

import getpass
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from jupyter_server.auth.decorator import authorized as _authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web

from jupyter_mlstudio.api import mlflow
from jupyter_mlstudio.api.host import StudioHandler
from jupyter_mlstudio.api.patterns import patterns
from jupyter_mlstudio.api.route import PREFIX, Caller, Route
from jupyter_mlstudio.api.table import ROUTES
from jupyter_mlstudio.errors import StudioError, TooLarge
from jupyter_mlstudio.studio import Studio

if TYPE_CHECKING:
    from jupyter_mlstudio.rooms import Rooms

Respond = TypeVar("Respond", bound=Callable[..., Awaitable[None]])
SCORE_LIMIT_BYTES = 16 * 1024 * 1024
_log = logging.getLogger(__name__)


def authorized(action: str, resource: str) -> Callable[[Respond], Respond]:
    """Jupyter's decorators in their right order: first who it is, then whether they may; always named explicitly."""

    def decorate(respond: Respond) -> Respond:
        decorated: Any = web.authenticated(_authorized(action, f"jupyter_mlstudio:{resource}")(respond))

        async def checked(self: JupyterStudioHandler, *args: str, **path: str) -> None:
            try:
                await decorated(self, *args, **path)
            except web.HTTPError as error:
                if error.status_code == 403:
                    await self.run(lambda: self.tell_denial(action, resource))
                raise

        return checked  # type: ignore[return-value]

    return decorate


class JupyterStudioHandler(StudioHandler, APIHandler):
    """A studio handler behind Jupyter's authentication, authorisation, XSRF and host checks."""

    rooms: Callable[[], Rooms]

    def initialize(self, routes: dict[str, Route], rooms: Callable[[], Rooms]) -> None:  # type: ignore[override]
        """Takes the routes of this path and the way to the studios."""
        super().initialize(routes)
        self.rooms = rooms

    def caller(self) -> Caller:
        return Caller(user=_known_name(self.current_user), ends=self.ends())

    def studio_for(self, workspace: str | None) -> Studio:
        return self.rooms().studio(workspace)

    def tell_denial(self, action: str, resource: str) -> None:
        """Notes in the audit log that the server's authoriser refused somebody; there is none before the workspace."""
        audit = self.rooms().audit()
        if audit is not None:
            caller = self.caller()
            peer = None if caller.ends is None else caller.ends[0][0]
            audit.tell(caller.user, action, f"{resource} {self.request.path}", "denied", peer=peer)

    async def prepare(self) -> None:  # type: ignore[override]
        """Refuses who is not logged in before a byte of the body is kept."""
        self.rooms()
        await super().prepare()
        if not self._finished and not self.current_user:
            raise web.HTTPError(403)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        StudioHandler.write_error(self, status_code, **kwargs)

    def log_exception(self, kind: Any, value: Any, trace: Any) -> None:
        """Says what broke, without the query and the headers: they may hold a token."""
        if not isinstance(value, web.HTTPError):
            _log.error("%s %s failed", self.request.method, self.request.path, exc_info=(kind, value, trace))


class NothingHere(JupyterStudioHandler):
    """Answers every other path below ``mlstudio/``, to those who are logged in."""

    @authorized("read", "workspaces")
    async def get(self, *args: str) -> None:
        """Says that there is nothing."""
        raise web.HTTPError(404)

    @authorized("write", "workspaces")
    async def post(self, *args: str) -> None:
        """Says that there is nothing."""
        raise web.HTTPError(404)

    put = patch = delete = post


class EndpointHandler(JupyterStudioHandler):
    """An endpoint behind Jupyter's own authentication: passes scoring requests on as they are."""

    @authorized("read", "endpoints")
    async def get(self, name: str, path: str) -> None:
        """Passes a question about the model on."""
        await self._forward(name)

    @authorized("execute", "endpoints")
    async def post(self, name: str, path: str) -> None:
        """Passes a scoring request on."""
        await self._forward(name)

    async def data_received(self, chunk: bytes) -> None:
        if len(self._received) + len(chunk) > SCORE_LIMIT_BYTES:
            self._refused = TooLarge(f"the body is over {SCORE_LIMIT_BYTES:,} bytes")
        else:
            self._received += chunk

    async def _forward(self, name: str) -> None:
        raw = self.request.path.split("/mlstudio/endpoints/", 1)[1].split("/", 1)[1]
        method, headers, body = self.request.method or "GET", dict(self.request.headers), bytes(self._received)
        try:
            if self._refused is not None:
                raise self._refused
            studio = await self.run(lambda: self.studio_for(None))
            status, answered, content = await self.run(
                lambda: studio.scoring.forward(name, method, raw, headers, body or None)
            )
        except StudioError as error:
            self._write_error(error)
            return
        self.set_status(status)
        for key, value in answered.items():
            if key.lower() != "content-length":
                self.set_header(key, value)
        self.write(content)


def _known_name(user: Any) -> str:
    """Returns who a user is: the server's account where Jupyter, behind a shared token, made up a stranger's name."""
    made_up = user.name == user.display_name and str(user.name).startswith("Anonymous ")
    return getpass.getuser() if made_up else str(user.display_name or user.username)


def rules(rooms: Callable[[], Rooms], base_url: str) -> list[Any]:
    """Builds the rules of everything below ``mlstudio/``."""

    def below(prefix: str, pattern: str) -> str:
        return url_path_join(base_url, prefix, pattern)

    found: list[Any] = [
        (below(PREFIX, pattern), _handler(pattern, routes), {"routes": routes, "rooms": rooms})
        for pattern, routes in patterns(ROUTES)
    ]
    found += [
        (below(mlflow.PREFIX, pattern), _handler(pattern, routes), {"routes": routes, "rooms": rooms})
        for pattern, routes in patterns(mlflow.ROUTES)
    ]
    endpoint = url_path_join(base_url, r"mlstudio/endpoints/([^/]+)/(.*)")
    found.append((endpoint, EndpointHandler, {"routes": {}, "rooms": rooms}))
    found.append((url_path_join(base_url, r"mlstudio/(.*)"), NothingHere, {"routes": {}, "rooms": rooms}))
    return found


def _handler(pattern: str, routes: Mapping[str, Route]) -> type[JupyterStudioHandler]:
    methods = {method.lower(): _method(route) for method, route in routes.items()}
    return type(f"Handler[{pattern}]", (JupyterStudioHandler,), methods)


def _method(route: Route) -> Callable[..., Awaitable[None]]:
    @authorized(route.action, route.resource)
    async def respond(self: JupyterStudioHandler, **path: str) -> None:
        await self.answer(route, path)

    return respond
