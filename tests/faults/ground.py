"""What the tests of faults stand on: a workspace with real servers, and a ledger of what was acknowledged."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psutil

from jupyter_mlstudio.studio import Studio
from jupyter_mlstudio.workspace import Workspace
from tests.server import JupyterServer
from tests.waiting import busy, pause_s

T = TypeVar("T")
MARK = "FAULTS_GROUND"
ENDED = ("Completed", "Failed", "Canceled")

COUNT = """\
import os, sys, time
import jupyter_mlstudio as studio
ledger, last, pause_s = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
with open(ledger, "a") as file:
    for step in range(last):
        studio.log_metric("count", step * 0.5, step)
        if step % 5 == 4 or step == last - 1:
            told = 'arrived' if studio.flush() else 'spooled'
            print(step)
            file.write(f"{step} {told}\\n")
            file.flush()
            os.fsync(file.fileno())
        time.sleep(pause_s)
"""
"""Logs half of each number as it counts, and notes in a file of its own how far it was told that it is kept."""


@dataclass
class Ledger:
    """Everything that was acknowledged to somebody, kept apart from the studio."""

    submitted: dict[str, dict[str, Any]] = field(default_factory=dict)
    started: set[str] = field(default_factory=set)
    counted: dict[str, Path] = field(default_factory=dict)
    tags: dict[tuple[str, str], str] = field(default_factory=dict)
    files: dict[tuple[str, str], str] = field(default_factory=dict)
    outcomes: dict[str, tuple[Any, ...]] = field(default_factory=dict)

    def steps(self, run_id: str, kinds: tuple[str, ...] = ("arrived", "spooled")) -> int:
        """Counts the steps that a run's work was told are kept."""
        lines = [line.split() for line in self.counted[run_id].read_text().splitlines() if line.endswith("ed")]
        return max((int(step) + 1 for step, kind in lines if kind in kinds), default=0)


class Ground:
    """A workspace with its servers; every process that comes of it carries a mark in its environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mark = uuid.uuid4().hex
        os.environ[MARK] = self.mark
        self.ledger = Ledger()
        self.report: Callable[[str, object], None] = lambda name, value: None
        self.server = JupyterServer(folder / "server")
        self.root = self.server.root
        self.servers = [self.server]
        (self.root / "count.py").write_text(COUNT)
        self.server.start()
        self.server.api("GET", "runs")
        self.studio = Studio(Workspace(self.root))

    def another_server(self) -> JupyterServer:
        """Starts a further server on the same workspace."""
        server = JupyterServer(self.folder / f"server{len(self.servers)}")
        server.root = self.root
        self.servers.append(server)
        server.start()
        server.api("GET", "runs")
        return server

    def submit(self, kind: str, spec: dict[str, Any], server: JupyterServer | None = None) -> str:
        """Submits a run and writes it into the ledger when it is acknowledged."""
        body = {"kind": kind, "spec": spec, "request_id": uuid.uuid4().hex}
        answer = (server or self.server).api("POST", "runs", body)
        assert answer.status == 201, answer.body
        run_id = str(answer.json["id"])
        self.ledger.submitted[run_id] = body
        return run_id

    def count(self, last: int = 100_000, pause_s: float = 0.02, server: JupyterServer | None = None) -> str:
        """Submits a run that counts, and waits until some of it was acknowledged."""
        notes = self.folder / f"count-{uuid.uuid4().hex}"
        notes.touch()
        run_id = self.submit("script", {"script": "count.py", "args": [str(notes), str(last), str(pause_s)]}, server)
        self.ledger.counted[run_id] = notes
        until(lambda: self.ledger.steps(run_id) >= 5, 30)
        until(lambda: self.row(run_id)["status"] == "Running", 10)
        return run_id

    def stop(self, *run_ids: str, server: JupyterServer | None = None) -> None:
        """Stops runs and waits until they are over."""
        for run_id in run_ids:
            assert (server or self.server).api("POST", f"runs/{run_id}/stop", {}).status in (200, 409)
        for run_id in run_ids:
            until(lambda run_id=run_id: self.row(run_id)["status"] in ENDED, 15)  # type: ignore[misc]

    def shown(self, run_id: str, server: JupyterServer | None = None) -> dict[str, Any]:
        """What a server shows of a run."""
        answer = (server or self.server).api("GET", f"runs/{run_id}")
        assert answer.status == 200, answer.body
        return answer.json  # type: ignore[no-any-return]

    def rows(self) -> dict[str, dict[str, Any]]:
        """The rows of all runs as they are in the database, whoever runs."""
        with closing(sqlite3.connect(f"file:{self.root}/.mlstudio/mlstudio.db?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return {row["id"]: dict(row) for row in connection.execute("SELECT * FROM runs")}

    def row(self, run_id: str) -> dict[str, Any]:
        """The row of one run."""
        return self.rows()[run_id]

    def points(self, run_id: str, name: str = "count") -> list[int]:
        """The steps that are kept of a metric of at most 5,000 points."""
        return self.studio.tracking.series(run_id, [name])[0].steps

    def processes(self) -> list[psutil.Process]:
        """All living processes that came of this ground."""
        return with_variable(f"{MARK}={self.mark}")

    def log_of(self, run_id: str) -> str:
        """What a run printed."""
        return (self.root / ".mlstudio" / "runs" / run_id / "output.log").read_text()

    def measure(self, what: str, seconds: float) -> None:
        """Keeps a measured time for the table at the end."""
        self.report(f"measured: {what}", f"{seconds:.2f}")

    def close(self) -> None:
        """Ends everything, whatever state it is in."""
        for server in self.servers:
            if server.process.poll() is None:
                server.kill()
        self.studio.close()
        deadline = time.monotonic() + 10
        while (rest := self.processes()) and time.monotonic() < deadline:
            for process in rest:
                kill(process.pid)
            psutil.wait_procs(rest, timeout=0.2)
        os.environ.pop(MARK, None)
        shutil.rmtree(self.root, ignore_errors=True)


def until(condition: Callable[[], T], within_s: float) -> tuple[T, float]:
    """Waits until a condition holds; returns what it gave and how many seconds that took.

    The bound is that of a machine with nothing else to do; one that is busy has more in proportion to its load.
    """
    pauses, begun = pause_s(), time.monotonic()
    while True:
        value = condition()
        passed = time.monotonic() - begun
        if value:
            return value, passed
        assert passed < within_s * busy(), f"it did not happen within {within_s:g} s"
        time.sleep(next(pauses))


def with_variable(setting: str) -> list[psutil.Process]:
    """Lists living processes that were started with a variable in their environment, but this one."""
    found = []
    for pid in psutil.pids():
        try:
            variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            process = psutil.Process(pid)
            if setting.encode() in variables and pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (OSError, psutil.Error):
            continue
    return found


def kill(pid: int) -> None:
    """kill -9."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
