"""Endpoints: names that answer scoring requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from jupyter_mlstudio.entities.deployments import Canary, Deployment, EndpointStats
from jupyter_mlstudio.entities.models import Signature
from jupyter_mlstudio.entities.values import JSON

ENDPOINT_NAME = r"^[a-zA-Z]([-a-zA-Z0-9]{1,30}[a-zA-Z0-9])$"
"""Azure's rule: 3 to 32 letters, digits and dashes, begins with a letter, does not end with a dash."""


class EndpointState(StrEnum):
    """What an endpoint does now, derived from the run that serves it."""

    STARTING = "Starting"
    READY = "Ready"
    STOPPED = "Stopped"
    FAILED = "Failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyInfo:
    """What is known of an access key once it has been shown: never the key itself."""

    name: str
    prefix: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """A name, deployments and their shares of the traffic in percent. ``url`` is the root of protocol V2, None when
    stopped. ``sticky_header`` names the request header whose value always goes to the same deployment."""

    name: str
    description: str
    state: EndpointState
    reason: str
    url: str | None
    scoring_url: str | None
    auth_mode: str
    deployments: list[Deployment]
    traffic: dict[str, int]
    mirror_traffic: dict[str, int]
    sticky_header: str
    canary: Canary | None
    keys: list[KeyInfo]
    stats: EndpointStats
    signature: Signature | None
    sample: JSON
    host: str
    allowed_hosts: list[str]
    run_id: str | None
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
class Snippet:
    """A ready-to-paste program. ``needs`` says what must be installed for it."""

    name: str
    title: str
    language: str
    code: str
    needs: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Snippets:
    """Ready-to-paste requests for an endpoint, whose key is a placeholder, and programs that score the file alone."""

    curl: str
    python: str
    requests: list[Snippet] = field(default_factory=list)
    files: list[Snippet] = field(default_factory=list)
