"""How much each parameter of a sweep matters: JSON on stdin, JSON on stdout, a process of its own for the library.

In::

    {"space": {...}, "trials": [{"params": {...}, "values": [0.9, null], "state": "COMPLETE"}, ...],
     "objective": 0, "goal": "maximize", "evaluator": "fanova" | "ped_anova", "timeout_s": 30}

Out: ``{"params": {name: share}, "evaluator": ..., "trials": how many were used}``, or ``{"code", "message"}`` and the
exit status 1. The numbers are ``optuna.importance.get_param_importances`` with the seed 0: fANOVA (Hutter, Hoos and
Leyton-Brown, ICML 2014) of how much a parameter explains of all values, PED-ANOVA (Watanabe, Bansal and Hutter, IJCAI
2023) of how much it decides whether a trial is among the best tenth. Only parameters that every trial has take part.
"""

from __future__ import annotations

import json
import math
import signal
import sys
from typing import TYPE_CHECKING

from jupyter_mlstudio.entities.ending import end
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid, StudioError, TimedOut
from jupyter_mlstudio.sweeps.space import Space

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution

EVALUATORS = ("fanova", "ped_anova")
FEWEST = 4
MOST = 5_000
"""Of more trials the latest are used: the forest of fANOVA grows with them."""

TIMEOUT_S = 60.0


def main() -> int:
    """Answers one question; the time limit ends the process from within, whatever the library does."""
    try:
        question = json.load(sys.stdin)
        _limit(float(question.get("timeout_s", TIMEOUT_S)))
        answer, status = importances(question), 0
    except StudioError as error:
        answer, status = {"code": error.code, "message": error.message}, 1
        print(error.message, file=sys.stderr)
    print(json.dumps(answer))
    return status


def _limit(timeout_s: float) -> None:
    def late(_signal: int, _frame: object) -> None:
        raise TimedOut(
            f"the importance of parameters took longer than {timeout_s:g} s: ask for ped_anova, it is quicker"
        )

    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, late)
        signal.setitimer(signal.ITIMER_REAL, timeout_s)


def importances(question: dict[str, JSON]) -> dict[str, JSON]:
    """Returns the share of each parameter, from the largest to the smallest; all of them together are 1.

    Raises:
        Invalid: there are too few trials, or no evaluator of that name.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    name = question.get("evaluator", "fanova")
    if name not in EVALUATORS:
        raise Invalid(f"there is no evaluator {name!r}: choose from {', '.join(EVALUATORS)}")
    study, names = _study(question)
    count = len(study.trials)
    if count < FEWEST or len({trial.value for trial in study.trials}) < 2:
        raise Invalid(f"{count} complete trials say nothing yet: at least {FEWEST} with different values are needed")
    kind = optuna.importance
    evaluator = kind.FanovaImportanceEvaluator(seed=0) if name == "fanova" else kind.PedAnovaImportanceEvaluator()
    shares = kind.get_param_importances(study, evaluator=evaluator)
    found = {names[hidden]: float(share) for hidden, share in shares.items() if math.isfinite(share)}
    return {"params": found, "evaluator": name, "trials": count}


def _study(question: dict[str, JSON]) -> tuple[Study, dict[str, str]]:
    """Builds the study of complete trials again, with bounds that hold all of them; also Optuna's name -> ours."""
    import optuna

    objective = int(question.get("objective", 0))
    rows: list[tuple[dict[str, JSON], float]] = []
    for trial in question["trials"]:
        values = trial["values"]
        value = float(values[objective]) if objective < len(values) and values[objective] is not None else math.nan
        if trial.get("state", "COMPLETE") == "COMPLETE" and math.isfinite(value):
            rows.append((trial["params"], value))
    rows = rows[-MOST:]
    space = Space(question["space"] or guessed([params for params, _ in rows]), float(question.get("logbase", math.e)))
    hidden = [(space.hide(params, anyhow=True), value) for params, value in rows]
    distributions = {
        name: _widened(one, [p[name] for p, _ in hidden if name in p]) for name, one in space.distributions().items()
    }
    minimized = question.get("goal") == "minimize"
    study = optuna.create_study(direction="minimize" if minimized else "maximize")
    for params, value in hidden:
        used = {name: distributions[name] for name in params}
        study.add_trial(optuna.create_trial(params=params, distributions=used, value=value))
    return study, space.names


def _widened(distribution: BaseDistribution, values: list[JSON]) -> BaseDistribution:
    """Returns a distribution that holds all values, those from before somebody changed the bounds too."""
    from optuna.distributions import FloatDistribution, IntDistribution

    if not isinstance(distribution, FloatDistribution | IntDistribution):
        return distribution
    low, high = min([distribution.low, *values]), max([distribution.high, *values])
    kind = type(distribution)
    return distribution if (low, high) == (distribution.low, distribution.high) else kind(low, high, distribution.log)


def guessed(rows: list[dict[str, JSON]]) -> dict[str, dict[str, JSON]]:
    """Returns a space that holds some trials, for a function that asked for its parameters by itself."""
    found: dict[str, dict[str, JSON]] = {}
    for name in sorted({name for row in rows for name in row}):
        values = [row[name] for row in rows if name in row]
        if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
            low, high = min(values), max(values)
            kind = "int" if all(isinstance(value, int) for value in values) else "float"
            found[name] = {"type": kind, "low": low, "high": high, "log": low > 0 and high / low > 1_000}
        else:
            found[name] = {"type": "choice", "values": list({repr(value): value for value in values}.values())}
    return found


if __name__ == "__main__":
    end(main())
