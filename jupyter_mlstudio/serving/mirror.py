"""Sends copies of requests to further deployments, after the client has its answer, and keeps how their answers differ.

Nothing here may delay or change an answer: copies wait in a bounded queue, and when it is full they are dropped and
counted. What was found stands in ``<folder>/<deployment>.jsonl``, one line for each copy, beside the lines before it in
``<deployment>.1.jsonl``.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from jupyter_mlstudio.errors import StudioError
from jupyter_mlstudio.serving.differences import compare
from jupyter_mlstudio.serving.drift import Drift
from jupyter_mlstudio.serving.peers import Peers
from jupyter_mlstudio.serving.request import Reply, Request

WAITING_LIMIT = 256
AT_ONCE = 4
FILE_BYTES = 4 * 1024 * 1024


@dataclass(slots=True)
class Tally:
    """Counts of one deployment's copies since the process started."""

    copies: int = 0
    dropped: int = 0
    failed: int = 0
    disagreements: int = 0
    labels: int = 0
    values: int = 0
    numbers: int = 0
    total_difference: float = 0.0
    max_difference: float = 0.0


class Mirror:
    """The copies that one process sends.

    Args:
        own: the deployment whose answers come from this process itself.
    """

    def __init__(self, peers: Peers, folder: str, own: str) -> None:
        self._peers = peers
        self._folder = Path(folder)
        self._own = own
        self._queue: asyncio.Queue[tuple[str, str, Request, Reply, float]] = asyncio.Queue(WAITING_LIMIT)
        self._tasks: list[asyncio.Task[None]] = []
        self.tallies: dict[str, Tally] = {}
        self._drifts: dict[str, Drift] = {}

    def offer(self, request: Request, reply: Reply) -> None:
        """Takes note of an answer that was written; returns at once."""
        live_ms = (time.perf_counter() - request.began) * 1000
        live = request.goes_to or self._own
        for name in request.copies:
            try:
                self._queue.put_nowait((name, live, request, reply, live_ms))
            except asyncio.QueueFull:
                self._tally(name).dropped += 1
        while len(self._tasks) < AT_ONCE:
            self._tasks.append(asyncio.get_running_loop().create_task(self._send_copies()))

    def summary(self) -> dict[str, Any]:
        """The counts, by deployment; those of the answers' distributions are new ones since it was asked last."""
        return {
            name: msgspec.to_builtins(tally) | {"drift": self._drifts[name].take() if name in self._drifts else {}}
            for name, tally in self.tallies.items()
        }

    async def _send_copies(self) -> None:
        while True:
            name, live, request, reply, live_ms = await self._queue.get()
            try:
                await self._send_copy(name, live, request, reply, live_ms)
            except Exception as error:  # a fault of the comparison must not end the ones after it
                print(f"a copy for {name} could not be compared: {type(error).__name__}", file=sys.stderr)
                self._tally(name).failed += 1

    async def _send_copy(self, name: str, live: str, request: Request, reply: Reply, live_ms: float) -> None:
        tally = self._tally(name)
        began = time.perf_counter()
        try:
            copy: Reply = await self._peers.ask(name, request, request.content)
        except StudioError as error:
            tally.failed += 1
            self._write(name, {"live": live, "live_status": reply.status, "copy_status": error.status})
            return
        tally.copies += 1
        line: dict[str, Any] = {
            "live": live, "live_status": reply.status, "copy_status": copy.status, "live_ms": round(live_ms, 3),
            "copy_ms": round((time.perf_counter() - began) * 1000, 3),
        }  # fmt: skip
        if reply.status == copy.status == 200:
            found = compare(reply, copy, self._drifts.setdefault(name, Drift()))
            line |= found.as_dict()
            tally.labels += found.labels
            tally.values += found.values
            tally.numbers += found.numbers
            tally.total_difference += found.total_difference
            tally.max_difference = max(tally.max_difference, found.max_difference)
        else:
            line["disagrees"] = reply.status != copy.status
            tally.failed += int(copy.status >= 500)
        tally.disagreements += int(line["disagrees"])
        self._write(name, line)

    def _tally(self, name: str) -> Tally:
        if name not in self.tallies:
            self.tallies[name] = Tally()
        return self.tallies[name]

    def _write(self, name: str, line: dict[str, Any]) -> None:
        if not str(self._folder) or str(self._folder) == ".":
            return
        line = {"at": datetime.now(UTC).isoformat(), "deployment": name, **line}
        try:
            append(self._folder / f"{name}.jsonl", msgspec.json.encode(line) + b"\n")
        except OSError as error:
            print(f"a difference of {name} could not be kept: {error.strerror}", file=sys.stderr)


def append(path: Path, line: bytes) -> None:
    """Appends a line to a file that other processes append to as well; a file that is full makes room for a new one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        os.write(handle, line)
        full = os.fstat(handle).st_size > FILE_BYTES
        if full and path.exists() and path.stat().st_ino == os.fstat(handle).st_ino:
            path.replace(path.with_suffix(".1.jsonl"))
    finally:
        os.close(handle)
