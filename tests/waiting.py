"""Waiting for what happens in other processes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import psutil

from jupyter_mlstudio.studio import Studio

T = TypeVar("T")

PATIENCE_S = 90.0
"""What a busy machine may take for anything. A test of a time says the time itself."""


def until(done: Callable[[], T], studio: Studio | None = None, timeout_s: float = PATIENCE_S) -> T:
    """Waits until something holds; answers what it is. A studio's clock ticks meanwhile."""
    pauses, deadline = pause_s(), time.monotonic() + timeout_s
    while not (found := done()):
        assert time.monotonic() < deadline, "it did not come to that in time"
        if studio is not None:
            studio.tick()
        time.sleep(next(pauses))
    return found


def pause_s() -> Iterator[float]:
    """How long to wait before asking again: what takes long is asked for less often, and has the processor."""
    pause = 0.01
    while True:
        yield pause
        pause = min(1.2 * pause, 0.06)


def is_alive(pid: int | None) -> bool:
    """Whether a process runs; one that ended and is not buried yet does not."""
    try:
        return pid is not None and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def busy() -> float:
    """How many times as long everything takes as on a machine with nothing else to do, told by its load."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
