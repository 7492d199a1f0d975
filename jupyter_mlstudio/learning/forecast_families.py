"""Families of forecasts: what is tried first, what is tried then, and the model of a configuration."""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jupyter_mlstudio.entities.automl import Training
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning import arima, smoothing
from jupyter_mlstudio.learning.forecast_plan import ForecastPlan
from jupyter_mlstudio.learning.forecast_regressors import REGRESSORS, Fitting, Params, logarithmic

LARGE = 30_000
"""Rows beyond which forests and networks are not tried first."""


@dataclass(frozen=True, slots=True)
class Config:
    """A model to try: its family, parameters by name, and whether it was drawn (``search``) or known before."""

    family: str
    params: Params = field(default_factory=dict)
    stage: str = "portfolio"


LIBRARIES = {"LightGBM": "lightgbm", "XGBoost": "xgboost"}
FAMILIES = ("Naive", "SeasonalNaive", "Drift", "Average", "ExponentialSmoothing", "Theta", "Arima", "Ridge",
            *REGRESSORS)  # fmt: skip
BY_NAME = frozenset({"DecisionTree"})
"""Take part only when they are asked for: people can read one, and forests are better."""

ALSO = {
    "AutoArima": "Arima", "SeasonalAverage": "SeasonalNaive",
    "ETS": "ExponentialSmoothing", "HoltWinters": "ExponentialSmoothing",
    "ElasticNet": "Ridge", "Linear": "Ridge", "LinearRegression": "Ridge", "GradientBoosting": "HistGradientBoosting",
    "HistGradientBoostingRegressor": "HistGradientBoosting", "ExtremeRandomTrees": "ExtraTrees",
    "XGBoostRegressor": "XGBoost", "LightGBMRegressor": "LightGBM", "NearestNeighbors": "KNN",
    "MLPRegressor": "MLP", "NeuralNetwork": "MLP",
}  # fmt: skip
"""Azure's and other names."""

INSTEAD = {"Arimax": "Ridge", "LassoLars": "Ridge", "SGD": "Ridge", "TCNForecaster": "MLP"}
"""Azure's names of what is not here, and what is tried where one is allowed. To block one blocks nothing else."""

NOT_HERE = {"Prophet": "its form of trend and season has no ONNX form; ExponentialSmoothing and Arima are"}
"""Azure's names of what is not tried, and why. They may be blocked, and allowed beside others."""


def chosen(training: Training, rows: int = 0) -> tuple[list[str], dict[str, str]]:
    """Which families take part, and why the others do not.

    Args:
        rows: how many there are to learn from.

    Raises:
        Invalid: a name is not known, or none is left.
    """
    told = {name: f"{there} is tried instead" for name, there in INSTEAD.items()} | NOT_HERE
    absent = {_plain(name): name for name in told}
    named = {_plain(name): name for name in training.allowed_training_algorithms}
    allowed = {_find(name) for plain, name in named.items() if absent.get(plain) not in NOT_HERE}
    blocked = {_find(name) for name in training.blocked_training_algorithms if _plain(name) not in absent}
    asked = [family for family in FAMILIES if family in allowed or not (named or family in BY_NAME)]
    out = {family: why for family in asked if (why := "blocked" if family in blocked else _refusal(family, rows))}
    taking = [family for family in asked if family not in out]
    out |= {name: told[name] for plain, name in absent.items() if plain in named}
    if not taking:
        why = "; ".join(f"{family}: {reason}" for family, reason in out.items())
        raise Invalid(f"no algorithm is left to try ({why}): choose from {', '.join(FAMILIES)}")
    return taking, out


def _refusal(family: str, rows: int) -> str:
    library, regressor = LIBRARIES.get(family), REGRESSORS.get(family)
    if library and importlib.util.find_spec(library) is None:
        return f'it is not installed: pip install "jupyter-mlstudio[{library}]"'
    if regressor is not None and regressor.most is not None and rows > regressor.most:
        return f"of {rows:,} rows {regressor.why}: at most {regressor.most:,}"
    return ""


def warm(families: list[str]) -> None:
    """Loads what the models of families need, so that workers that are forked later have it."""
    import threadpoolctl  # noqa: F401

    import jupyter_mlstudio.learning.forecasters  # noqa: F401

    for name in set(families) & set(LIBRARIES):
        importlib.import_module(LIBRARIES[name])


def _find(name: str) -> str:
    plain = _plain(name)
    others = ALSO | INSTEAD
    for known in (*FAMILIES, *others):
        if known.lower() == plain:
            return others.get(known, known)
    raise Invalid(f"there is no algorithm {name!r} for forecasts: choose from {', '.join(FAMILIES)}")


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def configs(plan: ForecastPlan, families: list[str], seed: int) -> Iterator[Config]:
    """Configurations without end: good ones first, then such that are drawn. The same seed draws the same."""
    lags = plan.X.iloc[:, : plan.maker.history]
    positive = bool((plan.y > 0).all() and (lags.min() > 0).all())
    first = [one for one in _portfolio(plan, positive) if one.family in families]
    yield from first
    drawn = [family for family in families if family in ("Ridge", *REGRESSORS)]
    rng = np.random.default_rng(seed)
    while drawn:
        family = str(rng.choice(drawn, p=_shares(drawn)))
        yield Config(family, {**_common(plan, positive, rng), **_drawn(family, rng)}, "search")


def _drawn(family: str, rng: np.random.Generator) -> Params:
    return REGRESSORS[family].drawn(rng) if family in REGRESSORS else {"alpha": round(logarithmic(rng, 0.003, 30), 4)}


def _shares(families: list[str]) -> list[float]:
    weights = [{"Ridge": 2.0, "LightGBM": 3.0, "MLP": 0.5, "KNN": 0.5}.get(one, 1.0) for one in families]
    return [one / sum(weights) for one in weights]


def _portfolio(plan: ForecastPlan, positive: bool) -> Iterator[Config]:
    season = plan.maker.season
    scales = [True, False] if positive else [False]
    yield Config("Naive")
    if season > 1:
        yield Config("SeasonalNaive")
    for number in range(len(plan.maker.long_seasons)):
        yield Config("SeasonalNaive", {"long": number})
        yield Config("SeasonalNaive", {"long": number, "around": True})
    base = "season" if season > 1 else "last"
    yield from (Config("Ridge", {"alpha": 0.3, "base": base, "log": log}) for log in scales)
    yield from (Config("Theta", {"log": log}) for log in scales)
    yield Config("Drift", {"seasonal": season > 1})
    methods = ["damped_holt_winters", "holt_winters", "seasonal"] if season > 1 else ["damped", "ses", "holt"]
    yield Config("ExponentialSmoothing", {"method": methods[0], "log": scales[0]})
    named = arima.SEASONAL if season > 1 else arima.PLAIN
    orders = [one for one in named if arima.reach_of(one, season) < plan.maker.history]
    yield from (Config("Arima", {"order": order, "log": scales[0]}) for order in orders[:1])
    yield from (Config(name, {"base": base, "log": scales[0]}) for name in ("LightGBM", "HistGradientBoosting"))
    for log in scales:
        for method in methods:
            if (method, log) != (methods[0], scales[0]):
                yield Config("ExponentialSmoothing", {"method": method, "log": log})
        for alpha in (3.0, 0.03):
            yield Config("Ridge", {"alpha": alpha, "base": base, "log": log})
    yield from (Config("Arima", {"order": order, "log": scales[0]}) for order in orders[1:])
    if len(plan.X) <= LARGE:
        yield from (Config(name, {"base": base, "log": scales[0]}) for name in ("ExtraTrees", "RandomForest"))
    late = ["XGBoost", *(["MLP"] if len(plan.X) <= LARGE else []), "KNN", "DecisionTree"]
    yield from (Config(name, {"base": base, "log": scales[0]}) for name in late)
    yield Config("Average", {})
    yield Config("Drift", {"seasonal": False})


def _common(plan: ForecastPlan, positive: bool, rng: np.random.Generator) -> Params:
    bases = ["last", "mean", *(["season", "season"] if plan.maker.season > 1 else [])]
    return {"base": str(rng.choice(bases)), "log": positive and bool(rng.random() < 0.5)}


def make(plan: ForecastPlan, config: Config, *, seed: int, threads: int) -> Any:
    """The unfitted model of a configuration: a regressor of rows, behind the features where texts are among them."""
    from sklearn.pipeline import Pipeline

    model = _model(plan, config, seed, threads)
    plain = not plan.maker.text_columns and not plan.maker.others
    return model if plain else Pipeline([("features", plan.featuriser()), ("model", model)])


def _model(plan: ForecastPlan, config: Config, seed: int, threads: int) -> Any:
    from jupyter_mlstudio.learning.forecasters import (
        ColumnForecaster,
        HistoryForecaster,
        LaggedForecaster,
        RidgeForecaster,
    )

    maker, params = plan.maker, config.params
    own: dict[str, Any] = {"history": maker.history, "horizon": maker.horizon}
    if "long" in params:
        return ColumnForecaster(maker.history + 1 + 2 * int(params["long"]) + bool(params.get("around")), **own)
    own["season"] = maker.season
    methods = {"Naive": "naive", "SeasonalNaive": "seasonal_naive", "Average": "mean", "Theta": "theta",
               "Drift": "seasonal_drift" if params.get("seasonal") else "drift",
               "ExponentialSmoothing": str(params.get("method", "ses")),
               "Arima": str(params.get("order", arima.PLAIN[0]))}  # fmt: skip
    if config.family in methods:
        method = methods[config.family]
        assert method in smoothing.FREE
        return HistoryForecaster(method, log=bool(params.get("log")), **own)
    window = maker.settings.target_rolling_window_size
    own |= {"long": 2 * len(maker.long_seasons), "base": params["base"], "log": params["log"],
            "lags": maker.settings.target_lags, "windows": None if window is None else [window],
            "stl": maker.settings.use_stl}  # fmt: skip
    if config.family == "Ridge":
        return RidgeForecaster(alpha=params["alpha"], **own)
    rows = min((len(known) for known, _ in plan.folds), default=len(plan.X))
    regressor = REGRESSORS[config.family].make(params, Fitting(rows, seed, threads))
    return LaggedForecaster(regressor, **own)
