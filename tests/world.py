"""Runs that are over, made without a process: for tests of what may be asked about runs."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from jupyter_mlstudio.entities.runs import RunKind, RunStatus
from jupyter_mlstudio.entities.tracking import LogBatch, Points, Value
from jupyter_mlstudio.entities.values import utc_now
from jupyter_mlstudio.store import runs as store
from jupyter_mlstudio.studio import Studio


def insert_run(
    studio: Studio,
    *,
    name: str = "a run",
    experiment: str | None = None,
    status: RunStatus = RunStatus.RUNNING,
    kind: RunKind = RunKind.INTERACTIVE,
    parent: str | None = None,
    created_at: datetime | None = None,
    **columns: Any,
) -> str:
    """Adds a run with its folder; one that claims to run is shown as this process's own."""
    import os

    from jupyter_mlstudio.services.processes import Identity, boot_id

    run_id = uuid.uuid4().hex
    (studio.workspace.run_folder(run_id) / "artifacts").mkdir(parents=True)
    me = Identity.of(os.getpid())
    assert me is not None
    with studio.database.write() as connection:
        experiment_id = studio.experiments.id_for(connection, experiment)
        values = {
            "id": run_id, "name": name, "experiment_id": experiment_id, "kind": kind.value, "status": status.value,
            "user": "tester", "target": "local", "priority": 0, "cpus": 0.0, "memory_bytes": 0, "gpus": 0,
            "created_at": created_at or utc_now(), "parent_run_id": parent, "spec": json.dumps({}),
            "origin": json.dumps({}), "boot_id": boot_id(), "supervisor_pid": me.pid,
            "supervisor_started": me.started, "last_seen_at": utc_now(),
        }  # fmt: skip
        store.insert(connection, {**values, **columns})
        studio.changes.note(connection, "run", run_id)
    return run_id


def log(
    studio: Studio,
    run_id: str,
    metrics: Mapping[str, Sequence[Value]] | None = None,
    *,
    params: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    sequence: int = 1,
) -> None:
    """Logs a batch: each metric's values at the steps 0, 1, 2, ..."""
    points = {
        name: Points(steps=list(range(len(values))), times=[time.time()] * len(values), values=list(values))
        for name, values in (metrics or {}).items()
    }
    batch = LogBatch(
        client=f"test-{uuid.uuid4().hex[:8]}", sequence=sequence, metrics=points, params=dict(params or {}),
        tags=dict(tags or {}),
    )  # fmt: skip
    assert studio.tracking.log(run_id, batch)


def end(studio: Studio, run_id: str, status: RunStatus = RunStatus.COMPLETED) -> None:
    """Ends a run."""
    with studio.database.write() as connection:
        assert store.end(connection, studio.changes, run_id, status)
