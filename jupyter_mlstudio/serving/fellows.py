"""The endpoint's other processes, as one of them sees them: who answers what, the way there, and copies for others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.serving.config import BARE, Routes, ServeConfig, Target
from jupyter_mlstudio.serving.mirror import Mirror
from jupyter_mlstudio.serving.peers import Peers
from jupyter_mlstudio.serving.request import Reply, Request
from jupyter_mlstudio.serving.router import Router

LOOKED_UP = frozenset({"model", "model ready"})
"""What is asked about a model, and not of it."""


class Fellows:
    """Routes, connections and copies of one process.

    Args:
        want: called with the name of a deployment that sleeps and is needed.
    """

    def __init__(self, config: ServeConfig, want: Callable[[str], None] = lambda name: None) -> None:
        own = "" if config.kind == BARE else config.deployment
        routes = config.routes or alone(config)
        self._router = Router(own, routes)
        self._peers = Peers(routes, want)
        self._mirror = Mirror(self._peers, config.mirror_folder, own)
        self.board: dict[str, JSON] | None = None
        """The whole endpoint's numbers, as the serve run added them up last."""

    @property
    def routes(self) -> Routes:
        """Those that it goes by now."""
        return self._router.routes

    def update(self, routes: Routes) -> None:
        """Goes by new routes from the next request on."""
        self._router.update(routes)
        self._peers.update(routes)

    def place(self, request: Request) -> bool:
        """Chooses who answers an admitted request; True when it has to be passed on.

        Raises:
            NotFound: it names a deployment or a version that there is not.
            Unavailable: no deployment gets any requests.
        """
        if request.dialect is not None:
            request.goes_to = self._router.place(request)
        elif request.kind in LOOKED_UP:
            request.goes_to = self._router.look_up(request)
        return request.goes_to != ""

    def place_any(self, request: Request) -> None:
        """Chooses who answers a request of which nothing but its head is understood here."""
        request.goes_to = self._router.place(request) if request.method == b"POST" else self._router.look_up(request)

    async def pass_on(self, request: Request) -> Reply:
        """Has another process answer a request; raises the errors of :meth:`Peers.ask`."""
        return await self._peers.ask(request.goes_to, request)

    def copy(self, request: Request, reply: Reply) -> None:
        """Sends the copies of a request that was answered."""
        self._mirror.offer(request, reply)

    def summary(self) -> dict[str, Any]:
        """Requests that were lost on the way to other deployments, and the counts of copies."""
        return {"lost": dict(self._peers.failed), "mirror": self._mirror.summary()}


def alone(config: ServeConfig) -> Routes:
    """The routes of an endpoint with one deployment."""
    only = Target(config.model, config.version, config.kind)
    return Routes(traffic={config.deployment: 100}, deployments={config.deployment: only})
