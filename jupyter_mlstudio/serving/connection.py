"""One client's connection: HTTP/1.1 on httptools' parser, without a task for requests that are answered at once.

A framework spends more on a one-row request than the model does. Here a request that is quick is read, checked,
answered and written within one call of the event loop; only what runs aside gets a task. Limits: bytes of a head and
of a message, seconds until a message is whole or the client reads its answer, connections, requests in advance.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Protocol, cast

import httptools

from jupyter_mlstudio.errors import Invalid, StudioError, TooLarge, Unavailable
from jupyter_mlstudio.serving.config import ServeConfig
from jupyter_mlstudio.serving.fellows import Fellows
from jupyter_mlstudio.serving.request import Reply, Request

ADVANCE_LIMIT = 16
"""So many requests may be sent before the first is answered; then nothing more is read."""

_SINGLE = frozenset({b"host", b"authorization", b"content-type", b"content-length"})
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_perf_counter = time.perf_counter


class HeadTooLarge(TooLarge):
    """The head of a request is over its limit."""

    status = 431


class Serves(Protocol):
    """What answers requests: :meth:`admit` sees a head, :meth:`answer` a whole request. None is no answer yet: of
    the first that it may go on, of the second that :meth:`answer_aside` is to be asked."""

    config: ServeConfig
    fellows: Fellows

    def admit(self, request: Request) -> Reply | None:
        """Answers what is not let in."""

    def admit_again(self, head: bytes) -> Request | None:
        """Admits a request whose head was let in before, byte for byte; None when it has to be read."""

    def remember(self, head: bytes, request: Request) -> None:
        """Takes note of a head that was let in."""

    def answer(self, request: Request) -> Reply | None:
        """Answers what is answered at once."""

    async def answer_aside(self, request: Request) -> Reply:
        """Answers what is not; being cancelled ends the work."""

    def too_large(self, request: Request) -> Reply:
        """Answers a request whose body grew over the limit."""

    def release(self, request: Request) -> None:
        """Gives back what was held for a request."""

    def refusal(self, error: StudioError) -> Reply:
        """Writes an error as an answer."""


class Connection(asyncio.Protocol):
    """Reads requests and writes their answers, in the same order.

    Args:
        application: says what is admitted, and answers it.
        connections: all that are open; this one adds and removes itself.
        trusted: it comes from another process of the endpoint, which has checked who asks.
    """

    def __init__(self, application: Serves, connections: set[Connection], *, trusted: bool = False) -> None:
        self._application = application
        self._limits = application.config.limits
        self._connections = connections
        self._trusted = trusted
        self._leaving = False
        self._loop = asyncio.get_running_loop()
        self._now = self._loop.time
        self._parser = httptools.HttpRequestParser(self)
        self._request = Request()
        self._waiting: deque[Request] = deque()
        self._task: asyncio.Task[None] | None = None
        self._aside: Request | None = None
        self._in_head = True
        self._between = not trusted
        self._head = b""
        self._missing_bytes = 0
        self._read_bytes = 0
        self._first = True
        self._full = False
        self._ending = False
        self._since = self._now()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name
        self._connections.add(self)
        self._timer = self._loop.call_later(self._limits.idle_timeout_s, self._look)
        if len(self._connections) > self._limits.max_connections:
            self._refuse(Unavailable("the endpoint has as many connections as it can hold; try again", 1))

    def connection_lost(self, error: Exception | None) -> None:
        self._ending = True
        self._timer.cancel()
        self._connections.discard(self)
        if self._task is not None:
            self._task.cancel()
        for request in (self._request, *self._waiting):
            self._application.release(request)

    def data_received(self, data: bytes) -> None:
        self._first = True
        if self._missing_bytes:
            data = self._take_body(data)
        if not data or (self._between and self._take_known(data)) or self._is_too_much(data):
            return
        while True:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:  # what a client would rather speak is of no concern here
                data = data[upgrade.args[0] :]
                if data:
                    continue
            except httptools.HttpParserError:
                self._refuse(Invalid("this is not an HTTP/1.1 request"))
            self._head = b""
            return

    def _take_known(self, data: bytes) -> bool:
        """Takes a request whose head needs no parser, because it was read and let in before."""
        end = data.find(b"\r\n\r\n") + 4
        head = data[:end] if end > 4 else b""
        request = self._application.admit_again(head) if head and not self._ending else None
        if request is None or len(data) - end > request.held_bytes:
            if request is not None:
                self._application.release(request)
            self._head = head
            return False
        self._request = request
        self._since = self._now()
        self._missing_bytes = request.held_bytes
        if len(data) > end:
            self._take_body(data[end:])
        elif not self._missing_bytes:
            self._complete()
        return True

    def _take_body(self, data: bytes) -> bytes:
        """Adds to the body of such a request; answers what is behind it."""
        request = self._request
        part = data if len(data) <= self._missing_bytes else data[: self._missing_bytes]
        if not request.body:
            request.body = part
        else:
            request.body = request.body if isinstance(request.body, bytearray) else bytearray(request.body)
            request.body += part
        self._missing_bytes -= len(part)
        if not self._missing_bytes:
            self._complete()
        return data[len(part) :]

    def pause_writing(self) -> None:
        """The client does not read its answers: nothing more is worked on or read for it."""
        self._full = True
        self._since = self._now()
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._full = False
        self._go_on()

    def finish(self) -> None:
        """Ends the connection as soon as what was begun is answered."""
        self._ending = True
        if self._aside is None:
            self._transport.close()
        else:
            self._aside.last = True

    def leave(self) -> None:
        """Ends the connection with its next answer, which says so: the one moment at which a client expects it."""
        self._leaving = True

    def on_message_begin(self) -> None:
        self._between = False
        self._request = Request(trusted=self._trusted)
        self._since = self._now()

    def on_url(self, part: bytes) -> None:
        self._request.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:  # a trailer
            return
        name = name.lower()
        headers = self._request.headers
        if name in headers and name in _SINGLE:
            self._request.repeated = name
        headers[name] = value

    def on_headers_complete(self) -> None:
        self._in_head = False
        request = self._request
        if self._ending:
            request.answered = True
            return
        request.began = _perf_counter()
        request.method = self._parser.get_method()
        request.last = not self._parser.should_keep_alive()
        if (reply := self._application.admit(request)) is not None:
            self._turn_down(request, reply)
            return
        if self._head:
            self._application.remember(self._head, request)
            self._head = b""
        if request.headers.get(b"expect", b"").lower() == b"100-continue" and not self._is_busy():
            self._transport.write(_CONTINUE)

    def on_body(self, part: bytes) -> None:
        request = self._request
        if request.reply is not None or request.answered:
            return
        if not request.body:
            request.body = part
        else:
            request.body = request.body if isinstance(request.body, bytearray) else bytearray(request.body)
            request.body += part
        if len(request.body) > self._limits.body_bytes:
            self._turn_down(request, self._application.too_large(request))

    def on_message_complete(self) -> None:
        self._in_head, self._read_bytes, self._between = True, 0, not self._trusted
        self._complete()

    def _complete(self) -> None:
        """Answers a request that is there as a whole, or has it wait for those before it."""
        request = self._request
        if request.answered or self._ending:
            return
        if self._first and not self._is_busy():
            self._first = False
            self._answer(request)
            return
        self._waiting.append(request)  # the ones after the first wait for their turn, so that others have theirs
        if len(self._waiting) == 1:
            self._loop.call_soon(self._go_on)
        if len(self._waiting) > ADVANCE_LIMIT:
            self._transport.pause_reading()

    def _is_busy(self) -> bool:
        return self._task is not None or self._full or bool(self._waiting)

    def _is_too_much(self, data: bytes) -> bool:
        """Counts what was read of a message; refuses one that is longer than any may be."""
        if self._in_head:
            end = data.find(b"\r\n\r\n")
            self._read_bytes += len(data) if end < 0 else end + 4
            if self._read_bytes > self._limits.header_bytes:
                self._refuse(HeadTooLarge(f"the head of the request is longer than {self._limits.header_bytes} bytes"))
                return True
            return False
        self._read_bytes += len(data)
        if self._read_bytes > self._limits.header_bytes + 2 * self._limits.body_bytes:
            self._refuse(TooLarge(f"the body is larger than {self._limits.body_bytes} bytes"))
            return True
        return False

    def _turn_down(self, request: Request, reply: Reply) -> None:
        """Answers a request that is not going to be read any further."""
        request.reply = reply
        request.last = request.last or reply.last or (b"expect" in request.headers and request.has_body)
        if not self._is_busy():
            self._write(request, reply)

    def _answer(self, request: Request) -> None:
        reply = request.reply or self._application.answer(request)
        if reply is not None:
            self._write(request, reply)
        else:
            self._aside = request
            self._task = self._loop.create_task(self._answer_aside(request))

    async def _answer_aside(self, request: Request) -> None:
        reply = await self._application.answer_aside(request)
        self._task = self._aside = None
        self._write(request, reply)
        self._go_on()

    def _go_on(self) -> None:
        """Takes up the next request that waits, one at a time."""
        if self._ending or self._full or self._task is not None:
            return
        if self._waiting:
            self._answer(self._waiting.popleft())
        if self._waiting:
            self._loop.call_soon(self._go_on)
        else:
            self._transport.resume_reading()

    def _write(self, request: Request, reply: Reply) -> None:
        request.answered = True
        if self._transport.is_closing():
            return
        self._since = self._now()
        if self._leaving and not self._waiting:
            request.last = True
        self._transport.write(reply.written(request))
        if request.copies:
            self._application.fellows.copy(request, reply)
        if request.last:
            self._ending = True
            self._transport.close()

    def _refuse(self, error: StudioError) -> None:
        """Answers what is not a request, or more than one may be, and ends the connection."""
        self._ending = True
        if self._is_busy():  # it would be taken for the answer to what was asked before
            self._transport.close()
        else:
            self._write(Request(last=True), self._application.refusal(error))

    def _look(self) -> None:
        """Ends a connection whose message is not whole, or whose answer is not read, after the time for it."""
        left_s = self._since + self._limits.idle_timeout_s - self._now()
        if self._task is not None or left_s > 0:
            self._timer = self._loop.call_later(left_s if left_s > 0 else self._limits.idle_timeout_s, self._look)
        else:
            self._ending = True
            self._transport.abort()
