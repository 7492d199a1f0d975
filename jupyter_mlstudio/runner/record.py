"""What a supervisor writes into the store. Imports the database, so it is loaded after the work has been started."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from jupyter_mlstudio.entities.runs import TERMINAL, RunStatus
from jupyter_mlstudio.entities.values import utc_now
from jupyter_mlstudio.errors import StudioError
from jupyter_mlstudio.plugins.compute.base import State
from jupyter_mlstudio.services.gpus import gpus
from jupyter_mlstudio.services.outcomes import Outcome
from jupyter_mlstudio.services.processes import Identity, boot_id
from jupyter_mlstudio.store import runs as store
from jupyter_mlstudio.studio import Studio
from jupyter_mlstudio.workspace import Workspace

MEBIBYTE = 1024 * 1024


class Record:
    """One run's row, as its supervisor keeps it."""

    def __init__(self, root: Path, run_id: str) -> None:
        self.studio = Studio(Workspace(root))
        self._run_id = run_id
        with self.studio.database.read() as connection:
            row = store.row(connection, run_id)
        if row is None:
            raise SystemExit(f"there is no run {run_id}")
        self.user = str(row.user)

    def running(self, url: str, handle: Any) -> bool:
        """Writes that the work runs, and where its gateway is; answers False when the run was stopped meanwhile."""
        me = Identity.of(os.getpid())
        work = handle if isinstance(handle, Identity) else Identity.of(handle.process.pid)
        values = {
            "gateway_url": url, "boot_id": boot_id(), "supervisor_pid": os.getpid(),
            "supervisor_started": me.started if me else time.time(),
            "work_pid": work.pid if work else None, "work_started": work.started if work else None,
            "started_at": utc_now(), "last_seen_at": utc_now(),
        }  # fmt: skip
        with self.studio.database.write() as connection:
            # Whoever held it for lost may have put it back into the queue in the meantime.
            queued = {RunStatus.QUEUED}
            store.move(connection, self.studio.changes, self._run_id, RunStatus.PREPARING, only_from=queued)
            moved = store.move(connection, self.studio.changes, self._run_id, RunStatus.STARTING, values)
            return moved and store.move(connection, self.studio.changes, self._run_id, RunStatus.RUNNING)

    def beat(self, state: State) -> bool:
        """Says that the run lives and what it uses; answers whether it is to be stopped."""
        try:
            with self.studio.database.write() as connection:
                row = store.row(connection, self._run_id)
                if row is None or row.stop_requested_at is not None or RunStatus(row.status) in TERMINAL:
                    return True
                if row.status == RunStatus.NOT_RESPONDING:
                    store.move(connection, self.studio.changes, self._run_id, RunStatus.RUNNING)
                store.touch(connection, self._run_id)
            self.studio.tracking.record(self._run_id, _usage(state))
        except StudioError as error:
            print(f"a beat was missed: {error.message}", file=sys.stderr, flush=True)
        return False

    def settle(self, outcome: Outcome) -> None:
        """Writes the outcome. A run that was asked to stop and ended is cancelled, however it took it."""
        with self.studio.database.read() as connection:
            row = store.row(connection, self._run_id)
        if row is not None and row.stop_requested_at is not None and outcome.status is RunStatus.FAILED:
            outcome = Outcome(RunStatus.CANCELED, "stopped", outcome.exit_code, outcome.ended_at, outcome.duration_s)
        self.studio.supervisors.settle(self._run_id, outcome)

    def leave(self) -> None:
        """Opens the door for the next: the queue drains with no server at all."""
        try:
            self.studio.drain()
        except StudioError as error:
            print(f"the queue was not looked at: {error.message}", file=sys.stderr, flush=True)
        self.studio.close()


def _usage(state: State) -> dict[str, float]:
    found = {
        "system/cpu_percent": round(state.cpu_percent, 2),
        "system/memory_mb": round(state.memory_bytes / MEBIBYTE, 2),
    }
    devices = gpus()
    if devices:
        found["system/gpu_percent"] = sum(gpu.utilization_percent for gpu in devices) / len(devices)
        found["system/gpu_memory_mb"] = sum(gpu.memory_used_bytes for gpu in devices) / MEBIBYTE
    return found
