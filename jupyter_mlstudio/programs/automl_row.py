"""Why an AutoML run's winner answers one row as it does.

In: ``{"run_folder", "row", "memory_bytes"}``. Out: a :class:`RowExplanation`. The model and the rows beside it are the
run's own files, written by its program.
"""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_mlstudio.entities.automl_explanations import Contribution, RowExplanation
from jupyter_mlstudio.entities.ending import end
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict, Invalid
from jupyter_mlstudio.programs.answering import answer
from jupyter_mlstudio.programs.automl_files import FOLDER, write_whole

FILE = "row.pkl"
BACKGROUND_ROWS = 100
DOUBT = 2.0
"""A contribution is told to be unsure when it is smaller than so many times its standard error."""


def keep(plan: Any, folder: Path) -> None:
    """Keeps what explaining a row needs beside the search: how rows are read, and some rows to compare with."""
    from jupyter_mlstudio.learning.explain_row import background_of

    background = background_of(plan, BACKGROUND_ROWS)
    small = replace(
        plan, X=background, y=plan.y[: len(background)], X_test=None, y_test=None, weights=None, folds=[], findings=[]
    )
    write_whole(folder / FILE, pickle.dumps(small, protocol=5))


def explain(question: dict[str, JSON]) -> RowExplanation:
    """Explains one row."""
    import joblib
    import numpy as np
    import pandas as pd

    from jupyter_mlstudio.learning.explain_row import explain_row

    folder = Path(str(question["run_folder"]))
    file = folder / FOLDER / FILE
    if (folder / "artifacts" / "automl" / "forecast.json").is_file():
        raise Conflict("a forecast's row is its history, which is no row of the table: see what all forecasts rest on")
    if not file.is_file():
        raise Conflict("the run did not keep what explaining a row needs")
    plan = pickle.loads(file.read_bytes())
    model = joblib.load(folder / "artifacts" / "model" / "model.joblib")
    row = dict(question["row"])
    missing = [rule.name for rule in plan.rules if rule.name not in row]
    if missing:
        raise Invalid(f"the row has no value for {missing[0]!r}; give null where it is not known")
    prepared = plan.prepare(pd.DataFrame([row]))
    names = [] if plan.classes is None else [str(name) for name in plan.classes]
    probabilities: dict[str, float] = {}
    of: int | None = None
    if names:
        found = np.asarray(model.predict_proba(prepared), dtype=np.float64)[0]
        probabilities = {name: float(value) for name, value in zip(names, found, strict=True)}
        of = plan.positive if plan.positive is not None and len(names) == 2 else int(found.argmax())
    told = explain_row(model, plan.X, prepared, of=of)
    values = sorted(told.values.items(), key=lambda one: -abs(one[1]))
    unsure = [name for name, value in values if abs(value) < DOUBT * told.error.get(name, 0.0)]
    return RowExplanation(
        prediction=_plain(model.predict(prepared)[0]), probabilities=probabilities, of="" if of is None else names[of],
        base=told.base,
        contributions=[Contribution(column=name, value=_plain(row.get(name)), effect=value) for name, value in values],
        note=f"within the noise: {', '.join(unsure[:10])}" if unsure and len(unsure) < len(values) else "",
    )  # fmt: skip


def _plain(value: Any) -> JSON:
    if hasattr(value, "item"):
        value = value.item()
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


if __name__ == "__main__":
    end(answer(explain))
