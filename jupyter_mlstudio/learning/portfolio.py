"""What is tried first: configurations that are known to be good, so that any few of them are unlike each other."""

from __future__ import annotations

from collections.abc import Sequence

from jupyter_mlstudio.learning.family import COLUMNS, TELLING, Family, Params, Shape

MANY_CLASSES, SEVERAL_CLASSES, SEVERAL_ROWS = 12, 6, 4000
"""More classes have quick families first; so have several classes, where there are no more rows than that."""

WIDE = 40
"""Columns of a table from which on some may be noise."""

BEFORE_TELLING = BEFORE_LOGS = 3
"""Configurations before the first of telling columns, and before those of the logarithm of a skewed target."""


def portfolio(taking: Sequence[Family], shape: Shape) -> list[tuple[Family, Params]]:
    """Known configurations in the order in which they are tried.

    The first of each family comes first, in the order of the families (a boosting, a linear model, a forest, ...), then
    the second of each, and so on. Where the target is skewed, its logarithm is tried behind the first few, by two
    boostings and by models that are no trees. Where there are more columns than rows, quick families come first: linear
    models are good there, and trees are slow. So they do where there are many classes, for each of which a boosting
    grows trees of its own; of few rows several classes are enough for that, since there networks and support vectors
    are often as good. Where there are many columns, a boosting is tried on those that tell something; where quick
    families come first, one of these is.
    """
    if shape.features > shape.rows or _has_many_classes(shape):
        taking = sorted(taking, key=lambda family: family.expense_for(shape.classes))
    known = {family.name: family.known(shape) for family in taking}
    found: list[tuple[Family, Params]] = []
    for place in range(max(len(configurations) for configurations in known.values())):
        found += [(family, known[family.name][place]) for family in taking if place < len(known[family.name])]
    if shape.skewed:
        boosting = [family for family in taking if family.rounds][:2]
        found[BEFORE_LOGS:BEFORE_LOGS] = [
            (family, {**known[family.name][0], "log_target": True})
            for family in taking
            if family in boosting or family.multiplies
        ]
    if shape.features >= WIDE:
        first = next((family for family in taking[:BEFORE_TELLING] if family.rounds), taking[0])
        found.insert(BEFORE_TELLING, (first, {**known[first.name][0], COLUMNS: TELLING}))
    return found


def _has_many_classes(shape: Shape) -> bool:
    return shape.classes > (SEVERAL_CLASSES if shape.rows <= SEVERAL_ROWS else MANY_CLASSES)
