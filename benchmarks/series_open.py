"""A series of a million points, opened over a real Jupyter server: how many points come, how soon, for how much memory.

Beside it a server with an empty workspace, asked for its list of runs. Both in turns.
"""

from __future__ import annotations

import math
import os
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.jupyter import Server, served
from jupyter_mlstudio.entities.runs import Origin
from jupyter_mlstudio.entities.tracking import LogBatch, Points
from jupyter_mlstudio.services.processes import Identity, boot_id
from jupyter_mlstudio.studio import Studio
from jupyter_mlstudio.workspace import Workspace

POINTS, POINTS_TARGET = 1_000_000, 5000
TIME_TARGET_MS, MEMORY_TARGET_MB = 100.0, 100.0
ROUNDS, BATCH = 30, 20_000


def run() -> int:
    """Measures, prints the table and the figure; answers 0 when every target is met."""
    with tempfile.TemporaryDirectory(prefix="mlstudio-bench-") as name:
        folder = Path(name)
        full, empty = folder / "full", folder / "empty"
        full.mkdir()
        empty.mkdir()
        run_id, low, high = _fill(full)
        series = f"runs/{run_id}/series?name=loss"
        with served(empty) as empty_server, served(full) as server:
            first = _timed(server, series)
            taken, other = [], []
            for _ in range(ROUNDS):
                other.append(_timed(empty_server, "runs")[0])
                taken.append(_timed(server, series)[0])
            memory = [server.memory_mb(), empty_server.memory_mb()]
            peak = [server.memory_mb("VmHWM"), empty_server.memory_mb("VmHWM")]
        points: dict[str, Any] = first[1][0]
    shown = points["values"]
    whole = points["total"] == POINTS and len(shown) <= POINTS_TARGET and {low, high} <= set(shown)
    served_ms, growth_mb = statistics.median(taken), memory[0] - memory[1]
    print(f"{'':36}{'median, ms':>12}{'first, ms':>12}{'worst, ms':>12}{'memory, MB':>12}{'peak, MB':>12}")
    print(
        f"{'a series of 1,000,000 points':36}{served_ms:12.1f}{first[0]:12.1f}{max(taken):12.1f}"
        f"{memory[0]:12.0f}{peak[0]:12.0f}"
    )
    print(
        f"{'an empty workspace, list of runs':36}{statistics.median(other):12.1f}{'':>12}{max(other):12.1f}"
        f"{memory[1]:12.0f}{peak[1]:12.0f}"
    )
    print(f"points {len(shown)} of {points['total']}, smallest and largest {'kept' if whole else 'LOST'}")
    good = whole and served_ms < TIME_TARGET_MS and growth_mb < MEMORY_TARGET_MB
    figure = f"{len(shown)} points in {served_ms:.0f} ms, {growth_mb:.0f} MB more than an empty server"
    target = f"{POINTS_TARGET} points, {TIME_TARGET_MS:g} ms, {MEMORY_TARGET_MB:g} MB"
    print(f"series-open: {figure} (target {target}): {'ok' if good else 'short'}")
    return 0 if good else 1


def _timed(server: Server, path: str) -> tuple[float, Any]:
    began = time.perf_counter()
    answer = server.api(path)
    return (time.perf_counter() - began) * 1000, answer


def _fill(root: Path) -> tuple[str, float, float]:
    """Makes a workspace with one run and its points; answers the run's id and the series' extremes."""
    noise = random.Random(0)
    values = [1 / math.log(step + 3) + noise.gauss(0, 0.05) for step in range(POINTS)]
    values[POINTS // 3], values[POINTS // 2] = -40.0, 40.0  # one point each that no thinning may lose
    studio = Studio(Workspace(root))
    me = Identity.of(os.getpid())
    assert me is not None
    watched = {"boot_id": boot_id(), "supervisor_pid": me.pid, "supervisor_started": me.started}
    made = studio.launcher.adopt(
        watched, name="long", experiment=None, tags={}, origin=Origin(), user="bench", parent_run_id=None
    )
    for number, start in enumerate(range(0, POINTS, BATCH), 1):
        part = values[start : start + BATCH]
        steps = list(range(start, start + len(part)))
        points = Points(steps=steps, times=[1.7e9 + step / 100 for step in steps], values=[*part])
        studio.tracking.log(made.id, LogBatch(client="bench", sequence=number, metrics={"loss": points}))
    studio.launcher.finish(made.id, failed=False, reason="")
    studio.close()
    return made.id, min(values), max(values)


if __name__ == "__main__":
    sys.exit(run())
