"""How much each parameter of a sweep mattered. Optuna tells, in a process of its own that ends afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

from jupyter_mlstudio.entities.sweeps import Importance
from jupyter_mlstudio.errors import Conflict, Invalid, TimedOut

if TYPE_CHECKING:
    from jupyter_mlstudio.services.sweeps import Sweeps

TIMEOUT_S = 60.0
FEWEST, MOST = 4, 2000
KEPT = 64


class SweepImportance:
    """Importances, computed once for each number of trials."""

    def __init__(self, sweeps: Sweeps) -> None:
        self._sweeps = sweeps
        self._lock = threading.Lock()
        self._known: dict[tuple[str, int, int, str], Importance] = {}

    def of(self, run_id: str, objective: int, evaluator: str) -> Importance:
        """Tells each parameter's part in the differences of an objective, from the newest complete trials.

        Args:
            run_id: of the sweep.
            objective: which one, from 0.
            evaluator: ``fanova`` or ``ped_anova``, as Optuna has them.

        Raises:
            Conflict: there are too few complete trials. Invalid: there is no such objective.
        """
        sweep = self._sweeps.get(run_id)
        if objective >= len(sweep.spec.objectives):
            raise Invalid(f"the sweep has {len(sweep.spec.objectives)} objectives, counted from 0; not {objective}")
        trials = self._sweeps.complete(sweep.run_id)[-MOST:]
        if len(trials) < FEWEST:
            raise Conflict(f"importance needs {FEWEST} complete trials; there are {len(trials)}")
        key = (sweep.run_id, len(trials), objective, evaluator)
        with self._lock:
            if key not in self._known:
                asked = {
                    "space": sweep.spec.space, "trials": trials, "objective": objective, "evaluator": evaluator,
                    "goal": sweep.spec.objectives[objective].goal.value,
                }  # fmt: skip
                params = _computed(asked)
                while len(self._known) >= KEPT:
                    self._known.pop(next(iter(self._known)))
                self._known[key] = Importance(
                    evaluator=evaluator, objective=objective, trials=len(trials), params=params
                )
            return self._known[key]


def _computed(asked: dict[str, Any]) -> dict[str, float]:
    command = [sys.executable, "-P", "-m", "jupyter_mlstudio.programs.importance"]
    try:
        done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise TimedOut(f"the importance of the parameters was not known within {TIMEOUT_S:g} s") from None
    lines = done.stdout.strip().splitlines()
    if done.returncode != 0 or not lines:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise Conflict(f"the importance cannot be told: {said[:300]}")
    answer = json.loads(lines[-1])
    if "error" in answer:
        raise Conflict(f"the importance cannot be told: {str(answer['error'])[:300]}")
    return {str(name): float(value) for name, value in answer["params"].items()}
