"""Who is at the other end of a loopback connection: a process of this machine and of this user."""

from __future__ import annotations

import contextlib
import os
import socket
from dataclasses import dataclass
from pathlib import Path

import psutil

from jupyter_mlstudio.services.processes import Identity

Address = tuple[str, int]
_PROC_NET = Path("/proc/net")


@dataclass(frozen=True, slots=True)
class Peer:
    """A process, with the notebook whose kernel it is or the script that it runs, as far as that can be told."""

    identity: Identity
    notebook: Path | None = None
    script: Path | None = None


def find_peer(theirs: Address, ours: Address) -> Peer | None:
    """Finds the process that holds the other end of a connection; None when it is not one of this user here."""
    if not _is_loopback(theirs[0]):
        return None
    inode = _inode(theirs[1], ours[1]) if _PROC_NET.is_dir() else None
    for process in _by_likelihood():
        with contextlib.suppress(psutil.Error, OSError):
            if _holds(process, inode) if inode is not None else _is_connected(process, theirs[1], ours[1]):
                return _described(process)
    return None


def _inode(their_port: int, our_port: int) -> str | None:
    """Finds the number of the socket that is bound to their port and connected to ours.

    Format: the Linux kernel's Documentation/networking/proc_net_tcp.rst.
    """
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in (_PROC_NET / table).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                ports = [int(end.rpartition(":")[2], 16) for end in fields[1:3]]
                if ports == [their_port, our_port] and fields[9] != "0":
                    return fields[9]
    return None


def _holds(process: psutil.Process, inode: str) -> bool:
    wanted = f"socket:[{inode}]"
    with os.scandir(f"/proc/{process.pid}/fd") as handles:
        for handle in handles:
            with contextlib.suppress(OSError):
                if os.readlink(handle.path) == wanted:  # noqa: PTH115 - a link that leads to no path
                    return True
    return False


def _is_connected(process: psutil.Process, their_port: int, our_port: int) -> bool:
    """Asks the system about one process, where there is no ``/proc``."""
    found = process.net_connections(kind="tcp")
    return any(one.raddr and (one.laddr.port, one.raddr.port) == (their_port, our_port) for one in found)


def _by_likelihood() -> list[psutil.Process]:
    """Lists this user's processes, Python first: looking at one reads all its open files."""
    me = psutil.Process().uids().real
    mine = [p for p in psutil.process_iter(["uids", "name"]) if p.info["uids"] and p.info["uids"].real == me]
    return sorted(mine, key=lambda process: "python" not in (process.info["name"] or "").lower())


def _described(process: psutil.Process) -> Peer | None:
    identity = Identity.of(process.pid)
    if identity is None:
        return None
    notebook = script = None
    with contextlib.suppress(psutil.Error, OSError):
        name = process.environ().get("JPY_SESSION_NAME", "")
        if name.endswith(".ipynb"):
            notebook = Path(name)
        else:
            found = next((Path(part) for part in process.cmdline()[1:] if part.endswith(".py")), None)
            script = Path(process.cwd()) / found if found is not None and not _is_kernel(found) else None
    return Peer(identity, notebook, script)


def _is_kernel(script: Path) -> bool:
    return script.name in ("ipykernel_launcher.py", "colab_kernel_launcher.py")


def _is_loopback(host: str) -> bool:
    plain = host.removeprefix("::ffff:")
    with contextlib.suppress(OSError):
        return plain == "::1" or socket.inet_aton(plain)[0] == 127
    return False
