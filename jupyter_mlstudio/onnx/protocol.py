"""Reads and writes inference requests of Open Inference Protocol V2 without ever changing a value silently.

Specification: Open Inference Protocol V2, "Inference Request JSON Object" and "Tensor Data Types", and Triton's "Binary
Tensor Data Extension". Missing numbers are announced: with ``"parameters": {"allow_null": true}``, of the tensor or
of the whole request, null (or NaN in binary data) stands for NaN; without, both are refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from jupyter_mlstudio.entities.models import Signature, TensorSpec
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx.binary import read_binary, write_binary
from jupyter_mlstudio.onnx.tensors import DATATYPES as DATATYPES
from jupyter_mlstudio.onnx.tensors import DTYPES as DTYPES
from jupyter_mlstudio.onnx.tensors import (
    ROWS_LIMIT,
    Inference,
    Tensor,
    check_shape,
    listed,
    names,
    read_floats,
    read_json,
    shown,
)

NULLABLE = "allow_null"
NON_FINITE = "the model answered with values that are not finite; JSON cannot hold them and shows null"

NO_BINARY: frozenset[str] = frozenset()

_SIZE = "binary_data_size"
_WANTED = "binary_data"
_ALL_WANTED = "binary_data_output"
_REFUSED = ("shared_memory_region", "shared_memory_offset", "shared_memory_byte_size", "classification")


class _Input(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    name: str
    datatype: str
    shape: list[int]
    data: msgspec.Raw = msgspec.Raw()
    parameters: dict[str, Any] | None = None


class _Plain(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    name: str
    datatype: str
    shape: list[int]
    data: list[float]


class _Output(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    parameters: dict[str, Any] | None = None


class _Request(msgspec.Struct, forbid_unknown_fields=True):
    inputs: list[_Input]
    outputs: list[_Output] | None = None
    id: str | None = None
    parameters: dict[str, Any] | None = None


class _PlainRequest(msgspec.Struct, forbid_unknown_fields=True):
    inputs: list[_Plain]
    outputs: list[_Output] | None = None
    id: str | None = None
    parameters: dict[str, Any] | None = None


_decoder = msgspec.json.Decoder(_Request)
_plain_decoder = msgspec.json.Decoder(_PlainRequest)
_encoder = msgspec.json.Encoder()
_WARNING = b',"parameters":' + _encoder.encode({"warning": NON_FINITE}) + b"}"


@dataclass(slots=True)
class Request(Inference):
    """A request of the protocol; ``binary`` names the outputs that are wanted as bytes."""

    id: str | None = None
    binary: frozenset[str] = NO_BINARY


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
        only = signature.inputs[0] if len(signature.inputs) == 1 else None
        self._plain = only if only is not None and only.datatype in ("FP32", "FP64") else None
        self._name = only.onnx_name or only.name if only is not None else ""
        self._start = _encoder.encode({"model_name": name, "model_version": version})[:-1] + b',"outputs":['
        self._heads = {spec.name: _encoder.encode(_typed(spec))[:-1] + b',"shape":' for spec in signature.outputs}

    def metadata(self) -> dict[str, Any]:
        """Describes the model as the protocol's "Model Metadata Response" does."""
        tensors = {
            "inputs": [_described(spec) for spec in self.signature.inputs],
            "outputs": [_described(spec) for spec in self.signature.outputs],
        }
        return {"name": self.name, "versions": [self.version], "platform": "onnxruntime_onnx", **tensors}

    def read(self, body: bytes | bytearray, json_bytes: int | None = None) -> Request:
        """Reads an inference request.

        Args:
            json_bytes: how long its JSON is, when tensors follow it as bytes.

        Raises:
            Invalid: it is not a request for this model; the message names the tensor, the row and the value.
            TooLarge: it has more rows than one request may have.
        """
        if json_bytes is None and self._plain is not None and (found := self._read_plain(self._plain, body)):
            return found
        if json_bytes is None:
            request, rest = _read_request(body), None
        else:
            if json_bytes > len(body):
                raise Invalid(f"the JSON is said to have {json_bytes} bytes, the whole body has {len(body)}")
            request, rest = _read_request(body[:json_bytes]), memoryview(body)[json_bytes:]
        parameters = request.parameters
        nullable = parameters is not None and _flag(parameters, NULLABLE)
        feeds: dict[str, Tensor] = {}
        rows = -1
        for tensor in request.inputs:
            spec = self._spec(tensor, feeds)
            rows = check_shape(spec, tensor.shape, rows, self._rows_limit)
            missing = nullable or (tensor.parameters is not None and _flag(tensor.parameters, NULLABLE))
            if tensor.parameters is None or _SIZE not in tensor.parameters:
                if not len(memoryview(tensor.data)):
                    raise Invalid(f"input {shown(tensor.name)} has no data")
                feeds[spec.onnx_name or spec.name] = read_json(spec, tensor.shape, tensor.data, missing)
            else:
                part, rest = _cut(tensor, rest)
                feeds[spec.onnx_name or spec.name] = read_binary(spec, tensor.shape, part, missing)
        if len(feeds) != len(self._inputs):
            absent = {name for name, spec in self._inputs.items() if (spec.onnx_name or name) not in feeds}
            raise Invalid(f"input {names(sorted(absent))} is missing")
        if rest:
            raise Invalid(f"{len(rest)} bytes follow the tensors that the JSON names")
        outputs: Sequence[TensorSpec] = self.signature.outputs
        binary = NO_BINARY
        if request.outputs or parameters:
            outputs, binary = self._asked(request.outputs, parameters)
        return Request(feeds, rows, outputs, request.id, binary)

    def _read_plain(self, spec: TensorSpec, body: bytes | bytearray) -> Request | None:
        """Reads the usual request, one flat tensor of floats, in one go; None for all others, wrong ones too."""
        try:
            request = _plain_decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        if len(request.inputs) != 1 or request.parameters:
            return None
        tensor = request.inputs[0]
        if tensor.name != spec.name or tensor.datatype != spec.datatype:
            return None
        rows = check_shape(spec, tensor.shape, -1, self._rows_limit)
        array = read_floats(tensor.data, spec.datatype, tensor.shape)
        if array is None:
            return None
        outputs = self._asked(request.outputs, None)[0] if request.outputs else self.signature.outputs
        binary = self._asked(request.outputs, None)[1] if request.outputs else NO_BINARY
        return Request({self._name: array}, rows, outputs, request.id, binary)

    def write(self, request: Request, tensors: Sequence[Any]) -> bytes:
        """Writes the answer as JSON; values that are not finite become null, and the answer says so."""
        return self.write_parts(request, tensors)[0]

    def write_parts(self, request: Request, tensors: Sequence[Any]) -> tuple[bytes, list[bytes]]:
        """Writes the answer: its JSON, and the bytes of the tensors that are wanted so."""
        text = [self._start]
        parts: list[bytes] = []
        warn = False
        between = b""
        for spec, value in zip(request.outputs, tensors, strict=True):
            text += (between, self._heads[spec.name], _encoder.encode(value.shape))
            between = b","
            if spec.name in request.binary:
                parts.append(write_binary(value, spec.datatype))
                text.append(b',"parameters":{"binary_data_size":%d}}' % len(parts[-1]))
            else:
                data, finite = listed(value)
                warn = warn or not finite
                text += (b',"data":', _encoder.encode(data), b"}")
        text.append(b"]")
        if request.id is not None:
            text += (b',"id":', _encoder.encode(request.id))
        text.append(_WARNING if warn else b"}")
        return b"".join(text), parts

    def _spec(self, tensor: _Input, feeds: Mapping[str, Tensor]) -> TensorSpec:
        spec = self._inputs.get(tensor.name)
        if spec is None:
            raise Invalid(f"input {shown(tensor.name)} is not one of the model's: {names(self._inputs)}")
        if (spec.onnx_name or spec.name) in feeds:
            raise Invalid(f"input {shown(tensor.name)} is there twice")
        if tensor.datatype != spec.datatype:
            raise Invalid(
                f"input {shown(spec.name)} has datatype {shown(tensor.datatype)}, the model takes {spec.datatype}"
            )
        return spec

    def _asked(
        self, outputs: list[_Output] | None, parameters: Mapping[str, Any] | None
    ) -> tuple[Sequence[TensorSpec], frozenset[str]]:
        """Which outputs are wanted, and which of them as bytes."""
        all_binary = _flag(parameters or {}, _ALL_WANTED)
        if not outputs:
            return self.signature.outputs, frozenset(self._outputs) if all_binary else frozenset()
        asked = []
        binary = set()
        for output in outputs:
            spec = self._outputs.get(output.name)
            if spec is None:
                raise Invalid(f"output {shown(output.name)} is not one of the model's: {names(self._outputs)}")
            if spec in asked:
                raise Invalid(f"output {shown(output.name)} is asked for twice")
            asked.append(spec)
            if _flag(output.parameters or {}, _WANTED, all_binary):
                binary.add(spec.name)
        return asked, frozenset(binary)


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


def _flag(parameters: Mapping[str, Any], name: str, otherwise: bool = False) -> bool:
    """One parameter that is true or false; refuses parameters that would change the meaning and are not known here."""
    for refused in _REFUSED:
        if refused in parameters:
            raise Invalid(f"the parameter {refused} does not work here: send the values themselves")
    value = parameters.get(name, otherwise)
    if not isinstance(value, bool):
        raise Invalid(f"the parameter {name} is not true or false")
    return value


def _cut(tensor: _Input, rest: memoryview | None) -> tuple[memoryview, memoryview]:
    """Takes a tensor's bytes from those that follow the JSON."""
    assert tensor.parameters is not None
    size = tensor.parameters[_SIZE]
    if rest is None:
        raise Invalid(f"input {shown(tensor.name)} is binary: the header Inference-Header-Content-Length is missing")
    if len(memoryview(tensor.data)):
        raise Invalid(f"input {shown(tensor.name)} has both data and {_SIZE}")
    if type(size) is not int or size < 0:
        raise Invalid(f"the parameter {_SIZE} of input {shown(tensor.name)} is not a number of bytes")
    if size > len(rest):
        raise Invalid(f"input {shown(tensor.name)} is said to have {size} bytes, only {len(rest)} are there")
    return rest[:size], rest[size:]


def _plain(text: str) -> str:
    return text.replace("`", "'").replace("Object missing", "missing").replace("Object contains", "contains")


def _typed(spec: TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "datatype": spec.datatype}


def _described(spec: TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "datatype": spec.datatype, "shape": spec.shape}
