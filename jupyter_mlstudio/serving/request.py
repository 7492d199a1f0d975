"""One request to the scoring server, from its head to its answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus

from jupyter_mlstudio.onnx.protocol import Request as Inference


@dataclass(slots=True)
class Request:
    """What was read of a request, and what is known about it.

    ``kind`` says what it asks for, once it was admitted. ``held_bytes`` are kept free for its body. ``inference`` is
    its body, read and checked, when the model has to run aside. ``last`` says that its connection ends with it.
    """

    target: bytes = b""
    method: bytes = b""
    headers: dict[bytes, bytes] = field(default_factory=dict)
    repeated: bytes = b""
    body: bytes | bytearray = b""
    kind: str = ""
    held_bytes: int = 0
    began: float = 0.0
    answered: bool = False
    last: bool = False
    reply: Reply | None = None
    inference: Inference | None = None

    @property
    def has_body(self) -> bool:
        """Whether a body follows the head."""
        return b"transfer-encoding" in self.headers or self.headers.get(b"content-length", b"0") != b"0"


@dataclass(slots=True)
class Reply:
    """An answer: its status, its body (JSON), and further header lines, each with CR LF before it."""

    status: int
    body: bytes
    lines: bytes = b""
    last: bool = False

    def written(self, request: Request) -> bytes:
        """The answer's bytes on the wire."""
        lines = self.lines + b"\r\nconnection: close" if request.last else self.lines
        body = self.body if request.method != b"HEAD" else b""
        return b"".join((_HEADS[self.status], b"%d" % len(self.body), lines, b"\r\n\r\n", body))


_HEADS = {
    status.value: (
        f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/json\r\n"
        "x-content-type-options: nosniff\r\ncontent-length: "
    ).encode()
    for status in HTTPStatus
}
