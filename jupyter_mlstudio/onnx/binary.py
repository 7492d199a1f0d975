"""Tensors as bytes: the binary tensor data extension of the Open Inference Protocol.

Specification: Triton's "Binary Tensor Data Extension". Numbers are little-endian and row by row; a text is its length
in four bytes and then UTF-8. Sizes are checked before anything is read, and bytes that are left over are refused.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from jupyter_mlstudio.entities.models import TensorSpec
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx.tensors import DTYPES, Tensor, check_finite, placed, shaped, shown

_LENGTH = struct.Struct("<I")
_LITTLE = {name: np.dtype(kind).newbyteorder("<") for name, kind in DTYPES.items() if name != "BYTES"}


def read_binary(spec: TensorSpec, shape: Sequence[int], data: memoryview, nullable: bool) -> Tensor:
    """Reads one tensor's bytes.

    Args:
        data: exactly the bytes of this tensor.
        nullable: whether NaN stands for a missing value; without it NaN is refused.

    Raises:
        Invalid: the bytes are too few, too many, or hold what is not a value of the type.
    """
    if spec.datatype == "BYTES":
        return _read_texts(spec, shape, data)
    kind = _LITTLE[spec.datatype]
    wanted = math.prod(shape) * kind.itemsize
    if len(data) != wanted:
        raise Invalid(
            f"input {shown(spec.name)} has {len(data)} bytes, its shape {shaped(shape)} of {spec.datatype} takes"
            f" {wanted}"
        )
    if spec.datatype == "BOOL":
        flags = np.frombuffer(data, np.uint8)
        if flags.size and int(flags.max()) > 1:
            index = int(np.argmax(flags > 1))
            raise Invalid(f"{placed(spec, shape, index)} the byte {int(flags[index])} is neither 0 nor 1 (BOOL)")
        return flags.astype(np.bool_).reshape(tuple(shape))
    array = np.frombuffer(data, kind).astype(DTYPES[spec.datatype]).reshape(tuple(shape))  # a copy, and so aligned
    check_finite(spec, array, nullable)
    return array


def write_binary(value: Any, datatype: str) -> bytes:
    """Writes one tensor's values."""
    array = np.asarray(value)
    if datatype != "BYTES":
        return np.ascontiguousarray(array, _LITTLE[datatype]).tobytes()
    texts = [str(text).encode() for text in array.ravel().tolist()]
    return b"".join(part for text in texts for part in (_LENGTH.pack(len(text)), text))


def _read_texts(spec: TensorSpec, shape: Sequence[int], data: memoryview) -> Tensor:
    count = math.prod(shape)
    if count * _LENGTH.size > len(data):
        raise Invalid(f"input {shown(spec.name)} has {len(data)} bytes, too few for the lengths of {count} texts")
    texts: list[str] = []
    position = 0
    for index in range(count):
        start = position + _LENGTH.size
        end = start + (_LENGTH.unpack_from(data, position)[0] if start <= len(data) else 0)
        if start > len(data) or end > len(data):
            raise Invalid(f"{placed(spec, shape, index)} the text is longer than the bytes that are there")
        try:
            texts.append(str(data[start:end], "utf-8"))
        except UnicodeDecodeError as error:
            raise Invalid(f"{placed(spec, shape, index)} the text is not UTF-8") from error
        position = end
    if position != len(data):
        raise Invalid(f"input {shown(spec.name)} has {len(data) - position} bytes more than its {count} texts take")
    return np.array(texts, dtype=object).reshape(tuple(shape))
