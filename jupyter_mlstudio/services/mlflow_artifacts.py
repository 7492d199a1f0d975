"""Files as MLflow's artifact proxy names them: ``<run id>/<path>``, and ``registry/<name>/<version>`` for versions.

A registered model's name is written in hexadecimal, because MLflow's clients put it into addresses as it is.
"""

from __future__ import annotations

import builtins

from jupyter_mlstudio.entities.models import ModelVersion
from jupyter_mlstudio.entities.runs import ArtifactEntry
from jupyter_mlstudio.errors import Invalid, NotFound
from jupyter_mlstudio.services.artifacts import Artifacts
from jupyter_mlstudio.services.mlflow import MLflow
from jupyter_mlstudio.services.models import Models
from jupyter_mlstudio.services.paths import relative_parts

REGISTRY = "registry"
SCHEME = "mlflow-artifacts:/"
_NATIVE = "native/"


class MLflowArtifacts:
    """Listing and opening what MLflow's clients ask for by such paths."""

    def __init__(self, artifacts: Artifacts, models: Models, mlflow: MLflow) -> None:
        self._artifacts = artifacts
        self._models = models
        self._mlflow = mlflow

    def list(self, path: str, within: str | None) -> list[ArtifactEntry]:
        """Lists one folder; nothing for what is a file or is not there."""
        parts = relative_parts(path)
        if parts[0] == REGISTRY:
            if len(parts) < 3:
                raise Invalid(f"{path[:80]!r} is not a version: {REGISTRY}/<name>/<version>")
            return _below(self._models.version(model_name(parts[1]), parts[2]), "/".join(parts[3:]))
        return self.of_run(self._mlflow.run_id(parts[0], within), "/".join(parts[1:]))

    def of_run(self, run_id: str, path: str) -> builtins.list[ArtifactEntry]:
        """Lists one folder of a run, the root for an empty path."""
        return [entry for entry in self._artifacts.entries(run_id, path) if entry.kind != "special"]

    def open_version(self, coded_name: str, version: str, path: str) -> tuple[int, int, str]:
        """Opens a file of a registered version as it was logged; returns descriptor, size and name."""
        return self._models.open_file(model_name(coded_name), version, _NATIVE + "/".join(relative_parts(path)))


def version_uri(name: str, version: int) -> str:
    """Returns the address of a version's files."""
    return f"{SCHEME}{REGISTRY}/{name.encode().hex()}/{version}"


def model_name(coded: str) -> str:
    """Reads a name as :func:`version_uri` wrote it."""
    try:
        return bytes.fromhex(coded).decode()
    except ValueError:
        raise NotFound(f"there is no registered model {coded[:80]!r}") from None


def _below(version: ModelVersion, path: str) -> list[ArtifactEntry]:
    start = _NATIVE + (f"{path}/" if path else "")
    found: dict[str, ArtifactEntry] = {}
    for file in version.files:
        if file.path.startswith(start):
            name, slash, _rest = file.path.removeprefix(start).partition("/")
            kind, size = ("folder", 0) if slash else ("file", file.size_bytes)
            found[name] = ArtifactEntry(path=start + name, name=name, kind=kind, size_bytes=size, modified_at=None)
    return sorted(found.values(), key=lambda entry: entry.name)
