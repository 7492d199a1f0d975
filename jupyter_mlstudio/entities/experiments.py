"""Experiments: named groups of runs with one primary metric."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from jupyter_mlstudio.entities.values import Real

DEFAULT_EXPERIMENT = "Default"


class Goal(StrEnum):
    """Which way a primary metric is better."""

    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"


@dataclass(frozen=True, kw_only=True, slots=True)
class BestRun:
    """The finished run with the best finite last value of the primary metric; the earlier run wins a tie."""

    run_id: str
    name: str
    value: Real


@dataclass(frozen=True, kw_only=True, slots=True)
class Experiment:
    """A named group of runs. ``best_run`` is computed by a query and never stored."""

    id: str
    name: str
    description: str
    primary_metric: str | None
    goal: Goal
    created_at: datetime
    archived_at: datetime | None
    run_count: int
    live_count: int
    best_run: BestRun | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ExperimentColumns:
    """What the table of an experiment's runs can show: the names in use, sorted."""

    params: list[str]
    metrics: list[str]
    tags: list[str]
