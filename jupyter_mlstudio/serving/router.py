"""Which deployment answers a request: the one that it names, that its sender always gets, or whose turn it is.

Turns are taken by a Weyl sequence of the golden ratio, whose shares are exact to within a request or two however few
there are, without the period that a client's own pattern could fall in step with (Niederreiter, "Random Number
Generation and Quasi-Monte Carlo Methods", 1992, chapter 3). Senders are placed by weighted rendezvous hashing, which
moves as few of them as the change of the shares itself does (Schindelhauer and Schomaker, SPAA 2005).
"""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

from jupyter_mlstudio.errors import NotFound, Unavailable
from jupyter_mlstudio.serving.config import Routes
from jupyter_mlstudio.serving.request import Request

PIN = b"azureml-model-deployment"
"""Names the deployment that is to answer; Azure's header."""

_GOLDEN = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


class Split:
    """Shares of a whole, in any unit."""

    def __init__(self, weights: Mapping[str, int], start: int | None = None) -> None:
        self._weights = {name: weight for name, weight in sorted(weights.items()) if weight > 0}
        self._table = [name for name, weight in self._weights.items() for _ in range(weight)]
        self._position = secrets.randbits(64) if start is None else start

    def __bool__(self) -> bool:
        return bool(self._table)

    def next(self) -> str:
        """Whose turn it is."""
        self._position = (self._position + _GOLDEN) & _MASK
        return self._table[self._position * len(self._table) >> 64]

    def after(self, weights: Mapping[str, int]) -> Split:
        """Other shares, or the same, that go on where these are: without a break in how even they are."""
        return Split(weights, self._position)

    def of(self, value: bytes) -> str:
        """Who always gets requests with this value."""
        return max(self._weights, key=lambda name: self._score(name, value))

    def _score(self, name: str, value: bytes) -> float:
        digest = hashlib.blake2b(value, digest_size=8, key=name.encode()[:64]).digest()
        uniform = (int.from_bytes(digest) + 1) / (_MASK + 2)
        return -self._weights[name] / math.log(uniform)


class Router:
    """The routes of an endpoint, as one of its processes goes by them.

    Args:
        own: the deployment whose model is in this process, empty when there is none.
    """

    def __init__(self, own: str, routes: Routes) -> None:
        self._own = own
        self._split = Split({})
        self._mirrors: dict[str, Split] = {}
        self.update(routes)

    def update(self, routes: Routes) -> None:
        """Goes by new routes from the next request on."""
        self.routes = routes
        self._names = {name.encode(): name for name in routes.deployments}
        self._split = self._split.after(routes.traffic)
        self._versions: dict[str, Split] = {}
        self._sticky = routes.sticky_header.lower().encode()
        shares = {name: {name: share, "": 100 - share} for name, share in routes.mirror.items() if share}
        self._mirrors = {name: self._mirrors.get(name, Split({})).after(share) for name, share in shares.items()}
        full = routes.traffic.get(self._own, 0) >= 100
        self._alone = bool(self._own) and full and len(routes.deployments) <= 1 and not self._mirrors

    def place(self, request: Request) -> str:
        """Chooses the deployment that scores a request, and those that get a copy; empty when it is this process's own.

        Raises:
            NotFound: it names a deployment or a version that there is not.
            Unavailable: no deployment gets any requests.
        """
        headers = request.headers
        if (self._alone and PIN not in headers) or request.trusted:
            return ""
        if (pin := headers.get(PIN)) is not None:
            return self._other(self._pinned(pin))
        split = self._split_of(request.target)
        if not split:
            raise Unavailable("no deployment of this endpoint gets any requests: set its traffic, or name one", 5)
        value = headers.get(self._sticky) if self._sticky else None
        chosen = split.of(value) if value else split.next()
        if self._mirrors:
            request.copies = [name for name, dice in self._mirrors.items() if name != chosen and dice.next()]
            request.content = request.body if request.copies else b""
        return self._other(chosen)

    def look_up(self, request: Request) -> str:
        """Chooses who says what a model is: its own process where it can, else the deployment with the most traffic."""
        if request.trusted:
            return ""
        if (pin := request.headers.get(PIN)) is not None:
            return self._other(self._pinned(pin))
        version = _version(request.target)
        known = {name: target for name, target in self.routes.deployments.items() if target.version == version}
        if version and self._own not in known and known:
            return next(iter(known))
        if self._own or not self.routes.deployments:
            return ""
        return max(self.routes.deployments, key=lambda name: self.routes.traffic.get(name, 0))

    def _other(self, name: str) -> str:
        return "" if name == self._own else name

    def _pinned(self, pin: bytes) -> str:
        name = self._names.get(pin.strip())
        if name is None:
            raise NotFound(f"this endpoint has no deployment {pin[:80].decode('latin-1')!r}")
        return name

    def _split_of(self, target: bytes) -> Split:
        """The shares of all deployments, or of those that have the version that the path names."""
        version = _version(target)
        if not version:
            return self._split
        if version not in self._versions:
            having = [name for name, one in self.routes.deployments.items() if one.version == version]
            shares = {name: self.routes.traffic.get(name, 0) for name in having}
            if not any(shares.values()):
                shares = dict.fromkeys(having, 1)
            if not shares:
                raise NotFound("this endpoint has no deployment of that version")
            self._versions[version] = Split(shares)
        return self._versions[version]


def _version(target: bytes) -> str:
    if b"/versions/" not in target:
        return ""
    part = target.partition(b"?")[0].partition(b"/versions/")[2].partition(b"/")[0]
    return unquote_to_bytes(part).decode("latin-1")
