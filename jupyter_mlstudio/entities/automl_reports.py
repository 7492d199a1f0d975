"""An AutoML run, and all that it has found so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from jupyter_mlstudio.entities.automl import AutoMLSpec, Task
from jupyter_mlstudio.entities.automl_candidates import Candidate, FamilyState, Margin, Partition, Way
from jupyter_mlstudio.entities.automl_explanations import Explanation
from jupyter_mlstudio.entities.automl_tables import Column, Finding
from jupyter_mlstudio.entities.experiments import Goal
from jupyter_mlstudio.entities.sweeps import SweepPhase
from jupyter_mlstudio.entities.values import Real


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """Where the time went, in seconds."""

    timeout_s: float
    used_s: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class AutoMLReport:
    """What an AutoML run has found so far.

    Args:
        phase: what it does, in a few words, e.g. ``trying models``.
        task, primary_metric, goal: as they were chosen; ``classes`` are the target's labels.
        folds: parts of the rows, each judged on by models of the others; of few rows in ``repeats`` splittings at most.
        leaderboard: the best first, those that failed last.
        winner: number of the candidate that became the run's model.
        margin: how far it leads the next one; before there is a winner, the best so far does.
        diagram: the winner as scikit-learn draws it (HTML without scripts), and what makes its features.
        ways: of an ensemble, what makes the features of each of its members; ``columns`` has the steps of one model.
        test: metrics on the rows that nobody looked at, where there are some.
    """

    phase: str
    task: Task = Task.AUTO
    primary_metric: str = ""
    goal: Goal = Goal.MAXIMIZE
    rows: int = 0
    folds: int = 0
    repeats: int = 1
    classes: list[str] = field(default_factory=list)
    positive_label: str = ""
    columns: list[Column] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    families: list[FamilyState] = field(default_factory=list)
    leaderboard: list[Candidate] = field(default_factory=list)
    winner: int | None = None
    margin: Margin | None = None
    budget: Budget | None = None
    diagram: str = ""
    ways: list[Way] = field(default_factory=list)
    test: dict[str, Real] = field(default_factory=dict)
    explanation: Explanation | None = None
    partitions: list[Partition] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class AutoML:
    """An AutoML run as it is now. ``phase`` is what was asked of it; it pauses and stops as a sweep does."""

    run_id: str
    name: str
    experiment: str
    status: str
    spec: AutoMLSpec
    report: AutoMLReport
    phase: SweepPhase = SweepPhase.RUNNING
    resume_from: str | None = None
    notebook: bool = False
