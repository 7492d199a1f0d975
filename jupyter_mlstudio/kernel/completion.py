"""Tab completion of the magics: options, files, and the names of runs, experiments, models and endpoints."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jupyter_mlstudio.client.connection import connect, is_ready
from jupyter_mlstudio.client.sweeps import SWEEPS
from jupyter_mlstudio.entities.space_text import SHAPES
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import StudioError
from jupyter_mlstudio.kernel.arguments import MagicParser

FRESH_S = 3.0
PATIENCE_S = 1.0
SHOWN_LIMIT = 200
STEERING = ("--pause", "--resume", "--stop", "--try", "--set", "--warm-start")
"""Options that name a sweep."""


class Names:
    """Names of things in the studio. The user waits: asking takes at most a second, the answer is kept for three."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, list[str]]] = {}

    def of(self, kind: str) -> list[str]:
        """Returns names of ``runs``, ``sweeps`` (also ids), ``experiments``, ``models``, ``endpoints``; or none."""
        at, names = self._kept.get(kind, (-FRESH_S, []))
        if time.monotonic() - at < FRESH_S or not is_ready():
            return names
        try:
            path = "runs" if kind == "sweeps" else kind
            names = _READ[kind](connect().get(path, _QUERY.get(kind), timeout_s=PATIENCE_S))
        except StudioError:
            return names
        self._kept[kind] = (time.monotonic(), names)
        return names


def completer(parser: MagicParser, names: Names) -> Callable[[Any, Any], list[str]]:
    """Makes what IPython asks for completions of a magic's line (its hook ``complete_command``)."""

    def complete(shell: Any, event: Any) -> list[str]:
        word = event.symbol or ""
        before = event.line.split()[:-1] if word else event.line.split()
        previous = before[-1] if len(before) > 1 else ""
        if word.startswith("-"):
            found = parser.options
        elif previous in STEERING:
            found = names.of("sweeps")
        elif parser.prog.lstrip("%") == "ml_sweep" and event.line.rpartition(" ")[2].endswith(f"={word}"):
            found = [f"{shape}(" for shape in SHAPES]
        elif previous in ("-e", "--experiment"):
            found = names.of("experiments")
        elif previous in ("--folder", "--python") or parser.completes == "files":
            found = files(word, previous)
        elif previous.startswith("-") or not parser.completes:
            found = []
        else:
            found = names.of(parser.completes)
        return [name for name in found if name.startswith(word)]

    return complete


def files(word: str, option: str = "") -> list[str]:
    """Returns the folders, scripts and notebooks that a path may go on with."""
    folder, _, begin = word.rpartition("/")
    found: list[str] = []
    try:
        for entry in sorted(os.scandir(Path(folder or ".").expanduser()), key=lambda entry: entry.name):
            if not entry.name.startswith(begin) or entry.name.startswith("."):
                continue
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir():
                found.append(f"{path}/")
            elif option != "--folder" and entry.name.endswith((".py", ".ipynb")):
                found.append(path)
    except OSError:
        return []
    return found


def _run_names(answer: JSON) -> list[str]:
    items = answer["items"]
    return list(dict.fromkeys([str(item["name"]) for item in items] + [str(item["id"]) for item in items]))


def _plain_names(answer: JSON) -> list[str]:
    return [str(item["name"]) for item in answer]


_QUERY: Mapping[str, dict[str, object]] = {
    "runs": {"max_results": SHOWN_LIMIT},
    "sweeps": {"max_results": SHOWN_LIMIT, "filter": SWEEPS},
}
_READ: Mapping[str, Callable[[JSON], list[str]]] = {
    "runs": _run_names,
    "sweeps": _run_names,
    "experiments": _plain_names,
    "models": _plain_names,
    "endpoints": _plain_names,
}
