"""Compute targets: where runs execute."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Gpu:
    """One GPU as its driver reports it."""

    index: int
    name: str
    memory_total_bytes: int
    memory_used_bytes: int
    utilization_percent: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ComputeTarget:
    """A place where runs execute, what it has and what is taken.

    ``slots`` is how many runs may be active at once; ``cpus``, ``memory_bytes`` and ``gpus`` are what runs share.
    """

    name: str
    kind: str
    slots: int
    slots_used: int
    queued: int
    cpus: int
    cpus_reserved: float
    cpu_percent: float
    memory_total_bytes: int
    memory_used_bytes: int
    memory_reserved_bytes: int
    gpus: list[Gpu]
    disk_free_bytes: int
