"""The endpoint's listening socket, as one of several processes that receive connections from it.

Each takes one connection at a time, so that they share them; one that holds some already lets the others go first. The
socket belongs to the serve run: what no process takes waits there, also while all of them are replaced.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sized

COURTESY_S = 0.0002
"""So long a process waits, for each connection it holds, before it takes another one that is not taken by then."""

COURTESY_LIMIT_S = 0.005
BACKLOG = 2048
NO_ROOM_S = 0.1
IN_A_ROW = 64
"""So many a process takes at once that receives alone."""


class Door:
    """Receives connections while it is open.

    Args:
        listening: the socket, shared with other processes.
        receive: makes the protocol of a connection.
        held: the connections that this process holds.
    """

    def __init__(self, listening: socket.socket, receive: Callable[[], asyncio.Protocol], held: Sized) -> None:
        listening.listen(BACKLOG)
        listening.setblocking(False)
        self._listening = listening
        self._receive = receive
        self._held = held
        self._loop = asyncio.get_running_loop()
        self._open = False
        self._fronts = 1
        self._pause: asyncio.TimerHandle | None = None
        self._greeted: set[asyncio.Task[None]] = set()

    def set(self, *, open: bool, fronts: int = 1) -> None:
        """Opens or closes it, as one of so many."""
        self._fronts = fronts
        if open == self._open:
            return
        self._open = open
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        if open:
            self._loop.add_reader(self._listening, self._knocked)
        else:
            self._loop.remove_reader(self._listening)

    def _knocked(self) -> None:
        if self._fronts == 1:
            for _ in range(IN_A_ROW):
                if not self._take():
                    return
        elif len(self._held):
            self._wait(min(len(self._held) * COURTESY_S, COURTESY_LIMIT_S))
        else:
            self._take()

    def _wait(self, seconds: float) -> None:
        self._loop.remove_reader(self._listening)
        self._pause = self._loop.call_later(seconds, self._resume)

    def _resume(self) -> None:
        self._pause = None
        self._take()
        if self._pause is None and self._open:
            self._loop.add_reader(self._listening, self._knocked)

    def _take(self) -> bool:
        """Takes one connection; False when there is none (any more), or no room for any."""
        try:
            link, _ = self._listening.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return False
        except OSError:  # no more files may be opened: it stays in the queue until some are closed
            self._wait(NO_ROOM_S)
            return False
        link.setblocking(False)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = self._loop.create_task(self._greet(link))
        self._greeted.add(task)
        task.add_done_callback(self._greeted.discard)
        return True

    async def _greet(self, link: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._receive, link)
        except OSError:
            link.close()
