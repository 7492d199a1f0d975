"""Stopping a run whose processes do not want to end."""

from __future__ import annotations

import time

import pytest

from jupyter_mlstudio.runner.supervisor import GRACE_S
from tests.faults.ground import Ground, until, with_variable
from tests.faults.invariants import check

pytestmark = pytest.mark.slow

STUBBORN = """\
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
program = "import signal, time\\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\\nwhile True: time.sleep(1)"
subprocess.Popen([sys.executable, "-c", program])
subprocess.Popen([sys.executable, "-c", program], start_new_session=True)
bare = {"FAULTS_GROUND": os.environ["FAULTS_GROUND"]}
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        subprocess.Popen([sys.executable, "-c", program], env=bare, start_new_session=True)
    os._exit(0)
while True:
    if os.fork() == 0:
        os.setsid()
        time.sleep(0.5)
        os._exit(0)
    os.waitpid(-1, os.WNOHANG)
    time.sleep(0.1)
"""


def test_F43_stop_of_a_tree_that_ignores_SIGTERM_forks_and_setsids_leaves_nothing(shared_ground: Ground) -> None:
    ground = shared_ground
    (ground.root / "stubborn.py").write_text(STUBBORN)
    run_id, bystander = ground.submit("script", {"script": "stubborn.py"}), ground.count(pause_s=0.1)
    until(lambda: len(with_variable(f"MLSTUDIO_RUN_ID={run_id}")) >= 4, 20)
    until(lambda: ground.row(run_id)["status"] == "Running", 10)
    supervisors = {ground.row(bystander)["supervisor_pid"], ground.server.process.pid}

    begun = time.monotonic()
    assert ground.server.api("POST", f"runs/{run_id}/stop", {}).status == 200

    until(lambda: ground.shown(run_id)["status"] == "Canceled", GRACE_S + 5)
    until(lambda: _besides(ground, supervisors) == [], GRACE_S + 5 - (time.monotonic() - begun))
    ground.measure(f"F43 stop of a stubborn tree (grace {GRACE_S:g} s) -> all gone", time.monotonic() - begun)
    assert ground.shown(bystander)["status"] == "Running"
    check(ground)
    ground.stop(bystander)
    check(ground)


def test_F43_a_run_that_ends_leaves_nothing_that_it_started_behind(shared_ground: Ground) -> None:
    ground = shared_ground
    program = "import subprocess, sys\nsubprocess.Popen(['sleep', '600'], start_new_session=True, env={**%s})\n"
    (ground.root / "leaves.py").write_text("import os\n" + program % "{'FAULTS_GROUND': os.environ['FAULTS_GROUND']}")

    run_id = ground.submit("script", {"script": "leaves.py"})

    until(lambda: ground.shown(run_id)["status"] == "Completed", 20)
    check(ground, orphans_within_s=2)


def _besides(ground: Ground, owners: set[int]) -> list[int]:
    """Processes of the ground that are none of these, nor below them."""
    return [p.pid for p in ground.processes() if not owners & {p.pid, *(above.pid for above in p.parents())}]
