from __future__ import annotations

import pickle
import time
import tracemalloc
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_mlstudio.entities.automl import AutoMLSpec, Task
from jupyter_mlstudio.entities.automl_tables import Role
from jupyter_mlstudio.learning.plan import Plan, make_plan
from jupyter_mlstudio.learning.preflight import Refused


def people(rows: int = 300) -> pd.DataFrame:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": random.integers(18, 80, rows),
            "pay": random.normal(3000, 800, rows).round(2),
            "city": random.choice(["Köln", "Paris", "東京", "Oslo"], rows),
            "member": random.random(rows) > 0.4,
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 1500, rows), unit="D"),
        }
    )
    frame.loc[::7, "pay"] = np.nan
    frame.loc[::11, "city"] = None
    noise = random.normal(0, 1, rows)
    frame["churn"] = np.where(frame["age"] / 20 + frame["member"] * 2 + noise > 4, "yes", "no")
    return frame


def plan_of(frame: pd.DataFrame, **spec: Any) -> Plan:
    return make_plan(frame, AutoMLSpec(data="x", **({"target": "churn"} | spec)))


def test_a_table_is_planned_with_its_types_classes_and_folds() -> None:
    frame = people()
    plan = plan_of(frame)
    assert plan.task is Task.CLASSIFICATION
    assert plan.classes.tolist() == ["no", "yes"]
    assert plan.positive == int(np.argmin(np.bincount(plan.y)))
    roles = {column.name: column.role for column in plan.columns}
    assert roles == {
        "age": Role.NUMERIC, "pay": Role.NUMERIC, "city": Role.CATEGORICAL, "member": Role.BOOLEAN,
        "since": Role.DATETIME,
    }  # fmt: skip
    judged = np.sort(np.concatenate([judged for _, judged in plan.folds]))
    assert judged.tolist() == np.repeat(np.arange(len(frame)), plan.repeats).tolist()
    assert all(not set(learn) & set(judged) for learn, judged in plan.folds)


def test_columns_are_shown_with_the_steps_that_a_form_of_model_has() -> None:
    plan = plan_of(people())
    steps = {
        form: {one.name: one.steps for one in plan.columns_for(form)} for form in ("scaled", "logs", "trees", "native")
    }
    assert steps["scaled"]["pay"] == ["Imputer", "MissingIndicator", "Scaler"]
    assert steps["logs"]["pay"] == ["Imputer", "MissingIndicator", "Logarithm", "Scaler"]
    assert steps["trees"]["pay"] == ["Imputer", "MissingIndicator"]
    assert (steps["native"]["pay"], steps["native"]["city"]) == ([], ["OrdinalEncoder"])
    assert steps["native"]["since"] == ["DateParts"]


def test_new_rows_are_prepared_as_the_table_was_and_a_second_time_alike() -> None:
    frame = people()
    plan = plan_of(frame)
    again = plan.prepare(frame.drop(columns="churn"))
    pd.testing.assert_frame_equal(again.astype(object), plan.X.astype(object))
    pd.testing.assert_frame_equal(plan.prepare(again).astype(object), plan.X.astype(object))


def test_a_plan_travels_to_another_process() -> None:
    plan = plan_of(people())
    twin = pickle.loads(pickle.dumps(plan))
    assert np.array_equal(
        twin.featuriser("trees").fit_transform(twin.X, twin.y), plan.featuriser("trees").fit_transform(plan.X, plan.y)
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda frame: frame.drop(columns="churn"), "no column 'churn'"),
        (lambda frame: frame.assign(churn=None), "missing in every row"),
        (lambda frame: frame.assign(churn="yes"), "one value only, 'yes'"),
        (lambda frame: frame.head(1), "1 row to learn from"),
        (lambda frame: frame.head(9), "9 rows to learn from"),
        (lambda frame: frame.head(0), "no rows"),
        (lambda frame: frame[["churn"]], "no column is left"),
    ],
)
def test_a_table_without_anything_to_learn_is_refused_with_the_column(change: Any, words: str) -> None:
    with pytest.raises(Refused, match=words) as refused:
        plan_of(change(people()))
    assert any(finding.severity == "error" and finding.remedy for finding in refused.value.findings)


@pytest.mark.slow
def test_ten_thousand_columns_and_a_long_table_take_seconds_and_little_memory() -> None:
    random = np.random.default_rng(0)
    wide = pd.DataFrame(random.normal(size=(400, 10_000)), columns=[f"c{at}" for at in range(10_000)])
    began = time.process_time()
    plan = plan_of(wide.assign(churn=(wide["c1"] > 0).astype(int) ^ (wide["c2"] > 1)))
    assert plan.X.shape == (400, 10_000)
    assert time.process_time() - began < 15
    long = pd.DataFrame(random.normal(size=(200_000, 30)), columns=[f"c{at}" for at in range(30)])
    long["churn"] = (long["c1"] + long["c2"] > 0).astype(int)
    tracemalloc.start()
    plan = plan_of(long)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * long.memory_usage().sum()
    assert len(plan.folds) == 1
