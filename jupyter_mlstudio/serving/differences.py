"""Compares two answers to the same request: what a copy of the traffic shows of a new model before it answers anybody.

Numbers with a fraction are measured, everything else (labels, whole numbers, truth values) is the same or not. Two
answers *disagree* when a label differs in any row, or, where an answer has numbers only, when one of them differs by
more than :data:`CLOSE` of the larger. An answer of protocol V2 is compared by its outputs, whether they travelled as
JSON or as bytes, one of Arrow by its columns, any other as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec

from jupyter_mlstudio.entities.models import TensorSpec
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx.binary import read_binary
from jupyter_mlstudio.serving.dialects.arrow import ARROW_TYPE
from jupyter_mlstudio.serving.drift import VALUES_LIMIT, Drift
from jupyter_mlstudio.serving.request import Reply

CLOSE = 0.05
EXAMPLES = 3
_TEXT_LIMIT = 200
_LENGTH = re.compile(rb"\r\ninference-header-content-length: *(\d{1,12})(?:\r|\Z)", re.I)
_SAID_OF_ITSELF = frozenset({"model_name", "model_version", "id", "parameters"})


@dataclass(slots=True)
class Difference:
    """What was found: values compared, labels that differ, the largest difference of numbers, some examples."""

    disagrees: bool = False
    values: int = 0
    labels: int = 0
    max_difference: float = 0.0
    total_difference: float = 0.0
    numbers: int = 0
    examples: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """As it is written to disk."""
        return asdict(self)


def compare(live: Reply, copy: Reply, drift: Drift | None = None) -> Difference:
    """Compares two answers; ``drift`` counts their values too."""
    try:
        left, right = _values(live), _values(copy)
    except (msgspec.DecodeError, UnicodeDecodeError, Invalid, ValueError):
        same = live.body == copy.body
        return Difference(disagrees=not same, values=1, labels=int(not same))
    found = Difference()
    far = False
    for place, one, other in _pairs(left, right, ""):
        found.values += 1
        if drift is not None and found.values <= VALUES_LIMIT:
            drift.note(place, one, other)
        if _is_number(one) and _is_number(other):
            gap = abs(one - other)
            found.numbers += 1
            found.max_difference = max(found.max_difference, gap)
            found.total_difference += gap
            differs = gap > CLOSE * max(abs(one), abs(other))
            far = far or differs
        else:
            differs = one != other
            found.labels += int(differs)
        if differs and len(found.examples) < EXAMPLES:
            found.examples.append({"at": place, "live": _short(one), "copy": _short(other)})
    only_numbers = found.numbers == found.values
    found.disagrees = far if only_numbers else found.labels > 0
    return found


def _values(reply: Reply) -> Any:
    """What an answer says, without what it says of itself: outputs and columns by name, anything else as it stands."""
    if reply.media.startswith(ARROW_TYPE) or b"\r\ncontent-type: " + ARROW_TYPE in reply.lines:
        import pyarrow as pa

        try:
            return pa.ipc.open_stream(reply.body).read_all().to_pydict()
        except pa.ArrowException as error:
            raise Invalid("the answer is no Arrow stream") from error
    length = _LENGTH.search(reply.lines)
    answer = msgspec.json.decode(reply.body[: int(length[1])] if length else reply.body)
    if isinstance(answer, dict) and isinstance(answer.get("outputs"), list):
        rest = memoryview(reply.body)[int(length[1]) if length else len(reply.body) :]
        return dict(_tensors([one for one in answer["outputs"] if isinstance(one, dict)], rest))
    if isinstance(answer, dict):
        return {name: value for name, value in answer.items() if name not in _SAID_OF_ITSELF}
    return answer


def _tensors(outputs: list[dict[str, Any]], rest: memoryview) -> Iterator[tuple[str, Any]]:
    """The outputs of protocol V2 by name, those of two dimensions row by row; NaN in bytes is no value, as in JSON."""
    for output in outputs:
        name, shape, data = str(output.get("name")), output.get("shape"), output.get("data")
        if size := (output.get("parameters") or {}).get("binary_data_size"):
            spec = TensorSpec(name=name, datatype=str(output["datatype"]), shape=list(shape or ()))
            listed = read_binary(spec, spec.shape, rest[:size], nullable=True).ravel().tolist()
            data = [None if value != value else value for value in listed]
            rest = rest[size:]
        rows, width = shape if isinstance(shape, list) and len(shape) == 2 else (0, 0)
        if width and isinstance(data, list) and len(data) == rows * width:
            data = [data[at : at + width] for at in range(0, len(data), width)]
        yield name, data


def _pairs(one: Any, other: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    """Walks through two values side by side; what is there on one side only is paired with None."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in {**one, **other}:
            yield from _pairs(one.get(name), other.get(name), f"{place}.{name}" if place else str(name))
    elif isinstance(one, list) and isinstance(other, list):
        for row in range(max(len(one), len(other))):
            left = one[row] if row < len(one) else None
            right = other[row] if row < len(other) else None
            yield from _pairs(left, right, f"{place}[{row}]")
    else:
        yield place, one, other


def _is_number(value: Any) -> bool:
    """Floats alone: an integer is a class as often as a count, and then "one off" means nothing."""
    return isinstance(value, float)


def _short(value: Any) -> Any:
    if isinstance(value, int | float | bool) or value is None:
        return value
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= _TEXT_LIMIT else text[: _TEXT_LIMIT - 3] + "..."
