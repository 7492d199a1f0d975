"""Scores with the model beside this file. Needs onnxruntime and numpy, and nothing else.

Every value is checked against ``signature.json`` before the model sees it; what does not fit is a ValueError that says
which value it was.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before it is loaded: it reports to its maker otherwise
import onnxruntime as ort

TYPES: dict[str, Any] = {
    "BOOL": np.bool_, "UINT8": np.uint8, "UINT16": np.uint16, "UINT32": np.uint32, "UINT64": np.uint64,
    "INT8": np.int8, "INT16": np.int16, "INT32": np.int32, "INT64": np.int64,
    "FP16": np.float16, "FP32": np.float32, "FP64": np.float64, "BYTES": np.object_,
}  # fmt: skip
ROWS_LIMIT = 100_000
MANY = "models.zip"


class Model:
    """The model of a bundle.

    Args:
        folder: where ``signature.json`` is, and ``model.onnx``, or ``models.zip`` with a model for each key.
    """

    def __init__(self, folder: Path) -> None:
        content = json.loads((folder / "signature.json").read_text(encoding="utf-8"))
        self.name: str = content["name"]
        self.version: str = content["version"]
        self.inputs: list[dict[str, Any]] = content["inputs"]
        self.outputs: list[dict[str, Any]] = content["outputs"]
        self._routed: Any = None
        if (folder / MANY).is_file():
            import routing

            self._routed = routing.Routed(folder / MANY, TYPES, _session)
        self._session = self._routed or _session((folder / "model.onnx").read_bytes())

    def verify(self) -> int:
        """Reads every model that is there; answers how many there are."""
        return 1 if self._routed is None else int(self._routed.verify())

    def infer(self, request: Any) -> dict[str, Any]:
        """Answers an inference request of Open Inference Protocol V2, read from JSON."""
        if not isinstance(request, dict) or not isinstance(request.get("inputs"), list):
            raise ValueError("the request has no list of inputs")
        given = {}
        for tensor in request["inputs"]:
            if not isinstance(tensor, dict) or tensor.get("name") in given:
                raise ValueError("an input is not an object with a name of its own")
            given[tensor.get("name")] = tensor
        if strange := [name for name in given if name not in [spec["name"] for spec in self.inputs]]:
            raise ValueError(f"input {strange[0]!r:.80} is not one of the model's")
        feeds = {spec["onnx_name"]: self._tensor(spec, given.get(spec["name"])) for spec in self.inputs}
        answer = {"model_name": self.name, "model_version": self.version, "outputs": self._run(feeds)}
        return answer | ({"id": request["id"]} if isinstance(request.get("id"), str) else {})

    def rows(self, rows: list[Any], columns: list[str] | None = None) -> dict[str, list[Any]]:
        """Answers for rows: lists of values in the order of ``columns`` (or of the model), or objects by name."""
        if not rows or len(rows) > ROWS_LIMIT:
            raise ValueError(f"give 1 to {ROWS_LIMIT} rows, not {len(rows)}")
        found = self._run({spec["onnx_name"]: self._column(spec, rows, columns) for spec in self.inputs})
        return {output["name"]: _nested(output["data"], output["shape"]) for output in found}

    def metadata(self) -> dict[str, Any]:
        """The model's description in the protocol's words."""

        def described(specs: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return [{key: spec[key] for key in ("name", "datatype", "shape")} for spec in specs]

        tensors = {"inputs": described(self.inputs), "outputs": described(self.outputs)}
        return {"name": self.name, "versions": [self.version], "platform": "onnxruntime_onnx", **tensors}

    def _run(self, feeds: dict[str, Any]) -> list[dict[str, Any]]:
        if len({len(array) for array in feeds.values()}) > 1:
            raise ValueError("the inputs have different numbers of rows")
        found = self._session.run([spec["onnx_name"] for spec in self.outputs], feeds)
        outputs = []
        for spec, value in zip(self.outputs, found, strict=True):
            data = [_plain(one) for one in value.ravel().tolist()]
            outputs.append(
                {"name": spec["name"], "datatype": spec["datatype"], "shape": list(value.shape), "data": data}
            )
        return outputs

    def _tensor(self, spec: dict[str, Any], tensor: Mapping[str, Any] | None) -> Any:
        if tensor is None:
            raise ValueError(f"input {spec['name']!r} is missing")
        if tensor.get("datatype") != spec["datatype"]:
            raise ValueError(
                f"input {spec['name']!r} has datatype {tensor.get('datatype')!r:.40}, not {spec['datatype']}"
            )
        shape = tensor.get("shape")
        if not isinstance(shape, list) or not all(type(length) is int and length > 0 for length in shape):
            raise ValueError(f"the shape of input {spec['name']!r} is not a list of positive integers")
        fits = len(shape) == len(spec["shape"]) and all(
            wanted in (-1, length) for wanted, length in zip(spec["shape"], shape, strict=True)
        )
        if not fits or shape[0] > ROWS_LIMIT:
            raise ValueError(f"input {spec['name']!r} has shape {shape}, the model takes {spec['shape']}")
        nullable = isinstance(tensor.get("parameters"), dict) and tensor["parameters"].get("allow_null") is True
        flat = _flat(tensor.get("data"))
        if len(flat) != math.prod(shape):
            raise ValueError(f"input {spec['name']!r} holds {len(flat)} values, its shape {shape} says otherwise")
        return _array(spec, flat, nullable).reshape(shape)

    def _column(self, spec: dict[str, Any], rows: list[Any], columns: list[str] | None) -> Any:
        names = spec["columns"] or [spec["name"]]
        width = spec["shape"][1] if len(spec["shape"]) == 2 else 1
        order = columns or [name for one in self.inputs for name in (one["columns"] or [one["name"]])]
        flat: list[Any] = []
        for number, row in enumerate(rows):
            if isinstance(row, dict):
                missing = next((name for name in names if name not in row), None)
                if missing is not None:
                    raise ValueError(f"row {number} has no value for {missing!r}")
                values = [row[name] for name in names]
            else:
                values = row if isinstance(row, list) else [row]
                if columns is not None or len(self.inputs) > 1:
                    if len(values) != len(order) or any(name not in order for name in names):
                        raise ValueError(f"row {number} does not have the values {', '.join(order)[:200]}")
                    values = [values[order.index(name)] for name in names]
            if width not in (-1, len(values)):
                raise ValueError(f"row {number} has {len(values)} values, input {spec['name']!r} takes {width}")
            flat += values
        array = _array(spec, flat, nullable=True)
        return array.reshape(len(rows), -1) if len(spec["shape"]) == 2 else array


def _session(model: bytes) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("MLSTUDIO_THREADS", "1"))
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(model, options, ["CPUExecutionProvider"])


def _array(spec: dict[str, Any], flat: list[Any], nullable: bool) -> Any:
    datatype = spec["datatype"]
    kinds: tuple[type, ...] = (float, int) if datatype.startswith("FP") else (int,)
    kinds = {"BOOL": (bool,), "BYTES": (str,)}.get(datatype, kinds)
    values = []
    for value in flat:
        if value is None and nullable and datatype.startswith("FP"):
            value = math.nan
        elif not isinstance(value, kinds) or (isinstance(value, bool) and datatype != "BOOL"):
            raise ValueError(f"{value!r:.60} in input {spec['name']!r} is not a value of type {datatype}")
        values.append(value)
    try:
        with np.errstate(over="ignore"):
            array = np.array(values, TYPES[datatype])
    except OverflowError:
        raise ValueError(f"a value of input {spec['name']!r} is out of range for {datatype}") from None
    if datatype.startswith("FP") and np.isinf(array).any():
        raise ValueError(f"a value of input {spec['name']!r} is out of range for {datatype}")
    return array


def _flat(data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise ValueError("the data of an input is not a list")
    found: list[Any] = []
    for value in data:
        found += _flat(value) if isinstance(value, list) else [value]
    return found


def _nested(data: list[Any], shape: list[int]) -> list[Any]:
    if len(shape) <= 1:
        return data
    step = math.prod(shape[1:])
    return [_nested(data[at : at + step], shape[1:]) for at in range(0, len(data), step)]


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
