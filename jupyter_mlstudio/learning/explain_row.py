"""One prediction of a fitted model, explained by the table's own columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jupyter_mlstudio.learning.contributions import Contributions, contributions
from jupyter_mlstudio.learning.family import answers


def explain_row(
    model: Any,
    background: pd.DataFrame,
    row: pd.DataFrame | Mapping[str, Any],
    *,
    of: int | None = None,
    columns: Sequence[str] | None = None,
    rows: int = 20_000,
    seed: int = 0,
) -> Contributions:
    """Explains one prediction of a fitted model, in units of what it predicts.

    Args:
        background: some rows of the kind that the model learnt from, in its form, e.g. 100.
        row: one row of that form, or its values by column.
        of: number of the class whose probability is explained; None is the last, and is nothing for regression.
        columns, rows, seed: as for :func:`jupyter_mlstudio.learning.contributions.contributions`.

    Returns:
        Contributions that add up to the prediction minus the mean prediction of ``background``.
    """
    classifies = hasattr(model, "predict_proba")
    types, number = background.dtypes, -1 if of is None else of
    held = {str(name): background[name].to_numpy(dtype=_kept_as(types[name])) for name in background.columns}
    given = {str(name): row[name].iloc[0] if isinstance(row, pd.DataFrame) else row[name] for name in held}

    def predict(batch: dict[str, NDArray[Any]]) -> NDArray[np.float64]:
        frame = pd.DataFrame({name: pd.Series(column) for name, column in batch.items()}, copy=False)
        for name in frame.columns:
            if isinstance(types[name], pd.CategoricalDtype):
                known = types[name].categories.union(frame[name].dropna().unique(), sort=False)
                frame[name] = pd.Categorical(frame[name], categories=known)
            elif frame[name].dtype != types[name]:
                frame[name] = frame[name].astype(types[name])
        found = answers(model, frame, classifies)
        return np.asarray(found[:, number] if classifies else found, dtype=np.float64)

    return contributions(predict, held, given, columns=columns, rows=rows, seed=seed)


def _kept_as(dtype: Any) -> Any:
    return dtype if isinstance(dtype, np.dtype) and dtype.kind in "biufM" else object


def background_of(plan: Any, rows: int = 100, seed: int = 0) -> pd.DataFrame:
    """Rows for :func:`explain_row`, drawn from those that were learnt from."""
    table: pd.DataFrame = plan.X
    return table.iloc[picks_of(len(table), rows, np.random.default_rng(seed))].reset_index(drop=True)


def picks_of(count: int, most: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Numbers of some rows, ascending."""
    return np.sort(random.choice(count, min(count, most), replace=False)).astype(np.int64)
