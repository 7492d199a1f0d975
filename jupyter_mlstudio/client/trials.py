"""A sweep's trials as user code sees them: a table that can be read, sorted and turned into a data frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from jupyter_mlstudio.client import card
from jupyter_mlstudio.client.tables import Listed
from jupyter_mlstudio.entities.sweeps import Trial, TrialState, word_of
from jupyter_mlstudio.entities.values import JSON

SHOWN = 50
_FIELDS = {field.name for field in fields(Trial)}


def trial_of(data: Mapping[str, JSON]) -> Trial:
    """Reads a trial as the API tells it."""
    known = {name: value for name, value in data.items() if name in _FIELDS}
    known["state"] = TrialState(known["state"])
    known["values"] = [None if value is None else float(value) for value in known["values"]]
    known["steps"] = [(int(step), float(value)) for step, value in known.get("steps", [])]
    return Trial(**known)


class TrialTable(Listed[Trial]):
    """Trials in the order of their numbers."""

    def __init__(self, trials: Sequence[Trial], objectives: Sequence[str]) -> None:
        super().__init__(trials)
        self._objectives = list(objectives)

    def rows(self) -> list[dict[str, JSON]]:
        """Each trial as one flat dict: number, state, values by the metric's name, ``params.<name>``, run id."""
        return [self._row(trial) for trial in self._found]

    def frame(self) -> Any:
        """The trials as a pandas data frame."""
        import pandas

        return pandas.DataFrame(self.rows())

    def _row(self, trial: Trial) -> dict[str, JSON]:
        values = dict(zip(self._objectives, [*trial.values, *[None] * len(self._objectives)], strict=False))
        return {
            "number": trial.number,
            "state": trial.state.value,
            **values,
            **{f"params.{name}": value for name, value in trial.params.items()},
            "feasible": trial.feasible,
            "reason": trial.reason,
            "started_at": trial.started_at,
            "ended_at": trial.ended_at,
            "run_id": trial.run_id,
        }

    def _cells(self) -> list[list[str]]:
        shown = self._found[-SHOWN:]
        names = list(dict.fromkeys(name for trial in shown for name in trial.params))
        header = ["trial", "state", *self._objectives, *names, "reason"]
        rows = []
        for trial in shown:
            values = [*trial.values, *[None] * len(self._objectives)][: len(self._objectives)]
            told = [card.number(value) if value is not None else "-" for value in values]
            params = [_short(trial.params.get(name, "-")) for name in names]
            rows.append(
                [str(trial.number), word_of(trial.state, trial.reason), *told, *params, _short(trial.reason, 80)]
            )
        return [header, *rows]

    def _nothing(self) -> str:
        return "no trials"

    def _more(self) -> list[str]:
        return [f"the last {SHOWN} of {len(self)}; frame() has all"] if len(self) > SHOWN else []


def _short(value: object, limit: int = 24) -> str:
    text = card.number(value) if isinstance(value, float) else str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
