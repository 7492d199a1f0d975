"""The socket between a sweep's controller and its workers: a file in the run's own folder, however long its path is."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

LIMIT_BYTES = 100
"""A unix socket's path may have 108 bytes, 104 on some systems; see unix(7)."""


def listening(path: Path) -> tuple[socket.socket, Path]:
    """Listens at a path, which a program that was killed may have left there; answers where it does.

    That is elsewhere only where the path is on a file system that has no sockets.
    """
    try:
        return _bound(path), path
    except OSError:
        elsewhere = Path(tempfile.mkdtemp(prefix="mlstudio-sweep-")) / path.name
        return _bound(elsewhere), elsewhere


def close(listener: socket.socket, path: Path) -> None:
    """Ends listening and removes the file."""
    listener.close()
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
        if path.parent.name.startswith("mlstudio-sweep-"):
            path.parent.rmdir()


def connected(path: Path) -> socket.socket:
    """Connects to who listens at a path."""
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with _short(path) as name:
        link.connect(name)
    return link


def read_line(link: socket.socket, timeout_s: float) -> bytes:
    """Reads a connection's first line, and not a byte more; nothing when the other side has gone before its end."""
    link.settimeout(timeout_s)
    line = b""
    while not line.endswith(b"\n"):
        byte = link.recv(1)
        if not byte:
            return b""
        line += byte
    link.settimeout(None)
    return line


def _bound(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _short(path) as name:
            listener.bind(name)
        path.chmod(0o600)
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


@contextlib.contextmanager
def _short(path: Path) -> Iterator[str]:
    """A name that is short enough: a long path is reached through its open folder."""
    if len(os.fsencode(path)) <= LIMIT_BYTES:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
