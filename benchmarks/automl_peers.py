"""One side of an AutoML benchmark, in a process of its own: learns from a table and writes down its predictions.

``python automl_peers.py SIDE FOLDER SECONDS SEED CORES``; the folder has ``train.parquet``, ``test.parquet`` and
``task.json``, and gets ``predicted.npy`` and ``told.json``. It runs in the environment of the side, so that it imports
nothing of the studio unless the side is the studio.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

Told = dict[str, Any]


def mlstudio(train: Any, test: Any, task: Told, seconds: float, seed: int, cores: int, folder: Path) -> Any:
    """The studio's own search, with the ONNX form of the winner checked within the time, and again on the test rows."""
    from jupyter_mlstudio.entities.automl import AutoMLLimits, AutoMLSpec, Task
    from jupyter_mlstudio.learning.plan import make_plan
    from jupyter_mlstudio.learning.search import Asked, Search
    from jupyter_mlstudio.programs.automl_check import ModelCheck

    began = time.time()
    spec = AutoMLSpec(
        data="train", target="target", task=Task.CLASSIFICATION if task["classifies"] else Task.REGRESSION,
        primary_metric=task["metric"], limits=AutoMLLimits(timeout_s=seconds, max_concurrent_trials=cores), seed=seed,
    )  # fmt: skip
    plan = make_plan(train, spec)
    outcome = Search(plan, spec, folder / "search", check=ModelCheck(), began=began).run(lambda one: None, Asked)
    used_s, rows = time.time() - began, plan.prepare(test)
    onnx, own = ModelCheck()(outcome.model, rows), outcome.winner.onnx
    task["told"] = {
        "winner": outcome.winner.family, "tried": len(outcome.candidates), "used_s": used_s,
        "flips": onnx.label_flips, "difference": onnx.max_abs_difference, "speedup": onnx.speedup,
        "ready": bool(onnx.ready and own and own.ready), "onnx_reason": onnx.reason or (own.reason if own else ""),
    }  # fmt: skip
    return outcome.model.predict_proba(rows) if task["classifies"] else outcome.model.predict(rows)


def flaml(train: Any, test: Any, task: Told, seconds: float, seed: int, cores: int, folder: Path) -> Any:
    """FLAML with its default learners."""
    from flaml import AutoML

    began = time.time()
    model = AutoML()
    metric = {"auc_binary": "roc_auc", "log_loss": "log_loss"}.get(task["metric"], "rmse")
    model.fit(
        train.drop(columns="target"), train["target"], task="classification" if task["classifies"] else "regression",
        metric=metric, time_budget=seconds, seed=seed, n_jobs=cores, verbose=0, ensemble=False,
    )  # fmt: skip
    task["told"] = {"winner": str(model.best_estimator), "used_s": time.time() - began, "version": version("flaml")}
    rows = test.drop(columns="target")
    return model.predict_proba(rows) if task["classifies"] else model.predict(rows)


def autogluon(train: Any, test: Any, task: Told, seconds: float, seed: int, cores: int, folder: Path) -> Any:
    """AutoGluon, medium quality."""
    from autogluon.tabular import TabularPredictor

    began = time.time()
    metric = {"auc_binary": "roc_auc", "log_loss": "log_loss"}.get(task["metric"], "root_mean_squared_error")
    kind = "regression" if not task["classifies"] else "binary" if train["target"].nunique() == 2 else "multiclass"
    predictor = TabularPredictor("target", problem_type=kind, eval_metric=metric, path=str(folder / "ag"), verbosity=0)
    predictor.fit(train, time_limit=seconds, presets="medium_quality", num_cpus=cores, num_gpus=0)
    task["told"] = {"winner": predictor.model_best, "used_s": time.time() - began,
                    "version": version("autogluon.tabular")}  # fmt: skip
    rows = test.drop(columns="target")
    if not task["classifies"]:
        return predictor.predict(rows).to_numpy()
    return predictor.predict_proba(rows).sort_index(axis=1).to_numpy()


def boosting(train: Any, test: Any, task: Told, seconds: float, seed: int, cores: int, folder: Path) -> Any:
    """Plain histogram gradient boosting with its own early stopping; categories as they are."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    began = time.time()
    kind = HistGradientBoostingClassifier if task["classifies"] else HistGradientBoostingRegressor
    rows, others = train.drop(columns="target"), test.drop(columns="target")
    for name in rows.columns:
        if rows[name].dtype.kind in "OUT" or str(rows[name].dtype) in ("str", "string", "category"):
            known = rows[name].value_counts().index[:250]
            rows[name] = pd.Categorical(rows[name], categories=known)
            others[name] = pd.Categorical(others[name], categories=known)
    model = kind(early_stopping=True, max_iter=500, categorical_features="from_dtype", random_state=seed)
    model.fit(rows, train["target"])
    task["told"] = {"winner": "HistGradientBoosting", "used_s": time.time() - began,
                    "version": version("scikit-learn")}  # fmt: skip
    return model.predict_proba(others) if task["classifies"] else model.predict(others)


SIDES = {"mlstudio": mlstudio, "flaml": flaml, "autogluon": autogluon, "boosting": boosting}


def main(side: str, folder: Path, seconds: float, seed: int, cores: int) -> None:
    """Runs a side and writes what it predicts, with its peak memory and CPU time, children included."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:cores]))
    os.environ["OMP_NUM_THREADS"] = str(cores)
    task: Told = json.loads((folder / "task.json").read_text())
    train, test = (pd.read_parquet(folder / f"{name}.parquet") for name in ("train", "test"))
    predicted = SIDES[side](train, test, task, seconds, seed, cores, folder)
    np.save(folder / "predicted.npy", np.asarray(predicted, dtype=np.float64))
    uses = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    told = {**task.get("told", {}), "cpu_s": sum(one.ru_utime + one.ru_stime for one in uses),
            "peak_mb": max(one.ru_maxrss for one in uses) / 1024}  # fmt: skip
    (folder / "told.json").write_text(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
