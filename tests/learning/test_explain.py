"""What a model rests on."""

from __future__ import annotations

import itertools
import math
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from jupyter_mlstudio.entities.automl import AutoMLSpec, Task
from jupyter_mlstudio.learning.contributions import OTHERS, contributions
from jupyter_mlstudio.learning.dependence import dependence
from jupyter_mlstudio.learning.explain import explain
from jupyter_mlstudio.learning.explain_row import background_of, explain_row
from jupyter_mlstudio.learning.plan import make_plan

pytestmark = pytest.mark.slow

SPEC = AutoMLSpec(data="", target="bought", test_data_size=0.25)


def table(rows: int = 400) -> pd.DataFrame:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "money": random.normal(size=rows), "colour": random.choice(["red", "green", "blue"], rows),
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 300, rows), "D"),
            "noise": random.normal(size=rows),
        }
    )  # fmt: skip
    wanted = frame["money"] + 1.5 * (frame["colour"] == "red") + random.normal(scale=0.3, size=rows) > 0.5
    frame["bought"] = np.where(wanted, "yes", "no")
    frame.loc[::17, "money"] = np.nan
    return frame


def fitted(plan: Any, last: Any = None, form: str = "trees") -> Any:
    model = Pipeline(
        [("features", plan.featuriser(form)), ("model", last or RandomForestClassifier(25, random_state=0))]
    )
    return model.fit(plan.X, plan.classes[plan.y])


@pytest.fixture(scope="module")
def plan() -> Any:
    return make_plan(table(), SPEC)


@pytest.fixture(scope="module")
def model(plan: Any) -> Any:
    return fitted(plan)


def test_columns_that_matter_come_first_and_those_that_do_not_are_near_zero(plan: Any, model: Any) -> None:
    found = explain(model, plan, "AUC_weighted", seed=0)
    assert [one.column for one in found.importances[:2]] == ["money", "colour"]
    assert found.importances[0].mean > 0.1
    assert abs(next(one.mean for one in found.importances if one.column == "noise")) < 0.05
    assert len(found.importances) == 4
    assert found.note == ""
    assert list(found.shap)[:2] == ["money", "colour"]


def test_the_same_seed_says_the_same(plan: Any, model: Any) -> None:
    assert explain(model, plan, "log_loss", seed=3) == explain(model, plan, "log_loss", seed=3)


def test_dependences_are_of_numbers_categories_and_dates(plan: Any, model: Any) -> None:
    drawn = {one.column: one for one in explain(model, plan, None).dependences}
    money, colour, when = drawn["money"], drawn["colour"], drawn["when"]
    assert money.of == str(plan.classes[plan.positive])
    assert money.mean[plan.positive][-1] - money.mean[plan.positive][0] > 0.4 * (1 if money.of == "yes" else -1)
    assert sorted(map(str, colour.values)) == ["blue", "green", "red"]
    assert str(when.values[0]).startswith("2024-0")
    assert all(len(line) == len(money.values) for line in [*money.mean, *money.rows])
    assert np.allclose(np.sum(money.mean, axis=0), 1, atol=1e-5)


def test_rows_that_the_model_has_not_seen_are_used_or_it_is_said(model: Any) -> None:
    whole = make_plan(table(), replace(SPEC, test_data_size=None))
    known = fitted(whole)
    assert "fitted on" in explain(known, whole, None, fit_s=0.1).note
    assert "a copy" in explain(known, whole, None, fit_s=0.1).note
    assert "no others were held out" in explain(known, whole, None).note


def test_it_ends_at_its_deadline_and_says_what_is_left_out(plan: Any, model: Any) -> None:
    class Slow:
        classes_ = model.classes_

        def predict_proba(self, rows: Any) -> Any:
            time.sleep(0.05)
            return model.predict_proba(rows)

    began = time.monotonic()
    found = explain(Slow(), plan, None, deadline=began + 0.3)
    assert time.monotonic() - began < 10
    assert 1 <= len(found.importances) <= 4
    assert "no time" in found.note


def test_of_very_many_columns_those_that_matter_are_found() -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(300, 400)), columns=[f"c{n}" for n in range(400)])
    frame["y"] = frame["c7"] * 3 - frame["c399"]
    wide = make_plan(frame, AutoMLSpec(data="", target="y", test_data_size=0.3))
    places = [7, 399]
    looks = []

    class Two:
        def predict(self, rows: Any) -> Any:
            looks.append(len(rows))
            return rows.iloc[:, places].to_numpy() @ np.array([3.0, -1.0])

    found = explain(Two(), wide, "r2", deadline=time.monotonic() + 600)
    assert [one.column for one in found.importances[:2]] == ["c7", "c399"]
    assert len(found.importances) == 400
    assert len(looks) < 800  # fewer than one for each column


def test_a_regression_is_told_in_its_own_unit() -> None:
    frame = table().drop(columns="bought")
    frame["price"] = frame["noise"] * 10 + (frame["colour"] == "red") * 6 + 100
    plan = make_plan(frame, AutoMLSpec(data="", target="price", task=Task.REGRESSION))
    model = Pipeline([("features", plan.featuriser("scaled")), ("model", LinearRegression())]).fit(plan.X, plan.y)
    one = dependence(model, plan, "noise", plan.X.head(50))
    assert one is not None
    assert one.of == ""
    assert one.mean[0][-1] > 110 > 90 > one.mean[0][0]
    found = explain_row(model, background_of(plan, 40), plan.X.iloc[[5]])
    assert found.values["noise"] == pytest.approx(
        10 * (plan.X["noise"].iloc[5] - background_of(plan, 40)["noise"].mean())
    )


def test_single_curves_are_of_rows_from_all_over_a_sorted_table() -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"time": np.sort(random.uniform(0, 100, 300)), "x": random.normal(scale=40, size=300)})
    plan = make_plan(frame.assign(y=frame["time"] + frame["x"]), AutoMLSpec(data="t.csv", target="y"))
    model = Pipeline([("features", plan.featuriser("scaled")), ("model", LinearRegression())]).fit(plan.X, plan.y)

    one = dependence(model, plan, "x", plan.X)

    assert one is not None
    begins = [line[0] for line in one.rows]
    assert np.mean(begins) == pytest.approx(one.mean[0][0], abs=5)
    assert max(begins) - min(begins) > 90


def exact(predict: Any, background: dict[str, Any], row: dict[str, Any]) -> dict[str, float]:
    """Shapley values by their definition, over all subsets of columns."""
    names, count = list(background), len(background)
    worth = {}
    for mask in itertools.product([False, True], repeat=count):
        filled = {
            name: np.full_like(background[name], row[name]) if one else background[name]
            for name, one in zip(names, mask, strict=True)
        }
        worth[mask] = float(np.mean(predict(filled)))
    found = dict.fromkeys(names, 0.0)
    for place, name in enumerate(names):
        for mask, value in worth.items():
            if not mask[place]:
                after = tuple(one or at == place for at, one in enumerate(mask))
                share = math.factorial(sum(mask)) * math.factorial(count - sum(mask) - 1) / math.factorial(count)
                found[name] += share * (worth[after] - value)
    return found


def test_contributions_are_shapley_values_and_add_up() -> None:
    random = np.random.default_rng(1)
    background = {name: random.normal(size=25) for name in "abcd"}
    row = {"a": 1.0, "b": -2.0, "c": 0.5, "d": 3.0}

    def predict(columns: dict[str, Any]) -> Any:
        return columns["a"] * columns["b"] + np.sin(columns["c"]) * columns["a"] + (columns["d"] > 1)

    found = contributions(predict, background, row)
    wanted = exact(predict, background, row)
    for name in "abcd":
        assert found.values[name] == pytest.approx(wanted[name], abs=max(5 * found.error[name], 1e-9))
    assert found.base + sum(found.values.values()) == pytest.approx(found.prediction, abs=1e-12)
    assert found.base == pytest.approx(float(np.mean(predict(background))))


def test_columns_that_nobody_asked_for_share_one_contribution() -> None:
    background = {name: np.arange(5.0) for name in "abc"}
    found = contributions(
        lambda x: x["a"] + 10 * x["b"] + 100 * x["c"], background, {"a": 1, "b": 1, "c": 1}, columns=["c"]
    )
    assert found.values == pytest.approx({"c": -100.0, OTHERS: -11.0})
    assert found.others == ["a", "b"]


def test_one_row_with_gaps_and_a_category_nobody_has_seen_is_explained(plan: Any, model: Any) -> None:
    row = plan.X.iloc[0].to_dict() | {"money": math.nan, "colour": "violet"}
    found = explain_row(model, background_of(plan, 30), row, of=1)
    asked = plan.prepare(pd.DataFrame([row]))
    assert found.prediction == pytest.approx(model.predict_proba(asked)[0, 1])
    assert set(found.values) == set(plan.X.columns)
    assert found.base + sum(found.values.values()) == pytest.approx(found.prediction)


def test_shap_values_of_trees_and_of_others_agree_on_what_matters(plan: Any) -> None:
    pytest.importorskip("shap")
    linear = fitted(plan, LogisticRegression(), "scaled")
    assert list(explain(linear, plan, None).shap)[:2] == ["money", "colour"]


def test_a_model_that_is_no_pipeline_of_ours_is_explained() -> None:
    frame = table()[["money", "noise", "bought"]]
    plan = make_plan(frame, replace(SPEC, test_data_size=0.2))
    steps = make_column_transformer((SimpleImputer(), ["money", "noise"]))
    model = make_pipeline(steps, StandardScaler(), LogisticRegression()).fit(plan.X, plan.classes[plan.y])
    assert explain(model, plan, None).importances[0].column == "money"
