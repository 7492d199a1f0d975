"""The target: which task it is, its classes and their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jupyter_mlstudio.entities.automl import Task
from jupyter_mlstudio.learning import values
from jupyter_mlstudio.learning.preflight import Findings, class_findings, listed, rows_of

CLASSES_OF_NUMBERS = 20
"""A target of at most so many different whole numbers, each in many rows, is taken for classes."""

MANY_CLASSES = 1000


@dataclass(frozen=True, slots=True)
class Target:
    """``y`` is class numbers or values ``(n_rows,)``; ``classes`` the labels in order; ``positive`` one's number."""

    task: Task
    y: Any
    classes: Any = None
    positive: int | None = None


def guess_task(column: pd.Series[Any]) -> Task:
    """Classification for text, truth values and a few whole numbers; regression for other numbers."""
    present = column.dropna()
    if isinstance(column.dtype, pd.CategoricalDtype) or column.dtype.kind == "b":
        return Task.CLASSIFICATION
    if column.dtype.kind not in "iuf":
        read = values.numbers(present)
        if present.map(lambda value: isinstance(value, bool)).all() or bool(read.isna().any()):
            return Task.CLASSIFICATION
        present = read
    found = present.unique()
    whole = bool(np.all(np.mod(found[np.isfinite(found.astype(float))].astype(float), 1) == 0))
    if len(found) <= 2:
        return Task.CLASSIFICATION
    few = len(found) <= CLASSES_OF_NUMBERS and len(found) * 5 <= len(present)
    return Task.CLASSIFICATION if whole and few else Task.REGRESSION


def read_target(column: pd.Series[Any], task: Task, positive: Any, folds: int, found: Findings) -> Target:
    """The target of rows that have one.

    Raises:
        Refused: it has one class, or is to be a number and is none.
    """
    name = str(column.name)
    if task is not Task.CLASSIFICATION:
        return Target(Task.REGRESSION, _values(column, name, found))
    codes, labels = classes_of(column)
    counts = np.bincount(codes, minlength=len(labels))
    class_findings({str(label): int(count) for label, count in zip(labels, counts, strict=True)}, name, folds, found)
    if len(labels) > MANY_CLASSES or (len(labels) > 30 and len(labels) * 2 > len(codes)):
        found.error(
            "too_many_classes", f"the target {name!r} has {len(labels):,} different values in {rows_of(len(codes))}",
            "choose the task regression when it is a number, or another target", name,
        )  # fmt: skip
    chosen = _positive(labels, counts, positive, name, found)
    found.settle()
    return Target(Task.CLASSIFICATION, codes, labels, chosen)


def classes_of(column: pd.Series[Any]) -> tuple[Any, Any]:
    """Class numbers ``(n_rows,) int64`` and the labels in order: whole numbers or truth values as such, else texts."""
    if column.dtype.kind == "b":
        codes = column.to_numpy(dtype=bool).astype(np.int64)
        labels, codes = np.unique(codes, return_inverse=True)
        return codes.astype(np.int64), labels.astype(bool)
    if column.dtype.kind in "iuf":
        given = column.to_numpy(dtype=np.float64)
        if np.isfinite(given).all() and np.all(np.mod(given, 1) == 0) and np.abs(given).max(initial=0) < 2**53:
            labels, codes = np.unique(given.astype(np.int64), return_inverse=True)
            return codes.astype(np.int64), labels
    made = values.texts(column)
    used = made.cat.remove_unused_categories()
    return np.asarray(used.cat.codes, dtype=np.int64), np.array(used.cat.categories, dtype=object)


def _values(column: pd.Series[Any], name: str, found: Findings) -> Any:
    made = values.numbers(column).to_numpy()
    bad = np.flatnonzero(np.isnan(made))
    if len(bad):
        shown = [str(value)[:40] for value in column.iloc[bad[:3]].tolist()]
        found.error(
            "target_not_numbers", f"{rows_of(len(bad))} of the target {name!r} are no finite numbers: {listed(shown)}",
            "choose the task classification, or mend these rows", name,
        )  # fmt: skip
    elif made.min() == made.max():
        found.error(
            "one_value", f"the target {name!r} is {made[0]:g} in every row", "choose another target", name
        )  # fmt: skip
    found.settle()
    return made


def _place(labels: list[str], asked: str) -> int | None:
    """Which label is asked for: as it is written, but for capitals, or as the number or truth value that it is."""
    words, word = [label.strip().lower() for label in labels], asked.strip().lower()
    for known, one in ((labels, asked), (words, word)):
        if one in known:
            return known.index(one)
    truths = {"true": "1", "false": "0", "yes": "1", "no": "0"}
    if not {truths.get(one, one) for one in words} <= {"0", "1"}:
        truths = {}
    read = [values.number_of(truths.get(one, one)) for one in (*words, word)]
    return next((at for at, number in enumerate(read[:-1]) if number == read[-1]), None)


def _positive(labels: Any, counts: Any, wanted: Any, name: str, found: Findings) -> int | None:
    if wanted is None:
        return int(np.argmin(counts[::-1]) ^ 1) if len(labels) == 2 else None
    texts = [values.as_text(label) for label in labels.tolist()]
    asked = values.as_text(wanted)
    place = None if asked is None else _place([str(text) for text in texts], asked)
    if place is None:
        found.error(
            "positive_label", f"the target {name!r} has no class {wanted!r}",
            f"its classes are {listed([str(text) for text in texts])}", name,
        )  # fmt: skip
    return place
