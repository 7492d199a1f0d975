from __future__ import annotations

import numpy as np
import pytest

from jupyter_mlstudio.entities.models import ParityPolicy
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx.parity import compare_classifiers, compare_regressors, plain_labels


def test_a_flip_and_the_differences_are_counted_as_numpy_does_by_hand() -> None:
    p = np.array([[0.9, 0.1], [0.4, 0.6], [0.51, 0.49]])
    q = np.array([[0.8, 0.2], [0.4, 0.6], [0.49, 0.51]])
    found = compare_classifiers([0, 1, 0], [0, 1, 1], p, q)
    by_hand = np.abs(p - q).max(axis=1)
    assert (found.rows, found.label_flips) == (3, 1)
    assert found.max_abs_difference == by_hand.max()
    assert found.mean_abs_difference == by_hand.mean()
    assert found.worst_rows == [2, 0]
    assert not found.within(ParityPolicy(max_abs_difference=1.0))


def test_equal_answers_are_within_any_tolerance() -> None:
    p = np.array([[0.9, 0.1], [np.nan, np.inf]])
    found = compare_classifiers(["a", "b"], np.array(["a", "b"], object), p, p)
    assert (found.max_abs_difference, found.worst_rows) == (0.0, [])
    assert found.within(ParityPolicy(max_abs_difference=0.0))


def test_a_nan_on_one_side_only_is_an_infinite_difference() -> None:
    assert compare_regressors([1.0, np.nan], [1.0, 2.0]).max_abs_difference == np.inf


def test_a_flip_of_two_equally_probable_labels_is_a_tie_and_does_not_count() -> None:
    p = np.array([[0.5, 0.5, 0.0], [0.9, 0.1, 0.0]])
    tie = compare_classifiers([0, 0], [1, 0], p, np.add(p, 1e-7))
    assert (tie.label_flips, tie.ties) == (1, 1)
    assert tie.within(ParityPolicy(max_abs_difference=1e-5))
    flip = compare_classifiers([0, 0], [0, 1], p, p)
    assert (flip.label_flips, flip.ties) == (1, 0)
    assert not flip.within(ParityPolicy(max_abs_difference=1e-5))


def test_without_probabilities_a_flip_is_the_difference() -> None:
    found = compare_classifiers([0, 1], [0, 0])
    assert (found.label_flips, found.max_abs_difference) == (1, 1.0)


def test_a_regressor_is_measured_relative_to_the_scale_of_its_answers() -> None:
    values = np.array([1000.0, -1000.0])
    assert compare_regressors(values, values + 1).max_abs_difference == pytest.approx(1e-3)
    assert compare_regressors([0.001], [0.002]).max_abs_difference == pytest.approx(1e-3)


def test_each_target_has_its_own_scale() -> None:
    values = np.array([[1.0, 1000.0]])
    assert compare_regressors(values, np.add(values, [[0, 1.0]])).max_abs_difference == pytest.approx(1e-3)


@pytest.mark.parametrize(
    ("native", "onnx"),
    [([True, False], [1, 0]), ([1.0, 0.0], [1, 0]), (["a", "b"], np.array(["a", "b"], object)), ([[1], [0]], [1, 0])],
)  # fmt: skip
def test_labels_that_mean_the_same_are_the_same(native: object, onnx: object) -> None:
    assert plain_labels(native).tolist() == plain_labels(onnx).tolist()  # type: ignore[arg-type]


def test_answers_of_another_shape_are_refused() -> None:
    with pytest.raises(Invalid, match="shape"):
        compare_regressors([1.0, 2.0], [[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises(Invalid, match="no rows"):
        compare_regressors(np.zeros((0, 1)), np.zeros((0, 1)))


def test_a_policy_may_let_labels_flip_and_rows_differ() -> None:
    p = np.tile([0.9, 0.1], (100, 1))
    q = p.copy()
    q[7] = [0.4, 0.6]
    found = compare_classifiers(np.zeros(100, int), (q[:, 1] > 0.5).astype(int), p, q)
    assert not found.within(ParityPolicy())
    assert not found.within(ParityPolicy(max_label_flips=1))
    assert not found.within(ParityPolicy(quantile=0.98))
    assert found.within(ParityPolicy(max_label_flips=1, quantile=0.98))
    assert found.within(ParityPolicy(max_label_flips=1, max_abs_difference=0.51))
