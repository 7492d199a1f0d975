"""AutoML beside FLAML, AutoGluon and plain boosting: rank over tables at equal seconds, on the same rows and core.

``python -m benchmarks.automl_rank --seconds 60 300 --tables titanic,wine --seeds 0,1,2 --data FOLDER --cores 1``

Ten tables, three seeds and 300 seconds take ten hours: with ``--keep FILE`` a measurement goes on where it was cut off.
What the studio did is taken from there only while its search is the same, to the byte.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import automl_tables
from jupyter_mlstudio.entities.automl import Task
from jupyter_mlstudio.learning import metrics

ROOT = Path(__file__).parents[1]
SIDES = ("mlstudio", "flaml", "autogluon", "boosting")
NEAR = 0.005
OVER = 1.05
DIFFERENCE, FASTER = 1e-5, 5.0


def run(arguments: Sequence[str] = ()) -> int:
    """Prints the whole table; 0 when the mean rank is as good as every peer's, and no budget is exceeded by 5 %."""
    asked = _parsed(arguments)
    sides = [side for side in asked.sides if _python(side) is not None]
    left_out = [side for side in asked.sides if side not in sides]
    tables = automl_tables.asked(asked.tables, asked.data)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {asked.cores} for each; not installed: "
          f"{', '.join(left_out) or 'none'}", flush=True)  # fmt: skip
    short = False
    for seconds in asked.seconds:
        scores, told = _measured(sides, tables, seconds, asked)
        short |= _printed(sides, scores, told, seconds)
    return int(short)


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="automl-rank")
    parser.add_argument("--seconds", nargs="+", default=["60"])
    parser.add_argument(
        "--tables", nargs="+", default=[], help="names; made: those of automl_made.py; all others without it"
    )
    parser.add_argument("--seeds", nargs="+", default=["0"], help="numbers, each a run on other rows")
    parser.add_argument("--data", type=Path, help="a folder of CSV files with a column target")
    parser.add_argument("--sides", nargs="+", default=list(SIDES))
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a file of what was measured; what it has is not measured again")
    asked = parser.parse_args(list(arguments))
    asked.seconds = [float(one) for one in automl_tables.listed(asked.seconds)]
    asked.seeds = [int(one) for one in automl_tables.listed(asked.seeds)]
    asked.tables, asked.sides = automl_tables.listed(asked.tables), automl_tables.listed(asked.sides)
    return asked


def _python(side: str) -> Path | None:
    """The Python of a side: this one, or that of its environment below ``.bench``."""
    if side in ("mlstudio", "boosting"):
        return Path(sys.executable)
    path = ROOT / ".bench" / side / "bin" / "python"
    return path if path.is_file() else None


Scores = dict[str, dict[str, list[float]]]
"""By table and side; a loss, for each seed."""


def _measured(
    sides: list[str], tables: list[str], seconds: float, asked: argparse.Namespace
) -> tuple[Scores, dict[str, list[dict[str, Any]]]]:
    scores: Scores = defaultdict(lambda: defaultdict(list))
    told: dict[str, list[dict[str, Any]]] = defaultdict(list)
    kept: dict[str, Any] = json.loads(asked.keep.read_text()) if asked.keep and asked.keep.is_file() else {}
    for name in tables:
        for seed in asked.seeds:
            table = automl_tables.read(name, asked.data, seed)
            for side in sides:
                key = f"{name} {side} {seed} {seconds:g} s, {asked.cores} cores, {_state(side)}"
                if key not in kept:
                    kept[key] = _one(side, table, seconds, seed, asked.cores)
                    _keep(asked.keep, kept)
                score, what = kept[key]
                scores[name][side].append(score)
                told[side].append({**what, "table": name})
                print(f"{name:16}{side:10}seed {seed} {table.metric} {score:.5f}  {_short(what)}", flush=True)
    return scores, told


def _state(side: str) -> str:
    """A digest of the studio's search; nothing for a peer, whose version is told."""
    if side != "mlstudio":
        return ""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "jupyter_mlstudio" / "learning").glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _keep(path: Path | None, kept: dict[str, Any]) -> None:
    if path is not None:
        path.write_text(json.dumps(kept, indent=1))


def _one(side: str, table: automl_tables.Table, seconds: float, seed: int, cores: int) -> tuple[float, dict[str, Any]]:
    task = Task.CLASSIFICATION if table.classifies else Task.REGRESSION
    metric = metrics.find(table.metric, task)
    with tempfile.TemporaryDirectory(prefix="automl-rank-") as place:
        folder = Path(place)
        table.train.to_parquet(folder / "train.parquet")
        table.test.to_parquet(folder / "test.parquet")
        (folder / "task.json").write_text(json.dumps({"classifies": table.classifies, "metric": table.metric}))
        script = Path(__file__).with_name("automl_peers.py")
        command = [str(_python(side)), str(script), side, str(folder), str(seconds), str(seed), str(cores)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)} if side == "mlstudio" else dict(os.environ)
        try:
            limit_s = 10 * seconds + 300
            subprocess.run(command, capture_output=True, text=True, env=environment, timeout=limit_s, check=True)
        except subprocess.SubprocessError as error:
            why = str(getattr(error, "stderr", None) or error).strip().splitlines()[-1:]
            print(f"{table.name} {side} failed: {why}", file=sys.stderr)
            return float("inf"), {"used_s": 0.0}
        predicted = np.load(folder / "predicted.npy")
        what = json.loads((folder / "told.json").read_text())
    y = table.test["target"].to_numpy()
    if table.classifies:  # in the order of the classes, which for numbers is not that of their names
        y = np.searchsorted(np.unique(table.train["target"].to_numpy()), y)
    return metric.loss(metric.score(y, predicted)), what


def _agrees(one: dict[str, Any]) -> bool:
    """Whether a winner answers test rows as its ONNX form does; values of a regression differ by their own size."""
    return bool(one.get("ready")) and not one.get("flips") and (one["flips"] is None or one["difference"] <= DIFFERENCE)


def _short(what: dict[str, Any]) -> str:
    kept = {name: round(value, 4) if isinstance(value, float) else value for name, value in what.items()}
    return " ".join(f"{name}={value}" for name, value in kept.items() if value not in (None, ""))


def _printed(sides: list[str], scores: Scores, told: dict[str, list[dict[str, Any]]], seconds: float) -> bool:
    """Prints mean losses and ranks; answers whether a target was missed."""
    print(f"\n{seconds:g} s; means over seeds, less is better\n{'table':16}" + "".join(f"{side:>14}" for side in sides))
    means = {name: {side: statistics.fmean(by_side[side]) for side in sides} for name, by_side in scores.items()}
    for name, losses in means.items():
        print(f"{name:16}" + "".join(f"{losses[side]:>14.5f}" for side in sides))
    mean = {
        side: statistics.fmean(1 + sum(other < one[side] for other in one.values()) for one in means.values())
        for side in sides
    }
    print(f"{'mean rank':16}" + "".join(f"{mean[side]:>14.2f}" for side in sides))
    for what in ("cpu_s", "peak_mb"):
        print(
            f"{what:16}" + "".join(f"{statistics.fmean(o.get(what, 0) for o in told[side]):>14.0f}" for side in sides)
        )
    print("versions: " + ", ".join(f"{side} {told[side][0].get('version', '(this tree)')}" for side in sides))
    return "mlstudio" in sides and _judged(means, mean, told["mlstudio"], seconds)


def _judged(
    means: dict[str, dict[str, float]], mean: dict[str, float], ours: list[dict[str, Any]], seconds: float
) -> bool:
    """Prints how the studio does beside the best of all; answers whether a target was missed."""
    lost = [
        name for name, one in means.items()
        if abs(one["mlstudio"] - min(one.values())) > NEAR * max(abs(min(one.values())), 1e-9)
    ]  # fmt: skip
    print(f"more than {NEAR:.1%} behind the best: {', '.join(lost) or 'nowhere'}")
    over = max(one["used_s"] for one in ours) / seconds
    bad = [one["table"] for one in ours if not _agrees(one)]
    slow = [one["table"] for one in ours if (one.get("speedup") or 0) < FASTER]
    differs = max(one.get("difference") or 0.0 for one in ours)
    print(f"winners whose ONNX form answers test rows otherwise (a flip, or above {DIFFERENCE:g}): "
          f"{', '.join(bad) or 'none'}; it differs by {differs:.2g} at most")  # fmt: skip
    print(f"winners less than {FASTER:g}x as fast by ONNX at one row: {', '.join(slow) or 'none'}; "
          f"most of the budget used: {over:.2f}")  # fmt: skip
    missed = mean["mlstudio"] > min(mean.values()) or bool(lost) or over > OVER or bool(bad or slow)
    print(f"automl-rank: mean rank {mean['mlstudio']:.2f} at {seconds:g} s (target {min(mean.values()):.2f}): "
          f"{'short' if missed else 'ok'}")  # fmt: skip
    return missed


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
