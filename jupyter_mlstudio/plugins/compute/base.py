"""The contract of a compute target: a place where a run's work executes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What to start: an argument list (never a shell line), where, with which environment, printing to which file.

    ``environment`` is whole: nothing is inherited.
    """

    run_id: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    output: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How the work stands. ``exit_code`` is None while it goes on, negative for the signal that ended it."""

    exit_code: int | None = None
    cpu_percent: float = 0.0
    memory_bytes: int = 0
    extra: Mapping[str, float] = field(default_factory=dict)


H = TypeVar("H")


class ComputeTarget(ABC, Generic[H]):
    """Starts, polls and stops one run's work; ``H`` is whatever the target knows the work by.

    Each run's supervisor has an instance of its own and calls it from one thread. ``poll`` must answer within a
    second and may be called at any rate; ``stop`` returns when nothing of the work lives any more, also when the
    work ignores being asked. All raise :class:`~jupyter_mlstudio.errors.Unavailable` when the target does not answer,
    and may then be called again.
    """

    @abstractmethod
    def start(self, work: Work) -> H:
        """Starts the work and returns a handle.

        Raises:
            Invalid: it cannot be started; the message says why.
        """

    @abstractmethod
    def poll(self, handle: H) -> State:
        """Tells how the work stands; after its end always the same."""

    @abstractmethod
    def stop(self, handle: H, grace_s: float) -> None:
        """Ends the work and everything it started: asks first, kills after ``grace_s``."""
