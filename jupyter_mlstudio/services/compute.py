"""Compute targets: what they have, what is taken, and whether a run fits."""

from __future__ import annotations

import builtins
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psutil
from sqlalchemy import Connection, select

from jupyter_mlstudio.entities.runs import ACTIVE, STEERED, RunKind
from jupyter_mlstudio.entities.specs import Resources
from jupyter_mlstudio.entities.targets import ComputeTarget
from jupyter_mlstudio.errors import Invalid, NotFound
from jupyter_mlstudio.services.gpus import gpus
from jupyter_mlstudio.store import runs as store
from jupyter_mlstudio.store.changes import Changes
from jupyter_mlstudio.store.database import Database
from jupyter_mlstudio.store.schema import runs, targets
from jupyter_mlstudio.store.statements import upsert
from jupyter_mlstudio.workspace import Workspace

LOCAL = "local"
WITHOUT_SLOT = frozenset({RunKind.INTERACTIVE, RunKind.CONVERT, RunKind.SERVE, RunKind.PACKAGE, RunKind.TRIAL})
"""Kinds that start at once: they wait for nobody, and nobody waits for them."""


def takes_slot(kind: RunKind, cpus: float) -> bool:
    """Whether a run waits for a slot. One whose trials are runs of their own must not: they would wait for it."""
    return kind not in WITHOUT_SLOT and not (kind in STEERED and cpus == 0)


@dataclass(slots=True)
class Room:
    """What is still free on a target."""

    slots: int
    cpus: float
    memory_bytes: int
    gpus: int

    def lacks(self, wanted: Resources) -> str | None:
        """Returns what keeps a run waiting, None when it fits."""
        if self.slots < 1:
            return "a free slot"
        if wanted.cpus > self.cpus:
            return "CPU"
        if wanted.memory_bytes > self.memory_bytes:
            return "memory"
        return "GPU" if wanted.gpus > self.gpus else None

    def take(self, wanted: Resources) -> None:
        """Counts a run in."""
        self.slots -= 1
        self.cpus -= wanted.cpus
        self.memory_bytes -= wanted.memory_bytes
        self.gpus -= wanted.gpus


class Compute:
    """The local target: this machine."""

    def __init__(self, workspace: Workspace, database: Database, changes: Changes) -> None:
        self._workspace = workspace
        self._database = database
        self._changes = changes

    def list(self) -> builtins.list[ComputeTarget]:
        """Lists targets with what is taken of them."""
        with self._database.read() as connection:
            taken = _occupying(connection)
            slots = self._slots(connection)
            queued = len(store.waiting(connection, LOCAL))
        memory = psutil.virtual_memory()
        return [
            ComputeTarget(
                name=LOCAL,
                kind=LOCAL,
                slots=slots,
                slots_used=len(taken),
                queued=queued,
                cpus=cpu_count(),
                cpus_reserved=sum(row.cpus for row in taken),
                cpu_percent=psutil.cpu_percent(),
                memory_total_bytes=memory.total,
                memory_used_bytes=memory.total - memory.available,
                memory_reserved_bytes=sum(row.memory_bytes for row in taken),
                gpus=gpus(),
                disk_free_bytes=psutil.disk_usage(str(self._workspace.root)).free,
            )
        ]

    def set_slots(self, name: str, slots: int) -> ComputeTarget:
        """Changes how many runs may be active at once."""
        self.check_name(name)
        with self._database.write() as connection:
            upsert(connection, targets, {"name": name, "slots": slots}, keys=("name",))
            self._changes.note(connection, "compute", name)
        return self.list()[0]

    def check_name(self, name: str) -> None:
        """Refuses a target that does not exist."""
        if name != LOCAL:
            raise NotFound(f"there is no compute target {name[:80]!r}; there is {LOCAL!r}")

    def check_fits(self, name: str, wanted: Resources) -> None:
        """Refuses what would wait for ever.

        Raises:
            Invalid: the target does not have that much.
        """
        self.check_name(name)
        if wanted.cpus < 0 or wanted.memory_bytes < 0 or wanted.gpus < 0:
            raise Invalid("cpus, memory and gpus cannot be negative")
        has = Room(slots=1, cpus=cpu_count(), memory_bytes=psutil.virtual_memory().total, gpus=_gpu_count(wanted))
        lacking = has.lacks(wanted)
        if lacking is not None:
            asked = {"CPU": f"{wanted.cpus:g} CPUs", "memory": f"{wanted.memory_bytes:,} bytes of memory"}
            what = asked.get(lacking, f"{wanted.gpus} GPUs")
            raise Invalid(
                f"{name} does not have {what} (it has {has.cpus:g} CPUs, {has.memory_bytes:,} bytes, {has.gpus} GPUs)"
            )

    def room(self, connection: Connection) -> Room:
        """Returns what is free now."""
        taken = _occupying(connection)
        wants_gpu = connection.execute(select(runs.c.key).where(runs.c.gpus > 0).limit(1)).first() is not None
        return Room(
            slots=self._slots(connection) - len(taken),
            cpus=cpu_count() - sum(row.cpus for row in taken),
            memory_bytes=psutil.virtual_memory().total - sum(row.memory_bytes for row in taken),
            gpus=(len(gpus()) if wants_gpu else 0) - sum(row.gpus for row in taken),
        )

    def _slots(self, connection: Connection) -> int:
        chosen = connection.execute(select(targets.c.slots).where(targets.c.name == LOCAL)).scalar()
        return int(chosen) if chosen is not None else cpu_count()


def cpu_count() -> int:
    """Returns how many CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _gpu_count(wanted: Resources) -> int:
    return len(gpus()) if wanted.gpus else 0


def _occupying(connection: Connection) -> Sequence[Any]:
    active = [status.value for status in ACTIVE]
    rows = connection.execute(select(runs).where(runs.c.status.in_(active))).all()
    return [row for row in rows if takes_slot(RunKind(row.kind), row.cpus)]
