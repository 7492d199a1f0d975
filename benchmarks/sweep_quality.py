"""Trials until a loss within 1 % of the exhaustive best: TPE with early termination beside random search, 10 seeds.

Every point of each objective's grid is trained once, and kept in ``.bench/``; the sweeps then look their trials up, so
that ten seeds cost seconds. A trial that ends early counts as a trial; the work is what was trained, in whole trials.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import statistics
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import optuna

from benchmarks import sweep_objectives
from benchmarks.sweep_objectives import OBJECTIVES, Objective
from jupyter_mlstudio.entities import spaces
from jupyter_mlstudio.entities.sweeps import EarlyTermination, Sampling
from jupyter_mlstudio.sweeps import policies, samplers
from jupyter_mlstudio.sweeps.space import Space

NEAR = 1.01
SEEDS = 10
MOST = 400
TARGET = 0.5
KEPT = Path(__file__).parents[1] / ".bench" / "sweep-quality"
POLICY = EarlyTermination(policy="median_stopping", delay_evaluation=2)
SIDES = {"random": (Sampling(algorithm="random"), EarlyTermination()), "tpe": (Sampling(algorithm="tpe"), POLICY)}


def run() -> int:
    """Prints the table; 0 when TPE needs at most half the trials, over the geometric mean of the objectives."""
    optuna.logging.set_verbosity(logging.ERROR)
    print(f"{'objective':26}{'points':>7}{'best':>8}{'near':>7}{'random':>9}{'TPE':>7}{'trials':>8}{'work':>7}")
    ratios = []
    for objective in OBJECTIVES:
        space = space_of(objective)
        curves = trained(objective, space)
        best = min(curve[-1] for curve in curves)
        near = sum(curve[-1] <= NEAR * best for curve in curves) / len(curves)
        taken = {
            name: [search(space, curves, NEAR * best, *side, seed=seed) for seed in range(SEEDS)]
            for name, side in SIDES.items()
        }
        trials = {name: statistics.mean(count for count, _ in found) for name, found in taken.items()}
        work = {name: statistics.mean(parts for _, parts in found) for name, found in taken.items()}
        ratios.append(trials["tpe"] / trials["random"])
        print(
            f"{objective.name:26}{len(curves):>7,}{best:>8.4f}{near:>7.1%}{trials['random']:>9.1f}{trials['tpe']:>7.1f}"
            f"{ratios[-1]:>7.2f}x{work['tpe'] / work['random']:>6.2f}x"
        )
    figure = math.exp(statistics.fmean(math.log(ratio) for ratio in ratios))
    word = "ok" if figure <= TARGET else "short"
    print(f"sweep-quality: {figure:.2f}x the trials of random search (target {TARGET}x): {word}")
    return 0 if word == "ok" else 1


def space_of(objective: Objective) -> Space:
    """Returns an objective's grid."""
    return Space({name: spaces.parse(text) for name, text in objective.space.items()})


def trained(objective: Objective, space: Space) -> list[list[float]]:
    """Returns the losses of every point, by its place in the grid; trained now unless this very code did before."""
    code = Path(sweep_objectives.__file__).read_bytes()
    kept = KEPT / f"{hashlib.sha256(code + objective.name.encode()).hexdigest()[:16]}.json"
    if kept.is_file():
        return [[float(loss) for loss in curve] for curve in json.loads(kept.read_text())]
    os.environ["OMP_NUM_THREADS"] = "1"
    asked = [(objective.name, place) for place in range(space.size() or 0)]
    with ProcessPoolExecutor() as pool:
        curves = list(pool.map(_train, asked, chunksize=8))
    KEPT.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(curves))
    return curves


def _train(asked: tuple[str, int]) -> list[float]:
    objective = next(one for one in OBJECTIVES if one.name == asked[0])
    space = space_of(objective)
    return objective.curve(space.show(space.at(asked[1])))


def search(
    space: Space, curves: list[list[float]], wanted: float, sampling: Sampling, policy: EarlyTermination, seed: int
) -> tuple[int, float]:
    """Sweeps until a loss is small enough; answers how many trials began, and how much of them was trained."""
    sampler = samplers.make(Sampling(algorithm=sampling.algorithm, seed=seed), space)
    study = optuna.create_study(direction="minimize", sampler=sampler, pruner=policies.make(policy))
    work = 0
    for count in range(1, MOST + 1):
        trial = study.ask()
        place = space.place(space.hide(space.suggest(trial)))
        assert place is not None
        curve = curves[place]
        ended = False
        for step, loss in enumerate(curve, start=1):
            trial.report(loss, step)
            work += 1
            ended = trial.should_prune()
            if ended:
                break
        study.tell(trial, None if ended else curve[-1], optuna.trial.TrialState.PRUNED if ended else None)
        if not ended and curve[-1] <= wanted:
            return count, work / len(curve)
    return MOST, work / len(curves[0])


if __name__ == "__main__":
    sys.exit(run())
