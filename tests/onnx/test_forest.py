"""Forests as operators of ONNX: onnxruntime takes each row through each tree as a walk from the root does."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from jupyter_mlstudio.onnx.forest import GREATER, LESS, LESS_OR_EQUAL, Forest, Tree
from jupyter_mlstudio.onnx.forest_nodes import NEW, OLD, write

COLUMNS, CATEGORIES = 5, 2
LEAF = (0, 0.0, -1, -1, False)


def grown(random: Any, forest: Forest, depth: int, codes: int) -> Tree:
    """A tree that splits the first columns by sets of codes and the others by numbers."""
    nodes: list[tuple[Any, ...]] = []
    sets: dict[int, list[int]] = {}

    def grow(left: int) -> int:
        place = len(nodes)
        nodes.append(LEAF)
        if left and random.random() < 0.8:
            column = int(random.integers(COLUMNS))
            if column < CATEGORIES:
                sets[place] = random.permutation(codes)[: random.integers(1, codes)].tolist()
            threshold = float(forest.floats(random.normal()))
            nodes[place] = (column, threshold, grow(left - 1), grow(left - 1), random.random() < 0.5)
        return place

    grow(depth)
    weights = forest.floats(random.normal(size=len(nodes))).astype(float)
    features, thresholds, passed, failed, missing = (np.asarray(part) for part in zip(*nodes, strict=True))
    target = int(random.integers(forest.targets))
    return Tree(features, thresholds, passed, failed, missing, weights, target, sets)


def walked(tree: Tree, row: Any, test: str) -> float:
    node = 0
    while tree.passed[node] >= 0:
        value, threshold = row[tree.features[node]], tree.thresholds[node]
        if np.isnan(value):
            passes = bool(tree.missing_passes[node])
        elif node in tree.sets:
            passes = value in tree.sets[node]
        else:
            passes = {LESS: value < threshold, LESS_OR_EQUAL: value <= threshold, GREATER: value > threshold}[test]
        node = (tree.passed if passes else tree.failed)[node]
    return float(np.ravel(tree.weights)[node])


def session(forest: Forest, version: int) -> Any:
    wide = TensorProto.DOUBLE if forest.wide else TensorProto.FLOAT
    node = helper.make_node("X", ["x"], ["y"], domain="ai.onnx.ml")
    write(forest, node, version)
    graph = helper.make_graph(
        [node], "forest", [helper.make_tensor_value_info("x", wide, [None, COLUMNS])],
        [helper.make_tensor_value_info("y", wide if version == NEW else TensorProto.FLOAT, [None, forest.targets])],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", version)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    onnx.checker.check_model(model)
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def made(random: Any, test: str, wide: bool, codes: int) -> tuple[Forest, list[Tree], Any]:
    forest = Forest(int(random.integers(1, 4)), wide, test)
    trees = [grown(random, forest, int(random.integers(6)), codes) for _ in range(20)]
    for tree in trees:
        forest.grow(tree)
    rows = random.normal(size=(50, COLUMNS))
    rows[:, :CATEGORIES] = random.integers(-2, codes + 3, (50, CATEGORIES))
    rows[:4, 0] = [1e6, 1e12, -1e12, -5]
    rows[random.random(rows.shape) < 0.1] = np.nan
    return forest, trees, rows.astype(forest.floats)


@pytest.mark.parametrize("version", [OLD, NEW])
@pytest.mark.parametrize("codes", [4, 40, 200])
@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("test", [LESS, LESS_OR_EQUAL, GREATER])
def test_rows_go_where_a_walk_through_the_trees_goes(test: str, wide: bool, codes: int, version: int) -> None:
    forest, trees, rows = made(np.random.default_rng(codes), test, wide, codes)
    wanted = np.zeros((len(rows), forest.targets))
    for tree in trees:
        wanted[:, tree.target] += [walked(tree, row, test) for row in rows]
    ask = session(forest, version)
    for asked in (rows, rows[:1]):
        np.testing.assert_allclose(ask.run(None, {"x": asked})[0], wanted[: len(asked)], atol=2e-6)


@pytest.mark.parametrize("version", [OLD, NEW])
def test_a_branch_and_a_leaf_of_one_number_are_kept_apart(version: int) -> None:
    """Inner nodes and leaves are counted apart: the root's branches would both have the number 1."""
    forest, end = Forest(1, wide=True, test=LESS_OR_EQUAL), -1
    nothing, thresholds = np.zeros(5), np.array([0.0, 1.0, 0.0, 0.0, 0.0])
    for passed, weights in (([3, 2], [200.0, 100.0, 300.0]), ([2, 3], [10.0, 20.0, 30.0])):
        children = np.array([*passed, end, end, end]), np.array([1, 4, end, end, end])
        forest.grow(Tree(nothing, thresholds, *children, nothing, np.array([0.0, 0.0, *weights])))
    rows = np.repeat([[-1.0], [0.5], [2.0]], COLUMNS, axis=1)
    assert session(forest, version).run(None, {"x": rows})[0].ravel().tolist() == [110.0, 220.0, 330.0]


@pytest.mark.parametrize("version", [OLD, NEW])
@pytest.mark.parametrize("count", [0, 3])
def test_leaves_alone_add_what_they_say_to_every_row(count: int, version: int) -> None:
    forest = Forest(1, wide=False, test=LESS)
    for number in range(count):
        zero, end = np.zeros(1), np.array([-1])
        forest.grow(Tree(zero, zero, end, end, zero, np.array([number + 0.5])))
    answer = session(forest, version).run(None, {"x": np.ones((2, COLUMNS), np.float32)})[0]
    assert answer.ravel().tolist() == [sum(number + 0.5 for number in range(count))] * 2


def test_leaves_of_several_targets_add_to_all_of_them() -> None:
    forest = Forest(3, wide=False, test=LESS_OR_EQUAL)
    forest.grow(Tree(
        np.zeros(3), np.zeros(3), np.array([1, -1, -1]), np.array([2, -1, -1]), np.zeros(3),
        np.array([[0.0, 0, 0], [0.25, 0, 0.75], [0, 0, 0]]),
    ))  # fmt: skip
    assert forest.joint
    answer = session(forest, OLD).run(None, {"x": np.array([[-1.0] * COLUMNS, [1.0] * COLUMNS], np.float32)})[0]
    assert answer.tolist() == [[0.25, 0.0, 0.75], [0.0, 0.0, 0.0]]
