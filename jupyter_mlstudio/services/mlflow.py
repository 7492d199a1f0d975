"""Runs as MLflow clients know them: who they belong to, who may end them, and what they take.

A run that a client makes has no supervisor: it lives in the client's process, or in the run through whose gateway it
was made, and ends at the latest with that. A run that has a supervisor is ended by nobody else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Row

from jupyter_mlstudio.entities.experiments import Experiment
from jupyter_mlstudio.entities.runs import (
    MLFLOW_STATUS,
    TERMINAL,
    MetricSeries,
    Origin,
    Run,
    RunKind,
    RunStatus,
    RunSummary,
)
from jupyter_mlstudio.entities.tracking import LogBatch
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict, Forbidden, Invalid, NotFound
from jupyter_mlstudio.services.experiments import Experiments
from jupyter_mlstudio.services.launcher import Launcher
from jupyter_mlstudio.services.mlflow_filters import matcher
from jupyter_mlstudio.services.outcomes import Outcome
from jupyter_mlstudio.services.paging import offset_of, token_of
from jupyter_mlstudio.services.paths import write_atomically
from jupyter_mlstudio.services.peers import Address, find_peer
from jupyter_mlstudio.services.processes import boot_id
from jupyter_mlstudio.services.runs import Runs
from jupyter_mlstudio.services.supervisors import Supervisors
from jupyter_mlstudio.services.tracking import Tracking
from jupyter_mlstudio.store import experiments as experiment_store
from jupyter_mlstudio.store import metrics, run_search
from jupyter_mlstudio.store import runs as store
from jupyter_mlstudio.store.changes import Changes
from jupyter_mlstudio.store.database import Database
from jupyter_mlstudio.workspace import Workspace

DEFAULT_ID = "0"
"""The id that every MLflow client takes the default experiment to have."""

ENDINGS = {"FINISHED": RunStatus.COMPLETED, "FAILED": RunStatus.FAILED, "KILLED": RunStatus.CANCELED}
PARENT, NAME, NOTE, USER = "mlflow.parentRunId", "mlflow.runName", "mlflow.note.content", "mlflow.user"
HISTORY = "mlflow.log-model.history"
PARTS = ("dataset_inputs", "model_inputs", "model_outputs")
_FILE = "mlflow.json"
_ID = re.compile(r"[0-9a-f]{32}")

Latest = Mapping[str, Sequence[tuple[str, float, int, datetime]]]
"""The last point of each metric by run id: name, value, step, time."""


@dataclass(frozen=True, slots=True)
class Page:
    """Runs that were found, with the last points of their metrics."""

    runs: list[RunSummary]
    latest: Latest
    next_page_token: str | None


class MLflow:
    """What MLflow clients may do with experiments and runs."""

    def __init__(
        self,
        workspace: Workspace,
        database: Database,
        changes: Changes,
        *,
        experiments: Experiments,
        runs: Runs,
        tracking: Tracking,
        launcher: Launcher,
        supervisors: Supervisors,
    ) -> None:
        self._workspace = workspace
        self._database = database
        self._changes = changes
        self._experiments = experiments
        self._runs = runs
        self._tracking = tracking
        self._launcher = launcher
        self._supervisors = supervisors

    def experiment(self, experiment_id: str) -> Experiment:
        """Gets an experiment by its id alone; ``0`` is the default one, which is made when it is not there yet."""
        if experiment_id == DEFAULT_ID:
            with self._database.write() as connection:
                known = str(self._experiments.id_for(connection, None))
            return self._experiment(known)
        return self._experiment(experiment_id)

    def experiment_named(self, name: str) -> Experiment:
        """Gets an experiment by its name alone."""
        found = self._experiments.get(name)
        if found.name != name:
            raise NotFound(f"there is no experiment named {name[:80]!r}")
        return found

    def search_experiments(
        self, text: str, view: str, max_results: int, page_token: str | None
    ) -> tuple[list[Experiment], str | None]:
        """Finds experiments; ``view`` is one of MLflow's ACTIVE_ONLY, DELETED_ONLY and ALL."""
        passes = matcher(text, ("name",))
        found = [one for one in self._experiments.list(archived=True) if passes({"name": one.name})]
        if view != "ALL":
            found = [one for one in found if (one.archived_at is None) is (view == "ACTIVE_ONLY")]
        offset = offset_of(page_token)
        page = found[offset : offset + max_results]
        return page, token_of(offset + len(page), len(found))

    def start(
        self,
        *,
        experiment_id: str,
        name: str | None,
        tags: Mapping[str, str],
        user: str,
        within: str | None,
        ends: tuple[Address, Address] | None,
    ) -> Run:
        """Makes a run for a client's process, or below the run ``within`` through whose gateway it was asked for.

        Raises:
            Forbidden: it cannot be told which process asks, so nobody would know when the run is over.
        """
        experiment = self.experiment(experiment_id).name
        parent = self.run_id(tags[PARENT], within) if tags.get(PARENT) else within
        watched, origin = self._of_run(within) if within else self._of_peer(ends)
        kept = {key: value for key, value in tags.items() if key not in (NAME, NOTE)}
        run = self._launcher.adopt(
            watched, name=name or tags.get(NAME), experiment=experiment, tags=kept, origin=origin, user=user,
            parent_run_id=parent,
        )  # fmt: skip
        return self._runs.update(run.id, description=tags[NOTE]) if tags.get(NOTE) else run

    def run_id(self, run_id: str, within: str | None) -> str:
        """Checks a run's id; ``within`` is the run to whose gateway the caller speaks.

        Raises:
            Invalid: it is no id. NotFound: there is no such run. Forbidden: it is not of ``within``.
        """
        if not _ID.fullmatch(run_id):
            raise Invalid(f"{run_id[:80]!r} is not a run's id: that has 32 hexadecimal digits")
        self._row(run_id)
        if within is not None and not self._runs.is_within(run_id, within):
            raise Forbidden("this run's token is good for this run and its children only")
        return run_id

    def update(self, run_id: str, status: str | None, name: str | None) -> Run:
        """Renames a run, and ends one that lives in a client's process; a supervised run's status is left alone.

        Raises:
            Conflict: the run is over with another status.
        """
        row = self._row(run_id)
        known = RunStatus(row.status)
        if status is not None and known in TERMINAL and MLFLOW_STATUS[known] != status:
            raise Conflict(f"the run {row.name!r} is over ({known.value}): its status does not change any more")
        if name:
            self._runs.update(run_id, name=name)
        if status in ENDINGS and known not in TERMINAL and _is_a_clients(row):
            reason = "" if status == "FINISHED" else f"the program that logged to it ended it as {status}"
            self._supervisors.settle(run_id, Outcome(ENDINGS[status], reason))
        return self._runs.get(run_id)

    def log(self, run_id: str, batch: LogBatch) -> None:
        """Keeps a batch. A run that a client made takes more after it was ended: autologging scores models later."""
        row = self._row(run_id)
        name, note = batch.tags.pop(NAME, None), batch.tags.pop(NOTE, None)
        late = _is_a_clients(row) and row.status != RunStatus.CANCELED
        if batch.metrics or batch.params or batch.tags:
            self._tracking.add(run_id, batch, after_end=late)
        if name or note is not None:
            self._runs.update(run_id, name=name or None, description=note)

    def record_model(self, run_id: str, model_json: str) -> None:
        """Adds to the tag in which clients before MLflow 3 keep what models they logged."""
        try:
            model = json.loads(model_json)
        except (ValueError, RecursionError):
            raise Invalid("model_json is not JSON") from None
        held = json.loads(self._runs.get(run_id).tags.get(HISTORY, "[]"))
        self._runs.update(run_id, tags={HISTORY: json.dumps([*held, model])})

    def latest(self, run_ids: Sequence[str]) -> Latest:
        """Reads the last points of the metrics of runs."""
        with self._database.read() as connection:
            return metrics.latest(connection, run_ids)

    def history(self, run_id: str, name: str, limit: int, page_token: str | None) -> tuple[MetricSeries, str | None]:
        """Reads the points of a metric, all of them, in pages of ``limit``."""
        offset = offset_of(page_token)
        series = self._tracking.series(run_id, [name], max_points=2**62, after=offset)[0]
        page = replace(series, steps=series.steps[:limit], times=series.times[:limit], values=series.values[:limit])
        return page, token_of(offset + len(page.steps), series.total)

    def search(
        self,
        *,
        experiment_ids: Sequence[str],
        text: str,
        view: str,
        order_by: Sequence[str],
        max_results: int,
        page_token: str | None,
        within: str | None,
    ) -> Page:
        """Finds runs of experiments, the newest first unless an order is asked for."""
        offset = offset_of(page_token)
        ids = self._known(experiment_ids)
        query: dict[str, Any] = {
            "experiment_id": ids, "parent_run_id": None, "q": "", "filter": text, "statuses": None, "kind": [],
            "order_by": list(order_by) or ["start_time DESC"], "run_ids": self._family(within) if within else None,
            "numeric_params": False,
        }  # fmt: skip
        with self._database.read() as connection:
            found, total = run_search.search(connection, query, offset, max_results)
            if not ids or view == "DELETED_ONLY":
                return Page([], {}, None)
            latest = metrics.latest(connection, [run.id for run in found])
        return Page(found, latest, token_of(offset + len(found), total))

    def parts(self, run_id: str) -> dict[str, list[dict[str, JSON]]]:
        """Reads what went into a run and came out of it: data sets and logged models, as MLflow's own JSON."""
        try:
            content = json.loads(self._file(run_id).read_bytes())
        except FileNotFoundError:
            content = {}
        return {name: content.get(name, []) for name in PARTS}

    def add_parts(self, run_id: str, added: Mapping[str, Sequence[dict[str, JSON]]]) -> None:
        """Notes data sets and logged models that went into a run or came out of it, each once."""
        with self._database.write() as connection:
            store.change(connection, self._changes, run_id, {})
            held = self.parts(run_id)
            for name, items in added.items():
                held[name] += [item for item in items if item not in held[name]]
            write_atomically(self._file(run_id), to_json(held))

    def _file(self, run_id: str) -> Path:
        return self._workspace.run_folder(run_id) / _FILE

    def _row(self, run_id: str) -> Row[Any]:
        with self._database.read() as connection:
            row = store.row(connection, run_id)
        if row is None:
            raise NotFound(f"there is no run with the id {run_id[:80]!r}")
        return row

    def _experiment(self, experiment_id: str) -> Experiment:
        with self._database.read() as connection:
            row = experiment_store.by_id(connection, experiment_id)
            if row is None:
                raise NotFound(f"there is no experiment with the id {experiment_id[:80]!r}")
            return experiment_store.read(connection, row)

    def _known(self, experiment_ids: Sequence[str]) -> list[int]:
        found = []
        for experiment_id in experiment_ids:
            try:
                found.append(int(self.experiment(experiment_id).id))
            except NotFound:
                continue
        return found

    def _family(self, run_id: str) -> list[str]:
        found, waiting = {run_id}, [run_id]
        while waiting:
            young = [child for child in self._runs.children(waiting.pop()) if child not in found]
            found.update(young)
            waiting += young
        return sorted(found)

    def _of_run(self, run_id: str) -> tuple[dict[str, Any], Origin]:
        """Says what a run below another one lives in: the other one's supervisor."""
        row = self._row(run_id)
        watched = {name: getattr(row, name) for name in ("boot_id", "supervisor_pid", "supervisor_started")}
        return watched, store.ORIGIN.validate_json(row.origin)

    def _of_peer(self, ends: tuple[Address, Address] | None) -> tuple[dict[str, Any], Origin]:
        peer = find_peer(*ends) if ends else None
        if peer is None:
            raise Forbidden(
                "a run is started by a program of this machine and user, whose end is its end at the latest; "
                "from elsewhere, submit the work"
            )
        pid, started = peer.identity.pid, peer.identity.started
        origin = Origin(notebook=self._shown(peer.notebook), script=self._shown(peer.script))
        return {"boot_id": boot_id(), "supervisor_pid": pid, "supervisor_started": started}, origin

    def _shown(self, path: Path | None) -> str | None:
        if path is None:
            return None
        root = self._workspace.root
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _is_a_clients(row: Row[Any]) -> bool:
    """Tells whether a run was made by an MLflow client and lives in its process: it has no gateway of its own."""
    under_way_or_over = RunStatus(row.status) in TERMINAL | {RunStatus.RUNNING}
    return bool(row.kind == RunKind.INTERACTIVE and not row.gateway_url and under_way_or_over)
