"""Decides how the rows of a scikit-learn model become tensors: one matrix, or one tensor for each column."""

from __future__ import annotations

from typing import Any

import numpy as np

from jupyter_mlstudio.entities.models import TensorSpec
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx.protocol import DATATYPES

FLOATS = {"FP64": np.float64, "FP32": np.float32}
_ORDINARY = {
    "INT8": "INT64",
    "INT16": "INT64",
    "INT32": "INT64",
    "UINT8": "INT64",
    "UINT16": "INT64",
    "UINT32": "INT64",
}


def input_specs(model: Any, rows: Any, floats: str, keep_integers: bool) -> list[TensorSpec]:
    """Lists the tensors that carry rows like these.

    Args:
        model: the fitted model; a pipeline that picks columns by name needs each column as a tensor.
        rows: the sample, an array, a data frame or a list of texts.
        floats: ``FP64`` or ``FP32``, the type for numbers.
        keep_integers: whether columns of integers and booleans keep their types instead of becoming ``floats``.

    Raises:
        Invalid: a column holds something that no tensor can hold.
    """
    if not hasattr(rows, "columns"):
        return [_matrix_spec(rows, floats)]
    columns = [str(name) for name in rows.columns]
    if len(set(columns)) != len(columns):
        raise Invalid(
            f"the sample has two columns of one name: {sorted({c for c in columns if columns.count(c) > 1})[0]!r}"
        )
    kinds = [_column_type(rows[name], floats, keep_integers) for name in rows.columns]
    if set(kinds) <= set(FLOATS) | {"INT64"} and not picks_columns(model):
        return [TensorSpec(name="X", datatype=floats, shape=[-1, len(columns)], columns=columns)]
    return [TensorSpec(name=name, datatype=kind, shape=[-1, 1]) for name, kind in zip(columns, kinds, strict=True)]


def picks_columns(model: Any) -> bool:
    """Tells whether the model takes columns by their names, somewhere at its beginning."""
    for part in parts(model):
        for _, _, columns in getattr(part, "transformers_", []):
            if isinstance(columns, str) or (isinstance(columns, list) and columns and isinstance(columns[0], str)):
                return True
    return False


def parts(model: Any) -> list[Any]:
    """Lists a model and everything that it is built of; of a forest's trees only the first, of pipelines all."""
    found: list[Any] = []
    waiting = [model]
    while waiting:
        part = waiting.pop()
        if not hasattr(part, "get_params"):
            continue
        found.append(part)
        waiting.extend(_children(part))
    return found


def _children(part: Any) -> list[Any]:
    children = [step for _, step in getattr(part, "steps", [])]
    children += [transformer for _, transformer, _ in getattr(part, "transformers_", [])]
    children += [transformer for _, transformer in getattr(part, "transformer_list", [])]
    for name in ("best_estimator_", "estimator_", "regressor_", "transformer_", "final_estimator_"):
        children.append(getattr(part, name, None))
    children += [calibrated.estimator for calibrated in getattr(part, "calibrated_classifiers_", [])]
    estimators = getattr(part, "estimators_", None)
    if isinstance(estimators, np.ndarray):
        estimators = estimators.ravel().tolist()
    alike = estimators is not None and len({type(one) for one in estimators}) == 1 and not _children(estimators[0])
    children += list(estimators or [])[: 1 if alike else None]
    return children


def _matrix_spec(rows: Any, floats: str) -> TensorSpec:
    array = np.asarray(rows)
    if array.dtype.kind in "biuf" and array.ndim == 2:
        return TensorSpec(name="X", datatype=floats, shape=[-1, array.shape[1]])
    if array.dtype.kind in "OUT" and array.ndim == 1:
        return TensorSpec(name="X", datatype="BYTES", shape=[-1])
    if array.dtype.kind in "OUT" and array.ndim == 2:
        return TensorSpec(name="X", datatype="BYTES", shape=[-1, array.shape[1]])
    raise Invalid(
        f"sample rows of shape {array.shape} and type {array.dtype} cannot be sent: give a table of numbers or text"
    )


def _column_type(column: Any, floats: str, keep_integers: bool) -> str:
    kind = getattr(column.dtype, "kind", "O")
    name = str(column.dtype)
    if name == "category":
        return _column_type(column.astype(column.cat.categories.dtype), floats, keep_integers)
    if kind in "iub" and keep_integers and not column.isna().any():
        exact = DATATYPES.get(np.dtype(name.lower().replace("boolean", "bool")).name, "INT64")
        return _ORDINARY.get(exact, exact)
    if kind in "iubf":
        return floats
    if kind == "M" or name.startswith("datetime64"):
        return "BYTES"
    texts = [value for value in column.dropna().tolist() if not isinstance(value, str)]
    if texts:
        raise Invalid(
            f"column {column.name!r} holds a {type(texts[0]).__name__} ({str(texts[0])[:40]!r}): only numbers, booleans"
            " and text can be sent; turn it into one of these before the model"
        )
    return "BYTES"
