"""Of few rows without a mistake no vote is sure; of many it is as sure as they tell."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from jupyter_mlstudio.entities.automl import Task
from jupyter_mlstudio.entities.automl_candidates import Candidate
from jupyter_mlstudio.learning import ensemble, metrics
from jupyter_mlstudio.learning.choices import Choice, Choices
from jupyter_mlstudio.learning.doubt import Doubt, mistakes_of
from jupyter_mlstudio.learning.evaluate import write_array
from jupyter_mlstudio.learning.kept import Kept, Record

CLASSES = 3


def sure(y: NDArray[np.int64], of: float) -> NDArray[np.float64]:
    """A model that is right on each row, so sure."""
    found = np.full((len(y), CLASSES), (1 - of) / (CLASSES - 1))
    found[np.arange(len(y)), y] = of
    return found


def search_of(rows: int, folder: Path, metric: str = "log_loss", weights: Any = None) -> Any:
    folds = [(np.setdiff1d(np.arange(rows), part), part) for part in np.array_split(np.arange(rows), 5)]
    return SimpleNamespace(
        clock=SimpleNamespace(left_s=60.0), limits=SimpleNamespace(max_concurrent_trials=1),
        refit_s=lambda record: 0.0, check_s=lambda members: 0.0, kept=Kept(folder),
        plan=SimpleNamespace(
            folds=folds, classes=np.arange(CLASSES), weights=weights, positive=None, y=np.arange(rows) % CLASSES
        ),
        rungs=SimpleNamespace(folds=tuple(range(5)), once=0, judged=lambda plan: np.arange(rows)),
        spec=SimpleNamespace(seed=0), metric=metrics.find(metric, Task.CLASSIFICATION),
    )  # fmt: skip


def record(number: int) -> Record:
    return Record(Candidate(number=number, run_id="", family="Linear", stage="search"))


@pytest.mark.parametrize(("rows", "most"), [(140, 0.9985), (14_000, 1.0)])
def test_a_vote_is_as_sure_as_its_rows_tell(tmp_path: Path, rows: int, most: float) -> None:
    search = search_of(rows, tmp_path)
    found = [sure(search.plan.y, of) for of in (0.9999, 0.97, 0.96)]
    weights = Choices(search, lambda one: None)._weights([record(number) for number in range(3)], found)
    vote = ensemble.mixed(found, weights)
    assert vote.max() <= most
    assert vote.max() > 0.99
    assert (weights.get(0) == 1.0) == (rows > 1000), "of many rows the model that is right on all is alone"


def test_one_that_is_sure_of_few_rows_does_not_win_by_it(tmp_path: Path) -> None:
    search = search_of(140, tmp_path)
    choices = []
    for number, of in enumerate((0.9999, 0.996)):
        predicted = sure(search.plan.y, of)
        write_array(search.kept.oof_path(number), predicted)
        score = float(-np.log(of))
        one = Candidate(number=number, run_id="", family="VotingEnsemble", stage="ensemble", folds=[score] * 5)
        choices.append(Choice(one, [], []))
    made = Choices(search, lambda one: None)
    assert made._is_better(choices[1], choices[0])
    search.metric = metrics.find("accuracy", Task.CLASSIFICATION)
    assert Doubt(search).folds(choices[0].candidate) == choices[0].candidate.folds, "other metrics do not punish it"


def test_rows_that_do_not_count_and_rows_that_are_judged_again_leave_it_as_it_is(tmp_path: Path) -> None:
    plain, predicted = search_of(100, tmp_path), sure(np.arange(100) % CLASSES, 0.99)
    assert Doubt(plain)(predicted) == pytest.approx(0.5 / 100 * -np.log(0.005))
    half = search_of(200, tmp_path, weights=np.repeat([1.0, 0.0], 100))
    assert Doubt(half)(predicted) == pytest.approx(Doubt(plain)(predicted))
    plain.rungs.judged = lambda plan: np.tile(np.arange(100), 3)
    assert Doubt(plain)(predicted) == pytest.approx(0.5 / 100 * -np.log(0.005))
    assert mistakes_of(np.tile(np.arange(100), 3)) == 1.5
    assert Doubt(search_of(100, tmp_path, "auc_weighted"))(predicted) == 0
