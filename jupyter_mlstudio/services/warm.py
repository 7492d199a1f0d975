"""The owner of a process that keeps ready what conversions import, see :mod:`jupyter_mlstudio.runner.warm`."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from jupyter_mlstudio.entities.runs import RunKind

_READ_AT_START = ("PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "PATH")


class Warm:
    """Begins supervisors of convert runs faster than a new process could; where that cannot be, it says so.

    A host of studios that lives for long has one: a server, a door.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._host: subprocess.Popen[bytes] | None = None
        self._link: socket.socket | None = None
        self._of: list[str | None] = []

    def begin(self, root: Path, run_folder: Path, environment: Mapping[str, str]) -> bool:
        """Begins the supervisor of a run; False when it has to be started in the usual way.

        Args:
            root: of the workspace.
            run_folder: with ``spec.json``.
            environment: the supervisor's, whole.
        """
        if sys.platform != "linux" or not _fits(run_folder):
            return False
        asked = {"workspace": str(root), "run": run_folder.name, "environment": dict(environment)}
        with self._lock:
            try:
                self._ready(environment).send(json.dumps(asked).encode())
            except OSError:
                self._end()
                return False
        return True

    @property
    def host(self) -> int | None:
        """The process that begins them; None before there is one."""
        return None if self._host is None else self._host.pid

    def close(self) -> None:
        """Ends the process; what it began goes on."""
        with self._lock:
            self._end()

    def _ready(self, environment: Mapping[str, str]) -> socket.socket:
        of = [environment.get(name) for name in _READ_AT_START]
        if self._link is not None and self._host is not None and self._host.poll() is None and of == self._of:
            return self._link
        self._end()
        self._link, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._link.settimeout(1.0)
        with far:
            self._host = subprocess.Popen(
                [sys.executable, "-P", "-m", "jupyter_mlstudio.runner", "warm"], stdin=far.fileno(),
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, cwd="/",
                env=dict(environment),
            )  # fmt: skip
        self._of = of
        return self._link

    def _end(self) -> None:
        if self._link is not None:
            self._link.close()
        if self._host is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._host.wait(2.0)
            if self._host.poll() is None:  # it imports something
                self._host.kill()
                self._host.wait()
        self._link = self._host = None


def _fits(run_folder: Path) -> bool:
    """Whether a run is a conversion by this very Python, with no environment of its own."""
    try:
        content = json.loads((run_folder / "spec.json").read_bytes())
        spec = content["spec"]
        own = spec.get("python") in (None, sys.executable)
        return content["kind"] == RunKind.CONVERT.value and own and not spec["env"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
