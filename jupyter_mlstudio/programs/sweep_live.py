"""A sweep's trials under way: begun and stopped by whoever executes them, and followed until they end."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from jupyter_mlstudio.client.wire import Connection, segment
from jupyter_mlstudio.entities.sweeps import SweepSpec
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import StudioError, Unavailable
from jupyter_mlstudio.programs import context
from jupyter_mlstudio.programs.sweep_commands import Commands
from jupyter_mlstudio.programs.sweep_events import Attempt, End, Ended, Event
from jupyter_mlstudio.programs.sweep_pool import Pool, python_of
from jupyter_mlstudio.programs.sweep_study import Book


class Live:
    """A trial under way. Times are of this process's monotonic clock."""

    __slots__ = ("began", "params", "pruned", "reason", "run_id", "tell_at")

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.began: float | None = None
        self.params: Mapping[str, Any] = {}
        self.pruned = False
        self.reason = ""
        self.tell_at: float | None = None


class UnderWay:
    """The trials under way, by their numbers.

    Args:
        job: its options say what a trial is: ``work_kind`` and ``work``.
        announce: called with a trial's number when something wants to log to its run, which must be there then.
    """

    def __init__(
        self, job: context.Job, spec: SweepSpec, book: Book, gateway: Connection, announce: Callable[[int], None]
    ) -> None:
        options = job.spec["options"]
        self._spec = spec
        self._gateway = gateway
        self._announce = announce
        self._family = str(book.study.user_attrs.get("uuid", job.run_id))
        self._live: dict[int, Live] = {}
        self._work: dict[str, JSON] = dict(options["work"])
        self.are_calls = options["work_kind"] == "trial"
        self._trials = self._pool(job, book) if self.are_calls else self._commands(job, str(options["work_kind"]))

    def __len__(self) -> int:
        return len(self._live)

    def __iter__(self) -> Iterator[int]:
        return iter(list(self._live))

    def get(self, number: int) -> Live | None:
        """A trial, None when it is not under way."""
        return self._live.get(number)

    def start(
        self, number: int, trial_id: int, run_id: str, params: Mapping[str, JSON], *, again: bool = False
    ) -> Ended | None:
        """Begins a trial; answers how it ended where it could not be begun.

        Raises:
            Unavailable: nobody answers. Whoever goes on with the sweep begins it again, under the same key.
        """
        key = hashlib.sha256(f"{self._family}/{number}".encode()).hexdigest()[:40]
        live = self._live[number] = Live(run_id)
        live.params = params
        attempt = Attempt(
            number=number, trial_id=trial_id, run_id=run_id, params={**self._spec.fixed, **params}, key=key,
            repeats=self._spec.repeats, again=again,
        )  # fmt: skip
        try:
            self._trials.start(attempt)
        except Unavailable:
            raise
        except StudioError as error:
            return Ended(number=number, end=End.FAILED, reason=error.message)
        return None

    def stop(self, number: int, reason: str) -> None:
        """Stops a trial, for the first reason that there is."""
        live = self._live.get(number)
        if live is not None and not live.reason:
            live.reason = reason
            self._trials.stop(number, reason)

    def forget(self, number: int) -> None:
        """Follows a trial no more: it is over."""
        del self._live[number]

    def poll(self, wait_s: float) -> list[Event]:
        """What has happened; waits for it a little."""
        return self._trials.poll(wait_s)

    def stop_late(self, timeout_s: float | None) -> None:
        """Stops trials that take longer than one may."""
        if timeout_s is not None:
            late = time.monotonic() - timeout_s
            for number in [number for number, one in self._live.items() if one.began is not None and one.began < late]:
                self.stop(number, f"over its time limit of {timeout_s:g} s")

    def untold(self) -> list[int]:
        """Trials that have run for a while and nobody was told of."""
        now = time.monotonic()
        return [number for number, one in self._live.items() if one.tell_at is not None and now > one.tell_at]

    def close(self) -> None:
        """Ends whoever executes them."""
        self._trials.close()

    def _pool(self, job: context.Job, book: Book) -> Pool:
        config = {
            **book.config, "function": str(job.run_folder / "function.pkl"), "runs": str(job.run_folder.parent),
            "path": [str(Path.cwd()), *self._work.get("options", {}).get("path", [])],
            "threads": max(1, (os.cpu_count() or 1) // self._spec.limits.max_concurrent_trials),
        }  # fmt: skip
        return Pool(config, python_of(self._work), job.run_folder / "sweep.sock", self._announce, self._series)

    def _commands(self, job: context.Job, kind: str) -> Commands:
        return Commands(
            self._gateway, kind, self._work, name=job.name,
            experiment=str(self._gateway.get(f"runs/{segment(job.run_id)}")["experiment"]),
            objectives=self._spec.objectives, runs=job.run_folder.parent, series=self._series,
        )  # fmt: skip

    def _series(self, run_id: str, after: int) -> tuple[list[tuple[int, float]], int]:
        name = self._spec.objectives[0].primary_metric
        (one,) = self._gateway.get(f"runs/{segment(run_id)}/series", {"name": name, "after": after})
        steps = [(int(step), float(value)) for step, value in zip(one["steps"], one["values"], strict=True)]
        return steps, max(after, int(one["total"]))
