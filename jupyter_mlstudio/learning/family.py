"""What a family of models is: the one class to write so that AutoML tries another kind."""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from jupyter_mlstudio.entities.automl import Task
from jupyter_mlstudio.entities.values import JSON

Params = dict[str, Any]
COLUMNS, TELLING = "columns", "telling"
"""A parameter of every family, and its value where only the columns that tell something are taken."""

BALANCED = ("norm_macro_recall", "balanced_accuracy", "f1_score_macro", "recall_score_macro", "matthews_correlation")
"""Metrics to which every class counts alike, so that rare classes are better weighted up."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What families know of a table before they see it.

    Args:
        features: columns to learn from; ``classes`` is 0 for regression.
        rarest: share of the rarest class.
        skewed: whether the target is positive and so skewed that its logarithm may be easier to learn.
        most_categories: of one column.
        weighted: whether rows have weights.
    """

    task: Task
    rows: int
    features: int
    classes: int = 0
    rarest: float = 0.5
    skewed: bool = False
    categorical: int = 0
    most_categories: int = 0
    weighted: bool = False
    metric: str = ""

    @property
    def classifies(self) -> bool:
        """Whether the task is classification."""
        return self.task is Task.CLASSIFICATION

    @property
    def balance(self) -> bool:
        """Whether weighting rare classes up helps the metric."""
        return self.classifies and self.metric in BALANCED and self.rarest * self.classes < 0.6


@dataclass(frozen=True, slots=True)
class Making:
    """What an estimator is made for: the task, its seed and threads, and which features are codes of categories.

    ``rows`` is how many it will be fitted on; 0 is all of the table.
    """

    shape: Shape
    seed: int = 0
    threads: int = 1
    codes: tuple[int, ...] = ()
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """Rows in the form of a family: ``(n_rows, n_features)``, class numbers or values, and weights."""

    X: Any
    y: Any
    weights: Any = None


class Family(ABC):
    """A kind of model. Instances have no state.

    Parameters are plain JSON that :meth:`make` turns into an unfitted estimator, so that a candidate is its family, its
    parameters and the seed.
    """

    name: ClassVar[str]
    also: ClassVar[tuple[str, ...]] = ()
    """Other names for it, Azure's among them."""

    form: ClassVar[str] = "scaled"
    """Of :meth:`Plan.featuriser`; see :meth:`form_for`."""

    library: ClassVar[str] = "sklearn"
    rounds: ClassVar[str] = ""
    most_rounds: ClassVar[int] = 2000
    takes_weights: ClassVar[bool] = True
    takes_labels: ClassVar[bool] = True
    """Whether its classifiers know labels that are not numbers from 0; see :meth:`knows`."""

    expense: ClassVar[float] = 1.0
    """How long a fit takes beside others, about; it only decides what is tried more often."""

    density: ClassVar[float] = 1.0
    """How long the conversion of a pickled byte takes beside other families': it depends on the trees' nodes in it."""

    multiplies: ClassVar[bool] = False
    """Whether the logarithm of a skewed target is tried early: sums in logarithms are what trees learn slowly."""

    foretold: ClassVar[tuple[str, str] | None] = None
    """A quick family and another one: unless the quick one is better than that, this one hardly is good either."""

    usual: ClassVar[Params] = {}
    """What parameters are that a known configuration does not name, by Optuna's names."""

    def form_for(self, params: Params) -> str:
        """The form of the features for these parameters."""
        if params.get(COLUMNS):  # categories come as numbers, of which some can be chosen
            return f"{'trees' if self.form == 'native' else self.form}-{params[COLUMNS]}"
        return self.form

    def expense_for(self, classes: int) -> float:
        """The expense for so many classes: of more than two, a boosting grows a tree for each in a round."""
        return self.expense * (classes if self.rounds and classes > 2 else 1)

    def refuses(self, shape: Shape) -> str:
        """Tells why it cannot take part for this table; empty when it can."""
        return ""

    def knows(self, labels: Any) -> bool:
        """Whether its classifiers learn these labels themselves; else they learn the classes' numbers from 0."""
        return self.takes_labels or np.array_equal(labels, np.arange(len(labels)))

    def installed(self) -> bool:
        """Whether its library is here."""
        return importlib.util.find_spec(self.library) is not None

    @abstractmethod
    def known(self, shape: Shape) -> list[Params]:
        """Configurations that are known to be good, the best first."""

    @abstractmethod
    def suggest(self, trial: Any, shape: Shape) -> Params:
        """Takes parameters from an Optuna trial."""

    @abstractmethod
    def make(self, params: Params, making: Making) -> Any:
        """Makes an unfitted estimator of scikit-learn's kind."""

    def fit(self, model: Any, part: Part) -> Any:
        """Fits an estimator; weights are used where the estimator knows them."""
        if part.weights is not None and self.takes_weights:
            return model.fit(part.X, part.y, sample_weight=part.weights)
        return model.fit(part.X, part.y)

    def fit_within(self, model: Any, part: Part, limit_s: float) -> Params:
        """Fits an estimator without rounds, for about ``limit_s`` where it can do with less.

        Returns:
            Parameters that became other ones, such as a number of trees.
        """
        self.fit(model, part)
        return {}


class Boosting(Family):
    """A family that boosts: it names its parameter for the number of rounds in :attr:`rounds`, and stops early."""

    keeps_time: ClassVar[bool] = True
    """Whether a fit ends in time with the rounds that it has."""

    @abstractmethod
    def fit_until_no_better(self, model: Any, part: Part, held: Part, patience: int, limit_s: float) -> int:
        """Fits a model until ``held`` is no better for ``patience`` rounds, or for about ``limit_s``.

        Returns:
            How many rounds were best.
        """

    @abstractmethod
    def trained(self, model: Any) -> int:
        """How many rounds a model has."""

    def seen(self, model: Any) -> int:
        """How many rounds the fit of a model took, of which it may have kept fewer."""
        return self.trained(model)

    @abstractmethod
    def staged(self, model: Any, rows: Any, counts: list[int], classifies: bool) -> Iterator[Any]:
        """Yields a model's predictions after each of these numbers of rounds, ascending."""


def answers(model: Any, rows: Any, classifies: bool) -> Any:
    """Probabilities ``(n_rows, n_classes)`` or values ``(n_rows,)``, as float64."""
    found = model.predict_proba(rows) if classifies else model.predict(rows)
    return np.asarray(found, dtype=np.float64) if classifies else np.asarray(found, dtype=np.float64).ravel()


def weighted_classes(params: Params) -> JSON:
    """The ``class_weight`` of parameters."""
    return params.get("class_weight")


def with_log(model: Any, params: Params) -> Any:
    """A regressor of the target's logarithm, when the parameters ask for it."""
    if not params.get("log_target"):
        return model
    from sklearn.compose import TransformedTargetRegressor

    return TransformedTargetRegressor(regressor=model, func=np.log1p, inverse_func=np.expm1, check_inverse=False)


def suggest_common(trial: Any, shape: Shape) -> Params:
    """Parameters that all families have: weights of classes, logarithm of the target."""
    found: Params = {}
    if shape.balance:
        found["class_weight"] = trial.suggest_categorical("class_weight", [None, "balanced"])
    if shape.skewed and not shape.classifies:
        found["log_target"] = trial.suggest_categorical("log_target", [False, True])
    return found


def common(shape: Shape) -> Params:
    """The same for configurations that are known to be good."""
    return {"class_weight": "balanced"} if shape.balance else {}


def without(params: Params, *names: str) -> Params:
    """Parameters but for some."""
    return {
        name: value for name, value in params.items() if name not in ("class_weight", "log_target", COLUMNS, *names)
    }
