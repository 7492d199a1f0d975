"""Workers end when they are over time or memory, when they die, and with their parent."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import pytest

from jupyter_mlstudio.learning.workers import Event, Workers

pytestmark = pytest.mark.slow


def all_of(workers: Workers, within_s: float = 20.0) -> list[Event]:
    found: list[Event] = []
    ends = time.monotonic() + within_s
    while len(workers) and time.monotonic() < ends:
        found += workers.events(0.1)
    return found


def says_and_adds(say: Any, one: int, two: int) -> int:
    say("half")
    return one + two


def sleeps(say: Any) -> None:
    time.sleep(60)


def dies(say: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def takes_memory(say: Any) -> None:
    kept = bytearray(400 << 20)
    time.sleep(60)
    del kept


def fails(say: Any) -> None:
    raise ValueError("no such thing")


def test_a_worker_says_and_returns() -> None:
    workers = Workers()
    workers.start(1, says_and_adds, 2, 3, timeout_s=20)
    assert [(one.what, one.value) for one in all_of(workers)] == [("said", "half"), ("done", 5)]


@pytest.mark.parametrize(
    ("function", "reason", "limits"),
    [(sleeps, "longer than it may", {"timeout_s": 0.3}), (dies, "signal 9", {"timeout_s": 20}),
     (takes_memory, "more than it may", {"timeout_s": 20, "memory_bytes": 200 << 20}),
     (fails, "ValueError: no such thing", {"timeout_s": 20})],
)  # fmt: skip
def test_a_worker_that_comes_to_nothing_says_why(function: Any, reason: str, limits: dict[str, Any]) -> None:
    workers = Workers()
    began = time.monotonic()
    workers.start(1, function, **limits)
    (event,) = all_of(workers)
    assert event.what == "failed"
    assert reason in event.value
    assert time.monotonic() - began < 10
