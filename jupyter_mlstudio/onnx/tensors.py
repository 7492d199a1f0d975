"""Values on their way into a model, of exactly the type that was promised, and how they are named in a message.

numpy turns null into NaN, "1.5" into 1.5 and 1.9 into the integer 1; here JSON's own types are looked at first, so each
of these is refused with its place and its value.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from jupyter_mlstudio.entities.models import TensorSpec
from jupyter_mlstudio.errors import Invalid, TooLarge

Tensor = NDArray[Any]

ROWS_LIMIT = 100_000

DTYPES: dict[str, Any] = {
    "BOOL": np.bool_, "UINT8": np.uint8, "UINT16": np.uint16, "UINT32": np.uint32, "UINT64": np.uint64,
    "INT8": np.int8, "INT16": np.int16, "INT32": np.int32, "INT64": np.int64,
    "FP16": np.float16, "FP32": np.float32, "FP64": np.float64, "BYTES": np.object_,
}  # fmt: skip
"""Number types of the Open Inference Protocol and of numpy."""

DATATYPES = {np.dtype(dtype).name: name for name, dtype in DTYPES.items()}

SMALL = 256
"""Up to so many values Python looks at them faster than numpy does, which is most of what a row costs."""

_JSON_TYPES: dict[str, Any] = {name: float if name.startswith("FP") else int for name in DTYPES}
_JSON_TYPES |= {"BOOL": bool, "BYTES": str}
_TAKEN: dict[str, frozenset[type]] = {
    name: frozenset((float, int) if kind is float else (kind,)) for name, kind in _JSON_TYPES.items()
}
_WORDS = {float: "a number", int: "an integer", bool: "true or false", str: "a string"}
_NARROW = ("FP16", "FP32")
_PLAIN_LIMITS = {"FP64": sys.float_info.max, "FP32": float(np.finfo(np.float32).max)}
_flat: dict[str, msgspec.json.Decoder[list[Any]]] = {
    name: msgspec.json.Decoder(list.__class_getitem__(kind)) for name, kind in _JSON_TYPES.items()
}


@dataclass(slots=True)
class Inference:
    """A request, read and checked: what onnxruntime is fed, the rows of its batch, the outputs that were asked for."""

    feeds: dict[str, Tensor]
    rows: int
    outputs: Sequence[TensorSpec]


def read_json(spec: TensorSpec, shape: Sequence[int], data: msgspec.Raw, nullable: bool) -> Tensor:
    """Reads one tensor's values, flat or nested JSON, as exactly the type and shape that was promised.

    Args:
        nullable: whether null stands for NaN.

    Raises:
        Invalid: a value is not of the type; the message has its place.
    """
    datatype = spec.datatype
    values = _values(spec, shape, data, nullable)
    if not nullable and datatype in _PLAIN_LIMITS and values and type(values[0]) is float:
        array = read_floats(values, datatype, shape)
        if array is not None:
            return array
    try:
        array = _narrowed(values, datatype) if datatype in _NARROW else np.array(values, dtype=DTYPES[datatype])
    except OverflowError as error:
        raise Invalid(f"input {shown(spec.name)} holds a value that is out of range for {datatype}") from error
    except ValueError as error:
        raise Invalid(f"input {shown(spec.name)} has rows of different lengths") from error
    if array.shape != tuple(shape):
        if array.ndim != 1 or array.size != math.prod(shape):
            raise Invalid(f"input {shown(spec.name)} holds {_counted(array)}, its shape {shaped(shape)} says otherwise")
        array = array.reshape(tuple(shape))
    check_finite(spec, array, nullable)
    return array


def read_floats(values: list[float], datatype: str, shape: Sequence[int]) -> Tensor | None:
    """Makes an FP32 or FP64 tensor of floats; None when they are not as many as the shape says or do not fit."""
    count = len(values)
    if count != math.prod(shape):
        return None
    array = np.fromiter(values, np.float64, count)
    if not count:
        return None
    largest = float(np.abs(array).max()) if count > SMALL else max(max(values), -min(values))
    if not largest <= _PLAIN_LIMITS[datatype]:
        return None
    return (array if datatype == "FP64" else array.astype(np.float32)).reshape(shape)


def from_values(spec: TensorSpec, shape: Sequence[int], values: list[Any], missing: bool) -> Tensor:
    """Makes a tensor of values that JSON, CSV or the like were read into, flat and row by row.

    Args:
        missing: whether None stands for a missing value: NaN for a number, the empty text for a text.

    Raises:
        Invalid: a value is not of the type; the message has its row and column.
    """
    datatype = spec.datatype
    kinds = set(map(type, values))
    if missing and type(None) in kinds and (datatype == "BYTES" or datatype.startswith("FP")):
        kinds.remove(type(None))
        if datatype == "BYTES":
            values = ["" if value is None else value for value in values]
    if not kinds <= _TAKEN[datatype]:
        raise Invalid(_first_wrong(spec, shape, values, missing))
    try:
        array = _narrowed(values, datatype)
    except OverflowError as error:
        raise Invalid(_first_too_large(spec, shape, values)) from error
    array = array.reshape(tuple(shape))
    check_finite(spec, array, missing)
    return array


def check_finite(spec: TensorSpec, array: Tensor, nullable: bool) -> None:
    """Refuses infinities, and NaN where it does not stand for a missing value; names the first."""
    if array.dtype.kind != "f":
        return
    wrong = np.isinf(array) if nullable else ~np.isfinite(array)
    if wrong.any():
        index = int(np.argmax(wrong))
        value = float(array.ravel()[index])
        what = "NaN is not a number" if value != value else f"the value is out of range for {spec.datatype}"
        raise Invalid(f"{placed(spec, array.shape, index)} {what}")


def check_shape(spec: TensorSpec, shape: Sequence[int], rows: int, rows_limit: int) -> int:
    """Checks a shape against the signature; answers the number of rows, which all inputs share."""
    if len(shape) != len(spec.shape):
        raise Invalid(f"input {shown(spec.name)} has shape {shaped(shape)}, the model takes {shaped(spec.shape)}")
    for length, wanted in zip(shape, spec.shape, strict=True):
        if length < 1 if wanted < 0 else length != wanted:
            raise Invalid(
                f"input {shown(spec.name)} has shape {shaped(shape)}, the model takes {shaped(spec.shape)}"
                " where -1 is any number from 1"
            )
    if not shape or spec.shape[0] >= 0:
        return max(rows, 1)
    check_rows(shape[0], rows_limit)
    if rows not in (-1, shape[0]):
        raise Invalid(f"input {shown(spec.name)} has {shape[0]} rows, the others have {rows}")
    return shape[0]


def check_rows(rows: int, limit: int) -> None:
    """Refuses more rows than one request may have."""
    if rows > limit:
        raise TooLarge(f"{rows} rows are more than the {limit} of one request: send them in parts")


def listed(value: Any) -> tuple[list[Any], bool]:
    """The values as a flat list, and whether all are finite."""
    array = value if type(value) is np.ndarray else np.asarray(value)
    data: list[Any] = array.ravel().tolist() if array.ndim > 1 else array.tolist()
    if array.dtype.kind != "f":
        return data, True
    return data, math.isfinite(sum(data)) if array.size <= SMALL else bool(np.isfinite(array).all())


def placed(spec: TensorSpec, shape: Sequence[int], index: int) -> str:
    """Names a value by its tensor, row and column."""
    width = math.prod(shape[1:]) or 1
    row, column = divmod(index, width)
    if spec.columns and column < len(spec.columns):
        return f"column {shown(spec.columns[column])}, row {row}:"
    where = f", column {column}" if width > 1 else ""
    return f"input {shown(spec.name)}, row {row}{where}:"


def wrong_value(value: Any, datatype: str) -> str:
    """Says what a value is not."""
    return f"{_text(value)} is not {_WORDS[_JSON_TYPES[datatype]]}"


def shaped(shape: Sequence[int]) -> str:
    """A shape as it stands in a message."""
    return shown("[" + ", ".join(str(length) for length in shape[:8]) + ("]" if len(shape) <= 8 else ", ...]"))


def names(listed_names: Sequence[str] | Mapping[str, Any]) -> str:
    """Some names as they stand in a message."""
    some = list(listed_names)
    return ", ".join(shown(name) for name in some[:8]) + (", ..." if len(some) > 8 else "")


def shown(text: str) -> str:
    """A text that a client sent, cut and without what a terminal or a log would obey."""
    cut = text if len(text) <= 60 else text[:57] + "..."
    return "".join(c if c.isprintable() else "?" for c in cut)


def _values(spec: TensorSpec, shape: Sequence[int], data: msgspec.Raw, nullable: bool) -> list[Any]:
    datatype = spec.datatype
    depth = _depth(memoryview(data))
    if depth not in (1, len(shape)):
        what = f"neither flat nor nested as deep as its shape {shaped(shape)}" if depth else "not a list of values"
        raise Invalid(f"the data of input {shown(spec.name)} is {what}")
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
        raise Invalid(_first_wrong_json(spec, shape, data, nullable)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"the data of input {shown(spec.name)} is not JSON") from error


def _depth(text: memoryview) -> int:
    """Counts the brackets that the data begins with."""
    depth = 0
    for byte in text:
        if byte == 0x5B:
            depth += 1
        elif byte not in b" \t\r\n":
            break
    return depth


def _first_wrong_json(spec: TensorSpec, shape: Sequence[int], data: msgspec.Raw, nullable: bool) -> str:
    """Finds the first value that is not of the type, to name it."""
    try:
        return _first_wrong(spec, shape, list(_leaves(msgspec.json.decode(data))), nullable)
    except (msgspec.DecodeError, RecursionError):
        word = _WORDS[_JSON_TYPES[spec.datatype]]
        return f"input {shown(spec.name)} of datatype {spec.datatype}: a value is not {word} in range"


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for one in value:
            yield from _leaves(one)
    else:
        yield value


def _first_wrong(spec: TensorSpec, shape: Sequence[int], values: list[Any], missing: bool) -> str:
    taken = _TAKEN[spec.datatype]
    for index, value in enumerate(values):
        if type(value) not in taken and not (missing and value is None and spec.datatype.startswith("FP")):
            return f"{placed(spec, shape, index)} {wrong_value(value, spec.datatype)} ({spec.datatype})"
    word = _WORDS[_JSON_TYPES[spec.datatype]]
    return f"input {shown(spec.name)}: a value is not {word} in range, or the rows are nested unequally"


def _first_too_large(spec: TensorSpec, shape: Sequence[int], values: list[Any]) -> str:
    for index, value in enumerate(values):
        try:
            np.array([value], dtype=DTYPES[spec.datatype])
        except OverflowError:
            return f"{placed(spec, shape, index)} {_text(value)} is out of range for {spec.datatype}"
    return f"input {shown(spec.name)} holds a value that is out of range for {spec.datatype}"


def _narrowed(values: list[Any], datatype: str) -> Tensor:
    """Rounds to a narrower type; what is too large becomes an infinity, which the caller refuses."""
    with np.errstate(over="ignore"):
        return np.array(values, dtype=DTYPES[datatype])


def _text(value: Any) -> str:
    """A value as JSON, where it is one that JSON's writer here can write."""
    try:
        return shown(msgspec.json.encode(value).decode())
    except (OverflowError, TypeError):
        return "a number of more than 64 bits" if isinstance(value, int) else f"a {type(value).__name__}"


def _counted(array: Tensor) -> str:
    return f"{array.size} values" if array.ndim == 1 else f"values of shape {shaped(array.shape)}"
