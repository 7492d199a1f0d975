"""Faults of supervisors: killed, started twice, or begun by a host that died; and runs that begin runs."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from jupyter_mlstudio.store.schema import runs
from tests.faults.ground import ENDED, Ground, kill, until
from tests.faults.invariants import check
from tests.waiting import is_alive

pytestmark = pytest.mark.slow

SLEEPER = "while not __import__('pathlib').Path('wake').exists(): __import__('time').sleep(0.05)"


def test_F02_kill_9_of_an_interactive_runs_supervisor_leaves_the_process_that_logs_alone(
    shared_ground: Ground,
) -> None:
    ground = shared_ground
    with subprocess.Popen([sys.executable, "-c", SLEEPER], cwd=ground.root) as kernel:
        answer = ground.server.api("POST", "runs/interactive", {"pid": kernel.pid})
        assert answer.status == 201, answer.body
        run_id = answer.json["run_id"]
        ground.ledger.started.add(run_id)

        kill(ground.row(run_id)["supervisor_pid"])

        _, seconds = until(lambda: ground.shown(run_id)["status"] == "Failed", 5)
        ground.measure("F02 interactive run's supervisor killed -> Failed", seconds)
        assert kernel.poll() is None
        kernel.kill()
    check(ground)


def test_a_run_that_another_run_began_outlives_it(shared_ground: Ground) -> None:
    ground = shared_ground
    cell = f"import jupyter_mlstudio as studio\nprint(studio.submit({SLEEPER!r}).id)"
    parent = ground.submit("cell", {"cell": cell})
    until(lambda: ground.row(parent)["status"] in ENDED, 30)
    assert ground.row(parent)["status"] == "Completed", ground.log_of(parent)
    child = ground.log_of(parent).split()[-1]
    ground.ledger.started.add(child)
    until(lambda: ground.row(child)["status"] == "Running", 20)
    assert is_alive(ground.row(child)["work_pid"])
    check(ground)
    (ground.root / "wake").touch()
    until(lambda: ground.row(child)["status"] == "Completed", 10)
    check(ground)
    (ground.root / "wake").unlink()


def test_F28_a_supervisor_that_is_started_twice_executes_the_work_once(shared_ground: Ground) -> None:
    ground = shared_ground
    run_id = ground.count()
    command = [sys.executable, "-P", "-m", "jupyter_mlstudio.runner", "run", "--workspace", str(ground.root)]

    second = subprocess.run([*command, "--run", run_id], capture_output=True, check=False, timeout=30)

    assert second.returncode == 0, second.stderr.decode()
    assert ground.row(run_id)["status"] == "Running"
    check(ground)
    ground.stop(run_id)
    assert ground.shown(run_id)["reason"] == "stopped"
    check(ground)


@pytest.mark.parametrize(("status", "becomes"), [("Preparing", "Completed"), ("CancelRequested", "Canceled")])
def test_F28_kill_9_between_claiming_a_run_and_starting_its_supervisor_holds_it_up_10_s_at_most(
    shared_ground: Ground, status: str, becomes: str
) -> None:
    ground = shared_ground
    blocker = [ground.submit("command", {"command": ["sleep", "600"], "resources": {"cpus": 1}}) for _ in range(2)]
    for run_id in blocker:
        until(lambda run_id=run_id: ground.row(run_id)["status"] == "Running", 20)  # type: ignore[misc]
    claimed = ground.submit("command", {"command": ["true"]})
    at = datetime.now(UTC) - timedelta(seconds=1)
    with ground.studio.database.write() as connection:
        values = {"status": status, "claimed_at": at, "stop_requested_at": at if status != "Preparing" else None}
        connection.execute(runs.update().where(runs.c.id == claimed).values(values))
    ground.stop(*blocker)

    _, seconds = until(lambda: ground.row(claimed)["status"] in ENDED, 10)

    ground.measure(f"F28 claimed by a host that died, {status} -> {becomes}", seconds)
    assert ground.row(claimed)["status"] == becomes
    check(ground)
