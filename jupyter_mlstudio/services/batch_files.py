"""Data that a batch endpoint is invoked with: which files of the workspace a reference stands for."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid, NotFound
from jupyter_mlstudio.services.paths import safe_join

if TYPE_CHECKING:
    from jupyter_mlstudio.services.runs import Runs
    from jupyter_mlstudio.workspace import Workspace

TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
FILES_LIMIT = 100_000


def files_of(workspace: Workspace, runs: Runs, data: str, *, tables: bool) -> Sequence[dict[str, JSON]]:
    """Finds the files that a reference stands for, by name: path below the root, ``size_bytes`` and ``mtime_ns``.

    Args:
        tables: leave out what is no table.

    Raises:
        Invalid: it is not in the workspace, or too many files. NotFound: there are none.
    """
    root = workspace.root
    if data.startswith("runs:/"):
        run_id, _, below = data.removeprefix("runs:/").partition("/")
        base = workspace.run_folder(runs.get(run_id).id) / "artifacts"
        found = _found(base, below)
    elif data.startswith(("http:", "https:", "s3:", "azureml:", "file:")) or "://" in data:
        raise Invalid(f"{data[:200]!r} is not in the workspace: copy the data there, or log it with a run")
    else:
        found = _found(root, data)
    if tables:
        found = [path for path in found if path.suffix.lower() in TABLES]
    if not found:
        kinds = f" of the kinds {', '.join(TABLES)}" if tables else ""
        raise NotFound(f"there are no files{kinds} at {data[:200]!r} in the workspace {root}")
    if len(found) > FILES_LIMIT:
        raise Invalid(f"{len(found)} files are more than {FILES_LIMIT}: invoke the endpoint with a part of them")
    described = []
    for path in found:
        status = path.stat()
        size, time = status.st_size, status.st_mtime_ns
        described.append({"path": path.relative_to(root).as_posix(), "size_bytes": size, "mtime_ns": time})
    return described


def _found(base: Path, reference: str) -> list[Path]:
    """Files at a path, below a folder, or that match a pattern in the last part of the path."""
    reference = reference.rstrip("/")
    head, _, last = reference.rpartition("/")
    if any(char in last for char in "*?["):
        folder = safe_join(base, head) if head else base
        inside = sorted(folder.iterdir()) if folder.is_dir() else []
        return [path for path in inside if fnmatch.fnmatchcase(path.name, last) and _is_plain(path)]
    path = safe_join(base, reference) if reference not in ("", ".") else base
    if path.is_dir():
        return [
            one for one in sorted(path.rglob("*")) if _is_plain(one) and ".mlstudio" not in one.relative_to(path).parts
        ]
    return [path] if _is_plain(path) else []


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and not path.name.startswith(".")
