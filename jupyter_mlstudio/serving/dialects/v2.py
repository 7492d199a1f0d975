"""Open Inference Protocol V2: JSON, and tensors as bytes after it.

Specification: Open Inference Protocol V2, "HTTP/REST"; Triton's "Binary Tensor Data Extension". What null and NaN mean
is said in :mod:`jupyter_mlstudio.onnx.protocol`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_mlstudio.errors import Invalid, WrongType
from jupyter_mlstudio.onnx.protocol import Protocol, Request
from jupyter_mlstudio.onnx.tensors import Inference
from jupyter_mlstudio.serving.dialects.base import JSON_TYPE, Dialect, Written

BINARY_TYPE = b"application/octet-stream"
_LENGTH = b"inference-header-content-length"


class OpenInference(Dialect):
    """Reads and writes for one model."""

    media = frozenset({JSON_TYPE, BINARY_TYPE})

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol

    def read(self, body: bytes | bytearray, headers: Mapping[bytes, bytes]) -> Inference:
        if _LENGTH in headers:
            return self._protocol.read(body, _length(headers[_LENGTH]))
        if headers.get(b"content-type", JSON_TYPE).lower().startswith(BINARY_TYPE):
            raise WrongType("bytes need the header Inference-Header-Content-Length, which says where they begin")
        return self._protocol.read(body)

    def write(self, inference: Inference, tensors: Sequence[Any]) -> Written:
        assert isinstance(inference, Request)
        text, parts = self._protocol.write_parts(inference, tensors)
        if not inference.binary:
            return Written(text)
        lines = b"\r\nInference-Header-Content-Length: %d" % len(text)
        return Written(b"".join((text, *parts)), BINARY_TYPE, lines)


def _length(value: bytes) -> int:
    if not value.isdigit() or len(value) > 12:
        raise Invalid("the header Inference-Header-Content-Length is not a number of bytes")
    return int(value)
