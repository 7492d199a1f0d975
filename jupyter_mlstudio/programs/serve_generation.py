"""The workers of one deployment that serve the same version with the same settings: started, watched, started again."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable

from jupyter_mlstudio.entities.memory import MEBIBYTE, Pressure
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.programs.serve_plan import Planned
from jupyter_mlstudio.programs.serve_worker import Worker, end_all
from jupyter_mlstudio.serving.config import Limits

CRASHES_LIMIT = 5
STEADY_S = 60.0
"""After so long without a crash, the count begins again."""

BACKOFF_S = (0.1, 0.5, 1.0, 2.0)
NEAR = 0.7
"""From this share of its limit on, memory is what ended a process: some of what it may reserve is never used."""

OUT_OF_MEMORY = (-signal.SIGKILL, -signal.SIGABRT)
"""How a process ends for want of memory: by the operating system, or by itself when it is refused some."""

START_S = 120.0
"""So long a worker may take to load the model, during which it says nothing."""

FAREWELL_S = 75.0
"""So long a worker may take to leave: until idle connections have ended by themselves, and slow requests too."""


class Generation:
    """Identical workers.

    Args:
        spawn: starts a process.
        configure: tells one what to serve, once :attr:`config` is known.
        count: how many there shall be.
    """

    def __init__(
        self,
        planned: Planned,
        spawn: Callable[[Generation], Worker],
        configure: Callable[[Generation, Worker], None],
        count: int,
    ) -> None:
        self.planned = planned
        self.wanted = count
        self.config: dict[str, JSON] | None = None
        self.workers: list[Worker] = []
        self.leaving: list[Worker] = []
        self.failed = ""
        self.reason = ""
        self._spawn = spawn
        self._configure = configure
        allowed = int(planned.limits.get("memory_bytes", Limits().memory_bytes))
        self._pressure = Pressure(allowed, MEBIBYTE, NEAR)
        self._crashes = 0
        self._crashed_at = 0.0
        self._start_at = 0.0

    def ready(self, now: float) -> list[Worker]:
        """Those that serve and said so lately."""
        return [one for one in self.workers if self._serves(one) and now - one.heard_at <= self._hesitation_s]

    def silent(self, now: float) -> bool:
        """Whether those that serve have all been silent for suspiciously long."""
        serving = [one for one in self.workers if self._serves(one)]
        return bool(serving) and not self.ready(now)

    def found(self, config: dict[str, JSON]) -> None:
        """Takes note of what its workers serve."""
        self.config = config
        for worker in self.workers:
            self._configure(self, worker)

    def fail(self, reason: str) -> None:
        """Gives up, with the reason."""
        self.failed = reason
        self.stop()

    def heard(self, worker: Worker, message: dict[str, JSON], now: float) -> None:
        """Takes note of what a worker says."""
        worker.heard_at = now
        if "failed" in message:
            self.fail(str(message["failed"]))
        elif "ready" in message:
            worker.ready = True
            self.reason = ""
        elif "stuck" in message and worker in self.workers:
            print(f"a worker of {self._label} is replaced: {message['stuck']}", file=sys.stderr)
            self.workers.remove(worker)
            self.leaving.append(worker)
            worker.left_at = now
            worker.terminate()
        elif "stats" in message:
            worker.said += 1
            worker.stats = message["stats"]

    def lost(self, worker: Worker, now: float) -> None:
        """Takes note of the end of a worker; counts it as a crash when nobody asked for it."""
        worker.wait(1.0)
        if worker in self.leaving:
            self.leaving.remove(worker)
            return
        if worker not in self.workers:
            return
        self.workers.remove(worker)
        how = self._how(worker)
        print(f"a worker of {self._label} (process {worker.pid}) {how}", file=sys.stderr)
        self._crashes = self._crashes + 1 if now - self._crashed_at < STEADY_S else 1
        self._crashed_at = now
        self._start_at = now + BACKOFF_S[min(self._crashes, len(BACKOFF_S)) - 1]
        self.reason = f"the scoring process {how}; it is started again"
        if self._crashes >= CRASHES_LIMIT:
            self.fail(f"the scoring process {how}, {self._crashes} times in a row")

    def mind(self, now: float) -> None:
        """Replaces workers that hang, starts those that are missing, lets those go that are too many."""
        self._pressure.note(0)
        for worker in self.workers:
            self._mind_silence(worker, now)
        for worker in self.leaving:
            if now - worker.heard_at > self.planned.liveness.patience_s or now - worker.left_at > FAREWELL_S:
                worker.terminate()
        if self.failed:
            return
        while len(self.workers) < self.wanted and now >= self._start_at:
            worker = self._spawn(self)
            self.workers.append(worker)
            if self.config is not None:
                self._configure(self, worker)
        while len(self.workers) > self.wanted:
            self._let_go(self.workers[-1], now)

    def leave(self, now: float) -> None:
        """Lets all workers go, without failing a request."""
        self.wanted = 0
        for worker in list(self.workers):
            self._let_go(worker, now)

    def stop(self) -> None:
        """Ends all workers at once."""
        self.wanted = 0
        workers, self.workers = self.workers, []
        end_all(workers)

    def _how(self, worker: Worker) -> str:
        """How a worker ended, and whether memory was the reason."""
        status = worker.process.returncode
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        lack = self._pressure.verdict(status in OUT_OF_MEMORY, worker.peak_bytes) if status < 0 else ""
        self._pressure.peak_bytes = 0
        return f"{how}: {lack}" if lack else how

    def _let_go(self, worker: Worker, now: float) -> None:
        self.workers.remove(worker)
        self.leaving.append(worker)
        worker.left_at = now
        if worker.ready:
            worker.leave()
        else:
            worker.terminate()

    def _mind_silence(self, worker: Worker, now: float) -> None:
        if not worker.configured:
            return
        silent_s = now - worker.heard_at
        liveness = self.planned.liveness
        if silent_s > (liveness.patience_s if worker.ready else START_S + liveness.initial_delay_s):
            print(f"a worker of {self._label} has said nothing for {silent_s:.0f} s; it is replaced", file=sys.stderr)
            worker.kill()
            worker.heard_at = now

    def _serves(self, worker: Worker) -> bool:
        return worker.ready and worker.said >= self.planned.readiness.success_threshold - 1

    @property
    def _hesitation_s(self) -> float:
        return self.planned.readiness.timeout_s

    @property
    def _label(self) -> str:
        return f"deployment {self.planned.name}" if self.planned.name else "the endpoint"
