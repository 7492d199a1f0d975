"""Reads and writes inference requests of Open Inference Protocol V2 without ever changing a value silently.

Specification: Open Inference Protocol V2, "Inference Request JSON Object" and "Tensor Data Types". numpy turns null
into NaN, "1.5" into 1.5 and 1.9 into the integer 1; here JSON's own types are checked first, so each is refused.
A tensor with missing numbers says so itself: ``"parameters": {"allow_null": true}`` lets null stand for NaN.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.entities.models import Signature, TensorSpec
from jupyter_mlstudio.errors import Invalid, TooLarge

Tensor = NDArray[Any]

ROWS_LIMIT = 100_000
NULLABLE = "allow_null"
NON_FINITE = "the model answered with values that are not finite; JSON cannot hold them and shows null"

DTYPES: dict[str, Any] = {
    "BOOL": np.bool_, "UINT8": np.uint8, "UINT16": np.uint16, "UINT32": np.uint32, "UINT64": np.uint64,
    "INT8": np.int8, "INT16": np.int16, "INT32": np.int32, "INT64": np.int64,
    "FP16": np.float16, "FP32": np.float32, "FP64": np.float64, "BYTES": np.object_,
}  # fmt: skip
"""Number types of the protocol and of numpy."""

DATATYPES = {np.dtype(dtype).name: name for name, dtype in DTYPES.items()}
_JSON_TYPES: dict[str, Any] = {name: float if name.startswith("FP") else int for name in DTYPES}
_JSON_TYPES |= {"BOOL": bool, "BYTES": str}
_WORDS = {float: "a number", int: "an integer", bool: "true or false", str: "a string"}


class _Input(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    name: str
    datatype: str
    shape: list[int]
    data: msgspec.Raw
    parameters: dict[str, Any] | None = None


class _Output(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    parameters: dict[str, Any] | None = None


class _Request(msgspec.Struct, forbid_unknown_fields=True):
    inputs: list[_Input]
    outputs: list[_Output] | None = None
    id: str | None = None
    parameters: dict[str, Any] | None = None


_decoder = msgspec.json.Decoder(_Request)
_encoder = msgspec.json.Encoder()
_flat: dict[str, msgspec.json.Decoder[list[Any]]] = {
    name: msgspec.json.Decoder(list.__class_getitem__(kind)) for name, kind in _JSON_TYPES.items()
}


@dataclass(slots=True)
class Request:
    """A request, read and checked: what onnxruntime is fed, the rows of its batch, the outputs that were asked for."""

    feeds: dict[str, Tensor]
    rows: int
    outputs: Sequence[TensorSpec]
    id: str | None


class Protocol:
    """The requests and answers of one model.

    Args:
        signature: what the model takes and answers.
        name, version: as they stand in the URL and in each answer.
        rows_limit: most rows of one request.
    """

    def __init__(self, signature: Signature, name: str, version: str, rows_limit: int = ROWS_LIMIT) -> None:
        self.signature = signature
        self.name = name
        self.version = version
        self._inputs = {spec.name: spec for spec in signature.inputs}
        self._outputs = {spec.name: spec for spec in signature.outputs}
        self._rows_limit = rows_limit

    def metadata(self) -> dict[str, Any]:
        """Describes the model as the protocol's "Model Metadata Response" does."""
        tensors = {
            "inputs": [_described(spec) for spec in self.signature.inputs],
            "outputs": [_described(spec) for spec in self.signature.outputs],
        }
        return {"name": self.name, "versions": [self.version], "platform": "onnxruntime_onnx", **tensors}

    def read(self, body: bytes | bytearray) -> Request:
        """Reads an inference request.

        Raises:
            Invalid: it is not a request for this model; the message names the tensor and the value.
            TooLarge: it has more rows than one request may have.
        """
        request = _read_request(body)
        feeds: dict[str, Tensor] = {}
        rows = -1
        for tensor in request.inputs:
            spec = self._inputs.get(tensor.name)
            if spec is None:
                raise Invalid(f"input {_shown(tensor.name)} is not one of the model's: {_names(self._inputs)}")
            onnx_name = spec.onnx_name or spec.name
            if onnx_name in feeds:
                raise Invalid(f"input {_shown(tensor.name)} is there twice")
            rows = self._check_shape(tensor, spec, rows)
            feeds[onnx_name] = read_tensor(tensor.name, spec.datatype, tensor.shape, tensor.data, _nullable(tensor))
        if len(feeds) != len(self._inputs):
            missing = {name for name, spec in self._inputs.items() if (spec.onnx_name or name) not in feeds}
            raise Invalid(f"input {_names(sorted(missing))} is missing")
        return Request(feeds, rows, self._asked(request.outputs), request.id)

    def write(self, request: Request, tensors: Sequence[Any]) -> bytes:
        """Writes the answer; values that are not finite become null, and the answer says so."""
        outputs = []
        warn = False
        for spec, value in zip(request.outputs, tensors, strict=True):
            data, finite = _listed(value)
            warn = warn or not finite
            outputs.append({"name": spec.name, "datatype": spec.datatype, "shape": list(value.shape), "data": data})
        answer: dict[str, Any] = {"model_name": self.name, "model_version": self.version, "outputs": outputs}
        if request.id is not None:
            answer["id"] = request.id
        if warn:
            answer["parameters"] = {"warning": NON_FINITE}
        return _encoder.encode(answer)

    def _asked(self, outputs: list[_Output] | None) -> Sequence[TensorSpec]:
        if not outputs:
            return self.signature.outputs
        asked = []
        for output in outputs:
            spec = self._outputs.get(output.name)
            if spec is None:
                raise Invalid(f"output {_shown(output.name)} is not one of the model's: {_names(self._outputs)}")
            if spec in asked:
                raise Invalid(f"output {_shown(output.name)} is asked for twice")
            asked.append(spec)
        return asked

    def _check_shape(self, tensor: _Input, spec: TensorSpec, rows: int) -> int:
        """Checks type and shape against the signature; answers the number of rows, which all inputs share."""
        if tensor.datatype != spec.datatype:
            raise Invalid(
                f"input {_shown(spec.name)} has datatype {_shown(tensor.datatype)}, the model takes {spec.datatype}"
            )
        shape = tensor.shape
        if len(shape) != len(spec.shape):
            raise Invalid(f"input {_shown(spec.name)} has shape {_shape(shape)}, the model takes {_shape(spec.shape)}")
        for length, wanted in zip(shape, spec.shape, strict=True):
            if length != wanted and (wanted >= 0 or length < 1):
                raise Invalid(
                    f"input {_shown(spec.name)} has shape {_shape(shape)}, the model takes {_shape(spec.shape)}"
                    " where -1 is any number from 1"
                )
        if not shape or spec.shape[0] >= 0:
            return max(rows, 1)
        if shape[0] > self._rows_limit:
            raise TooLarge(f"{shape[0]} rows are more than the {self._rows_limit} of one request: send them in parts")
        if rows not in (-1, shape[0]):
            raise Invalid(f"input {_shown(spec.name)} has {shape[0]} rows, the others have {rows}")
        return shape[0]


def read_tensor(name: str, datatype: str, shape: Sequence[int], data: msgspec.Raw, nullable: bool) -> Tensor:
    """Reads one tensor's values, flat or nested, as exactly the type that was promised."""
    values = _values(name, datatype, shape, data, nullable)
    if len(values) <= SMALL and not nullable and _is_plain(values, datatype) and len(values) == math.prod(shape):
        return np.array(values, DTYPES[datatype]).reshape(shape)
    try:
        array = _narrowed(values, datatype) if datatype in _NARROW else np.array(values, dtype=DTYPES[datatype])
    except (OverflowError, ValueError) as error:
        if isinstance(error, OverflowError):
            raise Invalid(f"input {_shown(name)} holds a value that is out of range for {datatype}") from error
        raise Invalid(f"input {_shown(name)} has rows of different lengths") from error
    if array.shape != tuple(shape):
        if array.ndim != 1 or array.size != math.prod(shape):
            raise Invalid(f"input {_shown(name)} holds {_counted(array)}, its shape {_shape(shape)} says otherwise")
        array = array.reshape(tuple(shape))
    if datatype.startswith("FP") and bool(np.isinf(array).any() if nullable else not np.isfinite(array).all()):
        raise Invalid(f"input {_shown(name)} holds a value that is out of range for {datatype}")
    return array


_NARROW = ("FP16", "FP32")
SMALL = 256
"""Up to so many values Python looks at them faster than numpy does, which is most of what a row costs."""

_PLAIN_LIMITS = {"FP64": sys.float_info.max, "FP32": float(np.finfo(np.float32).max)}


def _is_plain(values: list[Any], datatype: str) -> bool:
    """Tells whether these are floats, not nested, that fit their type for sure."""
    limit = _PLAIN_LIMITS.get(datatype)
    if limit is None or not values or type(values[0]) is not float:
        return False
    return bool(-limit <= min(values) and max(values) <= limit)


def _narrowed(values: list[Any], datatype: str) -> Tensor:
    """Rounds to a narrower type; what is too large becomes an infinity, which the caller refuses."""
    with np.errstate(over="ignore"):
        return np.array(values, dtype=DTYPES[datatype])


def request_for(signature: Signature, feeds: Mapping[str, Any]) -> dict[str, Any]:
    """Builds a request as a JSON object from arrays by input name (the inverse of :meth:`Protocol.read`)."""
    inputs = []
    for spec in signature.inputs:
        array = np.asarray(feeds[spec.name], dtype=DTYPES[spec.datatype])
        entry: dict[str, Any] = {"name": spec.name, "shape": list(array.shape), "datatype": spec.datatype}
        data = array.ravel().tolist()
        if spec.datatype.startswith("FP") and np.isnan(array).any():
            entry["parameters"] = {NULLABLE: True}
            data = [None if value != value else value for value in data]
        inputs.append(entry | {"data": data})
    return {"inputs": inputs}


def _read_request(body: bytes | bytearray) -> _Request:
    try:
        request = _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise Invalid(f"the body is not an inference request: {_plain(str(error))}") from error
    except RecursionError as error:
        raise Invalid("the body is nested too deeply") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid("the body is not JSON") from error
    if not request.inputs:
        raise Invalid("the request has no inputs")
    return request


def _values(name: str, datatype: str, shape: Sequence[int], data: msgspec.Raw, nullable: bool) -> list[Any]:
    depth = _depth(memoryview(data))
    if depth not in (1, len(shape)):
        what = f"neither flat nor nested as deep as its shape {_shape(shape)}" if depth else "not a list of values"
        raise Invalid(f"the data of input {_shown(name)} is {what}")
    try:
        if depth == 1 and not nullable:
            return _flat[datatype].decode(data)
        kind: Any = _JSON_TYPES[datatype]
        if nullable and datatype.startswith("FP"):
            kind = float | None
        for _ in range(depth):
            kind = list.__class_getitem__(kind)
        values: list[Any] = msgspec.json.decode(data, type=kind)
        return values
    except msgspec.ValidationError as error:
        raise Invalid(f"input {_shown(name)} of datatype {datatype}: {_wrong_value(data, datatype)}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"the data of input {_shown(name)} is not JSON") from error


def _depth(text: memoryview) -> int:
    """Counts the brackets that the data begins with."""
    depth = 0
    for byte in text:
        if byte == 0x5B:
            depth += 1
        elif byte not in b" \t\r\n":
            break
    return depth


def _wrong_value(data: msgspec.Raw, datatype: str) -> str:
    """Finds the first value that is not of the type, to name it."""
    wanted = _JSON_TYPES[datatype]
    try:
        waiting = [msgspec.json.decode(data)]
    except (msgspec.DecodeError, RecursionError):
        return f"a value is not {_WORDS[wanted]} in range"
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(reversed(value))
        elif not isinstance(value, (int, float) if wanted is float else wanted) or isinstance(value, bool) != (
            wanted is bool
        ):
            return f"{_shown(msgspec.json.encode(value).decode())} is not {_WORDS[wanted]}"
    return f"a value is not {_WORDS[wanted]} in range, or the rows are nested unequally"


def _listed(value: Any) -> tuple[list[Any], bool]:
    """The values as a flat list, and whether all are finite."""
    array = np.asarray(value)
    data: list[Any] = array.ravel().tolist()
    if array.dtype.kind != "f":
        return data, True
    return data, math.isfinite(sum(data)) if array.size <= SMALL else bool(np.isfinite(array).all())


def _plain(text: str) -> str:
    return text.replace("`", "'").replace("Object missing", "missing").replace("Object contains", "contains")


def _nullable(tensor: _Input) -> bool:
    return bool(tensor.parameters) and tensor.parameters.get(NULLABLE) is True  # type: ignore[union-attr]


def _described(spec: TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "datatype": spec.datatype, "shape": spec.shape}


def _counted(array: Tensor) -> str:
    return f"{array.size} values" if array.ndim == 1 else f"values of shape {_shape(array.shape)}"


def _shape(shape: Sequence[int]) -> str:
    return _shown("[" + ", ".join(str(length) for length in shape[:8]) + ("]" if len(shape) <= 8 else ", ...]"))


def _names(names: Sequence[str] | Mapping[str, Any]) -> str:
    listed = list(names)
    return ", ".join(_shown(name) for name in listed[:8]) + (", ..." if len(listed) > 8 else "")


def _shown(text: str) -> str:
    cut = text if len(text) <= 60 else text[:57] + "..."
    return "".join(c if c.isprintable() else "?" for c in cut)
