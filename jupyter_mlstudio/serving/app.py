"""What the scoring server answers, and to whom: Open Inference Protocol V2.

Specification: Open Inference Protocol V2, "HTTP/REST". What a request passes, in this order: the Host that it names, no
Origin (no browser page may ask), the key, the path, the method, the content type and size, and only then its content.
"""

from __future__ import annotations

import binascii
import sys
import time
import traceback
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
from jupyter_mlstudio.serving.request import Reply, Request
from jupyter_mlstudio.serving.stats import Stats

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
        self._held_bytes = 0
        self._body_limit = config.limits.body_bytes
        self._hosts = {f"{name}:{port}".encode() for name in ("127.0.0.1", "localhost", "[::1]")}
        self._names = [(config.model.encode(), config.version.encode())]
        self._routes: dict[bytes, tuple[str, bytes]] = {}

    def admit(self, request: Request) -> Reply | None:
        """Checks a request's head; answers only what is not let in."""
        allowed = b""
        try:
            kind, method = self._route(request.target)
            self._check_caller(request)
            if kind not in ("live", "ready"):
                self._check_key(request.headers)
            if not kind:
                raise NotFound("there is nothing here; the model is at /v2/models/NAME")
            if request.method != method:
                allowed = b"\r\nallow: " + method
                raise WrongMethod(f"{request.method[:20].decode('latin-1')} does not work here, use {method.decode()}")
            request.kind = kind
            if kind == "infer":
                self._hold(request)
        except StudioError as error:
            return self._turned_down(request, error, allowed)
        return None

    def answer(self, request: Request) -> Reply | None:
        """Answers a request that is there as a whole; None when it has to be answered aside, because it may be slow."""
        self.release(request)
        try:
            if request.kind != "infer":
                return self._tell(request)
            inference = self.engine.protocol.read(request.body)
            if not self.engine.is_quick(inference.rows):
                request.inference, request.body = inference, b""
                return None
            body = self.engine.protocol.write(inference, self.engine.run(inference))
        except StudioError as error:
            return self._turned_down(request, error)
        except Exception:
            return self._failed(request)
        self.stats.record(_perf_counter() - request.began, True)
        return Reply(200, body)

    async def answer_aside(self, request: Request) -> Reply:
        """Answers a request by a run of the model in a thread; cancelling it ends the run."""
        assert request.inference is not None
        try:
            answer = await self.engine.run_aside(request.inference)
            body = self.engine.protocol.write(request.inference, answer)
        except StudioError as error:
            return self._turned_down(request, error)
        except Exception:
            return self._failed(request)
        self.stats.record(_perf_counter() - request.began, True)
        return Reply(200, body)

    def too_large(self, request: Request) -> Reply:
        """Answers a request whose body grew over the limit while it was read."""
        return self._turned_down(request, self._too_large())

    def release(self, request: Request) -> None:
        """Gives back the place that was held for a request's body."""
        self._held_bytes -= request.held_bytes
        request.held_bytes = 0

    @staticmethod
    def refusal(error: StudioError) -> Reply:
        """Writes an error as an answer."""
        body = msgspec.json.encode({"error": error.message, "code": error.code})
        return Reply(error.status, body, _error_lines(error), last=isinstance(error, TooLarge))

    def _turned_down(self, request: Request, error: StudioError, lines: bytes = b"") -> Reply:
        self.release(request)
        if request.kind == "infer":
            self.stats.record(_perf_counter() - request.began, False)
        reply = self.refusal(error)
        reply.lines += lines
        return reply

    def _failed(self, request: Request) -> Reply:
        """Writes a fault of the server's own into its log, and nothing of it to the client."""
        traceback.print_exc(file=sys.stderr)
        return self._turned_down(request, StudioError("the endpoint failed; its log says more"))

    def _hold(self, request: Request) -> None:
        """Checks what a body is said to be, and keeps a place for it."""
        length = self._check_content(request.headers)
        if self._held_bytes + length > HELD_BODIES * self._body_limit:
            raise Unavailable("the endpoint has as many requests as it can hold; try again", 1)
        self._held_bytes += length
        request.held_bytes = length

    def _route(self, target: bytes) -> tuple[str, bytes]:
        """Finds what a path stands for. It is split before it is decoded, once, so ``..%2f`` is only a strange name."""
        if (known := self._routes.get(target)) is not None:
            return known
        path = target.partition(b"?")[0]
        found = self._resolve([unquote_to_bytes(part) for part in path.split(b"/")])
        if found[0] and len(self._routes) < 64:
            self._routes[path] = found
        return found

    def _resolve(self, parts: list[bytes]) -> tuple[str, bytes]:
        match parts:
            case [b"", b"v2"]:
                return "server", b"GET"
            case [b"", b"v2", b"health", (b"live" | b"ready") as what]:
                return what.decode(), b"GET"
            case [b"", b"v2", b"models", name, *rest] if name == self._names[0][0]:
                if len(rest) >= 2 and rest[0] == b"versions":
                    if rest[1] != self._names[0][1]:
                        return "", b"GET"
                    rest = rest[2:]
                kinds = {(): "model", (b"ready",): "model ready", (b"infer",): "infer", (b"stats",): "stats"}
                kind = kinds.get(tuple(rest), "")
                return kind, b"POST" if kind == "infer" else b"GET"
        return "", b"GET"

    def _check_caller(self, request: Request) -> None:
        headers = request.headers
        if request.repeated:
            raise Forbidden(f"the header {request.repeated.decode()} is there twice")
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
        if b"transfer-encoding" in headers:
            return self._body_limit
        length = int(headers.get(b"content-length", b"0")[:20])
        if length > self._body_limit:
            raise self._too_large()
        return length

    def _too_large(self) -> TooLarge:
        return TooLarge(f"the body is larger than {self._body_limit} bytes")

    def _tell(self, request: Request) -> Reply:
        """Answers what needs no model run."""
        match request.kind:
            case "live":
                return Reply(200, b'{"live":true}', self._proof(request.headers))
            case "ready":
                return Reply(200, b'{"ready":true}', self._proof(request.headers))
            case "server":
                answer: dict[str, Any] = {"name": "jupyter_mlstudio", "version": __version__, "extensions": []}
            case "model ready":
                answer = {"name": self.config.model, "ready": True}
            case "stats":
                answer = self.summary()
            case _:
                answer = self.engine.protocol.metadata()
        return Reply(200, msgspec.json.encode(answer))

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

    def _proof(self, headers: dict[bytes, bytes]) -> bytes:
        challenge = headers.get(b"x-mlstudio-challenge", b"")[:_CHALLENGE_BYTES]
        if not challenge:
            return b""
        try:
            return b"\r\nx-mlstudio-proof: " + self.keys.prove(binascii.unhexlify(challenge)).encode()
        except binascii.Error:
            return b""


def _error_lines(error: StudioError) -> bytes:
    if isinstance(error, Unauthorized):
        return b"\r\nwww-authenticate: Bearer"
    if isinstance(error, Unavailable) and not isinstance(error, TimedOut):
        return b"\r\nretry-after: %d" % error.retry_after_s
    return b""
