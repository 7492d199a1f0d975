"""Checkpoints of a run in training: all of them, or the best few by a metric, each with what it was worth.

They lie below the run's artifacts as ``checkpoints/step-<step>/``; ``checkpoints/index.json`` tells them in order.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jupyter_mlstudio.client.model_files import write_model
from jupyter_mlstudio.client.values import int64, real_number
from jupyter_mlstudio.errors import Invalid

FOLDER = "checkpoints"
INDEX = f"{FOLDER}/index.json"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One checkpoint that is kept: its step, its folder or file among the artifacts, and what it was worth."""

    step: int
    path: str
    metric: float | None = None


class Checkpoints:
    """The checkpoints of one run, kept by the process that makes them.

    Args:
        run: where they are kept.
    """

    def __init__(self, run: Any) -> None:
        self._run = run
        self._kept: list[Checkpoint] = []

    @property
    def kept(self) -> list[Checkpoint]:
        """Those that are kept, in the order of their steps."""
        return sorted(self._kept, key=lambda one: one.step)

    def add(self, what: Any, step: int, metric: float | None, keep_best: int | None, *, goal: str) -> Checkpoint | None:
        """Keeps one; answers None when it is not among the best. See :meth:`Reporting.checkpoint`."""
        at = int64(step, "checkpoint")
        if at is None or at < 0:
            raise Invalid(f"the checkpoint's step is {step!r}; give a number from 0")
        worth = None if metric is None else real_number(metric, "checkpoint")
        if goal not in ("maximize", "minimize"):
            raise Invalid(f"goal is {goal!r}; give maximize or minimize")
        if keep_best is not None and (keep_best < 1 or worth is None):
            raise Invalid(f"keep_best={keep_best!r} needs a number from 1 and a metric")
        ranked = sorted([one for one in self._kept if one.step != at], key=lambda one: _rank(one.metric, goal))
        if (
            keep_best is not None
            and len(ranked) >= keep_best
            and _rank(worth, goal) >= _rank(ranked[keep_best - 1].metric, goal)
        ):
            return None
        made = Checkpoint(at, self._write(what, at), worth)
        best = sorted([*ranked, made], key=lambda one: _rank(one.metric, goal))
        kept = best if keep_best is None else best[:keep_best]
        gone = [one for one in self._kept if one not in kept and one.path != made.path]
        self._kept = kept
        self._write_index(goal)
        for one in gone:
            self._remove(one)
        return made

    def _remove(self, one: Checkpoint) -> None:
        """Removes what is kept no longer; on another machine than the studio's it stays as a file."""
        folder: Path | None = self._run._local_folder()
        if folder is not None:
            shutil.rmtree(folder / "artifacts" / one.path, ignore_errors=True)

    def _write(self, what: Any, step: int) -> str:
        name = f"{FOLDER}/step-{step:09d}"
        if isinstance(what, (str, os.PathLike)):
            if not Path(what).expanduser().exists():
                raise Invalid(f"there is no file or folder {os.fspath(what)!r} to keep as a checkpoint")
            source = Path(what).expanduser()
            self._run.log_artifacts(source, name) if source.is_dir() else self._run.log_artifact(source, name)
            return name
        with tempfile.TemporaryDirectory(prefix="mlstudio-checkpoint-") as folder:
            write_model(Path(folder), what)
            self._run.log_artifacts(folder, name)
        return name

    def _write_index(self, goal: str) -> None:
        best = min(self._kept, key=lambda one: _rank(one.metric, goal))
        content = {"goal": goal, "best": best.path, "checkpoints": [asdict(one) for one in self.kept]}
        self._run.log_text(json.dumps(_finite(content), indent=2), INDEX)


def _rank(metric: float | None, goal: str) -> tuple[bool, float]:
    """Orders best first; NaN and checkpoints without a metric come last."""
    if metric is None or math.isnan(metric):
        return (True, 0.0)
    return (False, -metric if goal == "maximize" else metric)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
