"""AutoML: what is asked for, and what is told of the table, the candidates and the winner.

Names and values of the request are those of Azure Machine Learning's v2 automl jobs (``AutoMLJob`` of its REST API,
2024-04), with times in seconds; see ``docs/automl.md`` for where they differ.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from jupyter_mlstudio.entities.experiments import Goal as Goal
from jupyter_mlstudio.entities.sweeps import SweepPhase as SweepPhase
from jupyter_mlstudio.entities.values import JSON, Real


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


class Severity(StrEnum):
    """``error`` ends the run before any fit; ``warning`` is worth a look; ``info`` says what was done."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Something about the table: what it is, what was done about it, and what people can do.

    ``code`` is a word for programs, e.g. ``target_leak``; ``columns`` are those that it is about.
    """

    code: str
    severity: Severity
    what: str
    done: str = ""
    remedy: str = ""
    columns: list[str] = field(default_factory=list)


class Role(StrEnum):
    """What a column is taken for."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    TEXT = "text"
    TARGET = "target"
    WEIGHT = "weight"
    TIME = "time"
    SERIES = "series"
    DROPPED = "dropped"


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column of the table.

    ``distinct`` counts values; ``steps`` name what makes features of it; ``reason`` says why it is taken so.
    """

    name: str
    type: str
    role: Role
    missing: int = 0
    distinct: int = 0
    examples: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class OnnxCheck:
    """How the ONNX form of a candidate compares with it on rows that it was not fitted on.

    ``speedup`` is how many times faster it answers one row; ``reason`` says why it is not ``ready``.
    """

    ready: bool
    rows: int = 0
    label_flips: int | None = None
    max_abs_difference: Real | None = None
    speedup: Real | None = None
    size_bytes: int = 0
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A model that was tried. The score is the primary metric over the folds, with its 95 % interval.

    Args:
        number: of the trial, from 0; the ensembles come last.
        family: e.g. ``HistGradientBoosting``; ``stage`` is ``portfolio``, ``search`` or ``ensemble``.
        rows: how many rows it was fitted on; fewer than all while only a part was looked at.
        weights: of an ensemble's members, by their number.
        predict_ms: for 1,000 rows.
    """

    number: int
    run_id: str
    family: str
    stage: str
    params: dict[str, JSON] = field(default_factory=dict)
    score: Real | None = None
    low: Real | None = None
    high: Real | None = None
    folds: list[Real] = field(default_factory=list)
    metrics: dict[str, Real] = field(default_factory=dict)
    rows: int = 0
    fit_s: float = 0.0
    predict_ms: float = 0.0
    size_bytes: int = 0
    weights: dict[str, float] = field(default_factory=dict)
    onnx: OnnxCheck | None = None
    failed: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Margin:
    """How far the winner leads the best other model, in the unit of the primary metric; above 0 is better.

    Args:
        number, family: the other model.
        low, high: the 95 % interval of the lead, from the differences in each fold; None with a single fold.
        within_noise: another sample of rows could as well have turned the two round.
    """

    number: int
    family: str
    lead: Real
    low: Real | None = None
    high: Real | None = None
    within_noise: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class FamilyState:
    """A family of models: whether it takes part, why not, how often it was tried, and its best score."""

    name: str
    tried: int = 0
    best: Real | None = None
    out: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """Where the time went, in seconds."""

    timeout_s: float
    used_s: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Way:
    """How columns become features for some members of an ensemble.

    Args:
        members: their numbers.
        steps: column -> the names of its steps, in order.
    """

    members: list[int]
    steps: dict[str, list[str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnImportance:
    """How much worse the score is when a column is shuffled: the mean over repeats, and their standard deviation."""

    column: str
    mean: Real
    std: Real


Importance = ColumnImportance


@dataclass(frozen=True, kw_only=True, slots=True)
class Dependence:
    """The mean prediction over values of one column (partial dependence), and single rows' (ICE), by class.

    ``values`` are numbers or categories; ``mean`` has a list for each class (one for regression); ``rows`` are
    predictions of a few rows for ``of``, the positive class, or the only target.
    """

    column: str
    values: list[JSON]
    mean: list[list[Real]]
    rows: list[list[Real]] = field(default_factory=list)
    of: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """What the winner rests on. ``shap`` is the mean absolute SHAP value by column, when the extra is installed."""

    importances: list[ColumnImportance] = field(default_factory=list)
    dependences: list[Dependence] = field(default_factory=list)
    shap: dict[str, Real] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Partition:
    """One of many models: the part of the table that it is of, its run, and how good it is.

    ``fingerprint`` is a hash of the rows and the request; the same again takes the model that is there.
    """

    key: dict[str, JSON]
    run_id: str
    rows: int
    fingerprint: str
    score: Real | None = None
    reused: bool = False
    failed: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class AutoMLReport:
    """What an AutoML run has found so far.

    Args:
        phase: what it does, in a few words, e.g. ``trying models``.
        task, primary_metric, goal: as they were chosen; ``classes`` are the target's labels.
        leaderboard: the best first, those that failed last.
        winner: number of the candidate that became the run's model.
        margin: how far it leads the next one; before there is a winner, the best so far does.
        diagram: the winner as scikit-learn draws it (HTML without scripts), and what makes its features.
        ways: of an ensemble, what makes the features of each of its members; ``columns`` has the steps of one model.
        test: metrics on the rows that nobody looked at, where there are some.
    """

    phase: str
    task: Task = Task.AUTO
    primary_metric: str = ""
    goal: Goal = Goal.MAXIMIZE
    rows: int = 0
    folds: int = 0
    classes: list[str] = field(default_factory=list)
    positive_label: str = ""
    columns: list[Column] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    families: list[FamilyState] = field(default_factory=list)
    leaderboard: list[Candidate] = field(default_factory=list)
    winner: int | None = None
    margin: Margin | None = None
    budget: Budget | None = None
    diagram: str = ""
    ways: list[Way] = field(default_factory=list)
    test: dict[str, Real] = field(default_factory=dict)
    explanation: Explanation | None = None
    partitions: list[Partition] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class TablePreview:
    """A table before anything is done with it: its columns, the first rows as text, and what to predict by default."""

    data: str
    rows: int
    columns: list[Column]
    head: list[list[str]]
    target: str = ""
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class Contribution:
    """How far one column's value moved an answer, in the answer's own unit; ``value`` is the row's."""

    column: str
    value: JSON
    effect: Real


@dataclass(frozen=True, kw_only=True, slots=True)
class RowExplanation:
    """Why the winner answers one row as it does.

    Args:
        prediction: the label or the number; ``probabilities`` of a classifier, by class.
        of: the class that ``base`` and the contributions are about, empty for a number.
        base: the answer for a row of the table on average; base and effects add up to this row's answer.
        contributions: the largest first.
    """

    prediction: JSON
    probabilities: dict[str, Real] = field(default_factory=dict)
    of: str = ""
    base: Real = 0.0
    contributions: list[Contribution] = field(default_factory=list)
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class AutoML:
    """An AutoML run as it is now. ``phase`` is what was asked of it; it pauses and stops as a sweep does."""

    run_id: str
    name: str
    experiment: str
    status: str
    spec: AutoMLSpec
    report: AutoMLReport
    phase: SweepPhase = SweepPhase.RUNNING
    resume_from: str | None = None
    notebook: bool = False
