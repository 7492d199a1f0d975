"""This machine: the work is a process of its own session, and everything below it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psutil

from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.plugins.compute.base import ComputeTarget, State, Work

PR_SET_CHILD_SUBREAPER = 36
OOM_SCORE = 500
"""Added to the work's out-of-memory score, so that the kernel takes it and not the Jupyter server."""
SAMPLE_S = 0.5
KILL_PATIENCE_S = 5.0
SUPERVISOR = ["-P", "-m", "jupyter_mlstudio.runner", "run"]


class Begun(Protocol):
    """The work's own process, as far as a target looks at it."""

    pid: int

    def poll(self) -> int | None:
        """Answers how it ended; None while it goes on."""


@dataclass(slots=True)
class Handle:
    """A started process, and what its tree used when it was last looked at."""

    process: Begun
    run_id: str
    cpu_s: float = 0.0
    looked_at: float = field(default_factory=time.monotonic)
    last: State = field(default_factory=State)


class LocalTarget(ComputeTarget[Handle]):
    """Runs work as processes of this machine.

    The supervisor becomes the parent of what the work leaves behind (Linux ``PR_SET_CHILD_SUBREAPER``), so that a
    process that went into a session of its own is still found when the run is stopped.
    """

    def start(self, work: Work) -> Handle:
        _become_subreaper()
        try:
            process = self._begin(work)
        except OSError as error:
            raise Invalid(f"{work.command[0]!r} could not be started: {os.strerror(error.errno or 0)}") from error
        with contextlib.suppress(OSError):
            Path(f"/proc/{process.pid}/oom_score_adj").write_text(str(OOM_SCORE), encoding="ascii")
        return Handle(process, work.run_id)

    def _begin(self, work: Work) -> Begun:
        with work.output.open("ab") as output:
            return subprocess.Popen(
                list(work.command), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                cwd=work.folder, env=dict(work.environment), start_new_session=True,
            )  # fmt: skip

    def poll(self, handle: Handle) -> State:
        exit_code = handle.process.poll()
        if exit_code is not None:
            return State(exit_code=exit_code)
        now = time.monotonic()
        if now - handle.looked_at < SAMPLE_S:
            return handle.last
        cpu_s, memory = _usage(self._processes(handle))
        passed, used = now - handle.looked_at, cpu_s - handle.cpu_s
        handle.cpu_s, handle.looked_at = cpu_s, now
        percent = 100 * used / passed if passed > 0 and used > 0 else 0.0
        handle.last = State(cpu_percent=percent, memory_bytes=memory)
        return handle.last

    def stop(self, handle: Handle, grace_s: float) -> None:
        _signal(self._processes(handle), signal.SIGTERM)
        self._wait(handle, grace_s)
        deadline = time.monotonic() + KILL_PATIENCE_S
        while (handle.process.poll() is None or self._processes(handle)) and time.monotonic() < deadline:
            _signal(self._processes(handle), signal.SIGKILL)
            self._wait(handle, 0.2)

    def _wait(self, handle: Handle, timeout_s: float) -> None:
        """Waits for the end of everything; only the handle may ask for the exit status of the work's own process."""
        deadline = time.monotonic() + timeout_s
        while (handle.process.poll() is None or self._processes(handle)) and time.monotonic() < deadline:
            time.sleep(0.02)

    def _processes(self, handle: Handle) -> list[psutil.Process]:
        """Lists what lives of the work: below the process, and what was handed to this one when its parent ended."""
        _bury(handle)
        found = []
        for child in psutil.Process().children():
            with contextlib.suppress(psutil.Error):
                if not _is_supervisor(child):
                    found += [child, *child.children(recursive=True)]
        return [process for process in found if _lives(process)]


def _is_supervisor(process: psutil.Process) -> bool:
    """Whether it guards another run, which this run's supervisor started: that is not of this run's work."""
    return process.cmdline()[1:5] == SUPERVISOR


def _lives(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def _bury(handle: Handle) -> None:
    """Takes leave of ended processes that were handed to this one; the work's own is left to its handle."""
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error, ChildProcessError):
            if child.pid != handle.process.pid and child.status() == psutil.STATUS_ZOMBIE:
                os.waitpid(child.pid, os.WNOHANG)


def _become_subreaper() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _usage(processes: list[psutil.Process]) -> tuple[float, int]:
    cpu_s, memory = 0.0, 0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            times = process.cpu_times()
            cpu_s += times.user + times.system
            memory += process.memory_info().rss
    return cpu_s, memory


def _signal(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)
