"""What to execute, where, and within which limits."""

from __future__ import annotations

from dataclasses import dataclass, field

from jupyter_mlstudio.entities.values import JSON


@dataclass(frozen=True, kw_only=True, slots=True)
class Resources:
    """What a run takes up of its compute target while it is active; ``memory_bytes`` 0 means not reserved."""

    cpus: float = 1.0
    memory_bytes: int = 0
    gpus: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """When a run is stopped and failed: wall time in seconds and memory of the whole process tree; None is no limit."""

    wall_time_s: float | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSpec:
    """Everything that starts a run again.

    Exactly one of ``cell`` (source text), ``script``, ``notebook`` (paths below the working folder) and ``command``
    (an argument list) is given for the kinds of the same name. ``folder`` is the working folder, below the
    workspace's root.
    ``options`` holds what only one kind understands.
    """

    cell: str | None = None
    script: str | None = None
    notebook: str | None = None
    command: list[str] = field(default_factory=list)
    params: dict[str, JSON] = field(default_factory=dict)
    args: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    folder: str = ""
    python: str | None = None
    kernel: str | None = None
    target: str = "local"
    priority: int = 0
    resources: Resources = field(default_factory=Resources)
    limits: Limits = field(default_factory=Limits)
    options: dict[str, JSON] = field(default_factory=dict)
