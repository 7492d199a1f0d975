"""Memory of AutoML beside a plain fit of the model that won, and 1,000,000 rows x 30 columns within the budget.

``python -m benchmarks.automl_memory --seconds 60 --tables bank_churn --rows 1000000 --cores 2``
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil

from benchmarks import automl_tables

ROOT = Path(__file__).parents[1]
TIMES = 2.0
MOST_GB = 8.0
OVER = 1.05
PLAIN = """
import pickle, sys
import pandas as pd
from pathlib import Path
from sklearn.base import clone
folder = Path(sys.argv[1])
model = clone(pickle.loads((folder / "model.pkl").read_bytes()))
rows = pd.read_pickle(folder / "rows.pkl")
model.fit(rows.drop(columns="target"), rows["target"])
"""
SEARCHED = """
import pickle, sys, time, json, pandas as pd
from pathlib import Path
from jupyter_mlstudio.learning.plan import make_plan
from jupyter_mlstudio.learning.search import Asked, Search
from jupyter_mlstudio.entities.automl import AutoMLLimits, AutoMLSpec
from jupyter_mlstudio.programs.automl_check import ModelCheck
began, folder, seconds = time.time(), Path(sys.argv[1]), float(sys.argv[2])
cores, seed = int(sys.argv[3]), int(sys.argv[4])
limits = AutoMLLimits(timeout_s=seconds, max_concurrent_trials=cores)
spec = AutoMLSpec(data="train", target="target", limits=limits, seed=seed)
plan = make_plan(pd.read_parquet(folder / "train.parquet"), spec)
outcome = Search(plan, spec, folder / "search", check=ModelCheck(), began=began).run(lambda one: None, Asked)
used = time.time() - began
labels = plan.y if plan.classes is None else plan.classes[plan.y]
plan.X.assign(target=labels).to_pickle(folder / "rows.pkl")
(folder / "model.pkl").write_bytes(pickle.dumps(outcome.model))
(folder / "told.json").write_text(json.dumps({
    "used_s": used, "winner": outcome.winner.family, "score": outcome.winner.score, "rows": outcome.winner.rows,
}))
"""


def run(arguments: Sequence[str] = ()) -> int:
    """Prints a row for each table; 0 when nothing is over its limit."""
    parser = argparse.ArgumentParser(prog="automl-memory")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--tables", nargs="+", default=["bank_churn", "california", "made"])
    parser.add_argument("--seeds", nargs="+", default=["0"])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the table that is made, with 30 columns")
    parser.add_argument("--cores", type=int, default=1)
    asked = parser.parse_args(list(arguments))
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; memory is the most of all processes, shared pages "
          "counted once (PSS)")  # fmt: skip
    print(f"{'table':16}{'rows':>10}{'used':>8}{'search':>10}{'plain fit':>11}{'ratio':>7}  winner")
    worst, most, over = 0.0, 0.0, 0.0
    for name in automl_tables.listed(asked.tables):
        for seed in map(int, automl_tables.listed(asked.seeds)):
            told = _one(name, asked, seed)
            worst, most = max(worst, told["ratio"]), max(most, told["search_mb"] / 1024)
            over = max(over, told["used_s"] / asked.seconds)
            print(f"{name:16}{told['all']:>10,}{told['used_s']:>7.1f}s{told['search_mb']:>7.0f} MB"
                  f"{told['plain_mb']:>8.0f} MB{told['ratio']:>6.2f}x  {told['winner']} {told['score']:.4f} on "
                  f"{told['rows']:,} rows", flush=True)  # fmt: skip
    missed = worst > TIMES or most > MOST_GB or over > OVER
    print(f"automl-memory: {worst:.2f}x the plain fit, {most:.1f} GB, {over:.2f} of the budget (target {TIMES:g}x, "
          f"{MOST_GB:g} GB, {OVER:g}): {'short' if missed else 'ok'}")  # fmt: skip
    return int(missed)


def _one(name: str, asked: argparse.Namespace, seed: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="automl-memory-") as place:
        folder = Path(place)
        frame = _made(asked.rows, seed) if name == "made" else automl_tables.read(name, asked.data, seed).train
        frame.to_parquet(folder / "train.parquet")
        count = len(frame)
        del frame
        search = _peak_mb([SEARCHED, str(folder), str(asked.seconds), str(asked.cores), str(seed)])
        plain = _peak_mb([PLAIN, str(folder)])
        told = json.loads((folder / "told.json").read_text())
    return {**told, "all": count, "search_mb": search, "plain_mb": plain, "ratio": search / plain}


def _made(rows: int, seed: int) -> pd.DataFrame:
    """A table of 30 numbers, of which ten matter, with a binary target."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, 30))
    weights = np.r_[rng.normal(size=10), np.zeros(20)]
    raw = values @ weights + 2 * values[:, 0] * values[:, 1] + rng.normal(scale=2, size=rows)
    return pd.DataFrame(values, columns=[f"c{number}" for number in range(30)]).assign(target=(raw > 0).astype(int))


def _peak_mb(arguments: list[str]) -> float:
    """The most memory of a script and its children."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, "-c", *arguments], env=environment, stderr=subprocess.PIPE)
    peaks = [0.0]
    watcher = threading.Thread(target=_watch, args=(process, peaks), daemon=True)
    watcher.start()
    _, errors = process.communicate()
    watcher.join()
    if process.returncode:
        raise SystemExit(errors.decode()[-2000:])
    return peaks[0]


def _watch(process: subprocess.Popen[bytes], peaks: list[float]) -> None:
    while process.poll() is None:
        total = 0
        try:
            parent = psutil.Process(process.pid)
            for one in [parent, *parent.children(recursive=True)]:
                total += one.memory_full_info().pss
        except (psutil.Error, OSError):
            pass
        peaks[0] = max(peaks[0], total / 2**20)
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
