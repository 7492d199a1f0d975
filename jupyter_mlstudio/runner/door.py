"""A door: the whole table of routes for one process that is not a run, such as a kernel or a script.

It ends with that process. The token is printed once, to whoever started it, and never leaves that pipe.
"""

from __future__ import annotations

import asyncio
import getpass
import json
import secrets
import sys
import threading
from pathlib import Path

from jupyter_mlstudio.errors import StudioError
from jupyter_mlstudio.services.processes import Identity
from jupyter_mlstudio.services.warm import Warm
from jupyter_mlstudio.studio import Studio
from jupyter_mlstudio.workspace import Workspace

TICK_S = 1.0


def main(root: Path, parent_pid: int) -> int:
    """Serves a workspace until the process ``parent_pid`` ends or standard input is closed."""
    from jupyter_mlstudio.runner.gateway import finish, serve
    from jupyter_mlstudio.runner.listening import listen

    parent = Identity.of(parent_pid)
    if parent is None:
        print(f"there is no process {parent_pid}", file=sys.stderr)
        return 2
    try:
        studio = Studio(Workspace(root))
    except StudioError as error:
        print(error.message, file=sys.stderr)
        return 1
    studio.supervisors.warm = warm = Warm()
    listener = listen()
    token = secrets.token_urlsafe(32)
    address = {"url": f"http://127.0.0.1:{listener.getsockname()[1]}", "token": token}

    async def run() -> None:
        over = asyncio.Event()
        loop = asyncio.get_running_loop()
        serve(listener, lambda: studio, token=token, user=getpass.getuser(), run_id=None)
        print(json.dumps(address), flush=True)
        watch = threading.Thread(target=_until_closed, args=(loop, over), daemon=True)
        watch.start()
        while not over.is_set() and parent.alive:
            try:
                await loop.run_in_executor(None, studio.tick)
            except (StudioError, OSError) as error:
                print(f"the studio could not be looked after: {error}", file=sys.stderr, flush=True)
            try:
                await asyncio.wait_for(over.wait(), TICK_S)
            except TimeoutError:
                continue

    asyncio.run(run())
    finish()
    warm.close()
    studio.close()
    return 0


def _until_closed(loop: asyncio.AbstractEventLoop, over: asyncio.Event) -> None:
    while sys.stdin.buffer.read(4096):
        continue
    loop.call_soon_threadsafe(over.set)
