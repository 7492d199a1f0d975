"""Writes rows of a table as an inference request, and reads the answer. Standard library only: rows are duck-typed.

The parity check at registration feeds the ONNX model through this module too, so what was compared is what is sent.
Request and answer are those of Open Inference Protocol V2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from jupyter_mlstudio.entities.models import Signature, TensorSpec
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid

MISSING_TEXT = ""
"""How a missing text travels: ONNX strings have no null."""


def request(signature: Signature, rows: Any) -> dict[str, JSON]:
    """Writes rows as a request for a model.

    Args:
        signature: what the model takes.
        rows: a data frame, an array ``(n_rows, ...)``, a list of dicts or of lists, a list of texts, or arrays by the
            names of the inputs.

    Raises:
        Invalid: a column is missing, or a value is not of its type; the message names both.
    """
    if not signature.inputs:
        raise Invalid("the model's signature has no inputs")
    return {"inputs": [_tensor(spec, _values(spec, rows, signature)) for spec in signature.inputs]}


def answer(response: Mapping[str, JSON]) -> dict[str, list[JSON]]:
    """Reads an answer: lists by output name, nested as the shape says."""
    return {output["name"]: _nested(output["data"], output["shape"]) for output in response["outputs"]}


def _values(spec: TensorSpec, rows: Any, signature: Signature) -> list[Any]:
    """Answers one list per row for a matrix, one value per row for a column or a text."""
    if hasattr(rows, "columns") and hasattr(rows, "iloc"):
        return _of_frame(spec, rows)
    if isinstance(rows, Mapping):
        if spec.name in rows and all(len(getattr(one, "shape", ())) for one in rows.values()):
            return list(rows[spec.name].tolist())
        rows = [rows]
    listed = rows.tolist() if hasattr(rows, "tolist") else list(rows)
    if not listed:
        raise Invalid("there are no rows to score")
    if isinstance(listed[0], Mapping):
        return _of_dicts(spec, listed)
    if len(signature.inputs) == 1:
        return listed
    position = [one.name for one in signature.inputs].index(spec.name)
    short = next((row for row in listed if not isinstance(row, Sequence) or len(row) != len(signature.inputs)), None)
    if short is not None:
        raise Invalid(
            f"a row has not {len(signature.inputs)} values, one for each of the model's inputs: {short!r:.80}"
        )
    return [row[position] for row in listed]


def _of_frame(spec: TensorSpec, frame: Any) -> list[Any]:
    names = {str(name): name for name in frame.columns}
    if len(spec.shape) == 2 and spec.shape[1] != 1 and not spec.columns:
        return list(frame.values.tolist())
    wanted = spec.columns or [spec.name]
    if missing := [name for name in wanted if name not in names]:
        raise Invalid(f"column {missing[0]!r} is missing from the rows, which have {', '.join(names)[:200]}")
    columns = [frame[names[name]].tolist() for name in wanted]
    return [list(row) for row in zip(*columns, strict=True)] if spec.columns else columns[0]


def _of_dicts(spec: TensorSpec, rows: list[Mapping[str, Any]]) -> list[Any]:
    wanted = spec.columns or [spec.name]
    for number, row in enumerate(rows):
        if missing := [name for name in wanted if name not in row]:
            raise Invalid(f"row {number} has no value for {missing[0]!r}")
    return [[row[name] for name in wanted] for row in rows] if spec.columns else [row[spec.name] for row in rows]


def _tensor(spec: TensorSpec, values: list[Any]) -> dict[str, JSON]:
    values = [value.tolist() if hasattr(value, "tolist") else value for value in values]
    if len(spec.shape) > 2:
        flat, shape = _flattened(spec, values)
    else:
        flat, shape = _matrix(spec, values)
    tensor: dict[str, JSON] = {"name": spec.name, "shape": shape, "datatype": spec.datatype}
    data = [_value(spec, one) for one in flat]
    if spec.datatype.startswith("FP") and None in data:
        tensor["parameters"] = {"allow_null": True}
    return tensor | {"data": data}


def _matrix(spec: TensorSpec, values: list[Any]) -> tuple[list[Any], list[int]]:
    width = spec.shape[1] if len(spec.shape) == 2 else 1
    flat: list[Any] = []
    for number, value in enumerate(values):
        if not isinstance(value, (list, tuple)):
            value = [value]
        if width >= 0 and len(value) != width:
            raise Invalid(f"row {number} has {len(value)} values, {spec.name!r} takes {width}")
        flat.extend(value)
    return flat, [len(values), *([len(flat) // len(values)] if len(spec.shape) == 2 else [])]


def _flattened(spec: TensorSpec, values: list[Any]) -> tuple[list[Any], list[int]]:
    """Values of pictures, sequences and the like in one list, and their shape, which all rows share."""
    found: list[int] = []
    inner = values[0]
    while isinstance(inner, (list, tuple)) and inner:
        found.append(len(inner))
        inner = inner[0]
    wanted = spec.shape[1:]
    if len(found) != len(wanted) or any(length not in (-1, given) for length, given in zip(wanted, found, strict=True)):
        raise Invalid(f"row 0 has the shape {found}, {spec.name!r} takes {wanted} where -1 is any length")
    level = values
    for length in found:
        if any(not isinstance(one, (list, tuple)) or len(one) != length for one in level):
            raise Invalid(f"the rows of {spec.name!r} have unlike shapes; row 0 has {found}")
        level = [value for one in level for value in one]
    return level, [len(values), *found]


def _value(spec: TensorSpec, value: Any) -> JSON:
    """One value in JSON's type for the tensor's; nothing is rounded or guessed."""
    missing = value is None or value != value or type(value).__name__ == "NAType"
    try:
        if spec.datatype == "BYTES":
            return MISSING_TEXT if missing else _text(value)
        if spec.datatype.startswith("FP"):
            return None if missing else _float(value)
        if missing:
            raise Invalid(f"a value of {spec.name!r} is missing, and {spec.datatype} has no way to say so")
        if spec.datatype == "BOOL":
            return _exact(value, bool(value))
        return _exact(value, int(value))
    except (TypeError, ValueError) as error:
        raise Invalid(f"{value!r:.60} in {spec.name!r} is not a value of type {spec.datatype}") from error


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return (value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)).isoformat(
            timespec="seconds"
        )
    if not isinstance(value, str):
        raise TypeError
    return value


def _float(value: Any) -> float:
    if isinstance(value, str):
        raise TypeError
    number = float(value)
    if math.isinf(number):
        raise ValueError
    return number


def _exact(value: Any, converted: Any) -> Any:
    if isinstance(value, str) or converted != value:
        raise ValueError
    return converted


def _nested(data: list[JSON], shape: Sequence[int]) -> list[JSON]:
    if len(shape) <= 1:
        return data
    step = math.prod(shape[1:])
    return [_nested(data[start : start + step], shape[1:]) for start in range(0, len(data), max(step, 1))]
