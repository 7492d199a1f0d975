"""What every scoring process does besides answering: it listens, is told things, tells its counts, and leaves.

Leaving fails no request: it takes no more connections, says good-bye with the next answer on each that it has, and ends
when they are gone, or have been idle for so long that it would have closed them anyway.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any, Protocol

import msgspec

from jupyter_mlstudio.serving.config import Told
from jupyter_mlstudio.serving.connection import Connection, Serves
from jupyter_mlstudio.serving.door import Door
from jupyter_mlstudio.serving.memory import limit_memory

REPORT_S = 1.0
GRACE_S = 5.0
POLL_S = 0.02


class Lines:
    """Lines from a descriptor, without a lock that would be in the way at the end as ``sys.stdin`` has one."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._rest = b""

    def next(self) -> bytes | None:
        """The next line; None at the end."""
        while b"\n" not in self._rest:
            part = os.read(self._descriptor, 65536)
            if not part:
                return None
            self._rest += part
        line, _, self._rest = self._rest.partition(b"\n")
        return line


class Serving(Serves, Protocol):
    """An application that can be run as a process."""

    def go_by(self, routes: Any) -> None:
        """Goes by new routes."""

    def report(self) -> dict[str, Any]:
        """What was counted since the last report."""

    def close(self) -> None:
        """Writes what was not written yet; nothing is asked any more."""


class Process:
    """Runs an application until it is told to end.

    Args:
        listening: the endpoint's socket, shared with other processes.
        lines: what the serve run says.
    """

    def __init__(self, application: Serving, listening: socket.socket, lines: Lines) -> None:
        self._application = application
        self._listening = listening
        self._lines = lines
        self._connections: set[Connection] = set()
        self._inside: set[Connection] = set()
        self._used_s = time.process_time()

    def run(self) -> None:
        """Serves; returns when it was told to end, and ends the process itself when the serve run is gone."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)  # requests leave no cycles behind to look for
        limit_memory(self._application.config.limits.memory_bytes)
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop = loop = asyncio.get_running_loop()
        self._over, self._drained = asyncio.Event(), asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._over.set)
        config = self._application.config
        self._door = Door(self._listening, lambda: Connection(self._application, self._connections), self._connections)
        inner = None
        if config.socket:
            inner = await loop.create_unix_server(
                lambda: Connection(self._application, self._inside, trusted=True), config.socket
            )
            Path(config.socket).chmod(0o600)
        routes = config.routes
        self._door.set(open=routes is None or routes.front, fronts=routes.fronts if routes else 1)
        threading.Thread(target=self._listen, daemon=True).start()
        reports = loop.create_task(self._report())
        await self._over.wait()
        reports.cancel()
        self._door.set(open=False)
        if inner is not None:
            inner.close()
        await self._finish()
        self._application.close()
        say(stats=self._stats())

    async def _finish(self) -> None:
        """Answers what was begun, within :data:`GRACE_S`."""
        deadline = self._loop.time() + GRACE_S
        for connection in (*self._connections, *self._inside):
            connection.finish()
        while (self._connections or self._inside) and self._loop.time() < deadline:
            await asyncio.sleep(POLL_S)

    async def _report(self) -> None:
        """Tells the serve run that it is ready, and then its counts."""
        say(ready=os.getpid())
        while True:
            await asyncio.sleep(REPORT_S)
            say(stats=self._stats())

    def _stats(self) -> dict[str, Any]:
        used_s, self._used_s = self._used_s, time.process_time()
        report = self._application.report()
        return report | {"connections": len(self._connections), "used_s": round(self._used_s - used_s, 4)}

    def _listen(self) -> None:
        """Hears what the serve run says, and ends the process when it is gone, whatever the loop is busy with."""
        while (line := self._lines.next()) is not None:
            self._loop.call_soon_threadsafe(self._told, line)
        os._exit(0)

    def _told(self, line: bytes) -> None:
        told = msgspec.json.decode(line, type=Told)
        if told.board is not None:
            self._application.fellows.board = told.board
        if told.routes is not None:
            self._application.go_by(told.routes)
            self._door.set(open=told.routes.front and not self._is_leaving, fronts=told.routes.fronts)
        if told.shed:
            for connection in list(self._connections)[: round(len(self._connections) * told.shed)]:
                connection.leave()
        if told.drain and not self._is_leaving:
            self._door.set(open=False)
            for connection in (*self._connections, *self._inside):
                connection.leave()
            self._leaving = self._loop.create_task(self._leave())

    @property
    def _is_leaving(self) -> bool:
        return hasattr(self, "_leaving")

    async def _leave(self) -> None:
        """Waits until nobody is connected any more; connections that were on their way in say good-bye as well."""
        while self._connections or self._inside:
            for connection in (*self._connections, *self._inside):
                connection.leave()
            await asyncio.sleep(POLL_S)
        await asyncio.sleep(POLL_S)  # one that was received just before the door was closed
        if self._connections or self._inside:
            await self._leave()
        self._over.set()


_channel = 1


def keep_channel() -> None:
    """Keeps standard output for what is told the serve run: whatever else is printed goes where errors go."""
    global _channel
    sys.stdout.flush()
    _channel = os.dup(1)
    os.dup2(2, 1)


def say(**message: object) -> None:
    """Tells the serve run something."""
    line = msgspec.json.encode(message) + b"\n"
    while line:
        line = line[os.write(_channel, line) :]


def want(deployment: str) -> None:
    """Tells the serve run that a deployment is needed."""
    say(want=deployment)


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
