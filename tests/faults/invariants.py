"""What must hold after every fault, whatever it was: one function for all of them."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil

from jupyter_mlstudio.services.processes import boot_id
from tests.faults.ground import ENDED, Ground, until, with_variable
from tests.server import JupyterServer
from tests.waiting import busy, is_alive

WAITING = ("NotStarted", "Queued")


def check(ground: Ground, *, orphans_within_s: float = 10.0) -> None:
    """Checks all of them. A server may live or not."""
    up = next((server for server in ground.servers if server.process.poll() is None), None)
    until(lambda: _untruths(ground) == [], 2 if up else 5)
    _acknowledged_is_kept(ground)
    _nothing_is_invented(ground)
    _listed_files_are_whole(ground)
    _database_is_sound(ground.root / ".mlstudio" / "mlstudio.db")
    _ended_stays_ended(ground)
    until(lambda: _strays(ground) == [], orphans_within_s)
    _reasons_are_sentences(ground)
    if up is not None:
        _asking_again_does_nothing(ground, up)
        _server_answers(up)


def _untruths(ground: Ground) -> list[str]:
    """Truthful: who is shown live lives, who is shown dead is dead."""
    found = []
    for run_id, row in ground.rows().items():
        if row["status"] in WAITING or (row["status"] == "Preparing" and row["supervisor_pid"] is None):
            continue
        living = row["boot_id"] == boot_id() and is_alive(row["supervisor_pid"])
        if row["status"] not in ENDED:
            found += [] if living else [f"{run_id} is shown {row['status']} and has no process"]
        elif row["kind"] != "interactive":
            rest = with_variable(f"MLSTUDIO_RUN_ID={run_id}")
            found += [f"{run_id} is shown {row['status']}, and {process} lives" for process in rest]
    return found


def _acknowledged_is_kept(ground: Ground) -> None:
    rows = ground.rows()
    assert set(ground.ledger.submitted) | ground.ledger.started <= set(rows)
    for run_id in ground.ledger.counted:
        ended = rows[run_id]["status"] in ENDED
        told = ground.ledger.steps(run_id, ("arrived", "spooled") if ended else ("arrived",))
        steps = ground.points(run_id)
        assert len(steps) >= told, f"{told} steps were acknowledged, {len(steps)} are kept"
    for (run_id, key), value in ground.ledger.tags.items():
        assert ground.studio.runs.get(run_id).tags.get(key) == value


def _nothing_is_invented(ground: Ground) -> None:
    assert set(ground.rows()) <= set(ground.ledger.submitted) | ground.ledger.started
    for run_id in ground.ledger.counted:
        series = ground.studio.tracking.series(run_id, ["count"])[0]
        assert series.steps == list(range(series.total)), "a point is doubled, missing or out of order"
        assert series.values == [step * 0.5 for step in series.steps]


def _listed_files_are_whole(ground: Ground) -> None:
    listed = {}
    for run_id, row in ground.rows().items():
        if row["kind"] in ("convert", "serve"):
            continue
        folder = ground.root / ".mlstudio" / "runs" / run_id / "artifacts"
        for entry in ground.studio.artifacts.list(run_id, "", 1000, None).entries:
            if entry.kind == "file":
                listed[run_id, entry.path] = hashlib.sha256((folder / entry.path).read_bytes()).hexdigest()
    assert listed == ground.ledger.files


def _database_is_sound(path: Path) -> None:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def _ended_stays_ended(ground: Ground) -> None:
    now = {run_id: _outcome(row) for run_id, row in ground.rows().items() if row["status"] in ENDED}
    for run_id, before in ground.ledger.outcomes.items():
        assert now.get(run_id) == before, "the outcome of a run has changed"
    ground.ledger.outcomes.update(now)


def _outcome(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("status", "reason", "exit_code", "ended_at", "duration_s"))


def _strays(ground: Ground) -> list[psutil.Process]:
    """No orphan: each process is a server, a supervisor of a live run, or below one of these."""
    owners = {server.process.pid for server in ground.servers}
    owners |= {row["supervisor_pid"] for row in ground.rows().values() if row["status"] not in ENDED}
    return [process for process in ground.processes() if not _belongs_to(process, owners)]


def _belongs_to(process: psutil.Process, owners: set[int]) -> bool:
    try:
        above = [process, *process.parents()]
    except psutil.Error:
        return True
    return any(one.pid in owners for one in above)


def _reasons_are_sentences(ground: Ground) -> None:
    for row in ground.rows().values():
        if row["status"] == "Failed":
            assert row["reason"], "a run failed without a reason"
            assert "\n" not in row["reason"]
            assert "Traceback" not in row["reason"]


def _asking_again_does_nothing(ground: Ground, server: JupyterServer) -> None:
    for run_id, body in ground.ledger.submitted.items():
        assert server.api("POST", "runs", body).json["id"] == run_id


def _server_answers(server: JupyterServer) -> None:
    _, seconds = until(lambda: server.ask("GET", "api/status").status == 200, 2)
    assert seconds < 1 * busy()
