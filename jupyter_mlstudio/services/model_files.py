"""Files of model versions: copied once, whole or not at all, hashed, and never changed again."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import msgspec

from jupyter_mlstudio.entities.models import MANY, ONE, ModelFile
from jupyter_mlstudio.errors import Conflict, Invalid, NotFound

NATIVE = "native"
EVIDENCE = ("parity.npz", "verify_parity.py")
"""What a conversion may leave beside the converted file, so that anybody can compare again. Nothing opens it here."""

USUAL = "model"
"""The folder below a run's artifacts where ``log_model`` keeps a model."""

FILES_LIMIT = 10_000
CHECK_TIMEOUT_S = 60.0
CHECK_MANY_TIMEOUT_S = 900.0
TEMPORARY_KEPT_S = 3600.0
_TEMPORARY = ".new"
_SAFE = re.compile(r"[a-z0-9][a-z0-9._-]{0,40}")
_CHUNK = 1024 * 1024


class ModelFiles:
    """The folder ``models/`` of a workspace: ``<model>/<version>/native/...`` and ``<model>/<version>/model.onnx``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def version_folder(self, model_folder: str, version: int) -> Path:
        """Where a version's files are."""
        return self.root / model_folder / str(version)

    def take(self, source: Path) -> tuple[Path, list[ModelFile]]:
        """Copies a model's file or folder into a new temporary folder beside the versions.

        Raises:
            NotFound: it is not there. Invalid: it holds links or special files, or too many files.
            Conflict: a file is not the one that was logged.
        """
        temporary = self.root / _TEMPORARY / uuid.uuid4().hex
        native = temporary / NATIVE
        native.mkdir(parents=True)
        try:
            files = [_copy(path, native / name, name) for name, path in _listed(source)]
            _check_manifest(native, files)
            _sync(native)
            _sync(temporary)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        return temporary, files

    def settle(self, temporary: Path, model_folder: str, version: int) -> None:
        """Moves what was taken to its version. What an interrupted registration left there is removed first."""
        target = self.version_folder(model_folder, version)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            shutil.rmtree(target)
        temporary.rename(target)
        _sync(target.parent)

    def discard(self, temporary: Path) -> None:
        """Removes what was taken and not settled."""
        shutil.rmtree(temporary, ignore_errors=True)

    def add_onnx(self, folder: Path, source: Path) -> tuple[ModelFile, list[str]]:
        """Copies the converted file to its version and checks it; answers it and the graph's operators.

        Raises:
            Invalid: it is not an ONNX file that may be served, nor an archive of such.
        """
        if not stat.S_ISREG(os.lstat(source).st_mode):
            raise Invalid(f"the converted file {source.name!r} is not a plain file")
        name = MANY if source.name == MANY else ONE
        temporary = folder / f".{uuid.uuid4().hex}.{name}"
        try:
            file = _copy(source, temporary, name, name)
            operators = check_onnx(temporary)
            temporary.replace(folder / name)
            _sync(folder)
        finally:
            temporary.unlink(missing_ok=True)
        return file, operators

    def add(self, folder: Path, source: Path, name: str) -> ModelFile:
        """Copies another file to a version, unseen.

        Raises:
            Invalid: it is a link or a special file.
        """
        if not stat.S_ISREG(os.lstat(source).st_mode):
            raise Invalid(f"{name!r} of the conversion is not a plain file")
        temporary = folder / f".{name}.{uuid.uuid4().hex}"
        try:
            file = _copy(source, temporary, name, name)
            temporary.replace(folder / name)
            _sync(folder)
        finally:
            temporary.unlink(missing_ok=True)
        return file

    def remove(self, model_folder: str, version: int | None = None) -> None:
        """Removes the files of a version, or of a whole model."""
        target = self.root / model_folder if version is None else self.version_folder(model_folder, version)
        shutil.rmtree(target, ignore_errors=True)

    def sweep(self) -> None:
        """Removes what interrupted registrations left."""
        waiting = self.root / _TEMPORARY
        if not waiting.is_dir():
            return
        for path in waiting.iterdir():
            if time.time() - path.lstat().st_mtime > TEMPORARY_KEPT_S:
                shutil.rmtree(path, ignore_errors=True)

    def open(self, folder: Path, path: str) -> tuple[int, int, str]:
        """Opens a file of a version; answers its descriptor, size and name.

        Raises:
            NotFound: the version has no such file.
        """
        parts = relative_parts(path)
        try:
            handle = os.open(folder.joinpath(*parts), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            raise NotFound(f"the version has no file {path!r}") from error
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            os.close(handle)
            raise NotFound(f"the version has no file {path!r}")
        return handle, status.st_size, parts[-1]


def relative_parts(path: str) -> list[str]:
    """Splits a relative path.

    Raises:
        Invalid: it is absolute, leads upwards, or holds what no name may hold.
    """
    parts = path.split("/")
    if "\\" in path or any(ord(char) < 32 for char in path) or not path or ":" in parts[0]:
        raise Invalid(f"{path[:80]!r} is not a path below a folder")
    if any(part in ("", ".", "..") or len(part.encode()) > 255 for part in parts):
        raise Invalid(f"{path[:80]!r} is not a path below a folder")
    return parts


def logged_at(artifacts: Path, path: str) -> Path:
    """Finds what a path below a run's artifacts means. MLflow names its models itself, below ``models/``.

    Args:
        path: the model's folder or file. When it is :data:`USUAL` and not there, the run's one MLflow model is meant.

    Raises:
        Invalid: it is no path below the artifacts, or leads through a link.
        NotFound: MLflow logged several models.
    """
    target = artifacts.joinpath(*relative_parts(path))
    if path == USUAL and not os.path.lexists(target):
        found = sorted(file.parent for file in artifacts.glob("models/*/MLmodel"))
        if len(found) > 1:
            names = ", ".join(f"models/{one.name}" for one in found[:5])
            raise NotFound(f"MLflow logged {len(found)} models with this run: give one as path, such as {names}")
        target = found[0] if found else target
    for parent in target.parents:
        if parent == artifacts:
            break
        if parent.is_symlink():
            raise Invalid(f"the model's path leads through {parent.name!r}, a link or a special file")
    return target


def folder_name(model: str) -> str:
    """The folder of a model: its name where that is a harmless one, a digest of it otherwise."""
    if _SAFE.fullmatch(model) and not model.endswith("."):
        return model
    return "m-" + hashlib.sha256(model.encode()).hexdigest()[:24]


def digest_of(files: list[ModelFile]) -> str:
    """One digest for a list of files: that of the lines ``sha256  path`` in the order of paths."""
    lines = [f"{file.sha256}  {file.path}\n" for file in sorted(files, key=lambda file: file.path)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def check_onnx(path: Path) -> list[str]:
    """Looks into an ONNX file in a process of its own, with limits; answers the graph's operators.

    Raises:
        Invalid: it may not be served; the message says why.
    """
    command = [sys.executable, "-m", "jupyter_mlstudio.onnx.check", str(path)]
    timeout_s = CHECK_MANY_TIMEOUT_S if path.name.endswith(MANY) else CHECK_TIMEOUT_S
    try:
        ended = subprocess.run(command, capture_output=True, timeout=timeout_s, check=False)
        answer: dict[str, Any] = msgspec.json.decode(ended.stdout)
    except subprocess.TimeoutExpired as error:
        raise Invalid(f"the ONNX file could not be checked within {timeout_s:g} s") from error
    except msgspec.DecodeError as error:
        raise Invalid("the ONNX file could not be checked: the checking process ended without an answer") from error
    if "error" in answer:
        raise Invalid(str(answer["error"]))
    return list(answer["facts"]["operators"])


def _listed(source: Path) -> list[tuple[str, Path]]:
    """Lists a file, or the files below a folder, by their relative names. Links are not followed but refused."""
    try:
        status = os.lstat(source)
    except (OSError, ValueError) as error:
        raise NotFound("the run has no model there: log one with log_model, or give its path") from error
    if stat.S_ISREG(status.st_mode):
        return [(source.name, source)]
    if not stat.S_ISDIR(status.st_mode):
        raise Invalid("the model's path is a link or a special file; only files and folders are registered")
    found: list[tuple[str, Path]] = []
    waiting = [source]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            listed = list(entries)
        for entry in listed:
            if entry.is_dir(follow_symlinks=False):
                waiting.append(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                found.append((str(Path(entry.path).relative_to(source)), Path(entry.path)))
            else:
                raise Invalid(f"{entry.name!r} in the model is a link or a special file; only files are registered")
        if len(found) > FILES_LIMIT:
            raise Invalid(f"the model has more than {FILES_LIMIT} files")
    if not found:
        raise NotFound("the model's folder is empty")
    return sorted(found)


def _copy(source: Path, target: Path, name: str, stored: str = "") -> ModelFile:
    """Copies a file and digests it; ``stored`` is its path in the version when that is not below ``native/``."""
    digest, size = hashlib.sha256(), 0
    target.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW)
    with open(handle, "rb") as reader, target.open("wb") as writer:  # noqa: PTH123 - from a descriptor
        while chunk := reader.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            writer.write(chunk)
        writer.flush()
        os.fsync(writer.fileno())
    return ModelFile(path=stored or f"{NATIVE}/{name}", size_bytes=size, sha256=digest.hexdigest())


def _check_manifest(native: Path, files: list[ModelFile]) -> None:
    """Makes sure that the model and its sample are still what ``log_model`` wrote."""
    path = native / "mlstudio.json"
    if not path.is_file():
        return
    try:
        manifest = json.loads(path.read_text("utf-8"))
        pairs = [(manifest.get(what), manifest.get(key)) for what, key in _DIGESTS]
    except (ValueError, AttributeError) as error:
        raise Invalid("mlstudio.json of the model is not a JSON object") from error
    digests = {file.path: file.sha256 for file in files}
    for name, expected in pairs:
        if name is not None and digests.get(f"{NATIVE}/{name}") != expected:
            raise Conflict(f"{str(name)[:80]!r} of the model was changed or removed after it was logged: log it again")


_DIGESTS = (("file", "sha256"), ("sample", "sample_sha256"), ("targets", "targets_sha256"))


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
