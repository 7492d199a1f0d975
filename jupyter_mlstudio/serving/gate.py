"""Who may ask, and what may be sent: what is checked of a request's head, before anything of its body is read."""

from __future__ import annotations

from collections.abc import Sequence

from jupyter_mlstudio.errors import Forbidden, TooLarge, Unauthorized, Unavailable, WrongType
from jupyter_mlstudio.serving.keys import KeyRing
from jupyter_mlstudio.serving.paths import Route
from jupyter_mlstudio.serving.request import JSON_TYPE, Request


class TooManyFailures(Unavailable):
    """Too many wrong keys were tried."""

    code = "too_many_failures"
    status = 429


def presented(headers: dict[bytes, bytes]) -> bytes:
    """The key that a request shows, empty when there is none."""
    scheme, _, key = headers.get(b"authorization", b"").partition(b" ")
    return key.strip() if scheme.lower() == b"bearer" else b""


class Gate:
    """The checks of one endpoint.

    Args:
        port: the one that callers name in their Host header.
        body_limit: most bytes of a body.
        hosts: further names, with or without a port.
    """

    def __init__(self, keys: KeyRing, port: int, body_limit: int, hosts: Sequence[str] = ()) -> None:
        self._keys = keys
        self._hosts = {f"{name}:{port}".encode() for name in ("127.0.0.1", "localhost", "[::1]", *hosts)}
        self._hosts |= {name.lower().encode() for name in hosts}
        self._body_limit = body_limit

    def check_caller(self, request: Request) -> None:
        """Refuses web pages, and who reached this port under a name that is not this machine's."""
        headers = request.headers
        if request.repeated:
            raise Forbidden(f"the header {request.repeated.decode()} is there twice")
        host = headers.get(b"host", b"")
        if host not in self._hosts and host.lower() not in self._hosts:
            raise Forbidden("this endpoint answers under 127.0.0.1, localhost and the hosts that it was told of only")
        if b"origin" in headers:
            raise Forbidden("web pages may not call this endpoint; call it through JupyterLab")

    def check_key(self, headers: dict[bytes, bytes]) -> None:
        """Refuses who has no valid key."""
        if not self._keys.check(presented(headers)):
            if self._keys.too_many_failures():
                raise TooManyFailures("too many wrong keys; wait a second", 1)
            raise Unauthorized("a valid key is needed: Authorization: Bearer <key>")

    def check_content(self, request: Request, route: Route) -> int:
        """Finds the dialect by the content type, and answers how long the body may be: as long as it says, or as long
        as is allowed when it does not say."""
        headers = request.headers
        kind = headers.get(b"content-type")
        if kind is not None:
            dialect = route.dialects.get(kind) or route.dialects.get(kind.partition(b";")[0].strip().lower())
            if dialect is None:
                known = b" and ".join(sorted(route.dialects)).decode()
                raise WrongType(f"only {known} is read here")
            request.dialect = dialect
        elif route.dialects.get(JSON_TYPE) is None:
            raise WrongType("the request does not say its content type")
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise WrongType("compressed bodies are not read here")
        if b"transfer-encoding" in headers:
            return self._body_limit
        length = int(headers.get(b"content-length", b"0")[:20])
        if length > self._body_limit:
            raise self.too_large()
        return length

    def too_large(self) -> TooLarge:
        """The error of a body over the limit."""
        return TooLarge(f"the body is larger than {self._body_limit} bytes")
