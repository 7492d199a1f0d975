"""What AutoML is about to do with a table: rows, columns and target in their types, the folds, and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from jupyter_mlstudio.entities.automl import AutoMLSpec, Task
from jupyter_mlstudio.entities.automl_tables import Column, Finding
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning import checks, columns, folds, likeness, preflight
from jupyter_mlstudio.learning.columns import Look, Rule, settled, unique_names
from jupyter_mlstudio.learning.featurise import NATIVE, Features
from jupyter_mlstudio.learning.preflight import Findings, Refused
from jupyter_mlstudio.learning.target import Target, guess_task, read_target

FEWEST_ROWS = 10


@dataclass(slots=True)
class Plan:
    """A table that is ready to be learnt from. It can be pickled, and holds one copy of the data.

    Attributes:
        classes: the labels ``(n_classes,)``, whose numbers ``y`` has; None for regression.
        positive: the number of the positive class of a binary target.
        X: the columns to learn from ``(n_rows, n_columns)``: numbers and truth values float64 with NaN for missing;
            categories ``category`` of text; prose ``object`` with empty text for missing; times ``datetime64[s]``.
        y: class numbers ``(n_rows,) int64``, or values float64.
        weights: how much each row counts ``(n_rows,)``, all above 0; None is all alike.
        X_test, y_test: rows that nobody looks at until the end.
        columns: all columns of the table, with what became of them.
        folds: numbers of rows to learn from and to be judged on; one pair when validation rows were given. Of few rows
            all folds of one splitting come first, then those of the next.
        rules: how each column of ``X`` is read from a raw one.
    """

    task: Task
    X: pd.DataFrame
    y: Any
    classes: Any = None
    positive: int | None = None
    weights: Any = None
    X_test: pd.DataFrame | None = None
    y_test: Any = None
    columns: list[Column] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    folds: list[folds.Split] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    features: Features | None = None

    @property
    def repeats(self) -> int:
        """How many times the folds judge each row."""
        return max(1, round(sum(len(judged) for _, judged in self.folds) / len(self.y)))

    def prepare(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Brings new rows with raw columns into the form of ``X``. Columns that were not learnt from are left out.

        Raises:
            Invalid: a column is not there.
        """
        names = unique_names(frame.columns)
        places = {name: place for place, name in enumerate(names)}
        if lacking := [rule.name for rule in self.rules if rule.name not in places]:
            raise Invalid(f"the rows have no column {lacking[0]!r}; they have {preflight.listed(names)}")
        return settled(frame, [(places[rule.name], rule) for rule in self.rules], None)

    def featuriser(self, form: str, params: Mapping[str, Any] | None = None) -> Any:
        """The unfitted steps that make features for ``scaled``, ``trees`` or ``native`` models (``featurise.py``)."""
        assert self.features is not None
        return self.features.transformer(form, params)

    def categorical_features(self, form: str, params: Mapping[str, Any] | None = None) -> list[int]:
        """Places of the features that are numbers of categories, for models that take them as such."""
        assert self.features is not None
        return self.features.categorical_features(form, params)

    def columns_for(self, form: str) -> list[Column]:
        """The columns, with the steps that make features of them for one form of model."""
        own = self.features
        assert own is not None
        return [replace(one, steps=own.steps(one.name, form)) if one.name in own.roles else one for one in self.columns]


def make_plan(
    frame: pd.DataFrame,
    spec: AutoMLSpec,
    *,
    validation: pd.DataFrame | None = None,
    test: pd.DataFrame | None = None,
) -> Plan:
    """Looks at a table and plans what to learn from it; nothing is fitted but what finds leaks.

    Args:
        frame: the table ``(n_rows, n_columns)``, as :func:`jupyter_mlstudio.learning.reading.read` gives it.
        validation, test: other tables with the same columns.

    Raises:
        Refused: a finding is an error; its message has all of them.
    """
    return _Planner(spec).plan(frame, validation, test)


class _Planner:
    def __init__(self, spec: AutoMLSpec) -> None:
        self.spec = spec
        self.found = Findings()

    def plan(self, frame: pd.DataFrame, validation: pd.DataFrame | None, test: pd.DataFrame | None) -> Plan:
        spec, found = self.spec, self.found
        whole, sizes = self._together(frame, validation, test)
        preflight.target_findings(whole, spec.target, spec.weight_column, found)
        rows, weights = self._rows(whole)
        part = np.repeat(np.arange(3), sizes)[rows]
        target = self._target(whole[spec.target].iloc[rows], part)
        looks = self._looks(whole)
        kept = checks.by_looks(looks, len(whole), spec, found)
        table = settled(whole, [(place, look.rule) for place, look in kept], rows)
        dropped = checks.by_values(table, {look.rule.name: look for _, look in kept}, target, spec, found)
        table = table.drop(columns=list(dropped)) if dropped else table
        checks.anything_left(table, found)
        rules = [look.rule for _, look in kept if look.rule.name not in dropped]
        held, useless, split = self._split(table, target, part)
        features = self._features(table, rules, target, looks)
        features.transformer(NATIVE)
        plan = Plan(
            task=target.task, classes=target.classes, positive=target.positive, findings=list(found), rules=rules,
            X=table, y=target.y, weights=None if weights is None else weights[rows], features=features,
            columns=self._columns(looks, kept, dropped, features),
        )  # fmt: skip
        return _with_held(plan, held, useless, split)

    def _together(
        self, frame: pd.DataFrame, validation: pd.DataFrame | None, test: pd.DataFrame | None
    ) -> tuple[pd.DataFrame, list[int]]:
        tables = [frame, validation, test]
        named = []
        for table, what in zip(tables, ("", "validation", "test"), strict=True):
            if table is None:
                continue
            names = unique_names(table.columns)
            if table is frame:
                preflight.name_findings(list(table.columns), names, table.attrs.get("renamed", []), self.found)
                if "guessed_encoding" in table.attrs:
                    preflight.encoding_finding(self.found)
                first = names
            if lacking := [name for name in first if name not in names]:
                self.found.error(
                    "columns_missing", f"the {what} data have no {preflight.listed(lacking)}",
                    f"give {what} data with the columns of the table", *lacking,
                )  # fmt: skip
                self.found.settle()
            named.append(table if names == list(table.columns) else table.set_axis(names, axis=1))
        sizes = [0 if table is None else len(table) for table in tables]
        if len(named) == 1:
            return named[0], sizes
        return pd.concat([table[first] for table in named], ignore_index=True), sizes

    def _rows(self, whole: pd.DataFrame) -> tuple[Any, Any]:
        """Numbers of the rows that have a target and a weight, and all weights."""
        spec, found = self.spec, self.found
        column = whole[spec.target]
        absent = column.isna().to_numpy()
        if column.dtype.kind not in "biufM":
            absent = absent | np.asarray(column.astype(object) == "", dtype=bool)
        if absent.all():
            preflight.target_findings(whole.assign(**{spec.target: None}), spec.target, spec.weight_column, found)
        if absent.any():
            found.warning(
                "target_gaps", f"the target {spec.target!r} is missing in {preflight.rows_of(int(absent.sum()))}",
                "they are left out", "fill them, if they are known", spec.target,
            )  # fmt: skip
        weights = None
        if spec.weight_column is not None:
            weights = preflight.weight_of(whole[spec.weight_column], spec.weight_column, found)
            absent = absent | (weights == 0)
        rows = np.flatnonzero(~absent)
        if len(rows) < FEWEST_ROWS:
            found.error(
                "too_few_rows", f"the table has {preflight.rows_of(len(rows))} to learn from",
                f"give at least {FEWEST_ROWS}, better hundreds: models are judged by rows that they have not seen",
                spec.target,
            )  # fmt: skip
        found.settle()
        return rows, weights

    def _target(self, column: pd.Series[Any], part: Any) -> Target:
        task = self.spec.task
        if task is Task.FORECASTING:
            raise Invalid("a forecast has a plan of its own: make_forecast_plan")
        if task is Task.AUTO:
            task = guess_task(column.iloc[np.flatnonzero(part == 0)])
            self.found.info(
                "task", f"the target {self.spec.target!r} looks like one for {task.value}", f"the task is {task.value}",
                "give the task yourself when it is another one", self.spec.target,
            )  # fmt: skip
        return read_target(column, task, self.spec.positive_label, self._count(int((part == 0).sum())), self.found)

    def _count(self, rows: int) -> int:
        count = self.spec.n_cross_validations or folds.count_of(rows)
        return max(min(count, rows), 1)

    def _looks(self, whole: pd.DataFrame) -> list[tuple[int, Look]]:
        spec = self.spec
        forced = checks.as_said(spec)
        names = [str(name) for name in whole.columns]
        if strange := [name for name in forced if name not in names]:
            raise Invalid(f"there is no column {strange[0]!r} to give a type; the table has {preflight.listed(names)}")
        left = {spec.target, spec.weight_column}
        return [
            (place, columns.look(whole.iloc[:, place], forced.get(name)))
            for place, name in enumerate(names)
            if name not in left
        ]

    def _split(self, table: pd.DataFrame, target: Target, part: Any) -> tuple[Any, Any, list[folds.Split]]:
        """Which rows are held out for the end, which are of no use, and the folds of the others, by their numbers."""
        spec, classes = self.spec, None if target.classes is None else len(target.classes)
        groups = likeness.row_groups(table, self.found)
        useless = likeness.seen_before(groups, part, self.found)
        if len(useless) >= (part == 0).sum() - 1:
            useless = useless[:0]
        held, rest = np.flatnonzero(part == 2), np.setdiff1d(np.flatnonzero(part == 0), useless)
        clock = likeness.time_order(table, part, self.found)
        times = None if clock is None else table[clock].to_numpy().astype(np.int64)

        def of(values: Any, rows: Any) -> Any:
            return None if values is None else values[rows]

        def cut(share: float) -> folds.Split:
            return likeness.cut(target, rest, of(groups, rest), of(times, rest), share, spec.seed)

        if not len(held) and spec.test_data_size and len(rest) > 2:
            learn, judged = cut(_share("test_data_size", spec.test_data_size))
            held, rest = rest[judged], rest[learn]
        if (part == 1).any():
            return held, useless, [(rest, np.flatnonzero(part == 1))]
        count = self._count(len(rest))
        pairs: list[folds.Split] | None = None
        if spec.validation_data_size:
            pairs = [cut(_share("validation_data_size", spec.validation_data_size))]
        elif count < 2:
            pairs = [cut(folds.share_of(len(rest)))]
        elif times is not None:
            pairs = likeness.stretches(times[rest], target.y[rest], classes, count)
        repeats = 1 if spec.n_cross_validations else folds.repeats_of(len(rest))
        pairs = pairs or folds.folds(target.y[rest], classes, of(groups, rest), count, spec.seed, repeats)
        return held, useless, [(rest[learn], rest[judged]) for learn, judged in pairs if len(learn) and len(judged)]

    def _features(
        self, table: pd.DataFrame, rules: list[Rule], target: Target, looks: list[tuple[int, Look]]
    ) -> Features:
        counts = {look.rule.name: look.distinct for _, look in looks}
        return Features(
            task=target.task, classes=None if target.classes is None else len(target.classes), rows=len(table),
            roles={rule.name: rule.role for rule in rules}, distinct={rule.name: counts[rule.name] for rule in rules},
            settings=self.spec.featurization, seed=self.spec.seed,
        )  # fmt: skip

    def _columns(
        self,
        looks: list[tuple[int, Look]],
        kept: list[tuple[int, Look]],
        dropped: Mapping[str, str],
        features: Features,
    ) -> list[Column]:
        there = {look.rule.name for _, look in kept}
        made = []
        for _, look in looks:
            name = look.rule.name
            if name in features.roles:
                made.append(look.column(features.steps(name)))
            else:
                reason = dropped.get(name) or (self._why(name) if name not in there else "")
                made.append(checks.left_out(look, reason or "as you said"))
        return made

    def _why(self, name: str) -> str:
        return next((one.code.replace("_", " ") for one in self.found if name in one.columns and one.done), "")


def _share(what: str, share: float) -> float:
    if not 0 < share < 1:
        raise Invalid(f"{what} is {share:g}: it is a share of the rows, above 0 and below 1")
    return share


def _with_held(plan: Plan, held: Any, useless: Any, split: list[folds.Split]) -> Plan:
    """Puts the rows that are held out aside, leaves out those of no use, and counts the others anew."""
    if not len(held) and not len(useless):
        plan.folds = split
        return plan
    rest = np.setdiff1d(np.arange(len(plan.y)), np.concatenate([held, useless]))
    number = np.full(len(plan.y), -1)
    number[rest] = np.arange(len(rest))
    if len(held):
        plan.X_test, plan.y_test = plan.X.iloc[held].reset_index(drop=True), plan.y[held]
    plan.X, plan.y = plan.X.iloc[rest].reset_index(drop=True), plan.y[rest]
    if plan.weights is not None:
        plan.weights = plan.weights[rest]
    plan.folds = [(number[learn], number[judged]) for learn, judged in split]
    return plan


__all__ = ["Plan", "Refused", "make_plan"]
