"""One scoring process, as the serve run sees it: what it was told, and what it says, line by line."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_mlstudio.entities.memory import MAXRSS_BYTES
from jupyter_mlstudio.entities.values import JSON

GRACE_S = 6.0
POLL_S = 0.01
MODULES = {"script": "jupyter_mlstudio.serving.script", "native": "jupyter_mlstudio.programs.serve_native"}
"""What the workers of these kinds execute, which is what somebody else wrote."""

Message = dict[str, JSON] | None
"""What a worker said; None when it has ended."""


class Worker:
    """A process of one deployment.

    Args:
        kind: of the deployment.
        listening: the endpoint's socket.
        path: where it shall listen for the endpoint's other processes.
        heard: called from a thread of its own with each thing that it says.
    """

    def __init__(
        self, kind: str, listening: socket.socket, path: Path, heard: Callable[[Worker, Message], None]
    ) -> None:
        module = MODULES.get(kind, "jupyter_mlstudio.serving")
        descriptor = listening.fileno()
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, str(descriptor)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[descriptor],
        )  # fmt: skip
        self.path = path
        self.heard_at = self.began_at = time.monotonic()
        self.configured = False
        self.ready = False
        self.said: int = 0
        self.left_at = 0.0
        self.routes: dict[str, JSON] | None = None
        self.stats: dict[str, JSON] = {}
        self.owner: Any = None
        self.peak_bytes = 0
        """The most memory that it used, known when it has ended."""
        self._ending = threading.Lock()
        threading.Thread(target=self._listen, args=(heard,), daemon=True).start()

    @property
    def pid(self) -> int:
        """Its process."""
        return self.process.pid

    def configure(self, config: dict[str, JSON]) -> None:
        """Tells it what to serve; it answers with ready or failed."""
        self.configured = True
        self.routes = config.get("routes")
        self.tell(config)
        self.heard_at = self.began_at = time.monotonic()

    def tell(self, message: dict[str, JSON]) -> None:
        """Sends it a line; one that has ended is told nothing."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            self.process.stdin.write(json.dumps(message).encode() + b"\n")
            self.process.stdin.flush()

    def route(self, routes: dict[str, JSON]) -> None:
        """Tells it the routes when it goes by other ones."""
        if self.routes != routes:
            self.routes = routes
            self.tell({"routes": routes})

    def leave(self) -> None:
        """Asks it to take no more connections, and to end when that fails no request."""
        self.tell({"drain": True})

    def terminate(self) -> None:
        """Asks it to end when what it works on is answered."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it at once."""
        self._signal(signal.SIGKILL)

    def wait(self, timeout_s: float = GRACE_S) -> None:
        """Waits for its end; kills it when that takes too long."""
        deadline = time.monotonic() + timeout_s
        while not self._has_ended():
            if time.monotonic() > deadline:
                self.kill()
            time.sleep(POLL_S)
        self.path.unlink(missing_ok=True)

    def _has_ended(self) -> bool:
        """Looks whether it has ended, and then what it used: the standard library's own way does not tell."""
        with self._ending:
            if self.process.returncode is None:
                pid, status, usage = os.wait4(self.pid, os.WNOHANG)
                if pid == self.pid:
                    self.process.returncode = os.waitstatus_to_exitcode(status)
                    self.peak_bytes = usage.ru_maxrss * MAXRSS_BYTES
            return self.process.returncode is not None

    def _signal(self, number: signal.Signals) -> None:
        with self._ending, contextlib.suppress(OSError):
            if self.process.returncode is None:
                os.kill(self.pid, number)

    def _listen(self, heard: Callable[[Worker, Message], None]) -> None:
        assert self.process.stdout is not None
        with contextlib.suppress(ValueError, OSError):
            for line in self.process.stdout:
                with contextlib.suppress(ValueError):  # a script that prints to standard output says nothing to us
                    heard(self, json.loads(line))
        heard(self, None)


def end_all(workers: list[Worker]) -> None:
    """Ends workers, all at the same time: politely, then not."""
    for worker in workers:
        worker.terminate()
    deadline = time.monotonic() + GRACE_S
    for worker in workers:
        worker.wait(deadline - time.monotonic())
