"""Batch endpoints: names that score whole data sets. Each invocation is a run, and may be tried again."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlstudio.entities.batch import BatchDeployment, BatchEndpoint, BatchSettings
from jupyter_mlstudio.entities.endpoints import ENDPOINT_NAME
from jupyter_mlstudio.entities.models import VersionStatus
from jupyter_mlstudio.entities.runs import Run, RunKind, RunPage
from jupyter_mlstudio.entities.specs import Resources, RunSpec
from jupyter_mlstudio.entities.values import JSON, utc_now
from jupyter_mlstudio.errors import Conflict, Invalid, NotFound, Stale
from jupyter_mlstudio.services.batch_files import files_of
from jupyter_mlstudio.services.batch_settings import checked, merged
from jupyter_mlstudio.services.model_rows import check_deployable
from jupyter_mlstudio.services.models import EXPERIMENT, Models
from jupyter_mlstudio.services.names import checked_text
from jupyter_mlstudio.services.paths import safe_join
from jupyter_mlstudio.store import batch as store
from jupyter_mlstudio.store.changes import Changes
from jupyter_mlstudio.store.database import Database

if TYPE_CHECKING:
    from jupyter_mlstudio.services.launcher import Launcher
    from jupyter_mlstudio.services.runs import Runs
    from jupyter_mlstudio.workspace import Workspace

TAG = "mlstudio.batch"
FIRST = "default"


class Batch:
    """What may be done with batch endpoints."""

    def __init__(
        self,
        workspace: Workspace,
        database: Database,
        changes: Changes,
        runs: Runs,
        launcher: Launcher,
        models: Models,
    ) -> None:
        self._workspace = workspace
        self._database = database
        self._changes = changes
        self._runs = runs
        self._launcher = launcher
        self._models = models

    def list(self, q: str = "") -> list[BatchEndpoint]:
        """Lists batch endpoints whose name contains ``q``, by name."""
        with self._database.read() as connection:
            rows = store.list_rows(connection)
        return [self._entity(row) for row in rows if q.casefold() in row.name.casefold()]

    def get(self, name: str) -> BatchEndpoint:
        """Gets a batch endpoint."""
        with self._database.read() as connection:
            row = self._row(connection, name)
        return self._entity(row)

    def create(
        self,
        name: str,
        model: str,
        version: str = "latest",
        description: str = "",
        settings: BatchSettings | None = None,
        script: str | None = None,
        request_id: str | None = None,
        user: str = "",
    ) -> BatchEndpoint:
        """Makes a batch endpoint with a first deployment, called ``default``.

        Raises:
            Invalid: a name or setting is not one. NotFound: there is no such version or script.
            Conflict: the name is taken, or the version cannot be served.
        """
        _check_name(name, "an endpoint's")
        checked_text(description, "a description", 100_000)
        if request_id is not None:
            with self._database.read() as connection:
                known = store.find_request(connection, request_id)
            if known is not None:
                return self.get(known)
        first = self._deployment(FIRST, model, version, settings or BatchSettings(), script)
        now = utc_now()
        values = {
            "name": name, "description": description, "default_deployment": FIRST, "user": user,
            "request_id": request_id, "created_at": now, "updated_at": now, "etag": 1,
        }  # fmt: skip
        with self._database.write() as connection:
            twin = next((row.name for row in store.list_rows(connection) if row.name.lower() == name.lower()), None)
            if twin is not None:
                raise Conflict(f"there is a batch endpoint {twin!r} already: choose another name, or delete it first")
            store.add(connection, values, [first])
            self._changes.note(connection, "batch", name)
        return self.get(name)

    def update(
        self,
        name: str,
        if_match: int | None = None,
        description: str | None = None,
        default_deployment: str | None = None,
    ) -> BatchEndpoint:
        """Changes the description, or which deployment answers when none is named."""
        with self._database.write() as connection:
            row = self._row(connection, name)
            if if_match is not None and if_match != row.etag:
                raise Stale(f"batch endpoint {name} was changed since you read it; read it again")
            values: dict[str, Any] = {}
            if description is not None:
                values["description"] = checked_text(description, "a description", 100_000)
            if default_deployment is not None:
                values["default_deployment"] = _find(store.deployments_of(row), default_deployment, name).name
            store.change(connection, name, **values)
            self._changes.note(connection, "batch", name)
        return self.get(name)

    def deploy(
        self,
        name: str,
        deployment: str,
        model: str,
        version: str = "latest",
        settings: BatchSettings | None = None,
        script: str | None = None,
    ) -> BatchEndpoint:
        """Adds a deployment, or replaces the one of this name; jobs that are under way go on as they were."""
        _check_name(deployment, "a deployment's")
        made = self._deployment(deployment, model, version, settings or BatchSettings(), script)
        with self._database.write() as connection:
            kept = [one for one in store.deployments_of(self._row(connection, name)) if one.name != deployment]
            store.change(connection, name, [*kept, made])
            self._changes.note(connection, "batch", name)
        return self.get(name)

    def remove(self, name: str, deployment: str) -> BatchEndpoint:
        """Removes a deployment; not the default one."""
        with self._database.write() as connection:
            row = self._row(connection, name)
            there = store.deployments_of(row)
            _find(there, deployment, name)
            if deployment == row.default_deployment:
                raise Conflict(
                    f"{deployment!r} is the default deployment of {name}: make another one the default first"
                )
            store.change(connection, name, [one for one in there if one.name != deployment])
            self._changes.note(connection, "batch", name)
        return self.get(name)

    def delete(self, name: str) -> None:
        """Deletes a batch endpoint; its jobs and the model versions stay."""
        with self._database.write() as connection:
            self._row(connection, name)
            store.remove(connection, name)
            self._changes.note(connection, "batch", name, deleted=True)

    def invoke(
        self,
        name: str,
        data: str,
        deployment: str | None = None,
        settings: dict[str, JSON] | None = None,
        experiment: str | None = None,
        request_id: str | None = None,
        user: str = "",
    ) -> Run:
        """Scores a data set: answers the run that does it.

        Args:
            data: a file, a folder or a pattern such as ``data/*.csv`` below the workspace's root, or
                ``runs:/<run id>/<path>`` for an artifact.
            settings: fields of the deployment's settings that are different for this job.

        Raises:
            Invalid: there is nothing to score there, or a setting is none. NotFound: there is no such data.
        """
        with self._database.read() as connection:
            row = self._row(connection, name)
        chosen = _find(store.deployments_of(row), deployment or row.default_deployment, name)
        wanted = checked(merged(chosen.settings, settings or {}))
        files = files_of(self._workspace, self._runs, data, tables=chosen.script is None)
        options: dict[str, JSON] = {
            "endpoint": name, "deployment": chosen.name, "model": chosen.model, "version": chosen.version,
            "onnx": str(self._models.onnx_file(chosen.model, chosen.version)),
            "model_dir": str(self._models.onnx_file(chosen.model, chosen.version).parent),
            "root": str(self._workspace.root), "data": data, "files": files, "settings": asdict(wanted),
        }  # fmt: skip
        folder, _, script = (chosen.script or "").rpartition("/")
        spec = RunSpec(
            options=options, folder=folder, script=script or None, resources=Resources(cpus=self._cpus(wanted))
        )
        return self._launcher.submit(
            RunKind.BATCH, spec, name=f"{name} on {Path(data).name or data}"[:200], experiment=experiment or EXPERIMENT,
            tags={TAG: name}, user=user, request_id=request_id,
        )  # fmt: skip

    def jobs(self, name: str) -> RunPage:
        """Lists the jobs of a batch endpoint, live ones first and then the newest."""
        with self._database.read() as connection:
            row = self._row(connection, name)
        return self._runs.search(filter=_jobs_of(row), max_results=100)

    def _deployment(
        self, name: str, model: str, version: str, settings: BatchSettings, script: str | None
    ) -> BatchDeployment:
        served = self._models.version(model, version)
        check_deployable(served)
        if script is None and served.status is not VersionStatus.READY:
            why = f": {served.reason}" if served.reason else ", wait until it is"
            raise Conflict(f"version {served.version} of {served.model!r} is not ready{why}")
        if script is not None:
            path = safe_join(self._workspace.root, script)
            if path.suffix != ".py" or not path.is_file():
                raise NotFound(f"there is no Python file {script[:200]!r} in the workspace")
        return BatchDeployment(
            name=name, model=served.model, version=served.version, settings=checked(settings), script=script
        )

    def _cpus(self, settings: BatchSettings) -> float:
        available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return float(min(settings.max_concurrency, available))

    def _entity(self, row: Any) -> BatchEndpoint:
        page = self._runs.search(filter=_jobs_of(row), order_by=["created_at DESC"], max_results=1)
        return BatchEndpoint(
            name=row.name, description=row.description, default_deployment=row.default_deployment,
            deployments=store.deployments_of(row), jobs=page.total,
            last_job=page.items[0].id if page.items else None, user=row.user, created_at=row.created_at,
            updated_at=row.updated_at, etag=row.etag,
        )  # fmt: skip

    def _row(self, connection: Any, name: str) -> Any:
        row = store.get_row(connection, name)
        if row is None:
            raise NotFound(f"there is no batch endpoint {name[:80]!r}")
        return row


def _jobs_of(row: Any) -> str:
    """The filter of an endpoint's jobs: those of a deleted one that had its name are older."""
    return f"tags.`{TAG}` = '{row.name}' AND created_at >= {math.floor(row.created_at.timestamp() * 1000)}"


def _find(deployments: Sequence[BatchDeployment], name: str, endpoint: str) -> BatchDeployment:
    found = next((one for one in deployments if one.name == name), None)
    if found is None:
        there = ", ".join(one.name for one in deployments)
        raise NotFound(f"batch endpoint {endpoint} has no deployment {name[:80]!r}; it has {there}")
    return found


def _check_name(name: str, whose: str) -> None:
    if not re.fullmatch(ENDPOINT_NAME, name):
        raise Invalid(
            f"{name[:80]!r} cannot be {whose} name: 3 to 32 letters, digits and dashes, a letter first, no dash at the"
            " end"
        )
