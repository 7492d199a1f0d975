"""Sweeps made up for measurements: a run of kind sweep and its trials, told of as its own process would."""

from __future__ import annotations

import math
import os
import random
from datetime import UTC, datetime, timedelta
from typing import Any

from jupyter_mlstudio.entities.runs import Origin, RunKind, RunStatus
from jupyter_mlstudio.entities.specs import Resources, RunSpec
from jupyter_mlstudio.entities.sweeps import Objective, SweepLimits, SweepPhase, SweepSpec, TrialReport, TrialState
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.services.processes import Identity, boot_id
from jupyter_mlstudio.store import runs, schema
from jupyter_mlstudio.store import sweeps as store
from jupyter_mlstudio.store.runs import SPEC as RUN_SPEC
from jupyter_mlstudio.studio import Studio

SPACE: dict[str, dict[str, JSON]] = {
    "lr": {"type": "float", "low": 1e-5, "high": 1e-1, "log": True},
    "depth": {"type": "int", "low": 2, "high": 12},
    "dropout": {"type": "uniform", "min_value": 0.0, "max_value": 0.6},
    "act": {"type": "choice", "values": ["relu", "tanh", "gelu"]},
}
BEGAN = datetime(2026, 11, 20, 8, tzinfo=UTC)


def spec(trials: int, objectives: list[Objective] | None = None, **more: Any) -> SweepSpec:
    """Makes the specification of a sweep over four parameters."""
    given = objectives or [Objective(primary_metric="val_auc")]
    limits = SweepLimits(max_total_trials=trials, max_concurrent_trials=4)
    return SweepSpec(space=more.pop("space", SPACE), objectives=given, limits=limits, function=True, **more)


def begin(studio: Studio, name: str, sweep: SweepSpec) -> str:
    """Makes the run of a sweep, which lives in this process; returns its id."""
    me = Identity.of(os.getpid())
    assert me is not None
    watched = {"boot_id": boot_id(), "supervisor_pid": me.pid, "supervisor_started": me.started}
    run = studio.launcher.adopt(
        watched, name=name, experiment="sweeps", tags={}, origin=Origin(), user="bench", parent_run_id=None
    )
    options: dict[str, JSON] = {
        "sweep": store.SPEC.dump_python(sweep, mode="json"), "work_kind": "trial",
        "work": RUN_SPEC.dump_python(RunSpec(), mode="json"), "resume_from": None,
    }  # fmt: skip
    content = RUN_SPEC.dump_json(RunSpec(resources=Resources(cpus=0.0), options=options)).decode()
    with studio.database.write() as connection:
        changed = schema.runs.update().where(schema.runs.c.id == run.id)
        connection.execute(changed.values(kind=RunKind.SWEEP.value, spec=content, row_json=None))
    return run.id


def end(studio: Studio, sweep_id: str, *, failed: bool = False, reason: str = "") -> None:
    """Ends the run of a sweep."""
    status = RunStatus.FAILED if failed else RunStatus.COMPLETED
    with studio.database.write() as connection:
        runs.end(connection, studio.changes, sweep_id, status, reason=reason)


def trial(number: int, chance: random.Random, **more: Any) -> TrialReport:
    """Makes up a trial that is over; the values come nearer to a best one as the numbers grow."""
    params: dict[str, JSON] = {
        "lr": 10 ** chance.uniform(-5, -1), "depth": chance.randint(2, 12), "dropout": chance.uniform(0, 0.6),
        "act": chance.choice(["relu", "tanh", "gelu"]),
    }  # fmt: skip
    lr, depth, dropout = (float(params[name]) for name in ("lr", "depth", "dropout"))
    value = 0.97 - 0.02 * (math.log10(lr) + 2.5) ** 2 - 0.001 * (depth - 7) ** 2 - 0.1 * abs(dropout - 0.2)
    value += {"relu": 0.0, "tanh": -0.02, "gelu": 0.01}[str(params["act"])] + chance.gauss(0, 0.01)
    steps = [(step, value - 0.2 * math.exp(-step / 3)) for step in range(1, 9)]
    start = BEGAN + timedelta(seconds=number // 4 * 3 + chance.random())
    end = start + timedelta(seconds=2 + chance.random())
    fields: dict[str, Any] = {
        "number": number, "run_id": f"{chance.getrandbits(128):032x}", "state": TrialState.COMPLETE, "params": params,
        "values": [value], "steps": steps, "started_at": start.isoformat(), "ended_at": end.isoformat(),
    }  # fmt: skip
    fields.update(more)
    return TrialReport(**fields)


def report(studio: Studio, sweep_id: str, trials: list[TrialReport], phase: SweepPhase = SweepPhase.RUNNING) -> None:
    """Tells of trials as a sweep does, some hundred at a time."""
    for start in range(0, len(trials), 500):
        studio.steering.report(sweep_id, trials[start : start + 500], phase, None)
