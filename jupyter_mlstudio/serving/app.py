"""What the scoring server answers, and to whom.

What a request passes, in this order: the Host that it names, no Origin (no browser page may ask), the key, the path,
the method, the content type and size, and only then its content, which a dialect reads.
"""

from __future__ import annotations

import sys
import time
import traceback
import uuid
from pathlib import Path
from typing import Any

import msgspec

from jupyter_mlstudio.errors import NotFound, StudioError, TimedOut, Unavailable
from jupyter_mlstudio.serving.collector import Collection, Collector
from jupyter_mlstudio.serving.config import Routes, ServeConfig
from jupyter_mlstudio.serving.dialects import table_of_dialects
from jupyter_mlstudio.serving.dialects.base import is_identity
from jupyter_mlstudio.serving.engine import Computes
from jupyter_mlstudio.serving.fellows import Fellows
from jupyter_mlstudio.serving.gate import Gate, presented
from jupyter_mlstudio.serving.heads import Heads
from jupyter_mlstudio.serving.keys import KeyRing
from jupyter_mlstudio.serving.metrics import Meter, Series, Tally, text
from jupyter_mlstudio.serving.paths import Paths
from jupyter_mlstudio.serving.peers import COPY
from jupyter_mlstudio.serving.request import Reply, Request, refusal
from jupyter_mlstudio.serving.stats import Stats
from jupyter_mlstudio.serving.told import Teller

HELD_BODIES = 8
"""How many bodies of the largest size may be on their way at once."""

_perf_counter = time.perf_counter


class WrongMethod(StudioError):
    """The path exists, the method on it does not."""

    code = "method_not_allowed"
    status = 405


class Application:
    """One endpoint's server."""

    def __init__(
        self, config: ServeConfig, engine: Computes, port: int, stats: Stats, fellows: Fellows | None = None
    ) -> None:
        self.config = config
        self.engine = engine
        self.stats = stats
        self.keys = KeyRing(config.keys_file, config.limits.failed_keys_per_s)
        self.paths = Paths(config.model, config.version, table_of_dialects(config, engine.protocol))
        self._gate = Gate(self.keys, port, config.limits.body_bytes, config.hosts)
        self._teller = Teller(config, engine.protocol, self.keys, port, self.summary, self.metrics)
        self.meter = Meter()
        self._collector = self._open_collector()
        self._heads = Heads()
        self._held_bytes = 0
        self._told = (stats.requests, stats.errors)
        self._body_limit = config.limits.body_bytes
        self.copies = Stats()
        self.fellows = fellows or Fellows(config)
        self.go_by(self.fellows.routes)
        self._deployment = b"\r\nazureml-model-deployment: " + config.deployment.encode()

    def go_by(self, routes: Routes) -> None:
        """Goes by new routes from the next request on."""
        self.fellows.update(routes)
        self.paths.know((one.model, one.version) for one in routes.deployments.values())
        self._heads.clear()

    def admit(self, request: Request) -> Reply | None:
        """Checks a request's head; answers only what is not let in."""
        allowed = b""
        try:
            route = self.paths.find(request.target)
            if request.trusted:
                request.copy = COPY in request.headers
            else:
                self._gate.check_caller(request)
                if not route.open:
                    self._gate.check_key(request.headers)
            if not route.kind:
                raise NotFound("there is nothing here; the model is at /v2/models/NAME")
            if request.method != route.method:
                allowed = b"\r\nallow: " + route.method
                raise WrongMethod(
                    f"{request.method[:20].decode('latin-1')} does not work here, use {route.method.decode()}"
                )
            request.kind = route.kind
            if route.usual is not None:
                request.dialect = route.usual
                self._hold(request, self._gate.check_content(request, route))
        except StudioError as error:
            return self._turned_down(request, error, allowed)
        return None

    def admit_again(self, head: bytes) -> Request | None:
        """Admits a request whose head was let in before, byte for byte; None when it has to be read and checked."""
        known = self._heads.find(head)
        if known is None or not self.keys.check(known.key):
            return None
        if self._held_bytes + known.length > HELD_BODIES * self._body_limit:
            return None
        self._held_bytes += known.length
        return Request(
            known.target, known.method, known.headers, kind=known.kind, dialect=known.dialect,
            held_bytes=known.length, began=_perf_counter(),
        )  # fmt: skip

    def remember(self, head: bytes, request: Request) -> None:
        """Keeps the head of a request that was admitted, for :meth:`admit_again`."""
        self._heads.keep(head, request, presented(request.headers))

    def answer(self, request: Request) -> Reply | None:
        """Answers a request that is there as a whole; None when it has to be answered aside, because it may be slow."""
        self.release(request)
        try:
            if self.fellows.place(request):
                return None
            dialect = request.dialect
            if dialect is None:
                return self._teller.tell(request)
            if not dialect.loaded:
                return None
            inference = request.inference = dialect.read(request.body, request.headers)
            request.body = b""
            if not self.engine.is_quick(inference.rows):
                return None
            began = _perf_counter()
            tensors = self.engine.run(inference)
            request.run_s = _perf_counter() - began
            return self._answered(request, tensors)
        except StudioError as error:
            return self._turned_down(request, error)
        except Exception:
            return self._failed(request)

    async def answer_aside(self, request: Request) -> Reply:
        """Answers a request by a run of the model in a thread; cancelling it ends the run."""
        try:
            if request.goes_to:
                return await self.fellows.pass_on(request)
            if request.inference is None:
                assert request.dialect is not None
                await self.engine.aside(request.dialect.load)
                request.inference = request.dialect.read(request.body, request.headers)
                request.body = b""
            began = _perf_counter()
            tensors = await self.engine.run_aside(request.inference)
            request.run_s = _perf_counter() - began
            return self._answered(request, tensors)
        except StudioError as error:
            return self._turned_down(request, error)
        except Exception:
            return self._failed(request)

    def too_large(self, request: Request) -> Reply:
        """Answers a request whose body grew over the limit while it was read."""
        return self._turned_down(request, self._gate.too_large())

    def release(self, request: Request) -> None:
        """Gives back the place that was held for a request's body."""
        self._held_bytes -= request.held_bytes
        request.held_bytes = 0

    @staticmethod
    def refusal(error: StudioError) -> Reply:
        """Writes an error as an answer."""
        return refusal(error)

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

    def metrics(self) -> bytes:
        """The endpoint's numbers as Prometheus reads them: those of all its processes, where they were added up."""
        board = self.fellows.board
        told: dict[str, Any] = board["deployments"] if board is not None else {}
        own = {"meter": self.meter.total().as_dict(), "queue": self.engine.waiting, "collected": self._collected()}
        series = []
        for name, target in self.fellows.routes.deployments.items():
            numbers = told.get(name, {})
            if "meter" not in numbers:
                numbers = own if name == self.config.deployment else {}
            tally = Tally()
            tally.add(numbers.get("meter", {}))
            series.append(
                Series(
                    self.config.endpoint, name, target.model, target.version, tally,
                    int(numbers.get("queue", 0)), numbers.get("collected", {}),
                )
            )  # fmt: skip
        return text(series)

    def _collected(self) -> dict[str, int]:
        return self._collector.counts() if self._collector is not None else {}

    def report(self) -> dict[str, Any]:
        """What was counted since the last report, for the serve run to add up."""
        requests, errors = self.stats.requests - self._told[0], self.stats.errors - self._told[1]
        self._told = self.stats.requests, self.stats.errors
        self.copies.turn()
        counts = {"requests": requests, "errors": errors, "buckets": self.stats.turn(), "queue": self.engine.waiting}
        counts |= {"meter": self.meter.report(), "collected": self._collected()}
        return counts | {"keys_used_at": dict(self.keys.used_at)} | self.fellows.summary()

    def _answered(self, request: Request, tensors: list[Any]) -> Reply:
        """Writes the model's answer."""
        assert request.dialect is not None
        assert request.inference is not None
        written = request.dialect.write(request.inference, tensors)
        lines = self._deployment + written.lines + request.dialect.lines(request.headers, request.run_s, False)
        taken = self._collector is not None and not request.copy and self._collector.samples()
        identity = _identity(request, taken)
        if identity:
            lines += b"\r\nx-request-id: " + identity
        if taken and self._collector is not None:
            self._collector.take(identity.decode(), request.inference, tensors)
        self._count(request, 200)
        return Reply(200, written.body, lines, media=written.media)

    def _turned_down(self, request: Request, error: StudioError, lines: bytes = b"") -> Reply:
        self.release(request)
        reply = refusal(error)
        if request.dialect is not None:
            if not request.goes_to:  # else it was counted on the way there
                self._count(request, error.status)
            reply.body = request.dialect.refusal(error)
            reply.lines += self._deployment + request.dialect.lines(request.headers, request.run_s, _is_fault(error))
            if identity := _identity(request, False):
                reply.lines += b"\r\nx-request-id: " + identity
        reply.lines += lines
        return reply

    def _open_collector(self) -> Collector | None:
        collection = msgspec.convert(self.config.collector, Collection)
        if not collection.enabled or not self.config.collected_folder or self.config.signature is None:
            return None
        return Collector(
            collection, Path(self.config.collected_folder), self.config.deployment, self.config.version,
            self.config.signature,
        )  # fmt: skip

    def close(self) -> None:
        """Writes what was collected."""
        if self._collector is not None:
            self._collector.close()

    def _count(self, request: Request, status: int) -> None:
        seconds = _perf_counter() - request.began
        if request.copy:
            self.copies.record(seconds, status == 200)
        else:
            self.stats.record(seconds, status == 200)
            self.meter.record(status, seconds)

    def _failed(self, request: Request) -> Reply:
        """Writes a fault of the server's own into its log, and nothing of it to the client."""
        traceback.print_exc(file=sys.stderr)
        return self._turned_down(request, StudioError("the endpoint failed; its log says more"))

    def _hold(self, request: Request, length: int) -> None:
        """Keeps a place for a body."""
        if self._held_bytes + length > HELD_BODIES * self._body_limit:
            raise Unavailable("the endpoint has as many requests as it can hold; try again", 1)
        self._held_bytes += length
        request.held_bytes = length


def _identity(request: Request, needed: bool) -> bytes:
    """What the caller calls its request, else a new name where one is needed; empty where none is."""
    sent = request.headers.get(b"x-request-id", b"")
    if sent and is_identity(sent):
        return sent
    assert request.dialect is not None
    if not needed and not request.dialect.named:
        return b""
    own = (getattr(request.inference, "id", None) or "").encode()
    return own if own and is_identity(own) else uuid.uuid4().hex.encode()


def _is_fault(error: StudioError) -> bool:
    return error.status >= 500 and (isinstance(error, TimedOut) or not isinstance(error, Unavailable))
