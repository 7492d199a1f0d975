"""What is tried next: of a long table, known configurations of families that are behind come later.

Where a boosting is slow since there are several classes, quick families come first; support vectors, which are as slow,
come early where neighbours do well.
"""

from __future__ import annotations

import pytest

from jupyter_mlstudio.entities.automl import Task, Training
from jupyter_mlstudio.entities.automl_candidates import Candidate
from jupyter_mlstudio.learning import families
from jupyter_mlstudio.learning.family import Family, Shape
from jupyter_mlstudio.learning.kept import Record
from jupyter_mlstudio.learning.portfolio import SEVERAL_ROWS
from jupyter_mlstudio.learning.proposals import BETWEEN, LONG, SEARCHED, Proposals

NAMES = ("HistGradientBoosting", "Linear", "ExtraTrees", "MLP", "SVM", "KNN")


def after_the_first_of_each(rows: int) -> tuple[Proposals, list[str]]:
    """Proposals that know one model of each family, and the families, the best first."""
    shape = Shape(task=Task.REGRESSION, rows=rows, features=8)
    taking: list[Family] = families.chosen(Training(), shape)[0]
    every, order = {family.name for family in taking}, list[str]()
    proposals = Proposals(taking, shape, seed=0)
    while len(order) < len(every):
        found = proposals.next_known(every)
        assert found is not None
        assert found[0].name not in order, "the first of each comes first"
        order.append(found[0].name)
        candidate = Candidate(number=len(order), run_id="", family=order[-1], stage="portfolio", params=found[1])
        loss = float(len(order))
        proposals.learn(Record(candidate, base=found[1], suggested=None, whole=True, loss=loss), loss)
    return proposals, order


def test_of_a_long_table_families_that_are_behind_wait_for_some_that_are_searched() -> None:
    proposals, order = after_the_first_of_each(LONG)
    every, promising = set(order), set(order[: max(SEARCHED, len(order) // 2)])
    while (found := proposals.next_known(every)) is not None:
        assert found[0].name in promising
    behind: list[str] = []
    for number in range(100, 100 + 3 * BETWEEN):
        assert proposals.next_searched(number, every) is not None
        if (found := proposals.next_known(every)) is not None:
            behind.append(found[0].name)
    assert len(behind) == 3, "one after so many that were searched"
    assert not promising & set(behind)


@pytest.mark.parametrize(("rows", "asked"), [(LONG, True), (LONG - 1, False)])
def test_they_need_not_wait_where_nothing_else_has_time_nor_of_a_short_table(rows: int, asked: bool) -> None:
    proposals, order = after_the_first_of_each(rows)
    behind = set(order[max(SEARCHED, len(order) // 2) :])
    assert (proposals.next_known(behind) is None) == asked
    found = proposals.next_known(behind, behind=asked)
    assert found is not None
    assert found[0].name in behind


def several_classes() -> Proposals:
    shape = Shape(task=Task.CLASSIFICATION, rows=1500, features=12, classes=9)
    taking: list[Family] = families.chosen(Training(allowed_training_algorithms=list(NAMES)), shape)[0]
    return Proposals(taking, shape, seed=0)


def taken(proposals: Proposals, losses: dict[str, float]) -> list[str]:
    """The known configurations in their order, when these are the losses."""
    order: list[str] = []
    while (found := proposals.next_known(set(NAMES))) is not None:
        order.append(found[0].name)
        candidate = Candidate(number=len(order), run_id="", family=order[-1], stage="portfolio", params=found[1])
        loss = losses.get(order[-1], 1.0)
        proposals.learn(Record(candidate, base=found[1], suggested=None, whole=True, loss=loss), loss)
    return order


def test_of_several_classes_quick_families_come_before_a_tree_for_each_class() -> None:
    order = taken(several_classes(), {"KNN": 0.5})
    assert order[: len(NAMES)] == ["Linear", "KNN", "MLP", "ExtraTrees", "SVM", "HistGradientBoosting"]


def test_support_vectors_wait_where_neighbours_are_worse_than_a_forest_and_are_not_left_out() -> None:
    proposals = several_classes()
    assert "SVM" not in taken(proposals, {"KNN": 2.0})
    for number in range(100, 100 + BETWEEN):
        assert proposals.next_searched(number, set(NAMES)) is not None
    found = proposals.next_known(set(NAMES))
    assert found is not None
    assert found[0].name == "SVM"


def test_long_tables_of_several_classes_and_two_classes_begin_with_a_boosting() -> None:
    for rows, classes in ((SEVERAL_ROWS + 1, 9), (1500, 2)):
        shape = Shape(task=Task.CLASSIFICATION, rows=rows, features=12, classes=classes)
        taking: list[Family] = families.chosen(Training(), shape)[0]
        first = Proposals(taking, shape, seed=0).next_known({family.name for family in taking})
        assert first is not None
        assert first[0].rounds
