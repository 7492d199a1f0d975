"""Tables for the AutoML benchmarks: of a folder, scikit-learn's own, and made ones; each has a column ``target``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks import automl_made

SHARED = Path(__file__).parents[2] / "shared" / "data"
OWN = ("breast_cancer", "digits", "wine", "diabetes")


@dataclass(frozen=True, slots=True)
class Table:
    """A table, split into what is learnt from and what is judged on."""

    name: str
    train: pd.DataFrame
    test: pd.DataFrame
    classifies: bool

    @property
    def metric(self) -> str:
        """What everybody is asked to make best: AUC, log loss where there are more than two classes, or RMSE."""
        if not self.classifies:
            return "root_mean_squared_error"
        return "auc_binary" if self.train["target"].nunique() == 2 else "log_loss"


def listed(words: Iterable[str]) -> list[str]:
    """What a command line lists, with spaces or commas between."""
    return [one for word in words for one in word.split(",") if one]


def names(folder: Path | None) -> list[str]:
    """All tables: CSV files of the folder that have a target, and scikit-learn's own."""
    folder = folder or SHARED
    files = sorted(folder.glob("*.csv")) if folder.is_dir() else []
    return [path.stem for path in files if "target" in path.open().readline()] + list(OWN)


def asked(names_: Iterable[str], folder: Path | None) -> list[str]:
    """The tables that are meant: ``made`` is all that are made; without any name, all of the folder and the library."""
    found = [one for name in names_ for one in (automl_made.tables() if name == "made" else [name])]
    return found or names(folder)


def read(name: str, folder: Path | None, seed: int) -> Table:
    """Reads a table and splits off a fifth of its rows by the seed, the classes in their shares.

    What is judged has no class that nobody could learn.
    """
    path = (folder or SHARED) / f"{name}.csv"
    if name in automl_made.tables():
        frame = automl_made.tables()[name]
    elif path.is_file():
        frame = pd.read_csv(path)
    else:
        from sklearn import datasets

        frame = getattr(datasets, f"load_{name}")(as_frame=True).frame
    target = frame["target"]
    classifies = target.dtype.kind not in "fiu" or target.nunique() <= 20
    frame = frame.dropna(subset=["target"]).reset_index(drop=True)
    test = _held(frame["target"].to_numpy(), classifies, seed)
    return Table(name, frame[~test].reset_index(drop=True), frame[test].reset_index(drop=True), classifies)


def _held(target: NDArray[np.generic], classifies: bool, seed: int) -> NDArray[np.bool_]:
    rng = np.random.default_rng(seed)
    held = np.zeros(len(target), dtype=bool)
    groups = [np.flatnonzero(target == one) for one in pd.unique(target)] if classifies else [np.arange(len(target))]
    for group in groups:
        held[rng.permutation(group)[: min(max(1, round(0.2 * len(group))), len(group) - 1)]] = True
    return held
