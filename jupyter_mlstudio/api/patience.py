"""How long a caller waits for an answer that is another one than it holds, so that nobody asks again and again.

The wire is HTTP's own: ``If-None-Match`` names the answer that is held (RFC 9110, section 13.1.2), and ``Prefer: wait``
says for how many seconds another one is worth waiting for (RFC 7240, section 4.3).
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from jupyter_mlstudio.api.reader import write_answer
from jupyter_mlstudio.api.route import FileAnswer, StreamAnswer, TextAnswer

LIMIT_S = 10.0
LOOK_S = 0.025
"""So often it is looked whether anything has changed."""

AGAIN_S = 1.0
"""So often the answer is made anew though nothing was recorded: some of it follows from processes and clocks."""

_WAIT = re.compile(r"(?:^|,)\s*wait\s*=\s*\"?(\d{1,9})\"?\s*(?=$|[,;])", re.IGNORECASE)


def wait_s(preferences: str) -> float:
    """Reads the seconds of ``wait`` from a ``Prefer`` header, at most :data:`LIMIT_S`; 0 when it names none."""
    found = _WAIT.search(preferences)
    return min(float(found[1]), LIMIT_S) if found else 0.0


def etag_of(content: bytes) -> str:
    """The entity tag of an answer, which is the one that Tornado gives it."""
    return f'"{hashlib.sha1(content, usedforsecurity=False).hexdigest()}"'


class Waiting:
    """Waits for an answer that is another one.

    Args:
        run: calls a function in a thread.
        ask: makes the answer; ``seq`` tells the number of the last change.
        left: whether the caller is gone.
    """

    def __init__(
        self,
        run: Callable[[Callable[[], Any]], Awaitable[Any]],
        *,
        ask: Callable[[], Any],
        seq: Callable[[], int],
        left: Callable[[], bool],
    ) -> None:
        self._run, self._ask, self._seq, self._left = run, ask, seq, left

    async def answer(self, held: str, seconds: float) -> Any:
        """The answer, as soon as it is not the one that is held, or after so many seconds."""
        until = time.monotonic() + seconds
        seq = await self._run(self._seq)
        value = await self._run(self._ask)
        while time.monotonic() < until and not self._left() and await self._run(partial(_is, held, value)):
            seq = await self._change_after(seq, min(until, time.monotonic() + AGAIN_S))
            value = await self._run(self._ask)
        return value

    async def _change_after(self, seq: int, until: float) -> int:
        """Waits for a change; answers the number of the last one."""
        now = seq
        while now == seq and time.monotonic() < until and not self._left():
            await asyncio.sleep(LOOK_S)
            now = await self._run(self._seq)
        return now


def _is(held: str, value: Any) -> bool:
    """Whether an answer is the one that the caller holds; what is no JSON is not looked at."""
    if isinstance(value, FileAnswer | StreamAnswer | TextAnswer):
        return False
    return etag_of(write_answer(value)) == held
