"""What may be asked of runs that execute: submit, stop, retry, finish. Supervisors do the rest."""

from __future__ import annotations

import getpass
import json
import os
import secrets
import shutil
import socket
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import psutil
from pydantic_core import to_json
from sqlalchemy import select

from jupyter_mlstudio.entities.runs import STEERED, TERMINAL, Origin, Run, RunKind, RunStatus
from jupyter_mlstudio.entities.specs import Resources, RunSpec
from jupyter_mlstudio.entities.values import JSON, utc_now
from jupyter_mlstudio.errors import Conflict, Invalid, NoSpace, Unavailable
from jupyter_mlstudio.services import git, processes, submission
from jupyter_mlstudio.services.compute import WITHOUT_SLOT, Compute
from jupyter_mlstudio.services.experiments import Experiments
from jupyter_mlstudio.services.names import checked_name, checked_text
from jupyter_mlstudio.services.outcomes import Outcome
from jupyter_mlstudio.services.paths import write_atomically
from jupyter_mlstudio.services.run_names import new_name
from jupyter_mlstudio.services.runs import Runs
from jupyter_mlstudio.services.snapshots import Snapshots
from jupyter_mlstudio.services.supervisors import Supervisors, adopted, wake
from jupyter_mlstudio.store import runs as store
from jupyter_mlstudio.store.changes import Changes
from jupyter_mlstudio.store.database import Database
from jupyter_mlstudio.store.schema import runs as table
from jupyter_mlstudio.workspace import Workspace

INTERACTIVE_TIMEOUT_S = 20.0
STOPPED = "stopped; the process that logs to it goes on"
SPACE_NEEDED_BYTES = 32 * 1024 * 1024


class Launcher:
    """Starts and stops runs."""

    def __init__(
        self,
        workspace: Workspace,
        database: Database,
        changes: Changes,
        *,
        experiments: Experiments,
        runs: Runs,
        snapshots: Snapshots,
        compute: Compute,
        supervisors: Supervisors,
    ) -> None:
        self._workspace = workspace
        self._database = database
        self._changes = changes
        self._experiments = experiments
        self._runs = runs
        self._snapshots = snapshots
        self._compute = compute
        self._supervisors = supervisors

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
        files: Mapping[str, bytes | Path] | None = None,
        run_id: str | None = None,
    ) -> Run:
        """Queues a run, and starts it when its target has room. The same ``request_id`` again answers the same run.

        Args:
            files: further files of the run's folder that its program needs: their content, or a file to move there.
            run_id: what it is to be called, where something in ``spec`` names it.

        Raises:
            Invalid: the work cannot be run as it is asked for.
            NoSpace: the disk is too full to begin something new.
        """
        if kind is RunKind.INTERACTIVE:
            raise Invalid("an interactive run is started by start_run() in the process that logs to it")
        if kind is RunKind.TRIAL:
            raise Invalid("a trial is begun by its sweep")
        known = self._of_request(request_id)
        if known is not None:
            return self._runs.get(known)
        spec = submission.checked(self._workspace, kind, spec)
        self._compute.check_fits(spec.target, spec.resources)
        run_id = run_id or uuid.uuid4().hex
        folder = self._new_folder(run_id)
        try:
            for path, content in (files or {}).items():
                _put(folder / path, content)
            like = retry_of or self._sweep(parent_run_id)
            came_from = origin if origin and origin != Origin() else like.origin if like else Origin()
            values = self._prepare(run_id, kind, spec, came_from, like)
            values |= {"retry_of": retry_of.id if retry_of else None}
            values |= {"request_id": request_id, "parent_run_id": parent_run_id, "user": user or _user()}
            self._insert(run_id, name or (retry_of.name if retry_of else None), experiment, values, tags or {}, spec)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._supervisors.pump()
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
        self._supervisors.spawn(run_id, at, token)
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
                reason = "stopped" if row.kind == RunKind.TRIAL else STOPPED
                store.end(connection, self._changes, row.id, RunStatus.CANCELED, reason=reason)
                self._changes.note(connection, "experiment", str(row.experiment_id))
                return self._runs.read(connection, self._runs.row(connection, row.id))
            reason = "stopped before it started"
            waiting = {RunStatus.QUEUED, RunStatus.NOT_STARTED}
            ended = {"reason": reason, "ended_at": utc_now(), "waits_for": None}
            canceled = RunStatus.CANCELED
            if not store.move(connection, self._changes, row.id, canceled, ended, only_from=waiting):
                now = {"stop_requested_at": row.stop_requested_at or utc_now()}
                store.move(connection, self._changes, row.id, RunStatus.CANCEL_REQUESTED, now)
        wake(row)
        return self._runs.get(row.id)

    def retry(self, reference: str, *, params: Mapping[str, JSON], user: str) -> Run:
        """Submits the same work, from the same snapshot of the code, as a new run."""
        run = self._runs.get(reference)
        if run.kind in (*WITHOUT_SLOT, *STEERED):
            raise Conflict(f"a run of kind {run.kind.value} cannot be run again; only submitted work can")
        spec = replace(run.spec, params={**run.spec.params, **params})
        if run.kind is RunKind.BATCH:  # what is done is not done again
            spec = replace(spec, options={**spec.options, "resume_from": run.id})
        kept = {k: v for k, v in run.tags.items() if k == "mlstudio.batch" or not k.startswith("mlstudio.")}
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
            self._supervisors.settle(run.id, Outcome(RunStatus.FAILED if failed else RunStatus.COMPLETED, reason))
            return self._runs.get(run.id)
        content = json.dumps({"failed": failed, "reason": reason})
        write_atomically(self._workspace.run_folder(run.id) / "finish.json", content.encode())
        wake(row)
        return self._runs.get(run.id)

    def _prepare(self, run_id: str, kind: RunKind, spec: RunSpec, origin: Origin, like: Run | None) -> dict[str, Any]:
        """Lays the run's folder out: code, patch and ``spec.json``; returns columns of its row.

        ``like`` is the run that it tries again, or the sweep that it is a trial of: its code is the same.
        """
        folder = submission.folder_of(self._workspace, spec)
        snapshot_id = like.snapshot_id if like else None
        run_folder = self._workspace.run_folder(run_id)
        bare = kind in (RunKind.BATCH, *STEERED) and not submission.is_work(spec)
        has_code = kind not in WITHOUT_SLOT and not bare
        if has_code and snapshot_id is None:
            snapshot_id = self._snapshots.take(folder, spec.script or spec.notebook, spec.cell)
        code = run_folder / "code" if snapshot_id else None
        entry = self._snapshots.lay_out(snapshot_id, code) if snapshot_id and code else None
        if kind not in (RunKind.CONVERT, RunKind.SERVE, RunKind.PACKAGE) and not like:
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
        }

    def _sweep(self, run_id: str | None) -> Run | None:
        """Returns the sweep that a new run is a trial of."""
        parent = self._runs.get(run_id) if run_id is not None else None
        return parent if parent is not None and parent.kind is RunKind.SWEEP else None

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


def _put(target: Path, content: bytes | Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, Path):
        shutil.move(content, target)
    else:
        target.write_bytes(content)


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
