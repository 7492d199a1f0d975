"""Endpoints as they are written down: their rows, what is shown of them, and what follows from a change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jupyter_mlstudio.entities.endpoints import Endpoint
from jupyter_mlstudio.entities.runs import Run
from jupyter_mlstudio.errors import NotFound, Stale
from jupyter_mlstudio.services import endpoint_rows
from jupyter_mlstudio.services.endpoint_files import EndpointFiles
from jupyter_mlstudio.store import endpoints as store
from jupyter_mlstudio.store.changes import Changes
from jupyter_mlstudio.store.database import Database

if TYPE_CHECKING:
    from jupyter_mlstudio.services.models import Models
    from jupyter_mlstudio.services.runs import Runs


class EndpointBook:
    """Reads endpoints, and notes their changes. Whoever changes a row calls :meth:`changed` in the same transaction."""

    def __init__(self, database: Database, changes: Changes, runs: Runs, models: Models, files: EndpointFiles) -> None:
        self.database = database
        self.changes = changes
        self.files = files
        self._runs = runs
        self._models = models

    def list(self, q: str = "") -> list[Endpoint]:
        """Lists endpoints whose name contains ``q``, by name."""
        with self.database.read() as connection:
            found = [(row, store.deployments_of(connection, row.name)) for row in store.list_rows(connection)]
        return [self._entity(row, deployed) for row, deployed in found if q.casefold() in row.name.casefold()]

    def get(self, name: str) -> Endpoint:
        """Gets an endpoint."""
        with self.database.read() as connection:
            row = self.row(connection, name)
            deployed = store.deployments_of(connection, row.name)
        return self._entity(row, deployed)

    def changed(self, connection: Any, name: str, values: Mapping[str, Any] | None = None) -> None:
        """Counts a change of the endpoint, and tells its processes."""
        store.change(connection, name, **(values or {}))
        row = self.row(connection, name)
        deployed = store.deployments_of(connection, name)
        self.files.write_plan(row, deployed, self.run(row.run_id))
        self.changes.note(connection, "endpoint", name)

    def note(self, name: str) -> None:
        """Tells those who look on that an endpoint is not what it was."""
        with self.database.write() as connection:
            self.changes.note(connection, "endpoint", name)

    def run(self, run_id: str | None) -> Run | None:
        """Finds the run that serves an endpoint, or served it last."""
        if run_id is None:
            return None
        try:
            found: Run = self._runs.get(run_id)
        except NotFound:
            return None
        return found

    def nonce(self, name: str) -> str:
        """Reads what the endpoint's processes prove themselves with."""
        with self.database.read() as connection:
            return str(self.row(connection, name).nonce)

    def row(self, connection: Any, name: str, if_match: int | None = None) -> Any:
        """Reads an endpoint's row.

        Raises:
            NotFound: there is none. Stale: it was changed since the caller read it.
        """
        row = store.get_row(connection, name)
        if row is None:
            raise NotFound(f"there is no endpoint {name[:80]!r}")
        if if_match is not None and if_match != row.etag:
            raise Stale(f"endpoint {name} was changed since you read it; read it again")
        return row

    def deployment_row(self, connection: Any, name: str, deployment: str) -> Any:
        """Reads a deployment's row.

        Raises:
            NotFound: there is none.
        """
        there = store.deployments_of(connection, name)
        found = next((one for one in there if one.name == deployment), None)
        if found is None:
            names = ", ".join(one.name for one in there) or "none"
            raise NotFound(f"endpoint {name} has no deployment {deployment[:80]!r}; there are {names}")
        return found

    def _entity(self, row: Any, deployed: Any) -> Endpoint:
        first = None
        if deployed:
            main = max(deployed, key=lambda one: one.traffic)
            try:
                first = self._models.version(main.model, main.version)
            except NotFound:
                first = None
        return endpoint_rows.entity(row, deployed, self.run(row.run_id), first)
