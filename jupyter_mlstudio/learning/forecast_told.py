"""What a forecast says of a table's columns: which take part, which do not, and what each becomes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from jupyter_mlstudio.entities.automl import AutoMLSpec, ForecastingSettings
from jupyter_mlstudio.entities.automl_tables import Column, Finding, Role, Severity
from jupyter_mlstudio.learning.forecast_rows import RowMaker
from jupyter_mlstudio.learning.forecast_table import Unfit

TEXTS = 50
"""Values that a column of text may have."""

ALIKE = 0.999
"""Correlation with the target from which a column is taken for a copy of it."""


def known_columns(frame: pd.DataFrame, spec: AutoMLSpec) -> tuple[list[str], list[str], list[str], list[Finding]]:
    """Columns besides target, time and ids that a forecast may use, and what was found.

    Returns:
        Numbers and texts that are known ahead, numbers that are not, and findings.

    Raises:
        Unfit: a name is there twice, or one that is said not to be known ahead is not there.
    """
    settings = spec.forecasting
    assert settings is not None
    twice = sorted({str(name) for name in frame.columns[frame.columns.duplicated()]})
    if twice:
        what = f"columns have the same name: {', '.join(twice)}"
        raise Unfit([Finding(code="duplicate_columns", severity=Severity.ERROR, columns=twice, what=what,
                             remedy="rename them")])  # fmt: skip
    gone = [name for name in settings.features_unknown_at_forecast_time if name not in frame.columns]
    if gone:
        what = f"there is no column {gone[0]!r}, which is said not to be known ahead"
        raise Unfit([Finding(code="column_missing", severity=Severity.ERROR, columns=gone, what=what,
                             remedy=f"choose from {', '.join(map(str, frame.columns[:20]))}")])  # fmt: skip
    own = {spec.target, settings.time_column_name, *settings.time_series_id_column_names, *spec.partition_by}
    named = spec.featurization.column_name_and_types
    numbers: list[str] = []
    texts: list[str] = []
    left: list[str] = []
    copies: list[str] = []
    past: list[str] = []
    for name in frame.columns:
        if name in own or name == spec.weight_column:
            continue
        column = frame[name]
        if named.get(str(name), "").lower() == "ignore" or column.nunique(dropna=True) < 2:
            left.append(str(name))
        elif name in settings.features_unknown_at_forecast_time:
            lagged = settings.feature_lags and pd.api.types.is_numeric_dtype(column.dtype)
            (past if lagged else left).append(str(name))
        elif pd.api.types.is_numeric_dtype(column.dtype):
            (copies if _copies(column, frame[spec.target]) else numbers).append(str(name))
        elif pd.api.types.is_datetime64_any_dtype(column.dtype) or column.nunique() > TEXTS:
            left.append(str(name))
        else:
            texts.append(str(name))
    return numbers, texts, past, _found(numbers, texts, left, copies)


def _copies(column: pd.Series[Any], target: pd.Series[Any]) -> bool:
    """Tells whether a column goes with the target so closely that it would hardly be known ahead."""
    both = pd.DataFrame({"x": column.astype("float64"), "y": pd.to_numeric(target, errors="coerce")}).dropna()
    if len(both) < 3 or both["x"].std() == 0 or both["y"].std() == 0:
        return False
    return bool(abs(np.corrcoef(both["x"], both["y"])[0, 1]) > ALIKE)


def _found(numbers: list[str], texts: list[str], left: list[str], copies: list[str]) -> list[Finding]:
    found = []
    if copies:
        found.append(
            Finding(
                code="target_leak", severity=Severity.WARNING, columns=copies,
                what=f"{', '.join(map(repr, copies))} has the target's own course", done="left out",
                remedy="if it is really known ahead, add a lag of it yourself",
            )
        )  # fmt: skip
    if numbers or texts:
        names = ", ".join(map(repr, [*numbers, *texts]))
        found.append(
            Finding(
                code="known_ahead", severity=Severity.WARNING, columns=[*numbers, *texts],
                what=f"{names} are taken as known for the times to be forecast",
                done="each row has the value of its own time",
                remedy="name what is not known ahead in features_unknown_at_forecast_time, or set its type to Ignore",
            )
        )  # fmt: skip
    if left:
        found.append(
            Finding(
                code="columns_left_out", severity=Severity.INFO, columns=left,
                what=f"{', '.join(map(repr, left))} have one value, too many texts, are times, or not known ahead",
                done="left out", remedy="make numbers or a few categories of them; feature_lags takes past numbers",
            )
        )  # fmt: skip
    return found


def told_of_lags(
    settings: ForecastingSettings, numbers: list[str], past: list[str], lags: dict[str, list[int]]
) -> list[Finding]:
    """What is said of the past of other columns, where it is asked for."""
    if not settings.feature_lags:
        return []
    names = [*numbers, *past]
    if not names:
        return [Finding(code="no_feature_lags", severity=Severity.WARNING, what="there is no other column of numbers",
                        done="feature_lags was left out", remedy="add one to the table")]  # fmt: skip
    found = []
    if lags:
        what = "; ".join(f"{name!r} {', '.join(map(str, some))}" for name, some in lags.items())
        found.append(Finding(code="feature_lags", severity=Severity.INFO, columns=list(lags),
                             what=f"lags tell of the target beyond its own past: {what}", done="they are features",
                             remedy="leave feature_lags out if they are not to be"))  # fmt: skip
    if rest := [name for name in names if name not in lags]:
        gone = [name for name in rest if name in past]
        done = f"{', '.join(map(repr, gone))} left out, since nobody knows it ahead" if gone else "no lags of them"
        found.append(Finding(code="no_feature_lags", severity=Severity.INFO, columns=rest, done=done,
                             what=f"the past of {', '.join(map(repr, rest))} tells nothing more of the target",
                             remedy="add lags of them to the table, if they do"))  # fmt: skip
    return found


def _number_steps(maker: RowMaker, name: str) -> list[str]:
    lags = maker.lags.get(name, [])
    shown = f"{lags[0]} to {lags[-1]}" if len(lags) > 2 and name in maker.past else " and ".join(map(str, lags))
    return ["imputed by the median", *([f"lags {shown}"] if len(lags) > 1 else [f"lag {one}" for one in lags])]


def columns_of(frame: pd.DataFrame, spec: AutoMLSpec, maker: RowMaker) -> list[Column]:
    """Each column of the table, and what it becomes."""
    settings = maker.settings
    lags = f"the last {maker.history} values"
    seasons = [f"the value {season} steps before" for season in maker.long_seasons]
    roles: dict[str, tuple[Role, list[str], str]] = {
        spec.target: (Role.TARGET, [lags, *seasons], "named as the target"),
        settings.time_column_name: (Role.TIME, [*maker.calendar, *(["holiday"] if maker.holidays else [])],
                                    f"steps of {maker.grid.freq}"),
        **{name: (Role.SERIES, ["one-hot"] if maker.ids_in_rows else [], "tells series apart") for name in maker.ids},
        **{name: (Role.NUMERIC, _number_steps(maker, name), "known ahead") for name in maker.numbers},
        **{name: (Role.NUMERIC, _number_steps(maker, name), "its past") for name in maker.past},
        **{name: (Role.CATEGORICAL, ["one-hot"], "known ahead") for name in maker.texts},
    }  # fmt: skip
    if spec.weight_column:
        roles[spec.weight_column] = (Role.WEIGHT, [], "named as the weight")
    found = []
    for name in frame.columns:
        column = frame[name]
        role, steps, reason = roles.get(str(name), (Role.DROPPED, [], "takes no part"))
        examples = [str(value) for value in column.dropna().unique()[:3]]
        found.append(Column(name=str(name), type=str(column.dtype), role=role, missing=int(column.isna().sum()),
                            distinct=int(column.nunique()), examples=examples, steps=steps, reason=reason))  # fmt: skip
    return found
