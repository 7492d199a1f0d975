"""Features of each fold, made once for each form and kept on disk for the next worker.

The featuriser is fitted on the fold's training rows alone. Of a training set that is limited, the same rows are the
first ones at every limit, so that a larger one holds the smaller.
"""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.learning.family import Part

MOST_KEPT_BYTES = 4 << 30
"""Features beyond this are made again each time."""

MAPPED_BYTES = 64 << 20
"""Files beyond this are mapped, not read."""


class Matrices:
    """The features of a plan's folds.

    Args:
        folder: where they are kept; None keeps none.
    """

    def __init__(self, plan: Any, folder: Path | None, seed: int = 0) -> None:
        self._plan, self._folder, self._seed = plan, folder, seed
        self._last: tuple[tuple[str, int, int], Any] | None = None

    def training_rows(self, fold: int, rows: int) -> NDArray[np.int64]:
        """Numbers of the training rows of a fold, all of them or the first ``rows`` of a fixed shuffle."""
        train = np.asarray(self._plan.folds[fold][0])
        if not rows or rows >= len(train):
            return train
        order = np.random.default_rng([self._seed, fold]).permutation(len(train))
        return np.asarray(np.sort(train[_all_classes_first(self._plan, train, order)[:rows]]))

    def fold(self, form: str, fold: int, rows: int = 0) -> tuple[Part, Part, tuple[int, ...]]:
        """Training and test part of a fold, and which features are codes of categories."""
        train, test = self.training_rows(fold, rows), np.asarray(self._plan.folds[fold][1])
        X, X_held, codes = self._read(form, fold, rows) or self._make(form, fold, rows, train, test)  # noqa: N806
        return self._part(X, train), self._part(X_held, test), codes

    def _part(self, features: Any, rows: NDArray[np.int64]) -> Part:
        weights = self._plan.weights
        return Part(features, self._plan.y[rows], None if weights is None else weights[rows])

    def _paths(self, form: str, fold: int, rows: int) -> list[Path]:
        assert self._folder is not None
        return [self._folder / f"{form}-{fold}-{rows}-{what}" for what in ("train.npy", "held.npy", "codes.pkl")]

    def _read(self, form: str, fold: int, rows: int) -> tuple[Any, Any, tuple[int, ...]] | None:
        if self._folder is None:
            return None
        paths = self._paths(form, fold, rows)
        if not all(path.is_file() for path in paths):
            return None
        train, held = (np.load(path, mmap_mode=_mode(path)) for path in paths[:2])
        return train, held, pickle.loads(paths[2].read_bytes())[0]

    def _make(
        self, form: str, fold: int, rows: int, train: NDArray[np.int64], test: NDArray[np.int64]
    ) -> tuple[Any, Any, tuple[int, ...]]:
        plan = self._plan
        featuriser = plan.featuriser(form)
        X = dense(featuriser.fit_transform(plan.X.iloc[train], plan.y[train]))  # noqa: N806
        X_held = dense(featuriser.transform(plan.X.iloc[test]))  # noqa: N806
        codes = codes_of(plan, form)
        if self._folder is not None and _used(self._folder) + X.nbytes + X_held.nbytes < MOST_KEPT_BYTES:
            paths = self._paths(form, fold, rows)
            for path, array in zip(paths[:2], (X, X_held), strict=True):
                part = path.with_name(f".{os.getpid()}-{path.name}")
                np.save(part, array)
                part.replace(path)
            write_whole(paths[2], pickle.dumps((codes, featuriser)))
        self._last = (form, fold, rows), featuriser
        return X, X_held, codes

    def featuriser(self, form: str, fold: int, rows: int) -> Any:
        """The fitted featuriser of a fold that was asked for before."""
        if self._last is not None and self._last[0] == (form, fold, rows):
            return self._last[1]
        return pickle.loads(self._paths(form, fold, rows)[2].read_bytes())[1]


def codes_of(plan: Any, form: str) -> tuple[int, ...]:
    """Which features of a form are codes of categories."""
    ask = getattr(plan, "categorical_features", None)
    return () if ask is None else tuple(int(code) for code in ask(form))


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file so that it is there as a whole or not at all."""
    part = path.with_name(f".{os.getpid()}-{path.name}")
    part.write_bytes(content)
    part.replace(path)


def dense(features: Any) -> NDArray[np.float64]:
    """Features as one array of float64, row by row."""
    array = features.toarray() if hasattr(features, "toarray") else np.asarray(features)
    return np.ascontiguousarray(array, dtype=np.float64)


def _all_classes_first(plan: Any, train: NDArray[np.int64], order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Puts a few rows of each class to the front of a shuffle, so that no class is missing from its beginning."""
    if plan.classes is None:
        return order
    classes = np.asarray(plan.y)[train[order]]
    front = np.concatenate([np.flatnonzero(classes == one)[:5] for one in np.unique(classes)])
    rest = np.setdiff1d(np.arange(len(order)), front, assume_unique=True)
    return np.asarray(order[np.concatenate([np.sort(front), rest])])


def _mode(path: Path) -> Any:
    return "r" if path.stat().st_size > MAPPED_BYTES else None


def _used(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*.npy") if path.is_file())


def part_of(plan: Any, rows: NDArray[np.int64], seed: int) -> tuple[int, int] | None:
    """Tells which rows these are: fold and number, for :meth:`Matrices.training_rows`; None when they are others."""
    matrices = Matrices(plan, None, seed)
    for fold in reversed(range(len(plan.folds))):
        if np.array_equal(matrices.training_rows(fold, len(rows)), rows):
            return fold, len(rows)
    return None
