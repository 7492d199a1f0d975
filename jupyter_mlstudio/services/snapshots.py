"""The code that a run executes, kept by content: a file that did not change is stored once.

Ignore rules are those of Azure: ``.amlignore`` if there is one, else ``.gitignore``, in gitignore's grammar.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from jupyter_mlstudio.entities.runs import Preview, Snapshot, SnapshotFile
from jupyter_mlstudio.errors import NotFound
from jupyter_mlstudio.services.previews import text_preview
from jupyter_mlstudio.store.database import Database
from jupyter_mlstudio.store.schema import runs
from jupyter_mlstudio.workspace import Workspace

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

FILES_LIMIT = 2000
FILE_LIMIT_BYTES = 10 * 1024 * 1024
ALWAYS_IGNORED = [
    ".mlstudio/", ".git/", ".ipynb_checkpoints/", "__pycache__/", "node_modules/", ".venv/", "venv/", ".cache/",
    ".pytest_cache/", ".mypy_cache/", ".ruff_cache/", "*.pyc",
]  # fmt: skip


class Snapshots:
    """Takes, lays out and shows snapshots of code."""

    def __init__(self, workspace: Workspace, database: Database) -> None:
        self._workspace = workspace
        self._database = database

    def take(self, folder: Path, entry: str | None, cell: str | None) -> str:
        """Keeps the files of a folder and returns the snapshot's id.

        Args:
            folder: the working folder.
            entry: the file that is started, below ``folder``; kept whatever the ignore rules say.
            cell: source text of a notebook's cell, kept as ``cell.py``.
        """
        files: list[SnapshotFile] = []
        left_out: list[SnapshotFile] = []
        if cell is not None:
            files.append(self._keep("cell.py", cell.encode("utf-8", "replace")))
            entry = "cell.py"
        for path in _walk(folder, entry if cell is None else None):
            name = path.relative_to(folder).as_posix()
            size = path.lstat().st_size
            if name == "cell.py" and cell is not None:
                continue
            if len(files) >= FILES_LIMIT:
                left_out.append(SnapshotFile(path="...", size_bytes=0, sha256="", reason=_too_many()))
                break
            if size > FILE_LIMIT_BYTES:
                reason = f"over {FILE_LIMIT_BYTES // 1024**2} MB; read from the working folder instead"
                left_out.append(SnapshotFile(path=name, size_bytes=size, sha256="", reason=reason))
                continue
            try:
                files.append(self._keep(name, path.read_bytes()))
            except OSError as error:
                left_out.append(SnapshotFile(path=name, size_bytes=size, sha256="", reason=str(error.strerror)))
        return self._write({"entry": entry, "files": _plain(files), "left_out": _plain(left_out)})

    def lay_out(self, snapshot_id: str, target: Path) -> Path | None:
        """Writes the files of a snapshot into a folder; returns the path of the entry there."""
        manifest = self._manifest(snapshot_id)
        for file in manifest["files"]:
            path = target / file["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self._object(file["sha256"]).read_bytes())
        return target / manifest["entry"] if manifest["entry"] else None

    def of_run(self, run_id: str) -> Snapshot:
        """Returns the snapshot of a run, with the patch against its commit."""
        snapshot_id = self._snapshot_id(run_id)
        manifest = self._manifest(snapshot_id) if snapshot_id else {"entry": None, "files": [], "left_out": []}
        patch = self._workspace.run_folder(run_id) / "patch.diff"
        return Snapshot(
            id=snapshot_id or "",
            entry=manifest["entry"],
            files=[SnapshotFile(**file) for file in manifest["files"]],
            left_out=[SnapshotFile(**file) for file in manifest["left_out"]],
            patch=patch.read_text(encoding="utf-8", errors="replace") if patch.is_file() else "",
        )

    def preview(self, run_id: str, path: str) -> Preview:
        """Shows one file of a run's snapshot."""
        found = next((file for file in self.of_run(run_id).files if file.path == path), None)
        if found is None:
            raise NotFound(f"the code of this run has no file {path[:200]!r}")
        return text_preview(path, self._object(found.sha256).read_bytes())

    def content(self, digest: str) -> bytes:
        """Reads a file of any snapshot by its digest; empty when it is gone."""
        try:
            return self._object(digest).read_bytes()
        except OSError:
            return b""

    def _keep(self, name: str, content: bytes) -> SnapshotFile:
        digest = hashlib.sha256(content).hexdigest()
        target = self._object(digest)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = target.with_name(f".{uuid.uuid4().hex}.tmp")
            temporary.write_bytes(content)
            temporary.replace(target)
        return SnapshotFile(path=name, size_bytes=len(content), sha256=digest)

    def _object(self, digest: str) -> Path:
        return self._workspace.snapshots / "objects" / digest[:2] / digest[2:]

    def _write(self, manifest: dict[str, Any]) -> str:
        content = json.dumps(manifest, sort_keys=True).encode()
        snapshot_id = hashlib.sha256(content).hexdigest()
        target = self._workspace.snapshots / f"{snapshot_id}.json"
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = target.with_name(f".{uuid.uuid4().hex}.tmp")
            temporary.write_bytes(content)
            temporary.replace(target)
        return snapshot_id

    def _manifest(self, snapshot_id: str) -> Any:
        try:
            return json.loads((self._workspace.snapshots / f"{snapshot_id}.json").read_bytes())
        except (OSError, ValueError):
            raise NotFound(f"the code snapshot {snapshot_id[:12]} is missing from the workspace") from None

    def _snapshot_id(self, run_id: str) -> str | None:
        with self._database.read() as connection:
            row = connection.execute(select(runs.c.snapshot_id).where(runs.c.id == run_id)).first()
        if row is None:
            raise NotFound(f"there is no run {run_id!r}")
        return None if row.snapshot_id is None else str(row.snapshot_id)


def _walk(folder: Path, entry: str | None) -> Iterator[Path]:
    if entry is not None:
        yield folder / entry
    rules = _rules(folder)
    for top, folders, names in os.walk(folder):
        here = Path(top).relative_to(folder)
        folders[:] = sorted(n for n in folders if not rules.match_file((here / n).as_posix() + "/"))
        for name in sorted(names):
            path = here / name
            known = path.as_posix() == entry
            if not known and not rules.match_file(path.as_posix()) and _regular(folder / path):
                yield folder / path


def _rules(folder: Path) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec

    lines = list(ALWAYS_IGNORED)
    for name in (".amlignore", ".gitignore"):
        if (folder / name).is_file():
            lines += (folder / name).read_text(encoding="utf-8", errors="replace").splitlines()
            break
    return GitIgnoreSpec.from_lines(lines)


def _regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _plain(files: list[SnapshotFile]) -> list[dict[str, Any]]:
    return [{"path": f.path, "size_bytes": f.size_bytes, "sha256": f.sha256, "reason": f.reason} for f in files]


def _too_many() -> str:
    return f"the folder holds over {FILES_LIMIT:,} files: name what to leave out in .amlignore or .gitignore"
