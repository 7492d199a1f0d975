"""Whether an AutoML run may begin as it is asked for. What the table holds is looked at by the run itself."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_mlstudio.entities.automl import AutoMLLimits, AutoMLSpec, Featurization, FeaturizationMode, Task
from jupyter_mlstudio.entities.sweeps import Objective, SweepLimits, SweepSpec
from jupyter_mlstudio.errors import Invalid, NotFound
from jupyter_mlstudio.services.names import checked_name, checked_text
from jupyter_mlstudio.services.paths import relative_parts, safe_join
from jupyter_mlstudio.services.sweep_checks import PARALLEL_LIMIT, TRIALS_LIMIT
from jupyter_mlstudio.workspace import FOLDER, Workspace

OF_RUN = "runs:/"
TABLES = ("data", "validation_data", "test_data")
SCORE = "score"
"""What the primary metric is called while nobody knows which it is."""

_KINDS = ("numeric", "categorical", "categoricalhash", "datetime", "text", "boolean", "ignore")
_FORECAST_WORDS = {
    "short_series_handling_config": ("auto", "drop", "pad", "none"), "use_stl": ("season", "season_trend"),
    "target_aggregate_function": ("sum", "mean", "min", "max"), "feature_lags": ("auto",),
}  # fmt: skip
_NAMES_LIMIT = 20_000


def check(workspace: Workspace, spec: AutoMLSpec, sent: Mapping[str, str] | None = None) -> AutoMLSpec:
    """Checks what an AutoML run is made from; answers it with its paths as they are kept.

    Args:
        workspace: where its tables lie.
        spec: what is asked for.
        sent: tables that come with the request -> where they will lie.

    Raises:
        Invalid: something in it is wrong; the message names it and says what to write instead.
        NotFound: there is no such table.
    """
    _name(spec.target, "the target")
    for name in _columns(spec):
        _name(name, "a column's name")
    if spec.target in (spec.weight_column, *spec.partition_by):
        raise Invalid(f"{spec.target!r} is the target, so it is neither the weight nor what the table is split by")
    if spec.primary_metric is not None:
        checked_name(spec.primary_metric, "the primary metric", 80)
    folds = spec.n_cross_validations
    if folds is not None and not 2 <= folds <= 100:
        raise Invalid(f"there are 2 to 100 folds, not {folds}; leave n_cross_validations out to have it chosen")
    for share, what in ((spec.validation_data_size, "validation"), (spec.test_data_size, "test")):
        if share is not None and not 0 < share < 1:
            raise Invalid(f"{what}_data_size is a share of the rows between 0 and 1, not {share}")
    if spec.validation_data is not None and folds is not None:
        raise Invalid("give either validation_data or n_cross_validations, not both")
    if not 0 <= spec.seed < 2**32:
        raise Invalid(f"a seed is a whole number from 0 to {2**32 - 1}, not {spec.seed}")
    _check_limits(spec.limits)
    _check_featurization(spec.featurization)
    _check_forecasting(spec)
    found: dict[str, Any] = dict(sent or {})
    for name in TABLES:
        if name not in found and (text := getattr(spec, name)) is not None:
            found[name] = table_of(workspace, text)[0]
    return replace(spec, **found)


def table_of(workspace: Workspace, text: str) -> tuple[str, Path]:
    """Finds a table; answers how it is named and where it lies.

    Args:
        workspace: where to look.
        text: a path below the workspace's root, or ``runs:/<run id>/<path among its artifacts>``.

    Raises:
        Invalid: it is no such path, or not a plain file. NotFound: there is no such file.
    """
    checked_text(text, "a table's path", 4000)
    if "://" in text:
        raise Invalid(f"{text[:80]!r} is an address; give a file below the workspace {workspace.root}")
    if text.startswith(OF_RUN):
        run_id, _, below = text.removeprefix(OF_RUN).partition("/")
        if not (len(run_id) == 32 and run_id.isalnum()):
            raise Invalid(f"{text[:120]!r} is no file of a run; write runs:/<run id>/<path>")
        path = safe_join(workspace.run_folder(run_id) / "artifacts", below)
    elif Path(text).is_absolute():
        whole = Path(text).resolve()
        if workspace.root not in whole.parents:
            raise Invalid(f"{text[:200]!r} is not inside the workspace {workspace.root}: copy it there")
        text = whole.relative_to(workspace.root).as_posix()
        path = safe_join(workspace.root, text)
    else:
        text = text.removeprefix("./")
        path = safe_join(workspace.root, text)
    if not text.startswith(OF_RUN) and FOLDER in relative_parts(text):
        raise Invalid(f"{text[:80]!r} lies among the studio's own files; write runs:/<run id>/<path>")
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise Invalid(f"{text[:200]!r} is not a file that can be read (a folder, link, pipe or device)")
    if not path.is_file():
        raise NotFound(f"there is no file {text[:200]!r} in the workspace {workspace.root}")
    return text, path


def as_sweep(spec: AutoMLSpec) -> SweepSpec:
    """How an AutoML run is steered: as a sweep whose trials are calls."""
    limits = spec.limits
    return SweepSpec(
        objectives=[Objective(primary_metric=spec.primary_metric or SCORE)],
        limits=SweepLimits(
            max_total_trials=limits.max_trials, max_concurrent_trials=limits.max_concurrent_trials,
            timeout_s=limits.timeout_s, trial_timeout_s=limits.trial_timeout_s, exit_score=limits.exit_score,
        ),
        function=True,
    )  # fmt: skip


def _columns(spec: AutoMLSpec) -> Iterator[str]:
    yield from spec.partition_by
    yield from spec.featurization.column_name_and_types
    if spec.weight_column is not None:
        yield spec.weight_column
    if spec.forecasting is not None:
        yield spec.forecasting.time_column_name
        yield from spec.forecasting.time_series_id_column_names
        yield from spec.forecasting.features_unknown_at_forecast_time


def _name(text: str, what: str) -> None:
    checked_text(text, what, _NAMES_LIMIT)
    if not text.strip():
        raise Invalid(f"{what} is empty: name a column of the table")


def _check_limits(limits: AutoMLLimits) -> None:
    times = (("timeout_s", limits.timeout_s), ("trial_timeout_s", limits.trial_timeout_s))
    for name, seconds in times:
        if seconds is not None and not (math.isfinite(seconds) and 0 < seconds <= 366 * 86_400):
            raise Invalid(f"{name} is a positive number of seconds, at most a year, not {seconds}")
    if not 1 <= limits.max_trials <= TRIALS_LIMIT:
        raise Invalid(f"an AutoML run has 1 to {TRIALS_LIMIT:,} trials, not {limits.max_trials:,}")
    if not 1 <= limits.max_concurrent_trials <= PARALLEL_LIMIT:
        raise Invalid(f"1 to {PARALLEL_LIMIT:,} models are tried at once, not {limits.max_concurrent_trials:,}")
    if limits.exit_score is not None and not math.isfinite(limits.exit_score):
        raise Invalid(f"exit_score is a number, not {limits.exit_score}")
    if limits.memory_bytes is not None and limits.memory_bytes < 64 * 1024**2:
        raise Invalid(f"memory_bytes is at least 64 MiB, not {limits.memory_bytes:,}")


def _check_featurization(featurization: Featurization) -> None:
    for name, kind in featurization.column_name_and_types.items():
        if kind.lower() not in _KINDS:
            raise Invalid(f"the column {name[:80]!r} cannot be {kind[:40]!r}; a type is one of {', '.join(_KINDS)}")
    given = featurization.column_name_and_types or featurization.transformer_params
    if given and featurization.mode is not FeaturizationMode.CUSTOM:
        raise Invalid("types of columns and parameters of steps are for featurization of the mode custom")


def _check_forecasting(spec: AutoMLSpec) -> None:
    settings = spec.forecasting
    if spec.task is Task.FORECASTING and settings is None:
        raise Invalid("forecasting needs to know the column with the time: give forecasting.time_column_name")
    if settings is None:
        return
    if spec.task is not Task.FORECASTING:
        raise Invalid(f"forecasting settings are for the task forecasting, not for {spec.task.value}")
    if settings.time_column_name == spec.target:
        raise Invalid(f"{spec.target!r} is the target, so it is not the time")
    whole = [settings.forecast_horizon, *(settings.target_lags or [])]
    whole += [n for n in (settings.target_rolling_window_size, settings.seasonality, settings.cv_step_size) if n]
    for name, words in _FORECAST_WORDS.items():
        if (word := getattr(settings, name)) is not None and word not in words:
            raise Invalid(f"{name} is one of {', '.join(words)}, not {word[:40]!r}")
    if settings.target_aggregate_function and not settings.frequency:
        raise Invalid("target_aggregate_function needs the frequency of the steps: give forecasting.frequency, e.g. D")
    taken = {spec.target, settings.time_column_name, *settings.time_series_id_column_names}
    if both := taken & set(settings.features_unknown_at_forecast_time):
        raise Invalid(f"{min(both)!r} is no feature, so it is not among features_unknown_at_forecast_time")
    if any(not 1 <= steps <= 100_000 for steps in whole):
        raise Invalid("the horizon, lags, windows and seasons of a forecast are 1 to 100,000 steps")
