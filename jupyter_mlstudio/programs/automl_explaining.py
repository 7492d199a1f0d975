"""What a winner rests on is found out in a process of its own, with limits of time and memory as any fit has.

It is begun before the program itself predicts anything: threads of native libraries do not outlive a fork.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from jupyter_mlstudio.entities.automl import AutoMLSpec
from jupyter_mlstudio.entities.automl_explanations import Explanation
from jupyter_mlstudio.programs import automl_engine as engine
from jupyter_mlstudio.programs.automl_memory import within

GRACE_S = 30.0
"""How much longer than its time it may take: a step that has begun is ended."""

LOOK_S = 0.1

Say = Callable[[Any], None]


class Explaining:
    """An explanation that is being made beside other work; what was found before a limit was reached is kept.

    Args:
        outcome: what the search ended with.
        plan: what was learnt from.
        spec: what was asked for; its limit of memory holds for this process and its child together.
        seconds: how long it may take.
        threads: of libraries. Those that wait for each other on a busy machine make of a second more than a minute.
    """

    def __init__(self, outcome: Any, plan: Any, spec: AutoMLSpec, seconds: float, threads: int) -> None:
        from jupyter_mlstudio.learning.workers import Workers

        self._workers = Workers()
        self._workers.start(
            0, _explained, outcome, plan, spec, time.monotonic() + seconds, threads,
            timeout_s=seconds + GRACE_S, memory_bytes=spec.limits.memory_bytes,
        )  # fmt: skip

    def result(self) -> tuple[Explanation, float]:
        """Waits for the explanation; returns it, and the seconds that it took."""
        found, began = Explanation(), time.monotonic()
        while len(self._workers):
            for event in self._workers.events(LOOK_S):
                if event.what == "done":
                    explanation, seconds = event.value
                    return explanation, seconds
                found = event.value if event.what == "said" else _cut_short(found, str(event.value))
        return found, time.monotonic() - began


def _explained(
    say: Say, outcome: Any, plan: Any, spec: AutoMLSpec, deadline: float, threads: int
) -> tuple[Explanation, float]:
    from threadpoolctl import threadpool_limits

    began = time.monotonic()
    with within(spec.limits.memory_bytes, "explaining the winner"), threadpool_limits(threads):
        found = engine.explanation_of(outcome, plan, spec, deadline, say)
    return found, time.monotonic() - began


def _cut_short(found: Explanation, reason: str) -> Explanation:
    """What there is, with why there is no more."""
    reason = reason.removeprefix("Invalid: ")
    print(f"the explanation of the winner is not whole: {reason}", flush=True)
    return replace(found, note="; ".join(part for part in (found.note, f"there is no more, since {reason}") if part))
