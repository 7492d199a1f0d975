"""Calls to endpoints of our own: only after the process at the address has proved that it is the one we started."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

from jupyter_mlstudio.errors import Unavailable

TIMEOUT_S = 60.0
ANSWER_LIMIT_BYTES = 64 * 1024 * 1024
_PASSED = ("content-type", "content-length", "retry-after", "allow")


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
        kept = {name.lower(): value for name, value in answer.getheaders() if name.lower() in _PASSED}
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
