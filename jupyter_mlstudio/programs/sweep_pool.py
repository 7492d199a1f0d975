"""Trials that are calls of a function, done by a pool of warm workers.

One process has unpickled the function and forks a worker when one is needed; each worker holds a connection to here.
A worker that is stopped, hangs or dies takes nothing else with it.
"""

from __future__ import annotations

import contextlib
import json
import select
import selectors
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid, StudioError
from jupyter_mlstudio.programs import sweep_processes, sweep_socket
from jupyter_mlstudio.programs.sweep_events import Attempt, Begun, End, Ended, Event, Reported, means
from jupyter_mlstudio.programs.sweep_loader import Loader, told

START_S = 180.0
STATUS_S = 5.0
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
        path: where the socket is, in a folder of the sweep's own.
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
        path: Path,
        announce: Callable[[int], None],
        series: Callable[[str, int], tuple[list[tuple[int, float]], int]],
    ) -> None:
        self._announce = announce
        self._series = series
        self._listener, self._path = sweep_socket.listening(path)
        self._select = selectors.DefaultSelector()
        self._select.register(self._listener, selectors.EVENT_READ)
        self._workers: dict[socket.socket, _Worker] = {}
        self._waiting: deque[Attempt] = deque()
        self._next_look = 0.0
        self._events: list[Event] = []
        self._loader = Loader({**config, "socket": str(self._path)}, python)
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
        while self._loader.asked < len(self._waiting):
            self._fork()
        for key, _ in self._select.select(timeout_s):
            if key.fileobj is self._listener:
                self._accept_all()
            elif key.fileobj is self._loader.link:
                self._hear_loader()
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
        self._loader.kill()
        sweep_socket.close(self._listener, self._path)

    def _begin(self) -> bool:
        """Starts the process that loads the function, again when it was killed; answers whether that takes a trial."""
        self._loader.begin()
        return self._wait_until_ready()

    def _wait_until_ready(self) -> bool:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._loader.is_alive():
            for key, _ in self._select.select(0.1):
                if key.fileobj is self._listener:
                    self._accept()
                elif (worker := self._workers.get(key.fileobj)) is not None:  # type: ignore[call-overload]
                    self._hear(worker)  # of a process that was killed before
                elif key.fileobj is self._loader.link:
                    for message in self._messages():
                        if "failed" in message:
                            self.close()
                            raise Invalid(str(message["failed"]))
                        if "ready" in message:
                            return bool(message["takes_trial"])
        self.close()
        raise Invalid("the process that calls the function ended before it could; its log says more")

    def _accept_all(self) -> None:
        """Takes in whoever has come, which may be nobody: who looked for the end of a worker may have done it."""
        while select.select([self._listener], [], [], 0)[0]:
            self._accept()

    def _accept(self) -> None:
        link, _ = self._listener.accept()
        hello = json.loads(sweep_socket.read_line(link, START_S) or b'{"pid": 0}')
        if "zygote" in hello:
            self._loader.link = link
            self._select.register(link, selectors.EVENT_READ)
            return
        pid = int(hello["pid"])
        worker = self._workers[link] = _Worker(link, pid, str(hello.get("mark", "")), self._loader.begun)
        self._loader.meet(pid)
        self._select.register(link, selectors.EVENT_READ)
        if self._waiting:
            self._give(worker, self._waiting.popleft())

    def _fork(self) -> None:
        if self._loader.link is None:
            self._loader.wait()
            self._begin()
        self._loader.fork()

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
                how = "ended" if status is None else told(status)
                end, reason = End.KILLED if killed else End.FAILED, f"the process of the trial was {how}"
            self._events.append(Ended(number=worker.busy.number, end=end, reason=reason))

    def _status(self, worker: _Worker) -> int | None:
        """How a worker ended; None when the process that forked it is gone too."""
        loader, deadline = self._loader, time.monotonic() + STATUS_S
        while worker.pid not in loader.statuses and time.monotonic() < deadline and loader.link is not None:
            if worker.loader != loader.begun:
                return None
            loader.link.settimeout(0.1)
            with contextlib.suppress(TimeoutError):
                self._hear_loader()
            if loader.link is not None:
                loader.link.settimeout(None)
        return loader.statuses.pop(worker.pid, None)

    def _hear_loader(self) -> None:
        for message in self._messages():
            if "ended" in message:
                self._note_end(int(message["ended"]), int(message["status"]))

    def _note_end(self, pid: int, status: int) -> None:
        if not self._loader.has_met(pid):
            self._accept_all()
        self._loader.note_end(pid, status)

    def _messages(self) -> list[dict[str, JSON]]:
        link = self._loader.link
        found = self._loader.messages()
        if self._loader.link is None and link is not None:
            self._select.unregister(link)
            link.close()
        return found

    def _look_at_ended(self) -> None:
        """Takes leave of workers that have ended while a copy of their process holds the connection open."""
        for worker in [one for one in self._workers.values() if one.pid in self._loader.statuses]:
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


def python_of(work: Mapping[str, JSON]) -> str:
    """Returns the interpreter that calls the function."""
    return str(work.get("python") or sys.executable)
