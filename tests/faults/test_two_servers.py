"""Two servers and two doors on one workspace: all of them look after the same queue."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.faults.ground import ENDED, Ground, kill, until
from tests.faults.invariants import check

pytestmark = pytest.mark.slow

RUNS = 20


def test_F28_two_servers_and_two_doors_execute_each_of_20_runs_once_and_one_is_killed_meanwhile(
    ground: Ground,
) -> None:
    other = ground.another_server()
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(a_door(ground))
        executed = ground.folder / "executed"
        servers = [ground.server, other]
        ids = [
            ground.submit("command", {"command": ["sh", "-c", f"echo {n} >> {executed}"]}, servers[n % 2])
            for n in range(RUNS)
        ]
        until(lambda: any(ground.row(run_id)["status"] in ENDED for run_id in ids), 20)
        ground.server.kill()

        _, seconds = until(lambda: {ground.row(run_id)["status"] for run_id in ids} == {"Completed"}, 90)

        ground.measure(f"F28 {RUNS} runs by two servers and two doors, one server killed", seconds)
        assert sorted(int(line) for line in executed.read_text().split()) == list(range(RUNS))
        assert ground.shown(ids[0], other)["status"] == "Completed"
    check(ground)


def test_F28_a_run_of_a_killed_supervisor_is_settled_once_by_two_servers(ground: Ground) -> None:
    other = ground.another_server()
    run_id = ground.count(pause_s=0.005)

    kill(ground.row(run_id)["supervisor_pid"])

    for server in (ground.server, other):
        until(lambda server=server: ground.shown(run_id, server)["status"] == "Failed", 5)  # type: ignore[misc]
    check(ground)
    check(ground)
    for server in (ground.server, other):
        assert "Traceback" not in server.log


@contextmanager
def a_door(ground: Ground) -> Iterator[None]:
    """Opens a door as a kernel does; it ends when its standard input is closed."""
    command = [sys.executable, "-P", "-m", "jupyter_mlstudio.runner", "door", "--workspace", str(ground.root)]
    mine = ["--parent", str(os.getpid())]
    with subprocess.Popen([*command, *mine], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as door:
        assert door.stdout is not None
        assert json.loads(door.stdout.readline())["url"].startswith("http://127.0.0.1:")
        yield
        assert door.stdin is not None
        door.stdin.close()
        door.wait(10)
