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

SAME_S = 0.005
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def boot_id() -> str:
    """Returns a name of the time since the machine was started."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return f"{psutil.boot_time():.0f}"


@dataclass(frozen=True, slots=True)
class Identity:
    """One process for good: its pid and when it started.

    ``started`` counts seconds since the machine was started, so that a change of the clock makes no stranger of it;
    only where there is no ``/proc`` it is the time of day.
    """

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> Identity | None:
        """Returns the identity of a living process, None when there is none."""
        if not _BOOT_ID.exists():
            return cls._by_the_clock(pid)
        try:
            # Linux, proc_pid_stat(5): the name stands in parentheses and may hold any character.
            fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
            return None if fields[0] in (b"Z", b"X") else cls(pid, int(fields[19]) / _TICKS_PER_S)
        except (OSError, IndexError, ValueError):
            return None

    @classmethod
    def _by_the_clock(cls, pid: int) -> Identity | None:
        try:
            process = psutil.Process(pid)
            return None if process.status() == psutil.STATUS_ZOMBIE else cls(pid, process.create_time())
        except psutil.Error:
            return None

    @property
    def alive(self) -> bool:
        """Whether this very process lives."""
        now = Identity.of(self.pid)
        return now is not None and abs(now.started - self.started) < SAME_S


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


def of_session(leader: Identity) -> list[psutil.Process]:
    """Lists what lives of the session that a process began, also after its end: its number is not given again."""
    if Identity.of(leader.pid) is not None and not leader.alive:
        return []
    found = []
    for pid in psutil.pids():
        with contextlib.suppress(OSError, psutil.Error):
            if os.getsid(pid) == leader.pid:
                found.append(psutil.Process(pid))
    return _living(found)


def end(processes: Iterable[psutil.Process], grace_s: float) -> None:
    """Asks processes to end, and kills those that have not after ``grace_s``."""
    living = list(processes)
    _signal(living, signal.SIGTERM)
    _gone, rest = psutil.wait_procs(living, timeout=grace_s)
    kill(rest)


def kill(processes: Iterable[psutil.Process]) -> None:
    """Kills processes, and those that they started in the meantime."""
    rest = _living(processes)
    deadline = time.monotonic() + 5
    while rest and time.monotonic() < deadline:
        for process in list(rest):
            with contextlib.suppress(psutil.Error):
                rest += process.children(recursive=True)
        _signal(rest, signal.SIGKILL)
        psutil.wait_procs(rest, timeout=0.1)
        rest = _living(rest)


def _living(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Leaves out those that have ended and wait to be buried, maybe for ever, by a parent that does not look."""
    found = []
    for process in processes:
        with contextlib.suppress(psutil.Error):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)
