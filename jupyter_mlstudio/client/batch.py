"""Batch endpoints from user code: make one, invoke it with data, read what it answered."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from pathlib import Path

from jupyter_mlstudio.client import session
from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.models import ModelVersion
from jupyter_mlstudio.client.runs import Run
from jupyter_mlstudio.client.shown import Shown
from jupyter_mlstudio.client.wire import Connection, segment
from jupyter_mlstudio.client.workspace import find_root
from jupyter_mlstudio.entities.values import JSON


class BatchEndpoint(Shown):
    """A name that scores whole data sets. Each invocation is a run."""

    def __init__(self, data: Mapping[str, JSON], connection: Connection | None = None) -> None:
        self._data = dict(data)
        self._connection = connection

    def __repr__(self) -> str:
        return f"BatchEndpoint({self.name!r})"

    @property
    def name(self) -> str:
        """The endpoint's name."""
        return str(self._data["name"])

    @property
    def data(self) -> dict[str, JSON]:
        """Everything the API tells of it, as JSON."""
        self._data = self._address().get(self._path())
        return dict(self._data)

    @property
    def jobs(self) -> list[Run]:
        """Its invocations, live ones first and then the newest."""
        return [Run(item, self._connection) for item in self._address().get(self._path() + "/jobs")["items"]]

    def invoke(
        self,
        data: str | os.PathLike[str],
        deployment: str | None = None,
        experiment: str | None = None,
        wait: bool = False,
        **settings: JSON,
    ) -> Run:
        """Scores a data set.

        Args:
            data: a file, folder or pattern in the workspace (CSV, TSV, JSON lines or Parquet; anything for a scoring
                script), relative to the current folder, or ``runs:/<run id>/<path>``.
            deployment: which deployment answers; the default one when None.
            experiment: where the run goes; ``Serving`` when None.
            wait: wait until it is over, and raise when it failed.
            settings: settings for this job alone, e.g. ``mini_batch_size=1000``, ``output_file_name="out.parquet"``.

        Returns:
            The run; its artifacts are the answers with the file and row of each, ``summary.json`` and, when rows
            failed, ``errors.csv``. A run that was killed goes on where it was: ``run.retry()``.
        """
        body = {
            "data": _reference(data), "deployment": deployment, "settings": settings, "experiment": experiment,
            "request_id": uuid.uuid4().hex,
        }  # fmt: skip
        connection = self._address()
        run = Run(connection.post(self._path() + "/jobs", body, again=True), connection)
        return run.wait() if wait else run

    def deploy(
        self,
        deployment: str,
        model: ModelVersion | str,
        version: int | str = "latest",
        script: str | None = None,
        default: bool = False,
        **settings: JSON,
    ) -> BatchEndpoint:
        """Adds a deployment, or replaces it; ``default`` makes it the one that answers when none is named."""
        body = _deployment(model, version, script, settings)
        path = f"{self._path()}/deployments/{segment(deployment)}"
        self._data = self._address().put(path, body)
        if default:
            self._data = self._address().patch(self._path(), {"default_deployment": deployment})
        return self

    def delete(self) -> None:
        """Deletes it; its jobs stay."""
        self._address().delete(self._path())

    def _path(self) -> str:
        return f"batch-endpoints/{segment(self.name)}"

    def _address(self) -> Connection:
        return self._connection or connect()

    def _title(self) -> str:
        return f"{self.name} (batch)"

    def _rows_shown(self) -> list[tuple[str, str]]:
        shown = [
            (one["name"], f"{one['model']} {one['version']}" + (f", {one['script']}" if one["script"] else ""))
            for one in self._data["deployments"]
        ]
        return [*shown, ("Default", str(self._data["default_deployment"])), ("Jobs", str(self._data["jobs"]))]


def deploy_batch(
    model: ModelVersion | str,
    version: int | str = "latest",
    name: str | None = None,
    script: str | None = None,
    description: str = "",
    **settings: JSON,
) -> BatchEndpoint:
    """Makes a batch endpoint of a model version.

    Args:
        model: a registered version, or the model's name.
        version: a number, an alias or ``latest``; only with a name.
        name: the endpoint's name, 3 to 32 letters, digits and dashes; by default made from the model's.
        script: a scoring script with ``init()`` and ``run(mini_batch)``, which is given paths of files and answers
            one row for each or a data frame. Without one the ONNX model answers for the rows of tables.
        settings: ``mini_batch_size``, ``max_concurrency``, ``error_threshold``, ``output_action``,
            ``output_file_name``, ``retries``.
    """
    from jupyter_mlstudio.client.models import endpoint_name

    made = _deployment(model, version, script, settings)
    body = {"name": name or endpoint_name(str(made["model"])), "description": description, **made}
    connection = connect()
    body["request_id"] = uuid.uuid4().hex
    return BatchEndpoint(connection.post("batch-endpoints", body, again=True), connection)


def batch_endpoint(name: str) -> BatchEndpoint:
    """Gets a batch endpoint by its name."""
    connection = connect()
    return BatchEndpoint(connection.get(f"batch-endpoints/{segment(name)}"), connection)


def batch_endpoints() -> list[BatchEndpoint]:
    """Lists the batch endpoints of the workspace."""
    connection = connect()
    return [BatchEndpoint(item, connection) for item in connection.get("batch-endpoints")]


def _deployment(
    model: ModelVersion | str, version: int | str, script: str | None, settings: Mapping[str, JSON]
) -> dict[str, JSON]:
    registered, number = (model.name, model.version) if isinstance(model, ModelVersion) else (model, version)
    path = None if script is None else _reference(script)
    return {"model": registered, "version": str(number), "script": path, "settings": dict(settings)}


def _reference(data: str | os.PathLike[str]) -> str:
    """A path as the studio knows it: relative to the workspace's root."""
    text = os.fspath(data)
    if text.startswith("runs:/"):
        return text
    root = find_root()
    whole = Path(os.path.abspath(Path(text).expanduser()))  # noqa: PTH100 - patterns are no paths to resolve
    return session.below(whole, root)
