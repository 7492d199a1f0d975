"""A caller that costs little: one thread, many kept connections, one request under way on each."""

from __future__ import annotations

import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Outcome:
    """What callers got: answers by status, connections that broke, and seconds that each answer took."""

    statuses: Counter[int] = field(default_factory=Counter)
    lost: int = 0
    waits_s: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def failed(self) -> int:
        """Requests that were not answered with 200."""
        return self.lost + sum(count for status, count in self.statuses.items() if status != 200)

    def quantile_ms(self, quantile: float) -> float:
        """How long an answer took, in milliseconds."""
        ordered = sorted(self.waits_s)
        return ordered[min(int(len(ordered) * quantile), len(ordered) - 1)] * 1000 if ordered else float("nan")


class Caller:
    """One connection, made again whenever the server has said that it ends."""

    def __init__(self, address: tuple[str, int], message: bytes) -> None:
        self._address = address
        self._message = message
        self.link = self._connect()

    def send(self) -> None:
        """Sends one request."""
        self._received = b""
        self.began = time.perf_counter()
        self.link.sendall(self._message)

    def receive(self) -> int | None:
        """Reads what is there: the status once the answer is whole, None before, 0 when the connection broke."""
        try:
            part = self.link.recv(1 << 20)
        except OSError:
            part = b""
        self._received += part
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return None if part else 0
        head = head.lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r")[0])
        if len(body) < length:
            return None if part else 0
        self.ends = b"\r\nconnection: close" in head
        return int(head[9:12])

    def connect_again(self) -> None:
        """Opens a new connection."""
        self.link.close()
        self.link = self._connect()

    def _connect(self) -> socket.socket:
        link = socket.create_connection(self._address, timeout=30)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.ends = False
        return link


def message(url: str, body: bytes, key: str) -> bytes:
    """A scoring request as it is sent."""
    parts = urlsplit(url)
    lines = (
        f"POST {parts.path} HTTP/1.1", f"Host: {parts.netloc}", f"Authorization: Bearer {key}",
        "Content-Type: application/json", f"Content-Length: {len(body)}",
    )  # fmt: skip
    return "\r\n".join((*lines, "", "")).encode() + body


def call(
    url: str, body: bytes, key: str, callers: int, while_: Callable[[], bool], pace: float | None = None
) -> Outcome:
    """Asks over so many connections as long as a condition holds.

    Args:
        pace: requests a second in all; None is as many as are answered.
    """
    parts = urlsplit(url)
    asked = message(url, body, key)
    address = (parts.hostname or "", parts.port or 80)
    waiting = selectors.DefaultSelector()
    idle = [Caller(address, asked) for _ in range(callers)]
    outcome = Outcome()
    began = due = time.perf_counter()
    under_way = 0
    while (going := while_()) or under_way:
        now = time.perf_counter()
        while going and idle and (pace is None or due <= now):
            due += 1 / pace if pace else 0.0
            one = idle.pop()
            _send(one, outcome)
            waiting.register(one.link, selectors.EVENT_READ, one)
            under_way += 1
        for key_, _ in waiting.select(0.05 if pace is None else max(min(due - now, 0.05), 0.0)):
            caller: Caller = key_.data
            status = caller.receive()
            if status is None:
                continue
            waiting.unregister(caller.link)
            _note(caller, status, outcome)
            idle.append(caller)
            under_way -= 1
    outcome.seconds = time.perf_counter() - began
    for one in idle:
        one.link.close()
    return outcome


def _send(one: Caller, outcome: Outcome) -> None:
    try:
        one.send()
    except OSError:
        outcome.lost += 1
        one.connect_again()
        one.send()


def _note(caller: Caller, status: int, outcome: Outcome) -> None:
    if status:
        outcome.statuses[status] += 1
        outcome.waits_s.append(time.perf_counter() - caller.began)
    else:
        outcome.lost += 1
    if not status or caller.ends:
        caller.connect_again()


def pipelined(url: str, body: bytes, key: str, callers: int, depth: int, seconds: float) -> float:
    """Answers a second when each connection has so many requests under way: next to nothing of it is the caller's work.

    Raises:
        SystemExit: a request failed.
    """
    parts = urlsplit(url)
    asked = message(url, body, key)
    waiting = selectors.DefaultSelector()
    for _ in range(callers):
        link = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=30)
        link.sendall(asked * depth)
        waiting.register(link, selectors.EVENT_READ)
    answered = 0
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        for key_, _ in waiting.select(0.1):
            link = key_.fileobj  # type: ignore[assignment]
            received = link.recv(1 << 20)
            whole = received.count(b"HTTP/1.1 200 OK\r\n")
            if not received or received.count(b"HTTP/1.1 ") != whole:
                raise SystemExit(f"a request failed: {received[:300]!r}")
            answered += whole
            link.sendall(asked * whole)
    took_s = time.perf_counter() - began
    for key_ in list(waiting.get_map().values()):
        key_.fileobj.close()  # type: ignore[union-attr]
    return answered / took_s
