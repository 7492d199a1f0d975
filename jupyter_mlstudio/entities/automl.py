"""What is asked of AutoML.

Names and values are those of Azure Machine Learning's v2 automl jobs (``AutoMLJob`` of its REST API, 2024-04), with
times in seconds; see ``docs/automl.md`` for where they differ.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from jupyter_mlstudio.entities.values import JSON


class Task(StrEnum):
    """What is to be learnt; ``auto`` looks at the target, and is never forecasting."""

    AUTO = "auto"
    CLASSIFICATION = "classification"
    REGRESSION = "regression"
    FORECASTING = "forecasting"


class FeaturizationMode(StrEnum):
    """``off`` hands columns to the models as they are: they have to be numbers."""

    AUTO = "auto"
    CUSTOM = "custom"
    OFF = "off"


@dataclass(frozen=True, kw_only=True, slots=True)
class AutoMLLimits:
    """When it ends, and what it may take. ``memory_bytes`` is of all its processes; None is what the machine has."""

    timeout_s: float = 300.0
    max_trials: int = 1000
    trial_timeout_s: float | None = None
    exit_score: float | None = None
    enable_early_termination: bool = True
    max_concurrent_trials: int = 1
    memory_bytes: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Featurization:
    """How columns become features.

    Args:
        blocked_transformers: names of :class:`Transformer` steps that are not to be used.
        column_name_and_types: column -> ``Numeric``, ``Categorical``, ``CategoricalHash``, ``DateTime``, ``Text``,
            ``Boolean`` or ``Ignore``, where what is guessed would be wrong (mode ``custom``).
        transformer_params: step -> list of ``{"fields": [...], "parameters": {...}}`` (mode ``custom``).
        dataset_language: ISO 639-3 code of the text; only ``eng`` has stop words.
    """

    mode: FeaturizationMode = FeaturizationMode.AUTO
    blocked_transformers: list[str] = field(default_factory=list)
    column_name_and_types: dict[str, str] = field(default_factory=dict)
    transformer_params: dict[str, list[dict[str, JSON]]] = field(default_factory=dict)
    dataset_language: str = "eng"


@dataclass(frozen=True, kw_only=True, slots=True)
class StackSettings:
    """How a stack of models is made: the model on top, and its share of the rows."""

    stack_meta_learner_type: str = "LogisticRegression"
    stack_meta_learner_train_percentage: float = 0.2
    stack_meta_learner_k_wargs: dict[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Training:
    """Which models are tried, by the names of ``docs/automl.md`` or Azure's, and what is made of them at the end."""

    allowed_training_algorithms: list[str] = field(default_factory=list)
    blocked_training_algorithms: list[str] = field(default_factory=list)
    enable_vote_ensemble: bool = True
    enable_stack_ensemble: bool = True
    stack_ensemble_settings: StackSettings = field(default_factory=StackSettings)
    enable_model_explainability: bool = True
    enable_onnx_compatible_models: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class ForecastingSettings:
    """What forecasting needs to know besides the target.

    Args:
        time_column_name: the column with each row's time.
        forecast_horizon: how many steps ahead.
        time_series_id_column_names: columns that tell several series apart.
        frequency: pandas' alias, e.g. ``D`` or ``MS``; guessed when None.
        target_lags, target_rolling_window_size: in steps; None chooses, an empty list of lags is none.
        seasonality: steps of a season; None chooses, 1 is none.
        country_or_region_for_holidays: ISO 3166 code; None is no holidays. Needs the extra ``forecasting``.
        cv_step_size: steps between two origins of validation; None is the horizon.
        short_series_handling_config: ``auto`` and ``drop`` drop a series that is too short, ``pad`` repeats its first
            value, ``none`` does nothing.
        use_stl: ``season`` gives models of lags the season by STL as a feature, ``season_trend`` the trend too.
        target_aggregate_function: ``sum``, ``mean``, ``min`` or ``max`` makes one value of all rows of a step of
            ``frequency``, which has to be said then; None takes rows as they are.
        feature_lags: ``auto`` adds the past of other columns of numbers where it tells of the target; None does not.
        features_unknown_at_forecast_time: columns that nobody knows ahead; only their past takes part.
    """

    time_column_name: str
    forecast_horizon: int = 1
    time_series_id_column_names: list[str] = field(default_factory=list)
    frequency: str | None = None
    target_lags: list[int] | None = None
    target_rolling_window_size: int | None = None
    seasonality: int | None = None
    country_or_region_for_holidays: str | None = None
    cv_step_size: int | None = None
    short_series_handling_config: str = "auto"
    use_stl: str | None = None
    target_aggregate_function: str | None = None
    feature_lags: str | None = None
    features_unknown_at_forecast_time: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class AutoMLSpec:
    """Everything that starts an AutoML run again.

    Args:
        data: the table (CSV, TSV, JSON lines, Parquet): a path below the workspace's root, or
            ``runs:/<run id>/<path>``.
        target: the column to predict.
        primary_metric: a name of ``learning.metrics``, in any spelling of Azure's; None chooses.
        n_cross_validations: folds; None chooses by the number of rows.
        validation_data, test_data: other tables with the same columns; else a share of the rows, when one is given.
        weight_column: how much each row counts; 0 leaves it out.
        positive_label: of a binary target; None is the rarer one.
        partition_by: columns; one model for each of their values, as runs below this one.
        seed: the same seed, data and trials make the same models.
    """

    data: str
    target: str
    task: Task = Task.AUTO
    primary_metric: str | None = None
    n_cross_validations: int | None = None
    validation_data: str | None = None
    validation_data_size: float | None = None
    test_data: str | None = None
    test_data_size: float | None = None
    weight_column: str | None = None
    positive_label: JSON = None
    limits: AutoMLLimits = field(default_factory=AutoMLLimits)
    featurization: Featurization = field(default_factory=Featurization)
    training: Training = field(default_factory=Training)
    forecasting: ForecastingSettings | None = None
    partition_by: list[str] = field(default_factory=list)
    seed: int = 0
