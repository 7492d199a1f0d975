"""Kernels that end while a run is logged to from them: with the server, or by the restart button."""

from __future__ import annotations

import time

import pytest

from tests.faults.ground import Ground, until
from tests.faults.invariants import check
from tests.faults.kernels import a_kernel
from tests.waiting import is_alive

pytestmark = pytest.mark.slow

LOG = """
import jupyter_mlstudio as studio
run = studio.start_run()
for step in range(50):
    studio.log_metric("loss", 1 / (step + 1), step)
assert studio.flush()
print(run.id)
"""


def test_F05_kill_9_of_the_server_interrupts_the_run_of_a_kernel_and_keeps_its_points(ground: Ground) -> None:
    with a_kernel(ground.server) as kernel:
        run_id = kernel.run(LOG).split()[-1]
        ground.ledger.started.add(run_id)
        assert ground.shown(run_id)["status"] == "Running"
        check_of_kernels(ground, kernel.pid)

        ground.server.kill()

        _, seconds = until(lambda: ground.row(run_id)["status"] == "Failed", 5)
        ground.measure("F05 server killed -> run of the kernel Failed", seconds)
        assert not is_alive(kernel.pid)
    check(ground)
    begun = time.monotonic()
    ground.server.start()
    assert ground.shown(run_id)["reason"].startswith("interrupted: ")
    ground.measure("F05 server start -> run shown Failed", time.monotonic() - begun)
    assert ground.points(run_id, "loss") == list(range(50))
    check(ground)


def test_F31_restart_of_the_kernel_in_mid_cell_interrupts_the_run_and_the_next_one_is_clean(ground: Ground) -> None:
    with a_kernel(ground.server) as kernel:
        run_id = kernel.run(LOG).split()[-1]
        ground.ledger.started.add(run_id)
        kernel.send("step = 50\nwhile True:\n    studio.log_metric('loss', 0.0, step); step += 1; run.flush()")
        until(lambda: len(ground.points(run_id, "loss")) > 60, 10)

        begun = time.monotonic()
        kernel.restart()

        until(lambda: ground.shown(run_id)["status"] == "Failed", 5)
        ground.measure("F31 kernel restart -> run Failed", time.monotonic() - begun)
        assert ground.shown(run_id)["reason"].startswith("interrupted: ")
        steps = ground.points(run_id, "loss")
        assert steps == list(range(len(steps)))
        again = kernel.run(LOG + "run.complete()").split()[-1]
        ground.ledger.started.add(again)
        assert ground.shown(again)["status"] == "Completed"
        assert ground.points(again, "loss") == list(range(50))
    check(ground)


def check_of_kernels(ground: Ground, pid: int) -> None:
    """The kernel's door is a process of its own while the kernel lives."""
    doors = [process for process in ground.processes() if "door" in process.cmdline()]
    assert [door.cmdline()[-1] for door in doors] == [str(pid)]
