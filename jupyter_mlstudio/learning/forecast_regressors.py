"""The regressors that forecast from lags: what is drawn for each, and the unfitted model of what was drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.learning.families_smooth import STOPS_EARLY, STOPS_SHARE, batch_of

Params = dict[str, JSON]


@dataclass(frozen=True, slots=True)
class Fitting:
    """What a regressor is made for: rows to learn from, the seed, and the processors of its fit."""

    rows: int
    seed: int
    threads: int


@dataclass(frozen=True, slots=True)
class Regressor:
    """A family.

    Args:
        drawn: parameters by chance.
        make: the unfitted model of parameters; those that are not given are the usual ones.
        most: rows beyond which it does not take part.
        why: what is said of it then.
    """

    drawn: Callable[[np.random.Generator], Params]
    make: Callable[[Params, Fitting], Any]
    most: int | None = None
    why: str = ""


def logarithmic(rng: np.random.Generator, low: float, high: float) -> float:
    """A number between two, each order of magnitude as likely."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _boosting(rng: np.random.Generator) -> Params:
    return {"rounds": round(logarithmic(rng, 40, 600)), "rate": round(logarithmic(rng, 0.015, 0.2), 4),
            "leaves": int(rng.choice([4, 8, 16, 31])), "least": int(rng.choice([5, 10, 20, 40])),
            "l2": round(logarithmic(rng, 0.01, 30), 3)}  # fmt: skip


def _usual(params: Params) -> tuple[Any, ...]:
    usual = {"rounds": 150, "rate": 0.05, "leaves": 8, "least": 10, "l2": 1.0} | params
    return usual["rounds"], usual["rate"], usual["leaves"], usual["least"], usual["l2"]


def _hist_gradient_boosting(params: Params, fitting: Fitting) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    rounds, rate, leaves, least, l2 = _usual(params)
    return HistGradientBoostingRegressor(
        max_iter=rounds, learning_rate=rate, max_leaf_nodes=leaves, min_samples_leaf=least, l2_regularization=l2,
        early_stopping=False, random_state=fitting.seed,
    )  # fmt: skip


def _lightgbm(params: Params, fitting: Fitting) -> Any:
    from lightgbm import LGBMRegressor

    rounds, rate, leaves, least, l2 = _usual(params)
    return LGBMRegressor(
        n_estimators=rounds, learning_rate=rate, num_leaves=leaves, min_child_samples=least, reg_lambda=l2,
        colsample_bytree=0.8, random_state=fitting.seed, n_jobs=fitting.threads, verbose=-1,
    )  # fmt: skip


def _xgboost(params: Params, fitting: Fitting) -> Any:
    from xgboost import XGBRegressor

    rounds, rate, leaves, least, l2 = _usual(params)
    return XGBRegressor(
        n_estimators=rounds, learning_rate=rate, max_leaves=leaves, grow_policy="lossguide", max_depth=0,
        min_child_weight=least, reg_lambda=l2, colsample_bytree=0.8, random_state=fitting.seed,
        n_jobs=fitting.threads,
    )  # fmt: skip


def _forest(rng: np.random.Generator) -> Params:
    return {"trees": 100, "least": int(rng.choice([2, 4, 8, 16])), "share": float(rng.choice([0.3, 0.5, 0.8, 1.0]))}


def _of_trees(kind: str) -> Callable[[Params, Fitting], Any]:
    def make(params: Params, fitting: Fitting) -> Any:
        from sklearn import ensemble

        return getattr(ensemble, kind)(
            n_estimators=params.get("trees", 100), min_samples_leaf=params.get("least", 4),
            max_features=params.get("share", 0.5), random_state=fitting.seed, n_jobs=fitting.threads,
        )  # fmt: skip

    return make


def _tree(rng: np.random.Generator) -> Params:
    return {"depth": int(rng.integers(3, 13)), "least": round(logarithmic(rng, 2, 60))}


def _decision_tree(params: Params, fitting: Fitting) -> Any:
    from sklearn.tree import DecisionTreeRegressor

    return DecisionTreeRegressor(
        max_depth=params.get("depth", 8), min_samples_leaf=params.get("least", 10), random_state=fitting.seed
    )


def _neighbours(rng: np.random.Generator) -> Params:
    return {"neighbors": round(logarithmic(rng, 3, 60)), "weights": str(rng.choice(["uniform", "distance"]))}


def _knn(params: Params, fitting: Fitting) -> Any:
    from sklearn.neighbors import KNeighborsRegressor

    count, weights = params.get("neighbors", 10), params.get("weights", "distance")
    return _scaled(KNeighborsRegressor(min(count, max(1, fitting.rows // 4)), weights=weights, n_jobs=fitting.threads))


def _network(rng: np.random.Generator) -> Params:
    return {"hidden": round(logarithmic(rng, 16, 128)), "layers": int(rng.integers(1, 3)),
            "alpha": round(logarithmic(rng, 0.01, 10), 4), "rate": round(logarithmic(rng, 5e-4, 1e-2), 5)}  # fmt: skip


def _mlp(params: Params, fitting: Fitting) -> Any:
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.neural_network import MLPRegressor
    from sklearn.preprocessing import StandardScaler

    usual: dict[str, Any] = {"hidden": 64, "layers": 2, "alpha": 0.3, "rate": 0.002} | params
    network = MLPRegressor(
        hidden_layer_sizes=(usual["hidden"],) * usual["layers"], alpha=usual["alpha"],
        learning_rate_init=usual["rate"], batch_size=batch_of(fitting.rows), max_iter=60,
        early_stopping=fitting.rows >= STOPS_EARLY, validation_fraction=STOPS_SHARE, n_iter_no_change=8,
        random_state=fitting.seed,
    )  # fmt: skip
    return _scaled(TransformedTargetRegressor(regressor=network, transformer=StandardScaler()))


def _scaled(model: Any) -> Any:
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    return Pipeline([("scaler", StandardScaler()), ("model", model)])


REGRESSORS = {
    "HistGradientBoosting": Regressor(_boosting, _hist_gradient_boosting),
    "LightGBM": Regressor(_boosting, _lightgbm),
    "XGBoost": Regressor(_boosting, _xgboost),
    "ExtraTrees": Regressor(_forest, _of_trees("ExtraTreesRegressor")),
    "RandomForest": Regressor(_forest, _of_trees("RandomForestRegressor")),
    "MLP": Regressor(_network, _mlp, 100_000, "it takes too long"),
    "KNN": Regressor(_neighbours, _knn, 15_000, "it keeps them all in the model, which is slow to answer"),
    "DecisionTree": Regressor(_tree, _decision_tree),
}
