"""How long ``log_metric`` keeps user code waiting, and how much CPU a logged point costs until it is stored.

Blocking: against putting the same tuple on an in-process queue, in turns in one process. CPU: of this process with its
flush thread and of the run's supervisor that stores the points, against ``mlflow.log_metric`` on SQLite.
"""

from __future__ import annotations

import json
import os
import queue
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

BLOCKING_TARGET, CPU_TARGET = 2.0, 50.0
ROUNDS, CALLS = 2000, 100
CPU_POINTS = 100_000
PEER = Path(__file__).parents[1] / ".bench" / "mlflow" / "bin" / "python"

_PEER_CODE = """
import json, os, sys, tempfile, time
os.chdir(tempfile.mkdtemp())
import mlflow
mlflow.set_tracking_uri("sqlite:///mlflow.db")
with mlflow.start_run():
    for step in range(20):
        mlflow.log_metric("loss", 0.5, step=step)
    cpu, wall = time.process_time(), time.perf_counter()
    for step in range(20, 320):
        mlflow.log_metric("loss", 0.5, step=step)
    print(json.dumps([(time.process_time() - cpu) / 300, (time.perf_counter() - wall) / 300]))
"""


def run() -> int:
    """Measures, prints the table and the figure; answers 0 when both targets are met."""
    if not PEER.exists():
        print(f"{PEER} is missing: `make bench-setup` installs the peers, each into an environment of its own")
        return 1
    peer = _mlflow()
    with tempfile.TemporaryDirectory(prefix="mlstudio-bench-") as folder:
        os.environ["MLSTUDIO_WORKSPACE"] = folder
        ours, queued, cpu_s = _measure()
    blocking, cheaper = ours[0] / queued[0], peer[0] / cpu_s
    print(f"{'':34}{'blocking, ns a call':>20}{'CPU, ns a call':>16}{'CPU until stored, µs':>22}")
    print(f"{'queue.SimpleQueue.put':34}{queued[0]:20.0f}{queued[1]:16.0f}{'-':>22}")
    print(f"{'jupyter_mlstudio.log_metric':34}{ours[0]:20.0f}{ours[1]:16.0f}{cpu_s * 1e6:22.2f}")
    print(f"{'mlflow.log_metric, SQLite':34}{peer[1] * 1e9:20.0f}{peer[0] * 1e9:16.0f}{peer[0] * 1e6:22.2f}")
    good = blocking <= BLOCKING_TARGET and cheaper >= CPU_TARGET
    figure = f"{blocking:.2f}x a queue, {cheaper:.0f}x less CPU than mlflow"
    print(f"log-blocking: {figure} (target {BLOCKING_TARGET:g}x, {CPU_TARGET:g}x): {'ok' if good else 'short'}")
    return 0 if good else 1


def _mlflow() -> tuple[float, float]:
    """CPU and wall seconds of one ``mlflow.log_metric`` on SQLite, in an environment of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW", "MLSTUDIO"))}
    done = subprocess.run(
        [str(PEER), "-W", "ignore", "-c", _PEER_CODE], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"mlflow failed: {done.stderr.strip().splitlines()[-1]}")
    cpu, wall = json.loads(done.stdout.strip().splitlines()[-1])
    return float(cpu), float(wall)


def _measure() -> tuple[tuple[float, float], tuple[float, float], float]:
    import jupyter_mlstudio as studio

    with studio.start_run("log-blocking") as active:
        studio.log_metric("loss", 0.5, 0)
        ours, queued = _blocking(studio.log_metric)
        active.flush()
        cpu_s = _cpu_until_stored(studio.log_metric, active.flush, active.id)
    return ours, queued, cpu_s


def _blocking(log_metric: Callable[[str, float, int], None]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Median wall and CPU nanoseconds of a call: ours and a queue's, in turns."""
    waiting: queue.SimpleQueue[tuple[str, float, int, float]] = queue.SimpleQueue()  # noqa: TID251 - the peer; nobody waits

    def ours(step: int) -> None:
        for _ in range(CALLS):
            log_metric("loss", 0.5, step)

    def queued(step: int, put: Callable[..., None] = waiting.put, now: Callable[[], float] = time.time) -> None:
        for _ in range(CALLS):
            put(("loss", 0.5, step, now()))

    taken: dict[object, tuple[list[float], list[float]]] = {ours: ([], []), queued: ([], [])}
    for step in range(ROUNDS):
        for side in (ours, queued) if step % 2 else (queued, ours):
            cpu, wall = time.thread_time_ns(), time.perf_counter_ns()
            side(step)
            taken[side][0].append((time.perf_counter_ns() - wall) / CALLS)
            taken[side][1].append((time.thread_time_ns() - cpu) / CALLS)
    medians = [(statistics.median(walls), statistics.median(cpus)) for walls, cpus in taken.values()]
    return medians[0], medians[1]


def _cpu_until_stored(log_metric: Callable[[str, float, int], None], flush: Callable[[], bool], run_id: str) -> float:
    """CPU seconds a point costs in this process and in the studio's, until it is stored."""
    others = [process for process in psutil.process_iter() if _is_studio(process, run_id)]
    before = time.process_time() + sum(_cpu_of(process) for process in others)
    for step in range(CPU_POINTS):
        log_metric("cpu", 0.5, step)
        if step % 2000 == 0:
            time.sleep(0.02)
    flush()
    return (time.process_time() + sum(_cpu_of(process) for process in others) - before) / CPU_POINTS


def _is_studio(process: psutil.Process, run_id: str) -> bool:
    try:
        command = process.cmdline()
    except psutil.Error:
        return False
    workspace = os.environ["MLSTUDIO_WORKSPACE"]
    mine = any(run_id in part or workspace in part for part in command)
    return process.pid != os.getpid() and "jupyter_mlstudio.runner" in command and mine


def _cpu_of(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    sys.exit(run())
