"""What AutoML says of a table: its columns, and what is worth a look."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from jupyter_mlstudio.entities.automl import Task


class Severity(StrEnum):
    """``error`` ends the run before any fit; ``warning`` is worth a look; ``info`` says what was done."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Something about the table: what it is, what was done about it, and what people can do.

    ``code`` is a word for programs, e.g. ``target_leak``; ``columns`` are those that it is about.
    """

    code: str
    severity: Severity
    what: str
    done: str = ""
    remedy: str = ""
    columns: list[str] = field(default_factory=list)


class Role(StrEnum):
    """What a column is taken for."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    TEXT = "text"
    TARGET = "target"
    WEIGHT = "weight"
    TIME = "time"
    SERIES = "series"
    DROPPED = "dropped"


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column of the table.

    ``distinct`` counts values; ``steps`` name what makes features of it; ``reason`` says why it is taken so.
    """

    name: str
    type: str
    role: Role
    missing: int = 0
    distinct: int = 0
    examples: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class TablePreview:
    """A table before anything is done with it: its columns, the first rows as text, and what to predict by default.

    ``task`` is what a run would learn, guessed where it is not chosen; none where the table stops the run before.
    """

    data: str
    rows: int
    columns: list[Column]
    head: list[list[str]]
    target: str = ""
    task: Task | None = None
    findings: list[Finding] = field(default_factory=list)
