"""A run's supervisor: starts the work, opens its gateway, watches, and writes the outcome.

The work is started before anything heavy is imported here: it finds the gateway's port open and is answered as soon
as this process is ready. The supervisor lives exactly as long as the run and needs no server.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlstudio.entities import memory
from jupyter_mlstudio.entities.runs import RunKind, RunStatus
from jupyter_mlstudio.entities.values import utc_now
from jupyter_mlstudio.errors import StudioError
from jupyter_mlstudio.plugins.compute.base import State
from jupyter_mlstudio.plugins.compute.local import LocalTarget
from jupyter_mlstudio.runner.listening import listen
from jupyter_mlstudio.runner.watched import WatchedProcess
from jupyter_mlstudio.runner.work import Job, work_of
from jupyter_mlstudio.services import claims
from jupyter_mlstudio.services.outcomes import Outcome, reserve, write_outcome

if TYPE_CHECKING:
    from jupyter_mlstudio.runner.record import Record

POLL_S = 0.1
BEAT_S = 2.0
GRACE_S = 5.0
PATIENCE_S = 120.0
RESTARTS = {RunKind.SWEEP: 5, RunKind.AUTOML: 5}
"""How often a program is begun again that can go on where it was when it was killed."""
KILLED = (-signal.SIGKILL, 128 + signal.SIGKILL)
"""How work ends that was killed: by itself, or as a shell tells it."""


def main(root: Path, run_id: str, target: LocalTarget | None = None) -> int:
    """Supervises one run from start to end.

    Args:
        target: where its work executes; None is this machine.
    """
    job = Job.read(root / ".mlstudio" / "runs" / run_id)
    if not claims.take(job.run_folder):
        print("this run has a supervisor, or had one; it is not executed twice", file=sys.stderr)
        return 0
    return asyncio.run(Supervisor(root, job, target or LocalTarget()).run())


class Supervisor:
    """One run's guardian."""

    def __init__(self, root: Path, job: Job, target: LocalTarget) -> None:
        self._root = root
        self._job = job
        self._target = target
        self._token = os.environ.pop("MLSTUDIO_GATEWAY_TOKEN", "") or secrets.token_urlsafe(32)
        self._look = asyncio.Event()
        self._asked_to_end = False
        self._started = time.monotonic()
        self._handle: Any = None
        self._restarts = 0
        self._pressure = memory.Pressure(job.memory_bytes)

    async def run(self) -> int:
        """Does everything; returns the exit status."""
        reserve(self._job.run_folder)
        self._listen_to_signals()
        listener = listen()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        target, self._handle, failure = self._start(url)
        outcome: Outcome
        from jupyter_mlstudio.runner.record import Record

        record = await self._in_thread(lambda: Record(self._root, self._job.run_id))
        from jupyter_mlstudio.runner.gateway import finish, serve

        serve(listener, lambda: record.studio, token=self._token, user=record.user, run_id=self._job.run_id)
        if failure is not None or self._handle is None:
            outcome = Outcome(RunStatus.FAILED, failure or "the work could not be started", 127)
        else:
            outcome = await self._watch(record, target, url)
        await self._end(record, target, outcome)
        await self._in_thread(finish)
        return 0

    def _start(self, url: str) -> tuple[Any, Any, str | None]:
        if self._job.kind is RunKind.INTERACTIVE:
            options = self._job.spec["options"]
            watched = WatchedProcess(self._job.run_folder, int(options["pid"]), float(options["started"]))
            return watched, watched.start(), None
        target = self._target
        try:
            return target, target.start(work_of(self._job, self._root, url, self._token)), None
        except StudioError as error:
            return target, None, error.message

    async def _watch(self, record: Record, target: Any, url: str) -> Outcome:
        if not await self._patiently(lambda: record.running(url, self._handle)):
            return Outcome(RunStatus.CANCELED, "stopped before it started")
        state, next_beat = State(), 0.0
        while True:
            state = target.poll(self._handle)
            if state.exit_code is not None:
                if await self._begun_again(target, url, state.exit_code):
                    continue
                return self._outcome_of(state.exit_code)
            self._pressure.note(state.memory_bytes)
            if time.monotonic() >= next_beat or self._look.is_set():
                self._look.clear()
                if self._asked_to_end or await self._in_thread(lambda: record.beat(state)):  # noqa: B023
                    return await self._stopped(target)
                next_beat = time.monotonic() + BEAT_S
            broken = self._limit_broken()
            if broken is not None:
                await self._in_thread(lambda: target.stop(self._handle, GRACE_S))
                return Outcome(RunStatus.FAILED, broken)
            try:
                await asyncio.wait_for(self._look.wait(), POLL_S)
            except TimeoutError:
                continue

    async def _begun_again(self, target: Any, url: str, exit_code: int) -> bool:
        """Begins a program again that goes on where it was and that somebody killed; answers whether it did."""
        if exit_code >= 0 or self._restarts >= RESTARTS.get(self._job.kind, 0) or self._asked_to_end:
            return False
        self._restarts += 1
        print(f"the program was killed by signal {-exit_code}; it is begun again", file=sys.stderr, flush=True)
        await self._in_thread(lambda: target.stop(self._handle, 0.5))
        _target, handle, failure = self._start(url)
        if handle is None or failure is not None:
            return False
        self._handle = handle
        return True

    async def _stopped(self, target: Any) -> Outcome:
        await self._in_thread(lambda: target.stop(self._handle, GRACE_S))
        reason = "the supervisor was asked to end" if self._asked_to_end else "stopped"
        return Outcome(RunStatus.CANCELED, reason)

    async def _end(self, record: Record, target: Any, outcome: Outcome) -> None:
        """Ends what the work left behind, and tells disk and database how it went."""
        if self._handle is not None:
            await self._in_thread(lambda: target.stop(self._handle, 0.5))
        final = Outcome(outcome.status, outcome.reason, outcome.exit_code, utc_now(), time.monotonic() - self._started)
        write_outcome(self._job.run_folder, final)
        try:
            await self._patiently(lambda: record.settle(final))
        except StudioError:
            return  # the outcome is on disk; whoever reaps this run reads it there
        await self._in_thread(record.leave)

    def _outcome_of(self, exit_code: int) -> Outcome:
        said = self._said()
        killed = exit_code in KILLED
        if exit_code != 0 and (lack := self._pressure.verdict(killed, memory.children_peak_bytes())):
            lack += ", killed by signal 9" if killed else ""
            return Outcome(RunStatus.FAILED, f"{lack}: {said}" if said else lack, exit_code)
        if exit_code < 0:
            name = signal.Signals(-exit_code).name if -exit_code in set(signal.Signals) else "a signal"
            return Outcome(RunStatus.FAILED, f"killed by signal {-exit_code} ({name})", exit_code)
        if exit_code == 0 and not said:
            return Outcome(RunStatus.COMPLETED, "", 0)
        return Outcome(RunStatus.FAILED, said or f"exit status {exit_code}; its log says more", exit_code)

    def _said(self) -> str:
        """Returns the reason that the work left, if it did."""
        try:
            return str(json.loads((self._job.run_folder / "reason.json").read_bytes())["reason"])[:1000]
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def _limit_broken(self) -> str | None:
        passed = time.monotonic() - self._started
        limit_s = self._job.wall_time_s
        if limit_s is not None and passed > limit_s:
            return f"over its time limit of {limit_s:g} s"
        return self._pressure.exceeded() or None

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, self._look.set)
        loop.add_signal_handler(signal.SIGTERM, self._ask_to_end)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _ask_to_end(self) -> None:
        self._asked_to_end = True
        self._look.set()

    async def _patiently(self, work: Any) -> Any:
        """Does what the database is needed for, again and again while it is busy."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return await self._in_thread(work)
            except StudioError as error:
                print(f"the database does not take it yet: {error.message}", file=sys.stderr, flush=True)
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.5)

    async def _in_thread(self, work: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(None, work)
