"""A decision threshold of an AutoML winner: what people choose is what the graph answers by."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import __version__

from jupyter_mlstudio.entities.automl import AutoMLSpec
from jupyter_mlstudio.learning import families, refit
from jupyter_mlstudio.learning.ensemble import vote
from jupyter_mlstudio.learning.family import Making
from jupyter_mlstudio.learning.matrices import codes_of
from jupyter_mlstudio.learning.plan import make_plan
from jupyter_mlstudio.learning.rungs import shape_of
from jupyter_mlstudio.onnx.parity import plain_labels
from jupyter_mlstudio.onnx.session import open_session
from jupyter_mlstudio.plugins.converters.base import Original
from jupyter_mlstudio.plugins.converters.sklearn import SklearnConverter
from jupyter_mlstudio.programs.ladder import climb
from jupyter_mlstudio.programs.operating_point import feeds_of, finished, kept_rows

pytestmark = pytest.mark.filterwarnings("ignore:categorical_feature:UserWarning")
WINNERS = [
    ("Linear", ("no", "yes")), ("Linear", (False, True)), ("Linear", (-1, 1)), ("Linear", ("0", "1")),
    ("vote", ("no", "yes")), ("vote", (1, 2)), ("HistGradientBoosting", ("no", "yes")), ("XGBoost", ("no", "yes")),
]  # fmt: skip


def plan_of(labels: tuple[Any, ...]) -> Any:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"money": random.normal(size=240), "colour": random.choice(["red", "green", "blue"], 240)})
    value = frame["money"] + (frame["colour"] == "red") + random.normal(scale=0.4, size=240)
    numbers = np.digitize(value, np.linspace(0.3, 1.2, len(labels) - 1))
    return make_plan(frame.assign(y=[labels[number] for number in numbers]), AutoMLSpec(data="", target="y"))


def fitted(plan: Any, name: str, labels: bool = True) -> Any:
    family, shape = families.find(name), shape_of(plan, "log_loss")
    params = dict(family.known(shape)[0])
    for one in {family.rounds, "n_estimators"} & {family.rounds, *params} - {""}:
        params[one] = 10
    making = Making(shape, 0, 1, codes_of(plan, family.form))
    model = refit.fitted(plan, family, params, making, np.arange(len(plan.X)), labels)
    return refit.single(plan, family, model) if labels else model


def winner(plan: Any, name: str) -> Any:
    if name != "vote":
        return fitted(plan, name)
    names = ("LightGBM", "Linear", "ExtraTrees")
    return vote([(one.lower(), fitted(plan, one, labels=False)) for one in names], [0.5, 0.2, 0.3], plan.classes)


def converted(plan: Any, model: Any, threshold: float, positive: str | None = None) -> Any:
    rows = plan.X.iloc[:120]
    outcome = climb(SklearnConverter(), Original(model, rows, f"scikit-learn {__version__}"))
    return finished(outcome, threshold, positive)


def answers(found: Any) -> list[str]:
    """The labels of the graph for the rows that were kept beside it."""
    output = next(one.onnx_name or one.name for one in found.conversion.signature.outputs if one.name == "label")
    graph = open_session(found.onnx)
    return list(plain_labels(graph.run([output], dict(feeds_of(kept_rows(found))))[0]).ravel().tolist())


@pytest.mark.parametrize(("name", "labels"), WINNERS, ids=str)
def test_the_label_is_decided_by_the_threshold_in_the_graph(name: str, labels: tuple[Any, ...]) -> None:
    if name == "XGBoost":
        pytest.importorskip("xgboost")
    plan = plan_of(labels)
    model = winner(plan, name)
    likely = model.predict_proba(plan.X.iloc[:120])[:, 1]
    ordered = np.sort(likely)[20:50]  # a threshold in their widest gap: no row is a tie
    place = int(np.argmax(np.diff(ordered)))
    threshold = float(ordered[place : place + 2].mean())

    found = converted(plan, model, threshold)

    assert found.conversion.ready, found.conversion.reason
    assert found.conversion.threshold.label_flips == 0
    assert found.conversion.threshold.rows == 120
    answered = answers(found)
    first, second = plain_labels(np.array(plan.classes))
    assert answered == [second if one >= threshold else first for one in likely]
    assert answered.count(second) == 120 - 21 - place


@pytest.mark.parametrize("labels", [("no", "yes"), (False, True), (0, 1)], ids=str)
def test_the_threshold_may_be_about_the_first_class(labels: tuple[Any, ...]) -> None:
    plan = plan_of(labels)
    model = fitted(plan, "Linear")

    found = converted(plan, model, 0.3, str(labels[0]))

    first, second = plain_labels(np.array(plan.classes))
    assert found.conversion.threshold.positive == str(labels[0])
    assert (found.conversion.threshold.rows, found.conversion.threshold.label_flips) == (120, 0)
    likely = model.predict_proba(plan.X.iloc[:120])[:, 0]
    assert answers(found) == [first if one >= 0.3 else second for one in likely]
    assert answers(found) != answers(converted(plan, model, 0.3))


def test_a_threshold_for_a_class_that_there_is_not_is_refused_in_words() -> None:
    plan = plan_of(("no", "yes"))
    found = converted(plan, fitted(plan, "Linear"), 0.3, "maybe")
    assert not found.conversion.ready
    assert found.conversion.reason == "the model answers 'no' or 'yes', so its positive label is not 'maybe'"


def test_a_threshold_for_three_classes_is_refused_in_words() -> None:
    plan = plan_of(("a", "b", "c"))
    found = converted(plan, fitted(plan, "Linear"), 0.4)
    assert not found.conversion.ready
    assert "3 labels" in found.conversion.reason


def test_a_threshold_that_is_no_probability_is_refused() -> None:
    plan = plan_of(("no", "yes"))
    assert "between 0 and 1" in converted(plan, fitted(plan, "Linear"), 1.5).conversion.reason
