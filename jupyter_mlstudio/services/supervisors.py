"""Supervisors: starting them for runs that wait, and settling runs whose supervisor is gone.

A run's supervisor is a process of its own, in a session of its own, that outlives whoever started it. Every claim is
a compare-and-set, so that any number of servers, doors and supervisors may pump the same queue.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, update

from jupyter_mlstudio.entities.runs import RunKind, RunStatus
from jupyter_mlstudio.entities.specs import Resources
from jupyter_mlstudio.entities.values import utc_now
from jupyter_mlstudio.services import claims, processes
from jupyter_mlstudio.services.compute import LOCAL, Compute, takes_slot
from jupyter_mlstudio.services.outcomes import Outcome, read_outcome
from jupyter_mlstudio.services.tracking import Tracking
from jupyter_mlstudio.services.warm import Warm
from jupyter_mlstudio.store import runs as store
from jupyter_mlstudio.store.changes import Changes
from jupyter_mlstudio.store.database import Database
from jupyter_mlstudio.store.schema import runs as table
from jupyter_mlstudio.workspace import Workspace

UNSPAWNED_AFTER = timedelta(seconds=6)
SILENT_AFTER = timedelta(seconds=30)
GONE = "the process that logged to it ended"
_DROPPED = ("JPY_", "JUPYTER_TOKEN", "MLSTUDIO_", "MLFLOW_RUN", "MLFLOW_TRACKING", "MLFLOW_EXPERIMENT", "JUPYTERHUB_")


class Supervisors:
    """The queue, the supervisors it is given to, and the truth about both."""

    def __init__(
        self, workspace: Workspace, database: Database, changes: Changes, tracking: Tracking, compute: Compute
    ) -> None:
        self._workspace = workspace
        self._database = database
        self._changes = changes
        self._tracking = tracking
        self._compute = compute
        self._children: list[subprocess.Popen[bytes]] = []
        self.warm: Warm | None = None
        """Begins conversions faster, where the host of this studio keeps one."""

    def pump(self) -> list[str]:
        """Starts waiting runs while there is room; returns the ids of those it started."""
        self._children = [child for child in self._children if child.poll() is None]
        with self._database.read() as connection:
            if not store.waiting(connection, LOCAL):
                return []
        at = utc_now()
        claimed = self._claim(at)
        for run_id in claimed:
            self.spawn(run_id, at)
        return claimed

    def spawn(self, run_id: str, claimed_at: datetime, token: str | None = None) -> None:
        """Starts the supervisor of a run that was claimed, unless the claim is another's by now."""
        folder = self._workspace.run_folder(run_id)
        command = [sys.executable, "-P", "-m", "jupyter_mlstudio.runner", "run"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith(_DROPPED)}
        if token is not None:
            environment["MLSTUDIO_GATEWAY_TOKEN"] = token
        elif self.warm is not None and self.warm.begin(self._workspace.root, folder, environment):
            return
        try:
            with (folder / "supervisor.log").open("ab") as log:
                child = subprocess.Popen(
                    [*command, "--workspace", str(self._workspace.root), "--run", run_id], stdin=subprocess.DEVNULL,
                    stdout=log, stderr=log, env=environment, start_new_session=True, cwd=folder,
                )  # fmt: skip
        except OSError as error:
            self.settle(run_id, Outcome(RunStatus.FAILED, f"its supervisor could not be started: {error.strerror}"))
            return
        self._children.append(child)
        known = processes.Identity.of(child.pid)
        if known is not None:
            mine = (table.c.claimed_at == claimed_at, table.c.supervisor_pid.is_(None))
            with self._database.write() as connection:
                self._write_supervisor(connection, run_id, known, *mine)

    def reap(self) -> list[str]:
        """Settles runs whose supervisor is gone; returns their ids. No living run is ever touched."""
        boot = processes.boot_id()
        with self._database.read() as connection:
            active = store.active(connection)
        settled = []
        for row in active:
            if row.supervisor_pid is None:
                settled += self._look_for_supervisor(row)
            elif row.boot_id != boot:
                settled += self._settle(row, Outcome(RunStatus.FAILED, "the host was restarted"))
            elif not processes.Identity(row.supervisor_pid, row.supervisor_started).alive:
                if adopted(row):
                    settled += self._settle(row, Outcome(RunStatus.FAILED, GONE))
                elif not self._note_supervisor(row):
                    settled += self._settle(row, None)
            elif row.status == RunStatus.RUNNING and _silent(row):
                with self._database.write() as connection:
                    store.move(connection, self._changes, row.id, RunStatus.NOT_RESPONDING)
        return settled

    def live_count(self) -> int:
        """Counts runs that have a living process."""
        with self._database.read() as connection:
            return len(store.active(connection))

    def settle(self, run_id: str, outcome: Outcome) -> bool:
        """Writes a run's outcome after taking in what its clients spooled; answers whether it was the first to."""
        self._tracking.take_spool(run_id)
        with self._database.write() as connection:
            row = store.row(connection, run_id)
            if row is None:
                return False
            done = store.end(
                connection, self._changes, run_id, outcome.status, reason=outcome.reason, exit_code=outcome.exit_code,
                ended_at=outcome.ended_at, duration_s=outcome.duration_s,
            )  # fmt: skip
            if done and row.gateway_url:
                self._end_adopted(connection, row, outcome)
            self._changes.note(connection, "experiment", str(row.experiment_id))
            self._changes.note(connection, "compute", row.target)
        return done

    def _end_adopted(self, connection: Connection, parent: Row[Any], outcome: Outcome) -> None:
        """Ends the runs that lived in another run's work and did not say how they went: as that run did."""
        here = (table.c.supervisor_pid == parent.supervisor_pid, table.c.boot_id == parent.boot_id)
        for row in connection.execute(select(table).where(*here, table.c.id != parent.id)).all():
            if adopted(row):
                reason = f"it ended with the run {parent.name!r}, in which it was started"
                store.end(connection, self._changes, row.id, outcome.status, reason=reason, ended_at=outcome.ended_at)
                self._changes.note(connection, "experiment", str(row.experiment_id))

    def _claim(self, at: datetime) -> list[str]:
        with self._database.write() as connection:
            room = self._compute.room(connection)
            claimed = []
            for row in store.waiting(connection, LOCAL):
                free = not takes_slot(RunKind(row.kind), row.cpus)
                wanted = Resources(cpus=row.cpus, memory_bytes=row.memory_bytes, gpus=row.gpus)
                lacking = None if free else room.lacks(wanted)
                if lacking is not None:
                    if row.waits_for != lacking:
                        store.change(connection, self._changes, row.id, {"waits_for": lacking})
                    continue
                values = {"claimed_at": at, "waits_for": None}
                if store.move(connection, self._changes, row.id, RunStatus.PREPARING, values):
                    claimed.append(row.id)
                    if not free:
                        room.take(wanted)
            if claimed:
                self._changes.note(connection, "compute", LOCAL)
        return claimed

    def _look_for_supervisor(self, row: Row[Any]) -> list[str]:
        """Sees after a run that was claimed and says of no supervisor: whoever claimed it may have died."""
        in_time = row.claimed_at is not None and utc_now() - row.claimed_at <= UNSPAWNED_AFTER
        if self._note_supervisor(row) or in_time:
            return []
        if row.status == RunStatus.CANCEL_REQUESTED:
            return self._settle(row, Outcome(RunStatus.CANCELED, "stopped before it started"))
        if row.kind == RunKind.INTERACTIVE:
            return self._settle(row, Outcome(RunStatus.FAILED, "its supervisor was not started"))
        with self._database.write() as connection:
            values, preparing = {"claimed_at": None}, {RunStatus.PREPARING}
            store.move(connection, self._changes, row.id, RunStatus.QUEUED, values, only_from=preparing)
        return []

    def _note_supervisor(self, row: Row[Any]) -> bool:
        """Writes down a living supervisor that the row does not know of; answers whether there is one."""
        found = claims.holder(self._workspace.run_folder(row.id))
        if found is None or not found.alive:
            return False
        with self._database.write() as connection:
            self._write_supervisor(
                connection, row.id, found, table.c.supervisor_pid.is_not_distinct_from(row.supervisor_pid)
            )
        return True

    def _write_supervisor(self, connection: Connection, run_id: str, known: processes.Identity, *only_if: Any) -> None:
        values = {
            "boot_id": processes.boot_id(), "supervisor_pid": known.pid, "supervisor_started": known.started,
            "last_seen_at": utc_now(), "etag": table.c.etag + 1,
        }  # fmt: skip
        if connection.execute(update(table).where(table.c.id == run_id, *only_if).values(values)).rowcount:
            self._changes.note(connection, "run", run_id)

    def _settle(self, row: Row[Any], outcome: Outcome | None) -> list[str]:
        """Ends what is left of a run without supervisor; ``outcome`` None reads the one it may have left."""
        if outcome is None:
            if row.kind != RunKind.INTERACTIVE:  # its work is the user's own kernel, which goes on
                _end_work(row)
            outcome = read_outcome(self._workspace.run_folder(row.id)) or Outcome(
                RunStatus.CANCELED if row.stop_requested_at else RunStatus.FAILED, "its supervisor was killed"
            )
        return [row.id] if self.settle(row.id, outcome) else []


def adopted(row: Row[Any]) -> bool:
    """Tells whether a run is under way without a supervisor of its own: it lives in a process that is watched."""
    return bool(
        row.kind in (RunKind.INTERACTIVE, RunKind.TRIAL) and row.status == RunStatus.RUNNING and not row.gateway_url
    )


def wake(row: Row[Any] | None) -> None:
    """Tells a supervisor to look at once instead of at its next beat."""
    if row is None or row.supervisor_pid is None or row.boot_id != processes.boot_id():
        return
    if row.gateway_url and processes.Identity(row.supervisor_pid, row.supervisor_started).alive:
        try:
            os.kill(row.supervisor_pid, signal.SIGUSR1)
        except OSError:
            return


def _end_work(row: Row[Any]) -> None:
    """Kills the work of a run whose supervisor is gone: by its environment, its session, and below its process."""
    found = processes.of_run(row.id)
    if row.work_pid and row.work_started:
        work = processes.Identity(row.work_pid, row.work_started)
        found += [*processes.of_session(work), *processes.tree(work)]
    processes.kill(found)


def _silent(row: Row[Any]) -> bool:
    return row.last_seen_at is not None and utc_now() - row.last_seen_at > SILENT_AFTER
