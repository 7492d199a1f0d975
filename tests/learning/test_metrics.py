"""Metrics by Azure's names, and how sure one can be of a score."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from jupyter_mlstudio.entities.automl import Task
from jupyter_mlstudio.entities.experiments import Goal
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning import metrics

rng = np.random.default_rng(0)
Y = rng.integers(0, 3, 200)
PROBABILITIES = rng.dirichlet([1, 1, 1], 200)
WEIGHTS = rng.uniform(0.5, 2, 200)


@pytest.mark.parametrize("name", ["AUCWeighted", "auc_weighted", "AUC weighted", "AUC_weighted"])
def test_a_metric_is_found_by_any_spelling(name: str) -> None:
    assert metrics.find(name, Task.CLASSIFICATION).name == "auc_weighted"


def test_the_default_is_azures() -> None:
    assert metrics.find(None, Task.CLASSIFICATION).name == "auc_weighted"
    assert metrics.find(None, Task.REGRESSION).name == "normalized_root_mean_squared_error"
    assert metrics.find("R2Score", Task.FORECASTING).goal is Goal.MAXIMIZE


def test_an_unknown_metric_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(Invalid, match="spearman_correlation"):
        metrics.find("AUCWeighted", Task.REGRESSION)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_scores_are_scikit_learns(weights: np.ndarray | None) -> None:
    found = metrics.measured(Task.CLASSIFICATION, Y, PROBABILITIES, weights)
    labels = PROBABILITIES.argmax(axis=1)
    areas = [sklearn_metrics.roc_auc_score(one == Y, PROBABILITIES[:, one], sample_weight=weights) for one in range(3)]
    shares = np.bincount(Y, weights=weights)
    assert found["auc_weighted"] == pytest.approx(np.average(areas, weights=shares))
    assert found["accuracy"] == pytest.approx(sklearn_metrics.accuracy_score(Y, labels, sample_weight=weights))
    assert found["log_loss"] == pytest.approx(sklearn_metrics.log_loss(Y, PROBABILITIES, sample_weight=weights))
    assert found["balanced_accuracy"] == pytest.approx(
        sklearn_metrics.balanced_accuracy_score(Y, labels, sample_weight=weights)
    )
    assert "auc_binary" not in found


def test_the_area_under_the_curve_counts_ties_half() -> None:
    y, score = rng.integers(0, 2, 300), rng.integers(0, 5, 300) / 4
    found = metrics.find("auc", Task.CLASSIFICATION).score(y, np.c_[1 - score, score])
    assert found == pytest.approx(sklearn_metrics.roc_auc_score(y, score))


def test_normalised_errors_are_divided_by_the_range_of_the_whole_target() -> None:
    y, predicted = np.array([0.0, 10.0, 20.0]), np.array([1.0, 11.0, 21.0])
    metric = metrics.find("NormalizedRootMeanSquaredError", Task.REGRESSION)
    assert metric.score(y, predicted) == pytest.approx(0.05)
    assert metric.score(y, predicted, scale=100.0) == pytest.approx(0.01)


def test_regression_is_scikit_learns_too() -> None:
    y = rng.normal(size=200)
    predicted = y + rng.normal(scale=0.3, size=200)
    found = metrics.measured(Task.REGRESSION, y, predicted, WEIGHTS)
    assert found["r2_score"] == pytest.approx(sklearn_metrics.r2_score(y, predicted, sample_weight=WEIGHTS))
    assert 0.8 < found["spearman_correlation"] < 1
    assert "root_mean_squared_log_error" not in found


def test_a_score_that_is_not_defined_is_worse_than_any_other() -> None:
    metric = metrics.find("AUCWeighted", Task.CLASSIFICATION)
    nothing = metric.score(np.zeros(5, int), np.full((5, 2), 0.5))
    assert math.isnan(nothing)
    assert metric.better(0.1, nothing)
    assert not metric.better(nothing, 0.1)


def test_the_interval_is_wider_than_the_plain_one_and_stays_within_what_can_be() -> None:
    metric = metrics.find("accuracy", Task.CLASSIFICATION)
    folds = [0.90, 0.92, 0.94, 0.91, 0.93]
    low, high = metrics.interval(folds, 0.25, metric) or (0, 0)
    plain = 2.776 * np.std(folds, ddof=1) / math.sqrt(5)
    assert high - 0.92 == pytest.approx(plain * 1.5, rel=1e-3)
    assert low < 0.9
    assert metrics.interval([0.99, 1.0, 0.9], 0.5, metric)[1] == 1.0  # type: ignore[index]
    assert metrics.interval([0.9], 0.25, metric) is None


def test_one_test_set_has_an_interval_by_the_bootstrap() -> None:
    metric = metrics.find("accuracy", Task.CLASSIFICATION)
    right = rng.uniform(size=10_000) < 0.9
    low, high = metrics.resampled(lambda picked: float(right[picked].mean()), 10_000, metric, seed=0) or (0, 0)
    assert low < 0.9 < high
    assert high - low == pytest.approx(2 * 1.96 * 0.3 / 100, rel=0.35)
