"""Starting and stopping runs: the queue, the supervisors, and the truth about both.

A run's supervisor is a process of its own, in a session of its own, that outlives whoever started it. Every claim is
a compare-and-set, so that any number of servers, doors and supervisors may pump the same queue.
"""

from __future__ import annotations

import getpass
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
from pydantic_core import to_json
from sqlalchemy import Connection, Row, select, update

from jupyter_mlstudio.entities.runs import TERMINAL, Origin, Run, RunKind, RunStatus
from jupyter_mlstudio.entities.specs import Resources, RunSpec
from jupyter_mlstudio.entities.values import JSON, utc_now
from jupyter_mlstudio.errors import Conflict, Invalid, NoSpace, Unavailable
from jupyter_mlstudio.services import claims, git, processes, submission
from jupyter_mlstudio.services.compute import LOCAL, WITHOUT_SLOT, Compute
from jupyter_mlstudio.services.experiments import Experiments
from jupyter_mlstudio.services.names import checked_name, checked_text
from jupyter_mlstudio.services.outcomes import Outcome, read_outcome
from jupyter_mlstudio.services.paths import write_atomically
from jupyter_mlstudio.services.run_names import new_name
from jupyter_mlstudio.services.runs import Runs
from jupyter_mlstudio.services.snapshots import Snapshots
from jupyter_mlstudio.services.tracking import Tracking
from jupyter_mlstudio.store import runs as store
from jupyter_mlstudio.store.changes import Changes
from jupyter_mlstudio.store.database import Database
from jupyter_mlstudio.store.schema import runs as table
from jupyter_mlstudio.workspace import Workspace

UNSPAWNED_AFTER = timedelta(seconds=6)
SILENT_AFTER = timedelta(seconds=30)
INTERACTIVE_TIMEOUT_S = 20.0
GONE = "the process that logged to it ended"
STOPPED = "stopped; the process that logs to it goes on"
SPACE_NEEDED_BYTES = 32 * 1024 * 1024
_DROPPED = ("JPY_", "JUPYTER_TOKEN", "MLSTUDIO_", "MLFLOW_RUN", "MLFLOW_TRACKING", "MLFLOW_EXPERIMENT", "JUPYTERHUB_")


class Launcher:
    """Starts, stops and settles runs."""

    def __init__(
        self,
        workspace: Workspace,
        database: Database,
        changes: Changes,
        *,
        experiments: Experiments,
        runs: Runs,
        tracking: Tracking,
        snapshots: Snapshots,
        compute: Compute,
    ) -> None:
        self._workspace = workspace
        self._database = database
        self._changes = changes
        self._experiments = experiments
        self._runs = runs
        self._tracking = tracking
        self._snapshots = snapshots
        self._compute = compute
        self._children: list[subprocess.Popen[bytes]] = []

    def submit(
        self,
        kind: RunKind,
        spec: RunSpec,
        *,
        name: str | None = None,
        experiment: str | None = None,
        tags: Mapping[str, str] | None = None,
        origin: Origin | None = None,
        parent_run_id: str | None = None,
        user: str = "",
        request_id: str | None = None,
        retry_of: Run | None = None,
    ) -> Run:
        """Queues a run, and starts it when its target has room. The same ``request_id`` again answers the same run.

        Raises:
            Invalid: the work cannot be run as it is asked for.
            NoSpace: the disk is too full to begin something new.
        """
        if kind is RunKind.INTERACTIVE:
            raise Invalid("an interactive run is started by start_run() in the process that logs to it")
        known = self._of_request(request_id)
        if known is not None:
            return self._runs.get(known)
        spec = submission.checked(self._workspace, kind, spec)
        self._compute.check_fits(spec.target, spec.resources)
        run_id = uuid.uuid4().hex
        folder = self._new_folder(run_id)
        try:
            values = self._prepare(run_id, kind, spec, origin or Origin(), retry_of)
            values |= {"request_id": request_id, "parent_run_id": parent_run_id, "user": user or _user()}
            self._insert(run_id, name or (retry_of.name if retry_of else None), experiment, values, tags or {}, spec)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self.pump()
        return self._runs.get(run_id)

    def start_interactive(
        self,
        pid: int,
        *,
        name: str | None,
        experiment: str | None,
        tags: Mapping[str, str],
        origin: Origin,
        user: str,
    ) -> tuple[str, str, str]:
        """Starts a run that the process ``pid`` logs to; returns its id, its gateway's address and token."""
        watched = processes.Identity.of(pid)
        if watched is None:
            raise Invalid(f"there is no process {pid} on this machine")
        spec = RunSpec(options={"pid": pid, "started": watched.started}, resources=Resources(cpus=0.0))
        run_id = uuid.uuid4().hex
        self._new_folder(run_id)
        values = self._prepare(run_id, RunKind.INTERACTIVE, spec, origin, None)
        at, token = utc_now(), secrets.token_urlsafe(32)
        # It is never queued: another host that takes it from the queue would not know the token.
        values |= {"status": RunStatus.PREPARING.value, "claimed_at": at, "user": user or _user()}
        self._insert(run_id, name, experiment, values, tags, spec)
        self._spawn(run_id, at, token)
        return run_id, self._gateway(run_id), token

    def adopt(
        self,
        watched: Mapping[str, Any],
        *,
        name: str | None,
        experiment: str | None,
        tags: Mapping[str, str],
        origin: Origin,
        user: str,
        parent_run_id: str | None,
    ) -> Run:
        """Makes a run that is under way already in a process that lives by itself, without a supervisor of its own.

        Args:
            watched: ``boot_id``, ``supervisor_pid`` and ``supervisor_started`` of the process that the run lives in
                and dies with: the process that logs, or the supervisor of the run that it belongs to.
        """
        run_id = uuid.uuid4().hex
        folder = self._new_folder(run_id)
        spec = RunSpec(resources=Resources(cpus=0.0))
        try:
            values = self._prepare(run_id, RunKind.INTERACTIVE, spec, origin, None)
            values |= {"status": RunStatus.RUNNING.value, "started_at": utc_now(), "claimed_at": utc_now(), **watched}
            values |= {"user": user or _user(), "parent_run_id": parent_run_id}
            self._insert(run_id, name, experiment, values, tags, spec)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return self._runs.get(run_id)

    def stop(self, reference: str) -> Run:
        """Asks for a run's end: a queued one is cancelled at once, a live one by its supervisor.

        Raises:
            Conflict: it is over already.
        """
        with self._database.write() as connection:
            row = self._runs.row(connection, reference)
            if RunStatus(row.status) in TERMINAL:
                raise Conflict(f"the run {row.name!r} is over already: {row.status}")
            if adopted(row):
                store.end(connection, self._changes, row.id, RunStatus.CANCELED, reason=STOPPED)
                self._changes.note(connection, "experiment", str(row.experiment_id))
                return self._runs.read(connection, self._runs.row(connection, row.id))
            reason = "stopped before it started"
            waiting = {RunStatus.QUEUED, RunStatus.NOT_STARTED}
            ended = {"reason": reason, "ended_at": utc_now(), "waits_for": None}
            canceled = RunStatus.CANCELED
            if not store.move(connection, self._changes, row.id, canceled, ended, only_from=waiting):
                now = {"stop_requested_at": row.stop_requested_at or utc_now()}
                store.move(connection, self._changes, row.id, RunStatus.CANCEL_REQUESTED, now)
        _wake(row)
        return self._runs.get(row.id)

    def retry(self, reference: str, *, params: Mapping[str, JSON], user: str) -> Run:
        """Submits the same work, from the same snapshot of the code, as a new run."""
        run = self._runs.get(reference)
        if run.kind in WITHOUT_SLOT:
            raise Conflict(f"a run of kind {run.kind.value} cannot be run again; only submitted work can")
        spec = replace(run.spec, params={**run.spec.params, **params})
        kept = {k: v for k, v in run.tags.items() if not k.startswith("mlstudio.")}
        return self.submit(
            run.kind, spec, experiment=run.experiment, tags=kept, origin=run.origin, user=user, retry_of=run
        )

    def finish(self, reference: str, *, failed: bool, reason: str) -> Run:
        """Tells an interactive run's supervisor that the work is done."""
        run = self._runs.get(reference)
        if run.kind is not RunKind.INTERACTIVE:
            raise Conflict(f"a run of kind {run.kind.value} ends with its process")
        if run.status in TERMINAL:
            raise Conflict(f"the run {run.name!r} is over already: {run.status.value}")
        checked_text(reason, "a reason", 10_000)
        with self._database.read() as connection:
            row = self._runs.row(connection, run.id)
        if adopted(row):
            self.settle(run.id, Outcome(RunStatus.FAILED if failed else RunStatus.COMPLETED, reason))
            return self._runs.get(run.id)
        content = json.dumps({"failed": failed, "reason": reason})
        write_atomically(self._workspace.run_folder(run.id) / "finish.json", content.encode())
        _wake(row)
        return self._runs.get(run.id)

    def pump(self) -> list[str]:
        """Starts waiting runs while there is room; returns the ids of those it started."""
        self._children = [child for child in self._children if child.poll() is None]
        with self._database.read() as connection:
            if not store.waiting(connection, LOCAL):
                return []
        at = utc_now()
        claimed = self._claim(at)
        for run_id in claimed:
            self._spawn(run_id, at)
        return claimed

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

    def _prepare(
        self, run_id: str, kind: RunKind, spec: RunSpec, origin: Origin, retry_of: Run | None
    ) -> dict[str, Any]:
        """Lays the run's folder out: code, patch and ``spec.json``; returns columns of its row."""
        folder = submission.folder_of(self._workspace, spec)
        snapshot_id = retry_of.snapshot_id if retry_of else None
        run_folder = self._workspace.run_folder(run_id)
        if kind not in WITHOUT_SLOT and snapshot_id is None:
            snapshot_id = self._snapshots.take(folder, spec.script or spec.notebook, spec.cell)
        code = run_folder / "code" if snapshot_id else None
        entry = self._snapshots.lay_out(snapshot_id, code) if snapshot_id and code else None
        if kind not in (RunKind.CONVERT, RunKind.SERVE) and not retry_of:
            known = git.state(folder)
            if known is not None:
                (run_folder / "patch.diff").write_text(known[1], encoding="utf-8", errors="replace")
            origin = replace(origin, git=known[0] if known else None)
        origin = replace(origin, script=origin.script or spec.script, host=origin.host or socket.gethostname())
        content = {
            "run_id": run_id, "kind": kind.value, "spec": asdict(spec), "folder": str(folder),
            "code": str(code) if code else None, "entry": str(entry) if entry else None,
        }  # fmt: skip
        (run_folder / "spec.json").write_bytes(to_json(content))
        return {
            "kind": kind.value,
            "origin": store.ORIGIN.dump_json(origin).decode(),
            "spec": store.SPEC.dump_json(spec).decode(),
            "snapshot_id": snapshot_id,
            "retry_of": retry_of.id if retry_of else None,
        }

    def _insert(
        self,
        run_id: str,
        name: str | None,
        experiment: str | None,
        values: dict[str, Any],
        tags: Mapping[str, str],
        spec: RunSpec,
    ) -> None:
        for key, value in tags.items():
            checked_name(key, "a tag's name")
            checked_text(value, f"the tag {key!r}", 8000)
        with self._database.write() as connection:
            experiment_id = self._experiments.id_for(connection, experiment)
            shown = checked_name(name, "a run's name") if name else new_name(connection, values, experiment_id)
            wanted = spec.resources
            run_key = store.insert(
                connection,
                {
                    "status": RunStatus.QUEUED.value, **values, "id": run_id, "name": shown, "target": spec.target,
                    "experiment_id": experiment_id, "priority": spec.priority, "created_at": utc_now(),
                    "cpus": wanted.cpus, "memory_bytes": wanted.memory_bytes, "gpus": wanted.gpus,
                },
            )  # fmt: skip
            store.set_params(connection, run_key, {k: _text(v)[:6000] for k, v in spec.params.items()})
            store.set_tags(connection, run_key, dict(tags))
            self._changes.note(connection, "run", run_id)
            self._changes.note(connection, "experiment", str(experiment_id))
            path = self._workspace.run_folder(run_id) / "spec.json"
            known = {"name": shown, "experiment_id": str(experiment_id)}
            path.write_bytes(to_json({**json.loads(path.read_bytes()), **known}))

    def _claim(self, at: datetime) -> list[str]:
        with self._database.write() as connection:
            room = self._compute.room(connection)
            claimed = []
            for row in store.waiting(connection, LOCAL):
                free = RunKind(row.kind) in WITHOUT_SLOT
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

    def _spawn(self, run_id: str, claimed_at: datetime, token: str | None = None) -> None:
        """Starts the supervisor of a run that was claimed, unless the claim is another's by now."""
        folder = self._workspace.run_folder(run_id)
        command = [sys.executable, "-P", "-m", "jupyter_mlstudio.runner", "run"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith(_DROPPED)}
        if token is not None:
            environment["MLSTUDIO_GATEWAY_TOKEN"] = token
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

    def _gateway(self, run_id: str) -> str:
        deadline = time.monotonic() + INTERACTIVE_TIMEOUT_S
        while time.monotonic() < deadline:
            with self._database.read() as connection:
                row = store.row(connection, run_id)
            if row is None or RunStatus(row.status) in TERMINAL:
                break
            if row.gateway_url and row.status == RunStatus.RUNNING:
                return str(row.gateway_url)
            time.sleep(0.05)
        raise Unavailable(f"the run's supervisor did not answer within {INTERACTIVE_TIMEOUT_S:g} s: see its log")

    def _of_request(self, request_id: str | None) -> str | None:
        if request_id is None:
            return None
        checked_name(request_id, "a request id", 64)
        with self._database.read() as connection:
            return connection.execute(select(table.c.id).where(table.c.request_id == request_id)).scalar()

    def _new_folder(self, run_id: str) -> Path:
        if psutil.disk_usage(str(self._workspace.root)).free < SPACE_NEEDED_BYTES:
            raise NoSpace("the disk has less than 32 MB left: free some space, then submit again")
        folder = self._workspace.run_folder(run_id)
        (folder / "artifacts").mkdir(parents=True)
        return folder


def adopted(row: Row[Any]) -> bool:
    """Tells whether a run is under way without a supervisor of its own: it lives in a process that is watched."""
    return bool(row.kind == RunKind.INTERACTIVE and row.status == RunStatus.RUNNING and not row.gateway_url)


def _end_work(row: Row[Any]) -> None:
    """Kills the work of a run whose supervisor is gone: by its environment, its session, and below its process."""
    found = processes.of_run(row.id)
    if row.work_pid and row.work_started:
        work = processes.Identity(row.work_pid, row.work_started)
        found += [*processes.of_session(work), *processes.tree(work)]
    processes.kill(found)


def _silent(row: Row[Any]) -> bool:
    return row.last_seen_at is not None and utc_now() - row.last_seen_at > SILENT_AFTER


def _wake(row: Row[Any] | None) -> None:
    """Tells a supervisor to look at once instead of at its next beat."""
    if row is None or row.supervisor_pid is None or row.boot_id != processes.boot_id():
        return
    if row.gateway_url and processes.Identity(row.supervisor_pid, row.supervisor_started).alive:
        try:
            os.kill(row.supervisor_pid, signal.SIGUSR1)
        except OSError:
            return


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
