"""Tells whether work ended because memory did, and says so: ``out of memory (limit 512 MB, peak 530 MB)``.

A process that the operating system ends for want of memory is killed by signal 9, like one that a person kills. What
tells them apart is how much it used, and the counters in which Linux counts such ends.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

MEGABYTE = 1_000_000
MEBIBYTE = 1024 * 1024
NEAR = 0.9
"""From this share of its limit on, memory is what ended a process that was killed."""

LOOK_S = 1.0
"""So long a count of processes that were ended for want of memory is good enough as what was before."""

UNLIMITED = 1 << 60
"""Control groups of the first version write a number beyond this for no limit."""

_COUNTERS = ("memory.events", "memory.oom_control")
_LIMITS = ("memory.max", "memory.limit_in_bytes")


def sentence(limit_bytes: int, peak_bytes: int, unit_bytes: int = MEGABYTE) -> str:
    """Says that memory was the reason, with what was allowed and what was used."""
    return f"out of memory (limit {limit_bytes / unit_bytes:.0f} MB, peak {peak_bytes / unit_bytes:.0f} MB)"


def available_bytes(folder: Path | None = None) -> int:
    """How much memory all work together may use: the machine's, or less where the control group has a limit."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    folder = folder or control_group()
    found = [machine]
    for above in () if folder is None else (folder, *folder.parents):
        for name in _LIMITS:
            text = _text(above / name).strip()
            if text.isdigit() and int(text) < UNLIMITED:
                found.append(int(text))
    return min(found)


def kills(folder: Path | None = None, machine: Path = Path("/proc/vmstat")) -> int:
    """How many processes of this control group were ended for want of memory, or of this machine where it has none."""
    folder = folder or control_group()
    for path in (*(() if folder is None else (folder / name for name in _COUNTERS)), machine):
        for line in _text(path).splitlines():
            name, _, count = line.partition(" ")
            if name == "oom_kill" and count.strip().isdigit():
                return int(count)
    return 0


def control_group(of: Path = Path("/proc/self/cgroup"), mounted: Path = Path("/sys/fs/cgroup")) -> Path | None:
    """The folder in which Linux shows this process's control group for memory; None where there is none."""
    for line in _text(of).splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        place = mounted / "memory" if "memory" in controllers.split(",") else mounted if number == "0" else None
        if place is None:
            continue
        for folder in (place / path.lstrip("/"), place):
            if any((folder / name).is_file() for name in _COUNTERS):
                return folder
    return None


def own_sentence(limit_bytes: int | None = None, unit_bytes: int = MEGABYTE) -> str:
    """Says that this process is out of memory; its limit is what the system sets, where none is given."""
    try:
        import resource
    except ImportError:  # not on Windows
        return "out of memory"
    if limit_bytes is None:
        limits = [resource.getrlimit(one)[0] for one in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
        limit_bytes = min([one for one in limits if 0 <= one < UNLIMITED] + [available_bytes()])
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_BYTES
    return sentence(limit_bytes, peak_bytes, unit_bytes)


def children_peak_bytes() -> int:
    """The most memory that a process had which this one, or one of these, started and saw end."""
    import resource

    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * MAXRSS_BYTES


class Pressure:
    """Watches work, to tell in the end whether memory was its end.

    Args:
        limit_bytes: how much it may use, besides what the control group and the machine have.
        near: from this share of the limit on, memory is what ended it.
    """

    def __init__(self, limit_bytes: int | None = None, unit_bytes: int = MEGABYTE, near: float = NEAR) -> None:
        self.limit_bytes = limit_bytes
        self._near = near
        self.peak_bytes = 0
        self._unit_bytes = unit_bytes
        self._kills, self._looked_at = kills(), time.monotonic()

    def note(self, used_bytes: int) -> None:
        """Takes note of what the work uses now."""
        self.peak_bytes = max(self.peak_bytes, used_bytes)
        if time.monotonic() - self._looked_at > LOOK_S:
            self._kills, self._looked_at = kills(), time.monotonic()

    def exceeded(self) -> str:
        """Says that the work used more than its own limit; empty while it did not."""
        if self.limit_bytes is None or self.peak_bytes <= self.limit_bytes:
            return ""
        return sentence(self.limit_bytes, self.peak_bytes, self._unit_bytes)

    def verdict(self, killed: bool, peak_bytes: int = 0) -> str:
        """Says that the operating system ended the work, or a process of it, for want of memory; empty if it did not.

        Args:
            killed: the work itself ended by signal 9. Otherwise both signs are needed: the count and the use.
            peak_bytes: the most that a process of it used, where the system tells.
        """
        limit_bytes = min(self.limit_bytes or UNLIMITED, available_bytes())
        self.peak_bytes = max(self.peak_bytes, peak_bytes)
        near, counted = self.peak_bytes >= self._near * limit_bytes, kills() > self._kills
        if not ((near or counted) if killed else (near and counted)):
            return ""
        return sentence(limit_bytes, self.peak_bytes, self._unit_bytes)


MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024
"""The unit in which the system counts the most memory of a process."""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
