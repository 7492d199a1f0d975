"""What is done with a version's ONNX file: looked into, made newer or smaller, measured. Nothing runs here."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from jupyter_mlstudio.entities.graphs import NEWEST_OPSET, Graph, GraphTensor
from jupyter_mlstudio.entities.models import ModelVersion, ParityPolicy, VersionStatus
from jupyter_mlstudio.entities.runs import Run, RunKind
from jupyter_mlstudio.entities.specs import Resources, RunSpec
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict, Invalid
from jupyter_mlstudio.services.model_rows import refuse_many
from jupyter_mlstudio.services.models import EXPERIMENT, Models
from jupyter_mlstudio.store import typed

if TYPE_CHECKING:
    from jupyter_mlstudio.services.launcher import Launcher

READ_TIMEOUT_S = 60.0
BATCHES_LIMIT, ROWS_LIMIT = 12, 100_000


class Graphs:
    """The graphs of model versions."""

    def __init__(self, models: Models, launcher: Launcher) -> None:
        self._models = models
        self._launcher = launcher

    def graph(self, name: str, version: str | int) -> Graph:
        """Reads the graph of a version's ONNX file, in a process of its own with limits.

        Raises:
            Conflict: it has no ONNX file.
        """
        found = self._ready(name, version)
        path = self._models.onnx_file(found.model, found.version)
        digest = next((file.sha256 for file in found.files if file.path == path.name), "")
        return _read(path, digest)

    def derive(
        self,
        name: str,
        version: str | int,
        kind: str,
        opset: int | None = None,
        policy: ParityPolicy | None = None,
        request_id: str | None = None,
        user: str = "",
    ) -> ModelVersion:
        """Registers a version's files again with a newer opset or 8-bit weights, compared anew: a new version.

        Raises:
            Conflict: it has no ONNX file, or one that is as new.
        """
        found = self._ready(name, version)
        tag, words = _DERIVED[kind]
        if kind == "quantise" and opset is not None:
            raise Invalid("opset is for an upgrade, not for quantising")
        if kind == "upgrade":
            now, wanted = self.graph(name, version).opsets.get("ai.onnx", 0), opset or NEWEST_OPSET
            if now >= wanted:
                raise Conflict(f"the model has opset {now} already, and {wanted} is not newer")
        return self._models.register(
            found.model, copy_of=(found.model, str(found.version)), tags={tag: str(found.version)},
            description=f"{words} of version {found.version}", derive={"kind": kind, "opset": opset}, policy=policy,
            request_id=request_id, user=user,
        )  # fmt: skip

    def profile(
        self, name: str, version: str | int, batches: list[int], request_id: str | None = None, user: str = ""
    ) -> Run:
        """Measures latency and memory over batch sizes and threads; answers the run that does it.

        Raises:
            Conflict: it has no ONNX file.
            Invalid: there is no batch size, or one is out of range.
        """
        if not 0 < len(batches) <= BATCHES_LIMIT or not all(0 < rows <= ROWS_LIMIT for rows in batches):
            raise Invalid(f"give 1 to {BATCHES_LIMIT} batch sizes from 1 to {ROWS_LIMIT:,}, not {batches[:20]}")
        found = self._ready(name, version)
        folder = self._models.onnx_file(found.model, found.version).parent
        options: dict[str, JSON] = {"profile": {"folder": str(folder), "batches": sorted(set(batches))}}
        return self._launcher.submit(
            RunKind.CONVERT, RunSpec(options=options, resources=Resources(cpus=0.0)),
            name=f"profile {found.model} {found.version}"[:200], experiment=EXPERIMENT, user=user,
            request_id=request_id,
        )  # fmt: skip

    def _ready(self, name: str, version: str | int) -> ModelVersion:
        found = self._models.version(name, version)
        if found.status is not VersionStatus.READY:
            raise Conflict(f"version {found.version} of {found.model!r} is {found.status.lower()}: it has no ONNX form")
        refuse_many(found, "this is for one graph")
        return found


_DERIVED = {"upgrade": ("upgraded-from", "newer opset"), "quantise": ("quantised-from", "8-bit weights")}
"""By kind: the tag that tells of which version it was made, and what the description says."""


@lru_cache(maxsize=8)
def _read(path: Path, digest: str) -> Graph:
    """Reads the graph of a file that never changes; ``digest`` is part of what is remembered."""
    command = [sys.executable, "-m", "jupyter_mlstudio.onnx.graph", str(path)]
    try:
        said = subprocess.run(command, capture_output=True, timeout=READ_TIMEOUT_S, check=False).stdout
    except subprocess.TimeoutExpired as error:
        said = error.stdout or b""
        if b"\n" not in said:
            raise Invalid(f"the ONNX file could not be read within {READ_TIMEOUT_S:g} s") from error
    first, _, second = said.partition(b"\n")
    try:
        answer = msgspec.json.decode(first)
        if "error" in answer:
            raise Invalid(str(answer["error"]))
        graph = typed.convert(answer["graph"], Graph)
    except (msgspec.MsgspecError, KeyError, TypeError) as error:
        raise Invalid("the ONNX file could not be read: the reading process ended without an answer") from error
    with contextlib.suppress(msgspec.MsgspecError, KeyError, TypeError):
        values = typed.convert(msgspec.json.decode(second)["values"], list[GraphTensor])
        graph = replace(graph, values=values)
    return graph
