"""Who may ask: access keys, of which only SHA-256 digests are known here.

The digests stand in a file that only its owner can read and that is read again when it changes: a replaced key is dead
within :data:`CHECK_S`, its successor good at once. A key has 256 random bits, so a fast hash is enough; each is
compared in constant time with every digest there is. A key may have an end, after which it is none.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

CHECK_S = 0.25
CHALLENGE_BYTES = 64
STUDIO = "studio"
"""The digest under this name belongs to the studio itself, which proves and is proved who it is with it."""


class Kept(msgspec.Struct, frozen=True):
    """What the file has of a key: the digest alone, or with the time after which it is refused."""

    sha256: str
    expires_at: datetime | None = None


class KeyRing:
    """The digests of one endpoint's keys."""

    def __init__(self, path: str, failures_per_s: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._next_check = 0.0
        self._stamp: tuple[int, int, int] | None = None
        self._digests: dict[str, bytes] = {}
        self._ends: dict[str, float] = {}
        self._good: dict[bytes, str] = {}
        self._limit = failures_per_s
        self._failures: tuple[int, int] = (0, 0)
        self.used_at: dict[str, float] = {}

    def check(self, presented: bytes) -> bool:
        """Tells whether this is one of the keys, without telling by its time how near it came."""
        self._refresh()
        found = self._good.get(presented) or self._look_up(presented)
        if self._ends and time.time() >= self._ends.get(found, math.inf):
            return False
        if found and found != STUDIO:
            self.used_at[found] = time.time()
        return bool(found)

    def _look_up(self, presented: bytes) -> str:
        """Finds a key by its digest, and keeps it for the next time if it is a good one."""
        digest = hashlib.sha256(presented).digest()
        found = self._find(digest)
        if not found:  # it may be so new that the file was not read since
            self._next_check = 0.0
            self._refresh()
            found = self._find(digest)
        if found:
            self._good[presented] = found
        return found

    def _find(self, digest: bytes) -> str:
        """Compares with every digest there is, wherever it is found."""
        found = ""
        for name, known in self._digests.items():
            if hmac.compare_digest(digest, known):
                found = name
        return found

    def too_many_failures(self) -> bool:
        """Counts a failed attempt; tells whether there were too many in this second."""
        second = int(self._clock())
        count = self._failures[1] + 1 if self._failures[0] == second else 1
        self._failures = (second, count)
        return count > self._limit

    def proof(self, headers: Mapping[bytes, bytes]) -> bytes:
        """The header line that answers a challenge, if there is one."""
        challenge = headers.get(b"x-mlstudio-challenge", b"")[:CHALLENGE_BYTES]
        if not challenge:
            return b""
        try:
            return b"\r\nx-mlstudio-proof: " + self.prove(binascii.unhexlify(challenge)).encode()
        except binascii.Error:
            return b""

    def prove(self, challenge: bytes) -> str:
        """Answers a challenge of the studio, which only this endpoint can."""
        self._refresh()
        return hmac.new(self._digests.get(STUDIO, b""), challenge, hashlib.sha256).hexdigest()

    def _refresh(self) -> None:
        now = self._clock()
        if now < self._next_check:
            return
        self._next_check = now + CHECK_S
        try:
            status = os.stat(self._path)  # noqa: PTH116 - in the path of every request
            stamp = (status.st_mtime_ns, status.st_ino, status.st_size)
            if stamp == self._stamp:
                return
            self._good.clear()
            self._digests = self._read()
            self._stamp = stamp
        except (OSError, ValueError, msgspec.MsgspecError) as error:
            print(f"the key file cannot be read, no key is accepted: {type(error).__name__}", file=sys.stderr)
            self._good.clear()
            self._digests, self._stamp = {}, None

    def _read(self) -> dict[str, bytes]:
        with open(self._path, "rb") as file:  # noqa: PTH123
            kept = msgspec.json.decode(file.read(), type=dict[str, str | Kept])
        known = {name: Kept(one) if isinstance(one, str) else one for name, one in kept.items()}
        self._ends = {name: one.expires_at.timestamp() for name, one in known.items() if one.expires_at is not None}
        return {name: bytes.fromhex(one.sha256) for name, one in known.items()}
