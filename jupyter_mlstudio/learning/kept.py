"""What a search keeps on disk, so that it goes on where it was: each candidate as JSON, its predictions beside it."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.entities.automl_candidates import Candidate
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.learning.evaluate import spare_path
from jupyter_mlstudio.learning.family import Params
from jupyter_mlstudio.learning.matrices import write_whole


@dataclass(frozen=True, slots=True)
class Record:
    """A candidate and what only the search needs.

    Args:
        base: its parameters without what was found while it was fitted, e.g. the number of rounds.
        suggested: what Optuna proposed, by Optuna's names; None for what was known before.
        loss: less is better; infinite when it failed. ``first_loss`` is the first fold's.
        whole: whether it was fitted on all rows of its folds, so that it may win.
        seconds: that it took in all.
    """

    candidate: Candidate
    base: Params = field(default_factory=dict)
    suggested: Params | None = None
    loss: float = float("inf")
    first_loss: float = float("inf")
    whole: bool = True
    seconds: float = 0.0


class Kept:
    """The files of a search in its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.features = folder / "features"
        self.models = folder / "models"
        for one in (folder / "candidates", folder / "oof", self.features, self.models):
            one.mkdir(parents=True, exist_ok=True)
        self._spare: int | None = None
        self._written = 0.0

    def records(self) -> dict[int, Record]:
        """Everything that was written, by number."""
        found = {}
        for path in sorted((self.folder / "candidates").glob("*.json")):
            with contextlib.suppress(ValueError, OSError, msgspec.ValidationError):
                one = json.loads(path.read_text("utf-8"))
                found[int(path.stem)] = Record(**{**one, "candidate": msgspec.convert(one["candidate"], Candidate)})
        return found

    def write(self, record: Record) -> None:
        """Writes a candidate, whole or not at all."""
        path = self.folder / "candidates" / f"{record.candidate.number:05d}.json"
        content = asdict(replace(record, candidate=record.candidate))
        write_whole(path, json.dumps(content).encode())

    def oof_path(self, number: int) -> Path:
        """Where a candidate's out-of-fold predictions are: one fold behind the other."""
        return self.folder / "oof" / f"{number:05d}.npy"

    def oof(self, number: int) -> NDArray[np.float64] | None:
        """A candidate's out-of-fold predictions as they were written; None when there are none."""
        path = self.oof_path(number)
        return np.asarray(np.load(path), dtype=np.float64) if path.is_file() else None

    def write_top(self, number: int, weights: JSON) -> None:
        """Writes what is on top of a stack: its weights and intercept."""
        write_whole(self._top_path(number), json.dumps(weights).encode())

    def top(self, number: int) -> dict[str, JSON] | None:
        """What is on top of a stack; None when nothing was written."""
        path = self._top_path(number)
        return dict(json.loads(path.read_bytes())) if path.is_file() else None

    def _top_path(self, number: int) -> Path:
        return self.models / f"{number:05d}.top.json"

    def forget(self, number: int) -> None:
        """Removes a candidate's predictions and its spare model."""
        for path in (self.oof_path(number), spare_path(self.oof_path(number))):
            path.unlink(missing_ok=True)

    def keep_spare(self, number: int, best: bool) -> None:
        """Keeps one spare model, the best one's."""
        gone = self._spare if best else number
        if gone is not None and (gone != number or not best):
            spare_path(self.oof_path(gone)).unlink(missing_ok=True)
        if best:
            self._spare = number

    def state(self) -> dict[str, Any]:
        """What else was written, e.g. the seconds that were used before."""
        with contextlib.suppress(OSError, ValueError):
            return dict(json.loads((self.folder / "state.json").read_text("utf-8")))
        return {}

    def write_state(self, every_s: float = 0.0, **values: Any) -> None:
        """Adds to it, at most so often."""
        if time.monotonic() - self._written < every_s:
            return
        self._written = time.monotonic()
        write_whole(self.folder / "state.json", json.dumps({**self.state(), **values}).encode())
