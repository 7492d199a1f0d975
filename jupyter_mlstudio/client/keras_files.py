"""Writes Keras models in Keras' own form."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid

FILE = "model.keras"


def is_keras(model: Any) -> bool:
    """Tells whether it is a model of Keras 3."""
    keras = sys.modules.get("keras")
    kind = getattr(keras, "Model", None)
    return kind is not None and isinstance(model, kind)


def keras_rows(model: Any, sample: Any) -> Any:
    """Sample rows as numpy arrays: one, or several by the names of the model's inputs."""
    if sample is None:
        return None
    if isinstance(sample, Mapping):
        return {str(name): _array(one) for name, one in sample.items()}
    if isinstance(sample, tuple):
        names = [one.name for one in model.inputs or []]
        if len(names) != len(sample):
            raise Invalid(f"sample has {len(sample)} arrays, the model takes {len(names)}: {', '.join(names)}")
        return dict(zip(names, (_array(one) for one in sample), strict=True))
    return _array(sample)


def write_keras(folder: Path, model: Any, labels: Sequence[Any] | None = None) -> dict[str, JSON]:
    """Writes a model; ``labels`` are a classifier's, in the order of its outputs."""
    try:
        model.save(folder / FILE)
    except Exception as error:
        raise Invalid(f"Keras cannot save this {type(model).__name__}: {error}") from error
    return {"kind": "keras", "file": FILE} | ({"labels": list(labels)} if labels is not None else {})


def _array(rows: Any) -> Any:
    import numpy as np

    array = np.asarray(rows)
    if array.dtype.kind not in "biuf" or not array.ndim or not len(array):
        raise Invalid(f"a network takes rows of numbers, not an array of {array.dtype} and shape {list(array.shape)}")
    return np.ascontiguousarray(array, np.float32) if array.dtype.kind == "f" else np.ascontiguousarray(array)
