"""What a parity report rests on: the rows that differ most, and files with which anybody can repeat the comparison."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import jupyter_mlstudio.onnx
from jupyter_mlstudio.entities.models import WorstRow
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.onnx.parity import Comparison, plain_labels
from jupyter_mlstudio.plugins.converters.base import Converted, Prediction

SCRIPT, ROWS = "verify_parity.py", "parity.npz"
VALUES_SHOWN = 200
TEXT_SHOWN = 200


def worst(
    comparison: Comparison, feeds: Mapping[str, Any], converted: Converted, expected: Prediction, found: Prediction
) -> list[WorstRow]:
    """The rows that differ most with what went in and both answers, worst first."""
    return [
        WorstRow(
            row=row,
            difference=float(comparison.differences[row]),
            flipped=bool(comparison.flipped is not None and comparison.flipped[row]),
            inputs=_inputs(feeds, converted, row),
            native=_answer(expected, row),
            onnx=_answer(found, row),
        )
        for row in comparison.worst_rows
    ]


def files(converted: Converted, feeds: Mapping[str, Any], expected: Prediction) -> dict[str, bytes]:
    """The script that compares again, and the rows and the original's answers that it reads."""
    arrays = {f"input:{name}": _plain(tensor) for name, tensor in feeds.items()}
    outputs = {spec.name: spec.onnx_name or spec.name for spec in converted.signature.outputs}
    if expected.labels is not None:
        arrays[f"label:{outputs['label']}"] = plain_labels(expected.labels)
    for numbers, names in (
        (expected.probabilities, ("probabilities", "scores")),
        (expected.values, ("prediction", "values")),
    ):
        name = next((outputs[name] for name in names if name in outputs), None)
        if numbers is not None and name is not None:
            arrays[f"number:{name}"] = np.asarray(numbers, dtype=np.float64)
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    return {SCRIPT: script(), ROWS: content.getvalue()}


def script() -> bytes:
    """The script that compares again."""
    return Path(str(jupyter_mlstudio.onnx.__file__)).with_name(SCRIPT).read_bytes()


def _plain(tensor: Any) -> Any:
    """Texts as numpy keeps them without pickle."""
    return tensor.astype(str) if tensor.dtype == object else tensor


def _inputs(feeds: Mapping[str, Any], converted: Converted, row: int) -> JSON:
    shown: dict[str, JSON] = {}
    for spec in converted.signature.inputs:
        values = np.asarray(feeds[spec.onnx_name or spec.name][row])
        if values.size > VALUES_SHOWN:
            return None
        if spec.columns:
            shown |= dict(zip(spec.columns, _listed(values), strict=True))
        else:
            listed = _listed(values)
            shown[spec.name] = listed[0] if len(listed) == 1 else listed
    return shown if len(shown) <= VALUES_SHOWN else None


def _answer(prediction: Prediction, row: int) -> JSON:
    named = {"label": prediction.labels, "probabilities": prediction.probabilities, "values": prediction.values}
    answers = {name: _listed(np.asarray(values)[row]) for name, values in named.items() if values is not None}
    return {name: listed[0] if len(listed) == 1 else listed[:VALUES_SHOWN] for name, listed in answers.items()}


def _listed(values: Any) -> list[JSON]:
    return [_shown(value) for value in np.asarray(values).ravel().tolist()]


def _shown(value: Any) -> JSON:
    """A value as JSON has it: null for a missing number, the word for an infinite one."""
    if isinstance(value, str):
        return value[:TEXT_SHOWN]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
