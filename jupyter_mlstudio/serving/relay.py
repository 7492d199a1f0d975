"""Receives requests for deployments that are none of this process's own: what executes a scoring script receives none
itself, so that who is admitted does not depend on the script.

Caller, key, size and type are checked here; path and content by the process that answers.
"""

from __future__ import annotations

import sys
import traceback
from typing import Any

from jupyter_mlstudio.errors import StudioError, TooLarge, WrongType
from jupyter_mlstudio.serving.config import Routes, ServeConfig
from jupyter_mlstudio.serving.fellows import Fellows
from jupyter_mlstudio.serving.gate import Gate
from jupyter_mlstudio.serving.keys import KeyRing
from jupyter_mlstudio.serving.request import Reply, Request, refusal

FORMS = frozenset({b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data"})
"""Content types that a web page may send anywhere without being asked first."""

_OPEN = {b"/v2/health/live": b'{"live":true}', b"/v2/health/ready": b'{"ready":true}'}


class Relay:
    """An endpoint's server without a model."""

    def __init__(self, config: ServeConfig, port: int, fellows: Fellows) -> None:
        self.config = config
        self.fellows = fellows
        self.keys = KeyRing(config.keys_file, config.limits.failed_keys_per_s)
        self._gate = Gate(self.keys, port, config.limits.body_bytes, config.hosts)

    def go_by(self, routes: Routes) -> None:
        """Goes by new routes from the next request on."""
        self.fellows.update(routes)

    def admit(self, request: Request) -> Reply | None:
        """Checks a request's head; answers only what is not let in."""
        try:
            self._gate.check_caller(request)
            if request.target in _OPEN:
                return Reply(200, _OPEN[request.target], self.keys.proof(request.headers))
            self._gate.check_key(request.headers)
            kind = request.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
            if request.method == b"POST" and kind in FORMS:
                raise WrongType(f"{kind.decode('latin-1')} is not read here")
            length = int(request.headers.get(b"content-length", b"0")[:20])
            if length > self.config.limits.body_bytes:
                raise self._gate.too_large()
        except StudioError as error:
            return refusal(error)
        return None

    def admit_again(self, head: bytes) -> Request | None:
        """Admits none without looking."""
        return None

    def remember(self, head: bytes, request: Request) -> None:
        """Keeps nothing."""

    def answer(self, request: Request) -> Reply | None:
        """Answers only what cannot be passed on."""
        try:
            self.fellows.place_any(request)
        except StudioError as error:
            return refusal(error)
        return None

    async def answer_aside(self, request: Request) -> Reply:
        """Has another process answer."""
        try:
            return await self.fellows.pass_on(request)
        except StudioError as error:
            return refusal(error)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            return refusal(StudioError("the endpoint failed; its log says more"))

    def too_large(self, request: Request) -> Reply:
        """Answers a request whose body grew over the limit while it was read."""
        error: TooLarge = self._gate.too_large()
        return refusal(error)

    def release(self, request: Request) -> None:
        """Holds nothing that could be given back."""

    @staticmethod
    def refusal(error: StudioError) -> Reply:
        """Writes an error as an answer."""
        return refusal(error)

    def close(self) -> None:
        """Has nothing to write."""

    def report(self) -> dict[str, Any]:
        """What was counted since the last report."""
        empty: dict[str, Any] = {"requests": 0, "errors": 0, "buckets": [], "queue": 0}
        return empty | {"keys_used_at": dict(self.keys.used_at)} | self.fellows.summary()
