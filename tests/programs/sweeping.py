"""Sweeps with everything behind them, for tests: the real supervisor, controller, workers and runs."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import cloudpickle

from jupyter_mlstudio.entities.runs import TERMINAL, Run, RunKind
from jupyter_mlstudio.entities.specs import RunSpec
from jupyter_mlstudio.entities.sweeps import Objective, SweepLimits, SweepSpec
from jupyter_mlstudio.studio import Studio
from tests.waiting import until


def spec(trials: int = 6, parallel: int = 2, **more: Any) -> SweepSpec:
    """A sweep of x in 0..1 for the metric ``score``."""
    limits = {name: more.pop(name) for name in list(more) if name in SweepLimits.__dataclass_fields__}
    base: dict[str, Any] = {
        "space": {"x": {"type": "uniform", "min_value": 0.0, "max_value": 1.0}},
        "objectives": [Objective(primary_metric="score")],
        "limits": SweepLimits(max_total_trials=trials, max_concurrent_trials=parallel, **limits),
    }
    return SweepSpec(**{**base, **more})


def call(studio: Studio, function: Callable[..., Any], asked: SweepSpec | None = None, **more: Any) -> Run:
    """Begins a sweep of a function."""
    import sys

    # By value: the process that calls it does not have the tests' modules.
    cloudpickle.register_pickle_by_value(sys.modules[function.__module__])
    try:
        packed = base64.b64encode(cloudpickle.dumps(function)).decode()
    finally:
        cloudpickle.unregister_pickle_by_value(sys.modules[function.__module__])
    return studio.sweeps.create(RunKind.TRIAL, RunSpec(), asked or spec(), function=packed, **more)


def ended(studio: Studio, run: Run, timeout_s: float = 120.0) -> Run:
    """Waits until a run is over."""
    until(lambda: studio.runs.get(run.id).status in TERMINAL, studio, timeout_s)
    return studio.runs.get(run.id)


def trials(studio: Studio, run: Run) -> list[dict[str, Any]]:
    """The trials of a sweep by number."""
    found = json.loads(studio.sweeps.trials(run.id, limit=20_000))["trials"]
    return sorted(found, key=lambda one: int(one["number"]))


def log_of(studio: Studio, run_id: str) -> str:
    """What a run printed."""
    path = studio.workspace.run_folder(run_id) / "output.log"
    return path.read_text() if path.is_file() else ""
