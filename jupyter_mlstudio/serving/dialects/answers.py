"""A model's answer as rows, for the dialects whose answers are not tensors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_mlstudio.entities.models import Signature, TensorSpec
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx.protocol import NON_FINITE
from jupyter_mlstudio.onnx.tensors import listed, names, shown

LABEL, PROBABILITIES = "label", "probabilities"
WARNING = b"\r\nx-mlstudio-warning: " + NON_FINITE.encode()


def by_row(value: Any) -> tuple[list[Any], bool]:
    """One entry for each row, a single value where a row has one; and whether all are finite."""
    data, finite = listed(value)
    if not finite:
        data = [None if isinstance(one, float) and not math.isfinite(one) else one for one in data]
    return _nested(data, value.shape), finite


def main_output(signature: Signature) -> Sequence[TensorSpec]:
    """What a model's ``predict`` answers: the label of a classifier, the value of a regressor, else everything."""
    outputs = signature.outputs
    return [spec for spec in outputs if spec.name == LABEL] or outputs


def asked_outputs(signature: Signature, wanted: Any) -> Sequence[TensorSpec]:
    """Finds outputs by name.

    Raises:
        Invalid: the model has no such output.
    """
    known = {spec.name: spec for spec in signature.outputs}
    if type(wanted) is not list or not wanted or not all(type(name) is str for name in wanted):
        raise Invalid("outputs is not a list of names")
    if len(set(wanted)) != len(wanted):
        raise Invalid("an output is asked for twice")
    for name in wanted:
        if name not in known:
            raise Invalid(f"output {shown(name)} is not one of the model's: {names(known)}")
    return [known[name] for name in wanted]


def method_outputs(signature: Signature, method: Any) -> Sequence[TensorSpec]:
    """The outputs of ``predict`` or ``predict_proba``.

    Raises:
        Invalid: it is neither, or the model has no probabilities.
    """
    if method == "predict":
        return main_output(signature)
    if method == "predict_proba":
        if found := [spec for spec in signature.outputs if spec.name == PROBABILITIES]:
            return found
        raise Invalid("the model has no probabilities: its method is predict")
    raise Invalid(f"the method is predict or predict_proba, not {shown(str(method))}")


def predictions(outputs: Sequence[TensorSpec], tensors: Sequence[Any]) -> tuple[list[Any], bool]:
    """One prediction for each row: a value where one output was asked for, else an object by output."""
    columns = [by_row(tensor) for tensor in tensors]
    finite = all(fine for _, fine in columns)
    if len(outputs) == 1:
        return columns[0][0], finite
    keys = [spec.name for spec in outputs]
    return [dict(zip(keys, row, strict=True)) for row in zip(*(data for data, _ in columns), strict=False)], finite


def objects(
    outputs: Sequence[TensorSpec], tensors: Sequence[Any], labels: Sequence[str]
) -> tuple[list[Mapping[str, Any]], bool]:
    """One object for each row, with every output by name; probabilities are by label."""
    entries: list[tuple[str, list[Any]]] = []
    finite = True
    for spec, tensor in zip(outputs, tensors, strict=True):
        data, fine = by_row(tensor)
        finite = finite and fine
        if spec.name == PROBABILITIES and labels and tensor.ndim == 2 and tensor.shape[1] == len(labels):
            data = [dict(zip(labels, row, strict=True)) for row in _rows(data)]
        entries.append((spec.name, data))
    keys = [name for name, _ in entries]
    return [dict(zip(keys, row, strict=True)) for row in zip(*(data for _, data in entries), strict=False)], finite


def _rows(data: list[Any]) -> list[list[Any]]:
    return [row if isinstance(row, list) else [row] for row in data]


def _nested(data: list[Any], shape: Sequence[int]) -> list[Any]:
    """Nests a flat list; the last dimension is left out where it is 1."""
    inner = list(shape[1:])
    if inner and inner[-1] == 1:
        inner = inner[:-1]
    for length in reversed(inner):
        data = [data[start : start + length] for start in range(0, len(data), max(length, 1))]
    return data
