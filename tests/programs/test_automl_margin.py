"""Whether a lead on the leaderboard is more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scipy import stats

from jupyter_mlstudio.entities.automl_candidates import Candidate, OnnxCheck
from jupyter_mlstudio.entities.automl_reports import AutoMLReport
from jupyter_mlstudio.entities.experiments import Goal
from jupyter_mlstudio.programs.automl_margin import margin_of


def tried(number: int, folds: Sequence[float], **more: Any) -> Candidate:
    score = float(np.mean(folds))
    fields = {"low": score - 0.02, "high": score + 0.02, "folds": list(folds), "score": score} | more
    return Candidate(number=number, run_id=f"r{number}", family=f"model {number}", stage="search", **fields)


def report(*found: Candidate, **more: Any) -> AutoMLReport:
    return AutoMLReport(phase="done", leaderboard=list(found), **more)


def test_a_lead_in_every_fold_is_more_than_chance_though_the_intervals_overlap() -> None:
    margin = margin_of(report(tried(4, [0.80, 0.90, 0.70, 0.85, 0.75]), tried(2, [0.78, 0.88, 0.685, 0.83, 0.73])))

    assert margin is not None
    assert (margin.number, margin.family, margin.within_noise) == (2, "model 2", False)
    assert margin.lead == pytest.approx(0.019)


def test_the_interval_is_that_of_the_corrected_paired_test() -> None:
    one, other = np.array([0.80, 0.90, 0.70, 0.85, 0.75]), np.array([0.82, 0.85, 0.69, 0.86, 0.71])
    margin = margin_of(report(tried(0, one), tried(1, other)))

    steps = one - other
    reach = stats.t.ppf(0.975, 4) * np.sqrt(steps.var(ddof=1) * (1 / 5 + 1 / 4))
    assert margin is not None
    assert [margin.low, margin.high] == pytest.approx([steps.mean() - reach, steps.mean() + reach])
    assert margin.within_noise


def test_errors_are_better_when_they_are_less() -> None:
    found = [tried(0, [0.1, 0.2, 0.1]), tried(1, [0.3, 0.4, 0.3])]
    margin = margin_of(report(*found, goal=Goal.MINIMIZE))
    assert margin is not None
    assert margin.lead == pytest.approx(0.2)
    assert not margin.within_noise


def test_without_several_folds_the_interval_of_the_winner_tells() -> None:
    near, far = tried(1, [0.89]), tried(1, [0.7])
    assert [getattr(margin_of(report(tried(0, [0.9]), one)), "within_noise", None) for one in (near, far)] == [
        True, False,
    ]  # fmt: skip
    assert getattr(margin_of(report(tried(0, [0.9]), near)), "low", 0) is None


def test_the_winner_is_compared_with_the_best_that_could_have_won() -> None:
    left_out = tried(9, [0.95, 0.96], onnx=OnnxCheck(ready=False, reason="other labels"))
    late = tried(8, [0.93, 0.94])  # better, and not checked in time
    found = [left_out, late, tried(3, [0.9, 0.91]), tried(5, [0.89, 0.92]), tried(6, [0.5], failed="no memory")]
    margin = margin_of(report(*found, winner=3))
    assert margin is not None
    assert margin.number == 5
    assert margin_of(report(found[2], found[4], winner=3)) is None
    assert margin_of(report()) is None
