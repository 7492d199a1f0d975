"""Workspaces: the folder that holds everything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkspaceInfo:
    """A workspace as a host shows it. ``path`` is its root, the folder that holds ``.mlstudio``."""

    id: str
    name: str
    path: str
    exists: bool
    current: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One thing that ``doctor`` looked at; ``remedy`` says what to do when it is not well."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """The latest change of one thing. A thing that is gone has ``deleted`` set."""

    seq: int
    kind: str
    id: str
    deleted: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeList:
    """Changes after a sequence number, oldest first; ``seq`` is where to go on from.

    ``reset`` asks the caller to read everything anew: the number it holds belongs to another database.
    """

    seq: int
    epoch: str
    reset: bool
    changes: list[Change]
    at: datetime
