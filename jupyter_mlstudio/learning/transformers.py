"""Our own transformers: categories by tables, and parts of dates. Each has an ONNX form in ``plugins/converters``.

Columns of categories are of text, ``category`` or ``object``; missing and empty text are the same, as they are in ONNX,
which has no null for text. What was not seen in ``fit`` is answered like the rare, or like the mean. Columns of times
are ``datetime64`` or ISO 8601 text (``2024-05-31``, ``2024-05-31T12:30:00``, seconds optional, UTC); other text is
missing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from jupyter_mlstudio.learning import dates, values

FOLDS = 5
"""Parts of the rows whose target means are made from the others."""


class Tables(TransformerMixin, BaseEstimator, ABC):  # type: ignore[misc]
    """Looks each column's value up in a table of numbers: what its sub-classes fit, and ONNX has as it is.

    Attributes:
        categories_: for each column, the texts that have a row of their own, ``(n_categories,)``.
        tables_: for each column ``(n_categories + 2, width) float64``; the last two rows are those of a text that was
            not seen, and of a missing one.
    """

    max_levels: int | None
    min_count: int

    def fit(self, rows: Any, y: Any = None) -> Tables:
        frame = _frame(rows)
        self.n_features_in_ = frame.shape[1]
        self.feature_names_in_ = np.array([str(name) for name in frame.columns], dtype=object)
        self.categories_: list[list[str]] = []
        self.tables_: list[Any] = []
        for number in range(frame.shape[1]):
            codes, texts = _coded(frame.iloc[:, number])
            self._learn(codes, texts, y)
        return self

    def transform(self, rows: Any) -> Any:
        check_is_fitted(self, "tables_")
        frame = _frame(rows)
        found = [
            table[_places(frame.iloc[:, number], categories)]
            for number, (categories, table) in enumerate(zip(self.categories_, self.tables_, strict=True))
        ]
        return np.hstack(found) if found else np.empty((len(frame), 0))

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        given = self.feature_names_in_ if input_features is None else input_features
        return np.array(
            [
                str(name) if table.shape[1] == 1 else f"{name}_{place}"
                for name, table in zip(given, self.tables_, strict=True)
                for place in range(table.shape[1])
            ],
            dtype=object,
        )

    @abstractmethod
    def _learn(self, codes: Any, texts: list[str], y: Any) -> None:
        """Adds a column's categories and table."""

    def _kept(self, counts: Any) -> Any:
        """Which categories are not rare, the most frequent first; ties in the order of their texts."""
        order = np.argsort(-counts, kind="stable")
        order = order[counts[order] >= self.min_count]
        return order if self.max_levels is None else order[: self.max_levels]


class OneHotCategories(Tables):
    """A column of 0 and 1 for each frequent category, one for all that are rare, and one for missing.

    Two categories without missing make one column. A text that was not seen counts as rare.

    Args:
        max_levels: how many categories get a column of their own at most.
        min_count: how many rows one needs for that.
    """

    def __init__(self, max_levels: int | None = 20, min_count: int = 1) -> None:
        self.max_levels = max_levels
        self.min_count = min_count

    def _learn(self, codes: Any, texts: list[str], y: Any) -> None:
        counts = np.bincount(codes + 1, minlength=len(texts) + 1)
        kept = np.sort(self._kept(counts[1:]))
        rare = len(kept) < len(texts)
        width = len(kept) + int(rare) + int(counts[0] > 0)
        other = len(kept) if rare else -1
        table = np.zeros((len(texts) + 2, max(width, 1)))
        if rare:
            table[:, other] = 1.0
            table[-1, other] = 0.0
        for place, code in enumerate(kept):
            table[code] = 0.0
            table[code, place] = 1.0
        if counts[0] > 0:
            table[-1] = 0.0
            table[-1, width - 1] = 1.0
        if table.shape[1] == 2 and not rare and counts[0] == 0:
            table = table[:, 1:]
        self.categories_.append(texts)
        self.tables_.append(table)


class CategoryCodes(Tables):
    """Each category's number, the most frequent being 0; the rare share the last one, which unseen texts have too.

    Args:
        max_levels, min_count: as for :class:`OneHotCategories`.
        missing: what a missing value becomes; NaN for models that take it. Unseen texts too, where nothing is rare.
    """

    def __init__(self, max_levels: int | None = None, min_count: int = 1, missing: float = float("nan")) -> None:
        self.max_levels = max_levels
        self.min_count = min_count
        self.missing = missing

    def _learn(self, codes: Any, texts: list[str], y: Any) -> None:
        kept = self._kept(np.bincount(codes + 1, minlength=len(texts) + 1)[1:])
        table = np.full((len(texts) + 2, 1), float(len(kept)) if len(kept) < len(texts) else self.missing)
        table[kept, 0] = np.arange(len(kept))
        table[-1] = self.missing if len(kept) else 0.0
        self.categories_.append(texts)
        self.tables_.append(table)


class TargetMeans(Tables):
    """The mean of the target among rows of a category, drawn towards the mean of all: a column, or one for each class.

    In ``fit_transform`` each fifth of the rows gets means of the others, so that a model does not see its own target
    (Micci-Barreca 2001, SIGKDD Explorations 3 (1); Pargent et al. 2022, Computational Statistics 37).

    Args:
        classes: number of classes of a target of class numbers; None for a number. Two make one column.
        smoothing: how many rows' worth the mean of all has.
        seed: of the parts that the rows are put into.
    """

    def __init__(self, classes: int | None = None, smoothing: float = 10.0, seed: int = 0) -> None:
        self.classes = classes
        self.smoothing = smoothing
        self.seed = seed

    def fit_transform(self, rows: Any, y: Any = None, **_: Any) -> Any:
        frame = _frame(rows)
        self.fit(frame, y)
        targets, part = self._targets(y), np.random.default_rng(self.seed).integers(0, FOLDS, len(frame))
        made = []
        for number in range(frame.shape[1]):
            codes, texts = _coded(frame.iloc[:, number])
            answer = np.empty((len(frame), targets.shape[1]))
            for fold in range(FOLDS):
                inside = part == fold
                table = self._means(codes[~inside], len(texts), targets[~inside], targets)
                answer[inside] = table[codes[inside]]
            made.append(answer)
        return np.hstack(made) if made else np.empty((len(frame), 0))

    def _learn(self, codes: Any, texts: list[str], y: Any) -> None:
        targets = self._targets(y)
        means = self._means(codes, len(texts), targets, targets)
        self.categories_.append(texts)
        self.tables_.append(np.vstack([means[:-1], targets.mean(axis=0), means[-1]]))

    def _targets(self, y: Any) -> Any:
        if y is None:
            raise ValueError("TargetMeans needs the targets")
        given = np.asarray(y)
        if self.classes is None:
            return given.astype(np.float64).reshape(-1, 1)
        numbers = given.astype(np.int64) if given.dtype.kind in "iu" else np.searchsorted(np.unique(given), given)
        flags = np.eye(max(self.classes, int(numbers.max(initial=0)) + 1))[numbers]
        return flags[:, 1:] if self.classes == 2 else flags

    def _means(self, codes: Any, count: int, targets: Any, every: Any) -> Any:
        """Means of each category, and at last of missing, which is at -1."""
        codes = np.where(codes < 0, count, codes)
        rows = np.bincount(codes, minlength=count + 1)[:, np.newaxis]
        sums = np.column_stack([np.bincount(codes, one, minlength=count + 1) for one in targets.T])
        prior = (targets if len(targets) else every).mean(axis=0)
        return (sums + self.smoothing * prior) / (rows + self.smoothing)


class Numbers(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Passes numbers as they are, missing ones too; a column that had none in ``fit`` is 0, since no model takes it.

    Attributes:
        empty_: which columns had no number ``(n_columns,) bool``.
    """

    def fit(self, rows: Any, y: Any = None) -> Numbers:
        given = np.asarray(rows, dtype=np.float64)
        self.n_features_in_ = given.shape[1]
        self.empty_ = np.isnan(given).all(axis=0)
        return self

    def transform(self, rows: Any) -> Any:
        check_is_fitted(self, "empty_")
        given = np.asarray(rows, dtype=np.float64)
        return np.where(self.empty_, 0.0, given) if self.empty_.any() else given

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        given = [f"x{place}" for place in range(self.n_features_in_)] if input_features is None else input_features
        return np.asarray(given, dtype=object)


class DateParts(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """What a time consists of: days since 1970, year, month, day, weekday, day of the year, hour; NaN where missing.

    What is the same in all rows that were fitted is left out, days since 1970 apart.

    Args:
        cyclic: also sine and cosine of the place in the year, the week and the day, for models that measure distances.
    """

    date, shape = dates.DATE, dates.SHAPE

    def __init__(self, cyclic: bool = False) -> None:
        self.cyclic = cyclic

    def fit(self, rows: Any, y: Any = None) -> DateParts:
        frame = _frame(rows)
        self.n_features_in_ = frame.shape[1]
        self.feature_names_in_ = np.array([str(name) for name in frame.columns], dtype=object)
        self.parts_: list[list[str]] = []
        for number in range(frame.shape[1]):
            made = dates.parts(dates.seconds(frame.iloc[:, number]))
            names = ["elapsed"]
            for name in dates.PARTS[1:]:
                seen = made[name][~np.isnan(made[name])]
                if len(seen) and seen.min() < seen.max():
                    names.append(name)
            self.parts_.append(names)
        return self

    def transform(self, rows: Any) -> Any:
        check_is_fitted(self, "parts_")
        frame, found = _frame(rows), []
        for number, names in enumerate(self.parts_):
            made = dates.parts(dates.seconds(frame.iloc[:, number]))
            found += [made[name] for name in names]
            for name, length, start in self.cycles(names):
                angle = (made[name] - start) * (2 * np.pi / length)
                found += [np.sin(angle), np.cos(angle)]
        return np.column_stack(found) if found else np.empty((len(frame), 0))

    def cycles(self, names: list[str]) -> list[tuple[str, float, float]]:
        """Parts that come again, how long they take, and their first value."""
        return [one for one in dates.CYCLES if self.cyclic and one[0] in names]

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        given, made = self.feature_names_in_ if input_features is None else input_features, []
        for name, parts in zip(given, self.parts_, strict=True):
            made += [f"{name}_{part}" for part in parts]
            made += [f"{name}_{part}_{wave}" for part, *_ in self.cycles(parts) for wave in ("sin", "cos")]
        return np.array(made, dtype=object)


def _frame(rows: Any) -> pd.DataFrame:
    if isinstance(rows, pd.DataFrame):
        return rows
    if isinstance(rows, pd.Series):
        return rows.to_frame()
    return pd.DataFrame(np.asarray(rows, dtype=object))


def _coded(column: pd.Series[Any]) -> tuple[Any, list[str]]:
    """Numbers of the texts that occur, -1 for missing, and the texts in order."""
    made = values.texts(column)
    codes, texts = np.asarray(made.cat.codes, dtype=np.int64), list(made.cat.categories)
    counts = np.bincount(codes + 1, minlength=len(texts) + 1)[1:]
    if counts.all():
        return codes, texts
    seen = np.flatnonzero(counts)
    places = np.full(len(texts) + 1, -1)
    places[seen] = np.arange(len(seen))
    return places[codes], [texts[place] for place in seen]


def _places(column: pd.Series[Any], categories: list[str]) -> Any:
    """Rows of a table: those of the categories, then of what was not seen, and of what is missing."""
    codes, named = values.named_codes(column)
    known = {text: place for place, text in enumerate(categories)}
    lookup = [len(known) + 1 if text is None else known.get(text, len(known)) for text in named]
    return np.array([*lookup, len(known) + 1], dtype=np.int64)[codes]
