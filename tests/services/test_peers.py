"""Who is at the other end of a connection."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_mlstudio.services.peers import find_peer
from jupyter_mlstudio.services.processes import Identity

CALLER = "import socket, sys\nwith socket.create_connection(('{host}', {port})):\n    sys.stdin.read()\n"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_process_that_connected_is_found_with_its_script(tmp_path: Path, host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    script = tmp_path / "caller.py"
    with socket.create_server((host, 0), family=family) as listener:
        script.write_text(CALLER.format(host=host, port=listener.getsockname()[1]))
        with subprocess.Popen([sys.executable, "caller.py"], cwd=tmp_path, stdin=subprocess.PIPE) as caller:
            connection, theirs = listener.accept()
            with connection:
                peer = find_peer(theirs[:2], connection.getsockname()[:2])
            caller.kill()

    assert peer is not None
    assert (peer.identity.pid, peer.script, peer.notebook) == (caller.pid, script, None)
    assert not peer.identity.alive


def test_a_kernels_notebook_is_known(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        source = CALLER.format(host="127.0.0.1", port=listener.getsockname()[1])
        environment = {**os.environ, "JPY_SESSION_NAME": str(tmp_path / "first.ipynb")}
        with subprocess.Popen([sys.executable, "-c", source], env=environment, stdin=subprocess.PIPE) as caller:
            connection, theirs = listener.accept()
            with connection:
                peer = find_peer(theirs, connection.getsockname())
            caller.kill()

    assert peer is not None
    assert peer.notebook == tmp_path / "first.ipynb"


def test_who_is_in_this_process_is_this_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as mine:
        connection, theirs = listener.accept()
        with connection:
            peer = find_peer(theirs, mine.getpeername())

    assert peer is not None
    assert peer.identity == Identity.of(os.getpid())


@pytest.mark.parametrize("theirs", [("192.0.2.1", 50_000), ("127.0.0.1", 1), ("not an address", 1)])
def test_nobody_is_made_up(theirs: tuple[str, int]) -> None:
    assert find_peer(theirs, ("127.0.0.1", 2)) is None
