"""A check of models that is made of a function: tests say what it finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jupyter_mlstudio.entities.automl_candidates import OnnxCheck


@dataclass(frozen=True)
class Looking:
    """Finds what ``look`` says of a model and rows, without a time of one row."""

    look: Callable[[Any, Any], OnnxCheck]

    def __call__(self, model: Any, rows: Any, *, speed: bool = True) -> OnnxCheck:
        return self.look(model, rows)

    def warm(self) -> None:
        """Nothing has to be ready before."""
