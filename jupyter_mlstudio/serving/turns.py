"""Turns: as many requests are worked on as there are threads, some wait, and all others are told to come again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from jupyter_mlstudio.serving.config import Limits
from jupyter_mlstudio.serving.request import Busy

P = ParamSpec("P")
T = TypeVar("T")


class Turns:
    """Threads, and the line before them. One event loop uses it.

    Args:
        limits: how many requests there may be, and how long one waits.
        threads: how many work at once; ``name`` is what they are called in a dump.
    """

    def __init__(self, limits: Limits, threads: int, name: str) -> None:
        self._limits = limits
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._free = asyncio.Semaphore(threads)
        self._asked = 0

    @property
    def waiting(self) -> int:
        """How many requests wait for their turn."""
        return max(self._asked - self._threads, 0)

    async def begin(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """Begins work in a thread when it is its turn, which ends with the work, whoever still waits for its answer.

        Raises:
            Busy: too many requests wait already, or this one has waited for too long.
        """
        if self._asked >= self._limits.max_concurrent_requests:
            raise Busy("the deployment has as many requests as it can work on; try again", 1)
        self._asked += 1
        try:
            async with asyncio.timeout(self._limits.queue_wait_s):
                await self._free.acquire()
        except BaseException as error:
            self._asked -= 1
            if isinstance(error, TimeoutError):
                waited_s = self._limits.queue_wait_s
                raise Busy(f"the request waited {waited_s:g} s for its turn; try again", 1) from error
            raise
        begun = asyncio.get_running_loop().run_in_executor(self._pool, lambda: work(*args, **kwargs))
        begun.add_done_callback(self._done)
        return begun

    async def aside(self, work: Callable[[], None]) -> None:
        """Does something that is no request in a thread, without a turn."""
        await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def _done(self, work: asyncio.Future[Any]) -> None:
        self._asked -= 1
        self._free.release()
        if not work.cancelled():
            work.exception()  # whoever does not wait any more need not be told
