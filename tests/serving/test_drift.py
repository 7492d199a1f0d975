from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
import pytest

from jupyter_mlstudio.serving.differences import compare
from jupyter_mlstudio.serving.drift import FEATURES_LIMIT, LABELS_LIMIT, Drift, bucket_of, index
from jupyter_mlstudio.serving.request import Reply

RNG = np.random.default_rng(0)


def counted(values: Any) -> Counter[str]:
    return Counter(bucket for value in values if (bucket := bucket_of(value)) is not None)


def textbook(live: Any, copy: Any) -> float:
    """The index with the deciles of the values themselves."""
    edges = np.quantile(live, np.linspace(0, 1, 11)[1:-1])
    p, q = (
        (np.bincount(np.searchsorted(edges, one), minlength=10) + 0.5) / (len(one) + 5) for one in (live, copy)
    )  # fmt: skip
    return float(((p - q) * np.log(p / q)).sum())


@pytest.mark.parametrize("shift", [0.0, 0.1, 0.3, 1.0])
def test_the_index_is_the_textbooks(shift: float) -> None:
    live = RNG.normal(10, 1, 5000)
    copy = live + shift
    assert index(counted(live.tolist()), counted(copy.tolist())) == pytest.approx(
        textbook(live, copy), rel=0.1, abs=5e-3
    )


def test_the_same_answers_have_not_drifted_whatever_they_are() -> None:
    for values in (RNG.random(50).tolist(), [1.0] * 40, ["a", "b"] * 30, [-1e300, 0.0, 1e-30, float("inf")] * 10):
        assert index(counted(values), counted(values)) == 0.0


@pytest.mark.parametrize("other", [0.91, 1.5, 0.0, -1.0])
def test_a_constant_that_becomes_another_has_drifted_in_either_direction(other: float) -> None:
    assert index(counted([0.99] * 50), counted([other] * 50)) > 5


def test_labels_and_truth_values_are_bins_of_their_own() -> None:
    half = index(counted(["no"] * 50 + ["yes"] * 50), counted(["no"] * 50 + ["yes"] * 50))
    more = index(counted(["no"] * 50 + ["yes"] * 50), counted(["no"] * 80 + ["yes"] * 20))
    assert half == 0.0
    assert more == pytest.approx(0.41, abs=0.03)
    assert index(counted([True] * 50), counted([False] * 50)) > 5
    assert index(counted(range(100)), counted(range(100))) == 0.0


def test_each_output_has_its_own_index_and_the_worst_is_told() -> None:
    drift = Drift()
    for row in range(30):
        for column, (live, copy) in enumerate([(0.5, 0.5), (0.1, 0.9)]):
            drift.note(f"p[{row}][{column}]", live, copy)
        drift.note(f"label[{row}]", "a", "a")
    assert set(drift.outputs) == {"p[0]", "p[1]", "label"}
    worst = drift.worst()
    assert worst is not None
    assert (worst[0] > 5, worst[1]) == (True, "p[1]")


def test_too_few_values_tell_nothing_and_no_value_is_none() -> None:
    drift = Drift()
    for _ in range(19):
        drift.note("p[0]", 0.1, 0.9)
    for value in (None, float("nan"), [1], {"a": 1}):
        drift.note("p[0]", value, value)
    assert drift.worst() is None
    drift.note("p[0]", 0.1, 0.9)
    assert drift.worst() is not None


def test_what_several_processes_counted_adds_up_through_json() -> None:
    whole, one = Drift(), Drift()
    for _ in range(2):
        for value in RNG.random(50):
            one.note("p[0]", float(value), float(value) / 2)
        whole.add(json.loads(json.dumps(one.take())))
    assert whole.outputs["p"][0].total() == 100
    assert one.outputs == {}


def test_strange_answers_cannot_fill_the_memory() -> None:
    drift = Drift()
    for number in range(1000):
        drift.note(f"column{number}", 1.0, 1.0)
        drift.note("column0", f"text {number} " + "x" * 1000, "y")
    assert len(drift.outputs) == FEATURES_LIMIT
    live = drift.outputs["column0"][0]
    assert len(live) <= LABELS_LIMIT + 1
    assert max(map(len, live)) < 100
    assert live.total() == 1001


def test_compared_answers_are_counted() -> None:
    drift = Drift()
    for _ in range(20):
        live = {"outputs": [{"name": "p", "shape": [2, 2], "data": [0.5, 0.5, 0.25, 0.75]}]}
        copy = {"outputs": [{"name": "p", "shape": [2, 2], "data": [0.5, 0.5, 0.25, 0.75]}]}
        compare(Reply(200, json.dumps(live).encode()), Reply(200, json.dumps(copy).encode()), drift)
    assert {name: live.total() for name, (live, _) in drift.outputs.items()} == {"p[0]": 40, "p[1]": 40}
    assert drift.worst() == (0.0, "p[1]")
