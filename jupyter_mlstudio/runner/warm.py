"""A process that has imported what conversions need, and begins their supervisors as copies of itself.

Importing scikit-learn and the converters takes most of a conversion's time. This process does it once, beside the first
conversion, and forks: a supervisor, and beside it the process of its work, which waits until the supervisor says what
to do. Nothing of the user's is ever loaded here. It ends with its owner and after a while without questions, and begins
anew when packages were installed meanwhile.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from jupyter_mlstudio.entities.ending import end
from jupyter_mlstudio.plugins.compute.base import Work
from jupyter_mlstudio.plugins.compute.local import Begun, LocalTarget

IDLE_S = 600.0
MESSAGE = 1 << 20
PR_SET_PDEATHSIG = 1
LIBRARIES = (
    "jupyter_mlstudio.runner.supervisor", "jupyter_mlstudio.runner.record", "jupyter_mlstudio.runner.gateway",
    "jupyter_mlstudio.programs.convert", "jupyter_mlstudio.programs.ladder", "jupyter_mlstudio.plugins.registry",
    "jupyter_mlstudio.plugins.converters.sklearn", "numpy", "onnx", "onnxruntime", "sklearn.ensemble",
    "sklearn.pipeline", "sklearn.compose", "skl2onnx",
)  # fmt: skip
"""What is imported ahead: of supervisors, and of the conversion of a scikit-learn model."""


def main() -> int:
    """Answers what its owner asks on standard input, a socket: each message names a run to begin."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read when onnxruntime is imported
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # supervisors end on their own
    link = socket.socket(fileno=os.dup(0))
    places, waiting, asked = _installed(), list(LIBRARIES), False
    while True:
        imports = asked and bool(waiting)
        if select.select([link], [], [], 0 if imports else IDLE_S)[0]:
            if _installed() != places:
                os.execv(sys.executable, [sys.executable, "-P", "-m", "jupyter_mlstudio.runner", "warm"])
            message = link.recv(MESSAGE)
            if not message:
                return 0
            asked = True
            _fork(lambda: _supervise(link, json.loads(message)))  # noqa: B023
        elif imports:  # one after the other: whoever asks meanwhile gets what there is
            with contextlib.suppress(Exception):
                importlib.import_module(waiting.pop(0))
            if not waiting:
                gc.freeze()
        else:
            return 0


def _installed() -> list[int]:
    """When packages were last installed or removed, by place."""
    places = [Path(place) for place in sys.path]
    return [place.stat().st_mtime_ns if place.is_dir() else 0 for place in places]


def _fork(child: Callable[[], int]) -> int:
    """Begins a process; answers its number."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads of the linear algebra end at a fork by themselves
        pid = os.fork()
    if pid == 0:
        status = 1
        try:
            status = child()
        except BaseException:
            traceback.print_exc()
        end(status)
    return pid


def _supervise(link: socket.socket, asked: dict[str, object]) -> int:
    """Becomes the supervisor of a run."""
    root, run_id = Path(str(asked["workspace"])), str(asked["run"])
    folder = root / ".mlstudio" / "runs" / run_id
    link.close()
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    environment = asked["environment"]
    assert isinstance(environment, dict)
    _settle(folder, environment, folder / "supervisor.log")
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = _fork(lambda: _work(near, far))
    near.close()
    from jupyter_mlstudio.runner.supervisor import main as supervise

    return supervise(root, run_id, Spare(pid, far))


def _work(link: socket.socket, other: socket.socket) -> NoReturn:
    """Becomes the work of a run, when its supervisor says what that is."""
    other.close()
    os.setsid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    message = link.recv(MESSAGE)
    link.close()
    if not message:
        end(0)
    told = json.loads(message)
    _settle(Path(told["folder"]), told["environment"], Path(told["output"]))
    program = importlib.import_module(told["program"])
    sys.argv = [str(program.__file__)]
    program.main()
    end(0)


def _settle(folder: Path, environment: dict[str, str], output: Path) -> None:
    """Goes to a folder, with an environment, printing to a file."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    nothing, log = os.open(os.devnull, os.O_RDONLY), os.open(output, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    for old, new in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(old, new)
    os.close(nothing)
    os.close(log)


class Forked:
    """A process that this one has forked, in the way of ``subprocess.Popen``."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._ended: int | None = None

    def poll(self) -> int | None:
        """Answers how it ended; None while it goes on."""
        if self._ended is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                pid, status = self.pid, signal.SIGKILL
            if pid:
                self._ended = os.waitstatus_to_exitcode(status)
        return self._ended


class Spare(LocalTarget):
    """This machine, where the process of the work was begun ahead and waits.

    Args:
        pid: that process.
        link: takes what it is to do.
    """

    def __init__(self, pid: int, link: socket.socket) -> None:
        self._pid, self._link = pid, link

    def _begin(self, work: Work) -> Begun:
        told = {
            "program": work.command[-1], "folder": str(work.folder), "environment": dict(work.environment),
            "output": str(work.output),
        }  # fmt: skip
        self._link.send(json.dumps(told).encode())
        self._link.close()
        return Forked(self._pid)
