"""A forest of decision trees as the attributes of ONNX's ``TreeEnsembleRegressor``, whichever library grew it.

Operator: ONNX, ai.onnx.ml version 3. Thresholds are kept in the number type in which the library compares, float32 or
float64, so that each row takes the same way through each tree. A split on categories becomes a row of equality tests
that share one branch, which is how onnxruntime recognises set membership.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

LESS, LESS_OR_EQUAL, GREATER = b"BRANCH_LT", b"BRANCH_LEQ", b"BRANCH_GT"
"""How a row's feature is compared with a threshold."""

_EQUAL, _LEAF = b"BRANCH_EQ", b"LEAF"
IMPOSSIBLE = -1.0
"""No category has this code."""


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


_NODE_PARTS = ("treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids",
               "missing_value_tracks_true")  # fmt: skip
_LEAF_PARTS = ("treeids", "nodeids", "ids", "weights")


@dataclass(slots=True)
class Forest:
    """Trees that are summed up.

    ``wide`` tells that features are compared as float64, not float32; ``test`` how, one of the modes above.
    """

    targets: int
    wide: bool
    test: bytes
    base: Sequence[float] = ()
    trees: int = 0
    nodes: list[tuple[Any, ...]] = field(default_factory=list)
    leaves: list[tuple[Any, ...]] = field(default_factory=list)

    def grow(self, tree: Tree) -> None:
        """Adds a tree."""
        leaf = tree.passed < 0
        kinds = np.where(leaf, 0, 1)
        parts = [
            np.where(leaf, 0, part).astype(kind)
            for part, kind in (
                (tree.features, np.int32), (kinds, np.int8), (tree.thresholds, np.float64), (tree.passed, np.int32),
                (tree.failed, np.int32), (tree.missing_passes, np.int8),
            )
        ]  # fmt: skip
        if tree.sets:
            parts = _with_chains(parts, tree.sets)
        count = len(parts[0])
        self.nodes.append((np.full(count, self.trees, np.int32), np.arange(count, dtype=np.int32), *parts))
        ends = np.flatnonzero(leaf)
        weights = np.asarray(tree.weights)[ends].reshape(len(ends), -1)
        width = weights.shape[1]
        ids = np.tile(np.arange(width, dtype=np.int32) + np.int32(tree.target), len(ends))
        numbers = np.full(weights.size, self.trees, np.int32)
        self.leaves.append((numbers, np.repeat(ends.astype(np.int32), width), ids, weights.ravel()))
        self.trees += 1

    def write(self, node: Any) -> None:
        """Becomes the attributes of an operator's node, in place of those that it has.

        Without a tree there is one that adds nothing.
        """
        from onnx import helper

        if not self.trees:
            zero, end = np.zeros(1, np.int64), np.array([-1])
            self.grow(Tree(zero, zero.astype(np.float64), end, end, zero, np.zeros((1, self.targets))))
        del node.attribute[:]
        for prefix, names, trees in (("nodes", _NODE_PARTS, self.nodes), ("target", _LEAF_PARTS, self.leaves)):
            for name, parts in zip(names, zip(*trees, strict=True), strict=True):
                self._add(node, f"{prefix}_{name}", np.concatenate(parts))
        if any(self.base):
            self._add(node, "base_values", np.asarray(self.base, np.float64))
        others = {"n_targets": self.targets, "aggregate_function": "SUM", "post_transform": "NONE"}
        node.attribute.extend(helper.make_attribute(name, value) for name, value in others.items())

    def _add(self, node: Any, name: str, values: Any) -> None:
        """Adds an attribute where it is to stay: a copy of it would stay in memory as long as the model."""
        from onnx import AttributeProto, numpy_helper

        if name == "nodes_missing_value_tracks_true" and not values.any():
            return
        attribute = node.attribute.add(name=name)
        if name == "nodes_modes":
            kinds = (_LEAF, self.test, _EQUAL)
            attribute.type = AttributeProto.STRINGS
            attribute.strings.extend([kinds[number] for number in values.tolist()])
        elif values.dtype.kind != "f":
            attribute.type = AttributeProto.INTS
            attribute.ints.extend(values.tolist())
        elif self.wide:
            attribute.name, attribute.type = f"{name}_as_tensor", AttributeProto.TENSOR
            attribute.t.CopyFrom(numpy_helper.from_array(values.astype(np.float64), name))
        else:
            attribute.type = AttributeProto.FLOATS
            attribute.floats.extend(values.tolist())


def _with_chains(parts: list[Any], sets: Mapping[int, Sequence[int]]) -> list[Any]:
    """Each node with a set becomes a chain of equality tests that share the branch of a row that passes."""
    features, kinds, values, passed, failed, missing = (part.tolist() for part in parts)
    for node, kept in sets.items():
        codes: list[float] = list(kept) or [IMPOSSIBLE]
        others = range(len(kinds), len(kinds) + len(codes) - 1)
        last = failed[node]
        kinds[node], values[node], failed[node] = 2, codes[0], [*others, last][0]
        features += [features[node]] * len(others)
        kinds += [2] * len(others)
        values += codes[1:]
        passed += [passed[node]] * len(others)
        failed += [*others, last][1:]
        missing += [0] * len(others)
    return [np.asarray(part) for part in (features, kinds, values, passed, failed, missing)]


def rounded_down(values: Any) -> Any:
    """The largest float32 that is not above each float64: the thresholds that float32 rows see, as float64."""
    narrow = np.asarray(values).astype(np.float32)
    return np.where(narrow <= values, narrow, np.nextafter(narrow, np.float32(-np.inf))).astype(np.float64)
