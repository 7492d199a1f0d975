"""The one way from a name that came from outside to a file: checked, joined, opened without following links."""

from __future__ import annotations

import contextlib
import os
import stat
import uuid
from pathlib import Path

from jupyter_mlstudio.errors import Invalid, NotFound

NAME_BYTES = 255


def relative_parts(path: str) -> list[str]:
    """Splits a path that is relative by rule.

    Raises:
        Invalid: it is absolute, leads upwards, or holds what no name may hold.
    """
    if not path or "\\" in path or any(ord(char) < 32 or ord(char) == 127 for char in path):
        raise Invalid(f"{path[:80]!r} is not a path below a folder")
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts) or (len(parts[0]) == 2 and parts[0][1] == ":"):
        raise Invalid(f"{path[:80]!r} is not a path below a folder")
    try:
        too_long = any(len(part.encode("utf-8", "surrogateescape")) > NAME_BYTES for part in parts)
    except UnicodeEncodeError:
        raise Invalid(f"{path[:80]!r} holds half of a surrogate pair") from None
    if too_long or len(path) > 3000:
        raise Invalid(f"a file's name has at most {NAME_BYTES} bytes: {path[:80]!r} is too long")
    return parts


def safe_join(root: Path, path: str) -> Path:
    """Joins a relative path to a folder; no part of it may be a link that leads out.

    Raises:
        Invalid: the path is not one below ``root``.
    """
    joined = root.joinpath(*relative_parts(path))
    inside = root.resolve()
    real = joined.resolve()
    if real != inside and inside not in real.parents:
        raise Invalid(f"{path[:80]!r} leads out of its folder")
    return joined


def open_file(root: Path, path: str) -> tuple[int, int, str]:
    """Opens a regular file below ``root`` for reading; returns descriptor, size and name.

    Raises:
        Invalid: the path leads out, or names a link, a pipe or a device.
        NotFound: there is no such file.
    """
    joined = safe_join(root, path)
    try:
        handle = os.open(joined, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NotFound(f"there is no file {path[:200]!r}") from None
    except OSError as error:
        raise Invalid(f"{path[:200]!r} cannot be opened: {os.strerror(error.errno or 0)}") from None
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        raise Invalid(f"{path[:200]!r} is not a file that can be read (a folder, link, pipe or device)")
    if status.st_nlink > 1:
        os.close(handle)
        raise Invalid(f"{path[:200]!r} is a hard link to a file elsewhere; copy it instead")
    return handle, status.st_size, joined.name


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file so that a reader, or a crash, sees the old content or the new one and nothing between."""
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def sync_folder(folder: Path) -> None:
    """Makes a rename in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
