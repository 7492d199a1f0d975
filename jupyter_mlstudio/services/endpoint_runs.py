"""The runs that serve endpoints: started, ended."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from jupyter_mlstudio.entities.endpoints import Endpoint
from jupyter_mlstudio.entities.runs import TERMINAL, RunKind
from jupyter_mlstudio.entities.specs import Resources, RunSpec
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict, TimedOut
from jupyter_mlstudio.services import endpoint_rows
from jupyter_mlstudio.services.endpoint_book import EndpointBook
from jupyter_mlstudio.services.endpoint_settings import LOOPBACK
from jupyter_mlstudio.services.models import EXPERIMENT
from jupyter_mlstudio.store import endpoints as store

if TYPE_CHECKING:
    from jupyter_mlstudio.services.launcher import Launcher

STOP_TIMEOUT_S = 20.0


class EndpointRuns:
    """Starts and ends the one run behind an endpoint."""

    def __init__(self, book: EndpointBook, launcher: Launcher) -> None:
        self._book = book
        self._launcher = launcher

    def start(self, name: str, user: str, *, again: bool = False) -> Endpoint:
        """Makes sure that a run serves the endpoint; ``again`` starts one after the last one ended."""
        with self._book.database.read() as connection:
            row = self._book.row(connection, name)
            deployed = store.deployments_of(connection, name)
        if not deployed:
            raise Conflict(f"endpoint {name} has no deployment: add one, then start it")
        before = self._book.run(row.run_id)
        if before is not None and not again:
            return self._book.get(name)
        self._book.files.write_keys(name, json.loads(row.keys), row.nonce)
        self._book.files.write_plan(row, deployed, before)
        stats = endpoint_rows.stats_of(before)
        options: dict[str, JSON] = {
            "endpoint": name, "port": row.port, "host": row.host or LOOPBACK,
            "allowed_hosts": json.loads(row.allowed_hosts or "[]"), "plan": str(self._book.files.plan(name)),
            "keys_file": str(self._book.files.keys(name)), "requests": stats.requests, "errors": stats.errors,
            "counts": endpoint_rows.counts_of(before),
        }  # fmt: skip
        spec = RunSpec(options=options, resources=Resources(cpus=0.0))
        run = self._launcher.submit(
            RunKind.SERVE, spec, name=f"serve {name}", experiment=EXPERIMENT, user=user or row.user
        )
        with self._book.database.write() as connection:
            store.change(connection, name, run_id=run.id)
            self._book.changes.note(connection, "endpoint", name)
        return self._book.get(name)

    def end(self, run_id: str) -> None:
        """Stops a run and waits until it is over."""
        run = self._book.run(run_id)
        if run is None or run.status in TERMINAL:
            return
        try:
            self._launcher.stop(run_id)
        except Conflict:  # it ended meanwhile
            return
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while (run := self._book.run(run_id)) is not None and run.status not in TERMINAL:
            if time.monotonic() > deadline:
                raise TimedOut(f"the endpoint's process has not ended after {STOP_TIMEOUT_S:g} s; try again")
            time.sleep(0.05)
