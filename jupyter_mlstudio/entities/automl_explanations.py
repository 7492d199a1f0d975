"""What the winner of an AutoML run rests on: on the whole, and for one row."""

from __future__ import annotations

from dataclasses import dataclass, field

from jupyter_mlstudio.entities.values import JSON, Real


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnImportance:
    """How much worse the score is when a column is shuffled: the mean over repeats, and their standard deviation."""

    column: str
    mean: Real
    std: Real


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
