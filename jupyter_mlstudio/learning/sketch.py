"""What is kept of a plan so that each candidate of a run can be written as a notebook later: all but its rows."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from jupyter_mlstudio.entities.automl import Task
from jupyter_mlstudio.entities.automl_candidates import Candidate
from jupyter_mlstudio.errors import Conflict
from jupyter_mlstudio.learning import families, stack, temperature
from jupyter_mlstudio.learning.ensemble import vote
from jupyter_mlstudio.learning.family import Making, Shape
from jupyter_mlstudio.learning.matrices import codes_of
from jupyter_mlstudio.learning.refit import pipeline

STACK = "StackEnsemble"


@dataclass(frozen=True, slots=True)
class Sketch:
    """A plan without rows.

    Args:
        plan: with empty arrays where it had rows.
        shape: of the table, for families; None for a forecast.
        threads: that models are fitted with.
        seed: of the run.
        folds, repeats: how many there were.
    """

    plan: Any
    shape: Shape | None
    threads: int
    seed: int
    folds: range
    repeats: int

    @property
    def task(self) -> Task:
        """What is learnt."""
        return Task(self.plan.task)

    @property
    def classes(self) -> Any:
        """The labels, or None."""
        return self.plan.classes

    @property
    def weights(self) -> Any:
        """None when all rows are alike."""
        return self.plan.weights

    @property
    def X_test(self) -> Any:  # noqa: N802
        """None when no rows are put aside."""
        return self.plan.X_test


def sketch(plan: Any, shape: Shape | None, threads: int, seed: int) -> Sketch:
    """Leaves the rows of a plan out."""
    none = {name: None if (found := getattr(plan, name)) is None else found[:0] for name in ("X", "y", "weights")}
    tested = None if plan.X_test is None else plan.X_test[:0]
    more: dict[str, Any] = {}
    if plan.task is Task.FORECASTING:
        more = {
            name: getattr(plan, name)[:0] for name in ("series", "about", "test_series", "scales", "ranges", "keys")
        }
    small = replace(plan, **none, X_test=tested, y_test=None, folds=[], findings=[], **more)
    return Sketch(small, shape, threads, seed, range(len(plan.folds)), plan.repeats)


def written(found: Sketch) -> bytes:
    """As a file's content."""
    return pickle.dumps(found, protocol=5)


def model_of(
    found: Sketch, candidate: Candidate, others: Mapping[int, Candidate], top: Mapping[str, Any] | None = None
) -> Any:
    """The unfitted model of a candidate: a pipeline, or a vote or a stack of them.

    Args:
        others: candidates by number, its members among them.
        top: weights and intercept of a stack.

    Raises:
        Conflict: nothing is known of a member, or of what is on top of a stack.
    """
    if not candidate.weights:
        return _single(found, candidate, labels=True)
    numbers = [int(number) for number in candidate.weights]
    if lost := [number for number in numbers if number not in others]:
        raise Conflict(f"nothing is known any more of its member, model {lost[0]}")
    members = [(f"{others[one].family.lower()}_{one}", _single(found, others[one], labels=False)) for one in numbers]
    if candidate.family != STACK:
        model = vote(members, list(candidate.weights.values()), found.classes)
        degree = candidate.params.get(temperature.PARAMETER)
        return model if degree is None else temperature.at(model, float(str(degree)))
    if top is None:
        raise Conflict("the run did not keep the weights of its stack")
    classes = 0 if found.classes is None else len(found.classes)
    return stack.stack(members, stack.linear(top["coef"], top["intercept"], classes), found.classes)


def _single(found: Sketch, candidate: Candidate, *, labels: bool) -> Any:
    if found.shape is None:
        from jupyter_mlstudio.learning.forecast_families import make
        from jupyter_mlstudio.learning.forecast_finish import config_of

        return make(found.plan, config_of(candidate), seed=found.seed, threads=found.threads)
    family = families.find(candidate.family)
    codes = codes_of(found.plan, family.form_for(candidate.params))
    making = Making(found.shape, found.seed, found.threads, codes, found.shape.rows)
    model = pipeline(found.plan, family, candidate.params, making)
    if not labels or found.classes is None or family.knows(found.classes):
        return model
    return vote([(family.name.lower(), model)], [1.0], found.classes)
