"""Whether a candidate's ONNX form answers like it: checked in the worker that tried it, within a share of the time."""

from __future__ import annotations

import contextlib
import math
import pickle
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jupyter_mlstudio.entities.automl_candidates import OnnxCheck
from jupyter_mlstudio.learning.budget import check_s
from jupyter_mlstudio.learning.onnx_check import Check
from jupyter_mlstudio.learning.refit import single

ROWS = 256
SHARE = 0.05
"""Of the time that trials take, for the checks of candidates; what has not been used is left for later ones."""

FIRST, RICH = 10, 3.0
"""Candidates that are not among the first ones are checked when there is room for so many checks."""

LEAD_S, LEAD_SHARE = 0.5, 0.01
"""What the check of a new best one may take, whatever others have used: seconds, or a share of the whole time."""

UNSEEN_S = 0.3
"""What the check of a small model takes while none was seen."""

LATE = 3.0
"""How many times as long as expected a check may take before it is given up."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a worker needs to know to check what it has fitted.

    Args:
        check: compares a fitted model with its ONNX form.
        usual_s, own_s: what the check of a tiny model takes, of any family and of this one.
        room_s: what the check may take; ``lead_s`` that of one whose loss is below ``lead_loss``, and a part of it that
            of one whose loss is above ``first_loss``, the last of the first ones.
        until: ``time.monotonic()`` at which the worker is ended.
    """

    check: Check
    usual_s: float
    own_s: float
    room_s: float
    lead_s: float
    lead_loss: float
    first_loss: float
    until: float = math.inf

    def room(self, loss: float, size_bytes: int) -> float:
        """Seconds for the check of a model so good and so large; 0 when it is left out."""
        expected = check_s(self.usual_s, self.own_s - self.usual_s, size_bytes // 2)  # of fewer rows than the winner's
        room = self.room_s if loss <= self.first_loss else self.room_s / RICH
        room = max(room, self.lead_s) if loss <= self.lead_loss else room
        late = min(LATE * expected, self.until - time.monotonic() - 0.2)
        return late if expected <= room and late >= expected else 0.0


@dataclass(slots=True)
class Account:
    """What checks of candidates have used of their share of the time, in seconds.

    Args:
        usual: what the check of a small model took, by family.
        share: of the time that trials take.
    """

    tried_s: float = 0.0
    spent_s: float = 0.0
    usual: dict[str, float] = field(default_factory=dict)
    share: float = SHARE

    def left_s(self) -> float:
        """What the next check may take."""
        return max(0.0, self.share * self.tried_s - self.spent_s)

    def usual_s(self) -> float:
        """What the check of a small model takes, of whatever family."""
        return float(np.median([*self.usual.values()] or [UNSEEN_S]))

    def expected_s(self, families: Iterable[str], size_bytes: int, longer: float = 1.0) -> float:
        """What the check of a model of these families will take, so many times as long as that of a tiny one and what
        goes by its size.
        """
        usual = self.usual_s()
        members_s = 0.7 * sum(self.usual.get(name, usual) for name in families)
        return check_s(usual, members_s, size_bytes, longer)

    def proof(self, check: Check, family: str, losses: list[float], limit_s: float, timeout_s: float) -> Proof:
        """What a worker that is ended in so many seconds needs.

        Args:
            losses: of what was tried before, the best first.
            timeout_s: of the whole search.
        """
        usual = self.usual_s()
        lead_s = max(LEAD_S, LEAD_SHARE * timeout_s)
        lead, first = losses[0] if losses else math.inf, losses[FIRST - 1] if len(losses) >= FIRST else math.inf
        own, until = self.usual.get(family, usual), time.monotonic() + limit_s
        return Proof(check, usual, own, self.left_s(), lead_s, lead, first, until)


def proved(
    proof: Proof | None, plan: Any, family: Any, featuriser: Any, pickled: bytes, fold: int, loss: float
) -> tuple[OnnxCheck | None, float]:
    """Checks the model of a fold on at most :data:`ROWS` rows of those that it was judged on.

    Args:
        featuriser: the fitted features of the fold; ``pickled`` is the model behind them.

    Returns:
        What was found, None where there was no time; and the seconds that it took.
    """

    def made() -> tuple[Any, Any]:
        from sklearn.pipeline import Pipeline

        held = np.asarray(plan.folds[fold][1])
        rows = plan.X.iloc[held[np.linspace(0, len(held) - 1, min(ROWS, len(held))).round().astype(np.int64)]]
        pipeline = Pipeline([("features", featuriser), ("model", pickle.loads(pickled))])
        return single(plan, family, pipeline), rows

    return within(proof, loss, int(family.density * len(pickled)), made)


def within(
    proof: Proof | None, loss: float, size_bytes: int, made: Callable[[], tuple[Any, Any]]
) -> tuple[OnnxCheck | None, float]:
    """Checks a model in the time that there is for one so good and so large.

    Args:
        made: answers the model and the rows to check it on, where there is time.

    Returns:
        What was found, None where there was no time; and the seconds that it took.
    """
    room = 0.0 if proof is None else proof.room(loss, size_bytes)
    if proof is None or room <= 0:
        return None, 0.0
    began = time.monotonic()
    found: OnnxCheck | None = None
    with contextlib.suppress(_Late), _limited(room):
        model, rows = made()
        found = proof.check(model, rows, speed=False)
    return found, time.monotonic() - began


class _Late(BaseException):
    """The time of a check is over; no library takes it for an error of its own."""


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Ends what is done after so many seconds, by an alarm: this is the main thread of a process of its own."""

    def ring(number: int, frame: Any) -> None:
        raise _Late

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
