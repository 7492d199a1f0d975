"""A forest of decision trees as the attributes of ONNX's ``TreeEnsembleRegressor``, whichever library grew it.

Operator: ONNX, ai.onnx.ml version 3. Thresholds are kept in the number type in which the library compares, float32 or
float64, so that each row takes the same way through each tree. A split on categories becomes a row of equality tests
that share one branch, which is how onnxruntime recognises set membership.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

LESS, LESS_OR_EQUAL, GREATER, EQUAL, LEAF = "BRANCH_LT", "BRANCH_LEQ", "BRANCH_GT", "BRANCH_EQ", "LEAF"
IMPOSSIBLE = -1.0
"""No category has this code."""


@dataclass(frozen=True, slots=True)
class Split:
    """An inner node: where a row goes when its feature passes the test, when not, and when it is missing.

    ``test`` is one of the modes above with ``value``, or EQUAL with ``categories``: passed by any of these codes.
    ``passed`` and ``failed`` name the children in the library's own way.
    """

    feature: int
    test: str
    passed: Any
    failed: Any
    value: float = 0.0
    categories: Sequence[int] = ()
    missing_passes: bool = False


Leaf = Mapping[int, float]
"""What a leaf adds to which target."""


_NODE_PARTS = ("treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids",
               "missing_value_tracks_true")  # fmt: skip
_LEAF_PARTS = ("treeids", "nodeids", "ids", "weights")


@dataclass(slots=True)
class Forest:
    """Trees that are summed up. ``wide`` tells that features are compared as float64, not float32."""

    targets: int
    wide: bool
    base: Sequence[float] = ()
    trees: int = 0
    nodes: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in _NODE_PARTS})
    leaves: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in _LEAF_PARTS})

    def grow(self, root: Any, look: Callable[[Any], Split | Leaf]) -> None:
        """Adds a tree; ``look`` tells what a node of the library is."""
        numbers = _Numbers()
        waiting = [(root, numbers.next())]
        while waiting:
            node, number = waiting.pop()
            found = look(node)
            if not isinstance(found, Split):
                self._leaf(number, found)
                continue
            passed, failed = numbers.next(), numbers.next()
            waiting += [(found.failed, failed), (found.passed, passed)]
            values: Sequence[float] = [found.value] if found.test != EQUAL else list(found.categories) or [IMPOSSIBLE]
            chain = [number, *(numbers.next() for _ in values[1:]), failed]
            for place, value in enumerate(values):
                missing = found.missing_passes and place == 0
                self._node(chain[place], found.feature, found.test, value, passed, chain[place + 1], missing)
        self.trees += 1

    def attributes(self) -> dict[str, Any]:
        """The operator's attributes."""
        found: dict[str, Any] = {f"nodes_{name}": values for name, values in self.nodes.items()}
        found |= {f"target_{name}": values for name, values in self.leaves.items()}
        base = [float(value) for value in self.base]
        floats = {"nodes_values": found.pop("nodes_values"), "target_weights": found.pop("target_weights")}
        if any(base):
            floats["base_values"] = base
        found |= {"n_targets": self.targets, "aggregate_function": "SUM", "post_transform": "NONE"}
        if not self.wide:
            return found | floats
        from onnx import TensorProto, helper

        tensors = {
            f"{name}_as_tensor": helper.make_tensor(name, TensorProto.DOUBLE, [len(values)], values)
            for name, values in floats.items()
        }
        return found | tensors

    def _node(
        self, number: int, feature: int, mode: str, value: float, passed: int, failed: int, missing: bool
    ) -> None:
        parts = (self.trees, number, int(feature), mode, float(value), passed, failed, int(missing))
        for name, part in zip(_NODE_PARTS, parts, strict=True):
            self.nodes[name].append(part)

    def _leaf(self, number: int, leaf: Leaf) -> None:
        self._node(number, 0, LEAF, 0.0, 0, 0, False)
        for target, weight in leaf.items():
            for name, part in zip(_LEAF_PARTS, (self.trees, number, target, float(weight)), strict=True):
                self.leaves[name].append(part)


class _Numbers:
    def __init__(self) -> None:
        self._next = 0

    def next(self) -> int:
        self._next += 1
        return self._next - 1


def round_down(value: float) -> float:
    """The largest float32 that is not above a float64: the threshold that float32 rows see."""
    narrow = np.float32(value)
    return float(narrow if float(narrow) <= value else np.nextafter(narrow, np.float32(-np.inf)))
