"""What a scoring process is told: JSON lines on its standard input, first how it serves, then who else does."""

from __future__ import annotations

import msgspec

from jupyter_mlstudio.entities.models import Signature
from jupyter_mlstudio.entities.values import JSON

MEGABYTE = 1024 * 1024
BARE = "bare"
"""The kind of a process that only receives requests and passes them on."""


class Limits(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How much one request, and all of them together, may take."""

    body_bytes: int = 16 * MEGABYTE
    header_bytes: int = 64 * 1024
    rows: int = 100_000
    request_timeout_s: float = 30.0
    queue_wait_s: float = 0.5
    idle_timeout_s: float = 30.0
    max_concurrent_requests: int = 64
    max_connections: int = 512
    memory_bytes: int = 4 * 1024 * MEGABYTE
    workers: int = 4
    threads: int = 1
    failed_keys_per_s: int = 10


class Target(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A deployment as the other ones see it: what it is, and where its processes listen.

    ``sockets`` are paths of unix sockets, none while it sleeps, starts or has failed, as ``state`` and ``reason`` say.
    """

    model: str
    version: str
    kind: str = "onnx"
    state: str = "Ready"
    reason: str = ""
    sockets: list[str] = []
    request_timeout_s: float = 30.0
    max_concurrent_requests: int = 64


class Routes(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Which deployment gets which share of the requests, in percent, and who receives them.

    ``front``: this process receives requests from outside, as one of ``fronts``. ``mirror``: of how many in a hundred
    a deployment gets copies. ``sticky_header``: requests with the same value in it go to the same deployment.
    """

    front: bool = True
    fronts: int = 1
    traffic: dict[str, int] = {}
    mirror: dict[str, int] = {}
    sticky_header: str = ""
    deployments: dict[str, Target] = {}


class ServeConfig(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Everything that the scoring process needs to know.

    ``sha256`` is the digest that was registered: other bytes are not loaded. ``keys_file`` holds digests of the access
    keys. ``operators`` are the graph's, which tell whether a run's cost is bounded by its inputs. ``socket`` is the
    path at which it listens for the endpoint's other processes. ``mirror_folder`` takes the differences of answers.
    ``script`` is a scoring script in ``folder``, which holds the model's own files. ``collector`` is Azure's
    ``data_collector``, whose rows go to ``collected_folder``. ``hosts`` are further names that callers may reach it by.
    """

    endpoint: str
    model: str
    version: str
    onnx: str
    sha256: str
    keys_file: str
    signature: Signature | None = None
    sample: dict[str, JSON] | None = None
    operators: list[str] = []
    requests: int = 0
    errors: int = 0
    limits: Limits = Limits()
    deployment: str = "blue"
    kind: str = "onnx"
    socket: str = ""
    routes: Routes | None = None
    mirror_folder: str = ""
    folder: str = ""
    script: str = ""
    collector: dict[str, JSON] = {}
    hosts: list[str] = []
    collected_folder: str = ""


class Told(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One later line: new ``routes``; ``drain``: leave as soon as that fails no request; ``shed``: a share of the
    connections to say good-bye to, so that others take them up; ``board``: the whole endpoint's numbers."""

    routes: Routes | None = None
    drain: bool = False
    shed: float = 0.0
    board: dict[str, JSON] | None = None
