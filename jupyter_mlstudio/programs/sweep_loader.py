"""The process that has loaded a sweep's function and forks its workers, seen from the controller."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
from collections.abc import Mapping

from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid

STARTS = 5


class Loader:
    """Starts the process, again when it was killed, and keeps what it tells of those that it has forked.

    ``link`` is None while there is no connection; ``asked`` counts workers that were asked for and have not come;
    ``statuses`` has how a worker ended, by process id: an exit status, or the negative number of a signal.
    """

    def __init__(self, config: Mapping[str, JSON], python: str) -> None:
        self.begun = 0
        self.asked = 0
        self.link: socket.socket | None = None
        self.statuses: dict[int, int] = {}
        self._config = config
        self._python = python
        self._met: set[int] = set()
        self._unmet = 0
        self._received = b""

    def begin(self) -> None:
        """Starts the process.

        Raises:
            Invalid: it was killed too often.
        """
        self.begun += 1
        if self.begun > STARTS:
            raise Invalid(f"the process that calls the function was killed {STARTS} times")
        self.asked = 0
        # As many threads as there are cores for each of several workers would only wait for each other.
        threads = {"OMP_NUM_THREADS": str(self._config["threads"])}
        self._process = subprocess.Popen(
            [self._python, "-P", "-m", "jupyter_mlstudio.programs.sweep_worker"], stdin=subprocess.PIPE, text=True,
            env={**threads, **os.environ},
        )  # fmt: skip
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(self._config) + "\n")
        self._process.stdin.flush()

    def is_alive(self) -> bool:
        """Whether the process is there."""
        return self._process.poll() is None

    def wait(self) -> None:
        """Waits until the process is gone."""
        self._process.wait()

    def kill(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.wait()

    def fork(self) -> None:
        """Asks for one more worker."""
        assert self.link is not None
        self.asked += 1
        with contextlib.suppress(OSError):
            self.link.sendall(json.dumps({"fork": self.asked}).encode() + b"\n")

    def messages(self) -> list[dict[str, JSON]]:
        """Reads what it has told, which may be nothing; without a connection afterwards when the process is gone."""
        assert self.link is not None
        try:
            content = self.link.recv(1 << 16, socket.MSG_DONTWAIT)
        except BlockingIOError:  # it was read by who looked for the end of a worker, since this was found readable
            return []
        except ConnectionError:
            content = b""
        if not content:
            self.link, self._received, self.asked = None, b"", 0
            return []
        *lines, self._received = (self._received + content).split(b"\n")
        return [json.loads(line) for line in lines]

    def meet(self, pid: int) -> None:
        """A worker has come."""
        self.asked = max(0, self.asked - 1)
        self._met.add(pid)
        self.statuses.pop(pid, None)  # of another one, long ago
        self._unmet = 0

    def has_met(self, pid: int) -> bool:
        """Whether a worker has come, and its end was not told of."""
        return pid in self._met

    def note_end(self, pid: int, status: int) -> None:
        """Takes note of how a worker ended.

        Raises:
            Invalid: one after the other ends before it has come.
        """
        if pid in self._met:
            self._met.discard(pid)
            self.statuses[pid] = status
            if len(self.statuses) > 1000:
                self.statuses.pop(next(iter(self.statuses)))
            return
        self.asked, self._unmet = max(0, self.asked - 1), self._unmet + 1
        if self._unmet > STARTS:
            raise Invalid(f"{self._unmet} processes {told(status)} before they could call the function")


def told(status: int) -> str:
    """Says how a process ended."""
    if status >= 0:
        return f"ended with status {status}"
    name = signal.Signals(-status).name if -status in set(signal.Signals) else "a signal"
    return f"killed by signal {-status} ({name})"
