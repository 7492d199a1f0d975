"""Few rows are split several times: how often, who is judged on all of it, and that no row is learnt from by itself."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_mlstudio.entities.automl import AutoMLSpec, Task
from jupyter_mlstudio.learning import folds
from jupyter_mlstudio.learning.early import behind
from jupyter_mlstudio.learning.plan import Plan, make_plan
from jupyter_mlstudio.learning.rungs import Rungs, shape_of
from jupyter_mlstudio.learning.stacking import parts_of
from jupyter_mlstudio.learning.state import State


def planned(rows: int, **more: Any) -> Plan:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=rows), "b": rng.normal(size=rows)})
    frame["y"] = np.where(frame["a"] + rng.normal(size=rows) > 0, "yes", "no")
    return make_plan(frame, AutoMLSpec(data="t", target="y", task=Task.CLASSIFICATION, **more))


def rungs_of(plan: Plan, timeout_s: float) -> Rungs:
    return Rungs.of(plan, shape_of(plan, "auc_binary"), timeout_s)


def test_few_rows_are_split_several_times_each_time_in_other_parts() -> None:
    plan = planned(300)
    assert (len(plan.folds), plan.repeats) == (15, 3)
    for start in (0, 5, 10):
        judged = np.concatenate([judged for _, judged in plan.folds[start : start + 5]])
        assert np.array_equal(np.sort(judged), np.arange(300))
    assert not np.array_equal(plan.folds[0][1], plan.folds[5][1])


@pytest.mark.parametrize(("rows", "more"), [(folds.REPEATED_ROWS, {}), (300, {"n_cross_validations": 4})])
def test_many_rows_are_split_once_and_so_are_those_whose_folds_were_asked_for(rows: int, more: dict[str, Any]) -> None:
    plan = planned(rows, **more)
    assert plan.repeats == 1
    assert len(plan.folds) == more.get("n_cross_validations", 5)


def test_folds_are_repeated_as_far_as_there_is_time() -> None:
    plan = planned(300)
    assert len(rungs_of(plan, 300).folds) == 15
    short = rungs_of(plan, 60)
    assert (short.folds, short.once) == ((0, 1, 2, 3, 4), 0)
    found = rungs_of(plan, 120)
    assert (len(found.folds), found.once) == (10, 5)
    assert Rungs.read(found.written()) == found


def test_who_is_behind_after_the_first_splitting_is_not_judged_on_the_others() -> None:
    losses = [0.30 + number / 100 for number in range(20)]
    assert behind(0.45, losses) == pytest.approx(0.30)
    assert behind(0.40, losses) is None
    assert behind(0.45, losses[:5]) is None


def test_predictions_of_a_row_that_is_judged_several_times_are_told_by_their_mean() -> None:
    plan = planned(300)
    rungs = rungs_of(plan, 300)
    rows = rungs.judged(plan)
    assert len(rows) == 900
    found = np.column_stack([rows + np.repeat([-1.0, 0.0, 1.0], 300), rows * 0.0])
    state: Any = SimpleNamespace(plan=plan, rungs=rungs, kept=SimpleNamespace(oof=lambda number: found))
    told = State.oof(state, 0)
    assert told is not None
    assert np.allclose(told, np.column_stack([np.arange(300), np.zeros(300)]))


def test_a_stack_is_judged_on_no_row_that_it_learnt_from_in_another_splitting() -> None:
    plan = planned(300)
    rungs = rungs_of(plan, 300)
    rows = rungs.judged(plan)
    search: Any = SimpleNamespace(plan=plan, rungs=rungs)
    parts = parts_of(search)
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(900))
    for part in parts:
        others = np.setdiff1d(np.arange(900), part)
        assert not set(rows[part]) & set(rows[others])
