"""Makes rows for a model of which nothing is known but its graph: seeded, of each input's type and shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx.session import open_session

ROWS, OTHER_LENGTH = 64, 4
VALUES_LIMIT = 4_000_000
_KINDS = {"float": np.float32, "double": np.float64, "float16": np.float16}
_WORDS = ("", "a", "b", "other")


def probe(model: bytes, rows: int = ROWS) -> dict[str, Any]:
    """Rows for each input. The first dimension takes ``rows`` where it is free, the others 4.

    Raises:
        Invalid: an input is no tensor.
    """
    random = np.random.default_rng(0)
    return {value.name: _values(value, rows, random) for value in open_session(model).get_inputs()}


def _values(value: Any, rows: int, random: Any) -> Any:
    free = [rows, *([OTHER_LENGTH] * len(value.shape))]
    shape = [length if isinstance(length, int) else free[number] for number, length in enumerate(value.shape)]
    width = int(np.prod(shape[1:], dtype=np.float64))
    if shape and not isinstance(value.shape[0], int) and width * shape[0] > VALUES_LIMIT:
        shape[0] = max(2, VALUES_LIMIT // width)
    kind = value.type.removeprefix("tensor(").removesuffix(")")
    if kind in _KINDS:
        return random.normal(size=shape).astype(_KINDS[kind])
    if kind == "string":
        return random.choice(np.array(_WORDS, dtype=object), shape)
    if kind == "bool":
        return random.integers(0, 2, shape).astype(bool)
    if kind in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"):
        return random.integers(0, 2, shape).astype(kind)
    raise Invalid(f"the input {value.name!r} is a {value.type}, for which no rows can be made")
