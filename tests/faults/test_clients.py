"""What clients feel of faults: nothing. User code goes on, and what it was told is kept is kept."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tests.faults.ground import ENDED, Ground, kill, until
from tests.faults.invariants import check
from tests.waiting import busy

pytestmark = pytest.mark.slow

LOOP = """\
import json, os, sys, time
import jupyter_mlstudio as studio
studio.log_metric("x", 0.0)
studio.flush()
open(sys.argv[1] + ".ready", "w").close()
slowest, logged = 0.0, 0
while not os.path.exists(sys.argv[1] + ".enough"):
    begun = time.perf_counter()
    studio.log_metric("x", 1.0)
    studio.log_param("p", logged)
    slowest = max(slowest, time.perf_counter() - begun)
    logged += 1
    time.sleep(0.001)
    with open(sys.argv[1] + ".tmp", "w") as file:
        json.dump([slowest, logged], file)
    os.replace(sys.argv[1] + ".tmp", sys.argv[1])
"""


def test_F02_kill_9_of_the_supervisor_while_the_client_logs_loses_no_batch_and_what_was_spooled_is_taken(
    ground: Ground,
) -> None:
    run_id = ground.count(pause_s=0.005)
    ground.server.kill()

    kill(ground.row(run_id)["supervisor_pid"])

    until(lambda: ground.ledger.steps(run_id, ("spooled",)) > 50, 10)
    arrived = ground.ledger.steps(run_id, ("arrived",))
    assert len(ground.points(run_id)) >= arrived
    assert list((ground.root / ".mlstudio" / "runs" / run_id / "spool").glob("*.jsonl"))
    ground.server.start()
    _, seconds = until(lambda: ground.row(run_id)["status"] == "Failed", 5)
    ground.measure("F02 server start -> killed supervisor's spool taken", seconds)
    assert ground.ledger.steps(run_id, ("spooled",)) > arrived
    assert not list((ground.root / ".mlstudio" / "runs" / run_id / "spool").glob("*.jsonl"))
    check(ground)


def test_F48_a_gateway_that_hangs_or_is_dead_never_blocks_user_code(ground: Ground) -> None:
    (ground.root / "loop.py").write_text(LOOP)
    notes = ground.folder / "notes"
    run_id = ground.submit("script", {"script": "loop.py", "args": [str(notes)]})
    until(notes.with_suffix(".ready").exists, 30)
    until(lambda: ground.row(run_id)["status"] == "Running", 10)
    supervisor = ground.row(run_id)["supervisor_pid"]
    ground.server.kill()

    for fault in (signal.SIGSTOP, signal.SIGKILL):
        os.kill(supervisor, fault)
        before = logged(notes)[1]
        until(lambda before=before: logged(notes)[1] > before + 500, 20)  # type: ignore[misc]

    slowest, _count = logged(notes)
    ground.measure("F48 slowest log_metric + log_param with a gateway that hangs, then is dead", slowest)
    assert slowest < 0.25 * busy()
    ground.server.start()
    until(lambda: ground.row(run_id)["status"] in ENDED, 10)
    check(ground)


def logged(notes: Path) -> tuple[float, int]:
    slowest, count = json.loads(notes.read_text()) if notes.exists() else (0.0, 0)
    return slowest, count
