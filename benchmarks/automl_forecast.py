"""Forecasts beside the naive ones: scaled error on rolling origins of the last steps, which no search has seen.

``python -m benchmarks.automl_forecast --seconds 30 --data FOLDER``: tables ``ts_*.csv`` of a time and a value.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from jupyter_mlstudio.entities.automl import AutoMLLimits, AutoMLSpec, ForecastingSettings, Task
from jupyter_mlstudio.learning.forecast import scale_of
from jupyter_mlstudio.learning.forecast_plan import ForecastPlan, make_forecast_plan
from jupyter_mlstudio.learning.forecast_search import ForecastSearch
from jupyter_mlstudio.learning.forecasters import HistoryForecaster
from jupyter_mlstudio.learning.search import Asked
from jupyter_mlstudio.programs.automl_check import ModelCheck

DATA = Path(__file__).parents[2] / "shared" / "data"
ORIGINS = 4
LEVEL = "0.8"


def run(arguments: Sequence[str] = ()) -> int:
    """Prints a line for each table; 0 when the winner beats both naive forecasts on every one."""
    parser = argparse.ArgumentParser(prog="automl-forecast")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--horizon", type=int, default=12)
    parser.add_argument("--data", type=Path, default=DATA)
    asked = parser.parse_args(list(arguments))
    files = sorted(asked.data.glob("ts_*.csv"))
    if not files:
        print(f"automl-forecast: skipped, there are no tables ts_*.csv in {asked.data}")
        return 0
    print(f"{'table':34}{'naive':>8}{'seasonal':>10}{'winner':>8}{'inside 80 %':>13}{'seconds':>9}  winner")
    ratios = [_one(file, asked.seconds, asked.horizon) for file in files]
    worst = max(ratios)
    print(
        f"automl-forecast: {worst:.2f}x the better naive error at worst (target < 1): {'ok' if worst < 1 else 'short'}"
    )
    return int(worst >= 1)


def _one(file: Path, seconds: float, horizon: int) -> float:
    table = pd.read_csv(file)
    time_column, target = table.columns[:2]
    share = ORIGINS * horizon / len(table)
    spec = AutoMLSpec(
        data=file.name, target=target, task=Task.FORECASTING, primary_metric="mase", test_data_size=share,
        limits=AutoMLLimits(timeout_s=seconds),
        forecasting=ForecastingSettings(time_column_name=time_column, forecast_horizon=horizon),
    )  # fmt: skip
    began = time.time()
    plan = make_forecast_plan(table, spec)
    with tempfile.TemporaryDirectory() as folder:
        outcome = ForecastSearch(plan, spec, Path(folder), check=ModelCheck(), began=began).run(lambda _: None, Asked)
    taken = time.time() - began
    maker = plan.maker
    naive = _error(plan, HistoryForecaster("naive", maker.history, horizon))
    seasonal = naive
    if maker.season > 1:
        seasonal = _error(plan, HistoryForecaster("seasonal_naive", maker.history, horizon, maker.season))
    assert plan.X_test is not None
    assert plan.y_test is not None
    predicted = outcome.model.predict(plan.X_test)
    winner = float(np.mean(np.abs(plan.y_test - predicted)) / plan.scales[0])
    place = plan.X_test["step"].to_numpy(dtype=np.int64) - 1
    off = (plan.y_test - predicted) / scale_of(plan.X_test, maker.history)
    low, high = np.asarray(plan.spread.low[LEVEL])[place], np.asarray(plan.spread.high[LEVEL])[place]
    inside = float(np.mean((low <= off) & (off <= high)))
    print(f"{file.stem:34}{naive:8.3f}{seasonal:10.3f}{winner:8.3f}{inside:13.0%}{taken:9.1f}  {outcome.winner.family}")
    return winner / min(naive, seasonal)


def _error(plan: ForecastPlan, model: HistoryForecaster) -> float:
    assert plan.y_test is not None
    found = model.fit(plan.X, plan.y).predict(plan.X_test)
    return float(np.mean(np.abs(plan.y_test - found)) / plan.scales[0])


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
