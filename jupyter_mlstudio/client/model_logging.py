"""Models from user code: keep one with the active run, together with the rows to compare it on."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jupyter_mlstudio.client import active
from jupyter_mlstudio.client.model_files import write_model
from jupyter_mlstudio.errors import Invalid


def log_model(
    model: Any, name: str = "model", sample: Any = None, y: Any = None, labels: Sequence[Any] | None = None
) -> str:
    """Keeps a model with the active run, together with rows on which its ONNX form will be compared with it.

    Args:
        model: a fitted scikit-learn model, one of a boosting library, a PyTorch module, an ONNX model (its object,
            bytes or file), or anything that pickles.
        name: the folder below the run's artifacts.
        sample: rows the model has not seen, as it takes them: a data frame, an array or a list of texts, with their
            original types and missing values. Of more than 1,000 rows, 1,000 are kept, evenly spaced. A module with
            several arguments takes a tuple, or a dict of arrays by their names.
        y: the true answers for these rows.
        labels: what a network's outputs mean, for one that classifies: its ONNX form then answers with a label and
            probabilities. A softmax or sigmoid is added where the module does not end with one.

    Returns:
        The folder's path, as :func:`jupyter_mlstudio.register_model` takes it.

    Raises:
        Invalid: the model cannot be kept, or sample and y differ in length.
    """
    folder_name = _checked_name(name)
    run = active.current()
    with tempfile.TemporaryDirectory(prefix="mlstudio-model-") as folder:
        write_model(Path(folder), model, sample, y, labels)
        run.log_artifacts(folder, folder_name)
    return folder_name


def _checked_name(name: object) -> str:
    if isinstance(name, str):
        return name
    given = type(name).__name__
    raise Invalid(f"the model's name is text, not {given}; rows are given as log_model(model, sample=X)")
