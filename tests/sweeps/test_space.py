"""What comes out of a search space: distributions against their formulas, branches, hidden parameters, grids."""

from __future__ import annotations

import itertools
import math
import warnings
from typing import Any

import numpy as np
import optuna
import pytest
from scipy import stats

from jupyter_mlstudio.entities import spaces
from jupyter_mlstudio.entities.sweeps import Sampling
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.sweeps import samplers
from jupyter_mlstudio.sweeps.space import Space

DRAWS = 3_000
SURE = 1e-3
"""A correct sampler fails a test with this probability, for other seeds than the one that is fixed."""


def space_of(**texts: str) -> Space:
    return Space({name: spaces.parse(text) for name, text in texts.items()})


def drawn(space: Space, count: int, algorithm: str = "random", seed: int = 7, **options: Any) -> list[dict[str, Any]]:
    sampling = Sampling(algorithm=algorithm, seed=seed, options=options)
    space = Space(space.space, samplers.base(sampling))
    study = optuna.create_study(sampler=samplers.make(sampling, space))
    return [space.suggest(study.ask()) for _ in range(count)]


def column(text: str, algorithm: str = "random", **options: Any) -> np.ndarray:
    return np.array([row["x"] for row in drawn(space_of(x=text), DRAWS, algorithm, **options)])


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("uniform(-3,5)", stats.uniform(-3, 8)),
        ("loguniform(-6,-1)", stats.loguniform(math.exp(-6), math.exp(-1))),
        ("normal(10,3)", stats.norm(10, 3)),
        ("lognormal(1,0.5)", stats.lognorm(0.5, scale=math.e)),
        ("float(1,100,log)", stats.loguniform(1, 100)),
        ("float(-1,1)", stats.uniform(-1, 2)),
    ],
)
@pytest.mark.parametrize("algorithm", ["random", "sobol"])
def test_a_continuous_distribution_is_its_formula(text: str, formula: Any, algorithm: str) -> None:
    if algorithm == "sobol":
        values = np.array([row["x"] for row in drawn(space_of(x=text), 256, algorithm)])
        assert stats.kstest(values, formula.cdf).statistic < 0.02, "a Sobol sequence is more even than chance"
    else:
        assert stats.kstest(column(text), formula.cdf).pvalue > SURE


@pytest.mark.parametrize(
    ("text", "inner", "exponential", "q"),
    [
        ("quniform(0,10,3)", stats.uniform(0, 10), False, 3),
        ("quniform(-1,1,0.25)", stats.uniform(-1, 2), False, 0.25),
        ("qloguniform(0,3,2)", stats.uniform(0, 3), True, 2),
        ("qnormal(5,4,2)", stats.norm(5, 4), False, 2),
        ("qlognormal(1,0.7,0.5)", stats.norm(1, 0.7), True, 0.5),
    ],
)
def test_a_rounded_distribution_has_azures_shares(text: str, inner: Any, exponential: bool, q: float) -> None:
    """round(value / q) * q has the mass of value between the halves, also the half cells at the ends."""
    values, counts = np.unique(column(text), return_counts=True)
    assert np.allclose(values / q, np.round(values / q))

    def below(bound: np.ndarray) -> np.ndarray:
        if not exponential:
            return np.asarray(inner.cdf(bound))
        return np.where(bound > 0, inner.cdf(np.log(np.maximum(bound, 1e-300))), 0.0)

    expected = DRAWS * (below(values + q / 2) - below(values - q / 2))
    common = expected >= 5
    rest = [DRAWS - counts[common].sum()], [DRAWS - expected[common].sum()]
    seen, wanted = np.append(counts[common], rest[0]), np.append(expected[common], rest[1])
    keep = wanted > 1e-9
    assert stats.chisquare(seen[keep], wanted[keep] * seen[keep].sum() / wanted[keep].sum()).pvalue > SURE


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("randint(5)", [0, 1, 2, 3, 4]),
        ("int(2,11,3)", [2, 5, 8, 11]),
        ("choice(a,b,none)", ["a", "b", None]),
        ("float(0,0.9,0.3)", [0.0, 0.3, 0.6, 0.9]),
    ],
)
def test_finite_distributions_have_equal_shares(text: str, values: list[Any]) -> None:
    seen = [row["x"] for row in drawn(space_of(x=text), DRAWS)]
    counts = [seen.count(value) for value in values]
    assert sum(counts) == DRAWS
    assert stats.chisquare(counts).pvalue > SURE


def test_azures_logbase_changes_the_base_of_its_logarithms() -> None:
    values = column("loguniform(-6,-1)", logbase=10)
    assert stats.kstest(values, stats.loguniform(1e-6, 1e-1).cdf).pvalue > SURE


def test_rounded_values_have_no_digits_that_nobody_asked_for() -> None:
    values = {row["x"] for row in drawn(space_of(x="quniform(0,1,0.1)"), 300)}
    assert values == {place / 10 for place in range(11)}
    assert all(isinstance(row["x"], int) for row in drawn(space_of(x="quniform(1,9,2)"), 10))


SVM = "{name: svm, C: lognormal(0,1), kernel: choice(rbf,linear), probability: true}"
MODELS = f"choice({SVM}, {{name: tree, depth: int(2,9)}}, none)"


def test_a_branch_brings_its_own_parameters_and_constants() -> None:
    rows = drawn(space_of(model=MODELS, seed="randint(3)"), 60)
    kinds = {row["model"] for row in rows}
    assert kinds == {"svm", "tree", None}
    for row in rows:
        own = {"svm": {"C", "kernel", "probability"}, "tree": {"depth"}, None: set()}[row["model"]]
        assert set(row) == {"model", "seed"} | own


def test_branches_in_branches_and_branches_without_names() -> None:
    text = "choice({a: choice({name: deep, b: uniform(0,1)}, plain)}, {c: 3})"
    rows = drawn(space_of(x=text), 40)
    assert {row["x"] for row in rows} == {"option 1", "option 2"}
    assert {frozenset(row) for row in rows} == {frozenset("xa"), frozenset("xab"), frozenset("xc")}


def test_two_branches_may_share_a_parameter() -> None:
    space = space_of(x="choice({name: a, lr: uniform(0,1)}, {name: b, lr: uniform(0,1), m: 1})")
    assert set(space.distributions()) == {"x", "lr"}
    assert all(0 <= row["lr"] <= 1 for row in drawn(space, 10))


def test_an_enqueued_point_is_tried_to_the_last_digit_and_the_rest_is_drawn() -> None:
    space = space_of(a="normal(0,1)", b="quniform(0,1,0.1)", c="loguniform(-6,-1)", d="int(1,9)", model=MODELS)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    point = {"a": 1.2345678901234, "b": 0.55, "c": 0.01, "model": "svm", "C": 2.5, "probability": True}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        space.enqueue(study, point, {"why": "try this"})
        trial = study.ask()
        params = space.suggest(trial)
    assert {name: params[name] for name in point} == point
    assert params["kernel"] in ("rbf", "linear")
    assert trial.user_attrs["why"] == "try this"


@pytest.mark.parametrize(
    ("point", "told"),
    [
        ({"lr": 2.0}, "'lr' is 2.0, outside float(0,1)"),
        ({"lr": "fast"}, "'lr' is 'fast'"),
        ({"lr": True}, "'lr' is True"),
        ({"lr": float("nan")}, "'lr' is nan"),
        ({"depth": 3.5}, "'depth' is 3.5"),
        ({"model": "forest"}, "'model' is 'forest'"),
        ({"model": "tree", "C": 1.0}, "'C' is not one of this trial"),
        ({"model": "svm", "probability": False}, "the constant True"),
        ({"rate": 1}, "there are C, depth, kernel, lr, model"),
    ],
)
def test_a_point_outside_the_space_is_refused_with_what_would_do(point: dict[str, Any], told: str) -> None:
    space = space_of(lr="float(0,1)", model=MODELS)
    with pytest.raises(Invalid) as refused:
        space.hide(point)
    assert told in refused.value.message


def test_the_values_of_a_trial_are_read_back_from_the_study() -> None:
    space = space_of(a="normal(0,1)", b="qloguniform(0,3,2)", model=MODELS)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    for _ in range(20):
        trial = study.ask()
        params = space.suggest(trial)
        assert space.show(trial.params) == params


def test_wider_bounds_go_on_in_the_same_study_with_every_sampler() -> None:
    before, after = space_of(x="uniform(0,1)", n="int(1,4)"), space_of(x="uniform(-1,2)", n="int(1,8)")
    for name in ("random", "tpe", "cmaes", "nsgaii", "sobol"):
        sampling = Sampling(algorithm=name, seed=0)
        study = optuna.create_study(sampler=samplers.make(sampling, before))
        values = []
        for place in range(36):
            space = before if place < 12 else after
            if place == 12:
                study.sampler = samplers.make(sampling, after)
            trial = study.ask()
            params = space.suggest(trial)
            study.tell(trial, (params["x"] + 1) ** 2 - params["n"])
            values.append(params)
        assert all(0 <= row["x"] <= 1 for row in values[:12]), name
        assert any(row["x"] < 0 for row in values[12:]), name
        assert any(row["n"] > 4 for row in values[12:]), name


@pytest.mark.slow
def test_a_gaussian_process_goes_on_with_other_bounds() -> None:
    before, after = space_of(x="uniform(0,1)"), space_of(x="uniform(-1,2)")
    sampling = Sampling(algorithm="gp", seed=0, options={"n_startup_trials": 3})
    study = optuna.create_study(sampler=samplers.make(sampling, before))
    values = []
    for place in range(9):
        space = before if place < 5 else after
        if place == 5:
            study.sampler = samplers.make(sampling, after)
        trial = study.ask()
        values.append(space.suggest(trial)["x"])
        study.tell(trial, (values[-1] + 1) ** 2)
    assert min(values[:5]) >= 0 > min(values[5:])


FINITE = {
    "b": "int(1,3)",
    "m": "choice({name: svm, C: choice(1,2), kernel: choice(rbf,linear), n: 3}, {name: rf, depth: int(2,12,3)}, x)",
    "d": "quniform(0,1,0.5)",
    "g": "float(0,1,0.3)",
}


def test_a_grid_counts_what_its_branches_count() -> None:
    space = space_of(**FINITE)
    assert space.size() == 3 * (2 * 2 + 4 + 1) * 3 * 4
    points = [space.at(place) for place in range(324)]
    assert len({repr(sorted(space.show(point).items())) for point in points}) == 324
    assert [space.place(point) for point in points] == list(range(324))
    assert space.show(points[0]) == {"b": 1, "m": "svm", "C": 1, "kernel": "rbf", "n": 3, "d": 0.0, "g": 0.0}


def test_a_flat_grid_is_the_product_of_its_values_in_order() -> None:
    rows = drawn(space_of(a="choice(x,y)", b="randint(3)", c="quniform(0,1,0.5)"), 18, "grid")
    assert [tuple(row.values()) for row in rows] == list(itertools.product("xy", range(3), (0.0, 0.5, 1.0)))
