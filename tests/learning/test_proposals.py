"""What is tried next: of a long table, known configurations of families that are behind come later."""

from __future__ import annotations

import pytest

from jupyter_mlstudio.entities.automl import Task, Training
from jupyter_mlstudio.entities.automl_candidates import Candidate
from jupyter_mlstudio.learning import families
from jupyter_mlstudio.learning.family import Family, Shape
from jupyter_mlstudio.learning.kept import Record
from jupyter_mlstudio.learning.proposals import BETWEEN, LONG, SEARCHED, Proposals


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
