"""Runs functions in forked processes that can be killed: each has a time limit and a limit of memory.

A child begins with everything that its parent has loaded, so that it starts in milliseconds and the table is there
once. It dies with its parent. Where there is no ``fork``, the arguments are pickled.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

LOOK_S = 0.25
"""How often the memory of children is looked at."""

_DIE_WITH_PARENT = 1


@dataclass(frozen=True, slots=True)
class Event:
    """Something from a child: ``said`` while it works, then ``done`` or ``failed`` (a reason) once."""

    number: int
    what: str
    value: Any


class _Child:
    def __init__(self, process: Any, pipe: Connection, ends: float, memory_bytes: int | None) -> None:
        self.process, self.pipe, self.ends, self.memory_bytes = process, pipe, ends, memory_bytes


class Workers:
    """Children at work, by number."""

    def __init__(self) -> None:
        method = "fork" if sys.platform == "linux" else "spawn"
        self._context: Any = multiprocessing.get_context(method)
        self._children: dict[int, _Child] = {}
        self._looked = 0.0
        self.peak_bytes = 0

    def __len__(self) -> int:
        return len(self._children)

    def __contains__(self, number: object) -> bool:
        return number in self._children

    def start(
        self,
        number: int,
        function: Callable[..., Any],
        *arguments: Any,
        timeout_s: float,
        memory_bytes: int | None = None,
    ) -> None:
        """Calls ``function(say, *arguments)`` in a child; what it says and returns comes out of :meth:`events`."""
        mine, its = self._context.Pipe(duplex=False)
        process = self._context.Process(target=_work, args=(its, os.getpid(), function, arguments), daemon=True)
        with warnings.catch_warnings():
            # Python warns of forks beside threads; the child calls nothing that waits for one of them.
            warnings.simplefilter("ignore", DeprecationWarning)
            process.start()
        its.close()
        self._children[number] = _Child(process, mine, time.monotonic() + timeout_s, memory_bytes)

    def events(self, wait_s: float) -> list[Event]:
        """Waits for at most so long; children that are over time or memory are killed and have failed."""
        found: list[Event] = []
        pipes = {child.pipe: number for number, child in self._children.items()}
        for pipe in wait(list(pipes), wait_s) if pipes else []:
            found += self._heard(pipes[pipe])  # type: ignore[index]
        now = time.monotonic()
        for number in [number for number, child in self._children.items() if child.ends < now]:
            self.kill(number)
            found.append(Event(number, "failed", "it took longer than it may"))
        if now - self._looked >= LOOK_S:
            self._looked = now
            found += self._over_memory()
        return found

    def kill(self, number: int) -> None:
        """Ends a child at once; nothing more comes from it."""
        child = self._children.pop(number, None)
        if child is None:
            return
        child.process.kill()
        child.process.join()
        child.pipe.close()

    def kill_all(self) -> None:
        """Ends all children."""
        for number in list(self._children):
            self.kill(number)

    def _heard(self, number: int) -> list[Event]:
        child = self._children[number]
        try:
            what, value = child.pipe.recv()
        except (EOFError, OSError, ImportError, AttributeError):
            child.process.join(1)
            code = child.process.exitcode
            self.kill(number)
            how = f"was ended by signal {-code}" if code is not None and code < 0 else f"ended with code {code}"
            return [Event(number, "failed", f"its process {how}, which a lack of memory may be the cause of")]
        if what != "said":
            del self._children[number]
            child.pipe.close()
            child.process.join(2)
            if child.process.is_alive():
                child.process.kill()
                child.process.join()
        return [Event(number, what, value)]

    def _over_memory(self) -> list[Event]:
        found, total = [], 0
        for number, child in list(self._children.items()):
            size = private_bytes(child.process.pid)
            total += size
            if child.memory_bytes is not None and size > child.memory_bytes:
                self.kill(number)
                found.append(Event(number, "failed", f"it took {size >> 20:,} MiB, more than it may"))
        self.peak_bytes = max(self.peak_bytes, total)
        return found


def private_bytes(pid: int) -> int:
    """Memory of a process that no other shares; 0 when it is gone."""
    import psutil

    with contextlib.suppress(psutil.Error, OSError):
        return int(psutil.Process(pid).memory_full_info().uss)
    return 0


def _work(pipe: Connection, parent: int, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    _die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    warnings.simplefilter("ignore")
    try:
        result = function(lambda value: pipe.send(("said", value)), *arguments)
        pipe.send(("done", result))
    except MemoryError:
        pipe.send(("failed", "it needs more memory than there is"))
    except Exception as error:
        print(traceback.format_exc(), file=sys.stderr)
        lines = str(error).strip().splitlines()
        pipe.send(("failed", f"{type(error).__name__}: {lines[0][:300] if lines else ''}"))
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    os._exit(0)


def _die_with(parent: int) -> None:
    """Has the kernel end this process with its parent (Linux, ``prctl(2)``)."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
