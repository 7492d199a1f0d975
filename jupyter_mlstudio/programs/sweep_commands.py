"""Trials that are runs of their own: a cell, a script, a notebook or any command, through the target's queue."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_mlstudio.client.wire import Connection, segment
from jupyter_mlstudio.entities.runs import TERMINAL
from jupyter_mlstudio.entities.sweeps import Objective
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import StudioError, Unavailable
from jupyter_mlstudio.programs.sweep_events import Attempt, Begun, End, Ended, Event, Reported, means, said

LOOK_S = 0.25
TAIL_BYTES = 256 * 1024
SIGNAL = "killed by signal"
WITHDRAWN = ("its supervisor was killed", "the host was restarted")
"""Reasons of runs that ended through no fault of their own."""
TAG = "mlstudio.trial"


@dataclass
class _Child:
    """A trial under way: the run of the seed that is its turn."""

    attempt: Attempt
    run_id: str
    repeat: int = 0
    told: int = 0
    waits: bool = True
    reason: str = ""
    samples: list[dict[str, float]] = field(default_factory=list)


class Commands:
    """Executes trials as runs.

    Args:
        gateway: of the sweep's run, which starts runs below it.
        kind: of the runs.
        work: their specification without the trial's parameters.
        name: of the sweep.
        experiment: of the sweep.
        objectives: what is read of them.
        runs: the folder of all runs' folders.
        series: reads points of the first objective that a run has logged, after the first so many, and how many
            there are in all.
    """

    takes_trial = False

    def __init__(
        self,
        gateway: Connection,
        kind: str,
        work: Mapping[str, JSON],
        *,
        name: str,
        experiment: str,
        objectives: list[Objective],
        runs: Path,
        series: Callable[[str, int], tuple[list[tuple[int, float]], int]],
    ) -> None:
        self._gateway = gateway
        self._kind = kind
        self._work = work
        self._name = name
        self._experiment = experiment
        self._objectives = objectives
        self._runs = runs
        self._series = series
        self._children: dict[int, _Child] = {}
        self._events: list[Event] = []
        self._next_look = 0.0

    def start(self, attempt: Attempt) -> None:
        """Submits a trial's run; one that was begun before is found again."""
        try:
            run_id = self._submit(attempt, 0)
        except Unavailable:
            raise
        except StudioError as error:
            self._events.append(Ended(number=attempt.number, end=End.FAILED, reason=error.message))
            return
        self._children[attempt.number] = _Child(attempt, run_id)
        self._events.append(Begun(number=attempt.number, run_id=run_id, waits=True))

    def poll(self, timeout_s: float) -> list[Event]:
        """Looks at all runs every quarter of a second; answers what happened."""
        if not self._events:
            time.sleep(timeout_s)
        if time.monotonic() >= self._next_look:
            for child in list(self._children.values()):
                with contextlib.suppress(StudioError):
                    self._look(child)
            self._next_look = time.monotonic() + LOOK_S
        events, self._events = self._events, []
        return events

    def stop(self, number: int, reason: str) -> None:
        """Stops a trial's run with its whole process tree."""
        child = self._children.get(number)
        if child is not None and not child.reason:
            child.reason = reason
            with contextlib.suppress(StudioError):
                self._gateway.post(f"runs/{segment(child.run_id)}/stop", {})

    def close(self) -> None:
        """Stops what is under way."""
        for number in list(self._children):
            self.stop(number, "the sweep ended")

    def _submit(self, attempt: Attempt, repeat: int) -> str:
        params = {**(self._work.get("params") or {}), **attempt.params}
        name, tags = f"{self._name} {attempt.number}", {TAG: str(attempt.number)}
        if attempt.repeats > 1:
            params["seed"] = repeat
            name, tags = f"{name} seed {repeat}", {**tags, "mlstudio.seed": str(repeat)}
        body = {
            "kind": self._kind, "spec": {**self._work, "params": params}, "name": name[:255],
            "experiment": self._experiment, "tags": tags, "request_id": f"{attempt.key}-{repeat}",
        }  # fmt: skip
        return str(self._gateway.post("runs", body, again=True)["id"])

    def _look(self, child: _Child) -> None:
        run = self._gateway.get(f"runs/{segment(child.run_id)}")
        number = child.attempt.number
        if child.waits and run["started_at"] is not None:
            child.waits = False
            self._events.append(Begun(number=number, run_id=child.run_id))
        if child.repeat == 0:
            steps, child.told = self._series(child.run_id, child.told)
            if steps:
                self._events.append(Reported(number=number, steps=steps))
        if run["status"] not in TERMINAL:
            return
        if run["status"] == "Completed" and not child.reason:
            sample, following = self._metrics(run), child.repeat + 1
            if following < child.attempt.repeats:
                child.run_id, child.repeat = self._submit(child.attempt, following), following
                child.samples.append(sample)
                return
            samples = [*child.samples, sample]
            ended = Ended(number=number, end=End.DONE, metrics=means(samples), samples=samples)
        else:
            ended = _ended(child, run)
        del self._children[number]
        self._events.append(ended)

    def _metrics(self, run: Mapping[str, JSON]) -> dict[str, float]:
        """Reads the metrics of a run that is complete; an objective that was not logged is looked for in its output."""
        found = {name: float(value) for name, value in run["metrics"].items() if value is not None}
        summaries = {one["name"]: one for one in run["summaries"]}
        log: str | None = None
        for objective in self._objectives:
            name = objective.primary_metric
            if name in summaries and objective.value == "best":
                best = summaries[name]["max" if objective.goal == "maximize" else "min"]
                if best is not None:
                    found[name] = float(best)
            if name not in found:
                log = log if log is not None else self._log(str(run["id"]))
                value = said(name, log)
                if value is not None:
                    found[name] = value
        return found

    def _log(self, run_id: str) -> str:
        with contextlib.suppress(OSError), (self._runs / run_id / "output.log").open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - TAIL_BYTES))
            return file.read().decode("utf-8", "replace")
        return ""


def _ended(child: _Child, run: Mapping[str, JSON]) -> Ended:
    """How a trial ended whose run did not complete, or not before it was stopped."""
    number, reason = child.attempt.number, str(run["reason"])
    if child.reason:
        return Ended(number=number, end=End.STOPPED, reason=child.reason)
    if child.attempt.again and (run["status"] == "Canceled" or reason in WITHDRAWN):
        return Ended(number=number, end=End.LOST, reason=f"interrupted: {reason or 'stopped'}")
    if run["status"] == "Canceled":
        return Ended(number=number, end=End.STOPPED, reason=reason or "stopped")
    killed = reason.startswith(SIGNAL) or reason in WITHDRAWN
    return Ended(number=number, end=End.KILLED if killed else End.FAILED, reason=reason)
