"""Writes a forest as an operator of ONNX: ``TreeEnsemble``, or ``TreeEnsembleRegressor`` before ai.onnx.ml version 5.

Operators: ONNX's ``Operators-ml.md``. The newer one takes less than half of the file and of onnxruntime's memory, since
leaves are no nodes and tests no texts, but a leaf adds to one target alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from jupyter_mlstudio.onnx.forest import GREATER, LESS, LESS_OR_EQUAL, Forest, Tree

DOMAIN = "ai.onnx.ml"
OLD, NEW = 3, 5
"""Versions of the domain that have either form."""

IR_VERSION = 10
"""The oldest version of the file format with the newer form."""

IMPOSSIBLE = -1
"""No category has this code."""

_MODES = {LESS_OR_EQUAL: 0, LESS: 1, GREATER: 3}
_EQUAL, _LEAF, _MEMBER = b"BRANCH_EQ", b"LEAF", 6
_NODES = ("featureids", "modes", "splits", "truenodeids", "trueleafs", "falsenodeids", "falseleafs",
          "missing_value_tracks_true")  # fmt: skip
_OLD_NODES = ("treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids",
              "missing_value_tracks_true")  # fmt: skip
_OLD_LEAVES = ("treeids", "nodeids", "ids", "weights")


def write(forest: Forest, node: Any, version: int) -> None:
    """Gives an operator the forest's form in place of what it has. Without a tree there is one that adds nothing.

    Args:
        forest: what is summed up; its ``base`` is left to another operator.
        node: an onnx.NodeProto.
        version: :data:`OLD`, whose output is float32, or :data:`NEW`, which has the type of the forest's features and
            takes no forest with leaves that add to several targets.
    """
    if not forest.trees:
        zero, end = np.zeros(1), np.array([-1])
        forest.grow(Tree(zero, zero, end, end, zero, zero))
    del node.attribute[:]
    (_write if version == NEW else _write_old)(forest, node)


def _write(forest: Forest, node: Any) -> None:
    """Inner nodes and leaves are numbered apart, each through all trees.

    A root's branches have different numbers, and a lone leaf becomes two equal ones, since onnxruntime has taken a root
    with equal numbers for a leaf (its issue 24679).
    """
    nodes, leaves, roots, members = [], [], [], []
    nodes_before = leaves_before = 0
    for grown in forest.trees:
        tree = grown if len(grown.passed) > 1 else _stump(grown)
        leaf = tree.passed < 0
        inner, ends, order = np.flatnonzero(~leaf), np.flatnonzero(leaf), np.arange(np.count_nonzero(leaf))
        places = np.empty(len(leaf), np.int64)
        places[inner] = np.arange(nodes_before, nodes_before + len(inner))
        places[ends] = order + leaves_before
        if places[tree.passed[0]] == places[tree.failed[0]]:
            order = np.roll(order, 1)
            places[ends[order]] = np.arange(leaves_before, leaves_before + len(ends))
        modes = np.full(len(leaf), _MODES[forest.test], np.uint8)
        for number, kept in sorted(tree.sets.items()):
            modes[number] = _MEMBER
            members += [*(kept or [IMPOSSIBLE]), np.nan]
        passed, failed = tree.passed[inner], tree.failed[inner]
        nodes.append((
            tree.features[inner], modes[inner], tree.thresholds[inner], places[passed], leaf[passed].astype(np.int8),
            places[failed], leaf[failed].astype(np.int8), tree.missing_passes[inner],
        ))  # fmt: skip
        leaves.append((np.full(len(ends), tree.target, np.int32), tree.weights[order, 0]))
        roots.append(nodes_before)
        nodes_before, leaves_before = nodes_before + len(inner), leaves_before + len(ends)
    node.op_type = "TreeEnsemble"
    for name, parts in zip(_NODES, zip(*nodes, strict=True), strict=True):
        _add(node, f"nodes_{name}", np.concatenate(parts))
    for name, parts in zip(("targetids", "weights"), zip(*leaves, strict=True), strict=True):
        _add(node, f"leaf_{name}", np.concatenate(parts))
    _add(node, "tree_roots", np.asarray(roots))
    if members:
        _add(node, "membership_values", np.asarray(members, forest.floats))
    _add_settings(node, n_targets=forest.targets, aggregate_function=1, post_transform=0)


def _stump(leaf: Tree) -> Tree:
    """A root with two leaves like the one."""
    end, zero = np.array([-1, -1]), np.zeros(3, np.int32)
    return replace(
        leaf, features=zero, thresholds=zero.astype(leaf.thresholds.dtype), passed=np.r_[1, end], failed=np.r_[2, end],
        missing_passes=zero, weights=np.repeat(leaf.weights, 2, axis=0),
    )  # fmt: skip


def _write_old(forest: Forest, node: Any) -> None:
    """A split on categories becomes a row of equality tests that share a branch: onnxruntime sees a set in it.

    Weights of zero are left out, except that no leaf may be without any.
    """
    nodes, leaves = [], []
    for number, tree in enumerate(forest.trees):
        leaf = tree.passed < 0
        branches = (np.where(leaf, 0, branch) for branch in (tree.passed, tree.failed))
        parts = [tree.features, np.where(leaf, 0, 1), tree.thresholds, *branches, tree.missing_passes]
        if tree.sets:
            parts = _with_chains(parts, tree.sets)
        count = len(parts[0])
        nodes.append((np.full(count, number, np.int32), np.arange(count, dtype=np.int32), *parts))
        told = tree.weights != 0
        told[~told.any(axis=1), 0] = True
        rows, targets = np.nonzero(told)
        leaves.append((
            np.full(len(rows), number, np.int32), np.flatnonzero(leaf)[rows], targets + tree.target, tree.weights[told],
        ))  # fmt: skip
    node.op_type = "TreeEnsembleRegressor"
    for prefix, names, trees in (("nodes", _OLD_NODES, nodes), ("target", _OLD_LEAVES, leaves)):
        for name, values in zip(names, zip(*trees, strict=True), strict=True):
            _add_old(node, f"{prefix}_{name}", np.concatenate(values), forest)
    _add_settings(node, n_targets=forest.targets, aggregate_function="SUM", post_transform="NONE")


def _with_chains(parts: list[Any], sets: Mapping[int, Sequence[int]]) -> list[Any]:
    """Each node with a set becomes a chain of equality tests that share the branch of a row that passes."""
    features, kinds, values, passed, failed, missing = (part.tolist() for part in parts)
    for node, kept in sets.items():
        codes = [*(kept or [IMPOSSIBLE])]
        others = range(len(kinds), len(kinds) + len(codes) - 1)
        last = failed[node]
        kinds[node], values[node], failed[node] = 2, codes[0], [*others, last][0]
        features += [features[node]] * len(others)
        kinds += [2] * len(others)
        values += codes[1:]
        passed += [passed[node]] * len(others)
        failed += [*others, last][1:]
        missing += [0] * len(others)
    values = np.asarray(values, parts[2].dtype)
    return [*map(np.asarray, (features, kinds)), values, *map(np.asarray, (passed, failed, missing))]


def _add_old(node: Any, name: str, values: Any, forest: Forest) -> None:
    """Kinds of nodes are texts; floats are a list, unless they are wide."""
    from onnx import AttributeProto

    if name == "nodes_modes":
        kinds = (_LEAF, forest.test.encode(), _EQUAL)
        attribute = node.attribute.add(name=name, type=AttributeProto.STRINGS)
        attribute.strings.extend([kinds[kind] for kind in values.tolist()])
    elif values.dtype.kind == "f" and not forest.wide:
        node.attribute.add(name=name, type=AttributeProto.FLOATS).floats.extend(values.tolist())
    else:
        _add(node, f"{name}_as_tensor" if values.dtype.kind == "f" else name, values)


def _add(node: Any, name: str, values: Any) -> None:
    """Adds an attribute where it is to stay: a copy of it would stay in memory as long as the model."""
    from onnx import AttributeProto, numpy_helper

    if name == "nodes_missing_value_tracks_true" and not values.any():
        return
    attribute = node.attribute.add(name=name)
    if values.dtype.kind == "i":
        attribute.type = AttributeProto.INTS
        attribute.ints.extend(values.tolist())
    else:
        attribute.type = AttributeProto.TENSOR
        attribute.t.CopyFrom(numpy_helper.from_array(values, name))


def _add_settings(node: Any, **settings: Any) -> None:
    from onnx import helper

    node.attribute.extend(helper.make_attribute(name, value) for name, value in settings.items())
