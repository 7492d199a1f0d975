"""What is tried first: configurations that are known to be good, so that any few of them are unlike each other."""

from __future__ import annotations

from collections.abc import Sequence

from jupyter_mlstudio.learning.family import Family, Params, Shape


def portfolio(taking: Sequence[Family], shape: Shape) -> list[tuple[Family, Params]]:
    """Known configurations in the order in which they are tried.

    The first of each family comes first, in the order of the families (a boosting, a linear model, a forest, ...), then
    the second of each, and so on. Where the target is skewed, the first boosting is tried on its logarithm too. Where
    there are more columns than rows, quick families come first: linear models are good there, and trees are slow.
    """
    if shape.features > shape.rows:
        taking = sorted(taking, key=lambda family: family.expense)
    known = {family.name: family.known(shape) for family in taking}
    found: list[tuple[Family, Params]] = []
    for place in range(max(len(configurations) for configurations in known.values())):
        for family in taking:
            if place < len(known[family.name]):
                found.append((family, known[family.name][place]))
        if place == 0 and shape.skewed:
            logs = [(family, {**known[family.name][0], "log_target": True}) for family in taking if family.rounds]
            found += logs[:2]
    return found
