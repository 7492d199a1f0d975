"""What is told of a candidate that has ended."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from jupyter_mlstudio.entities.automl import Task
from jupyter_mlstudio.entities.automl_candidates import Candidate
from jupyter_mlstudio.learning import metrics
from jupyter_mlstudio.learning.evaluate import Result
from jupyter_mlstudio.learning.kept import Record
from jupyter_mlstudio.learning.trials import ended

FOLDS = [(np.arange(20), np.arange(20, 30))] * 3


def search() -> Any:
    return SimpleNamespace(
        metric=metrics.find("auc_weighted", Task.CLASSIFICATION), plan=SimpleNamespace(folds=FOLDS),
        rungs=SimpleNamespace(folds=(0, 1, 2)),
    )  # fmt: skip


def record() -> Record:
    return Record(Candidate(number=0, run_id="", family="Linear", stage="portfolio"), base={}, whole=False)


def test_a_fold_without_a_rare_class_does_not_spoil_the_score_of_the_others() -> None:
    found = ended(search(), record(), Result(params={}, scores=[0.9, math.nan, 0.8]))
    assert not found.candidate.failed
    assert found.candidate.score == pytest.approx(0.85)
    assert found.loss == pytest.approx(-0.85)


def test_a_candidate_with_no_score_at_all_has_failed() -> None:
    found = ended(search(), record(), Result(params={}, scores=[math.nan] * 3))
    assert found.candidate.failed == "its score is not a number"
    assert math.isinf(found.loss)
