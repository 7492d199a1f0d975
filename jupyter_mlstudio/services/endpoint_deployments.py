"""Deployments: model versions behind an endpoint. Added, changed and removed while it goes on answering."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_mlstudio.entities.deployments import DeploymentKind, DeploymentSettings
from jupyter_mlstudio.entities.endpoints import Endpoint
from jupyter_mlstudio.entities.models import ModelVersion, VersionStatus
from jupyter_mlstudio.entities.values import utc_now
from jupyter_mlstudio.errors import Conflict, Invalid
from jupyter_mlstudio.services import endpoint_canary, endpoint_rows
from jupyter_mlstudio.services import endpoint_settings as settings_of
from jupyter_mlstudio.services.endpoint_book import EndpointBook
from jupyter_mlstudio.services.endpoint_runs import EndpointRuns
from jupyter_mlstudio.services.model_rows import check_deployable
from jupyter_mlstudio.store import endpoints as store

if TYPE_CHECKING:
    from jupyter_mlstudio.services.models import Models


class Deployments:
    """What may be done with the deployments of an endpoint."""

    def __init__(self, book: EndpointBook, runs: EndpointRuns, models: Models) -> None:
        self._book = book
        self._runs = runs
        self._models = models

    def add(
        self,
        name: str,
        deployment: str,
        model: str,
        version: str = "latest",
        settings: Mapping[str, Any] | None = None,
        kind: DeploymentKind = DeploymentKind.ONNX,
        script: str | None = None,
        allow_code: bool = False,
        user: str = "",
    ) -> Endpoint:
        """Adds a deployment. The first one gets all traffic, a further one none until it is given a share."""
        made = self.made(deployment, model, version, settings, kind, script, allow_code=allow_code)
        with self._book.database.write() as connection:
            row = self._book.row(connection, name)
            there = store.deployments_of(connection, name)
            if any(one.name.casefold() == deployment.casefold() for one in there):
                raise Conflict(f"endpoint {name} has a deployment {deployment!r} already: change it, or choose a name")
            share = 0 if there else 100
            made |= {"endpoint": name, "traffic": share, "changed_with": row.etag + 1}
            store.insert_deployment(connection, made)
            self._book.changed(connection, name)
        return self._book.get(name) if there else self._runs.start(name, user)

    def change(
        self,
        name: str,
        deployment: str,
        if_match: int | None = None,
        model: str | None = None,
        version: str | None = None,
        settings: Mapping[str, Any] | None = None,
        restart: bool = False,
    ) -> Endpoint:
        """Changes a deployment: another version or other settings, served by new processes that take over when ready.

        Args:
            restart: start its processes anew though nothing else changes.
        """
        served = self._served(model, version) if model is not None else None
        with self._book.database.write() as connection:
            row = self._book.row(connection, name, if_match)
            known = self._book.deployment_row(connection, name, deployment)
            values: dict[str, Any] = {"updated_at": utc_now(), "changed_with": row.etag + 1}
            if served is None and version is not None:
                served = self._served(known.model, version)
            if served is not None:
                self._check_status(served, DeploymentKind(known.kind))
                values |= {"model": served.model, "version": served.version}
            if settings is not None:
                wanted = settings_of.merged(endpoint_rows.settings_of(known), settings)
                values["settings"] = msgspec.json.encode(wanted).decode()
            if restart:
                values["generation"] = known.generation + 1
            store.change_deployment(connection, name, deployment, **values)
            self._book.changed(connection, name)
        return self._book.get(name)

    def remove(self, name: str, deployment: str) -> Endpoint:
        """Removes a deployment without a share of the traffic."""
        with self._book.database.write() as connection:
            row = self._book.row(connection, name)
            known = self._book.deployment_row(connection, name, deployment)
            if known.traffic:
                share = f"{known.traffic} % of the traffic of {name}"
                raise Conflict(f"deployment {deployment!r} gets {share}: give that to others first")
            canary = endpoint_rows.canary_of(row)
            if canary is not None and canary.deployment == deployment:
                endpoint_canary.refuse_running(canary, f"deployment {deployment!r}")
            store.delete_deployment(connection, name, deployment)
            self._book.changed(connection, name)
        return self._book.get(name)

    def made(
        self,
        deployment: str,
        model: str,
        version: str,
        settings: Mapping[str, Any] | None,
        kind: DeploymentKind,
        script: str | None,
        *,
        allow_code: bool,
    ) -> dict[str, Any]:
        """Makes the row of a new deployment, checked."""
        settings_of.checked_name(deployment, "a deployment's")
        if kind is not DeploymentKind.ONNX and not allow_code:
            raise Invalid(
                f"a deployment of kind {kind.value} executes code when it starts and with each request: say so with"
                " allow_code, or serve the ONNX form"
            )
        if (script is not None) != (kind is DeploymentKind.SCRIPT):
            raise Invalid("a script is given for a deployment of kind script, and only for one")
        served = self._served(model, version)
        self._check_status(served, kind)
        if script is not None:
            self._book.files.check_script(script)
        wanted = settings_of.merged(DeploymentSettings(), settings)
        now = utc_now()
        return {
            "name": deployment, "model": served.model, "version": served.version, "kind": kind.value, "script": script,
            "settings": msgspec.json.encode(wanted).decode(), "generation": 0, "mirror": 0, "created_at": now,
            "updated_at": now,
        }  # fmt: skip

    def _served(self, model: str, version: str | None) -> ModelVersion:
        served = self._models.version(model, version or "latest")
        check_deployable(served)
        return served

    def _check_status(self, served: ModelVersion, kind: DeploymentKind) -> None:
        if served.status is VersionStatus.REFUSED and kind is DeploymentKind.ONNX:
            raise Conflict(f"version {served.version} of {served.model!r} cannot be served: {served.reason}")
