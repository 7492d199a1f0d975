"""The scoring server's HTTP face: a plain ASGI application for Open Inference Protocol V2.

Specification: Open Inference Protocol V2, "HTTP/REST". What a request passes, in this order: the Host that it names, no
Origin (no browser page may ask), the key, the path, the method, the content type and size, and only then its content.
"""

from __future__ import annotations

import asyncio
import binascii
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from jupyter_mlstudio._version import __version__
from jupyter_mlstudio.errors import (
    Forbidden,
    NotFound,
    StudioError,
    TimedOut,
    TooLarge,
    Unauthorized,
    Unavailable,
    WrongType,
)
from jupyter_mlstudio.serving.config import ServeConfig
from jupyter_mlstudio.serving.engine import Engine
from jupyter_mlstudio.serving.keys import KeyRing
from jupyter_mlstudio.serving.stats import Stats

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_JSON = (b"content-type", b"application/json")
_NO_SNIFF = (b"x-content-type-options", b"nosniff")
_CHALLENGE_BYTES = 64
HELD_BODIES = 8
"""How many bodies of the largest size may be on their way at once."""

_perf_counter = time.perf_counter


class WrongMethod(StudioError):
    """The path exists, the method on it does not."""

    code = "method_not_allowed"
    status = 405


class TooManyFailures(Unavailable):
    """Too many wrong keys were tried."""

    code = "too_many_failures"
    status = 429


class Application:
    """One endpoint's server."""

    def __init__(self, config: ServeConfig, engine: Engine, port: int, stats: Stats) -> None:
        self.config = config
        self.engine = engine
        self.stats = stats
        self.keys = KeyRing(config.keys_file, config.limits.failed_keys_per_s)
        self.ready = True
        self._held_bytes = 0
        self._body_limit = config.limits.body_bytes
        self._hosts = {f"{name}:{port}".encode() for name in ("127.0.0.1", "localhost", "[::1]")}
        self._names = [(config.model.encode(), config.version.encode())]
        self._routes: dict[bytes, tuple[str, str]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"{scope['type']} is not spoken here")
        began = _perf_counter()
        extra: tuple[tuple[bytes, bytes], ...] = ()
        scoring = False
        try:
            headers = _headers(scope)
            kind, method = self._route(scope["raw_path"])
            self._check_caller(headers)
            if kind in ("live", "ready"):
                extra = self._proof(headers)
            else:
                self._check_key(headers)
            if not kind:
                raise NotFound("there is nothing here; the model is at /v2/models/NAME")
            if scope["method"] != method:
                extra = ((b"allow", method.encode()),)
                raise WrongMethod(f"{scope['method'][:20]} does not work here, use {method}")
            scoring = kind == "infer"
            status, body = (200, await self._infer(headers, receive)) if scoring else self._tell(kind)
        except StudioError as error:
            status, body, extra = error.status, _error(error), extra + _error_headers(error)
        if scoring:
            self.stats.record(_perf_counter() - began, status < 400)
        await send({"type": "http.response.start", "status": status,
                    "headers": [_JSON, (b"content-length", b"%d" % len(body)), _NO_SNIFF, *extra]})  # fmt: skip
        await send({"type": "http.response.body", "body": body})

    async def _infer(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        length = self._check_content(headers)
        if self._held_bytes + length > HELD_BODIES * self._body_limit:
            raise Unavailable("the endpoint has as many requests as it can hold; try again", 1)
        self._held_bytes += length
        try:
            body = await self._body(receive)
        finally:
            self._held_bytes -= length
        request = self.engine.protocol.read(body)
        if self.engine.is_quick(request.rows):
            answer = self.engine.run(request)
        else:
            answer = await self.engine.run_aside(request, lambda: _gone(receive))
        return self.engine.protocol.write(request, answer)

    def _route(self, path: bytes) -> tuple[str, str]:
        """Finds what a path stands for. It is split before it is decoded, once, so ``..%2f`` is only a strange name."""
        if (known := self._routes.get(path)) is not None:
            return known
        found = self._resolve([unquote_to_bytes(part) for part in path.split(b"/")])
        if found[0] and len(self._routes) < 64:
            self._routes[path] = found
        return found

    def _resolve(self, parts: list[bytes]) -> tuple[str, str]:
        match parts:
            case [b"", b"v2"]:
                return "server", "GET"
            case [b"", b"v2", b"health", (b"live" | b"ready") as what]:
                return what.decode(), "GET"
            case [b"", b"v2", b"models", name, *rest] if name == self._names[0][0]:
                if len(rest) >= 2 and rest[0] == b"versions":
                    if rest[1] != self._names[0][1]:
                        return "", "GET"
                    rest = rest[2:]
                kinds = {(): "model", (b"ready",): "model ready", (b"infer",): "infer", (b"stats",): "stats"}
                kind = kinds.get(tuple(rest), "")
                return kind, "POST" if kind == "infer" else "GET"
        return "", "GET"

    def _check_caller(self, headers: dict[bytes, bytes]) -> None:
        if headers.get(b"host", b"").lower() not in self._hosts:
            raise Forbidden("this endpoint answers under 127.0.0.1 and localhost only")
        if b"origin" in headers:
            raise Forbidden("web pages may not call this endpoint; call it through JupyterLab")

    def _check_key(self, headers: dict[bytes, bytes]) -> None:
        scheme, _, key = headers.get(b"authorization", b"").partition(b" ")
        if not self.keys.check(key.strip() if scheme.lower() == b"bearer" else b""):
            if self.keys.too_many_failures():
                raise TooManyFailures("too many wrong keys; wait a second", 1)
            raise Unauthorized("a valid key is needed: Authorization: Bearer <key>")

    def _check_content(self, headers: dict[bytes, bytes]) -> int:
        """Answers how long the body may be: as long as it says, or as long as is allowed when it does not say."""
        kind = headers.get(b"content-type", b"application/json")
        if kind != b"application/json" and kind.partition(b";")[0].strip().lower() != b"application/json":
            raise WrongType("only application/json is read here")
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise WrongType("compressed bodies are not read here")
        length = int(headers.get(b"content-length", b"%d" % self._body_limit)[:20])
        if length > self._body_limit:
            raise TooLarge(f"the body is larger than {self._body_limit} bytes")
        return length

    async def _body(self, receive: Receive) -> bytes | bytearray:
        message = await receive()
        body: bytes = message.get("body", b"")
        if not message.get("more_body"):
            if message["type"] == "http.disconnect":
                raise TimedOut("the body did not arrive")
            return body
        parts = bytearray(body)
        while message.get("more_body") and len(parts) <= self._body_limit:
            message = await receive()
            parts += message.get("body", b"")
        if len(parts) > self._body_limit:
            raise TooLarge(f"the body is larger than {self._body_limit} bytes")
        if message["type"] == "http.disconnect":
            raise TimedOut("the body did not arrive")
        return parts

    def _tell(self, kind: str) -> tuple[int, bytes]:
        """Answers what needs no model run."""
        match kind:
            case "live":
                return 200, b'{"live":true}'
            case "ready":
                return (200, b'{"ready":true}') if self.ready else (503, b'{"ready":false}')
            case "server":
                answer: dict[str, Any] = {"name": "jupyter_mlstudio", "version": __version__, "extensions": []}
            case "model ready":
                answer = {"name": self.config.model, "ready": self.ready}
            case "stats":
                answer = self.summary()
            case _:
                answer = self.engine.protocol.metadata()
        return 200, msgspec.json.encode(answer)

    def summary(self) -> dict[str, Any]:
        """Counts and latencies, as the serve run logs them."""
        p50, p95, p99 = self.stats.quantiles_ms()
        answer = {
            "requests": self.stats.requests,
            "errors": self.stats.errors,
            "p50_ms": p50,
            "p95_ms": p95,
            "p99_ms": p99,
        }
        return answer | {"keys_used_at": dict(self.keys.used_at)}

    def _proof(self, headers: dict[bytes, bytes]) -> tuple[tuple[bytes, bytes], ...]:
        challenge = headers.get(b"x-mlstudio-challenge", b"")[:_CHALLENGE_BYTES]
        if not challenge:
            return ()
        try:
            return ((b"x-mlstudio-proof", self.keys.prove(binascii.unhexlify(challenge)).encode()),)
        except binascii.Error:
            return ()


def _headers(scope: Scope) -> dict[bytes, bytes]:
    """Headers by name; one that must be single and comes twice counts as wrong."""
    headers = dict(scope["headers"])
    if len(headers) != len(scope["headers"]):
        names = [name for name, _ in scope["headers"]]
        for name in (b"host", b"authorization", b"content-type", b"content-length"):
            if names.count(name) > 1:
                raise Forbidden(f"the header {name.decode()} is there twice")
    return headers


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        await asyncio.sleep(0)


def _error(error: StudioError) -> bytes:
    return msgspec.json.encode({"error": error.message, "code": error.code})


def _error_headers(error: StudioError) -> tuple[tuple[bytes, bytes], ...]:
    if isinstance(error, Unauthorized):
        return ((b"www-authenticate", b"Bearer"),)
    if isinstance(error, Unavailable) and not isinstance(error, TimedOut):
        return ((b"retry-after", b"%d" % error.retry_after_s),)
    return ((b"connection", b"close"),) if isinstance(error, TooLarge) else ()
