"""Files of runs: what they keep, what they print."""

from __future__ import annotations

import builtins
import contextlib
import os
import shutil
import stat
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from jupyter_mlstudio.entities.runs import TERMINAL, ArtifactEntry, ArtifactList, LogSlice, Preview, RunStatus
from jupyter_mlstudio.errors import Conflict, Invalid, NotFound
from jupyter_mlstudio.services import previews
from jupyter_mlstudio.services.paging import offset_of, token_of
from jupyter_mlstudio.services.paths import open_file, relative_parts, safe_join, sync_folder
from jupyter_mlstudio.store import runs as store
from jupyter_mlstudio.store.changes import Changes
from jupyter_mlstudio.store.database import Database
from jupyter_mlstudio.workspace import Workspace

UPLOADS = "uploads"
UPLOAD_STALLED_S = 60.0
"""An upload that has not grown for so long when a server starts is nobody's any more."""

_AS_TEXT = {0xDC00 + byte: 0xE000 + byte for byte in range(0x80, 0x100)}
_FROM_TEXT = {shown: kept for kept, shown in _AS_TEXT.items()}


class Artifacts:
    """The files of each run's ``artifacts`` folder, and its log."""

    def __init__(self, workspace: Workspace, database: Database, changes: Changes) -> None:
        self._workspace = workspace
        self._database = database
        self._changes = changes

    def list(self, run_id: str, path: str, max_results: int, page_token: str | None) -> ArtifactList:
        """Lists one folder, folders first, a page of it."""
        self._status(run_id)
        root = self._root(run_id)
        folder = safe_join(root, path) if path else root
        if not folder.is_dir():
            if path:
                raise NotFound(f"there is no folder {path[:200]!r}")
            return ArtifactList(path="", entries=[], total=0, next_page_token=None)
        items = [item for item in os.scandir(folder) if not _temporary(item.name)]
        items.sort(key=lambda item: _shown(item.name))
        items.sort(key=lambda item: not item.is_dir(follow_symlinks=False))
        offset = offset_of(page_token)
        page = _entries(items[offset : offset + max_results], path)  # only these are asked for their sizes
        return ArtifactList(
            path=path, entries=page, total=len(items), next_page_token=token_of(offset + max_results, len(items))
        )

    def entries(self, run_id: str, path: str) -> builtins.list[ArtifactEntry]:
        """Lists one whole folder by name, the root for an empty path; nothing for a file or what is not there."""
        self._status(run_id)
        root = self._root(run_id)
        folder = safe_join(root, path) if path else root
        if not folder.is_dir():
            return []
        found = _entries((item for item in os.scandir(folder) if not _temporary(item.name)), path)
        return sorted(found, key=lambda entry: entry.name)

    def preview(self, run_id: str, path: str) -> Preview:
        """Shows what a file looks like."""
        handle, size, _name = self.open(run_id, path)
        with os.fdopen(handle, "rb") as file:
            return previews.preview(path, file.read(previews.wanted_bytes(path)), size)

    def open(self, run_id: str, path: str) -> tuple[int, int, str]:
        """Opens a file; returns its descriptor, size and name."""
        self._status(run_id)
        return open_file(self._root(run_id), _on_disk(path))

    def take(self, run_id: str, path: str, temporary: Path) -> ArtifactEntry:
        """Moves an uploaded file to its place; a reader sees the old file or the new one, whole."""
        self._status(run_id)
        root = self._root(run_id)
        root.mkdir(parents=True, exist_ok=True)
        if any(_temporary(part) for part in relative_parts(path)):
            raise Invalid(
                f"{path[:80]!r}: names that begin with a dot and end with .tmp are kept for files on their way"
            )
        target = safe_join(root, path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(target)
        except (NotADirectoryError, IsADirectoryError, FileExistsError):
            raise Conflict(f"{path[:200]!r} is, or lies below, something else that was kept before") from None
        sync_folder(target.parent)
        with self._database.write() as connection:
            self._changes.note(connection, "metrics", run_id)
        folder = path.rpartition("/")[0]
        return next(_entry(item, folder) for item in os.scandir(target.parent) if item.name == target.name)

    def upload_folder(self, run_id: str) -> Path:
        """Returns where an upload is written before it is moved: on the same disk as its place."""
        self._status(run_id)
        folder = self._workspace.run_folder(run_id) / UPLOADS
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def sweep(self) -> None:
        """Removes uploads that broke off with the host that took them in."""
        for path in self._workspace.runs.glob(f"*/{UPLOADS}/.*.tmp"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > UPLOAD_STALLED_S:
                    path.unlink()

    def delete(self, run_id: str, path: str) -> None:
        """Deletes one file or folder of an ended run."""
        if self._status(run_id) not in TERMINAL:
            raise Conflict("the run is not over: stop it before deleting its files")
        target = safe_join(self._root(run_id), path)
        if not os.path.lexists(target):
            raise NotFound(f"there is no file {path[:200]!r}")
        shutil.rmtree(target) if target.is_dir() and not target.is_symlink() else target.unlink()
        with self._database.write() as connection:
            self._changes.note(connection, "metrics", run_id)

    def log_slice(self, run_id: str, offset: int, limit: int) -> LogSlice:
        """Reads a part of what the run printed; ``offset`` -1 reads the end."""
        live = self._status(run_id) not in TERMINAL
        path = self._workspace.run_folder(run_id) / "output.log"
        try:
            with path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                start = max(0, size - limit) if offset < 0 else min(offset, size)
                file.seek(start)
                data = file.read(limit)
        except FileNotFoundError:
            return LogSlice(text="", offset=0, next_offset=0, size=0, live=live)
        data = _whole_characters(data, more=start + len(data) < size or live)
        text = data.decode("utf-8", "replace")
        return LogSlice(text=text, offset=start, next_offset=start + len(data), size=size, live=live)

    def _root(self, run_id: str) -> Path:
        return self._workspace.run_folder(run_id) / "artifacts"

    def _status(self, run_id: str) -> RunStatus:
        with self._database.read() as connection:
            row = store.row(connection, run_id)
        if row is None:
            raise NotFound(f"there is no run {run_id[:80]!r}")
        return RunStatus(row.status)


def _temporary(name: str) -> bool:
    return name.startswith(".") and name.endswith(".tmp")


def _on_disk(path: str) -> str:
    """Reads a name as :func:`_shown` wrote it."""
    return path.translate(_FROM_TEXT)


def _entries(items: Iterable[os.DirEntry[str]], folder: str) -> list[ArtifactEntry]:
    """Describes files; one that a live run took away meanwhile is none any more."""
    found = []
    for item in items:
        with contextlib.suppress(FileNotFoundError):
            found.append(_entry(item, folder))
    return found


def _entry(item: os.DirEntry[str], folder: str) -> ArtifactEntry:
    status = item.stat(follow_symlinks=False)
    kind = "folder" if stat.S_ISDIR(status.st_mode) else "file" if stat.S_ISREG(status.st_mode) else "special"
    name = _shown(item.name)
    return ArtifactEntry(
        path=f"{folder}/{name}" if folder else name,
        name=name,
        kind=kind,
        size_bytes=status.st_size if kind == "file" else 0,
        modified_at=datetime.fromtimestamp(status.st_mtime, UTC),
    )


def _shown(name: str) -> str:
    """Writes a file's name as text: bytes that are not UTF-8 become private-use characters, two ways without loss."""
    return name if name.isascii() else name.translate(_AS_TEXT)


def _whole_characters(data: bytes, *, more: bool) -> bytes:
    """Cuts off the beginning of a character whose rest is not there yet."""
    if not more:
        return data
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte < 0x80:
            break
        if byte >= 0xC0:
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return data[:-back] if back < length and len(data) > back else data
    return data
