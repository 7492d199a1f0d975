"""Samplers by name: that each works, what the exhaustive ones try, and what is refused."""

from __future__ import annotations

from typing import Any

import optuna
import pytest

from jupyter_mlstudio.entities.sweeps import Sampling
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.sweeps import samplers
from jupyter_mlstudio.sweeps.space import Space
from tests.sweeps.test_space import FINITE, MODELS, space_of

FLAT = {"lr": "loguniform(-6,-1)", "n": "int(2,12)", "drop": "quniform(0,1,0.1)", "w": "normal(0,1)"}
QUICK = [name for name in samplers.NAMES if name not in ("grid", "bruteforce", "gp")]


def swept(space: Space, name: str, count: int, objectives: int = 1, **options: Any) -> list[dict[str, Any]]:
    sampler = samplers.make(Sampling(algorithm=name, seed=3, options=options), space, objectives)
    study = optuna.create_study(sampler=sampler, directions=["minimize"] * objectives)
    rows = []
    for _ in range(count):
        trial = study.ask()
        rows.append(space.suggest(trial))
        study.tell(trial, [sum(v for v in rows[-1].values() if isinstance(v, int | float))] * objectives)
    return rows


@pytest.mark.parametrize("name", QUICK)
def test_a_sampler_draws_from_flat_spaces_and_from_branches(name: str) -> None:
    for space in (space_of(**FLAT), space_of(a="uniform(0,1)", model=MODELS)):
        rows = swept(space, name, 14)
        assert len({repr(row) for row in rows}) > 7
        assert rows == swept(space, name, 14), "the seed makes it repeatable"


@pytest.mark.slow
def test_a_gaussian_process_draws_from_flat_spaces_and_from_branches() -> None:
    for space in (space_of(**FLAT), space_of(a="uniform(0,1)", model=MODELS)):
        assert len({repr(row) for row in swept(space, "gp", 5, n_startup_trials=4)}) == 5


@pytest.mark.parametrize("name", ["tpe", "nsgaii", "nsgaiii", "random", "sobol"])
def test_several_objectives_have_samplers(name: str) -> None:
    assert len(swept(space_of(**FLAT), name, 12, objectives=2)) == 12


def test_any_class_of_optuna_is_found_by_its_name() -> None:
    sampler = samplers.make(Sampling(algorithm="TPESampler", options={"n_startup_trials": 3}), space_of(**FLAT))
    assert sampler.inner._n_startup_trials == 3  # type: ignore[attr-defined]
    fixed = swept(space_of(**FLAT), "PartialFixedSampler", 5, fixed_params={"n": 4})
    assert {row["n"] for row in fixed} == {4}


def test_azures_random_rule_sobol_is_the_scrambled_sequence() -> None:
    space = space_of(x="uniform(0,1)", y="uniform(0,1)")
    assert swept(space, "random", 16, rule="sobol") == swept(space, "sobol", 16)
    cells = {(int(row["x"] * 4), int(row["y"] * 4)) for row in swept(space, "sobol", 16)}
    assert len(cells) == 16, "16 points of a Sobol sequence hit each of 4 x 4 cells once"


@pytest.mark.parametrize("name", ["grid", "bruteforce"])
def test_every_point_is_tried_once_those_that_somebody_enqueued_included(name: str) -> None:
    space = space_of(**FINITE)
    study = optuna.create_study(sampler=samplers.make(Sampling(algorithm=name, seed=1), space))
    space.enqueue(study, {"b": 2, "m": "rf", "depth": 5, "d": 0.5, "g": 0.3})
    space.enqueue(study, {"m": "x"})
    seen: list[str] = []
    while samplers.left(study):
        if len(seen) == 100:
            study.sampler = samplers.make(Sampling(algorithm=name, seed=1), space)
        trial = study.ask()
        seen.append(repr(space.suggest(trial)))
        if len(seen) % 3:
            study.tell(trial, 1.0)
    assert len(seen) == len(set(seen)) == 324


def test_bruteforce_is_the_grid_in_another_order() -> None:
    space = space_of(a="int(1,5)", b="int(1,5)")
    grid, shuffled = swept(space, "grid", 25), swept(space, "bruteforce", 25)
    assert grid != shuffled
    assert sorted(map(repr, grid)) == sorted(map(repr, shuffled))


def test_a_function_that_asks_by_itself_is_tried_exhaustively_by_optuna() -> None:
    study = optuna.create_study(sampler=samplers.make(Sampling(algorithm="bruteforce"), Space({})))
    study.optimize(lambda trial: trial.suggest_int("a", 1, 3) * trial.suggest_categorical("b", [1, 2]), n_trials=50)
    assert len(study.trials) == 6
    assert samplers.left(study) is None


@pytest.mark.parametrize(
    ("sampling", "told"),
    [
        (Sampling(algorithm="anneal"), "no sampler 'anneal'"),
        (Sampling(algorithm="BaseSampler"), "no sampler 'BaseSampler'"),
        (Sampling(algorithm="grid"), "'lr' has infinitely many values"),
        (Sampling(algorithm="tpe", options={"startup": 3}), "has no option 'startup': it has"),
        (Sampling(algorithm="random", options={"rule": "halton"}), "choose random or sobol"),
        (Sampling(algorithm="PartialFixedSampler"), "needs the option 'fixed_params'"),
    ],
)
def test_what_cannot_be_sampled_is_refused_with_a_remedy(sampling: Sampling, told: str) -> None:
    with pytest.raises(Invalid, match=told.replace("(", r"\(")):
        samplers.make(sampling, space_of(**FLAT))


def test_covariance_adaptation_has_one_objective() -> None:
    with pytest.raises(Invalid, match="one objective, not 2"):
        samplers.make(Sampling(algorithm="cmaes"), space_of(**FLAT), objectives=2)


@pytest.mark.parametrize("base", [1, 0, -2, True, "two", float("nan")])
def test_a_logarithm_has_a_base_above_one(base: Any) -> None:
    with pytest.raises(Invalid, match="logbase is"):
        samplers.base(Sampling(options={"logbase": base}))


def test_tpe_tries_no_point_of_a_finite_space_twice() -> None:
    rows = swept(space_of(a="int(1,6)", b="quniform(0,5,1)", c="choice(x)"), "tpe", 20)
    assert len({repr(row) for row in rows}) == 20, "TPE by itself comes back to the best point again and again"
