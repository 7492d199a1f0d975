"""Logarithms of numbers and targets with a long tail."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_mlstudio.entities.automl import AutoMLSpec, Task
from jupyter_mlstudio.learning import families
from jupyter_mlstudio.learning.family import Making, Params
from jupyter_mlstudio.learning.plan import Plan, make_plan
from jupyter_mlstudio.learning.refit import fitted
from jupyter_mlstudio.learning.rungs import shape_of
from jupyter_mlstudio.learning.skewed import Logarithms, LogTarget, skewness

UNITS = [1e-6, 1.0, 1e9]


def tail(rows: int = 500) -> Any:
    return np.exp(np.random.default_rng(0).normal(size=rows))


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_long_tail_is_gone_in_any_unit_and_the_order_stays(unit: float, sign: float) -> None:
    column = sign * unit * tail()
    made = Logarithms().fit_transform(column[:, None])[:, 0]
    assert abs(skewness(column)) > 2
    assert abs(skewness(made)) < 0.3
    assert np.array_equal(np.argsort(made), np.argsort(column))


def test_flags_and_columns_without_a_tail_stay_as_they_are() -> None:
    rng = np.random.default_rng(1)
    rows = np.column_stack([rng.normal(size=300), rng.uniform(size=300) < 0.02, rng.integers(0, 5, 300), np.zeros(300)])
    assert np.array_equal(Logarithms().fit_transform(rows), rows)


def test_numbers_below_those_that_were_seen_are_taken_for_the_least() -> None:
    known = Logarithms().fit(tail()[:, None])
    found = known.transform(np.array([[-5.0], [0.0], [tail().min()], [1e6]]))[:, 0]
    assert found[0] == found[1] == found[2]
    assert np.isfinite(found).all()
    assert found[3] > known.transform(tail()[:, None]).max()


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("least", [0.0, 1.0])
def test_a_target_comes_back_from_its_logarithm(unit: float, least: float) -> None:
    y = (unit * np.where(np.arange(500) % 9, tail(), least))[:, None]
    step = LogTarget().fit(y)
    assert step.transform(y).mean() == pytest.approx(0, abs=1e-9)
    assert step.transform(y).std() == pytest.approx(1)
    assert np.allclose(step.inverse_transform(step.transform(y)), y, rtol=1e-9, atol=1e-9 * unit)


def test_answers_stay_near_the_targets_that_were_seen() -> None:
    step = LogTarget().fit(tail()[:, None])
    found = step.inverse_transform(np.array([[-50.0], [50.0]]))[:, 0]
    assert found[0] < tail().min()
    assert tail().max() < found[1] < 3 * tail().max()


def prices(rows: int = 600) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    weight, cut = rng.gamma(2, 0.4, rows) + 0.2, rng.choice(["fair", "good", "ideal"], rows)
    factor = pd.Series(cut).map({"fair": 0.8, "good": 1.0, "ideal": 1.3}).to_numpy()
    price = 1800 * weight**1.7 * factor * np.exp(rng.normal(0, 0.1, rows))
    return pd.DataFrame({"weight": weight, "cut": cut, "target": price})


def error(plan: Plan, name: str, params: Params, new: pd.DataFrame) -> float:
    family, shape = families.find(name), shape_of(plan, "root_mean_squared_error")
    model = fitted(plan, family, {**family.known(shape)[0], **params}, Making(shape), np.arange(len(plan.X)))
    return float(np.sqrt(np.mean((model.predict(plan.prepare(new)) - new["target"]) ** 2)))


def test_a_linear_model_of_logarithms_learns_what_multiplies() -> None:
    frame = prices()
    known, new = frame[:400], frame[400:]
    plan = make_plan(known, AutoMLSpec(data="t.csv", target="target", task=Task.REGRESSION))
    assert shape_of(plan, "root_mean_squared_error").skewed
    least = float(np.sqrt(np.mean((new["target"] * 0.1) ** 2)))  # what is left when the law is known
    assert error(plan, "Linear", {"log_target": True}, new) < 1.3 * least
    assert error(plan, "Linear", {}, new) > 3 * least
    assert error(plan, "LightGBM", {"n_estimators": 60}, new) > 1.5 * least
