"""What an endpoint's processes read and write on disk: the plan, the keys' digests, scripts, differences of answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from jupyter_mlstudio.entities.deployments import AnswerDifference, DeploymentKind
from jupyter_mlstudio.entities.runs import Run
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import NotFound
from jupyter_mlstudio.services import endpoint_keys, endpoint_rows
from jupyter_mlstudio.services.models import Models
from jupyter_mlstudio.services.paths import safe_join, write_atomically
from jupyter_mlstudio.store import typed

if TYPE_CHECKING:
    from jupyter_mlstudio.services.snapshots import Snapshots
    from jupyter_mlstudio.workspace import Workspace

TAIL_BYTES = 8 * 1024 * 1024


class EndpointFiles:
    """The folders of endpoints, which only their owner can read."""

    def __init__(self, workspace: Workspace, models: Models, snapshots: Snapshots) -> None:
        self._workspace = workspace
        self._models = models
        self._snapshots = snapshots

    def folder(self, name: str) -> Path:
        """An endpoint's own folder."""
        return self._workspace.folder / "endpoints" / name

    def plan(self, name: str) -> Path:
        """What the endpoint shall be."""
        return self.folder(name) / "plan.json"

    def keys(self, name: str) -> Path:
        """Digests of its keys."""
        return self.folder(name) / "keys.json"

    def write_keys(self, name: str, kept: Sequence[Mapping[str, JSON]], nonce: str) -> None:
        """Writes the digests where the scoring processes read them."""
        endpoint_keys.write_file(self.keys(name), kept, nonce)

    def write_plan(self, row: Any, deployed: Sequence[Any], run: Run | None) -> None:
        """Writes the plan of an endpoint; its processes go by it within a fraction of a second."""
        folder = self.folder(row.name)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        places = {one.name: self._places(row.name, one) for one in deployed}
        content = endpoint_rows.plan(row, deployed, places, run)
        write_atomically(self.plan(row.name), json.dumps(content, default=str).encode())

    def check_script(self, script: str) -> None:
        """Makes sure that a scoring script is a Python file of the workspace."""
        path = safe_join(self._workspace.root, script)
        if path.suffix != ".py" or not path.is_file():
            raise NotFound(f"there is no Python file {script[:200]!r} in the workspace")

    def differences(self, name: str, deployments: Sequence[str], limit: int) -> list[AnswerDifference]:
        """The latest lines of the comparisons, newest first."""
        found = [
            one
            for deployment in deployments
            for file in (f"{deployment}.1.jsonl", f"{deployment}.jsonl")
            for one in _lines(self.folder(name) / "mirror" / file)
        ]
        return sorted(found, key=lambda one: one.at, reverse=True)[:limit]

    def _places(self, endpoint: str, one: Any) -> dict[str, JSON]:
        """Where a deployment's files are. A script is laid out once for each generation, so that it never changes."""
        onnx = self._models.onnx_file(one.model, one.version)
        version = onnx.parent
        places: dict[str, JSON] = {"onnx": str(onnx), "folder": str(version), "script": ""}
        if one.kind == DeploymentKind.SCRIPT.value:
            code = self.folder(endpoint) / "code" / f"{one.name}-{one.generation}"
            path = safe_join(self._workspace.root, one.script)
            if not code.exists():
                snapshot = self._snapshots.take(path.parent, path.name, None)
                self._snapshots.lay_out(snapshot, code)
            places["script"] = str(code / path.name)
        return places


def _lines(path: Path) -> Iterator[AnswerDifference]:
    """Reads the end of a file of comparisons; a line that is cut is passed over."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL_BYTES))
            lines = file.read().splitlines()
    except OSError:
        return
    for line in lines:
        try:
            raw = msgspec.json.decode(line)
            yield typed.convert(_filled(raw), AnswerDifference)
        except (msgspec.MsgspecError, AttributeError):
            continue


def _filled(raw: dict[str, Any]) -> dict[str, Any]:
    known = AnswerDifference.__dataclass_fields__
    usual = {"disagrees": True, "labels": 0, "max_difference": 0.0}
    return {**usual, **{name: value for name, value in raw.items() if name in known}}
