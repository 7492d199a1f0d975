"""Callbacks that end the training of boosting libraries after a while; what was trained until then is kept."""

from __future__ import annotations

import time
from typing import Any


def lightgbm_limit(limit_s: float) -> Any:
    """Ends LightGBM's training after a while."""
    ends = time.monotonic() + limit_s

    def stop(env: Any) -> None:
        from lightgbm.callback import EarlyStopException

        if time.monotonic() > ends:
            raise EarlyStopException(env.iteration, env.evaluation_result_list)

    stop.order = 40  # type: ignore[attr-defined]
    return stop


def xgboost_limit(limit_s: float) -> Any:
    """Ends XGBoost's training after a while."""
    import xgboost

    ends = time.monotonic() + limit_s

    class Limit(xgboost.callback.TrainingCallback):
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            return time.monotonic() > ends

    return Limit()


class CatboostLimit:
    """Ends CatBoost's training after a while."""

    def __init__(self, limit_s: float) -> None:
        self.ends = time.monotonic() + limit_s

    def after_iteration(self, info: Any) -> bool:
        return time.monotonic() <= self.ends
