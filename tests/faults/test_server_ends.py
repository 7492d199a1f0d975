"""The end of the server, in all the ways in which people bring it about: what was promised goes on, nothing else."""

from __future__ import annotations

import os
import signal
import time
import urllib.request
from typing import Any

import psutil
import pytest

from tests.faults.ground import Ground, until
from tests.faults.invariants import check
from tests.faults.kernels import a_kernel
from tests.waiting import is_alive

pytestmark = pytest.mark.slow

TRAIN = """\
import jupyter_mlstudio as studio
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
data = load_iris()
studio.log_model(LogisticRegression(max_iter=500).fit(data.data, data.target), sample=data.data, y=data.target)
"""
ENDS = [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP, signal.SIGINT]


@pytest.fixture(scope="module")
def endpoint(_shared: Ground) -> dict[str, Any]:
    """An endpoint that was deployed before the servers come to their ends."""
    ground = _shared
    run_id = ground.submit("cell", {"cell": TRAIN})
    until(lambda: ground.row(run_id)["status"] == "Completed", 60)
    version = ground.server.api("POST", "models", {"name": "iris", "run_id": run_id})
    assert version.status == 201, version.body
    until(lambda: ground.server.api("GET", "models/iris/versions/1").json["status"] == "Ready", 60)
    made = ground.server.api("POST", "endpoints", {"name": "iris-live", "model": "iris", "version": "1"})
    assert made.status == 201, made.body
    until(lambda: ground.server.api("GET", "endpoints/iris-live").json["state"] == "Ready", 60)
    ground.ledger.started |= {row["id"] for row in ground.rows().values() if row["kind"] in ("convert", "serve")}
    return ground.server.api("GET", "endpoints/iris-live").json  # type: ignore[no-any-return]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.name)
def test_F42_however_the_server_ends_runs_and_endpoints_go_on_and_kernels_and_doors_end(
    shared_ground: Ground, endpoint: dict[str, Any], end: signal.Signals
) -> None:
    ground = shared_ground
    if ground.server.process.poll() is not None:  # the end before this one went wrong
        ground.server.start()
    run_id = ground.count(pause_s=0.05)
    with a_kernel(ground.server) as kernel:
        kernel.run("import jupyter_mlstudio as studio; studio.list_runs()")
        ends = {process.pid for process in _below(ground.server.process.pid)}
        assert kernel.pid in ends
        assert any("door" in psutil.Process(pid).cmdline() for pid in ends)

        begun = time.monotonic()
        _bring_to_an_end(ground, end)
        until(lambda: ground.server.process.poll() is not None, 15)
        until(lambda: not any(is_alive(pid) for pid in ends - _promised(ground)), 10)

    ground.measure(f"F42 {end.name} -> kernels and doors gone", time.monotonic() - begun)
    before = ground.ledger.steps(run_id)
    until(lambda: ground.ledger.steps(run_id, ("arrived",)) > before, 5)
    with urllib.request.urlopen(f"{endpoint['url']}/health/ready", timeout=5) as answer:
        assert answer.status == 200
    promised = _promised(ground)
    left = {process.pid: process.cmdline() for process in ground.processes()}
    assert {pid: what for pid, what in left.items() if pid not in promised} == {}
    check(ground)
    ground.server.start()
    assert ground.shown(run_id)["status"] == "Running"
    ground.stop(run_id)
    assert ground.server.api("GET", "endpoints/iris-live").json["state"] == "Ready"
    check(ground)


def _bring_to_an_end(ground: Ground, end: signal.Signals) -> None:
    """A terminal that is closed, and Ctrl-C, reach every process of the foreground's group; two Ctrl-C say yes."""
    server = ground.server
    if end == signal.SIGINT:
        os.killpg(server.process.pid, end)
        until(lambda: "(y/[n])" in server.log, 5)
    if end in (signal.SIGHUP, signal.SIGINT):
        os.killpg(server.process.pid, end)
    else:
        server.process.send_signal(end)


def _promised(ground: Ground) -> set[int]:
    """Supervisors of live runs and endpoints, and all below them."""
    rows = ground.rows().values()
    owners = [row["supervisor_pid"] for row in rows if row["status"] in ("Running", "Starting", "Preparing")]
    return {process.pid for owner in owners if is_alive(owner) for process in [psutil.Process(owner), *_below(owner)]}


def _below(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)
