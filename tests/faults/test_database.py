"""A database that somebody holds, and a machine that was restarted."""

from __future__ import annotations

import sqlite3
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from jupyter_mlstudio.store.schema import runs
from tests.faults.ground import Ground, kill, until
from tests.faults.invariants import check
from tests.server import Answer
from tests.waiting import busy, is_alive

pytestmark = pytest.mark.slow

WRITERS = 20


def test_F18_BEGIN_EXCLUSIVE_answers_503_within_6_s_while_reads_go_on_and_points_arrive_once(
    shared_ground: Ground,
) -> None:
    ground = shared_ground
    run_id = ground.count(last=600)
    answers: list[tuple[Answer, float]] = []
    kept = threading.Lock()

    def write() -> None:
        key, begun = uuid.uuid4().hex, time.monotonic()
        answer = ground.server.api("PATCH", f"runs/{run_id}", {"tags": {key: "1"}})
        with kept:
            answers.append((answer, time.monotonic() - begun))
            if answer.status == 200:
                ground.ledger.tags[run_id, key] = "1"

    with held(ground):
        before = ground.ledger.steps(run_id)
        writers = [threading.Thread(target=write) for _ in range(WRITERS)]
        for writer in writers:
            writer.start()
        slowest = {"api/status": 0.0, f"mlstudio/api/v1/runs/{run_id}": 0.0, "mlstudio/api/v1/changes": 0.0}
        while any(writer.is_alive() for writer in writers):
            for path in slowest:
                begun = time.monotonic()
                assert ground.server.ask("GET", path).status == 200
                slowest[path] = max(slowest[path], time.monotonic() - begun)
        until(lambda: ground.ledger.steps(run_id, ("spooled",)) > before, 12)
    assert [answer.status for answer, _ in answers] == [503] * WRITERS
    assert all(int(answer.headers["retry-after"]) >= 1 for answer, _ in answers)
    ground.measure(f"F18 {WRITERS} writes at once -> 503", max(seconds for _, seconds in answers))
    ground.measure("F18 slowest /api/status meanwhile", slowest.pop("api/status"))
    ground.measure("F18 slowest read of the studio meanwhile", max(slowest.values()))
    assert max(seconds for _, seconds in answers) < 6 * busy()
    assert max(slowest.values()) < 1 * busy()

    write()
    assert answers[-1][0].status == 200
    until(lambda: ground.shown(run_id)["status"] == "Completed", 40)
    assert ground.points(run_id) == list(range(600))
    check(ground)


def test_F18_a_run_that_starts_and_ends_while_the_database_is_held_has_its_outcome(shared_ground: Ground) -> None:
    ground = shared_ground
    (ground.root / "quick.py").write_text("open('begun', 'w').close()\nraise SystemExit(3)")
    run_id = ground.submit("script", {"script": "quick.py"})
    until(lambda: ground.row(run_id)["status"] in ("Preparing", "Starting"), 10)

    with held(ground):
        until((ground.root / "begun").exists, 20)
        until(lambda: not is_alive(ground.row(run_id)["work_pid"]), 10)

    until(lambda: ground.shown(run_id)["status"] == "Failed", 15)
    assert ground.shown(run_id)["exit_code"] == 3
    check(ground)


def test_F07_after_a_restart_of_the_host_its_runs_have_failed_and_no_strangers_process_is_touched(
    ground: Ground,
) -> None:
    run_id = ground.count()
    row = ground.row(run_id)
    ground.server.kill()
    for name in ("supervisor_pid", "work_pid"):
        kill(row[name])
    with subprocess.Popen(["sleep", "600"]) as stranger:
        values = {"boot_id": "another", "supervisor_pid": stranger.pid, "work_pid": stranger.pid}
        with ground.studio.database.write() as connection:
            connection.execute(runs.update().where(runs.c.id == run_id).values(values))

        begun = time.monotonic()
        ground.server.start()

        until(lambda: ground.shown(run_id)["status"] == "Failed", 5)
        ground.measure("F07 server start after a reboot -> Failed", time.monotonic() - begun)
        assert ground.shown(run_id)["reason"] == "the host was restarted"
        assert stranger.poll() is None
        stranger.kill()
    check(ground)


@contextmanager
def held(ground: Ground) -> Iterator[None]:
    """Holds the database as another program may, until the block is left."""
    connection = sqlite3.connect(ground.root / ".mlstudio" / "mlstudio.db", isolation_level=None, timeout=10)
    try:
        connection.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        connection.close()
