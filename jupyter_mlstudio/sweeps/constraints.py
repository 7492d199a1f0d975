"""Which trials are feasible: the constraints of a sweep, told to Optuna so that samplers avoid what breaks them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jupyter_mlstudio.entities import expressions
from jupyter_mlstudio.entities.values import JSON

if TYPE_CHECKING:
    from optuna.trial import Trial


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the constraints say of one trial. ``reason`` is a sentence for people, empty when it is feasible."""

    violations: dict[str, float] = field(default_factory=dict)
    reason: str = ""

    @property
    def feasible(self) -> bool:
        """Whether every constraint holds."""
        return all(violation <= 0 for violation in self.violations.values())


class Constraints:
    """The constraints of a sweep, read once.

    Raises:
        Invalid: one of them is no condition.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._expressions = [expressions.parse(text) for text in texts]

    def judge(self, params: Mapping[str, JSON], metrics: Mapping[str, float]) -> Verdict:
        """Returns what they say of a trial; a metric hides a parameter of its name."""
        values = {**params, **metrics}
        violations = {one.text: one.violation(values) for one in self._expressions}
        broken = [one for one in self._expressions if violations[one.text] > 0]
        return Verdict(violations, "; ".join(_told(one, values) for one in broken))

    def tell(self, trial: Trial, params: Mapping[str, JSON], metrics: Mapping[str, float]) -> Verdict:
        """Judges a trial and tells Optuna, before the trial itself is told."""
        verdict = self.judge(params, metrics)
        for text, violation in verdict.violations.items():
            trial.set_constraint(text, violation)
        return verdict


def _told(expression: expressions.Expression, values: Mapping[str, JSON]) -> str:
    missing = expression.missing(values)
    if missing:
        return f"the constraint {expression.text} needs {', '.join(missing)}, which the trial neither has nor logged"
    shown = ", ".join(f"{name} = {values[name]!r}" for name in sorted(expression.names))
    return f"the constraint {expression.text} does not hold: {shown}"
