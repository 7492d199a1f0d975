"""Calls to endpoints of our own: only after the process at the address has proved that it is the one we started."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import secrets
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from jupyter_mlstudio.entities.endpoints import Endpoint, EndpointState
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict, Invalid, NotFound, Unavailable

TIMEOUT_S = 60.0
ANSWER_LIMIT_BYTES = 64 * 1024 * 1024
PATHS = frozenset({
    "v2", "score", "invocations", "openapi.json", "swagger.json", "metrics", "ping", "health", "version",
})  # fmt: skip
"""What is passed on begins with one of these."""

_ASKED = (
    "content-type", "content-encoding", "accept", "inference-header-content-length", "azureml-model-deployment",
    "x-request-id", "x-ms-request-id", "x-ms-client-request-id",
)  # fmt: skip
_ANSWERED = (
    "content-type", "content-length", "retry-after", "allow", "inference-header-content-length",
    "azureml-model-deployment", "x-request-id", "x-ms-run-fn-exec-ms", "x-ms-run-function-failed",
)  # fmt: skip


class Caller:
    """Asks endpoints on behalf of somebody whom Jupyter has authenticated."""

    def score(
        self, endpoint: Endpoint, nonce: str, path: str, body: dict[str, JSON], headers: Mapping[str, str]
    ) -> tuple[int, dict[str, JSON], float]:
        """Sends a scoring request of protocol V2; answers status, answer and milliseconds."""
        began = time.perf_counter()
        content = json.dumps(body, allow_nan=False).encode()
        status, _, answered = self.forward(endpoint, nonce, "POST", path, headers, content)
        latency_ms = (time.perf_counter() - began) * 1000
        try:
            answer = json.loads(answered)
        except ValueError as error:
            raise Unavailable("the endpoint answered with something that is not JSON") from error
        return status, answer if isinstance(answer, dict) else {"answer": answer}, latency_ms

    def forward(
        self, endpoint: Endpoint, nonce: str, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, dict[str, str], bytes]:
        """Passes a request on, with the headers that concern it.

        Raises:
            Conflict: the endpoint is stopped. Unavailable: it starts, has failed, or does not answer.
        """
        if endpoint.url is None:
            why = f": {endpoint.reason}" if endpoint.reason else ""
            refusal = Conflict if endpoint.state is EndpointState.STOPPED else Unavailable  # waiting starts nothing
            raise refusal(f"endpoint {endpoint.name} is {endpoint.state.value.lower()}{why}")
        allowed = {*_ASKED, endpoint.sticky_header}
        passed = {key: value for key, value in headers.items() if key.lower() in allowed}
        if body is not None and "content-type" not in {key.lower() for key in passed}:
            passed["Content-Type"] = "application/json"
        return call(endpoint.url.removesuffix("/v2"), nonce, method, path, body, passed)


def check_forwarded(method: str, path: str) -> str:
    """Checks what is to be passed on; answers the path with its slash.

    Raises:
        NotFound: endpoints have nothing there. Invalid: it is no path, or no method of a scoring request.
    """
    path = path.lstrip("/")
    if path.partition("/")[0] not in PATHS:
        raise NotFound("there is nothing here; the model is at v2/models/NAME")
    if not path.isascii() or any(char <= " " or char in "?#\x7f" for char in path):
        raise Invalid("the path holds characters that a path cannot hold")
    if method not in ("GET", "POST"):
        raise Invalid(f"{method[:20]} is not passed on; the protocol needs GET and POST")
    return "/" + path


def call(
    url: str, nonce: str, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Asks an endpoint; answers status, headers and body.

    The challenge and the request travel over one connection, so that what proved itself is what is asked.

    Raises:
        Unavailable: nothing answers there, or something else does.
    """
    parts = urlsplit(url)
    link = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=TIMEOUT_S)
    try:
        _challenge(link, nonce)
        link.request(method, path, body, {"Authorization": f"Bearer {nonce}", **(headers or {})})
        answer = link.getresponse()
        content = answer.read(ANSWER_LIMIT_BYTES)
        kept = {name.lower(): value for name, value in answer.getheaders() if name.lower() in _ANSWERED}
        return answer.status, kept, content
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(f"the endpoint does not answer ({type(error).__name__})") from error
    finally:
        link.close()


def _challenge(link: http.client.HTTPConnection, nonce: str) -> None:
    challenge = secrets.token_bytes(16)
    link.request("GET", "/v2/health/live", headers={"X-MLStudio-Challenge": challenge.hex()})
    answer = link.getresponse()
    answer.read(4096)
    expected = hmac.new(hashlib.sha256(nonce.encode()).digest(), challenge, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, answer.getheader("X-MLStudio-Proof") or ""):
        raise Unavailable("another program answers at the endpoint's address; it was not asked. Restart the endpoint")
