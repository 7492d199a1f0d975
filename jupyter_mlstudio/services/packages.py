"""Packages of model versions: each is made by a run, whose artifacts it is."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

from jupyter_mlstudio.entities.models import VersionStatus
from jupyter_mlstudio.entities.runs import Run, RunKind
from jupyter_mlstudio.entities.specs import Resources, RunSpec
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict, NotFound
from jupyter_mlstudio.services.models import EXPERIMENT, Models

if TYPE_CHECKING:
    from jupyter_mlstudio.services.launcher import Launcher
    from jupyter_mlstudio.services.runs import Runs


class Packages:
    """What may be done to take a model version elsewhere."""

    def __init__(self, runs: Runs, launcher: Launcher, models: Models) -> None:
        self._runs = runs
        self._launcher = launcher
        self._models = models

    def package(
        self,
        name: str,
        version: str | int,
        target: str = "local",
        options: dict[str, JSON] | None = None,
        request_id: str | None = None,
        user: str = "",
    ) -> Run:
        """Packages a version for a target; answers the run that does it.

        Raises:
            Conflict: the version has no ONNX form that was compared.
        """
        found = self._models.version(name, version)
        if found.status is not VersionStatus.READY:
            raise Conflict(f"version {found.version} of {found.model!r} is {found.status.lower()}: it has no ONNX form")
        onnx = self._models.onnx_file(found.model, found.version)
        digest = next((file.sha256 for file in found.files if file.path == onnx.name), None)
        if digest is None:
            raise Conflict(f"version {found.version} of {found.model!r} has no ONNX file")
        made = self._source(found.run_id)
        facts: dict[str, Any] = {
            "name": found.model, "version": str(found.version), "onnx": str(onnx), "sha256": digest,
            "signature": asdict(found.signature) if found.signature else {},
            "parity": asdict(found.parity) if found.parity else None, "sample": found.sample,
            "params": made.params if made else {}, "metrics": made.metrics if made else {},
            "framework": found.framework, "run_id": found.run_id, "user": found.user,
            "created_at": found.created_at.isoformat(),
        }  # fmt: skip
        wanted = {
            "target": target,
            "target_options": options or {},
            "facts": to_jsonable_python(facts, inf_nan_mode="strings"),
        }
        return self._launcher.submit(
            RunKind.PACKAGE, RunSpec(options=wanted, resources=Resources(cpus=0.0)),
            name=f"package {found.model} {found.version} for {target}"[:200], experiment=EXPERIMENT, user=user,
            request_id=request_id,
        )  # fmt: skip

    def _source(self, run_id: str | None) -> Run | None:
        if run_id is None:
            return None
        try:
            return self._runs.get(run_id)
        except NotFound:  # it was deleted; the version has what it needs
            return None
