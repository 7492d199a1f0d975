"""Conditions over parameters and metrics: what they mean, what they refuse, what samplers learn of them."""

from __future__ import annotations

import math
from typing import Any

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlstudio.entities import expressions
from jupyter_mlstudio.entities.sweeps import Sampling
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.sweeps import samplers
from jupyter_mlstudio.sweeps.constraints import Constraints
from tests.sweeps.test_space import space_of

VALUES = {"a": 3, "b": 0.5, "kernel": "rbf", "on": True, "holdout.auc": 0.9, "system/memory_mb": 512.0, "nan": math.nan}


@pytest.mark.parametrize(
    ("text", "violation"),
    [
        ("a <= 3", 0.0),
        ("a <= 2.5", 0.5),
        ("a < 3", expressions.SLIGHT),
        ("a < 4", -1.0),
        ("a >= 5", 2.0),
        ("2 * a - b ** 2 / 1 == 5.75", 0.0),
        ("a != 3", 1.0),
        ("0 < b < 0.4", pytest.approx(0.1)),
        ("a // 2 % 2 == 1", 0.0),
        ("-a < +1", -4.0),
        ("kernel == 'rbf'", 0.0),
        ("kernel != 'rbf'", 1.0),
        ("on == 1", 0.0),
        ("a <= 2 or b <= 1", -0.5),
        ("a <= 2 and b <= 1", 1.0),
        ("not a <= 2", -1.0),
        ("not (a > 1 and b > 1)", -0.5),
        ("not 0 < b < 1", 0.5),
        ("holdout.auc >= 0.8", pytest.approx(-0.1)),
        ("`system/memory_mb` <= 256", 256.0),
        ("a <= 1e308 * 10", -expressions.MOST),
        ("unknown <= 1", 1.0),
        ("nan <= 1", 1.0),
        ("a / 0 <= 1", 1.0),
        ("9 ** 9 ** 9 ** 9 <= 1", 1.0),
        ("(-8) ** 0.5 <= 1", 1.0),
        ("kernel <= 1", 1.0),
        ("kernel + 1 <= 1", 1.0),
    ],
)
def test_a_condition_tells_how_far_it_is_from_being_met(text: str, violation: Any) -> None:
    assert expressions.parse(text).violation(VALUES) == violation


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "a", "a + 1", "a <=", "a = 3", "a <= 3; b", "f(a) <= 1", "__import__('os').system('true') <= 1",
        "a[0] <= 1",
        "[x for x in a] == 1", "(lambda: 1)() <= 2", "a in b", "a is b", "a if b else a <= 1", "{} <= 1", "a <= b'x'",
        "a <= 1j", "a <= ...", "f'{a}' == '1'", "(a := 3) <= 1", "a <= None", "~a <= 1", "a << 9999999 <= 1", "a <= `",
        "not a", "a and b", "(" * 300 + "a" + ")" * 300 + " <= 1", "-" * 60 + "a <= 1", "a <= 1 and " * 200 + "b <= 1",
        "a.b().c <= 1", "a\x00 <= 1",
    ],
)  # fmt: skip
def test_what_is_no_condition_is_refused_and_never_executed(text: str) -> None:
    with pytest.raises(Invalid, match="constraint"):
        expressions.parse(text)


@given(st.text(max_size=60))
def test_any_text_is_a_condition_or_refused(text: str) -> None:
    try:
        found = expressions.parse(text).violation(VALUES)
    except Invalid:
        return
    assert -expressions.MOST <= found <= expressions.MOST


def test_names_are_known_before_any_trial() -> None:
    assert expressions.parse("a.b * c <= `d/e` and 'f' == g").names == {"a.b", "c", "d/e", "g"}


def test_a_verdict_says_which_constraint_and_which_values() -> None:
    constraints = Constraints(["latency_ms <= 20", "depth * width <= 100"])
    assert constraints.judge({"depth": 2, "width": 9}, {"latency_ms": 20.0}).feasible
    broken = constraints.judge({"depth": 20, "width": 9}, {"latency_ms": 20.0})
    assert broken.reason == "the constraint depth * width <= 100 does not hold: depth = 20, width = 9"
    missing = constraints.judge({"depth": 2, "width": 9}, {})
    assert not missing.feasible
    assert "needs latency_ms, which the trial neither has nor logged" in missing.reason


@pytest.mark.parametrize("sampler", ["tpe", "nsgaii"])
def test_samplers_learn_what_is_infeasible(sampler: str) -> None:
    space = space_of(x="uniform(0,1)")
    study = optuna.create_study(
        direction="maximize", sampler=samplers.make(Sampling(algorithm=sampler, seed=1, options=_few(sampler)), space)
    )
    constraints = Constraints(["x + cost <= 0.6"])
    for _ in range(60):
        trial = study.ask()
        params = space.suggest(trial)
        constraints.tell(trial, params, {"cost": 0.1})
        study.tell(trial, params["x"])
    assert study.best_value <= 0.5
    late = [trial.params["x"] for trial in study.trials[30:]]
    assert sum(x <= 0.5 for x in late) > len(late) / 2


def _few(sampler: str) -> dict[str, Any]:
    return {"population_size": 10} if sampler == "nsgaii" else {}
