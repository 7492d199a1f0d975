"""Ending a worker of a sweep with all that its calls have started, in whatever session that is by now."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

import psutil

from jupyter_mlstudio.programs.sweep_events import MARK

PATIENCE_S = 5.0


def end(pid: int, mark: str) -> None:
    """Kills a worker, all below it, and all that carries its mark.

    Args:
        pid: of a worker that lives.
        mark: what it has set :data:`MARK` to.
    """
    if pid <= 1:  # 0 would be this process's own group
        return
    below: list[psutil.Process] = []
    with contextlib.suppress(psutil.Error, OSError):
        os.kill(pid, signal.SIGSTOP)  # so that it starts nothing while it is looked at
        below = psutil.Process(pid).children(recursive=True)
        os.kill(pid, signal.SIGKILL)
    _kill(below)
    end_left(pid, mark)


def end_left(pid: int, mark: str) -> None:
    """Kills what a worker has left behind: its group, what carries its mark, and what that starts meanwhile."""
    if pid > 1:
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE_S
    while (found := _marked(mark)) and time.monotonic() < deadline:
        _kill(found)
        psutil.wait_procs(found, timeout=0.05)


def _marked(mark: str) -> list[psutil.Process]:
    wanted, found = f"{MARK}={mark}".encode(), []
    for pid in psutil.pids():
        with contextlib.suppress(OSError, psutil.Error):
            if wanted in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                found.append(psutil.Process(pid))
    return found


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()
