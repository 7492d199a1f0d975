"""Passes requests on to the endpoint's other processes, over unix sockets with connections that are kept.

A request is sent again to another process only when nothing of it was sent. One that names a deployment which sleeps or
starts wakes it and waits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from typing import cast

import httptools

from jupyter_mlstudio.errors import StudioError, TimedOut, Unavailable
from jupyter_mlstudio.serving.config import Routes, Target
from jupyter_mlstudio.serving.request import Busy, Reply, Request

STARTING_S = 30.0
"""So long a request waits for a deployment that starts, if it has so much time itself."""

MARGIN_S = 0.5
"""A process that passes a request on waits so much longer than the one that answers it may take."""

COPY = b"x-mlstudio-copy"
"""Marks a copy of a request, whose answer nobody waits for and which is not counted as a request."""

IDLE_S = 15.0
"""A connection that nothing was sent on for so long is not used again: the other side may be closing it."""

_LEFT_OUT = frozenset({
    b"authorization", b"host", b"connection", b"keep-alive", b"content-length", b"transfer-encoding", b"expect",
    b"upgrade", b"te", b"trailer", b"azureml-model-deployment", b"proxy-authorization",
})  # fmt: skip
_REPLACED = frozenset({b"connection", b"content-length", b"transfer-encoding", b"keep-alive"})
_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}".encode() for status in HTTPStatus}


class Lost(Unavailable):
    """A process ended, or was replaced, while it worked on a request."""

    code = "lost"


class Passed(Reply):
    """An answer as another process gave it; ``lines`` are all of its header lines."""

    def written(self, request: Request) -> bytes:
        lines = self.lines + b"\r\nconnection: close" if request.last else self.lines
        body = self.body if request.method != b"HEAD" else b""
        return b"".join((_STATUS_LINES[self.status], lines, b"\r\ncontent-length: %d\r\n\r\n" % len(self.body), body))


class Peer(asyncio.Protocol):
    """One kept connection to another process, for one request at a time."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[Passed] | None = None
        self.reusable = True
        self.free_at = 0.0
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.reusable = False
        self._settle(Lost("the process that worked on this request ended; send it again", 1))

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.transport.abort()

    def on_message_begin(self) -> None:
        self._lines: list[bytes] = []
        self._body: list[bytes] = []

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name not in _REPLACED:
            self._lines += (b"\r\n", name, b": ", value)

    def on_body(self, part: bytes) -> None:
        self._body.append(part)

    def on_message_complete(self) -> None:
        self.reusable = self._parser.should_keep_alive()
        self._settle(Passed(self._parser.get_status_code(), b"".join(self._body), b"".join(self._lines)))

    def _settle(self, outcome: Passed | StudioError) -> None:
        answer, self.answer = self.answer, None
        if answer is None or answer.done():
            return
        if isinstance(outcome, Passed):
            answer.set_result(outcome)
        else:
            answer.set_exception(outcome)


class Peers:
    """All other processes of an endpoint, by deployment.

    Args:
        want: called with the name of a deployment that sleeps and is needed.
    """

    def __init__(self, routes: Routes, want: Callable[[str], None]) -> None:
        self._want = want
        self._idle: dict[str, deque[Peer]] = {}
        self._working: dict[str, int] = {}
        self._changed = asyncio.Event()
        self.failed: dict[str, int] = {}
        self.update(routes)

    def update(self, routes: Routes) -> None:
        """Goes by new routes; connections to processes that are gone from them are closed when they are done."""
        self._targets = dict(routes.deployments)
        known = {path for target in self._targets.values() for path in target.sockets}
        for path in [path for path in self._idle if path not in known]:
            for peer in self._idle.pop(path):
                peer.transport.close()
        self._changed.set()
        self._changed = asyncio.Event()

    async def ask(self, name: str, request: Request, copy: bytes | bytearray | None = None) -> Passed:
        """Passes a request on to a deployment and waits for its answer; or a ``copy`` of its body, marked as such.

        Raises:
            Busy: it has as many requests as it can hold. TimedOut: it did not answer in time.
            Unavailable: it has failed, or was stopped, or its process ended while it worked.
        """
        message = _message(request, copy)
        target = self._targets.get(name)
        limit_s = target.request_timeout_s + MARGIN_S if target else STARTING_S
        try:
            async with asyncio.timeout(limit_s):
                return await self._asked(name, message)
        except TimeoutError as error:
            self._count_failure(name, copy)
            raise TimedOut(f"deployment {name} did not answer within {limit_s - MARGIN_S:g} s") from error
        except StudioError:
            self._count_failure(name, copy)
            raise

    async def _asked(self, name: str, message: bytes) -> Passed:
        tried: set[str] = set()
        while True:
            path = await self._path(name, tried)
            self._working[path] = self._working.get(path, 0) + 1
            try:
                peer = await self._connected(path)
                if peer is not None:
                    return await self._sent(peer, path, message)
                tried.add(path)
            finally:
                self._working[path] -= 1
                if not self._working[path]:
                    del self._working[path]

    async def _path(self, name: str, tried: set[str]) -> str:
        """The process that has the least to do; waits while there is none but one is on its way."""
        asked = False
        while True:
            target = self._targets.get(name)
            if target is None:
                raise Unavailable(f"deployment {name} was removed", 1)
            sockets = [path for path in target.sockets if path not in tried]
            if sockets:
                path = min(sockets, key=lambda one: self._working.get(one, 0))
                if self._working.get(path, 0) >= target.max_concurrent_requests:
                    raise Busy(f"deployment {name} has as many requests as it can work on; try again", 1)
                return path
            if target.state in ("Failed", "Stopped"):
                raise Unavailable(_unable(name, target), 5)
            if not asked:
                asked = True
                self._want(name)
            await self._changed.wait()
            tried.clear()

    async def _connected(self, path: str) -> Peer | None:
        """A connection that is free, a new one, or None when nobody listens there any more."""
        idle = self._idle.get(path)
        now = asyncio.get_running_loop().time()
        while idle:
            peer = idle.pop()
            if peer.reusable and now - peer.free_at < IDLE_S:
                return peer
            peer.transport.close()
        try:
            _, peer = await asyncio.get_running_loop().create_unix_connection(Peer, path)
        except OSError:
            return None
        return peer

    async def _sent(self, peer: Peer, path: str, message: bytes) -> Passed:
        answer = peer.answer = asyncio.get_running_loop().create_future()
        peer.transport.write(message)
        try:
            reply: Passed = await answer
        except BaseException:
            peer.transport.abort()  # what it would answer yet belongs to nobody
            raise
        if peer.reusable and any(path in target.sockets for target in self._targets.values()):
            peer.free_at = asyncio.get_running_loop().time()
            self._idle.setdefault(path, deque()).append(peer)
        else:
            peer.transport.close()
        return reply

    def _count_failure(self, name: str, copy: bytes | bytearray | None) -> None:
        if copy is None:
            self.failed[name] = self.failed.get(name, 0) + 1


def _message(request: Request, copy: bytes | bytearray | None) -> bytes:
    """The request as it is passed on: the same but for the key, and for what concerns one connection alone."""
    lines = [b"%s %s HTTP/1.1\r\nhost: endpoint" % (request.method, request.target)]
    body = request.body if copy is None else copy
    if copy is not None:
        lines.append(COPY + b": yes")
    lines += [b"%s: %s" % (name, value) for name, value in request.headers.items() if name not in _LEFT_OUT]
    return b"\r\n".join((*lines, b"content-length: %d" % len(body), b"", bytes(body)))


def _unable(name: str, target: Target) -> str:
    why = f": {target.reason}" if target.reason else ""
    return f"deployment {name} {'has failed' if target.state == 'Failed' else 'is stopped'}{why}"
