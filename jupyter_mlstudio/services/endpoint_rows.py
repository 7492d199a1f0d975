"""What an endpoint's rows say, as the plan that its processes go by and as what is shown of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import msgspec

from jupyter_mlstudio.entities.deployments import (
    Canary,
    Deployment,
    DeploymentKind,
    DeploymentSettings,
    DeploymentState,
    EndpointStats,
    MirrorStats,
)
from jupyter_mlstudio.entities.endpoints import Endpoint, EndpointState
from jupyter_mlstudio.entities.models import ModelVersion
from jupyter_mlstudio.entities.runs import TERMINAL, Run, RunStatus
from jupyter_mlstudio.entities.values import JSON, utc_now
from jupyter_mlstudio.services import endpoint_keys
from jupyter_mlstudio.services.endpoint_settings import LOOPBACK
from jupyter_mlstudio.store import typed

TAG = "mlstudio.endpoint."
RECENT = timedelta(seconds=60)
PRESENT = timedelta(seconds=5)


def settings_of(row: Any) -> DeploymentSettings:
    """Reads a deployment's settings."""
    if not row.settings:
        return DeploymentSettings()
    return typed.decode(row.settings, DeploymentSettings)


def canary_of(row: Any) -> Canary | None:
    """Reads an endpoint's canary release."""
    return typed.decode(row.canary, Canary) if row.canary else None


def entity(row: Any, deployed: Sequence[Any], run: Run | None, first: ModelVersion | None) -> Endpoint:
    """What is shown of an endpoint.

    Args:
        run: the run that serves it, or served it last.
        first: the model version that a caller who knows none is answered by.
    """
    state, reason = state_of(run, deployed)
    tags = run.tags if run is not None else {}
    url = tags.get(TAG + "url") if state is EndpointState.READY else None
    model = quote(first.model, safe="") if first is not None else ""
    return Endpoint(
        name=row.name, description=row.description, state=state, reason=reason, url=f"{url}/v2" if url else None,
        scoring_url=f"{url}/v2/models/{model}/infer" if url and model else None, auth_mode="key",
        deployments=[_deployment(one, row, run) for one in deployed],
        traffic={one.name: one.traffic for one in deployed},
        mirror_traffic={one.name: one.mirror for one in deployed if one.mirror},
        sticky_header=row.sticky_header or "", canary=canary_of(row),
        keys=[endpoint_keys.info(key, tags.get(f"{TAG}{key['name']}_used_at")) for key in json.loads(row.keys)],
        stats=stats_of(run), signature=first.signature if first else None, sample=first.sample if first else None,
        host=row.host or LOOPBACK, allowed_hosts=json.loads(row.allowed_hosts or "[]"), run_id=row.run_id,
        created_at=row.created_at, updated_at=row.updated_at, user=row.user, etag=row.etag,
    )  # fmt: skip


def state_of(run: Run | None, deployed: Sequence[Any]) -> tuple[EndpointState, str]:
    """What an endpoint does, told by the run that serves it and what that run said last."""
    if not deployed:
        return EndpointState.STOPPED, "it has no deployment"
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
            return EndpointState.READY, run.tags.get(TAG + "reason", "")
    return EndpointState.STARTING, run.tags.get(TAG + "reason", "") or run.waits_for or ""


def stats_of(run: Run | None, prefix: str = "") -> EndpointStats:
    """Counts and latencies as the serve run logged them; it counts on from those before it."""
    if run is None:
        return EndpointStats()
    before = _counted_before(run, prefix)
    last = {item.name.removeprefix(prefix): item for item in run.summaries if item.name.startswith(prefix)}
    at = last["requests"].last_at if "requests" in last else None
    lives = at is not None and run.status not in TERMINAL
    recent = lives and at is not None and utc_now() - at < RECENT
    present = lives and at is not None and utc_now() - at < PRESENT

    def value(name: str, otherwise: Any = None) -> Any:
        return last[name].last if name in last else otherwise

    return EndpointStats(
        requests=int(value("requests", before.get("requests", 0))),
        errors=int(value("errors", before.get("errors", 0))),
        requests_per_s=float(value("requests_per_s", 0.0)) if present else 0.0,
        p50_ms=value("latency_p50_ms") if recent else None,
        p95_ms=value("latency_p95_ms") if recent else None,
        p99_ms=value("latency_p99_ms") if recent else None,
        queue=int(value("queue", 0)) if present else 0,
        last_request_at=at,
    )


def _counted_before(run: Run, prefix: str) -> dict[str, Any]:
    if not prefix:
        return dict(run.spec.options)
    counts = run.spec.options.get("counts") or {}
    return dict(counts.get(prefix.removesuffix("/"), {}))


def _mirrored(run: Run | None, name: str) -> MirrorStats:
    if run is None:
        return MirrorStats()
    prefix = f"{name}/mirror_"
    found = {item.name.removeprefix(prefix): item.last for item in run.summaries if item.name.startswith(prefix)}
    return MirrorStats(
        **{key: int(found.get(key, 0)) for key in ("copies", "dropped", "failed", "disagreements")},
        max_difference=float(found.get("max_difference", 0.0)),
        mean_difference=float(found.get("mean_difference", 0.0)),
        drift=float(found["drift"]) if "drift" in found else None,
    )


def _deployment(one: Any, row: Any, run: Run | None) -> Deployment:
    told = _told(run, one.name)
    state, reason = _deployment_state(run, told)
    return Deployment(
        name=one.name, model=one.model, version=one.version, kind=DeploymentKind(one.kind),
        executes_code=one.kind != DeploymentKind.ONNX.value, script=one.script, traffic=one.traffic,
        mirror=one.mirror, settings=settings_of(one), run_id=row.run_id, run_name=run.name if run else "",
        state=state, reason=reason, instances=int(told.get("instances", 0)),
        serving_version=told.get("version") if state is DeploymentState.READY else None,
        applied=int(told.get("etag", 0)) >= one.changed_with and told.get("version", one.version) == one.version,
        stats=stats_of(run, f"{one.name}/"), mirrored=_mirrored(run, one.name), created_at=one.created_at,
        updated_at=one.updated_at or one.created_at,
    )  # fmt: skip


def _told(run: Run | None, name: str) -> dict[str, Any]:
    text = run.tags.get(f"{TAG}deployment.{name}") if run is not None and run.status not in TERMINAL else None
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}


def _deployment_state(run: Run | None, told: dict[str, Any]) -> tuple[DeploymentState, str]:
    whole, why = state_of(run, [1])
    if whole in (EndpointState.STOPPED, EndpointState.FAILED):
        return DeploymentState(whole.value), why
    if told:
        return DeploymentState(told["state"]), str(told.get("reason", ""))
    return DeploymentState.STARTING, why


def plan(row: Any, deployed: Sequence[Any], places: dict[str, dict[str, JSON]], run: Run | None) -> dict[str, JSON]:
    """The plan that the endpoint's processes go by.

    Args:
        places: by deployment, where its files are: ``onnx``, ``folder`` and ``script``.
        run: the run before, whose counts are gone on from.
    """
    canary = canary_of(row)
    told: dict[str, JSON] | None = None
    if canary is not None:
        told = msgspec.to_builtins(canary)
        told.pop("journal")
    return {
        "etag": row.etag, "endpoint": row.name, "sticky_header": row.sticky_header or "",
        "traffic": {one.name: one.traffic for one in deployed if one.traffic},
        "mirror": {one.name: one.mirror for one in deployed if one.mirror},
        "canary": told,
        "deployments": [
            {
                "name": one.name, "kind": one.kind, "model": one.model, "version": one.version,
                "generation": one.generation, "settings": msgspec.to_builtins(settings_of(one)), **places[one.name],
                **counts_of(run).get(one.name, {}),
            }
            for one in deployed
        ],
    }  # fmt: skip


def counts_of(run: Run | None) -> dict[str, dict[str, int]]:
    """What the deployments of a run had counted, by name."""
    found: dict[str, dict[str, int]] = {}
    if run is None:
        return found
    for name, counted in (run.spec.options.get("counts") or {}).items():
        found[name] = dict(counted)
    for item in run.summaries:
        name, slash, metric = item.name.rpartition("/")
        if slash and metric in ("requests", "errors"):
            found.setdefault(name, {})[metric] = int(item.last)
    return found
