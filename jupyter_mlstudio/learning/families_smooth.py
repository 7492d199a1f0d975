"""Models of scaled features: linear ones, neighbours, networks and support vectors."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from jupyter_mlstudio.entities.automl import Task
from jupyter_mlstudio.learning.family import (
    Family,
    Making,
    Params,
    Shape,
    common,
    suggest_common,
    weighted_classes,
    without,
)
from jupyter_mlstudio.learning.skewed import LogTarget

STOPS_EARLY, STOPS_SHARE = 20_000, 0.1
"""Rows from which a network stops by a tenth of them; of fewer it learns from all, for a fixed time."""

LEAST_BATCH, MOST_BATCH, LEAST_BATCHES = 32, 200, 5
"""Of a network: rows of a batch, and batches of an epoch where there are enough rows."""

MOST_KEPT = 3_000_000
"""Numbers of a table that a model of neighbours may keep."""


class _Smooth(Family):
    def form_for(self, params: Params) -> str:
        usual = super().form_for(params)  # what grows by factors does so in target and columns
        return usual.replace(self.form, "logs", 1) if params.get("log_target") else usual


class Linear(_Smooth):
    """Logistic regression, or ridge regression."""

    name = "Linear"
    also = ("LogisticRegression", "Ridge", "LinearRegression")
    multiplies = True
    expense = 0.4

    def known(self, shape: Shape) -> list[Params]:
        if shape.classifies:
            return [{"C": 1.0} | common(shape), {"C": 0.05} | common(shape)]
        return [{"alpha": 1.0}, {"alpha": 30.0}]

    def suggest(self, trial: Any, shape: Shape) -> Params:
        if shape.classifies:
            return {"C": trial.suggest_float("C", 1e-4, 100.0, log=True)} | suggest_common(trial, shape)
        return {"alpha": trial.suggest_float("alpha", 1e-3, 1e4, log=True)} | suggest_common(trial, shape)

    def make(self, params: Params, making: Making) -> Any:
        from sklearn import linear_model

        if making.shape.classifies:
            return linear_model.LogisticRegression(
                C=params["C"], class_weight=weighted_classes(params), max_iter=300, random_state=making.seed
            )
        return _of_logarithm(linear_model.Ridge(alpha=params["alpha"], random_state=making.seed), params)


class ElasticNet(_Smooth):
    """Linear regression that leaves features out."""

    name = "ElasticNet"
    also = ("Lasso", "LassoLars")
    expense = 0.5

    def refuses(self, shape: Shape) -> str:
        return "it is for regression" if shape.classifies else ""

    def known(self, shape: Shape) -> list[Params]:
        return [{"alpha": 0.01, "l1_ratio": 0.5}]

    def suggest(self, trial: Any, shape: Shape) -> Params:
        return {
            "alpha": trial.suggest_float("alpha", 1e-4, 1.0, log=True),
            "l1_ratio": trial.suggest_float("l1_ratio", 0.05, 1.0),
        } | suggest_common(trial, shape)

    def make(self, params: Params, making: Making) -> Any:
        from sklearn.linear_model import ElasticNet as Model

        return _scaled_target(Model(**without(params), max_iter=2000, random_state=making.seed), params)


class SGD(_Smooth):
    """Linear models by stochastic gradient descent, for many rows. Tried when asked for by name, or on large tables."""

    name = "SGD"
    also = ("SGDClassifier", "SGDRegressor", "AveragedPerceptronClassifier", "OnlineGradientDescentRegressor")
    expense = 0.4

    def known(self, shape: Shape) -> list[Params]:
        return [{"alpha": 1e-4} | common(shape)]

    def suggest(self, trial: Any, shape: Shape) -> Params:
        return {"alpha": trial.suggest_float("alpha", 1e-6, 1e-1, log=True)} | suggest_common(trial, shape)

    def make(self, params: Params, making: Making) -> Any:
        from sklearn import linear_model

        settings = {"alpha": params["alpha"], "average": True, "random_state": making.seed}
        if making.shape.classifies:
            return linear_model.SGDClassifier(loss="log_loss", class_weight=weighted_classes(params), **settings)
        return _scaled_target(linear_model.SGDRegressor(**settings), params)


class KNN(_Smooth):
    """Nearest neighbours."""

    name = "KNN"
    also = ("KNeighborsClassifier", "KNeighborsRegressor", "NearestNeighbors")
    takes_weights = False
    expense = 1.0

    def refuses(self, shape: Shape) -> str:
        if shape.rows > 15_000:
            return f"it keeps all {shape.rows:,} rows in the model, which is slow to answer: at most 15,000"
        if shape.rows * shape.features > MOST_KEPT:
            return (
                f"it keeps all {shape.rows:,} rows of {shape.features:,} columns in the model, which is slow to answer"
            )
        return ""

    def known(self, shape: Shape) -> list[Params]:
        return [{"n_neighbors": 15 if shape.rows > 300 else 5, "weights": "distance"}]

    def suggest(self, trial: Any, shape: Shape) -> Params:
        return {
            "n_neighbors": trial.suggest_int("n_neighbors", 1, max(2, min(100, shape.rows // 5)), log=True),
            "weights": trial.suggest_categorical("weights", ["uniform", "distance"]),
        } | ({"log_target": trial.suggest_categorical("log_target", [False, True])} if shape.skewed else {})

    def make(self, params: Params, making: Making) -> Any:
        from sklearn import neighbors

        kind = neighbors.KNeighborsClassifier if making.shape.classifies else neighbors.KNeighborsRegressor
        return _of_logarithm(kind(**without(params), n_jobs=making.threads), params)


class MLP(_Smooth):
    """A small network of dense layers."""

    name, multiplies = "MLP", True
    usual: ClassVar[Params] = {"activation": "relu", "log_target": False}
    also = ("MLPClassifier", "MLPRegressor", "NeuralNetwork", "TCNForecaster")
    expense = 2.0

    def refuses(self, shape: Shape) -> str:
        return "on more than 100,000 rows it takes too long" if shape.rows > 100_000 else ""

    def known(self, shape: Shape) -> list[Params]:
        wide = {"hidden": 96, "layers": 1, "alpha": 1.0, "learning_rate_init": 0.003}
        deep = {"hidden": 64, "layers": 2, "alpha": 0.3, "learning_rate_init": 0.002}
        deep |= {"log_target": True} if shape.skewed else {}
        calm = {"hidden": 40, "layers": 2, "alpha": 6.0, "learning_rate_init": 0.003, "activation": "tanh"}
        return [wide, deep, calm]

    def suggest(self, trial: Any, shape: Shape) -> Params:
        return {
            "hidden": trial.suggest_int("hidden", 16, 256, log=True),
            "layers": trial.suggest_int("layers", 1, 3),
            "alpha": trial.suggest_float("alpha", 1e-3, 10.0, log=True),
            "learning_rate_init": trial.suggest_float("learning_rate_init", 5e-4, 2e-2, log=True),
            "activation": trial.suggest_categorical("activation", ["relu", "tanh"]),
        } | ({"log_target": trial.suggest_categorical("log_target", [False, True])} if shape.skewed else {})

    def make(self, params: Params, making: Making) -> Any:
        from sklearn import neural_network

        kind = neural_network.MLPClassifier if making.shape.classifies else neural_network.MLPRegressor
        rows, stops = making.rows or making.shape.rows, making.shape.rows >= STOPS_EARLY
        batch = batch_of(rows - math.ceil(STOPS_SHARE * rows) if stops else rows)
        model = kind(
            hidden_layer_sizes=(params["hidden"],) * params["layers"], **without(params, "hidden", "layers", "alpha"),
            alpha=params["alpha"] * batch / min(MOST_BATCH, rows), batch_size=batch, max_iter=60, early_stopping=stops,
            validation_fraction=STOPS_SHARE, n_iter_no_change=8, random_state=making.seed,
        )  # fmt: skip
        return model if making.shape.classifies else _scaled_target(model, params)


def batch_of(rows: int) -> int:
    """Rows of a batch, so that no batch is much smaller than the others, and an epoch of few rows has several.

    scikit-learn divides the penalty by the rows of a batch, and Adam takes a step of the same size for each: where 200
    rows make a batch and one is left over, the last step of each epoch undoes the others.
    """
    wanted = max(1, min(rows, max(LEAST_BATCH, min(MOST_BATCH, rows // LEAST_BATCHES))))
    return math.ceil(rows / math.ceil(rows / wanted))


class _Vectors(_Smooth):
    """Support vectors, calibrated; see :func:`_calibrated`."""

    takes_labels = False

    def knows(self, labels: Any) -> bool:
        """Of three and more classes scikit-learn (1.8 to 1.9) takes labels that are numbers for places in an array,
        when it looks for a temperature: with others than 0, 1 ... the probabilities are wrong, or the process breaks.
        """
        return super().knows(labels) or len(labels) < 3 or isinstance(labels[0], str)


class SVM(_Vectors):
    """Support vectors with a Gaussian kernel, calibrated; for small tables."""

    name = "SVM"
    also = ("SVC", "SVR")
    multiplies = True
    expense = 2.0
    foretold = ("KNN", "ExtraTrees")  # it lives by distances too

    def expense_for(self, classes: int) -> float:
        return self.expense * (3 if classes > 2 else 1)  # each class has its own vectors

    def refuses(self, shape: Shape) -> str:
        return f"{shape.rows:,} rows are too many for kernels: at most 4,000" if shape.rows > 4000 else ""

    def known(self, shape: Shape) -> list[Params]:
        return [{"C": 1.0, "gamma": "scale"} | common(shape)]

    def suggest(self, trial: Any, shape: Shape) -> Params:
        return {
            "C": trial.suggest_float("C", 0.05, 100.0, log=True),
            "gamma": trial.suggest_float("gamma", 1e-4, 1.0, log=True),
        } | suggest_common(trial, shape)

    def make(self, params: Params, making: Making) -> Any:
        from sklearn import svm

        if not making.shape.classifies:
            return _scaled_target(svm.SVR(**without(params), cache_size=200), params)
        model = svm.SVC(**without(params), class_weight=weighted_classes(params), cache_size=200)
        if making.shape.classes < 3 or making.shape.weighted:
            return _calibrated(model, making.shape)
        from sklearn.multiclass import OneVsRestClassifier

        return _calibrated(OneVsRestClassifier(model), making.shape)  # votes of pairs are no measure of how sure it is


class LinearSVM(_Vectors):
    """Support vectors without a kernel, calibrated. Tried when asked for by name."""

    name = "LinearSVM"
    also = ("LinearSVC", "LinearSVR", "LinearSvmClassifier")
    expense = 0.8

    def known(self, shape: Shape) -> list[Params]:
        return [{"C": 0.3} | common(shape)]

    def suggest(self, trial: Any, shape: Shape) -> Params:
        return {"C": trial.suggest_float("C", 1e-3, 30.0, log=True)} | suggest_common(trial, shape)

    def make(self, params: Params, making: Making) -> Any:
        from sklearn import svm

        if not making.shape.classifies:
            return _scaled_target(svm.LinearSVR(**without(params), random_state=making.seed), params)
        settings = {"class_weight": weighted_classes(params), "random_state": making.seed}
        return _calibrated(svm.LinearSVC(**without(params), **settings), making.shape)


class NaiveBayes(_Smooth):
    """Gaussian naive Bayes. Tried when asked for by name."""

    name = "NaiveBayes"
    also = ("GaussianNB", "BernoulliNaiveBayes", "MultinomialNaiveBayes")
    expense = 0.1

    def refuses(self, shape: Shape) -> str:
        return "" if shape.task is Task.CLASSIFICATION else "it is for classification"

    def known(self, shape: Shape) -> list[Params]:
        return [{"var_smoothing": 1e-3}]

    def suggest(self, trial: Any, shape: Shape) -> Params:
        return {"var_smoothing": trial.suggest_float("var_smoothing", 1e-9, 1.0, log=True)}

    def make(self, params: Params, making: Making) -> Any:
        from sklearn.naive_bayes import GaussianNB

        return GaussianNB(**without(params))


def _scaled_target(model: Any, params: Params) -> Any:
    """Learns the target's logarithm, or the target with mean 0 and variance 1."""
    if params.get("log_target"):
        return _of_logarithm(model, params)
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler

    return TransformedTargetRegressor(regressor=model, transformer=StandardScaler())


def _of_logarithm(model: Any, params: Params) -> Any:
    """A regressor of the target's logarithm, with mean 0 and variance 1, when the parameters ask for it."""
    if not params.get("log_target"):
        return model
    from sklearn.compose import TransformedTargetRegressor

    return TransformedTargetRegressor(regressor=model, transformer=LogTarget(), check_inverse=False)


def _calibrated(model: Any, shape: Shape) -> Any:
    """Makes probabilities of scores: by Platt's sigmoid, of many classes by one temperature where scikit-learn has it.

    A sigmoid for each class, scaled to a sum of 1, is far from how often many classes come true. Temperature scaling is
    of Guo et al., "On Calibration of Modern Neural Networks" (2017); scikit-learn has it from 1.8 on.
    """
    from sklearn import calibration

    method = "temperature" if shape.classes > 2 and hasattr(calibration, "_TemperatureScaling") else "sigmoid"
    return calibration.CalibratedClassifierCV(model, cv=3, ensemble=False, method=method)
