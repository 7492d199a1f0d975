"""Finding the studio to talk to, and the right to do so.

Inside a run that is the run's gateway (address and token are in the environment). Everywhere else it is a *door*: a
process of the studio's own, started once for each process of the user, which serves one workspace and ends with it.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from queue import Empty, Queue

from jupyter_mlstudio.client.wire import Connection
from jupyter_mlstudio.client.workspace import find_root
from jupyter_mlstudio.errors import Unavailable

DOOR_TIMEOUT_S = 60.0
HOST_PID = "MLSTUDIO_HOST_PID"
"""Set while a process logs to a run that it started itself: for this process the run's variables are not its own."""

_lock = threading.RLock()
_doors: dict[Path, Door] = {}
_fixed: dict[tuple[str, str, str], Connection] = {}
_outer: Connection | None = None


class Door:
    """A studio process for one workspace that lives as long as this process; see ``jupyter_mlstudio.runner``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._owner = os.getpid()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the door
        python = os.environ.get("MLSTUDIO_PYTHON") or sys.executable
        # -P: a file of the user's, such as types.py in the current folder, must not take the place of a module.
        command = [python, "-P", "-m", "jupyter_mlstudio.runner", "door"]
        self._process = subprocess.Popen(
            [*command, "--workspace", str(root), "--parent", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=_environment(python),
            start_new_session=True,
        )
        self._first: Queue[bytes] = Queue()
        self._opened = threading.Lock()
        self._connection: Connection | None = None
        threading.Thread(target=self._read_first_line, name="mlstudio-door", daemon=True).start()

    def connection(self, timeout_s: float = DOOR_TIMEOUT_S) -> Connection:
        """Returns the way through the door, waiting until it is open.

        Raises:
            Unavailable: it did not open; the message has the last line it said.
        """
        with self._opened:
            if self._connection is None:
                self._connection = self._open(timeout_s)
            return self._connection

    @property
    def alive(self) -> bool:
        """Whether its process runs; a forked child cannot tell and takes it to."""
        return self._owner != os.getpid() or self._process.poll() is None

    @property
    def ready(self) -> bool:
        """Whether asking for the connection answers at once."""
        return self._connection is not None or not self._first.empty()

    def close(self) -> None:
        """Closes the door: its process ends when its standard input does. Only its owner may."""
        if self._owner != os.getpid():
            return
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            with contextlib.suppress(OSError):
                stream and stream.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2)

    def _read_first_line(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(OSError, ValueError):
            self._first.put(self._process.stdout.readline())

    def _open(self, timeout_s: float) -> Connection:
        try:
            line = self._first.get(timeout=timeout_s)
            address = json.loads(line)
            return Connection(address["url"], address["token"], root=self.root)
        except Empty:
            raise Unavailable(f"the studio for {self.root} did not start within {timeout_s:.0f} s") from None
        except (ValueError, KeyError, TypeError):
            raise Unavailable(f"the studio for {self.root} did not start: {self._last_words()}") from None

    def _last_words(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2)
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else f"its process ended with exit status {self._process.returncode}"


def _environment(python: str) -> dict[str, str] | None:
    """A package that is used from a checkout is found there by the studio's processes too."""
    home = Path(__file__).parents[2]
    if python != sys.executable or home.name in ("site-packages", "dist-packages"):
        return None
    known = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{home}{os.pathsep}{known}" if known else str(home)}


def inside_run() -> str | None:
    """Returns the id of the run whose work this process does, None outside of a run."""
    if os.environ.get(HOST_PID) == str(os.getpid()):
        return None
    return os.environ.get("MLSTUDIO_RUN_ID") or None


def connect(root: Path | None = None) -> Connection:
    """Returns the connection of this process to the studio: to the run's gateway, a given address, or through a door.

    Args:
        root: the workspace's root; by default the one of the current folder (:func:`find_root`).

    Raises:
        Unavailable: the studio could not be started.
    """
    fixed = _from_environment()
    if fixed is not None:
        return fixed
    if root is None and _outer is not None and os.environ.get(HOST_PID) == str(os.getpid()):
        return _outer
    return _door(root or find_root()).connection()


def enter_run(variables: dict[str, str]) -> dict[str, str | None]:
    """Puts a run that this process starts itself into the environment, for MLflow and for processes that it starts.

    This process itself goes on talking to whom it talked to before. Returns what the variables were.
    """
    global _outer
    _outer = connect()
    variables = {**variables, HOST_PID: str(os.getpid())}
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    return before


def leave_run(before: dict[str, str | None]) -> None:
    """Puts the environment back to what it was before :func:`enter_run`."""
    global _outer
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    _outer = None


def warm_up(root: Path | None = None) -> None:
    """Starts the door in the background, so that the first question is answered at once; says nothing when it fails."""
    if _from_environment() is None:
        with contextlib.suppress(OSError):
            _door(root or find_root())


def is_ready(root: Path | None = None) -> bool:
    """Whether :func:`connect` would answer without waiting: what completion asks, which must not make the user wait."""
    if _from_environment() is not None:
        return True
    door = _doors.get(root or find_root())
    return door is not None and door.alive and door.ready


def _from_environment() -> Connection | None:
    run_id = inside_run()
    url, token = os.environ.get("MLSTUDIO_URL"), os.environ.get("MLSTUDIO_TOKEN")
    if not url or token is None or os.environ.get(HOST_PID) == str(os.getpid()):
        return None
    key = (url, token, run_id or "")
    with _lock:
        if key not in _fixed:
            _fixed[key] = Connection(url, token, run_id=run_id)
        return _fixed[key]


def _door(root: Path) -> Door:
    root = root.resolve()
    with _lock:
        door = _doors.get(root)
        if door is None or not door.alive:
            door = _doors[root] = Door(root)
        return door


def _after_fork() -> None:
    """A forked child goes through its parent's door, with its own sockets, and never waits for an inherited lock."""
    global _lock
    _lock = threading.RLock()
    for door in _doors.values():
        door._opened = threading.Lock()


@atexit.register
def _close_doors() -> None:
    for door in _doors.values():
        door.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
