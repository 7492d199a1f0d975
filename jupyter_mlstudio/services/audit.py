"""The audit log: who did what that matters for security, in a file that only grows and vouches for itself.

One JSON object a line. Each holds the SHA-256 of the line before it, so that an edit or a hole in the middle shows; the
number and digest of the last line stand in a file beside it, so that a cut at the end shows too. Whoever has this
account can write both anew: this tells of accidents and of hands that do not know, not of the account's owner.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jupyter_mlstudio.entities.values import JSON, utc_now

FILE = "audit.jsonl"
HEAD = "audit.head"
BEGINNING = "0" * 64
"""What the first line says of the line before it."""

TAIL_BYTES = 64 * 1024
TEXT_LIMIT = 400
"""Longest text of an entry: callers choose names and ids."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Verified:
    """What the check of an audit log found: ``problem`` is empty when it is whole."""

    entries: int
    problem: str = ""


class Audit:
    """The audit log of a workspace. Safe to use from many threads and processes.

    Args:
        folder: where its two files are, which only their owner may read.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._head = folder / HEAD

    def note(self, actor: str, action: str, resource: str, outcome: str, **details: JSON) -> None:
        """Adds an entry; it is on the disk when this returns.

        Args:
            actor: who asked.
            action: what was asked for, as the API calls the operation.
            resource: what it was done to, e.g. ``endpoints/iris/keys/primary``.
            outcome: ``done``, or the code of the refusal.
            details: never a key, a token or data. None is left out.
        """
        with self._locked() as handle:
            last = _last_line(handle)
            seq = 1 if last is None else int(json.loads(last)["seq"]) + 1
            entry: dict[str, JSON] = {
                "time": utc_now().isoformat(), "seq": seq, "actor": actor[:TEXT_LIMIT], "action": action,
                "resource": resource[:TEXT_LIMIT], "outcome": outcome,
            }  # fmt: skip
            entry |= {
                name: value[:TEXT_LIMIT] if isinstance(value, str) else value
                for name, value in details.items()
                if value is not None
            }
            entry["previous"] = BEGINNING if last is None else _digest(last)
            line = json.dumps(entry, allow_nan=False).encode()
            _write(handle, line + b"\n")
            self._write_head(seq, _digest(line))

    def tell(self, actor: str, action: str, resource: str, outcome: str, **details: JSON) -> None:
        """Adds an entry, as :meth:`note` does; that it cannot be written is said in the log of the process, for what
        it tells of has happened."""
        try:
            self.note(actor, action, resource, outcome, **details)
        except (OSError, ValueError) as error:
            _log.error("the audit log cannot be written (%s): %s %s %s by %s", error, action, resource, outcome, actor)

    def entries(self) -> Iterator[dict[str, JSON]]:
        """Reads all entries, the oldest first."""
        if self.path.exists():
            with self.path.open("rb") as file:
                for line in file:
                    yield json.loads(line)

    def verify(self) -> Verified:
        """Looks for a change, a hole or a cut."""
        try:
            with self._locked() as handle, os.fdopen(os.dup(handle), "rb") as file:
                file.seek(0)
                return self._verify(file)
        except OSError as error:
            return Verified(0, f"the audit log cannot be read: {error.strerror}")

    def _verify(self, lines: Iterator[bytes]) -> Verified:
        seq, previous = 0, BEGINNING
        head_seq, head = self._read_head()
        for line in lines:
            entry = _parsed(line)
            if entry is None:
                return Verified(seq, f"line {seq + 1} is not an entry: it was changed or cut")
            if entry.get("seq") != seq + 1 or entry.get("previous") != previous:
                return Verified(seq, f"line {seq + 1} does not follow the one before it: something was changed or cut")
            seq, previous = seq + 1, _digest(line.rstrip(b"\n"))
            if seq == head_seq and previous != head:
                return Verified(seq - 1, f"line {seq} is not what was written: it was changed")
        if seq < head_seq:
            return Verified(seq, f"{head_seq - seq} entries are missing at the end")
        if seq > head_seq + 1:  # one more is an end between the two writes
            return Verified(seq, f"{self._head.name} tells of {head_seq} entries and there are {seq}: it was changed")
        return Verified(seq)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle
        finally:
            os.close(handle)

    def _read_head(self) -> tuple[int, str]:
        try:
            number, _, digest = self._head.read_text(encoding="ascii").strip().partition(" ")
            return int(number), digest
        except (OSError, ValueError):
            return 0, ""

    def _write_head(self, seq: int, digest: str) -> None:
        handle = os.open(self._head, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.pwrite(handle, f"{seq:>20} {digest}\n".encode(), 0)  # always of the same length, so no rest stays
            os.fsync(handle)
        finally:
            os.close(handle)


def _last_line(handle: int) -> bytes | None:
    """The last whole line. The rest of a write that did not end is taken away: nobody was told that it happened."""
    size = os.fstat(handle).st_size
    tail = os.pread(handle, TAIL_BYTES, max(size - TAIL_BYTES, 0))
    whole = tail[: tail.rfind(b"\n") + 1]
    if len(whole) < len(tail):
        os.ftruncate(handle, size - (len(tail) - len(whole)))
    return whole.splitlines()[-1] if whole else None


def _write(handle: int, line: bytes) -> None:
    size = os.fstat(handle).st_size
    try:
        while line:
            line = line[os.write(handle, line) :]
        os.fsync(handle)
    except OSError:
        os.ftruncate(handle, size)
        raise


def _parsed(line: bytes) -> dict[str, JSON] | None:
    try:
        found = json.loads(line) if line.endswith(b"\n") else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()
