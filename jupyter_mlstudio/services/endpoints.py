"""Endpoints: names that answer scoring requests. What they do now is derived from the runs that serve them."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import quote

from jupyter_mlstudio.entities.endpoints import (
    ENDPOINT_NAME,
    Deployment,
    Endpoint,
    EndpointState,
    EndpointStats,
    IssuedKeys,
    Snippets,
)
from jupyter_mlstudio.entities.models import VersionStatus
from jupyter_mlstudio.entities.runs import TERMINAL, Run, RunKind, RunStatus
from jupyter_mlstudio.entities.specs import Resources, RunSpec
from jupyter_mlstudio.entities.values import JSON, utc_now
from jupyter_mlstudio.errors import Conflict, Invalid, NotFound, Stale, TimedOut, Unavailable
from jupyter_mlstudio.services import endpoint_keys, snippets
from jupyter_mlstudio.services.endpoint_calls import call
from jupyter_mlstudio.services.model_rows import check_deployable
from jupyter_mlstudio.services.models import EXPERIMENT, Models
from jupyter_mlstudio.store import endpoints as store
from jupyter_mlstudio.store.changes import Changes
from jupyter_mlstudio.store.database import Database

if TYPE_CHECKING:
    from jupyter_mlstudio.services.launcher import Launcher
    from jupyter_mlstudio.services.runs import Runs
    from jupyter_mlstudio.workspace import Workspace

TAG = "mlstudio.endpoint."
DEPLOYMENT = "blue"
STOP_TIMEOUT_S = 20.0
RECENT = timedelta(seconds=60)
PRESENT = timedelta(seconds=5)
_FORWARDED = ("content-type", "content-encoding", "accept")


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
    ) -> None:
        self._root = workspace.folder / "endpoints"
        self._database = database
        self._changes = changes
        self._runs = runs
        self._launcher = launcher
        self._models = models
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
        model: str,
        version: str = "latest",
        description: str = "",
        port: int | None = None,
        request_id: str | None = None,
        user: str = "",
    ) -> IssuedKeys:
        """Deploys a model version behind a new endpoint; the keys are answered here and never again.

        Raises:
            Invalid: the name or the port is not one. NotFound: there is no such version.
            Conflict: the name is taken, or the version was refused.
        """
        if not re.fullmatch(ENDPOINT_NAME, name):
            raise Invalid(
                f"{name[:80]!r} cannot be an endpoint's name: 3 to 32 letters, digits and dashes, a letter first, no"
                " dash at the end"
            )
        if port is not None and not 1024 <= port <= 65535:
            raise Invalid(f"port {port} cannot be used: give one from 1024 to 65535, or none")
        if request_id is not None and (known := self._of_request(request_id)):
            return IssuedKeys(endpoint=self._started(known, user))
        served = self._models.version(model, version)
        check_deployable(served)
        if served.status is VersionStatus.REFUSED:
            raise Conflict(f"version {served.version} of {served.model!r} cannot be served: {served.reason}")
        keys = {key: endpoint_keys.new_key() for key in endpoint_keys.NAMES}
        kept = [endpoint_keys.record(key, value) for key, value in keys.items()]
        now = utc_now()
        values = {
            "name": name, "description": description, "port": port, "nonce": secrets.token_urlsafe(32),
            "keys": json.dumps(kept), "user": user, "request_id": request_id, "created_at": now, "updated_at": now,
            "etag": 1,
        }  # fmt: skip
        deployment = {
            "endpoint": name, "name": DEPLOYMENT, "model": served.model, "version": served.version, "run_id": None,
            "traffic": 100, "created_at": now,
        }  # fmt: skip
        with self._database.write() as connection:
            twin = next(
                (row.name for row in store.list_rows(connection) if row.name.casefold() == name.casefold()), None
            )
            if twin is not None:
                raise Conflict(f"there is an endpoint {twin!r} already: choose another name, or delete it first")
            store.insert_endpoint(connection, values, deployment)
            self._changes.note(connection, "endpoint", name)
        return IssuedKeys(endpoint=self._started(name, user), keys=keys)

    def update(self, name: str, if_match: int | None = None, description: str | None = None) -> Endpoint:
        """Changes the description."""
        with self._database.write() as connection:
            row = self._row(connection, name)
            if if_match is not None and if_match != row.etag:
                raise Stale(f"endpoint {name} was changed since you read it; read it again")
            if description is not None:
                store.change(connection, name, description=description)
                self._changes.note(connection, "endpoint", name)
        return self.get(name)

    def delete(self, name: str) -> None:
        """Stops and deletes an endpoint; the model versions stay."""
        self.stop(name)
        with self._database.write() as connection:
            self._row(connection, name)
            store.delete_endpoint(connection, name)
            self._changes.note(connection, "endpoint", name, deleted=True)
        shutil.rmtree(self._root / name, ignore_errors=True)

    def stop(self, name: str) -> Endpoint:
        """Ends an endpoint's processes and waits until they are gone; name, keys and port stay."""
        for deployment in self.get(name).deployments:
            if deployment.run_id is not None:
                self._end(deployment.run_id)
        self._note(name)
        return self.get(name)

    def restart(self, name: str, user: str = "") -> Endpoint:
        """Starts an endpoint again, stopping it first when it runs."""
        self.stop(name)
        return self._started(name, user, again=True)

    def watch(self) -> None:
        """Records a change of each endpoint that does something else than when this was called last, once a second."""
        seen: dict[str, tuple[object, ...]] = {}
        for one in self.list():
            seen[one.name] = (one.state, one.reason, one.url, one.stats)
            if one.name in self._seen and self._seen[one.name] != seen[one.name]:
                self._note(one.name)
        self._seen = seen

    def key_name(self, name: str) -> Literal["primary", "secondary"]:
        """Checks the name of a key."""
        if name not in endpoint_keys.NAMES:
            raise NotFound(f"there is no key {name[:40]!r}; an endpoint has a primary and a secondary one")
        return cast("Literal['primary', 'secondary']", name)

    def regenerate(self, name: str, key: Literal["primary", "secondary"]) -> IssuedKeys:
        """Replaces one key; the other goes on."""
        value = endpoint_keys.new_key()
        with self._database.write() as connection:
            row = self._row(connection, name)
            kept = [one for one in json.loads(row.keys) if one["name"] != key] + [endpoint_keys.record(key, value)]
            kept.sort(key=lambda one: endpoint_keys.NAMES.index(one["name"]))
            store.change(connection, name, keys=json.dumps(kept))
            endpoint_keys.write_file(self._keys_file(name), kept, row.nonce)
            self._changes.note(connection, "endpoint", name)
        return IssuedKeys(endpoint=self.get(name), keys={key: value})

    def score(self, name: str, body: dict[str, JSON]) -> tuple[int, dict[str, JSON], float]:
        """Sends a scoring request; answers the endpoint's status and answer, and how long it took in milliseconds."""
        endpoint = self.get(name)
        path = f"/v2/models/{quote(endpoint.deployments[0].model, safe='')}/infer"
        began = time.perf_counter()
        status, _, content = self._call(endpoint, "POST", path, json.dumps(body, allow_nan=False).encode())
        latency_ms = (time.perf_counter() - began) * 1000
        try:
            answer = json.loads(content)
        except ValueError as error:
            raise Unavailable("the endpoint answered with something that is not JSON") from error
        return status, answer if isinstance(answer, dict) else {"answer": answer}, latency_ms

    def forward(
        self, name: str, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, dict[str, str], bytes]:
        """Passes a request on to an endpoint as it is; the caller was authenticated by Jupyter, not by a key.

        Args:
            path: the raw path as it arrived, from ``v2`` on, not decoded.
            headers: of the request; only its content's type and what it accepts are passed on.
        """
        path = path.lstrip("/")
        if path != "v2" and not path.startswith("v2/"):
            raise NotFound("there is nothing here; the model is at v2/models/NAME")
        if not path.isascii() or any(char <= " " or char in "?#\x7f" for char in path):
            raise Invalid("the path holds characters that a path cannot hold")
        if method not in ("GET", "POST"):
            raise Invalid(f"{method[:20]} is not passed on; the protocol needs GET and POST")
        passed = {key: value for key, value in headers.items() if key.lower() in _FORWARDED}
        return self._call(self.get(name), method, "/" + path, body, passed)

    def snippets(self, name: str) -> Snippets:
        """Writes ready-to-paste requests."""
        endpoint = self.get(name)
        model = quote(endpoint.deployments[0].model, safe="")
        url = endpoint.scoring_url or f"http://127.0.0.1:PORT/v2/models/{model}/infer"
        return snippets.make(url, endpoint.sample, endpoint.signature)

    def _started(self, name: str, user: str, *, again: bool = False) -> Endpoint:
        """Makes sure that a run serves the endpoint; ``again`` starts one after the last one ended."""
        with self._database.read() as connection:
            row = self._row(connection, name)
            deployment = store.deployments_of(connection, name)[0]
        if deployment.run_id is not None and not again:
            return self.get(name)
        endpoint_keys.write_file(self._keys_file(name), json.loads(row.keys), row.nonce)
        stats = self._stats(self._run(deployment.run_id))
        options: dict[str, JSON] = {
            "endpoint": name, "model": deployment.model, "version": deployment.version, "port": row.port,
            "onnx": str(self._models.onnx_file(deployment.model, deployment.version)),
            "keys_file": str(self._keys_file(name)), "requests": stats.requests, "errors": stats.errors,
        }  # fmt: skip
        spec = RunSpec(options=options, resources=Resources(cpus=0.0))
        run = self._launcher.submit(
            RunKind.SERVE, spec, name=f"serve {name}", experiment=EXPERIMENT, user=user or row.user
        )
        with self._database.write() as connection:
            store.set_run(connection, name, DEPLOYMENT, run.id)
            store.change(connection, name)
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

    def _entity(self, row: Any, deployed: Sequence[Any]) -> Endpoint:
        shown = [(one, self._run(one.run_id)) for one in deployed]
        first, run = shown[0]
        state, reason = _state(run)
        url = run.tags.get(TAG + "url") if run is not None and state is EndpointState.READY else None
        tags = run.tags if run is not None else {}
        try:
            version = self._models.version(first.model, first.version)
            signature, sample = version.signature, version.sample
        except NotFound:
            signature, sample = None, None
        return Endpoint(
            name=row.name, description=row.description, state=state, reason=reason,
            url=f"{url}/v2" if url else None,
            scoring_url=f"{url}/v2/models/{quote(first.model, safe='')}/infer" if url else None,
            auth_mode="key",
            deployments=[_deployment(one, its_run) for one, its_run in shown],
            traffic={one.name: one.traffic for one in deployed},
            keys=[endpoint_keys.info(key, tags.get(f"{TAG}{key['name']}_used_at")) for key in json.loads(row.keys)],
            stats=self._stats(run), signature=signature, sample=sample, created_at=row.created_at,
            updated_at=row.updated_at, user=row.user, etag=row.etag,
        )  # fmt: skip

    def _stats(self, run: Run | None) -> EndpointStats:
        """Counts and latencies as the serve run logged them; it counts on from those before it."""
        if run is None:
            return EndpointStats()
        before = run.spec.options
        last = {summary.name: summary for summary in run.summaries}
        at = last["requests"].last_at if "requests" in last else None
        recent = at is not None and utc_now() - at < RECENT and run.status not in TERMINAL
        present = at is not None and utc_now() - at < PRESENT and run.status not in TERMINAL

        def latency(name: str) -> float | None:
            return float(last[name].last) if recent and name in last else None

        return EndpointStats(
            requests=int(last["requests"].last if "requests" in last else before.get("requests", 0)),
            errors=int(last["errors"].last if "errors" in last else before.get("errors", 0)),
            requests_per_s=float(last["requests_per_s"].last) if present and "requests_per_s" in last else 0.0,
            p50_ms=latency("latency_p50_ms"),
            p95_ms=latency("latency_p95_ms"),
            p99_ms=latency("latency_p99_ms"),
            last_request_at=at,
        )

    def _call(
        self, endpoint: Endpoint, method: str, path: str, body: bytes | None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        if endpoint.url is None:
            why = f": {endpoint.reason}" if endpoint.reason else ""
            raise Unavailable(f"endpoint {endpoint.name} is {endpoint.state.value.lower()}{why}")
        with self._database.read() as connection:
            nonce = self._row(connection, endpoint.name).nonce
        passed = dict(headers or {})
        if body is not None and "content-type" not in {key.lower() for key in passed}:
            passed["Content-Type"] = "application/json"
        return call(endpoint.url.removesuffix("/v2"), nonce, method, path, body, passed)

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

    def _of_request(self, request_id: str) -> str | None:
        with self._database.read() as connection:
            row = store.find_request(connection, request_id)
        return None if row is None else str(row.name)

    def _row(self, connection: Any, name: str) -> Any:
        row = store.get_row(connection, name)
        if row is None:
            raise NotFound(f"there is no endpoint {name[:80]!r}")
        return row

    def _keys_file(self, name: str) -> Path:
        return self._root / name / "keys.json"


def _deployment(row: Any, run: Run | None) -> Deployment:
    state, reason = _state(run)
    return Deployment(
        name=row.name, model=row.model, version=row.version, run_id=row.run_id, state=state, reason=reason,
        created_at=row.created_at,
    )  # fmt: skip


def _state(run: Run | None) -> tuple[EndpointState, str]:
    """What an endpoint does, told by the run that serves it and what that run said last."""
    if run is None:
        return EndpointState.FAILED, "it was not started: restart it"
    match run.status:
        case RunStatus.FAILED:
            return EndpointState.FAILED, run.reason
        case RunStatus.COMPLETED | RunStatus.CANCELED | RunStatus.CANCEL_REQUESTED | RunStatus.FINALIZING:
            return EndpointState.STOPPED, run.reason
        case RunStatus.NOT_RESPONDING | RunStatus.PAUSED:
            return EndpointState.FAILED, run.reason or "its process does not respond"
        case RunStatus.RUNNING if run.tags.get(TAG + "ready") == "true":
            return EndpointState.READY, ""
    return EndpointState.STARTING, run.tags.get(TAG + "reason", "") or run.waits_for or ""
