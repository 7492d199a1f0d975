"""Endpoints: names that answer scoring requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from jupyter_mlstudio.entities.models import Signature
from jupyter_mlstudio.entities.values import JSON, Real

ENDPOINT_NAME = r"^[a-zA-Z]([-a-zA-Z0-9]{1,30}[a-zA-Z0-9])$"
"""Azure's rule: 3 to 32 letters, digits and dashes, begins with a letter, does not end with a dash."""


class EndpointState(StrEnum):
    """What an endpoint does now, derived from the runs that serve it."""

    STARTING = "Starting"
    READY = "Ready"
    STOPPED = "Stopped"
    FAILED = "Failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """A model version behind an endpoint, and the run that serves it."""

    name: str
    model: str
    version: int
    run_id: str | None
    state: EndpointState
    reason: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyInfo:
    """What is known of an access key once it has been shown: never the key itself."""

    name: str
    prefix: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class EndpointStats:
    """Counts since the endpoint was made, and latencies of the last minute in milliseconds (None without requests)."""

    requests: int = 0
    errors: int = 0
    requests_per_s: float = 0.0
    p50_ms: Real | None = None
    p95_ms: Real | None = None
    p99_ms: Real | None = None
    last_request_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """A name, deployments and a traffic split in percent. ``url`` is the root of protocol V2, None when stopped."""

    name: str
    description: str
    state: EndpointState
    reason: str
    url: str | None
    scoring_url: str | None
    auth_mode: str
    deployments: list[Deployment]
    traffic: dict[str, int]
    keys: list[KeyInfo]
    stats: EndpointStats
    signature: Signature | None
    sample: JSON
    created_at: datetime
    updated_at: datetime
    user: str
    etag: int


@dataclass(frozen=True, kw_only=True, slots=True)
class IssuedKeys:
    """Access keys in clear, answered once, when they are made."""

    endpoint: Endpoint
    keys: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Snippets:
    """Ready-to-paste requests for an endpoint; the key is a placeholder."""

    curl: str
    python: str
