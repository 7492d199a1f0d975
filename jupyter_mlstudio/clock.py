"""The server's clock: brings every open studio in line with the truth, and tells clients when something changed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from jupyter_mlstudio.errors import StudioError
from jupyter_mlstudio.rooms import Rooms
from jupyter_mlstudio.studio import Studio

WATCH_S = 0.25
TICK_EVERY = 4
_log = logging.getLogger(__name__)


class Clock:
    """Watches the change numbers four times a second and ticks each studio once a second.

    Args:
        rooms: the open studios.
        tell: called with a change number and a workspace's id when the number has grown.
        busy: called while runs are live.
    """

    def __init__(self, rooms: Rooms, tell: Callable[[int, str], None], busy: Callable[[], None]) -> None:
        self._rooms = rooms
        self._tell = tell
        self._busy = busy
        self._seen: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None
        self.live = 0

    def start(self) -> None:
        """Begins to run in the present event loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Stops."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        from jupyter_mlstudio.api.host import POOL

        loop = asyncio.get_running_loop()
        count = 0
        while True:
            try:
                changed = await loop.run_in_executor(POOL, self._look, count % TICK_EVERY == 0)
                for seq, workspace_id in changed:
                    self._tell(seq, workspace_id)
                if self.live:
                    self._busy()
            except StudioError as error:
                _log.warning("the studio could not be looked after: %s", error.message)
            except Exception:
                _log.exception("the studio could not be looked after")
            count += 1
            await asyncio.sleep(WATCH_S)

    def _look(self, tick: bool) -> list[tuple[int, str]]:
        changed = []
        live = 0
        for studio in self._rooms.open():
            try:
                seq = studio.changes.seq()
                if studio.workspace.id not in self._seen:
                    studio.artifacts.sweep()
                if self._grown(studio, seq):
                    changed.append((seq, studio.workspace.id))
                if tick:
                    live += studio.supervisors.live_count()
                    studio.tick()
            except StudioError as error:  # one workspace's trouble is not another's
                _log.warning("%s could not be looked after: %s", studio.workspace.root, error.message)
        if tick:
            self.live = live
        return changed

    def _grown(self, studio: Studio, seq: int) -> bool:
        before = self._seen.get(studio.workspace.id)
        self._seen[studio.workspace.id] = seq
        return before is not None and before != seq
