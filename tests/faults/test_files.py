"""kill -9 of whoever takes in a file. (Registering a model is in tests/services/test_models.py.)"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.ground import Ground, kill, until
from tests.faults.invariants import check

pytestmark = pytest.mark.slow

WHOLE = b"whole" * 1000
SIZE_BYTES = 8_000_000


def test_F12_kill_9_of_the_server_in_mid_upload_leaves_no_file_and_its_rest_is_swept_at_the_next_start(
    ground: Ground,
) -> None:
    run_id = ground.count(last=5)
    until(lambda: ground.shown(run_id)["status"] == "Completed", 20)
    path = f"runs/{run_id}/files/whole.bin"
    octets = {"Content-Type": "application/octet-stream"}
    assert ground.server.api("PUT", path, WHOLE, headers=octets).status < 300
    ground.ledger.files[run_id, "whole.bin"] = hashlib.sha256(WHOLE).hexdigest()

    with half_an_upload(ground, f"runs/{run_id}/files/half.bin"):
        until(lambda: sum(part.stat().st_size for part in parts(ground, run_id)) > 1_000_000, 10)
        ground.server.kill()

    assert len(parts(ground, run_id)) == 1
    check(ground)
    for part in parts(ground, run_id):
        os.utime(part, (time.time() - 120, time.time() - 120))
    begun = time.monotonic()
    ground.server.start()
    until(lambda: parts(ground, run_id) == [], 5)
    ground.measure("F12 server start -> rest of the upload is swept", time.monotonic() - begun)
    check(ground)
    assert ground.server.api("PUT", f"runs/{run_id}/files/half.bin", WHOLE, headers=octets).status < 300
    ground.ledger.files[run_id, "half.bin"] = hashlib.sha256(WHOLE).hexdigest()
    check(ground)


def test_F12_kill_9_at_the_nth_write_of_an_upload_leaves_the_file_that_was_there(ground: Ground) -> None:
    run_id = ground.count(last=5)
    until(lambda: ground.shown(run_id)["status"] == "Completed", 20)
    path = f"runs/{run_id}/files/model.bin"
    octets = {"Content-Type": "application/octet-stream"}
    assert ground.server.api("PUT", path, WHOLE, headers=octets).status < 300
    ground.ledger.files[run_id, "model.bin"] = hashlib.sha256(WHOLE).hexdigest()

    with killed_by_strace(ground.server.process.pid, "fsync,rename,renameat,renameat2"):
        with contextlib.suppress(OSError):  # it is killed in the middle of it
            ground.server.api("PUT", path, b"other" * 100_000, headers=octets)
        ground.server.process.wait(10)

    check(ground)
    ground.server.start()
    check(ground)


def parts(ground: Ground, run_id: str) -> list[Path]:
    return list((ground.root / ".mlstudio" / "runs" / run_id / "uploads").glob(".*.tmp"))


@contextmanager
def half_an_upload(ground: Ground, path: str) -> Iterator[None]:
    """Sends half of a file and holds the connection open."""
    head = [
        f"PUT /mlstudio/api/v1/{path} HTTP/1.1", f"Host: 127.0.0.1:{ground.server.port}",
        f"Authorization: token {ground.server.token}", "Content-Type: application/octet-stream",
        f"Content-Length: {SIZE_BYTES}",
    ]  # fmt: skip
    with socket.create_connection(("127.0.0.1", ground.server.port), timeout=10) as connection:
        connection.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + b"x" * (SIZE_BYTES // 2))
        yield


@contextmanager
def killed_by_strace(pid: int, calls: str) -> Iterator[None]:
    """Kills a process with SIGKILL at the first of some system calls, in whichever of its threads."""
    command = ["strace", "-f", "-p", str(pid), "-o", "/dev/null", "-e", f"inject={calls}:signal=SIGKILL:when=1"]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as by:
        until(lambda: all(_is_traced(task, by.pid) for task in Path(f"/proc/{pid}/task").iterdir()), 5)
        yield
        kill(by.pid)


def _is_traced(task: Path, by: int) -> bool:
    return f"TracerPid:\t{by}\n" in (task / "status").read_text()
