"""Canary releases: begun and stopped by people, taken further by the endpoint's own processes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import msgspec

from jupyter_mlstudio.entities.deployments import Canary, CanaryPolicy
from jupyter_mlstudio.entities.endpoints import Endpoint
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Forbidden
from jupyter_mlstudio.services import endpoint_canary as rules
from jupyter_mlstudio.services import endpoint_rows
from jupyter_mlstudio.services import endpoint_settings as settings_of
from jupyter_mlstudio.services.endpoint_book import EndpointBook
from jupyter_mlstudio.store import endpoints as store


class Canaries:
    """What may be done with canary releases; each step is row, journal and plan in one transaction."""

    def __init__(self, book: EndpointBook) -> None:
        self._book = book

    def start(self, name: str, deployment: str, policy: CanaryPolicy) -> Endpoint:
        """Lets a deployment take the traffic over step by step, by itself."""
        settings_of.checked_policy(policy)
        with self._book.database.write() as connection:
            row = self._book.row(connection, name)
            self._book.deployment_row(connection, name, deployment)
            shares = {one.name: one.traffic for one in store.deployments_of(connection, name)}
            canary, traffic = rules.begun(endpoint_rows.canary_of(row), deployment, policy, shares)
            self._store(connection, name, canary, traffic)
        return self._book.get(name)

    def stop(self, name: str) -> Endpoint:
        """Ends a canary release and gives the traffic back to those that had it."""
        with self._book.database.write() as connection:
            canary = rules.running(endpoint_rows.canary_of(self._book.row(connection, name)), name)
            stopped = rules.ended(canary, "stop", canary.before, "it was stopped", {})
            self._store(connection, name, stopped, canary.before)
        return self._book.get(name)

    def report(
        self,
        name: str,
        run_id: str | None,
        action: Literal["step", "promote", "rollback"],
        step: int,
        traffic: dict[str, int],
        why: str,
        measured: dict[str, JSON],
    ) -> Endpoint:
        """Takes what the endpoint's own processes decided about its canary release."""
        with self._book.database.write() as connection:
            row = self._book.row(connection, name)
            if run_id is None or run_id != row.run_id:
                raise Forbidden(f"only the run that serves {name} may tell how its canary release goes")
            canary = rules.running(endpoint_rows.canary_of(row), name)
            there = [one.name for one in store.deployments_of(connection, name)]
            shares = settings_of.checked_shares(traffic, there, "traffic", whole=True)
            if action == "step":
                moved = replace(canary, step=step, journal=rules.noted(canary, action, shares, why, measured))
            else:
                moved = rules.ended(canary, action, shares, why, measured)
            self._store(connection, name, moved, shares)
        return self._book.get(name)

    def _store(self, connection: Any, name: str, canary: Canary, traffic: dict[str, int]) -> None:
        store.set_shares(connection, name, "traffic", traffic)
        copies = rules.copies(canary)
        store.change_deployment(connection, name, canary.deployment, mirror=copies)
        self._book.changed(connection, name, {"canary": msgspec.json.encode(canary).decode()})
