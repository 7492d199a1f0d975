"""Features of every form, with missing, unknown, empty and foreign values, answer in ONNX as in Python."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from jupyter_mlstudio.client.model_files import write_model
from jupyter_mlstudio.entities.automl import AutoMLSpec
from jupyter_mlstudio.entities.models import Conversion
from jupyter_mlstudio.learning.plan import Plan, make_plan
from jupyter_mlstudio.learning.texts import TextComponents
from jupyter_mlstudio.learning.transformers import DateParts
from jupyter_mlstudio.plugins.converters.base import Converted, Original
from jupyter_mlstudio.plugins.converters.sklearn import SklearnConverter
from jupyter_mlstudio.programs.convert import convert
from jupyter_mlstudio.programs.ladder import answers, climb

pytestmark = pytest.mark.slow

WORDS = ["red", "Straße", "ÉCOLE", "İstanbul", "ΟΔΟΣ", "寿司", "naïve", "co-op", "x_1", "don't", "Ärger\n", "\tup"]


@cache
def table(kind: str) -> pd.DataFrame:
    """Two tables of the same columns: one to learn from, and one with values that the first does not have."""
    random, rows = np.random.default_rng(len(kind)), 400
    strange = kind == "strange"
    cities = ["Köln", "", "東京", "new york", "b'c", 'd"e', " f"] + ["Unknown", "é", "\U0001f600"] * strange
    frame = pd.DataFrame(
        {
            "größe": random.normal(0, 1e5, rows),
            "a b.c": random.integers(0, 9, rows),
            "whole": np.where(random.random(rows) < 0.3, np.nan, random.normal(0, 1, rows)),
            "flag": random.choice(np.array([True, False, None], dtype=object), rows),
            "city": random.choice(np.array([*cities, None], dtype=object), rows),
            "two": random.choice(np.array(["m", "f"] + ["d"] * strange, dtype=object), rows),
            "many": [f"k{number}" for number in random.zipf(1.4, rows) % (900 if strange else 300)],
            "day": pd.Timestamp("1968-02-27") + pd.to_timedelta(random.integers(0, 30000, rows), unit="D"),
            "at": pd.Timestamp("2024-02-28") + pd.to_timedelta(random.integers(0, 10**7, rows), unit="s"),
            "prose": [
                " ".join(random.choice(WORDS, 1 + random.integers(0, 7))) + f" n{at % 9} {at}" for at in range(rows)
            ],
        }
    )
    frame.loc[::9, ["größe", "day", "at", "prose"]] = None
    frame.loc[frame.index % 13 == 4, ["größe", "a b.c"]] = np.nan
    frame["class"] = np.where(frame["city"].isna(), "n", np.where(frame["a b.c"] > 4, "hi", "lo"))
    frame["value"] = frame["a b.c"].fillna(3) * 2.5 + (frame["two"] == "m") * 4 + random.normal(0, 1, rows)
    return frame


@cache
def plan_for(target: str) -> Plan:
    other = {"class": "value", "value": "class"}[target]
    return make_plan(table("plain").drop(columns=other), AutoMLSpec(data="x", target=target))


MODELS = {
    ("scaled", "class"): lambda _: LogisticRegression(solver="newton-cholesky"),
    ("trees", "class"): lambda _: RandomForestClassifier(10, max_depth=6, random_state=0),
    ("native", "class"): lambda codes: HistGradientBoostingClassifier(max_iter=6, categorical_features=codes),
    ("scaled", "value"): lambda _: Ridge(),
    ("trees", "value"): lambda _: RandomForestRegressor(10, max_depth=6, random_state=0),
    ("native", "value"): lambda codes: HistGradientBoostingRegressor(max_iter=6, categorical_features=codes),
}


def converted(model: Any, rows: pd.DataFrame) -> Conversion:
    return climb(SklearnConverter(), Original(model, rows, "scikit-learn")).conversion


@pytest.mark.parametrize(("form", "target"), MODELS)
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"categories": "onehot", "text_components": 3},
        {"numbers": "robust", "impute": "mean", "categories": "target", "indicator": False},
    ],
    ids=["plain", "onehot", "target"],
)
def test_every_form_answers_alike_in_onnx(form: str, target: str, params: dict[str, Any]) -> None:
    plan = plan_for(target)
    codes = plan.categorical_features(form, params)
    model = make_pipeline(plan.featuriser(form, params), MODELS[form, target](codes)).fit(plan.X, plan.y)
    conversion = converted(model, plan.prepare(table("strange")))
    assert conversion.ready, conversion.reason
    assert conversion.parity is not None
    assert not conversion.parity.label_flips
    assert conversion.parity.max_abs_difference <= 1e-5
    assert conversion.parity.dtype == "float64"


def test_times_as_text_are_read_alike() -> None:
    """What a request may hold: dates, minutes, seconds, a space for the T; the rest is missing on both sides."""
    given = [
        "2024-02-29", "2023-02-29", "1900-02-28", "2000-12-31T23:59:59", "1969-12-31 23:59", "2024-06-30T24:00:00", "",
        "yesterday", "2024-1-1", "0001-01-01", "9999-12-31T00:00:01", "2024-05-31T12:30", "2024-05-31T12:30Z", None,
    ]  # fmt: skip
    rows = pd.DataFrame({"at": pd.Series(given * 3, dtype=object)})
    learnt = pd.DataFrame({"at": pd.date_range("1950-01-01", periods=3000, freq="1007h")})
    conversion = converted(DateParts(cyclic=True).fit(learnt), rows)
    assert conversion.ready, conversion.reason
    made = DateParts().fit(learnt).transform(rows)
    assert np.isnan(made[:, 0]).tolist() == [text not in given[:1] + given[2:5] + given[9:12] for text in given * 3]
    assert made[0].tolist() == [19782.0, 2024.0, 2.0, 29.0, 3.0, 60.0, 0.0]
    assert made[3].tolist()[1:] == [2000.0, 12.0, 31.0, 6.0, 366.0, 86399 / 3600]


def test_one_column_of_texts_without_words_converts() -> None:
    rows = pd.DataFrame({"prose": ["! ! !", "", "- - -", "?"] * 10})
    conversion = converted(make_pipeline(TextComponents(), Ridge()).fit(rows, np.arange(40.0)), rows)
    assert conversion.ready, conversion.reason


def test_words_that_tell_most_of_the_target_are_counted_by_themselves() -> None:
    random = np.random.default_rng(0)
    said = random.choice(["fine", "late", "broken", "box", "price", "ok"], size=(400, 6))
    rows = pd.DataFrame({"prose": [" ".join(one[: random.integers(2, 7)]) for one in said]})
    bad = np.array([text.count("broken") + text.count("late") for text in rows["prose"]])
    step = TextComponents(telling=2).fit(rows, bad > 1)
    assert step.get_feature_names_out(["prose"])[-3:].tolist() == ["prose: broken", "prose: late", "prose: words"]
    made = step.transform(rows)
    assert (made[:, -3] + made[:, -2]).tolist() == bad.tolist()
    assert made[:, -1].tolist() == [len(text.split()) for text in rows["prose"]]
    conversion = converted(make_pipeline(step, DecisionTreeClassifier(random_state=0)).fit(rows, bad > 1), rows)
    assert conversion.ready, conversion.reason
    assert TextComponents(telling=0).fit(rows, bad).transform(rows).shape[1] == 5


def odd_tables() -> dict[str, pd.DataFrame]:
    random, rows = np.random.default_rng(3), 120
    letters, numbers = random.choice(list("pqr"), rows), random.normal(size=rows)
    names = ["a b", "a_b", "a.b", "q\"uo'te", " ", "", "1st", "日本", "x" * 300, "a\nb", "label", "probabilities", "X"]
    return {
        "names": pd.DataFrame(
            {name: numbers * at if at % 2 else np.roll(letters, at) for at, name in enumerate(names)}
        ),
        "one column of categories": pd.DataFrame({"a": letters}),
        "one column of times": pd.DataFrame({"a": pd.date_range("2024", periods=rows, freq="7h")[::-1]}),
        "whole numbers as names": pd.DataFrame({0: numbers, 1: random.permutation(numbers)}),
        "nearly nothing": pd.DataFrame({"a": np.where(np.arange(rows) < 2, 5.0, np.nan), "b": numbers}),
        "texts that are none": pd.DataFrame(
            {"a": pd.Series(["\ud800x", "ok", "\0nul", "nul\0"] * (rows // 4), dtype=object), "b": numbers * 1e300}
        ),
        "types of pandas": pd.DataFrame(
            {
                "a": pd.array([1, 2, None, 4] * (rows // 4), dtype="Int64"),
                "b": pd.array([True, None, False] * (rows // 3), dtype="boolean"),
                "c": pd.Categorical(random.integers(0, 4, rows)),
                "d": pd.to_timedelta(random.integers(0, 99, rows), unit="h"),
                "e": pd.date_range("2020", periods=rows, tz="Europe/Berlin"),
            }
        ),
    }


@pytest.mark.parametrize("what", odd_tables())
def test_odd_tables_are_planned_learnt_from_and_converted(what: str) -> None:
    frame = odd_tables()[what]
    plan = make_plan(frame.assign(y=np.arange(len(frame)) % 7 / 2), AutoMLSpec(data="x", target="y"))
    model = make_pipeline(plan.featuriser("native"), HistGradientBoostingRegressor(max_iter=4)).fit(plan.X, plan.y)
    conversion = converted(model, plan.prepare(frame))
    assert conversion.ready, conversion.reason


def test_a_column_without_any_number_among_the_rows_that_were_learnt_is_no_harm() -> None:
    frame = pd.DataFrame(
        {"a": [np.nan] * 40 + [1.0] * 40, "b": np.arange(80.0) ** 1.5, "c": [None] * 40 + ["x", "z"] * 20}
    )
    frame["day"] = pd.Series([pd.NaT] * 40 + list(pd.date_range("2024", periods=40)))
    plan = make_plan(frame.assign(y=np.sin(np.arange(80))), AutoMLSpec(data="x", target="y"))
    for form, model in (("scaled", Ridge()), ("native", HistGradientBoostingRegressor(max_iter=4))):
        fitted = make_pipeline(plan.featuriser(form), model).fit(plan.X.iloc[:40], plan.y[:40])
        conversion = converted(fitted, plan.X)
        assert conversion.ready, conversion.reason


def test_a_logged_model_is_converted_and_answers_raw_rows_with_times_as_text(tmp_path: Path) -> None:
    plan = plan_for("value")
    model = make_pipeline(plan.featuriser("scaled"), Ridge()).fit(plan.X, plan.y)
    write_model(tmp_path, model, plan.X.head(60))
    outcome = convert(tmp_path)
    assert outcome.conversion.ready, outcome.conversion.reason
    signature = outcome.conversion.signature
    assert signature is not None
    assert outcome.onnx is not None
    raw = plan.X.head(4).astype({"city": object, "two": object, "many": object})
    raw["at"] = raw["at"].dt.strftime("%Y-%m-%d %H:%M:%S")
    _, found = answers(Converted(outcome.onnx, signature), raw)
    assert np.ravel(found.values) == pytest.approx(model.predict(plan.X.head(4)), rel=1e-9)
