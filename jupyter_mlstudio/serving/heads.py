"""Heads of requests that were let in before: a client on a kept connection sends the same bytes again and again.

The same bytes mean the same request, so what was read and checked of them stands, except what may have changed since:
whether the key is still good, and whether there is room. Only whole heads of ordinary requests are kept.
"""

from __future__ import annotations

from dataclasses import dataclass

from jupyter_mlstudio.serving.dialects.base import Dialect
from jupyter_mlstudio.serving.request import Request

HEADS_LIMIT = 256
HEAD_BYTES = 2048

_UNUSUAL = frozenset({b"transfer-encoding", b"expect", b"upgrade", b"trailer"})


@dataclass(frozen=True, slots=True)
class Head:
    """What was read of a head; ``key`` is the one that was presented, ``length`` that of the body."""

    target: bytes
    method: bytes
    headers: dict[bytes, bytes]
    kind: str
    dialect: Dialect
    key: bytes
    length: int


class Heads:
    """The last heads that were let in, by their bytes."""

    def __init__(self) -> None:
        self._known: dict[bytes, Head] = {}
        self.find = self._known.get

    def clear(self) -> None:
        """Forgets all, because other heads may be let in now."""
        self._known.clear()

    def keep(self, head: bytes, request: Request, key: bytes) -> None:
        """Keeps the head of a request that was admitted."""
        headers = request.headers
        if request.dialect is None or request.last or len(head) > HEAD_BYTES or not _UNUSUAL.isdisjoint(headers):
            return
        if head.count(b"\n") != head.count(b"\r\n"):  # it may end before its first empty line
            return
        if len(self._known) >= HEADS_LIMIT:
            self._known.clear()
        length = int(headers.get(b"content-length", b"0"))
        self._known[head] = Head(
            request.target, request.method, headers, request.kind, request.dialect, key, length
        )  # fmt: skip
