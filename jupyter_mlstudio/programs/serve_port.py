"""Where an endpoint listens: its socket, which outlives the processes behind it, and the folder of their sockets."""

from __future__ import annotations

import contextlib
import errno
import shutil
import socket
import tempfile
from pathlib import Path

from jupyter_mlstudio.errors import Conflict, Invalid, StudioError

BACKLOG = 2048
LOOPBACK = "127.0.0.1"
PATH_LIMIT = 80
"""A unix socket's path may have 108 bytes; so many are left for the folder's."""


def listen(port: int | None, host: str = LOOPBACK) -> socket.socket:
    """Opens the listening socket, on the loopback address unless it is told another one.

    Raises:
        Conflict: the port is taken; the message has the port and, where it can be known, who holds it.
    """
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port or 0))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise Conflict(f"port {port} is in use{_holder(port or 0)}; free it or choose another port") from error
        raise Invalid(f"port {port} of {host} cannot be listened on: {error.strerror}") from error
    listening.set_inheritable(True)
    return listening


def _holder(port: int) -> str:
    try:
        import psutil

        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
                if connection.pid is None:
                    return ""
                with contextlib.suppress(psutil.Error):
                    return f" by process {connection.pid} ({psutil.Process(connection.pid).name()})"
                return f" by process {connection.pid}"
    except (ImportError, OSError, StudioError):
        return ""
    except Exception as error:  # psutil raises its own kinds when it may not look
        return "" if type(error).__module__.startswith("psutil") else _again(error)
    return ""


def _again(error: Exception) -> str:
    raise error


def url_of(listening: socket.socket) -> str:
    """Where this machine reaches a socket."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = LOOPBACK
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def folder_of_sockets(folder: Path) -> Path:
    """A folder that only its owner can enter, with a path that is short enough; what was left of another is removed.

    Where the endpoint's own folder has too long a path it is elsewhere, and a link there tells where.
    """
    sockets = folder / "sockets"
    if sockets.is_symlink():
        shutil.rmtree(sockets.readlink(), ignore_errors=True)
        sockets.unlink()
    shutil.rmtree(sockets, ignore_errors=True)
    if len(str(sockets)) > PATH_LIMIT:
        elsewhere = Path(tempfile.mkdtemp(prefix="mlstudio-"))
        sockets.symlink_to(elsewhere)
        return elsewhere
    sockets.mkdir(mode=0o700)
    return sockets
