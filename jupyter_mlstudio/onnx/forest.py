"""A forest of decision trees as arrays, whichever library grew it.

Thresholds are kept in the number type in which the library compares, float32 or float64, so that each row takes the
same way through each tree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

LESS, LESS_OR_EQUAL, GREATER = "BRANCH_LT", "BRANCH_LEQ", "BRANCH_GT"
"""How a row's feature is compared with a threshold."""

PART = 50_000
"""Nodes of an operator: onnxruntime reads one after the other, and takes several times what it keeps meanwhile."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree as arrays with a value for each node; the root is node 0.

    Attributes:
        features, thresholds: what an inner node compares.
        passed, failed: the node to which a row goes that passes the test, or does not; a leaf has -1 as ``passed``.
        missing_passes: whether a row without a value goes on as if it had passed.
        weights: what a leaf adds, of shape (nodes,) to ``target`` alone, or (nodes, targets).
        sets: inner nodes that ask for membership instead: the category's code is one of these.
    """

    features: Any
    thresholds: Any
    passed: Any
    failed: Any
    missing_passes: Any
    weights: Any
    target: int = 0
    sets: Mapping[int, Sequence[int]] = field(default_factory=dict)


@dataclass(slots=True)
class Forest:
    """Trees that are summed up.

    ``wide`` tells that features are compared as float64, not float32; ``test`` how, one of the modes above. ``base`` is
    what each target begins with. ``trees`` have the least types, and as weights those of their leaves alone, of shape
    (leaves, targets that a leaf adds to).
    """

    targets: int
    wide: bool
    test: str
    base: Sequence[float] = ()
    trees: list[Tree] = field(default_factory=list)

    @property
    def floats(self) -> Any:
        """The number type of thresholds and weights."""
        return np.float64 if self.wide else np.float32

    @property
    def joint(self) -> bool:
        """Tells whether there are leaves that add to several targets."""
        return any(tree.weights.shape[1] > 1 for tree in self.trees)

    def parts(self) -> list[Forest]:
        """The forest as several ones that add up to it, each of about :data:`PART` nodes; ``base`` is left out."""
        parts = [Forest(self.targets, self.wide, self.test)]
        count = 0
        for tree in self.trees:
            if count >= PART:
                parts.append(Forest(self.targets, self.wide, self.test))
                count = 0
            parts[-1].trees.append(tree)
            count += len(tree.passed)
        return parts

    def grow(self, tree: Tree) -> None:
        """Adds a tree."""
        leaf = np.asarray(tree.passed) < 0
        features, passed, failed, missing = (
            np.where(leaf, other, part).astype(kind)
            for other, part, kind in (
                (0, tree.features, np.int32), (-1, tree.passed, np.int32), (-1, tree.failed, np.int32),
                (0, tree.missing_passes, np.int8),
            )
        )  # fmt: skip
        thresholds = np.where(leaf, 0, tree.thresholds).astype(self.floats)
        weights = np.asarray(tree.weights)[leaf].reshape(np.count_nonzero(leaf), -1).astype(self.floats)
        self.trees.append(Tree(features, thresholds, passed, failed, missing, weights, tree.target, tree.sets))


def rounded_down(values: Any) -> Any:
    """The largest float32 that is not above each float64: the thresholds that float32 rows see, as float64."""
    narrow = np.asarray(values).astype(np.float32)
    return np.where(narrow <= values, narrow, np.nextafter(narrow, np.float32(-np.inf))).astype(np.float64)
