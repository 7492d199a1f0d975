"""Tables of many columns of which few tell anything: these are found, and the search goes on with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_mlstudio.entities.automl import AutoMLSpec, Task, Training
from jupyter_mlstudio.entities.automl_candidates import Candidate
from jupyter_mlstudio.learning import families
from jupyter_mlstudio.learning.family import COLUMNS, TELLING, Family, Making, Params, Shape
from jupyter_mlstudio.learning.kept import Record
from jupyter_mlstudio.learning.plan import Plan, make_plan
from jupyter_mlstudio.learning.proposals import Proposals
from jupyter_mlstudio.learning.refit import fitted, probe
from jupyter_mlstudio.learning.rungs import shape_of
from jupyter_mlstudio.learning.telling import LEAST, TellingColumns
from jupyter_mlstudio.programs.automl_check import ModelCheck

FEW = {COLUMNS: TELLING}
WIDE = Shape(Task.CLASSIFICATION, rows=2000, features=300, classes=2)
Configuration = tuple[Family, Params]


def noisy(rows: int = 700) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(rows, 120)), columns=[f"n{number}" for number in range(120)])
    frame["kind"] = rng.choice(["a", "b", "c"], rows)
    told = frame["n3"] * 2 + frame["n50"] * 2 + (frame["kind"] == "b") * 3 + rng.normal(scale=0.5, size=rows)
    return frame.assign(target=np.where(told > 1, "yes", "no"))


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan(noisy(), AutoMLSpec(data="t.csv", target="target"))


@pytest.mark.parametrize("classes", [None, 3])
def test_features_that_tell_something_are_found_among_noise(classes: int | None) -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(500, 80))
    rows[:, 9] = np.nan
    y = rows[:, 7] + np.abs(rows[:, 40]) + rng.normal(scale=0.2, size=500)
    step = TellingColumns(classes).fit(rows, y if classes is None else np.digitize(y, [0.3, 1.2]))
    assert {7, 40} <= set(step.places_)
    assert len(step.places_) < 12
    assert np.array_equal(step.transform(rows), rows[:, step.places_])
    assert step.get_feature_names_out()[0] == f"x{step.places_[0]}"


def test_a_target_that_nothing_tells_keeps_a_few_and_one_class_keeps_all() -> None:
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(300, 60))
    assert len(TellingColumns().fit(rows, rng.normal(size=300)).places_) <= LEAST + 3
    assert len(TellingColumns(2).fit(rows, np.zeros(300)).places_) == 60


def test_a_rare_class_is_among_the_rows_that_are_looked_at() -> None:
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(6000, 50))
    y = np.zeros(6000, dtype=np.int64)
    y[:40] = 1
    rows[:40, 11] += 4
    assert 11 in TellingColumns(2).fit(rows, y).places_


@pytest.mark.slow
@pytest.mark.parametrize("name", ["LightGBM", "KNN", "Linear"])
def test_models_of_telling_columns_are_better_and_agree_with_their_onnx_form(name: str, plan: Plan) -> None:
    family, shape = families.find(name), shape_of(plan, "accuracy")
    params = {**family.known(shape)[0], **({"n_estimators": 20} if family.rounds else {})}
    rows = np.arange(500)
    right = []
    for more in ({}, FEW):
        model = fitted(plan, family, {**params, **more}, Making(shape), rows)
        right.append(float((model.predict(plan.X[500:]) == plan.y[500:]).mean()))
    assert right[1] >= right[0]
    assert right[1] > 0.85
    found = probe(lambda _: None, plan, family, {**params, **FEW}, shape, ModelCheck(), seed=0).check
    assert found.ready, found.reason


def tried(proposals: Proposals, found: Configuration, loss: float, number: int) -> None:
    candidate = Candidate(number=number, run_id="", family=found[0].name, stage="portfolio", params=found[1])
    proposals.learn(Record(candidate, base=found[1], suggested=None, whole=True, loss=loss), loss)


def searched(loss_of_few: float, shape: Shape = WIDE) -> tuple[Proposals, list[Configuration], int]:
    """Proposals after the first few configurations, those that were tried, and which was the first of few columns."""
    taking = families.chosen(Training(), shape)[0]
    allowed = {family.name for family in taking}
    proposals, begun = Proposals(taking, shape, seed=0), list[Configuration]()
    while not begun or COLUMNS not in begun[-1][1]:
        found = proposals.next_known(allowed)
        if found is None:
            break
        begun.append(found)
        tried(proposals, found, loss_of_few if COLUMNS in found[1] else 0.5, len(begun))
    return proposals, begun, len(begun)


def left(proposals: Proposals) -> list[Configuration]:
    found: list[Any] = []
    while (one := proposals.next_known({family.name for family in families.FAMILIES})) is not None:
        found.append(one)
    return found


def test_where_telling_columns_are_better_the_search_goes_on_with_them() -> None:
    proposals, begun, count = searched(0.4)
    assert count <= 4
    assert begun[-1][0].name == "LightGBM"
    later = left(proposals)
    half = len(later) // 2
    assert {COLUMNS in params for _, params in later[:half]} == {True}
    assert {family.name for family, _ in begun[1:-1]} <= {family.name for family, _ in later[:3]}  # once more
    assert not any(COLUMNS in params for _, params in later[half + 3 :])
    found = proposals.next_searched(90, {"LightGBM"})
    assert found is not None
    assert found[1][COLUMNS] == TELLING


def test_where_they_are_not_all_columns_are_taken() -> None:
    proposals, _, _ = searched(0.6)
    assert not any(COLUMNS in params for _, params in left(proposals))
    found = proposals.next_searched(90, {"LightGBM"})
    assert found is not None
    assert COLUMNS not in found[1]


def test_a_table_of_few_columns_is_not_looked_at_so() -> None:
    _, begun, _ = searched(0.4, Shape(Task.CLASSIFICATION, rows=2000, features=20, classes=2))
    assert not any(COLUMNS in params for _, params in begun)
