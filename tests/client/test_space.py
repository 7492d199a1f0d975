from __future__ import annotations

from typing import Any

import numpy as np
import optuna
import pytest

import jupyter_mlstudio as studio
from jupyter_mlstudio.client.space import distributions
from jupyter_mlstudio.entities import spaces
from jupyter_mlstudio.errors import Invalid

space = studio.space


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (space.choice("relu", "tanh"), "choice(relu,tanh)"),
        (space.choice(["relu", "tanh"]), "choice(relu,tanh)"),
        (space.uniform(0, 1), "uniform(0,1)"),
        (space.loguniform(-6, -1), "loguniform(-6,-1)"),
        (space.quniform(0, 1, 0.1), "quniform(0,1,0.1)"),
        (space.qloguniform(0, 1, 2), "qloguniform(0,1,2)"),
        (space.normal(0, 1), "normal(0,1)"),
        (space.lognormal(0, 1), "lognormal(0,1)"),
        (space.qnormal(0, 1, 0.5), "qnormal(0,1,0.5)"),
        (space.qlognormal(0, 1, 0.5), "qlognormal(0,1,0.5)"),
        (space.randint(7), "randint(7)"),
        (space.int(2, 12), "int(2,12)"),
        (space.int(1, 1000, log=True), "int(1,1000,log)"),
        (space.float(1e-5, 0.1, log=True), "float(1e-05,0.1,log)"),
    ],
)
def test_a_function_makes_what_the_text_says(made: dict[str, Any], text: str) -> None:
    assert spaces.describe(made) == text
    assert distributions({"x": made}) == {"x": made}
    assert spaces.describe(distributions({"x": text})["x"]) == text


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (optuna.distributions.FloatDistribution(1e-5, 0.1, log=True), "float(1e-05,0.1,log)"),
        (optuna.distributions.FloatDistribution(0, 1, step=0.25), "float(0.0,1.0,step=0.25)"),
        (optuna.distributions.IntDistribution(1, 100, log=True), "int(1,100,log)"),
        (optuna.distributions.CategoricalDistribution(["a", None, 2]), "choice(a,none,2)"),
        (["a", "b"], "choice(a,b)"),
        ((np.int64(1), np.float64(2.5)), "choice(1,2.5)"),
        (range(2, 11, 2), "int(2,10,step=2)"),
    ],
)
def test_optunas_distributions_lists_and_ranges_are_taken(given: object, text: str) -> None:
    assert spaces.describe(distributions({"x": given})["x"]) == text


def test_a_branch_of_a_choice_may_be_written_in_any_of_the_forms() -> None:
    given = space.choice({"name": "svm", "C": "loguniform(-5,5)", "k": optuna.distributions.IntDistribution(1, 9)})

    (branch,) = distributions({"model": given})["model"]["values"]
    assert branch["name"] == "svm"
    assert spaces.describe(branch["C"]) == "loguniform(-5,5)"
    assert spaces.describe(branch["k"]) == "int(1,9)"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("relu", "lr: 'relu' is no distribution"),
        ("uniform(1,0)", "swap them"),
        (0.1, "give constants as params"),
        (space.loguniform(1e-5, 1e9), "exp of it is not a number"),
        ([], "no choices"),
        (float("nan"), "no distribution"),
    ],
)
def test_n11_what_is_no_distribution_is_refused_with_the_parameters_name(given: object, said: str) -> None:
    with pytest.raises(Invalid, match=said) as caught:
        distributions({"lr": given})
    assert "lr" in caught.value.message
