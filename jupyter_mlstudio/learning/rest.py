"""Candidates whose ONNX form nobody had time to check: it is, in the time that is left when the winner is kept."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from jupyter_mlstudio.entities.automl import AutoMLLimits
from jupyter_mlstudio.entities.automl_candidates import Candidate
from jupyter_mlstudio.learning.budget import Clock, grown
from jupyter_mlstudio.learning.kept import Record
from jupyter_mlstudio.learning.refit import Probe
from jupyter_mlstudio.learning.rounds import LOOK_S, Asked
from jupyter_mlstudio.learning.workers import Workers

ROWS = 1_000
"""Of the table, that a model with a candidate's parameters is fitted on to be checked."""

NUMBER = 20_000
MARGIN_S, MARGIN_SHARE = 0.3, 0.02
"""Left of the time when the last check has ended: seconds, and a share of the whole."""


class Searched(Protocol):
    """What the checks need of a search."""

    onnx: bool
    limits: AutoMLLimits
    clock: Clock
    workers: Workers
    records: dict[int, Record]

    def sample_check_s(self, members: list[Record]) -> float: ...
    def memory_bytes(self) -> int | None: ...
    def sample_of(self, record: Record) -> tuple[Any, ...] | None: ...


class Rest:
    """The checks of those that are left.

    Args:
        note: keeps and tells a candidate that was checked.
    """

    def __init__(self, search: Searched, said: Callable[[], Asked], note: Callable[[Candidate], None]) -> None:
        self._search, self._said, self._note = search, said, note
        self._waiting = sorted((one for one in search.records.values() if self._lacks(one)), key=lambda one: one.loss)
        self._running: dict[int, Record] = {}
        self._number = NUMBER

    def run(self) -> None:
        """Checks one after the other, the best first, until the time is over or people ask to stop."""
        search, began = self._search, time.monotonic()
        while search.onnx and not self._said().stop and self._under_way():
            for event in search.workers.events(LOOK_S):
                if event.what == "said" or event.number not in self._running:
                    continue
                record = self._running.pop(event.number)
                if isinstance(event.value, Probe):
                    self._note(replace(record.candidate, onnx=event.value.check))
        for number in self._running:
            search.workers.kill(number)
        search.clock.parts["onnx"] += time.monotonic() - began

    def _lacks(self, record: Record) -> bool:
        candidate = record.candidate
        alone = candidate.stage != "ensemble" and self._search.sample_of(record) is not None
        return alone and candidate.onnx is None and math.isfinite(record.loss)

    def _under_way(self) -> bool:
        """Begins as many as there are workers for; whether any is under way."""
        search = self._search
        while self._waiting and len(self._running) < max(1, search.limits.max_concurrent_trials):
            record = self._waiting.pop(0)
            room = search.clock.left_s - MARGIN_S - MARGIN_SHARE * search.clock.timeout_s
            if self._expected_s(record) < room:
                self._start(record, room)
        return bool(self._running)

    def _expected_s(self, record: Record) -> float:
        candidate = record.candidate
        fit_s = grown(candidate.fit_s, candidate.rows, min(ROWS, candidate.rows))
        return fit_s + self._search.sample_check_s([record])

    def _start(self, record: Record, room: float) -> None:
        search = self._search
        work = search.sample_of(record)
        assert work is not None
        self._number += 1
        search.workers.start(self._number, *work, timeout_s=room, memory_bytes=search.memory_bytes())
        self._running[self._number] = record
