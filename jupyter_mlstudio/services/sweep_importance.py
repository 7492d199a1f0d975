"""How much each parameter of a sweep mattered. Optuna tells, in a process of its own that ends afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

from jupyter_mlstudio.entities import points
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
        self._child: subprocess.Popen[str] | None = None
        self._closed = False
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
        complete = self._sweeps.complete(sweep.run_id)
        if len(complete) < FEWEST:
            raise Conflict(f"importance needs {FEWEST} complete trials; there are {len(complete)}")
        trials, key = complete[-MOST:], (sweep.run_id, len(complete), objective, evaluator)
        with self._lock:
            if key not in self._known:
                asked = {
                    "space": sweep.spec.space, "trials": trials, "objective": objective, "evaluator": evaluator,
                    "goal": sweep.spec.objectives[objective].goal.value,
                    "logbase": points.log_base(sweep.spec.sampling.options),
                }  # fmt: skip
                params = self._computed(asked)
                while len(self._known) >= KEPT:
                    self._known.pop(next(iter(self._known)))
                self._known[key] = Importance(
                    evaluator=evaluator, objective=objective, trials=len(trials), params=params
                )
            return self._known[key]

    def close(self) -> None:
        """Ends what is being computed: nobody waits for it any more."""
        self._closed = True
        child = self._child
        if child is not None:
            child.kill()

    def _computed(self, asked: dict[str, Any]) -> dict[str, float]:
        command = [sys.executable, "-P", "-m", "jupyter_mlstudio.programs.importance"]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as child:
            self._child = child
            try:
                if self._closed:
                    child.kill()
                told, said = child.communicate(json.dumps(asked), timeout=TIMEOUT_S)
            except subprocess.TimeoutExpired:
                child.kill()
                raise TimedOut(f"the importance of the parameters was not known within {TIMEOUT_S:g} s") from None
            finally:
                self._child = None
        return _read(child.returncode, told, said)


def _read(status: int, told: str, said: str) -> dict[str, float]:
    lines = told.strip().splitlines()
    if status != 0 or not lines:
        reason = (said.strip().splitlines() or ["no reason given"])[-1]
        raise Conflict(f"the importance cannot be told: {reason[:300]}")
    answer = json.loads(lines[-1])
    if "error" in answer:
        raise Conflict(f"the importance cannot be told: {str(answer['error'])[:300]}")
    return {str(name): float(value) for name, value in answer["params"].items()}
