"""Where the files of a new version come from: a run, the workspace, an upload, or another version. All are copied."""

from __future__ import annotations

import os
import re
import shutil
import time
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

from jupyter_mlstudio.entities.models import ModelFile, ModelFormat
from jupyter_mlstudio.errors import Conflict, Invalid, NotFound, TooLarge
from jupyter_mlstudio.services import model_formats
from jupyter_mlstudio.services.model_files import NATIVE, ModelFiles, check_onnx, logged_at
from jupyter_mlstudio.services.paths import relative_parts, safe_join
from jupyter_mlstudio.workspace import FOLDER, Workspace

UPLOADS = ".uploads"
UPLOAD_LIMIT_BYTES = 16 * 1024**3
"""Largest file, and largest sum of all uploads that wait to be registered."""

UPLOAD_KEPT_S = 24 * 3600.0
_UPLOAD_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Taken:
    """Files that were copied to a temporary folder, and where they came from. ``known``: they are a run's own.

    ``risks`` names files whose loading may execute code, when they are not.
    """

    temporary: Path
    files: list[ModelFile]
    formats: list[ModelFormat]
    source: str
    known: bool
    risks: list[str]


class ModelSources:
    """Takes the files of new versions."""

    def __init__(self, workspace: Workspace, files: ModelFiles) -> None:
        self._workspace = workspace
        self._files = files
        self._uploads = workspace.models / UPLOADS

    def of_run(self, run_id: str, path: str) -> Taken:
        """Takes what a run logged; ``path`` is below its artifacts."""
        artifacts = self._workspace.run_folder(run_id) / "artifacts"
        source = logged_at(artifacts, path)
        return self._taken(source, f"runs:/{run_id}/{source.relative_to(artifacts).as_posix()}", known=True)

    def of_workspace(self, path: str) -> Taken:
        """Takes a file or folder beside the user's notebooks; ``path`` is below the workspace's root.

        Raises:
            Invalid: it leads out, lies among the studio's own files, or is or holds a link.
            NotFound: it is not there. WrongType: it is an archive.
        """
        parts = relative_parts(path)
        if FOLDER in parts:
            raise Invalid(f"{path[:80]!r} lies among the studio's own files: register it from its run or version")
        source = safe_join(self._workspace.root, path)
        _refuse_links(self._workspace.root, source, path)
        if not os.path.lexists(source):
            raise NotFound(f"there is no file or folder {path[:200]!r} in the workspace")
        return self._taken(source, f"workspace:/{'/'.join(parts)}", known=False)

    def of_upload(self, upload_id: str) -> Taken:
        """Takes the files that were uploaded under an id; they are removed once the version is there."""
        folder = self._upload(upload_id)
        if not folder.is_dir():
            raise NotFound(f"there is no upload {upload_id[:80]!r}: send its files again")
        names = sorted(item.name for item in folder.iterdir())
        return self._taken(folder, f"upload:/{names[0] if len(names) == 1 else upload_id}", known=False)

    def uploaded_file(self, upload_id: str) -> Path:
        """Finds the only file of an upload; whoever takes it moves it away."""
        folder = self._upload(upload_id)
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        if len(found) != 1 or not found[0].is_file():
            raise NotFound(f"there is no upload {upload_id[:80]!r} of one file: send it again")
        return found[0]

    def of_version(self, folder: Path, name: str, version: int, *, known: bool) -> Taken:
        """Takes the files of another version, as they were registered."""
        native = folder / NATIVE
        if not native.is_dir():
            raise Conflict(f"version {version} of {name!r} has no files as they were logged")
        return self._taken(native, f"models:/{name}/{version}", known=known)

    def below_root(self, address: str) -> str:
        """Turns a ``file:///`` address into a path below the workspace's root.

        Raises:
            Invalid: it is not the address of something there.
        """
        path = urllib.parse.unquote(address.removeprefix("file://"))
        root = self._workspace.root.as_posix()
        if not path.startswith(f"{root}/") or any(sign in address for sign in "?#;"):
            raise Invalid(f"{address[:120]!r} is not in the workspace {root}: copy the model there")
        return path.removeprefix(f"{root}/").rstrip("/")

    def upload_folder(self, upload_id: str) -> Path:
        """Where an upload's file is written before it is whole.

        Raises:
            TooLarge: more waits to be registered than may.
        """
        self._upload(upload_id)
        self._uploads.mkdir(parents=True, exist_ok=True)
        waiting = sum(file.stat().st_size for file in self._uploads.rglob("*") if file.is_file())
        if waiting > UPLOAD_LIMIT_BYTES:
            raise TooLarge(f"uploads of {waiting:,} bytes wait to be registered: register or discard them first")
        return self._uploads

    def keep_upload(self, upload_id: str, path: str, temporary: Path, size_bytes: int, sha256: str) -> ModelFile:
        """Moves an uploaded file to its place; of two at once for one path a whole one stays.

        Raises:
            WrongType: it is an archive, or of a form that is not kept.
        """
        parts = relative_parts(path)
        if parts[0] == NATIVE or len(parts) > 20:
            raise Invalid(f"{path[:80]!r} cannot be the path of a model's file")
        model_formats.refuse_archive(model_formats.sniff(temporary, path))
        target = safe_join(self._upload(upload_id), path) if self._upload(upload_id).is_dir() else None
        target = target or self._upload(upload_id).joinpath(*parts)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(target)
        except (NotADirectoryError, IsADirectoryError, FileExistsError):
            raise Conflict(f"{path[:200]!r} is, or lies below, another file of this upload") from None
        return ModelFile(path=path, size_bytes=size_bytes, sha256=sha256)

    def discard_upload(self, upload_id: str) -> None:
        """Removes the files of an upload."""
        shutil.rmtree(self._upload(upload_id), ignore_errors=True)

    def sweep(self) -> None:
        """Removes uploads that nobody registered within a day, and parts of files that broke off."""
        if not self._uploads.is_dir():
            return
        for path in self._uploads.iterdir():
            if time.time() - path.lstat().st_mtime > UPLOAD_KEPT_S:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)

    def _upload(self, upload_id: str) -> Path:
        if not _UPLOAD_ID.fullmatch(upload_id):
            raise Invalid(f"{upload_id[:80]!r} is not the id of an upload: 32 hexadecimal digits")
        return self._uploads / upload_id

    def _taken(self, source: Path, named: str, *, known: bool) -> Taken:
        temporary, files = self._files.take(source)
        try:
            risks: list[str] = []
            if not known:
                model_formats.check(temporary, files)
                for file in files:
                    if file.path.lower().endswith(".onnx"):
                        check_onnx(temporary / file.path)
                risks = model_formats.risks(temporary, files)
            return Taken(temporary, files, model_formats.formats(temporary, files), named, known, risks)
        except BaseException:
            self._files.discard(temporary)
            raise


def _refuse_links(root: Path, source: Path, path: str) -> None:
    below = [source, *(part for part in source.parents if root in part.parents)]
    if link := next((part for part in below if part.is_symlink()), None):
        raise Invalid(f"{path[:80]!r} leads through {link.name!r}, a link: give the place it points to")
    if source.is_file() and source.stat().st_nlink > 1:
        raise Invalid(f"{path[:80]!r} is a hard link to a file elsewhere; copy it instead")
