"""What a search needs of whoever compares its models with their ONNX forms."""

from __future__ import annotations

from typing import Any, Protocol

from jupyter_mlstudio.entities.automl_candidates import OnnxCheck


class Check(Protocol):
    """Compares a fitted model with its ONNX form.

    It is handed to workers: forked, or pickled where there is no ``fork``, so it holds nothing that is open.
    """

    def __call__(self, model: Any, rows: Any, *, speed: bool = True) -> OnnxCheck:
        """Compares both on rows that the model was not fitted on, and returns what was found instead of raising.

        Args:
            model: a fitted pipeline, or an ensemble of them.
            rows: a data frame of raw columns.
            speed: whether both are timed at one row; candidates, of which there are many, are not.
        """

    def warm(self) -> None:
        """Does in the parent what every check begins with, so that forked workers have done it."""
