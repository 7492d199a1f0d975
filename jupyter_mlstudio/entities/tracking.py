"""What a run's program reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from jupyter_mlstudio.entities.runs import Environment, Progress
from jupyter_mlstudio.entities.values import STRICT

Value = float | Literal["NaN", "Infinity", "-Infinity"]
"""A metric's value on the wire: JSON has no NaN, so these travel as text; ``float()`` reads all of them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Points:
    """Points of one metric, three lists of one length; ``times`` are seconds since 1970, UTC."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    steps: list[int]
    times: list[float]
    values: list[Value]


@dataclass(frozen=True, kw_only=True, slots=True)
class LogBatch:
    """What a client logged since its last batch.

    ``client`` names the client and ``sequence`` counts its batches from 1: a batch that comes twice is taken once.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    client: str
    sequence: int
    metrics: dict[str, Points] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    progress: Progress | None = None
    environment: Environment | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a series, with both ends: steps, or times in seconds since 1970; None is no bound."""

    from_step: int | None = None
    to_step: int | None = None
    from_time: float | None = None
    to_time: float | None = None
