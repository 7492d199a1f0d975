"""Boosted trees: LightGBM, histogram gradient boosting, XGBoost and CatBoost, those of them that are installed.

Configurations that are known to be good follow what AutoML systems begin with: shallow and quick, random thresholds
(Geurts, Ernst and Wehenkel, "Extremely randomized trees", 2006), and slow with many leaves.
"""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.learning.family import (
    Boosting,
    Making,
    Params,
    Part,
    Shape,
    answers,
    common,
    suggest_common,
    weighted_classes,
    with_log,
    without,
)
from jupyter_mlstudio.learning.time_limits import CatboostLimit, lightgbm_limit, xgboost_limit

MOST_CODES = 255
"""Categories of one column that histogram gradient boosting takes."""


class _Trees(Boosting):
    """Boosted trees, also of the target's logarithm."""

    form = "native"

    def trained(self, model: Any) -> int:
        return self.counted(getattr(model, "regressor_", model))

    @abstractmethod
    def counted(self, model: Any) -> int:
        """How many rounds the booster itself has."""

    @abstractmethod
    def watched(self, model: Any, part: Part, held: Part, patience: int, limit_s: float) -> int:
        """Fits the booster itself, watching its loss on ``held``."""

    def fit_until_no_better(self, model: Any, part: Part, held: Part, patience: int, limit_s: float) -> int:
        inner = model
        if hasattr(model, "func"):
            inner = model.regressor
            part = Part(part.X, model.func(part.y), part.weights)
            held = Part(held.X, model.func(held.y), held.weights)
        best = self.watched(inner, part, held, patience, limit_s)
        if inner is not model:
            model.regressor_ = inner
        return best


class _FirstTrees(_Trees):
    """Those whose booster is asked again for each number of rounds."""

    form = "trees"

    @abstractmethod
    def after(self, model: Any, rows: Any, count: int, classifies: bool) -> Any:
        """Predictions of the first ``count`` rounds."""

    def staged(self, model: Any, rows: Any, counts: list[int], classifies: bool) -> Iterator[Any]:
        inner = getattr(model, "regressor_", model)
        for count in counts:
            found = self.after(inner, rows, count, classifies)
            if inner is not model:
                found = model.inverse_func(found)
            yield np.asarray(found, dtype=np.float64)


class LightGBM(_Trees):
    """Gradient boosting with leaf-wise trees, and categories as they are (Ke et al., NeurIPS 2017)."""

    name, library, rounds = "LightGBM", "lightgbm", "n_estimators"
    also = ("lightgbm", "LightGBMClassifier", "LightGBMRegressor", "LGBM")
    usual: ClassVar[Params] = {
        "subsample": 1.0, "colsample_bytree": 1.0, "reg_lambda": 1e-3, "reg_alpha": 1e-3, "extra_trees": False,
        "log_target": False,
    }  # fmt: skip

    def known(self, shape: Shape) -> list[Params]:
        small = max(3, min(20, shape.rows // 100))
        quick = {"learning_rate": 0.08, "num_leaves": 31, "min_child_samples": small, "colsample_bytree": 0.9}
        random = {"learning_rate": 0.08, "num_leaves": 31, "min_child_samples": small, "extra_trees": True}
        slow = {"learning_rate": 0.03, "num_leaves": 96, "min_child_samples": small, "colsample_bytree": 0.8,
                "subsample": 0.8, "reg_lambda": 1.0}  # fmt: skip
        shallow = {"learning_rate": 0.04, "num_leaves": 8, "min_child_samples": small, "colsample_bytree": 0.6,
                   "subsample": 0.8, "reg_lambda": 5.0}  # fmt: skip
        return [params | common(shape) for params in (quick, shallow, random, slow)]

    def suggest(self, trial: Any, shape: Shape) -> Params:
        return {
            "learning_rate": trial.suggest_float("learning_rate", 0.015, 0.2, log=True),
            "num_leaves": trial.suggest_int("num_leaves", 4, _most_leaves(shape), log=True),
            "min_child_samples": trial.suggest_int("min_child_samples", 2, 100, log=True),
            "subsample": trial.suggest_float("subsample", 0.5, 1.0),
            "colsample_bytree": trial.suggest_float("colsample_bytree", 0.3, 1.0),
            "reg_lambda": trial.suggest_float("reg_lambda", 1e-3, 50.0, log=True),
            "reg_alpha": trial.suggest_float("reg_alpha", 1e-3, 10.0, log=True),
            "extra_trees": trial.suggest_categorical("extra_trees", [False, True]),
        } | suggest_common(trial, shape)  # fmt: skip

    def make(self, params: Params, making: Making) -> Any:
        import lightgbm

        kind = lightgbm.LGBMClassifier if making.shape.classifies else lightgbm.LGBMRegressor
        settings: Params = {"n_estimators": self.most_rounds} | without(params)
        if settings.get("subsample", 1.0) < 1.0:
            settings["subsample_freq"] = 1
        if weighted_classes(params):
            settings["class_weight"] = params["class_weight"]
        if making.codes:
            settings["categorical_column"] = list(making.codes)
            settings["min_data_per_group"] = max(10, min(100, making.shape.rows // 50))
        model = kind(**settings, n_jobs=making.threads, random_state=making.seed, verbose=-1, deterministic=True,
                     force_col_wise=True)  # fmt: skip
        return with_log(model, params)

    def counted(self, model: Any) -> int:
        return int(model.booster_.current_iteration())

    def seen(self, model: Any) -> int:
        watched = getattr(model, "regressor_", model).evals_result_
        losses: list[float] = next(iter(next(iter(watched.values()), {}).values()), [])
        return max(len(losses), self.trained(model))

    def watched(self, model: Any, part: Part, held: Part, patience: int, limit_s: float) -> int:
        import lightgbm

        newer = "eval_X" in inspect.signature(model.fit).parameters
        watched = {"eval_X": held.X, "eval_y": held.y} if newer else {"eval_set": [(held.X, held.y)]}
        model.fit(part.X, part.y, sample_weight=part.weights, **watched,
                  eval_sample_weight=None if held.weights is None else [held.weights],
                  callbacks=[lightgbm.early_stopping(patience, verbose=False), lightgbm_limit(limit_s)])  # fmt: skip
        return int(model.best_iteration_)

    def staged(self, model: Any, rows: Any, counts: list[int], classifies: bool) -> Iterator[Any]:
        inner = getattr(model, "regressor_", model)
        raw, begin, most = 0.0, 0, self.counted(inner)
        for count in counts:
            if begin < min(count, most):  # only the rounds that are new: each costs as much as the first
                raw = raw + inner.booster_.predict(
                    rows, raw_score=True, start_iteration=begin, num_iteration=min(count, most) - begin
                )
                begin = min(count, most)
            found = _probabilities(np.asarray(raw)) if classifies else np.asarray(raw)
            yield found if inner is model else model.inverse_func(found)


class HistGradientBoosting(_Trees):
    """scikit-learn's own histogram gradient boosting."""

    name, rounds, most_rounds = "HistGradientBoosting", "max_iter", 1000
    keeps_time = False
    also = ("GradientBoosting", "HGB", "HistGradientBoostingClassifier", "HistGradientBoostingRegressor")
    usual: ClassVar[Params] = {"l2_regularization": 1e-3, "max_features": 1.0, "log_target": False}
    expense = 1.6

    def known(self, shape: Shape) -> list[Params]:
        small = max(3, min(20, shape.rows // 100))
        quick = {"learning_rate": 0.08, "max_leaf_nodes": 31, "min_samples_leaf": small}
        slow = {"learning_rate": 0.04, "max_leaf_nodes": 12, "min_samples_leaf": small, "l2_regularization": 3.0,
                "max_features": 0.6}  # fmt: skip
        return [params | common(shape) for params in (quick, slow)]

    def suggest(self, trial: Any, shape: Shape) -> Params:
        return {
            "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.2, log=True),
            "max_leaf_nodes": trial.suggest_int("max_leaf_nodes", 4, _most_leaves(shape), log=True),
            "min_samples_leaf": trial.suggest_int("min_samples_leaf", 2, 100, log=True),
            "l2_regularization": trial.suggest_float("l2_regularization", 1e-3, 50.0, log=True),
            "max_features": trial.suggest_float("max_features", 0.3, 1.0),
        } | suggest_common(trial, shape)

    def make(self, params: Params, making: Making) -> Any:
        from sklearn import ensemble

        kind = (
            ensemble.HistGradientBoostingClassifier
            if making.shape.classifies
            else ensemble.HistGradientBoostingRegressor
        )
        settings: Params = {"max_iter": self.most_rounds} | without(params)
        if weighted_classes(params):
            settings["class_weight"] = params["class_weight"]
        codes = list(making.codes) if making.shape.most_categories <= MOST_CODES else []
        model = kind(**settings, early_stopping=False, categorical_features=codes or None, random_state=making.seed)
        return with_log(model, params)

    def counted(self, model: Any) -> int:
        return int(model.n_iter_)

    def watched(self, model: Any, part: Part, held: Part, patience: int, limit_s: float) -> int:
        model.set_params(early_stopping=True, n_iter_no_change=patience, scoring="loss", tol=0.0)
        model.fit(part.X, part.y, sample_weight=part.weights, X_val=held.X, y_val=held.y,
                  sample_weight_val=held.weights)  # fmt: skip
        model.set_params(early_stopping=False)
        return max(1, int(np.argmax(model.validation_score_)))

    def staged(self, model: Any, rows: Any, counts: list[int], classifies: bool) -> Iterator[Any]:
        inner, wanted = getattr(model, "regressor_", model), set(counts)
        stages = inner.staged_predict_proba(rows) if classifies else inner.staged_predict(rows)
        for number, found in enumerate(stages, start=1):
            if number in wanted:
                yield np.asarray(found if inner is model else model.inverse_func(found), dtype=np.float64)
            if number >= counts[-1]:
                return


class XGBoost(_FirstTrees):
    """XGBoost (Chen and Guestrin, KDD 2016) with histograms; categories come as numbers."""

    name, library, rounds = "XGBoost", "xgboost", "n_estimators"
    also = ("XGBoostClassifier", "XGBoostRegressor", "XGB")
    usual: ClassVar[Params] = {"reg_lambda": 1.0, "reg_alpha": 1e-3, "class_weight": None, "log_target": False}
    expense, takes_labels = 1.5, False

    def known(self, shape: Shape) -> list[Params]:
        usual = {"learning_rate": 0.08, "max_depth": 6, "min_child_weight": 2.0, "subsample": 0.9,
                 "colsample_bytree": 0.8}  # fmt: skip
        shallow = {"learning_rate": 0.06, "max_depth": 3, "min_child_weight": 3.0, "subsample": 0.8,
                   "colsample_bytree": 0.6, "reg_lambda": 5.0}  # fmt: skip
        return [usual, shallow]

    def suggest(self, trial: Any, shape: Shape) -> Params:
        found = {
            "learning_rate": trial.suggest_float("learning_rate", 0.015, 0.2, log=True),
            "max_depth": trial.suggest_int("max_depth", 2, 10),
            "min_child_weight": trial.suggest_float("min_child_weight", 0.1, 30.0, log=True),
            "subsample": trial.suggest_float("subsample", 0.5, 1.0),
            "colsample_bytree": trial.suggest_float("colsample_bytree", 0.3, 1.0),
            "reg_lambda": trial.suggest_float("reg_lambda", 1e-2, 50.0, log=True),
            "reg_alpha": trial.suggest_float("reg_alpha", 1e-3, 10.0, log=True),
        } | suggest_common(trial, shape)
        return {name: value for name, value in found.items() if name != "class_weight"}

    def make(self, params: Params, making: Making) -> Any:
        import xgboost

        kind = xgboost.XGBClassifier if making.shape.classifies else xgboost.XGBRegressor
        settings: Params = {"n_estimators": self.most_rounds} | without(params)
        return with_log(kind(**settings, n_jobs=making.threads, random_state=making.seed, tree_method="hist"), params)

    def counted(self, model: Any) -> int:
        return int(model.get_booster().num_boosted_rounds())

    def watched(self, model: Any, part: Part, held: Part, patience: int, limit_s: float) -> int:
        model.set_params(early_stopping_rounds=patience, callbacks=[xgboost_limit(limit_s)])
        model.fit(part.X, part.y, sample_weight=part.weights, eval_set=[(held.X, held.y)], verbose=False,
                  sample_weight_eval_set=None if held.weights is None else [held.weights])  # fmt: skip
        model.set_params(early_stopping_rounds=None, callbacks=None)
        return int(model.best_iteration) + 1

    def after(self, model: Any, rows: Any, count: int, classifies: bool) -> Any:
        return (model.predict_proba if classifies else model.predict)(rows, iteration_range=(0, count))


class CatBoost(_FirstTrees):
    """CatBoost's symmetric trees (Prokhorenkova et al., NeurIPS 2018); categories come as numbers."""

    name, library, rounds = "CatBoost", "catboost", "iterations"
    also = ("CatBoostClassifier", "CatBoostRegressor")
    usual: ClassVar[Params] = {"rsm": 1.0, "random_strength": 1.0, "log_target": False}
    expense, density, most_rounds = 3.0, 4.0, 4000

    def known(self, shape: Shape) -> list[Params]:
        usual = {"learning_rate": 0.08, "depth": 6, "l2_leaf_reg": 3.0}
        shallow = {"learning_rate": 0.06, "depth": 4, "l2_leaf_reg": 6.0, "rsm": 0.7}
        return [params | common(shape) for params in (usual, shallow)]

    def suggest(self, trial: Any, shape: Shape) -> Params:
        return {
            "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.2, log=True),
            "depth": trial.suggest_int("depth", 3, 8),
            "l2_leaf_reg": trial.suggest_float("l2_leaf_reg", 0.3, 30.0, log=True),
            "rsm": trial.suggest_float("rsm", 0.4, 1.0),
            "random_strength": trial.suggest_float("random_strength", 0.1, 5.0, log=True),
        } | suggest_common(trial, shape)

    def make(self, params: Params, making: Making) -> Any:
        import catboost

        kind = catboost.CatBoostClassifier if making.shape.classifies else catboost.CatBoostRegressor
        settings: Params = {"iterations": self.most_rounds} | without(params)
        if weighted_classes(params):
            settings["auto_class_weights"] = "Balanced"
        model = kind(**settings, thread_count=making.threads, random_seed=making.seed, verbose=False,
                     allow_writing_files=False)  # fmt: skip
        return with_log(model, params)

    def counted(self, model: Any) -> int:
        return int(model.tree_count_)

    def watched(self, model: Any, part: Part, held: Part, patience: int, limit_s: float) -> int:
        import catboost

        pools = [catboost.Pool(one.X, one.y, weight=one.weights) for one in (part, held)]
        model.fit(pools[0], eval_set=pools[1], early_stopping_rounds=patience, use_best_model=False,
                  callbacks=[CatboostLimit(limit_s)])  # fmt: skip
        return int(model.get_best_iteration()) + 1

    def after(self, model: Any, rows: Any, count: int, classifies: bool) -> Any:
        return answers(_First(model, count), rows, classifies)


class _First:
    """A CatBoost model of its first trees."""

    def __init__(self, model: Any, count: int) -> None:
        self.model, self.count = model, count

    def predict(self, rows: Any) -> Any:
        return self.model.predict(rows, ntree_end=self.count)

    def predict_proba(self, rows: Any) -> Any:
        return self.model.predict_proba(rows, ntree_end=self.count)


def _probabilities(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities of LightGBM's raw scores: ``(n_rows,)`` of the second of two, or ``(n_rows, n_classes)``."""
    from scipy.special import expit, softmax

    if raw.ndim == 1:
        return np.column_stack([expit(-raw), expit(raw)])
    return np.asarray(softmax(raw, axis=1), dtype=np.float64)


def _most_leaves(shape: Shape) -> int:
    return int(min(256, max(16, shape.rows // 20)))
