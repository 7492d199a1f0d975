"""The scoring process: ``python -m jupyter_mlstudio.serving LISTENING_FD``, which a serve run starts.

It reads one JSON line, a :class:`ServeConfig`, from standard input, and answers on standard output: ``{"failed":
reason}``, or ``{"ready": pid}`` and then its counts once a second, which is its sign of life. It ends when its standard
input does: that is how it never outlives the process that started it, not even one killed with SIGKILL.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec

from jupyter_mlstudio.errors import StudioError
from jupyter_mlstudio.serving.app import Application
from jupyter_mlstudio.serving.config import ServeConfig
from jupyter_mlstudio.serving.connection import Connection
from jupyter_mlstudio.serving.engine import Engine
from jupyter_mlstudio.serving.stats import Stats

REPORT_S = 1.0
GRACE_S = 5.0


def main(descriptor: int) -> int:
    """Serves until standard input ends; exit status 3 when the model cannot be served, whoever tries again."""
    line = sys.stdin.buffer.readline()
    if not line:
        return 0
    listening = socket.socket(fileno=descriptor)
    try:
        config = msgspec.json.decode(line, type=ServeConfig)
        engine = Engine(config)
    except StudioError as error:
        _say(failed=error.message)
        return 3
    port = listening.getsockname()[1]
    application = Application(config, engine, port, Stats(config.requests, config.errors))
    engine.warm_up()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)  # requests leave no cycles behind to look for
    _limit_memory(config.limits.memory_bytes)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(application, listening))
    return 0


async def _serve(application: Application, listening: socket.socket) -> None:
    """Serves until it is told to end; then what was begun is answered, within :data:`GRACE_S`."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    connections: set[Connection] = set()
    server = await loop.create_server(lambda: Connection(application, connections), sock=listening, backlog=2048)
    reports = asyncio.create_task(_report(application))
    await over.wait()
    reports.cancel()
    server.close()
    deadline = loop.time() + GRACE_S
    for connection in list(connections):
        connection.finish()
    while connections and loop.time() < deadline:
        await asyncio.sleep(0.02)


async def _report(application: Application) -> None:
    """Tells the parent that it is ready, and then its counts."""
    _say(ready=os.getpid())
    while True:
        await asyncio.sleep(REPORT_S)
        application.stats.turn()
        _say(stats=application.summary())


def _say(**message: object) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(message) + b"\n")
    sys.stdout.buffer.flush()


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 4096):  # not through sys.stdin, whose lock would be in the way at the end
        pass
    os._exit(0)


def _limit_memory(allowance_bytes: int) -> None:
    """Lets the process grow by so much and no more, so that one request cannot take the machine's memory."""
    statm = Path("/proc/self/statm")
    if not statm.exists():  # only Linux counts address space in a way that a limit of it is of use
        return
    import resource

    used = int(statm.read_text().split()[0]) * resource.getpagesize()
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = used + allowance_bytes
    resource.setrlimit(resource.RLIMIT_AS, (wanted if hard < 0 else min(wanted, hard), hard))


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
