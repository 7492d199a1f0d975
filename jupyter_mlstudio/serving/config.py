"""What the scoring process is told when it starts: one JSON line on its standard input."""

from __future__ import annotations

import msgspec

from jupyter_mlstudio.entities.models import Signature
from jupyter_mlstudio.entities.values import JSON

MEGABYTE = 1024 * 1024


class Limits(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How much one request, and all of them together, may take."""

    body_bytes: int = 16 * MEGABYTE
    header_bytes: int = 64 * 1024
    rows: int = 100_000
    request_timeout_s: float = 30.0
    idle_timeout_s: float = 30.0
    max_concurrent_requests: int = 64
    max_connections: int = 512
    memory_bytes: int = 4 * 1024 * MEGABYTE
    workers: int = 4
    threads: int = 1
    failed_keys_per_s: int = 10


class ServeConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Everything that the scoring process needs to know.

    ``sha256`` is the digest that was registered: other bytes are not loaded. ``keys_file`` holds digests of the access
    keys. ``operators`` are the graph's, which tell whether a run's cost is bounded by its inputs.
    """

    endpoint: str
    model: str
    version: str
    onnx: str
    sha256: str
    keys_file: str
    signature: Signature
    sample: dict[str, JSON] | None = None
    operators: list[str] = []
    requests: int = 0
    errors: int = 0
    limits: Limits = Limits()
