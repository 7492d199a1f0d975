"""Greedy selection, and the vote that is served."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from jupyter_mlstudio.entities.automl import Task
from jupyter_mlstudio.learning import ensemble, metrics

rng = np.random.default_rng(0)
ACCURACY = metrics.find("accuracy", Task.CLASSIFICATION)


def test_models_that_err_differently_are_mixed() -> None:
    truth = rng.normal(size=500)
    models = [truth + rng.normal(scale=0.5, size=500) for _ in range(3)] + [truth + rng.normal(scale=20, size=500)]
    weights = ensemble.select(models, lambda mixed: float(np.mean((mixed - truth) ** 2)))
    assert set(weights) == {0, 1, 2}
    assert sum(weights.values()) == pytest.approx(1)
    mixed = ensemble.mixed(models, weights)
    assert np.mean((mixed - truth) ** 2) < min(np.mean((one - truth) ** 2) for one in models) / 2


def test_no_more_members_are_taken_than_may_be() -> None:
    truth = rng.normal(size=200)
    models = [truth + rng.normal(scale=1, size=200) for _ in range(20)]
    assert len(ensemble.select(models, lambda mixed: float(np.mean((mixed - truth) ** 2)), most=4)) <= 4


def test_what_one_selection_takes_by_chance_others_outvote() -> None:
    truth, chance = rng.normal(size=300), rng.normal(size=300)
    models = [truth + rng.normal(scale=0.3, size=300), truth + rng.normal(scale=0.4, size=300), chance]

    def loss_to(target: np.ndarray) -> Callable[[np.ndarray], float]:
        return lambda mixed: float(np.mean((mixed - target) ** 2))

    misled = ensemble.select(models, loss_to(chance))
    weights = ensemble.select_often(models, [loss_to(chance), *[loss_to(truth)] * 7], start=2)
    assert misled[2] > 0.9
    assert weights[2] < 0.2
    assert sum(weights.values()) == pytest.approx(1)


def test_a_selection_that_there_is_no_time_for_does_not_count() -> None:
    truth = rng.normal(size=200)
    models = [truth + rng.normal(scale=1, size=200) for _ in range(5)]
    over: list[bool] = []

    def loss(mixed: np.ndarray) -> float:
        return float(np.mean((mixed - truth) ** 2))

    def late(mixed: np.ndarray) -> float:
        over.append(True)
        return -loss(mixed)

    found = ensemble.select_often(models, [loss, late], start=2, timed_out=lambda: bool(over))
    assert found == pytest.approx(ensemble.select(models, loss, start=2))


def test_a_gain_that_is_noise_does_not_make_an_ensemble_better() -> None:
    single = [0.80, 0.82, 0.78, 0.81, 0.79]
    assert not ensemble.is_better(ACCURACY, [0.83, 0.79, 0.76, 0.83, 0.79], single)
    assert ensemble.is_better(ACCURACY, [0.81, 0.83, 0.79, 0.82, 0.80], single)


def test_the_vote_is_scikit_learns_own() -> None:
    rows = rng.normal(size=(200, 3))
    labels = np.where(rows[:, 0] + rng.normal(scale=0.5, size=200) > 0, "yes", "no")
    classes, numbers = np.unique(labels, return_inverse=True)
    named = [("a", LogisticRegression()), ("b", DecisionTreeClassifier(max_depth=3, random_state=0))]
    own = VotingClassifier(named, voting="soft", weights=[2, 1]).fit(rows, labels)
    made = ensemble.vote([(name, one.fit(rows, numbers)) for name, one in named], [2, 1], classes)
    assert np.array_equal(own.predict_proba(rows), made.predict_proba(rows))
    assert np.array_equal(own.predict(rows), made.predict(rows))
