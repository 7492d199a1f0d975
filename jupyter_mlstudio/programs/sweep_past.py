"""Past results that a sweep begins with: of other sweeps, of runs, or of whole experiments."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from jupyter_mlstudio.entities.sweeps import Objective, TrialState
from jupyter_mlstudio.sweeps.warm import Past

FILE = "past.json"


def past_of(run_folder: Path, objectives: Sequence[Objective]) -> list[Past]:
    """Reads the results that the studio has put into the sweep's folder."""
    path = run_folder / FILE
    if not path.is_file():
        return []
    names = [objective.primary_metric for objective in objectives]
    found = []
    for one in json.loads(path.read_text(encoding="utf-8")):
        values = [one["metrics"].get(name) for name in names]
        found.append(
            Past(
                run_id=one["run_id"], params=one["params"],
                values=[None if value is None else float(value) for value in values], state=TrialState(one["state"]),
                steps=[(int(step), float(value)) for step, value in one["steps"]],
            )
        )  # fmt: skip
    return found
