"""What a model rests on: permutation importance of the table's own columns, partial dependence, SHAP.

Everything keeps to a deadline: what does not fit into the time is left out, and the note says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jupyter_mlstudio.entities.automl import Task
from jupyter_mlstudio.entities.automl_explanations import ColumnImportance, Dependence, Explanation
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning import metrics, temperature
from jupyter_mlstudio.learning.dependence import dependence
from jupyter_mlstudio.learning.explain_row import picks_of
from jupyter_mlstudio.learning.family import answers
from jupyter_mlstudio.learning.metrics import Metric
from jupyter_mlstudio.learning.shap_values import mean_absolute
from jupyter_mlstudio.learning.stack import stack

ROWS, REPEATS = 5000, 5
DRAWN, DRAWN_ROWS = 8, 300
SECONDS = 60.0
GROUP = 32
"""Columns that are shuffled together at first, where there are more than four times as many."""

CELLS = 10_000_000
"""Values in rows that are predicted at once."""

IMPORTANCE_SHARE = 0.6
"""Of the time; the rest is for what is drawn."""


def explain(
    model: Any,
    plan: Any,
    metric: Metric | str | None,
    *,
    rows: int = ROWS,
    seed: int = 0,
    deadline: float | None = None,
    fit_s: float | None = None,
    say: Callable[[Explanation], None] = lambda _: None,
) -> Explanation:
    """Explains a fitted model.

    Importances are measured on rows that the model has not seen: the held-out ones, or, when there is time to fit it
    once more, those of the first fold by a copy that was fitted without them; else on rows that it learnt from.

    Args:
        model: predicts rows of the form of ``plan.X``.
        plan: what was learnt from, see :class:`jupyter_mlstudio.learning.plan.Plan`.
        metric: by which importance is measured; a name in any spelling, None is the task's.
        rows: to look at, at most.
        seed: the same seed makes the same numbers, where time does not cut them short.
        deadline: ``time.monotonic()`` at which it has to be done; None is in a minute.
        fit_s: seconds that a fit takes, as far as that is known.
        say: takes what is known so far, after each part.

    Returns:
        Importances, the most important column first; dependences of the first columns; and what was left out and why.
    """
    began = time.monotonic()
    until = began + SECONDS if deadline is None else deadline
    measure = metric if isinstance(metric, Metric) else _found(metric, plan.task)
    notes: list[str] = []
    judge = _judge(model, plan, measure, rows, seed, until, fit_s, notes)
    importances = judge.importances(began + IMPORTANCE_SHARE * (until - began), notes)
    importances.sort(key=lambda one: -float(one.mean or 0.0))
    found = Explanation(importances=importances, note="; ".join(notes))
    say(found)
    drawn = _drawn(model, plan, [one.column for one in importances[:DRAWN]], seed, until, notes)
    found = replace(found, dependences=drawn, note="; ".join(notes))
    say(found)
    if time.monotonic() < until:
        shap = mean_absolute(model, plan, [one.column for one in importances], seed, until, notes)
        found = replace(found, shap=shap, note="; ".join(notes))
    return found


def _found(name: str | None, task: Task) -> Metric:
    """The metric of that name; one that only forecasts have, which looks at whole series, is the task's usual one."""
    try:
        return metrics.find(name, task)
    except Invalid:
        if task is not Task.FORECASTING:
            raise
        return metrics.find(None, task)


def _judge(
    model: Any, plan: Any, metric: Metric, rows: int, seed: int, until: float, fit_s: float | None, notes: list[str]
) -> _Judge:
    random = np.random.default_rng(seed)
    if plan.X_test is not None and len(plan.X_test) >= 20:
        picks = picks_of(len(plan.X_test), rows, random)
        return _Judge(model, plan, metric, plan.X_test.iloc[picks], np.asarray(plan.y_test)[picks], None, random)
    learn, held = (np.asarray(one) for one in plan.folds[0]) if plan.folds else (np.empty(0, int), np.empty(0, int))
    if len(held) >= 20 and fit_s is not None and 3 * fit_s < until - time.monotonic():
        copy = _fitted_again(model, plan, learn)
        if copy is not None:
            picks = held[picks_of(len(held), rows, random)]
            notes.append("importance is that of a copy of the model, on rows that the copy was not fitted on")
            weights = None if plan.weights is None else plan.weights[picks]
            return _Judge(copy, plan, metric, plan.X.iloc[picks], plan.y[picks], weights, random)
    notes.append("importance was measured on rows that the model was fitted on, since no others were held out")
    picks = picks_of(len(plan.X), rows, random)
    weights = None if plan.weights is None else plan.weights[picks]
    return _Judge(model, plan, metric, plan.X.iloc[picks], plan.y[picks], weights, random)


def _fitted_again(model: Any, plan: Any, rows: NDArray[np.int64]) -> Any:
    from sklearn.base import clone

    y = plan.y[rows] if plan.classes is None else np.asarray(plan.classes)[plan.y[rows]]
    if plan.classes is not None and len(np.unique(y)) < len(plan.classes):
        return None
    X = plan.X.iloc[rows]  # noqa: N806
    try:
        if hasattr(model, "final_estimator_"):
            members = [(name, clone(member).fit(X, plan.y[rows])) for name, member in model.estimators]
            return stack(members, model.final_estimator_, plan.classes)
        vote, degree = temperature.inside(model)
        copy = clone(vote).fit(X, y)
        return copy if degree is None else temperature.at(copy, degree)
    except (TypeError, ValueError):
        return None


@dataclass
class _Judge:
    """Shuffles columns of some rows and scores the predictions (Breiman, "Random forests", 2001)."""

    model: Any
    plan: Any
    metric: Metric
    X: pd.DataFrame
    y: Any
    weights: Any
    random: np.random.Generator
    classifies: bool = field(init=False)

    def __post_init__(self) -> None:
        self.classifies = self.plan.task is Task.CLASSIFICATION
        self.scale = None if self.classifies else float(np.ptp(self.plan.y)) or 1.0
        began = time.monotonic()
        self.loss = self._loss(self.X)
        self.seconds = time.monotonic() - began

    def importances(self, until: float, notes: list[str]) -> list[ColumnImportance]:
        """How much worse the score is when a column is shuffled, for as many columns as there is time for."""
        names = list(self.X.columns)
        self._fewer_rows(len(names), until)
        found: dict[str, list[float]] = {}
        wanted = [name for group in self._groups(names, until, found) for name in group]
        for repeat in range(REPEATS):
            for name in wanted:
                if time.monotonic() >= until and (repeat or found):
                    break
                found.setdefault(name, []).append(self._shuffled([name]))
        if missing := len(names) - len(found):
            notes.append(f"there was no time for {missing:,} of {len(names):,} columns")
        return [
            ColumnImportance(column=name, mean=float(np.mean(drops)), std=float(np.std(drops)))
            for name, drops in found.items()
        ]

    def _groups(self, names: list[str], until: float, found: dict[str, list[float]]) -> Iterator[list[str]]:
        """Columns to look at one by one; of many, groups that change nothing when shuffled together are 0 at once."""
        if len(names) <= 4 * GROUP:
            yield names
            return
        places = self.random.permutation(len(names))
        groups = [[names[place] for place in places[start : start + GROUP]] for start in range(0, len(names), GROUP)]
        drops: list[tuple[float, list[str]]] = []
        at_once = max(1, min(16, CELLS // self.X.size))
        for first in range(0, len(groups), at_once):
            if time.monotonic() >= until:
                break
            some = groups[first : first + at_once]
            for group, drop in zip(some, self._shuffled_groups(some), strict=True):
                if abs(drop) < 1e-12:
                    found.update({name: [0.0] for name in group})
                else:
                    drops.append((drop, group))
        yield from (group for _, group in sorted(drops, key=lambda one: -one[0]))

    def _fewer_rows(self, columns: int, until: float) -> None:
        """Takes fewer rows where two looks at each column would not fit into the time."""
        share = (until - time.monotonic()) / max(1e-9, 2 * columns * self.seconds)
        count = max(200, int(len(self.X) * share))
        if count < len(self.X):
            picks = np.sort(self.random.choice(len(self.X), count, replace=False))
            self.X, self.y = self.X.iloc[picks], self.y[picks]
            self.weights = None if self.weights is None else self.weights[picks]
            self.loss = self._loss(self.X)

    def _shuffled(self, names: Sequence[str]) -> float:
        order = self.random.permutation(len(self.X))
        changed = self.X.assign(**{name: _reordered(self.X[name], order) for name in names})
        return self._loss(changed) - self.loss

    def _shuffled_groups(self, groups: Sequence[Sequence[str]]) -> list[float]:
        """The same for several groups, with one call of a model that takes its time for many columns."""
        copies = []
        for names in groups:
            order = self.random.permutation(len(self.X))
            copies.append(self.X.assign(**{name: _reordered(self.X[name], order) for name in names}))
        predicted = answers(self.model, pd.concat(copies, ignore_index=True), self.classifies)
        return [self._loss_of(part) - self.loss for part in np.split(predicted, len(groups))]

    def _loss(self, rows: pd.DataFrame) -> float:
        return self._loss_of(answers(self.model, rows, self.classifies))

    def _loss_of(self, predicted: NDArray[np.float64]) -> float:
        score = self.metric.score(
            self.y, predicted, self.weights, scale=self.scale, positive=getattr(self.plan, "positive", None)
        )
        loss = self.metric.loss(score)
        return loss if np.isfinite(loss) else 0.0


def _reordered(column: pd.Series[Any], order: NDArray[np.int64]) -> pd.Series[Any]:
    return column.iloc[order].set_axis(column.index)


def _drawn(model: Any, plan: Any, names: Sequence[str], seed: int, until: float, notes: list[str]) -> list[Dependence]:
    picks = picks_of(len(plan.X), DRAWN_ROWS, np.random.default_rng(seed))
    rows, found = plan.X.iloc[picks], []
    for name in names:
        one = dependence(model, plan, name, rows, until)
        if one is not None:
            found.append(one)
        if time.monotonic() >= until:
            notes.append("there was no time to draw all of the most important columns")
            break
    return found
