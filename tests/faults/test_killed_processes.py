"""kill -9 of what a run consists of: its work, its supervisor, the server that started it."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from tests.faults.ground import ENDED, Ground, kill, until
from tests.faults.invariants import check
from tests.waiting import is_alive

pytestmark = pytest.mark.slow


def test_F01_kill_9_of_the_work_fails_the_run_within_2_s_and_keeps_log_and_points(shared_ground: Ground) -> None:
    ground = shared_ground
    run_id, bystander = ground.count(), ground.count(pause_s=0.1)
    kept = ground.ledger.steps(run_id)

    kill(ground.row(run_id)["work_pid"])

    _, seconds = until(lambda: ground.shown(run_id)["status"] == "Failed", 2)
    ground.measure("F01 work killed -> Failed", seconds)
    assert ground.shown(run_id)["reason"] == "killed by signal 9 (SIGKILL)"
    assert ground.shown(run_id)["exit_code"] == -9
    assert ground.points(run_id)[:kept] == list(range(kept))
    assert str(kept - 1) in ground.log_of(run_id).split()
    assert ground.shown(bystander)["status"] == "Running"
    check(ground)
    ground.stop(bystander)
    check(ground)


def test_F02_kill_9_of_the_supervisor_ends_the_work_and_tells_within_5_s(shared_ground: Ground) -> None:
    ground = shared_ground
    run_id, bystander = ground.count(), ground.count(pause_s=0.1)
    row = ground.row(run_id)

    kill(row["supervisor_pid"])

    _, seconds = until(lambda: ground.shown(run_id)["status"] == "Failed", 5)
    ground.measure("F02 supervisor killed -> Failed", seconds)
    assert ground.shown(run_id)["reason"] == "its supervisor was killed"
    until(lambda: not is_alive(row["work_pid"]), 1)
    assert ground.shown(bystander)["status"] == "Running"
    check(ground)
    ground.stop(bystander)
    check(ground)


def test_F03_kill_9_of_the_server_does_not_disturb_a_run_that_logs_on(ground: Ground) -> None:
    run_id = ground.count(last=300)
    pids = [ground.row(run_id)[name] for name in ("supervisor_pid", "work_pid")]
    before = ground.ledger.steps(run_id)

    ground.server.kill()

    until(lambda: ground.ledger.steps(run_id, ("arrived",)) >= before + 20, 10)
    assert [ground.row(run_id)[name] for name in ("supervisor_pid", "work_pid")] == pids
    check(ground)
    begun = time.monotonic()
    ground.server.start()
    until(lambda: ground.shown(run_id)["status"] == "Running", 5)
    ground.measure("F03 server start -> Running shown", time.monotonic() - begun)
    until(lambda: ground.shown(run_id)["status"] == "Completed", 30)
    assert ground.points(run_id) == list(range(300))
    check(ground)


def test_F04_a_run_that_ends_while_the_server_is_dead_has_its_real_exit_status_and_end(ground: Ground) -> None:
    program = "import sys, pathlib, time\nwhile not pathlib.Path('go').exists(): time.sleep(0.02)\nsys.exit(7)"
    (ground.root / "seven.py").write_text(program)
    run_id = ground.submit("script", {"script": "seven.py"})
    until(lambda: ground.row(run_id)["status"] == "Running", 20)

    ground.server.kill()

    (ground.root / "go").touch()
    ended = datetime.now(UTC)
    _, seconds = until(lambda: ground.row(run_id)["status"] in ENDED, 5)
    ground.measure("F04 end without a server -> Failed in the database", seconds)
    until(lambda: (datetime.now(UTC) - ended).total_seconds() > 3, 5)
    ground.server.start()
    shown = ground.shown(run_id)
    assert (shown["status"], shown["exit_code"]) == ("Failed", 7)
    assert abs((datetime.fromisoformat(shown["ended_at"]) - ended).total_seconds()) < 2
    check(ground)
