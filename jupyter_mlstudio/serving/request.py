"""One request to the scoring server, from its head to its answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

import msgspec

from jupyter_mlstudio.errors import StudioError, TimedOut, TooLarge, Unauthorized, Unavailable
from jupyter_mlstudio.onnx.tensors import Inference
from jupyter_mlstudio.serving.dialects.base import JSON_TYPE as JSON_TYPE
from jupyter_mlstudio.serving.dialects.base import Dialect


class Busy(Unavailable):
    """More requests wait already than may, or one has waited for too long."""

    code = "busy"
    status = 429


@dataclass(slots=True)
class Request:
    """What was read of a request, and what is known about it.

    ``kind`` says what it asks for, once it was admitted, and ``dialect`` how. ``held_bytes`` are kept free for its
    body. ``inference`` is its body, read and checked. ``last`` says that its connection ends with it. ``trusted``: it
    was passed on by another process of the endpoint, ``copy``: and nobody waits for its answer. ``goes_to``: the
    deployment that answers it, empty for this process's own; ``copies``: those that get its ``content`` too.
    """

    target: bytes = b""
    method: bytes = b""
    headers: dict[bytes, bytes] = field(default_factory=dict)
    repeated: bytes = b""
    body: bytes | bytearray = b""
    kind: str = ""
    dialect: Dialect | None = None
    held_bytes: int = 0
    began: float = 0.0
    run_s: float = 0.0
    answered: bool = False
    last: bool = False
    reply: Reply | None = None
    inference: Inference | None = None
    trusted: bool = False
    copy: bool = False
    goes_to: str = ""
    copies: Sequence[str] = ()
    content: bytes | bytearray = b""

    @property
    def has_body(self) -> bool:
        """Whether a body follows the head."""
        return b"transfer-encoding" in self.headers or self.headers.get(b"content-length", b"0") != b"0"


@dataclass(slots=True)
class Reply:
    """An answer: its status, its body and what type that is, and further header lines, each with CR LF before it."""

    status: int
    body: bytes
    lines: bytes = b""
    last: bool = False
    media: bytes = JSON_TYPE

    def written(self, request: Request) -> bytes:
        """The answer's bytes on the wire."""
        lines = self.lines + b"\r\nconnection: close" if request.last else self.lines
        body = self.body if request.method != b"HEAD" else b""
        head = _HEADS[self.status] if self.media is JSON_TYPE else _head(self.status, self.media)
        return b"%b%d%b\r\n\r\n%b" % (head, len(self.body), lines, body)


def refusal(error: StudioError) -> Reply:
    """Writes an error as an answer."""
    body = msgspec.json.encode({"error": error.message, "code": error.code})
    return Reply(error.status, body, _error_lines(error), last=isinstance(error, TooLarge))


def _error_lines(error: StudioError) -> bytes:
    if isinstance(error, Unauthorized):
        return b"\r\nwww-authenticate: Bearer"
    if isinstance(error, Unavailable) and not isinstance(error, TimedOut):
        return b"\r\nretry-after: %d" % error.retry_after_s
    return b""


def _head(status: int, media: bytes) -> bytes:
    phrase = HTTPStatus(status).phrase.encode()
    return (
        b"HTTP/1.1 %d %b\r\ncontent-type: %b\r\nx-content-type-options: nosniff\r\ncontent-length: "
        % (status, phrase, media)
    )  # fmt: skip


_HEADS = {status.value: _head(status.value, JSON_TYPE) for status in HTTPStatus}
