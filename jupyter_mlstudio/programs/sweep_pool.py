"""Trials that are calls of a function, done by a pool of warm workers.

One process has unpickled the function and forks a worker when one is needed; each worker holds a connection to here.
A worker that is stopped, hangs or dies takes nothing else with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid, StudioError
from jupyter_mlstudio.programs import sweep_processes
from jupyter_mlstudio.programs.sweep_events import Attempt, Begun, End, Ended, Event, Reported, means

START_S = 180.0
STATUS_S = 5.0
STARTS = 5
LIVE_S = 0.5


@dataclass
class _Worker:
    """One worker, seen from here."""

    link: socket.socket
    pid: int
    mark: str
    loader: int
    """Which process it was forked by: the first, or one that was begun after that was killed."""
    busy: Attempt | None = None
    logs: bool = False
    told: int = 0
    received: bytes = b""
    reason: str = ""


class Pool:
    """Executes calls.

    Args:
        config: what workers need: the function's file, the search space, the objectives and where the study is.
        python: the user's interpreter.
        announce: called when a trial's run has to be there, because the function logs to it.
        series: reads points of the first objective that a trial has logged, after the first so many, and how many
            there are in all.

    Raises:
        Invalid: the function cannot be loaded.
    """

    def __init__(
        self,
        config: Mapping[str, JSON],
        python: str,
        announce: Callable[[int], None],
        series: Callable[[str, int], tuple[list[tuple[int, float]], int]],
    ) -> None:
        self._announce = announce
        self._series = series
        self._folder = Path(tempfile.mkdtemp(prefix="mlstudio-sweep-"))
        path = str(self._folder / "s")
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(path)
        self._listener.listen(128)
        self._select = selectors.DefaultSelector()
        self._select.register(self._listener, selectors.EVENT_READ)
        self._workers: dict[socket.socket, _Worker] = {}
        self._waiting: deque[Attempt] = deque()
        self._asked = 0
        self._statuses: dict[int, int] = {}
        self._met: set[int] = set()
        self._unmet = 0
        self._zygote: socket.socket | None = None
        self._zygote_received = b""
        self._next_look = 0.0
        self._events: list[Event] = []
        self._config = {**config, "socket": path}
        self._python = python
        self._begun = 0
        self.takes_trial = self._begin()

    def start(self, attempt: Attempt) -> None:
        """Has a call done by an idle worker, or by a new one."""
        for worker in self._workers.values():
            if worker.busy is None and not worker.reason:
                self._give(worker, attempt)
                return
        self._waiting.append(attempt)

    def poll(self, timeout_s: float) -> list[Event]:
        """Waits for something to happen, not longer than that; answers what did.

        Raises:
            Invalid: there are no processes to call the function any more.
        """
        while self._asked < len(self._waiting):
            self._fork()
        for key, _ in self._select.select(timeout_s):
            if key.fileobj is self._listener:
                self._accept()
            elif key.fileobj is self._zygote:
                self._hear_zygote()
            elif (worker := self._workers.get(key.fileobj)) is not None:  # type: ignore[call-overload]
                self._hear(worker)
        self._look_at_ended()
        self._look_at_logged()
        events, self._events = self._events, []
        return events

    def stop(self, number: int, reason: str) -> None:
        """Ends a call with its process and all that this has started."""
        for worker in list(self._workers.values()):
            if worker.busy is not None and worker.busy.number == number:
                worker.reason = reason
                sweep_processes.end(worker.pid, worker.mark)
        for attempt in [one for one in self._waiting if one.number == number]:
            self._waiting.remove(attempt)
            self._events.append(Ended(number=number, end=End.STOPPED, reason=reason))

    def close(self) -> None:
        """Ends all workers."""
        for worker in self._workers.values():
            sweep_processes.end(worker.pid, worker.mark)
        self._process.kill()
        self._process.wait()
        self._listener.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _begin(self) -> bool:
        """Starts the process that loads the function, again when it was killed; answers whether that takes a trial."""
        self._begun += 1
        if self._begun > STARTS:
            raise Invalid(f"the process that calls the function was killed {STARTS} times")
        self._asked = 0
        # As many threads as there are cores for each of several workers would only wait for each other.
        threads = {"OMP_NUM_THREADS": str(self._config["threads"])}
        self._process = subprocess.Popen(
            [self._python, "-P", "-m", "jupyter_mlstudio.programs.sweep_worker"], stdin=subprocess.PIPE, text=True,
            env={**threads, **os.environ},
        )  # fmt: skip
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(self._config) + "\n")
        self._process.stdin.flush()
        return self._wait_until_ready()

    def _wait_until_ready(self) -> bool:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            for key, _ in self._select.select(0.1):
                if key.fileobj is self._listener:
                    self._accept()
                elif (worker := self._workers.get(key.fileobj)) is not None:  # type: ignore[call-overload]
                    self._hear(worker)  # of a process that was killed before
                elif key.fileobj is self._zygote:
                    for message in self._zygote_messages():
                        if "failed" in message:
                            self.close()
                            raise Invalid(str(message["failed"]))
                        if "ready" in message:
                            return bool(message["takes_trial"])
        self.close()
        raise Invalid("the process that calls the function ended before it could; its log says more")

    def _accept(self) -> None:
        link, _ = self._listener.accept()
        hello = json.loads(_read_line(link))
        if "zygote" in hello:
            self._zygote = link
            self._select.register(link, selectors.EVENT_READ)
            return
        self._asked = max(0, self._asked - 1)
        pid = int(hello["pid"])
        worker = self._workers[link] = _Worker(link, pid, str(hello.get("mark", "")), self._begun)
        self._met.add(pid)
        self._statuses.pop(pid, None)  # of another one, long ago
        self._unmet = 0
        self._select.register(link, selectors.EVENT_READ)
        if self._waiting:
            self._give(worker, self._waiting.popleft())

    def _fork(self) -> None:
        if self._zygote is None:
            self._process.wait()
            self._begin()
        assert self._zygote is not None
        self._asked += 1
        with contextlib.suppress(OSError):
            self._zygote.sendall(json.dumps({"fork": self._asked}).encode() + b"\n")

    def _give(self, worker: _Worker, attempt: Attempt) -> None:
        worker.busy, worker.logs, worker.told = attempt, False, 0
        task = {
            "number": attempt.number, "trial_id": attempt.trial_id, "run_id": attempt.run_id,
            "params": dict(attempt.params), "repeats": attempt.repeats,
        }  # fmt: skip
        self._events.append(Begun(number=attempt.number, run_id=attempt.run_id))
        with contextlib.suppress(OSError):
            worker.link.sendall(json.dumps(task).encode() + b"\n")

    def _hear(self, worker: _Worker) -> None:
        try:
            content = worker.link.recv(1 << 20)
        except OSError:
            content = b""
        if not content:
            self._lost(worker)
            return
        *lines, worker.received = (worker.received + content).split(b"\n")
        for line in lines:
            self._take(worker, json.loads(line))

    def _take(self, worker: _Worker, message: Mapping[str, JSON]) -> None:
        attempt = worker.busy
        if attempt is None:
            return
        if "announce" in message:
            worker.logs = True
            with contextlib.suppress(StudioError):
                self._announce(attempt.number)
            with contextlib.suppress(OSError):
                worker.link.sendall(b"{}\n")
            return
        if worker.logs:
            self._look(worker, attempt)
        worker.busy = None
        if "samples" in message:
            samples = message["samples"]
            ended = Ended(number=attempt.number, end=End.DONE, metrics=means(samples), samples=samples)
        elif "pruned" in message:
            ended = Ended(number=attempt.number, end=End.PRUNED, reason=str(message["pruned"]))
        else:
            ended = Ended(number=attempt.number, end=End.FAILED, reason=str(message["failed"]))
        self._events.append(ended)
        if self._waiting and not worker.reason:
            self._give(worker, self._waiting.popleft())

    def _lost(self, worker: _Worker) -> None:
        """A worker is gone: stopped from here, killed by somebody, or it ended itself."""
        self._select.unregister(worker.link)
        worker.link.close()
        del self._workers[worker.link]
        if worker.busy is not None:
            if worker.reason:
                end, reason = End.STOPPED, worker.reason
            else:
                status = self._status(worker)
                sweep_processes.end_left(worker.pid, worker.mark)
                killed = status is None or status < 0
                told = "ended" if status is None else _told(status)
                end, reason = End.KILLED if killed else End.FAILED, f"the process of the trial was {told}"
            self._events.append(Ended(number=worker.busy.number, end=end, reason=reason))

    def _status(self, worker: _Worker) -> int | None:
        """How a worker ended; None when the process that forked it is gone too."""
        pid, deadline = worker.pid, time.monotonic() + STATUS_S
        while pid not in self._statuses and time.monotonic() < deadline and self._zygote is not None:
            if worker.loader != self._begun:
                return None
            self._zygote.settimeout(0.1)
            with contextlib.suppress(TimeoutError):
                self._hear_zygote()
            if self._zygote is not None:
                self._zygote.settimeout(None)
        return self._statuses.pop(pid, None)

    def _hear_zygote(self) -> None:
        for message in self._zygote_messages():
            if "ended" in message:
                self._note_end(int(message["ended"]), int(message["status"]))

    def _note_end(self, pid: int, status: int) -> None:
        if pid not in self._met:
            while select.select([self._listener], [], [], 0)[0]:
                self._accept()
        if pid in self._met:
            self._met.discard(pid)
            self._statuses[pid] = status
            if len(self._statuses) > 1000:
                self._statuses.pop(next(iter(self._statuses)))
            return
        self._asked, self._unmet = max(0, self._asked - 1), self._unmet + 1
        if self._unmet > STARTS:
            raise Invalid(f"{self._unmet} processes {_told(status)} before they could call the function")

    def _zygote_messages(self) -> list[dict[str, JSON]]:
        assert self._zygote is not None
        try:
            content = self._zygote.recv(1 << 16)
        except ConnectionError:
            content = b""
        if not content:
            self._select.unregister(self._zygote)
            self._zygote.close()
            self._zygote, self._zygote_received, self._asked = None, b"", 0
            return []
        *lines, self._zygote_received = (self._zygote_received + content).split(b"\n")
        return [json.loads(line) for line in lines]

    def _look_at_ended(self) -> None:
        """Takes leave of workers that have ended while a copy of their process holds the connection open."""
        for worker in [one for one in self._workers.values() if one.pid in self._statuses]:
            worker.link.setblocking(False)
            while worker.link in self._workers:  # what it said comes first
                self._hear(worker)

    def _look_at_logged(self) -> None:
        """Reads the points that calls have logged, where they do not report to Optuna themselves."""
        if self.takes_trial or time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + LIVE_S
        for worker in self._workers.values():
            if worker.busy is not None and worker.logs:
                self._look(worker, worker.busy)

    def _look(self, worker: _Worker, attempt: Attempt) -> None:
        with contextlib.suppress(StudioError):
            steps, worker.told = self._series(attempt.run_id, worker.told)
            if steps and not self.takes_trial:
                self._events.append(Reported(number=attempt.number, steps=steps))


def _read_line(link: socket.socket) -> bytes:
    """Reads a connection's first line, and not a byte more."""
    link.settimeout(START_S)
    line = b""
    while not line.endswith(b"\n"):
        byte = link.recv(1)
        if not byte:
            return b'{"pid": 0}'
        line += byte
    link.settimeout(None)
    return line


def _told(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    name = signal.Signals(-status).name if -status in set(signal.Signals) else "a signal"
    return f"killed by signal {-status} ({name})"


def python_of(work: Mapping[str, JSON]) -> str:
    """Returns the interpreter that calls the function."""
    return str(work.get("python") or sys.executable)
