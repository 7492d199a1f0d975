"""How sure it is that the best trial is the best, against scipy and against sweeps whose truth is known."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from scipy import stats

from jupyter_mlstudio.entities.sweeps import Goal, Lead
from jupyter_mlstudio.sweeps.honest import Result, interval, lead, noise_of, welch


def test_the_interval_and_the_test_are_scipys() -> None:
    numbers = random.Random(1)
    for count in (2, 3, 5, 20):
        one = [numbers.gauss(1, 0.2) for _ in range(count)]
        other = [numbers.gauss(1.2, 0.5) for _ in range(count + 1)]
        wanted = stats.t.interval(0.95, count - 1, np.mean(one), stats.sem(one))
        assert interval(one) == pytest.approx(wanted)
        assert welch(one, other) == pytest.approx(stats.ttest_ind(one, other, equal_var=False).pvalue)


def test_one_seed_has_no_interval() -> None:
    assert interval([0.5]) == (None, None)
    assert welch([0.5], [0.4, 0.3]) is None
    assert welch([0.5, 0.5], [0.4, 0.4]) is None


def repeated(number: int, *samples: float) -> Result:
    return Result(number, float(np.mean(samples)), {"x": number}, samples)


def test_a_clear_lead_over_few_trials_has_no_note() -> None:
    found = lead([repeated(0, 0.80, 0.81, 0.79), repeated(1, 0.90, 0.91, 0.92)], Goal.MAXIMIZE)
    assert (found.runner_up, found.within_noise, found.note) == (0, False, "")
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.91 < found.high


def test_a_lead_within_the_noise_of_seeds_is_told_with_its_p_value() -> None:
    found = lead([repeated(0, 0.80, 0.90, 0.85), repeated(1, 0.86, 0.79, 0.92)], Goal.MAXIMIZE)
    assert found.within_noise
    assert found.note.startswith("Trial 1 leads trial 0 by 0.00667, which is within noise (p = 0.")


def test_a_lead_that_is_only_significant_alone_warns_of_the_many_comparisons() -> None:
    others = [repeated(number, 0.5, 0.51, 0.49) for number in range(2, 40)]
    found = lead([*others, repeated(0, 0.80, 0.81, 0.79), repeated(1, 0.83, 0.84, 0.82)], Goal.MAXIMIZE)
    assert not found.within_noise
    assert "it is the best of 40 trials" in found.note


def test_smaller_is_better_when_minimizing_and_what_is_not_finite_never_wins() -> None:
    results = [Result(0, 0.3, {}), Result(1, float("nan"), {}), Result(2, float("-inf"), {}), Result(3, 0.2, {})]
    found = lead(results, Goal.MINIMIZE)
    assert found.runner_up == 0
    assert lead([Result(1, float("nan"), {})], Goal.MINIMIZE) == Lead()
    assert lead([], Goal.MAXIMIZE) == Lead()


def test_equal_trials_are_equal() -> None:
    found = lead([Result(4, 0.5, {}), Result(2, 0.5, {})], Goal.MAXIMIZE)
    assert found.within_noise
    assert found.note == "Trials 2 and 4 have the same value 0.5: neither is better."


def noisy(sigma: float, count: int = 120) -> list[Result]:
    numbers = random.Random(3)
    rows: list[dict[str, Any]] = [
        {"lr": 10 ** numbers.uniform(-5, 0), "k": numbers.choice(["a", "b"])} for _ in range(count)
    ]
    return [
        Result(number, 1 - 0.1 * abs(np.log10(row["lr"]) + 2) - 0.2 * (row["k"] == "b") + numbers.gauss(0, sigma), row)
        for number, row in enumerate(rows)
    ]


def test_without_seeds_the_noise_is_read_from_neighbours() -> None:
    ranked = sorted(noisy(0.05), key=lambda one: -one.value)
    assert noise_of(ranked) == pytest.approx(0.05, rel=0.5)
    found = lead(ranked, Goal.MAXIMIZE)
    assert found.within_noise
    assert "neighbouring trials of 120 differ by about" in found.note
    assert (found.low, found.high) == (None, None)


def test_a_lead_far_beyond_the_differences_of_neighbours_has_no_note() -> None:
    results = [*noisy(0.001), Result(999, 2.0, {"lr": 0.01, "k": "a"})]
    assert lead(results, Goal.MAXIMIZE).note == ""


def test_few_trials_say_nothing_about_noise() -> None:
    assert noise_of([Result(number, number, {"x": number}) for number in range(7)]) is None
    assert lead([Result(0, 0.5, {"x": 1}), Result(1, 0.4, {"x": 2})], Goal.MAXIMIZE).note == ""
