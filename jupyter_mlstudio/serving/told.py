"""What an endpoint tells without running its model: that it lives, what it is, its counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from jupyter_mlstudio._version import __version__
from jupyter_mlstudio.onnx.protocol import Protocol
from jupyter_mlstudio.serving.config import ServeConfig
from jupyter_mlstudio.serving.keys import KeyRing
from jupyter_mlstudio.serving.metrics import METRICS_TYPE
from jupyter_mlstudio.serving.openapi import document
from jupyter_mlstudio.serving.request import Reply, Request

TEXT_TYPE = b"text/plain; charset=utf-8"
EXTENSIONS = ["binary_tensor_data"]


class Teller:
    """Answers for one model.

    Args:
        port: that callers reach it at.
        summary: gives the counts and latencies.
        metrics: gives them as Prometheus reads them.
    """

    def __init__(
        self, config: ServeConfig, protocol: Protocol, keys: KeyRing, port: int,
        summary: Callable[[], dict[str, Any]], metrics: Callable[[], bytes],
    ) -> None:  # fmt: skip
        self._config = config
        self._url = f"http://127.0.0.1:{port}"
        self._metrics = metrics
        self._document = b""
        self._protocol = protocol
        self._keys = keys
        self._summary = summary

    def tell(self, request: Request) -> Reply:
        """Answers an admitted request."""
        match request.kind:
            case "live":
                return Reply(200, b'{"live":true}', self._keys.proof(request.headers))
            case "ready":
                return Reply(200, b'{"ready":true}', self._keys.proof(request.headers))
            case "healthy":
                return Reply(200, b"Healthy", media=TEXT_TYPE)
            case "ping":
                return Reply(200, b"\n")
            case "version":
                return Reply(200, __version__.encode(), media=TEXT_TYPE)
            case "metrics":
                return Reply(200, self._metrics(), media=METRICS_TYPE)
            case "openapi":
                self._document = self._document or msgspec.json.encode(document(self._config, self._url))
                return Reply(200, self._document)
            case "server":
                answer: dict[str, Any] = {"name": "jupyter_mlstudio", "version": __version__, "extensions": EXTENSIONS}
            case "model ready":
                answer = {"name": self._config.model, "ready": True}
            case "stats":
                answer = self._summary()
            case _:
                answer = self._protocol.metadata()
        return Reply(200, msgspec.json.encode(answer))
