"""Endpoints: names that answer scoring requests. What they do now is derived from the run that serves them."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, cast

from jupyter_mlstudio.entities.deployments import DeploymentKind
from jupyter_mlstudio.entities.endpoints import Endpoint, IssuedKeys
from jupyter_mlstudio.entities.values import utc_now
from jupyter_mlstudio.errors import Conflict, Invalid, NotFound
from jupyter_mlstudio.services import endpoint_canary, endpoint_keys, endpoint_rows
from jupyter_mlstudio.services import endpoint_settings as settings_of
from jupyter_mlstudio.services.endpoint_book import EndpointBook
from jupyter_mlstudio.services.endpoint_deployments import Deployments
from jupyter_mlstudio.services.endpoint_runs import EndpointRuns
from jupyter_mlstudio.store import endpoints as store

FIRST = "blue"
"""The name of the first deployment, where none is given."""


class Endpoints:
    """What may be done with endpoints as a whole."""

    def __init__(self, book: EndpointBook, runs: EndpointRuns, deployments: Deployments) -> None:
        self._book = book
        self._runs = runs
        self._deployments = deployments
        self._seen: dict[str, tuple[object, ...]] = {}

    def list(self, q: str = "") -> list[Endpoint]:
        """Lists endpoints whose name contains ``q``, by name."""
        return self._book.list(q)

    def get(self, name: str) -> Endpoint:
        """Gets an endpoint."""
        return self._book.get(name)

    def create(
        self,
        name: str,
        model: str | None = None,
        version: str = "latest",
        description: str = "",
        port: int | None = None,
        deployment: str = FIRST,
        settings: Mapping[str, Any] | None = None,
        kind: DeploymentKind = DeploymentKind.ONNX,
        script: str | None = None,
        allow_code: bool = False,
        host: str = settings_of.LOOPBACK,
        allowed_hosts: tuple[str, ...] = (),
        behind_proxy: bool = False,
        request_id: str | None = None,
        user: str = "",
    ) -> IssuedKeys:
        """Makes an endpoint, with a first deployment that gets all traffic when a model is given.

        The keys are answered here and never again.

        Raises:
            Invalid: the name, the port or a setting is not one. NotFound: there is no such version.
            Conflict: the name is taken, or the version was refused.
        """
        settings_of.checked_name(name, "an endpoint's")
        if port is not None and not 1024 <= port <= 65535:
            raise Invalid(f"port {port} cannot be used: give one from 1024 to 65535, or none")
        host, names = settings_of.checked_address(host, allowed_hosts, behind_proxy=behind_proxy)
        if request_id is not None and (known := self._of_request(request_id)):
            return IssuedKeys(endpoint=self._runs.start(known, user))
        first = None
        if model is not None:
            first = self._deployments.made(deployment, model, version, settings, kind, script, allow_code=allow_code)
        keys = {key: endpoint_keys.new_key() for key in endpoint_keys.NAMES}
        kept = [endpoint_keys.record(key, value) for key, value in keys.items()]
        now = utc_now()
        values = {
            "name": name, "description": description, "port": port, "nonce": secrets.token_urlsafe(32),
            "keys": json.dumps(kept), "user": user, "request_id": request_id, "created_at": now, "updated_at": now,
            "etag": 1, "host": host, "allowed_hosts": json.dumps(names),
        }  # fmt: skip
        with self._book.database.write() as connection:
            names_there = [row.name for row in store.list_rows(connection)]
            twin = next((one for one in names_there if one.casefold() == name.casefold()), None)
            if twin is not None:
                raise Conflict(f"there is an endpoint {twin!r} already: choose another name, or delete it first")
            store.insert_endpoint(connection, values)
            if first is not None:
                store.insert_deployment(connection, first | {"endpoint": name, "traffic": 100, "changed_with": 1})
            self._book.changes.note(connection, "endpoint", name)
        return IssuedKeys(
            endpoint=self._runs.start(name, user) if first is not None else self._book.get(name), keys=keys
        )

    def update(
        self,
        name: str,
        if_match: int | None = None,
        description: str | None = None,
        traffic: dict[str, int] | None = None,
        mirror_traffic: dict[str, int] | None = None,
        sticky_header: str | None = None,
    ) -> Endpoint:
        """Changes the description, the shares of the traffic or of its copies, or the sticky header.

        A deployment that is given all the traffic gets no copies any more.
        """
        with self._book.database.write() as connection:
            row = self._book.row(connection, name, if_match)
            there = {one.name: one.traffic for one in store.deployments_of(connection, name)}
            values: dict[str, Any] = {} if description is None else {"description": description}
            if traffic is not None:
                endpoint_canary.refuse_running(endpoint_rows.canary_of(row), "the traffic")
                shares = settings_of.checked_shares(traffic, there, "traffic", whole=True)
                store.set_shares(connection, name, "traffic", shares)
                there = dict.fromkeys(there, 0) | shares
                for alone in (one for one, share in shares.items() if share == 100):
                    store.change_deployment(connection, name, alone, mirror=0)
            if mirror_traffic is not None:
                endpoint_canary.refuse_running(endpoint_rows.canary_of(row), "the copies")
                copies = settings_of.checked_copies(mirror_traffic, there)
                store.set_shares(connection, name, "mirror", copies)
            if sticky_header is not None:
                values["sticky_header"] = settings_of.checked_header(sticky_header)
            self._book.changed(connection, name, values)
        return self._book.get(name)

    def delete(self, name: str) -> None:
        """Stops and deletes an endpoint; the model versions stay."""
        self.stop(name)
        with self._book.database.write() as connection:
            self._book.row(connection, name)
            store.delete_endpoint(connection, name)
            self._book.changes.note(connection, "endpoint", name, deleted=True)
        shutil.rmtree(self._book.files.folder(name), ignore_errors=True)

    def stop(self, name: str) -> Endpoint:
        """Ends an endpoint's processes and waits until they are gone; name, keys, port and deployments stay."""
        run_id = self._book.get(name).run_id
        if run_id is not None:
            self._runs.end(run_id)
        self._book.note(name)
        return self._book.get(name)

    def restart(self, name: str, user: str = "") -> Endpoint:
        """Starts an endpoint again, stopping it first when it runs."""
        self.stop(name)
        return self._runs.start(name, user, again=True)

    def watch(self) -> None:
        """Records a change of each endpoint that does something else than when this was called last, once a second."""
        seen: dict[str, tuple[object, ...]] = {}
        for one in self._book.list():
            seen[one.name] = (one.state, one.reason, one.url, one.stats, one.deployments)
            if one.name in self._seen and self._seen[one.name] != seen[one.name]:
                self._book.note(one.name)
        self._seen = seen

    def key_name(self, name: str) -> Literal["primary", "secondary"]:
        """Checks the name of a key."""
        if name not in endpoint_keys.NAMES:
            raise NotFound(f"there is no key {name[:40]!r}; an endpoint has a primary and a secondary one")
        return cast("Literal['primary', 'secondary']", name)

    def regenerate(
        self, name: str, key: Literal["primary", "secondary"], expires_at: datetime | None = None
    ) -> IssuedKeys:
        """Replaces one key, the new one good until ``expires_at``; the other goes on."""
        if expires_at is not None and (expires_at.tzinfo is None or expires_at <= utc_now()):
            raise Invalid(f"expires_at is {expires_at.isoformat()}; give a time to come, with its zone")
        value = endpoint_keys.new_key()
        with self._book.database.write() as connection:
            row = self._book.row(connection, name)
            kept = [one for one in json.loads(row.keys) if one["name"] != key]
            kept.append(endpoint_keys.record(key, value, expires_at))
            kept.sort(key=lambda one: endpoint_keys.NAMES.index(one["name"]))
            store.change(connection, name, keys=json.dumps(kept))
            self._book.files.write_keys(name, kept, row.nonce)
            self._book.changes.note(connection, "endpoint", name)
        return IssuedKeys(endpoint=self._book.get(name), keys={key: value})

    def _of_request(self, request_id: str) -> str | None:
        with self._book.database.read() as connection:
            row = store.find_request(connection, request_id)
        return None if row is None else str(row.name)
