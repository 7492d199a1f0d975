"""What trials will take, and how much of a table they look at."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from jupyter_mlstudio.entities.automl import Task
from jupyter_mlstudio.entities.automl_candidates import Candidate
from jupyter_mlstudio.learning import families
from jupyter_mlstudio.learning.budget import Costs, grown
from jupyter_mlstudio.learning.early import far_behind
from jupyter_mlstudio.learning.family import Shape
from jupyter_mlstudio.learning.kept import Record
from jupyter_mlstudio.learning.rungs import Rungs

LIGHTGBM, FOREST, LINEAR = (families.find(name) for name in ("LightGBM", "RandomForest", "Linear"))


def test_costs_are_guessed_from_models_of_the_same_kind() -> None:
    costs = Costs()
    assert costs.trial_s(FOREST, 1000, 5) is None
    costs.add(LINEAR, 0.05, 1000, 5)
    assert costs.trial_s(FOREST, 1000, 5) is None
    costs.add(LIGHTGBM, 2.0, 1000, 5)
    assert costs.trial_s(LIGHTGBM, 1000, 5) == pytest.approx(2.0)
    assert costs.trial_s(FOREST, 1000, 5) == pytest.approx(2.0 * FOREST.expense)
    assert (costs.trial_s(LIGHTGBM, 4000, 1) or 0) > 4 * 2.0 / 5
    assert grown(1.0, 100, 1000) > 10


def rungs_of(rows: int, timeout_s: float, folds: int = 5) -> Rungs:
    train = np.arange(rows - rows // folds)
    plan: Any = SimpleNamespace(folds=[(train, np.arange(rows // folds))] * folds, repeats=1)
    return Rungs.of(plan, Shape(Task.REGRESSION, rows=rows, features=20), timeout_s)


def test_a_small_table_is_looked_at_as_a_whole() -> None:
    found = rungs_of(2000, 60)
    assert found.rows == (0,)
    assert len(found.folds) == 5


def test_a_large_table_begins_with_fewer_rows_and_folds() -> None:
    found = rungs_of(1_000_000, 60)
    assert len(found.folds) == 1
    assert found.rows[-1] == 0
    assert 5000 <= found.rows[0] < 100_000
    assert Rungs.read(found.written()) == found


def record(number: int, loss: float, rows: int, *folds: float, whole: bool = False) -> Record:
    candidate = Candidate(number=number, run_id="", family="LightGBM", stage="search", rows=rows, folds=list(folds))
    return Record(candidate, loss=loss, first_loss=folds[0] if folds else loss, whole=whole)


def test_the_best_third_goes_on_to_more_rows() -> None:
    rungs = Rungs((0,), (5000, 20_000, 0), 80_000, 800_000)
    assert rungs.promoted([record(0, 0.5, 5000), record(1, 0.4, 5000)], 5, set()) is None
    late = rungs.promoted([record(0, 0.5, 5000), record(1, 0.4, 5000)], 5, set(), late=True)
    assert late is not None
    assert late.candidate.number == 1
    there = [record(0, 0.5, 5000), record(1, 0.4, 5000), record(2, 0.6, 5000)]
    found = rungs.promoted(there, 5, set())
    assert found is not None
    assert found.candidate.number == 1
    assert rungs.after(5000) == 20_000
    assert rungs.after(20_000) == 0


def test_a_candidate_far_behind_on_the_first_fold_is_given_up() -> None:
    there = [record(number, 0.30, 1000, 0.30, 0.31, 0.29, whole=True) for number in range(9)]
    assert far_behind(0.50, 1000, there, "search") == pytest.approx(0.30)
    assert far_behind(0.301, 1000, there, "search") is None
    assert far_behind(0.50, 1000, there[:3], "search") is None
