"""The studios that one server has open: its own workspace's, and others below its root."""

from __future__ import annotations

import threading
from pathlib import Path

from jupyter_mlstudio.entities.workspaces import WorkspaceInfo
from jupyter_mlstudio.errors import NotFound
from jupyter_mlstudio.services.audit import Audit
from jupyter_mlstudio.services.paths import safe_join
from jupyter_mlstudio.services.warm import Warm
from jupyter_mlstudio.studio import Studio
from jupyter_mlstudio.workspace import FOLDER, Workspace

SEARCH_DEPTH = 2


class Rooms:
    """Opens a studio when it is first asked for, and keeps it."""

    def __init__(self, own: Workspace, root: Path) -> None:
        self._own = own
        self._root = root.resolve()
        self._lock = threading.Lock()
        self._open: dict[Path, Studio] = {}
        self._warm = Warm()

    def studio(self, workspace_id: str | None = None) -> Studio:
        """Returns the studio of a workspace, the server's own by default.

        Raises:
            NotFound: the server knows no workspace of that id.
        """
        if workspace_id is None:
            return self._enter(self._own)
        for workspace in self._known():
            if workspace.id == workspace_id:
                return self._enter(workspace)
        raise NotFound(f"this server knows no workspace with the id {workspace_id[:40]!r}")

    def open(self) -> list[Studio]:
        """Lists the studios that are open, the server's own among them as soon as it exists on disk."""
        if self._own.exists:
            self._enter(self._own)
        with self._lock:
            return list(self._open.values())

    def audit(self) -> Audit | None:
        """Returns the audit log of the server's own workspace; None before that was made."""
        return Audit(self._own.folder) if self._own.exists else None

    def close(self) -> None:
        """Closes them all."""
        with self._lock:
            for studio in self._open.values():
                studio.close()
            self._open.clear()
        self._warm.close()

    def _enter(self, workspace: Workspace) -> Studio:
        with self._lock:
            studio = self._open.get(workspace.root)
            if studio is None:
                studio = self._open[workspace.root] = Studio(workspace)
                studio.supervisors.warm = self._warm
                studio.find_others = lambda: self._others(workspace)
                studio.open_other = self._make
        return studio

    def _make(self, path: str) -> WorkspaceInfo:
        folder = self._root if path in ("", ".") else safe_join(self._root, path)
        if not folder.is_dir():
            raise NotFound(f"there is no folder {path[:200]!r} below the server's root")
        workspace = Workspace(folder)
        return self._enter(workspace).info(current=workspace.root == self._own.root)

    def _others(self, current: Workspace) -> list[WorkspaceInfo]:
        return [
            WorkspaceInfo(id=w.id, name=w.name, path=str(w.root), exists=True, current=False)
            for w in self._known()
            if w.root != current.root
        ]

    def _known(self) -> list[Workspace]:
        patterns = ["/".join(["*"] * depth + [FOLDER]) for depth in range(SEARCH_DEPTH + 1)]
        below = [Workspace(path.parent) for pattern in patterns for path in self._root.glob(pattern)]
        known = {w.root: w for w in [self._own, *below] if w.exists}
        return list(known.values())
