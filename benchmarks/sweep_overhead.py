"""What a trial costs over plain Optuna, with a run and its metrics kept for each; 1,000 trivial trials by 4 workers.

Both sides are processes of their own with Optuna's journal storage and the same sampler, in turns. Ours is a whole
sweep: supervisor, controller and workers, measured by the CPU of all their processes, less what an empty sweep costs.
"""

from __future__ import annotations

import base64
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cloudpickle

OVERHEAD_MS_TARGET, CPU_TARGET, PARALLEL_TARGET = 5.0, 2.0, 3.0
TRIALS, MANY, WORKERS, ROUNDS = 200, 1000, 4, 3

_PLAIN = """
import json, os, sys, tempfile, time, warnings
warnings.simplefilter("ignore")
import optuna
optuna.logging.set_verbosity(optuna.logging.WARNING)
from optuna.storages.journal import JournalFileBackend
trials, jobs = int(sys.argv[1]), int(sys.argv[2])
path = os.path.join(tempfile.mkdtemp(), "study.journal")
study = optuna.create_study(
    storage=optuna.storages.JournalStorage(JournalFileBackend(path)), sampler=optuna.samplers.RandomSampler(seed=0),
    direction="maximize",
)
cpu, wall = time.process_time(), time.perf_counter()
study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=trials, n_jobs=jobs)
print(json.dumps([time.process_time() - cpu, time.perf_counter() - wall]))
"""


def run() -> int:
    """Measures, prints the table and the figure; answers 0 when all three targets are met."""
    with tempfile.TemporaryDirectory(prefix="mlstudio-bench-") as folder:
        ours, plain, many, peer = [], [], [], []
        for _ in range(ROUNDS):
            plain.append(_plain(TRIALS, 1))
            empty, whole = _sweep(Path(folder), 1, 1), _sweep(Path(folder), TRIALS + 1, 1)
            ours.append(((whole[0] - empty[0]), (whole[1] - empty[1])))
            peer.append(_plain(MANY, WORKERS))
            many.append(_sweep(Path(folder), MANY, WORKERS))
    cpu, wall = (statistics.median(one[part] for one in ours) / TRIALS * 1e3 for part in (0, 1))
    plain_cpu, plain_wall = (statistics.median(one[part] for one in plain) / TRIALS * 1e3 for part in (0, 1))
    many_s, peer_s = (statistics.median(one[1] for one in side) for side in (many, peer))
    print(f"{'one after the other, a trial':44}{'CPU, ms':>10}{'wall, ms':>10}")
    print(f"{'Optuna, journal storage':44}{plain_cpu:10.2f}{plain_wall:10.2f}")
    print(f"{'a sweep, with runs and metrics':44}{cpu:10.2f}{wall:10.2f}")
    print(f"{MANY} trials, {WORKERS} at a time: Optuna n_jobs={WORKERS} {peer_s:.1f} s, a sweep {many_s:.1f} s")
    overhead, ratio, parallel = wall - plain_wall, cpu / plain_cpu, many_s / peer_s
    good = overhead <= OVERHEAD_MS_TARGET and ratio <= CPU_TARGET and parallel <= PARALLEL_TARGET
    figure = f"{overhead:.1f} ms and {ratio:.1f}x CPU a trial, {parallel:.1f}x the time of n_jobs={WORKERS}"
    targets = f"{OVERHEAD_MS_TARGET:g} ms, {CPU_TARGET:g}x, {PARALLEL_TARGET:g}x"
    print(f"sweep-overhead: {figure} (target {targets}): {'ok' if good else 'short'}")
    return 0 if good else 1


def _plain(trials: int, jobs: int) -> tuple[float, float]:
    command = [sys.executable, "-c", _PLAIN, str(trials), str(jobs)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    cpu, wall = json.loads(done.stdout.strip().splitlines()[-1])
    return float(cpu), float(wall)


def objective(x: float) -> float:
    """Does nothing."""
    return x


def _sweep(folder: Path, trials: int, parallel: int) -> tuple[float, float]:
    """CPU seconds of everything that a sweep consists of, and seconds from its first trial to its last."""
    from jupyter_mlstudio.entities.runs import TERMINAL, RunKind
    from jupyter_mlstudio.entities.specs import Resources, RunSpec
    from jupyter_mlstudio.entities.sweeps import Objective, Sampling, SweepLimits, SweepSpec
    from jupyter_mlstudio.studio import Studio
    from jupyter_mlstudio.workspace import Workspace

    studio = Studio(Workspace(folder))
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    packed = base64.b64encode(cloudpickle.dumps(objective)).decode()
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])
    spec = SweepSpec(
        space={"x": {"type": "uniform", "min_value": 0.0, "max_value": 1.0}},
        objectives=[Objective(primary_metric="score")], sampling=Sampling(algorithm="random", seed=0),
        limits=SweepLimits(max_total_trials=trials, max_concurrent_trials=parallel),
    )  # fmt: skip
    run = studio.sweeps.create(RunKind.TRIAL, RunSpec(resources=Resources(cpus=0.25)), spec, function=packed)
    seen: dict[int, float] = {}
    while studio.runs.get(run.id).status not in TERMINAL:
        with studio.database.read() as connection:
            _note(connection, run.id, seen)
        time.sleep(0.1)
    told = json.loads(studio.sweeps.trials(run.id, limit=20_000))["trials"]
    assert sum(one["state"] == "COMPLETE" for one in told) == trials
    time.sleep(0.3)
    studio.close()
    return sum(seen.values()), _span(told)


def _note(connection: Any, run_id: str, seen: dict[int, float]) -> None:
    """Keeps the CPU that each process of the sweep has used so far."""
    import psutil

    from jupyter_mlstudio.store import runs

    row = runs.row(connection, run_id)
    if row is None or row.supervisor_pid is None:
        return
    try:
        supervisor = psutil.Process(row.supervisor_pid)
        for process in [supervisor, *supervisor.children(recursive=True)]:
            times = process.cpu_times()
            seen[process.pid] = max(seen.get(process.pid, 0.0), times.user + times.system)
    except psutil.Error:
        return


def _span(told: list[dict[str, Any]]) -> float:
    from datetime import datetime

    began = min(datetime.fromisoformat(one["started_at"]) for one in told)
    ended = max(datetime.fromisoformat(one["ended_at"]) for one in told)
    return (ended - began).total_seconds()


if __name__ == "__main__":
    sys.exit(run())
