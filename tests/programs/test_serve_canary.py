from __future__ import annotations

from typing import Any

import pytest

from jupyter_mlstudio.programs.serve_canary import breach, measure, shares
from jupyter_mlstudio.programs.serve_counts import Count

POLICY: dict[str, Any] = {
    "steps": [5, 25, 50, 100], "wait_s": 60, "min_requests": 100, "max_error_rate": 0.01, "max_p95_ratio": 2.0,
    "max_disagreement": 0.05,
}  # fmt: skip
READY = ("Ready", "")


def count(requests: int, errors: int = 0, bucket: int = 200, copies: int = 0, disagreements: int = 0) -> Count:
    made = Count()
    made.add(requests, errors, [(bucket, requests)])
    made.step_mirror |= {"copies": copies, "disagreements": disagreements}
    return made


def drifted(values: float, copies: int = 100) -> Count:
    made = count(0, copies=copies)
    for _ in range(copies):
        made.step_drift.note("probability[0]", 0.2, values)
    return made


@pytest.mark.parametrize(
    ("traffic", "percent", "expected"),
    [
        ({"blue": 100, "green": 0}, 5, {"blue": 95, "green": 5}),
        ({"blue": 60, "red": 30, "green": 10}, 25, {"blue": 50, "red": 25, "green": 25}),
        ({"blue": 33, "red": 33, "green": 34}, 5, {"blue": 48, "red": 47, "green": 5}),
        ({"blue": 0, "green": 100}, 0, {"blue": 100, "green": 0}),
        ({"green": 100}, 50, {"green": 100}),
    ],
)
def test_the_others_keep_their_proportions_and_the_sum_is_a_hundred(
    traffic: dict[str, int], percent: int, expected: dict[str, int]
) -> None:
    assert shares(traffic, "green", percent) == expected


def test_a_step_that_errs_no_more_and_is_as_quick_breaches_nothing() -> None:
    assert breach(POLICY, measure(count(200, 1, copies=100, disagreements=4), [count(800)]), READY) == ""


@pytest.mark.parametrize(
    ("canary", "why"),
    [
        (count(200, 3), "3 of 200 requests failed (1.5%), more than the 1.0% that are allowed"),
        (count(200, bucket=220), "times the"),
        (count(0, copies=100, disagreements=6), "6.0% of 100 answers disagree"),
    ],
)
def test_each_guard_says_what_was_measured_and_what_is_allowed(canary: Count, why: str) -> None:
    assert why in breach(POLICY, measure(canary, [count(800)]), READY)


def test_answers_that_have_drifted_say_which_output_and_how_far_when_that_is_limited() -> None:
    measured = measure(drifted(0.8), [count(800)])
    assert breach(POLICY, measured, READY) == ""
    why = breach({**POLICY, "max_drift": 0.2}, measured, READY)
    assert why.startswith("the answers have drifted: the population stability index of 'probability' is 10")
    assert why.endswith(" after 100 copies, more than the 0.2 that is allowed")
    assert breach({**POLICY, "max_drift": 0.2}, measure(drifted(0.2), []), READY) == ""
    assert breach({**POLICY, "max_drift": 0.2}, measure(drifted(0.8, copies=19), []), READY) == ""


def test_a_few_requests_prove_nothing() -> None:
    assert breach(POLICY, measure(count(5, 5, bucket=300, copies=5, disagreements=5), [count(800)]), READY) == ""


def test_a_deployment_that_has_failed_goes_back_at_once() -> None:
    assert "has failed: it crashed" in breach(POLICY, measure(count(0), []), ("Failed", "it crashed"))
