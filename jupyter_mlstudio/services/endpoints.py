"""Endpoints: names that answer scoring requests. What they do now is derived from the run that serves them."""

from __future__ import annotations

import json
import secrets
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import quote

import msgspec

from jupyter_mlstudio.entities.deployments import (
    AnswerDifference,
    Canary,
    CanaryPolicy,
    DeploymentKind,
    DeploymentSettings,
)
from jupyter_mlstudio.entities.endpoints import Endpoint, IssuedKeys, Snippets
from jupyter_mlstudio.entities.models import ModelVersion, VersionStatus
from jupyter_mlstudio.entities.runs import TERMINAL, Run, RunKind
from jupyter_mlstudio.entities.specs import Resources, RunSpec
from jupyter_mlstudio.entities.values import JSON, utc_now
from jupyter_mlstudio.errors import Conflict, Forbidden, Invalid, NotFound, Stale, TimedOut
from jupyter_mlstudio.services import endpoint_canary as canaries
from jupyter_mlstudio.services import endpoint_keys, endpoint_rows, snippets
from jupyter_mlstudio.services import endpoint_settings as settings_of
from jupyter_mlstudio.services.endpoint_calls import Caller, check_forwarded
from jupyter_mlstudio.services.endpoint_files import EndpointFiles
from jupyter_mlstudio.services.model_rows import check_deployable
from jupyter_mlstudio.services.models import EXPERIMENT, Models
from jupyter_mlstudio.store import endpoints as store
from jupyter_mlstudio.store.changes import Changes
from jupyter_mlstudio.store.database import Database

if TYPE_CHECKING:
    from jupyter_mlstudio.services.launcher import Launcher
    from jupyter_mlstudio.services.runs import Runs
    from jupyter_mlstudio.services.snapshots import Snapshots
    from jupyter_mlstudio.workspace import Workspace

FIRST = "blue"
"""The name of the first deployment, where none is given."""

STOP_TIMEOUT_S = 20.0


class Endpoints:
    """What may be done with endpoints."""

    def __init__(
        self,
        workspace: Workspace,
        database: Database,
        changes: Changes,
        runs: Runs,
        launcher: Launcher,
        models: Models,
        snapshots: Snapshots,
    ) -> None:
        self._database = database
        self._changes = changes
        self._runs = runs
        self._launcher = launcher
        self._models = models
        self._files = EndpointFiles(workspace, models, snapshots)
        self._caller = Caller()
        self._seen: dict[str, tuple[object, ...]] = {}

    def list(self, q: str = "") -> list[Endpoint]:
        """Lists endpoints whose name contains ``q``, by name."""
        with self._database.read() as connection:
            found = [(row, store.deployments_of(connection, row.name)) for row in store.list_rows(connection)]
        return [self._entity(row, deployed) for row, deployed in found if q.casefold() in row.name.casefold()]

    def get(self, name: str) -> Endpoint:
        """Gets an endpoint."""
        with self._database.read() as connection:
            row = self._row(connection, name)
            deployed = store.deployments_of(connection, row.name)
        return self._entity(row, deployed)

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
            return IssuedKeys(endpoint=self._started(known, user))
        first = None
        if model is not None:
            first = self._new(deployment, model, version, settings, kind, script, allow_code=allow_code)
        keys = {key: endpoint_keys.new_key() for key in endpoint_keys.NAMES}
        kept = [endpoint_keys.record(key, value) for key, value in keys.items()]
        now = utc_now()
        values = {
            "name": name, "description": description, "port": port, "nonce": secrets.token_urlsafe(32),
            "keys": json.dumps(kept), "user": user, "request_id": request_id, "created_at": now, "updated_at": now,
            "etag": 1, "host": host, "allowed_hosts": json.dumps(names),
        }  # fmt: skip
        with self._database.write() as connection:
            names_there = [row.name for row in store.list_rows(connection)]
            twin = next((one for one in names_there if one.casefold() == name.casefold()), None)
            if twin is not None:
                raise Conflict(f"there is an endpoint {twin!r} already: choose another name, or delete it first")
            store.insert_endpoint(connection, values)
            if first is not None:
                store.insert_deployment(connection, first | {"endpoint": name, "traffic": 100, "changed_with": 1})
            self._changes.note(connection, "endpoint", name)
        return IssuedKeys(endpoint=self._started(name, user) if first is not None else self.get(name), keys=keys)

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
        with self._database.write() as connection:
            row = self._row(connection, name, if_match)
            there = {one.name: one.traffic for one in store.deployments_of(connection, name)}
            values: dict[str, Any] = {} if description is None else {"description": description}
            if traffic is not None:
                canaries.refuse_running(endpoint_rows.canary_of(row), "the traffic")
                shares = settings_of.checked_shares(traffic, there, "traffic", whole=True)
                store.set_shares(connection, name, "traffic", shares)
                there = dict.fromkeys(there, 0) | shares
                for alone in (one for one, share in shares.items() if share == 100):
                    store.change_deployment(connection, name, alone, mirror=0)
            if mirror_traffic is not None:
                canaries.refuse_running(endpoint_rows.canary_of(row), "the copies")
                copies = settings_of.checked_copies(mirror_traffic, there)
                store.set_shares(connection, name, "mirror", copies)
            if sticky_header is not None:
                values["sticky_header"] = settings_of.checked_header(sticky_header)
            self._changed(connection, name, values)
        return self.get(name)

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
        made = self._new(deployment, model, version, settings, kind, script, allow_code=allow_code)
        with self._database.write() as connection:
            row = self._row(connection, name)
            there = store.deployments_of(connection, name)
            if any(one.name.casefold() == deployment.casefold() for one in there):
                raise Conflict(f"endpoint {name} has a deployment {deployment!r} already: change it, or choose a name")
            share = 0 if there else 100
            made |= {"endpoint": name, "traffic": share, "changed_with": row.etag + 1}
            store.insert_deployment(connection, made)
            self._changed(connection, name)
        return self.get(name) if there else self._started(name, user)

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
        with self._database.write() as connection:
            row = self._row(connection, name, if_match)
            known = self._deployment_row(connection, name, deployment)
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
            self._changed(connection, name)
        return self.get(name)

    def remove(self, name: str, deployment: str) -> Endpoint:
        """Removes a deployment without a share of the traffic."""
        with self._database.write() as connection:
            row = self._row(connection, name)
            known = self._deployment_row(connection, name, deployment)
            if known.traffic:
                share = f"{known.traffic} % of the traffic of {name}"
                raise Conflict(f"deployment {deployment!r} gets {share}: give that to others first")
            canary = endpoint_rows.canary_of(row)
            if canary is not None and canary.deployment == deployment:
                canaries.refuse_running(canary, f"deployment {deployment!r}")
            store.delete_deployment(connection, name, deployment)
            self._changed(connection, name)
        return self.get(name)

    def delete(self, name: str) -> None:
        """Stops and deletes an endpoint; the model versions stay."""
        self.stop(name)
        with self._database.write() as connection:
            self._row(connection, name)
            store.delete_endpoint(connection, name)
            self._changes.note(connection, "endpoint", name, deleted=True)
        shutil.rmtree(self._files.folder(name), ignore_errors=True)

    def stop(self, name: str) -> Endpoint:
        """Ends an endpoint's processes and waits until they are gone; name, keys, port and deployments stay."""
        run_id = self.get(name).run_id
        if run_id is not None:
            self._end(run_id)
        self._note(name)
        return self.get(name)

    def restart(self, name: str, user: str = "") -> Endpoint:
        """Starts an endpoint again, stopping it first when it runs."""
        self.stop(name)
        return self._started(name, user, again=True)

    def start_canary(self, name: str, deployment: str, policy: CanaryPolicy) -> Endpoint:
        """Lets a deployment take the traffic over step by step, by itself."""
        settings_of.checked_policy(policy)
        with self._database.write() as connection:
            row = self._row(connection, name)
            self._deployment_row(connection, name, deployment)
            shares = {one.name: one.traffic for one in store.deployments_of(connection, name)}
            canary, traffic = canaries.begun(endpoint_rows.canary_of(row), deployment, policy, shares)
            self._store_canary(connection, name, canary, traffic)
        return self.get(name)

    def stop_canary(self, name: str) -> Endpoint:
        """Ends a canary release and gives the traffic back to those that had it."""
        with self._database.write() as connection:
            canary = canaries.running(endpoint_rows.canary_of(self._row(connection, name)), name)
            stopped = canaries.ended(canary, "stop", canary.before, "it was stopped", {})
            self._store_canary(connection, name, stopped, canary.before)
        return self.get(name)

    def report_canary(
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
        with self._database.write() as connection:
            row = self._row(connection, name)
            if run_id is None or run_id != row.run_id:
                raise Forbidden(f"only the run that serves {name} may tell how its canary release goes")
            canary = canaries.running(endpoint_rows.canary_of(row), name)
            there = [one.name for one in store.deployments_of(connection, name)]
            shares = settings_of.checked_shares(traffic, there, "traffic", whole=True)
            if action == "step":
                moved = replace(canary, step=step, journal=canaries.noted(canary, action, shares, why, measured))
            else:
                moved = canaries.ended(canary, action, shares, why, measured)
            self._store_canary(connection, name, moved, shares)
        return self.get(name)

    def differences(self, name: str, deployment: str | None = None, limit: int = 100) -> Sequence[AnswerDifference]:
        """Lists the latest copied requests whose answers were compared, newest first."""
        endpoint = self.get(name)
        names = [one.name for one in endpoint.deployments]
        if deployment is not None and deployment not in names:
            raise NotFound(f"endpoint {name} has no deployment {deployment[:80]!r}")
        return self._files.differences(name, [deployment] if deployment else names, limit)

    def watch(self) -> None:
        """Records a change of each endpoint that does something else than when this was called last, once a second."""
        seen: dict[str, tuple[object, ...]] = {}
        for one in self.list():
            seen[one.name] = (one.state, one.reason, one.url, one.stats, one.deployments)
            if one.name in self._seen and self._seen[one.name] != seen[one.name]:
                self._note(one.name)
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
        with self._database.write() as connection:
            row = self._row(connection, name)
            kept = [one for one in json.loads(row.keys) if one["name"] != key]
            kept.append(endpoint_keys.record(key, value, expires_at))
            kept.sort(key=lambda one: endpoint_keys.NAMES.index(one["name"]))
            store.change(connection, name, keys=json.dumps(kept))
            self._files.write_keys(name, kept, row.nonce)
            self._changes.note(connection, "endpoint", name)
        return IssuedKeys(endpoint=self.get(name), keys={key: value})

    def score(
        self, name: str, body: dict[str, JSON], deployment: str | None = None
    ) -> tuple[int, dict[str, JSON], float]:
        """Sends a scoring request; answers the endpoint's status and answer, and how long it took in milliseconds."""
        endpoint = self.get(name)
        chosen = next((one for one in endpoint.deployments if one.name == deployment), None)
        if deployment is not None and chosen is None:
            raise NotFound(f"endpoint {name} has no deployment {deployment[:80]!r}")
        model = (chosen or _first(endpoint)).model
        pinned = {"azureml-model-deployment": deployment} if deployment is not None else {}
        return self._caller.score(
            endpoint, self._nonce(name), f"/v2/models/{quote(model, safe='')}/infer", body, pinned
        )

    def forward(
        self, name: str, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, dict[str, str], bytes]:
        """Passes a request on to an endpoint as it is; the caller was authenticated by Jupyter, not by a key.

        Args:
            path: the raw path as it arrived, without the endpoint's name, not decoded.
            headers: of the request; what describes its content and its way is passed on.
        """
        path = check_forwarded(method, path)
        endpoint = self.get(name)
        return self._caller.forward(endpoint, self._nonce(name), method, path, headers, body)

    def openapi(self, name: str) -> dict[str, JSON]:
        """The OpenAPI document that the endpoint writes of itself."""
        status, _, content = self.forward(name, "GET", "openapi.json", {}, None)
        if status != 200:
            raise Conflict(f"endpoint {name} has no OpenAPI document: it answered with status {status}")
        found: dict[str, JSON] = json.loads(content)
        return found

    def snippets(self, name: str) -> Snippets:
        """Writes ready-to-paste requests."""
        endpoint = self.get(name)
        main = _first(endpoint) if endpoint.deployments else None
        model = quote(main.model, safe="") if main is not None else "MODEL"
        url = endpoint.scoring_url or f"http://127.0.0.1:PORT/v2/models/{model}/infer"
        onnx = main is not None and main.kind is DeploymentKind.ONNX
        return snippets.make(url, endpoint.sample, endpoint.signature, onnx=onnx)

    # What it is made of

    def _new(
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
        """The row of a new deployment, checked."""
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
            self._files.check_script(script)
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

    def _changed(self, connection: Any, name: str, values: Mapping[str, Any] | None = None) -> None:
        """Counts a change of the endpoint, and tells its processes."""
        store.change(connection, name, **(values or {}))
        row = self._row(connection, name)
        deployed = store.deployments_of(connection, name)
        self._files.write_plan(row, deployed, self._run(row.run_id))
        self._changes.note(connection, "endpoint", name)

    def _store_canary(self, connection: Any, name: str, canary: Canary, traffic: dict[str, int]) -> None:
        store.set_shares(connection, name, "traffic", traffic)
        copies = canaries.copies(canary)
        store.change_deployment(connection, name, canary.deployment, mirror=copies)
        self._changed(connection, name, {"canary": msgspec.json.encode(canary).decode()})

    def _started(self, name: str, user: str, *, again: bool = False) -> Endpoint:
        """Makes sure that a run serves the endpoint; ``again`` starts one after the last one ended."""
        with self._database.read() as connection:
            row = self._row(connection, name)
            deployed = store.deployments_of(connection, name)
        if not deployed:
            raise Conflict(f"endpoint {name} has no deployment: add one, then start it")
        before = self._run(row.run_id)
        if before is not None and not again:
            return self.get(name)
        self._files.write_keys(name, json.loads(row.keys), row.nonce)
        self._files.write_plan(row, deployed, before)
        stats = endpoint_rows.stats_of(before)
        options: dict[str, JSON] = {
            "endpoint": name, "port": row.port, "host": row.host or settings_of.LOOPBACK,
            "allowed_hosts": json.loads(row.allowed_hosts or "[]"), "plan": str(self._files.plan(name)),
            "keys_file": str(self._files.keys(name)), "requests": stats.requests, "errors": stats.errors,
            "counts": endpoint_rows.counts_of(before),
        }  # fmt: skip
        spec = RunSpec(options=options, resources=Resources(cpus=0.0))
        run = self._launcher.submit(
            RunKind.SERVE, spec, name=f"serve {name}", experiment=EXPERIMENT, user=user or row.user
        )
        with self._database.write() as connection:
            store.change(connection, name, run_id=run.id)
            self._changes.note(connection, "endpoint", name)
        return self.get(name)

    def _end(self, run_id: str) -> None:
        """Stops a run and waits until it is over."""
        run = self._run(run_id)
        if run is None or run.status in TERMINAL:
            return
        try:
            self._launcher.stop(run_id)
        except Conflict:  # it ended meanwhile
            return
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while (run := self._run(run_id)) is not None and run.status not in TERMINAL:
            if time.monotonic() > deadline:
                raise TimedOut(f"the endpoint's process has not ended after {STOP_TIMEOUT_S:g} s; try again")
            time.sleep(0.05)

    def _entity(self, row: Any, deployed: Any) -> Endpoint:
        first = None
        if deployed:
            main = max(deployed, key=lambda one: one.traffic)
            try:
                first = self._models.version(main.model, main.version)
            except NotFound:
                first = None
        return endpoint_rows.entity(row, deployed, self._run(row.run_id), first)

    def _run(self, run_id: str | None) -> Run | None:
        if run_id is None:
            return None
        try:
            found: Run = self._runs.get(run_id)
        except NotFound:
            return None
        return found

    def _note(self, name: str) -> None:
        with self._database.write() as connection:
            self._changes.note(connection, "endpoint", name)

    def _nonce(self, name: str) -> str:
        with self._database.read() as connection:
            return str(self._row(connection, name).nonce)

    def _of_request(self, request_id: str) -> str | None:
        with self._database.read() as connection:
            row = store.find_request(connection, request_id)
        return None if row is None else str(row.name)

    def _row(self, connection: Any, name: str, if_match: int | None = None) -> Any:
        row = store.get_row(connection, name)
        if row is None:
            raise NotFound(f"there is no endpoint {name[:80]!r}")
        if if_match is not None and if_match != row.etag:
            raise Stale(f"endpoint {name} was changed since you read it; read it again")
        return row

    def _deployment_row(self, connection: Any, name: str, deployment: str) -> Any:
        there = store.deployments_of(connection, name)
        found = next((one for one in there if one.name == deployment), None)
        if found is None:
            names = ", ".join(one.name for one in there) or "none"
            raise NotFound(f"endpoint {name} has no deployment {deployment[:80]!r}; there are {names}")
        return found


def _first(endpoint: Endpoint) -> Any:
    if not endpoint.deployments:
        raise Conflict(f"endpoint {endpoint.name} has no deployment: add one")
    return max(endpoint.deployments, key=lambda one: one.traffic)
