"""Runs as user code sees them: status, parameters, metrics, files, logs; wait, stop, retry."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jupyter_mlstudio.client import card
from jupyter_mlstudio.client.connection import connect, inside_run
from jupyter_mlstudio.client.files import write_reason
from jupyter_mlstudio.client.models import register_model
from jupyter_mlstudio.client.reporting import Reporting, StrPath
from jupyter_mlstudio.client.values import json_param
from jupyter_mlstudio.client.wire import Connection, file_path, segment
from jupyter_mlstudio.client.workspace import FOLDER, find_root
from jupyter_mlstudio.entities.runs import TERMINAL, ArtifactEntry, MetricSeries, RunStatus
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict, Invalid, TimedOut

FRESH_S = 0.3
PAGE = 1000
LOG_PART_BYTES = 1024 * 1024


class Run(Reporting):
    """A run: something that executes, or has executed. What is read of a live run is at most 0.3 s old.

    Args:
        data: the run as the API answers it.
        connection: where to ask.
    """

    def __init__(self, data: Mapping[str, JSON], connection: Connection | None = None) -> None:
        self._data = dict(data)
        self._id = str(data["id"])
        self._connection = connection
        self._read_at = time.monotonic() if "status" in data else -FRESH_S

    def __repr__(self) -> str:
        return f"Run({self.name!r}, id={self.id!r}, status={str(self._data.get('status', '?'))!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self._id)

    @property
    def id(self) -> str:
        """The run's id, unique and for ever."""
        return self._id

    @property
    def name(self) -> str:
        """The run's name."""
        return str(self._known("name"))

    @property
    def kind(self) -> str:
        """What it executes: ``cell``, ``script``, ``notebook``, ``command`` ..."""
        return str(self._known("kind"))

    @property
    def experiment(self) -> str:
        """The name of its experiment."""
        return str(self._known("experiment"))

    @property
    def status(self) -> RunStatus:
        """What it does now, one of the studio's statuses."""
        return RunStatus(self._fresh()["status"])

    @property
    def ended(self) -> bool:
        """Whether it is over: completed, failed or canceled."""
        return self.status in TERMINAL

    @property
    def reason(self) -> str:
        """Why it failed or waits, empty otherwise."""
        return str(self._fresh().get("reason", ""))

    @property
    def url(self) -> str:
        """Where the API has this run."""
        return f"{self._address().url}/mlstudio/api/v1/runs/{self._id}"

    @property
    def workspace(self) -> Path:
        """The root of its workspace."""
        return (self._connection.root if self._connection is not None else None) or find_root()

    @property
    def folder(self) -> Path:
        """The run's own folder on the studio's machine."""
        return self.workspace / FOLDER / "runs" / self._id

    @property
    def params(self) -> dict[str, str]:
        """Its parameters, as text."""
        return dict(self._fresh(flush=True)["params"])

    @property
    def tags(self) -> dict[str, str]:
        """Its tags."""
        return dict(self._fresh(flush=True)["tags"])

    @property
    def metrics(self) -> dict[str, float]:
        """The last value of each metric."""
        return {name: float(value) for name, value in self._fresh(flush=True)["metrics"].items()}

    @property
    def data(self) -> dict[str, JSON]:
        """Everything the API tells of this run, as JSON."""
        return dict(self._fresh(flush=True))

    @property
    def children(self) -> list[Run]:
        """The runs that this one submitted, oldest first."""
        found = self._address().pages("runs", {"parent_run_id": self._id, "max_results": PAGE})
        return sorted((Run(item, self._connection) for item in found), key=lambda run: str(run._data["created_at"]))

    def history(self, name: str) -> MetricSeries:
        """Returns the points of a metric in the order they were logged; thinned out with extremes kept beyond 5,000."""
        self.flush()
        answer = self._address().get(f"runs/{self._id}/series", {"name": name})
        if not answer:
            raise Invalid(f"run {self.name} has no metric {name!r}; it has {', '.join(sorted(self.metrics)) or 'none'}")
        found = answer[0]
        exact = {"steps": [int(step) for step in found["steps"]], "values": [float(value) for value in found["values"]]}
        return MetricSeries(**{**found, **exact})

    def artifacts(self, path: str = "") -> list[ArtifactEntry]:
        """Lists what one folder of the run's artifacts holds, folders first."""
        query = {"path": path, "max_results": PAGE}
        return [card.entry(item) for item in self._address().pages(f"runs/{self._id}/artifacts", query, "entries")]

    def download(self, path: str, to: StrPath | None = None) -> Path:
        """Copies an artifact (a file, or a folder with its files) to ``to``; by default into the current folder."""
        target = Path(to).expanduser() if to is not None else Path.cwd()
        parent, _, name = path.strip("/").rpartition("/")
        found = next((entry for entry in self.artifacts(parent) if entry.name == name), None)
        if found is not None and found.kind == "folder":
            for entry in self.artifacts(path.strip("/")):
                self.download(entry.path, target / name)
            return target / name
        file = target / name if target.is_dir() or to is None or not target.suffix else target
        file.parent.mkdir(parents=True, exist_ok=True)
        return self._address().download(f"runs/{self._id}/files/{file_path(path)}", file)

    def logs(self, *, follow: bool = False) -> str:
        """Returns the run's output; with ``follow`` prints it as it comes, until the run is over."""
        parts: list[str] = []
        for text in self.log_parts(follow=follow):
            parts.append(text)
            if follow:
                sys.stdout.write(text)
                sys.stdout.flush()
        return "".join(parts)

    def log_parts(self, *, follow: bool = False, offset: int = 0) -> Iterator[str]:
        """Yields the run's output from ``offset`` (in bytes) in parts; with ``follow`` until the run is over."""
        while True:
            query = {"offset": str(offset), "limit": str(LOG_PART_BYTES)}
            part = self._address().get(f"runs/{self._id}/logs", query)
            if part["text"]:
                yield part["text"]
            moved, offset = part["next_offset"] > offset, part["next_offset"]
            if offset < part["size"] and moved:
                continue
            if not follow or (not part["live"] and not moved):
                return
            time.sleep(FRESH_S)

    def log_tail(self, limit_bytes: int = 4096) -> str:
        """Returns the end of the run's output, at most ``limit_bytes`` of it."""
        query = {"offset": "-1", "limit": str(limit_bytes)}
        return str(self._address().get(f"runs/{self._id}/logs", query)["text"])

    def wait(self, timeout_s: float | None = None, *, poll_s: float = 0.5, check: bool = True) -> Run:
        """Waits until the run is over.

        Args:
            timeout_s: gives up after so many seconds; None waits for ever.
            poll_s: how often to look.
            check: raise when the run did not complete.

        Raises:
            TimedOut: it is not over yet; it goes on.
            Conflict: it failed or was canceled, and ``check`` is set.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not self.ended:
            if deadline is not None and time.monotonic() > deadline:
                raise TimedOut(
                    f"run {self.name} is {self.status} after {timeout_s:g} s; it goes on: wait again or stop it"
                )
            time.sleep(poll_s)
        if check and self.status != RunStatus.COMPLETED:
            reason = f": {self.reason}" if self.reason else ""
            raise Conflict(f"run {self.name} {self.status.value.lower()}{reason} (its output: run.logs())")
        return self

    def stop(self) -> Run:
        """Stops the run and its whole process tree."""
        self._take(self._address().post(f"runs/{self._id}/stop"))
        return self

    def retry(self, **params: object) -> Run:
        """Submits the same work as a new run, with the parameters that are given changed."""
        changed = {name: json_param(name, value) for name, value in params.items()}
        return Run(self._address().post(f"runs/{self._id}/retry", {"params": changed}), self._connection)

    def rename(self, name: str) -> Run:
        """Gives the run another name."""
        self._take(self._address().patch(f"runs/{self._id}", {"name": name}))
        return self

    def register(self, name: str, **options: Any) -> Any:
        """Registers the model that the run logged; see :func:`jupyter_mlstudio.register_model`."""
        self.flush()
        return register_model(self, name, **options)

    def complete(self) -> None:
        """Ends a run that this process started with ``start_run``; a submitted run completes when its work is done."""
        self._finish(failed=False, reason="")

    def fail(self, reason: str = "") -> None:
        """Ends the run as failed; a submitted run goes on to its end and then counts as failed."""
        self._finish(failed=True, reason=reason)

    def _finish(self, *, failed: bool, reason: str) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if inside_run() != self._id:
            self._take(self._gateway().post(f"runs/{self._id}/finish", {"failed": failed, "reason": reason[:10_000]}))
        elif failed:
            write_reason(self._local_folder(), reason or "the run said that it failed")

    def _repr_mimebundle_(self, **_: object) -> dict[str, JSON]:
        return card.bundle(self._safe_data(), self.workspace)

    def _safe_data(self) -> dict[str, JSON]:
        """What is known of the run, fresh where the studio answers: showing a run never fails."""
        try:
            return self._fresh()
        except Exception:
            return self._data

    def _address(self) -> Connection:
        return self._connection or connect()

    def _gateway(self) -> Connection:
        return self._address()

    def _local_folder(self) -> Path | None:
        return self.folder

    def _known(self, key: str) -> JSON:
        return self._data[key] if key in self._data else self._fresh()[key]

    def _fresh(self, *, flush: bool = False) -> dict[str, JSON]:
        """Reads the run again when what is known may be old."""
        flushed = flush and self._writer is not None and self._writer.flush()
        over = "summaries" in self._data and RunStatus(self._data["status"]) in TERMINAL
        if flushed or (not over and time.monotonic() - self._read_at >= FRESH_S):
            self._take(self._address().get(f"runs/{segment(self._id)}"))
        return self._data

    def _take(self, data: dict[str, JSON]) -> None:
        self._data, self._read_at = data, time.monotonic()


def get_run(run_id: str) -> Run:
    """Returns a run by its id, a unique beginning of it, or its name (the newest of that name)."""
    connection = connect()
    return Run(connection.get(f"runs/{segment(run_id)}"), connection)


def list_runs(filter: str = "", *, order_by: str | list[str] = "", max_results: int = 100) -> list[Run]:
    """Lists runs, live ones first and then the newest.

    Args:
        filter: MLflow's grammar, e.g. ``metrics.auc > 0.9 and params.depth = '3'``.
        order_by: e.g. ``metrics.auc DESC``.
        max_results: how many at most.
    """
    return search(connect(), {"filter": filter, "order_by": order_by}, max_results)


def search(connection: Connection, query: Mapping[str, object], max_results: int) -> list[Run]:
    """Lists the runs that a query of the API finds, at most ``max_results``."""
    if max_results < 1:
        raise Invalid(f"max_results is {max_results}; ask for at least one run")
    found: list[Run] = []
    for item in connection.pages("runs", {**query, "max_results": min(max_results, PAGE)}):
        found.append(Run(item, connection))
        if len(found) >= max_results:
            break
    return found
