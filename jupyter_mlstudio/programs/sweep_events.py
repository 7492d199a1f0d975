"""What a sweep's controller and those who execute its trials tell each other."""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from jupyter_mlstudio.entities.sweeps import Objective
from jupyter_mlstudio.entities.values import JSON

MARK = "MLSTUDIO_SWEEP_WORKER"
"""The variable by which the controller knows what a worker has started, whatever session that went into."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One trial that is to be executed.

    ``key`` names it among all attempts of all times: what was begun under it is never begun again.
    """

    number: int
    trial_id: int
    run_id: str
    params: Mapping[str, JSON]
    key: str
    repeats: int = 1
    again: bool = False
    """It may have been begun before, by a program of the sweep that was killed."""


class End(StrEnum):
    """How an attempt ended.

    ``KILLED`` is by a signal that nobody here sent: worth another try. ``LOST`` is one that ended with what was around
    it, while the sweep's program was away: done again.
    """

    DONE = "done"
    PRUNED = "pruned"
    FAILED = "failed"
    KILLED = "killed"
    LOST = "lost"
    STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True, slots=True)
class Begun:
    """An attempt has a run that people can look at. ``waits`` says that it is in the queue and takes no time yet."""

    number: int
    run_id: str
    waits: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Reported:
    """Values of the first objective by step, in order, that are new."""

    number: int
    steps: Sequence[tuple[int, float]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """An attempt is over. ``metrics`` has every metric's last value, and that of each objective for each seed."""

    number: int
    end: End
    metrics: Mapping[str, float] = field(default_factory=dict)
    samples: Sequence[Mapping[str, float]] = ()
    reason: str = ""


Event = Begun | Reported | Ended


class NotFinite(ValueError):
    """An objective has no finite number; the message says which and what it is instead."""


def number_of(name: str, value: object) -> float:
    """Returns an objective's value as a number.

    Raises:
        NotFinite: it is none, or not finite.
    """
    if isinstance(value, bool) or value is None or isinstance(value, str):
        raise NotFinite(f"{_objective(name)} is not a finite number: {_shown(value)}")
    try:
        found = float(value)  # type: ignore[arg-type]  # whatever it is, also a scalar of NumPy or a tensor
    except (TypeError, ValueError, OverflowError):
        raise NotFinite(f"{_objective(name)} is not a finite number: {_shown(value)}") from None
    if not math.isfinite(found):
        raise NotFinite(f"{_objective(name)} is not a finite number: {found}")
    return found


def metrics_of(objectives: Sequence[str], answer: Any) -> dict[str, float]:
    """Returns what a function answered as metrics: a number, one for each objective, or a mapping of names to numbers.

    Raises:
        NotFinite: an objective is missing, or no finite number.
    """
    if isinstance(answer, Mapping):
        found = {name: number_of(name, answer.get(name)) for name in objectives}
        rest = {str(k): float(v) for k, v in answer.items() if isinstance(v, numbers.Real) and k not in found}
        return {**found, **rest}
    if isinstance(answer, tuple | list):
        if len(answer) != len(objectives):
            needed = "one value is" if len(objectives) == 1 else f"{len(objectives)} values are"
            raise NotFinite(f"{needed} needed, for {', '.join(objectives)}; it gave {len(answer)}")
        return {name: number_of(name, value) for name, value in zip(objectives, answer, strict=True)}
    if len(objectives) != 1:
        raise NotFinite(f"{len(objectives)} values are needed, for {', '.join(objectives)}; it gave one")
    return {objectives[0]: number_of(objectives[0], answer)}


_NUMBER = r"([-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|nan|inf(?:inity)?))"


def said(name: str, log: str) -> float | None:
    """Reads a metric from what a program printed: its last line ``name=number`` or ``name: number``."""
    pattern = re.compile(rf"(?<![\w.]){re.escape(name)}\s*[=:]\s*{_NUMBER}(?![\w.])", re.IGNORECASE)
    found = pattern.findall(log)
    return float(found[-1]) if found else None


def means(samples: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Returns the mean over the seeds of each metric that all of them have."""
    names = set.intersection(*(set(one) for one in samples))
    return {name: sum(one[name] for one in samples) / len(samples) for name in names}


def mean(samples: Sequence[Mapping[str, float]], objectives: Sequence[Objective]) -> list[float]:
    """Returns each objective's mean over the seeds.

    Raises:
        NotFinite: it is none.
    """
    names = [objective.primary_metric for objective in objectives]
    columns = [[number_of(name, sample.get(name)) for sample in samples] for name in names]
    return [number_of(name, math.fsum(column) / len(column)) for name, column in zip(names, columns, strict=True)]


def _objective(name: str) -> str:
    """An objective in a sentence; that of a function which names none is called ``objective``."""
    return "the objective" if name == "objective" else f"the objective {name}"


def _shown(value: object) -> str:
    return "there is none" if value is None else f"{value!r:.80}"
