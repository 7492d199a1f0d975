"""Who votes: members that there is time for, chosen within the time for choosing."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax

from jupyter_mlstudio.entities.automl import Task
from jupyter_mlstudio.entities.automl_candidates import Candidate
from jupyter_mlstudio.learning import ensemble, metrics
from jupyter_mlstudio.learning.choices import CHOOSING, VOTE, Choice, Choices
from jupyter_mlstudio.learning.kept import Record
from jupyter_mlstudio.learning.stacking import STACK

rng = np.random.default_rng(0)
TRUTH = rng.normal(size=300)
FOUND = [TRUTH + rng.normal(scale=0.5 + 0.01 * number, size=300) for number in range(12)]


def records(count: int = 12) -> list[Record]:
    return [Record(Candidate(number=number, run_id="", family="Linear", stage="search")) for number in range(count)]


def choices(seconds: dict[int, float], left_s: float) -> Choices:
    search: Any = SimpleNamespace(
        clock=SimpleNamespace(left_s=left_s), limits=SimpleNamespace(max_concurrent_trials=1),
        refit_s=lambda record: seconds.get(record.candidate.number, 0.0), check_s=lambda members: 0.0,
        plan=SimpleNamespace(folds=[([], np.arange(300))], classes=None, weights=None, positive=None, y=TRUTH),
        rungs=SimpleNamespace(folds=(0,)), spec=SimpleNamespace(seed=0),
        metric=metrics.find("root_mean_squared_error", Task.REGRESSION),
    )  # fmt: skip
    return Choices(search, lambda one: None)


@pytest.mark.parametrize(("name", "tempered"), [("log_loss", True), ("accuracy", False)])
def test_a_vote_that_is_too_even_gets_a_temperature_where_its_log_loss_counts(name: str, tempered: bool) -> None:
    logits = rng.normal(scale=2.0, size=(2000, 3))
    y = np.array([rng.choice(3, p=one) for one in softmax(logits, axis=1)])
    folds = [(np.setdiff1d(np.arange(2000), part), part) for part in np.array_split(np.arange(2000), 4)]
    made = choices({}, 60.0)
    made._search.plan = SimpleNamespace(folds=folds, classes=np.arange(3), weights=None, positive=None, y=y)
    made._search.rungs = SimpleNamespace(folds=(0, 1, 2, 3), once=0, judged=lambda plan: np.arange(2000))
    made._search.metric = metrics.find(name, Task.CLASSIFICATION)
    even = softmax(logits / 2, axis=1)
    degree, predicted = made._tempered(even)
    assert degree == (pytest.approx(0.5, rel=0.1) if tempered else None)
    assert np.array_equal(predicted.argmax(axis=1), even.argmax(axis=1))
    assert made._tempered(softmax(logits, axis=1))[0] is None, "none where it would change nothing but by chance"


@pytest.mark.parametrize(("rows", "several"), [(120, True), (3000, False)])
def test_of_few_rows_a_model_that_was_lucky_does_not_vote_alone(rows: int, several: bool) -> None:
    y = np.arange(rows) % 2
    right = np.where(np.arange(rows) < 4, 0.7, 0.95)  # but for four rows as sure as any
    sides = [rng.uniform(0.6, 0.9, size=rows) for _ in range(15)]
    found = [np.where(y[:, None] == np.arange(2), one[:, None], 1 - one[:, None]) for one in (right, *sides)]
    made = choices({}, 60.0)
    parts = np.array_split(np.arange(rows), 3)
    made._search.plan = SimpleNamespace(
        folds=[([], part) for part in parts], classes=np.arange(2), weights=None, positive=1, y=y
    )
    made._search.rungs = SimpleNamespace(folds=(0, 1, 2), judged=lambda plan: np.arange(rows))
    made._search.metric = metrics.find("log_loss", Task.CLASSIFICATION)
    weights = made._weights(records(16), found)
    assert (len(weights) > 1) is several
    assert weights[0] > 0.5


def by_accuracy(rows: int) -> Choices:
    """Choices for so many rows of two classes."""
    made = choices({}, 60.0)
    made._search.plan.classes, made._search.plan.y = np.arange(2), np.arange(rows) % 2
    made._search.metric = metrics.find("accuracy", Task.CLASSIFICATION)
    return made


def scored(family: str, *folds: float) -> Choice:
    return Choice(Candidate(number=0, run_id="", family=family, stage="search", folds=list(folds)), [], [])


@pytest.mark.parametrize(("rows", "vote_wins"), [(120, True), (3000, False)])
def test_of_few_rows_a_vote_wins_but_over_a_model_that_never_errs(rows: int, vote_wins: bool) -> None:
    made, vote = by_accuracy(rows), scored(VOTE, 0.9, 0.8, 0.88)
    assert made._is_better(vote, scored("Linear", 0.9, 0.84, 0.89)) is vote_wins
    assert not made._is_better(vote, scored("Linear", 1.0, 1.0, 1.0))


@pytest.mark.parametrize(("rows", "stack_wins"), [(120, False), (3000, True)])
def test_of_few_rows_a_stack_does_not_win_over_a_vote(rows: int, stack_wins: bool) -> None:
    made, stack = by_accuracy(rows), scored(STACK, 0.95, 0.94, 0.96)
    assert made._is_better(stack, scored(VOTE, 0.9, 0.89, 0.92)) is stack_wins
    assert made._is_better(stack, scored("Linear", 0.9, 0.89, 0.92)), "where there is no vote it may"


def test_others_vote_in_the_stead_of_those_that_take_too_long() -> None:
    weights = choices({1: 100.0, 2: 100.0, 3: 50.0}, 60.0)._weights(records(), FOUND)
    assert 0 in weights
    assert not {1, 2, 3} & set(weights)
    assert len(weights) == ensemble.MOST_MEMBERS
    assert sum(weights.values()) == pytest.approx(1)


@pytest.mark.parametrize("for_vote_s", [None, 100.0])
def test_who_weighs_much_votes_though_others_that_weigh_little_are_quicker(for_vote_s: float | None) -> None:
    far = [TRUTH + rng.normal(scale=scale, size=300) for scale in (0.3, 0.3, 0.9, 2.0)]
    made = choices({1: 30.0, 2: 15.0}, 40.0)
    made._given_s = for_vote_s
    weights = made._weights(records(4), far)
    assert {0, 1} <= set(weights), "there is no time for both slow ones"
    assert (2 in weights) is (for_vote_s is not None), "in the time that there will be, there is"


def test_a_slow_model_may_vote_where_it_leaves_time_for_others() -> None:
    made, there = choices({1: 12.0, 2: 25.0}, 40.0), records(3)
    assert [one.candidate.number for one in made._pool(there)] == [0, 1]


def test_choosing_again_and_again_does_not_take_the_time_of_the_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    select = ensemble.select
    calls: list[int] = []

    def slow(*arguments: Any, **named: Any) -> dict[int, float]:
        calls.append(len(arguments[0]))
        time.sleep(0.05)
        return select(*arguments, **(named | {"timed_out": lambda: False}))

    monkeypatch.setattr(ensemble, "select", slow)
    left_s = 0.12 / CHOOSING
    weights = choices({number: 0.3 * left_s + number / 1000 for number in range(1, 12)}, left_s)._weights(
        records(), FOUND
    )
    assert len(calls) <= 3
    assert 1 < len(weights) <= 3
    assert sum(weights.values()) == pytest.approx(1)
