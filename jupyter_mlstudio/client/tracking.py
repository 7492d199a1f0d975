"""The logging calls of user code: each tells the active run. ``log_metric`` is made to cost next to nothing."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Mapping, Sequence
from time import time as _now
from typing import Any

from jupyter_mlstudio.client import active
from jupyter_mlstudio.client.active import current
from jupyter_mlstudio.client.reporting import StrPath
from jupyter_mlstudio.entities.values import JSON

NAMES_LIMIT = 10_000

# The short way through log_metric: what has been checked once for the active run is not checked again.
_put = deque[Any](maxlen=0).append
_names = active.names
_types: set[type] = {float, int}


def log_metric(name: str, value: float, step: int | None = None) -> None:
    """Logs one value of a metric to the active run, without waiting. Without ``step`` it counts up from 0.

    Raises:
        Invalid: the value is not one real number, the name is not text, the step is not an integer.
    """
    try:
        if value.__class__ in _types and name in _names and (step is None or step.__class__ is int):
            _put((name, value, step, _now()))
            return
    except TypeError:  # a name that cannot be looked up is not text, which the long way says
        pass
    _log_checked(name, value, step)


def _log_checked(name: str, value: float, step: int | None) -> None:
    global _put
    run = current()
    run.log_metric(name, value, step)
    with active.lock():
        if not active.is_current(run) or len(_names) >= NAMES_LIMIT:
            return
        _put = run._log.points.append
        _names.add(name)
        if any(base is float or base.__name__ == "generic" for base in type(value).__mro__):  # NumPy's scalars
            _types.add(type(value))


def log_metrics(metrics: Mapping[str, float], step: int | None = None) -> None:
    """Logs one value of several metrics to the active run."""
    current().log_metrics(metrics, step)


def log_param(name: str, value: object) -> None:
    """Keeps a parameter of the active run, as text."""
    current().log_param(name, value)


def log_params(params: Mapping[str, object]) -> None:
    """Keeps parameters of the active run, as text."""
    current().log_params(params)


def set_tag(name: str, value: object) -> None:
    """Sets a tag of the active run."""
    current().set_tag(name, value)


def set_tags(tags: Mapping[str, object]) -> None:
    """Sets tags of the active run."""
    current().set_tags(tags)


def progress(done: int, total: int, text: str = "") -> None:
    """Says how far the active run is: ``done`` of ``total`` units, and what it does now."""
    current().progress(done, total, text)


def log_artifact(path: StrPath, folder: str | None = None) -> str:
    """Keeps a copy of a file or folder with the active run; returns its path among the artifacts."""
    return current().log_artifact(path, folder)


def log_artifacts(path: StrPath, folder: str | None = None) -> list[str]:
    """Keeps copies of all files below a folder with the active run; returns their paths among the artifacts."""
    return current().log_artifacts(path, folder)


def log_text(text: str, name: str) -> str:
    """Keeps text as a file of the active run."""
    return current().log_text(text, name)


def log_dict(content: object, name: str) -> str:
    """Keeps a dict or list as a JSON file of the active run."""
    return current().log_dict(content, name)


def log_figure(figure: Any, name: str) -> str:
    """Keeps a figure with the active run: a plotly figure as a live chart, a matplotlib figure as an image."""
    return current().log_figure(figure, name)


def log_image(name: str, path: StrPath | None = None, plot: Any = None, *, image: Any = None) -> str:
    """Keeps an image with the active run: a file, a matplotlib figure, an array or a PIL image."""
    return current().log_image(name, path, plot, image=image)


def log_table(name: str, table: Any) -> None:
    """Keeps a table as data with the active run: a data frame, a dict of columns, or a list of rows."""
    current().log_table(name, table)


def log_confusion_matrix(
    y_true: Any, y_pred: Any, labels: Sequence[object] | None = None, name: str = "confusion_matrix"
) -> None:
    """Keeps a confusion matrix as data with the active run."""
    current().log_confusion_matrix(y_true, y_pred, labels, name)


def flush() -> bool:
    """Waits until everything logged so far has arrived; False says that the rest waits on disk."""
    return active.flush()


def params() -> dict[str, JSON]:
    """Returns the parameters that the active run was submitted with, with their types; empty outside of a run."""
    try:
        found = json.loads(os.environ.get("MLSTUDIO_PARAMS") or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
