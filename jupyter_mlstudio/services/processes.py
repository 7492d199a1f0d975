"""Which process is which, and ending a whole tree of them.

A process is known by boot id, pid and start time: a pid alone is reused, and a zombie still answers to its pid.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """Returns a name of the time since the machine was started."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return f"{psutil.boot_time():.0f}"


@dataclass(frozen=True, slots=True)
class Identity:
    """One process for good: its pid and when it started, in seconds since 1970."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> Identity | None:
        """Returns the identity of a living process, None when there is none."""
        try:
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            return cls(pid, process.create_time())
        except psutil.Error:
            return None

    @property
    def alive(self) -> bool:
        """Whether this very process lives."""
        now = Identity.of(self.pid)
        return now is not None and abs(now.started - self.started) < 0.5


def tree(identity: Identity) -> list[psutil.Process]:
    """Lists a process and all below it."""
    if not identity.alive:
        return []
    try:
        top = psutil.Process(identity.pid)
        return [top, *top.children(recursive=True)]
    except psutil.Error:
        return []


def of_run(run_id: str) -> list[psutil.Process]:
    """Lists processes that carry a run's id in their environment, whoever their parent is."""
    found = []
    needle = f"MLSTUDIO_RUN_ID={run_id}".encode()
    for pid in psutil.pids():
        with contextlib.suppress(OSError, psutil.Error):
            if needle in Path(f"/proc/{pid}/environ").read_bytes() and pid != os.getpid():
                found.append(psutil.Process(pid))
    return found


def end(processes: Iterable[psutil.Process], grace_s: float) -> None:
    """Asks processes to end, and kills those that have not after ``grace_s``."""
    living = list(processes)
    _signal(living, signal.SIGTERM)
    _gone, rest = psutil.wait_procs(living, timeout=grace_s)
    kill(rest)


def kill(processes: Iterable[psutil.Process]) -> None:
    """Kills processes, and those that they started in the meantime."""
    rest = list(processes)
    deadline = time.monotonic() + 5
    while rest and time.monotonic() < deadline:
        young = []
        for process in rest:
            with contextlib.suppress(psutil.Error):
                young += process.children(recursive=True)
        _signal([*rest, *young], signal.SIGKILL)
        _gone, rest = psutil.wait_procs([*rest, *young], timeout=1)


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)
