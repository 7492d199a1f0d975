"""Forecasts of many models: each part of a table by its own, put together again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jupyter_mlstudio.entities.automl_candidates import Partition
from jupyter_mlstudio.errors import Conflict


def forecast_parts(
    parts: Sequence[Partition], history: Any, known: Any, forecast: Callable[[str, Any, Any], Any]
) -> Any:
    """Forecasts what comes after each part of a table that has a model.

    Args:
        parts: of the run, with their keys and runs.
        history, known: data frames with the columns of the key.
        forecast: answers a part's forecast from its run's id and its rows of both.

    Raises:
        Conflict: no part of the table has a model.
    """
    import pandas as pd

    found = []
    for part in parts:
        if part.failed or not part.run_id:
            continue
        own, ahead = _of(history, part), None if known is None else _of(known, part)
        if not len(own):
            continue
        answered = forecast(part.run_id, own, ahead)
        for at, (name, value) in enumerate(part.key.items()):
            answered.insert(at, name, value)
        found.append(answered)
    if not found:
        raise Conflict("no part of this table has a model: run.report.partitions says which there are")
    return pd.concat(found, ignore_index=True)


def _of(table: Any, part: Partition) -> Any:
    """A part's rows, without the columns of its key."""
    fits = None
    for name, value in part.key.items():
        same = table[name].isna() if value is None else table[name].astype(str) == str(value)
        fits = same if fits is None else fits & same
    return table[fits].drop(columns=list(part.key))
