"""Points of a metric, packed: a record is step (int64), seconds since 1970 and value (float64), little-endian.

A chunk is up to :data:`CHUNK` records in a row. A million points are 245 chunks of 96 KiB, read in one query.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jupyter_mlstudio.entities.tracking import Part

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHUNK = 4096
RECORD_BYTES = 24
SPARK_VALUES = 60


def pack(steps: Sequence[int], times: Sequence[float], values: Sequence[float]) -> bytes:
    """Packs points into records."""
    flat: list[float] = [0.0] * (3 * len(steps))
    flat[0::3], flat[1::3], flat[2::3] = steps, times, values
    return struct.pack("<" + "qdd" * len(steps), *flat)


def unpack(data: bytes) -> NDArray[Any]:
    """Reads records as a structured array with the fields ``step``, ``time`` and ``value``."""
    import numpy as np

    return np.frombuffer(data, dtype=[("step", "<i8"), ("time", "<f8"), ("value", "<f8")])


@dataclass(slots=True)
class Spark:
    """A short outline of a series that grows: every ``stride``-th value, doubled whenever it gets too long."""

    values: list[float]
    stride: int
    seen: int

    def add(self, values: Sequence[float]) -> None:
        """Takes in the next values of the series."""
        first = -self.seen % self.stride
        self.values += values[first :: self.stride]
        self.seen += len(values)
        while len(self.values) > 2 * SPARK_VALUES:
            self.values = self.values[::2]
            self.stride *= 2

    def packed(self) -> bytes:
        """Returns the values as float64."""
        return struct.pack(f"<{len(self.values)}d", *self.values)

    @classmethod
    def of(cls, data: bytes, stride: int, seen: int) -> Spark:
        """Reads what :meth:`packed` wrote."""
        return cls(list(struct.unpack(f"<{len(data) // 8}d", data)), stride, seen)


def outline(data: bytes, stride: int, count: int, last: float) -> list[float | None]:
    """Returns at most :data:`SPARK_VALUES` values of a packed spark, None where not finite.

    The first and the last value of the series are among them.
    """
    values = list(struct.unpack(f"<{len(data) // 8}d", data))
    step = math.ceil(len(values) / (SPARK_VALUES - 1)) or 1
    shown = values[::step]
    if (len(shown) - 1) * step * stride != count - 1:
        shown.append(last)
    return [value if math.isfinite(value) else None for value in shown]


def within(points: NDArray[Any], part: Part) -> NDArray[Any]:
    """Returns the points of a part, in their order."""
    import numpy as np

    inside = np.ones(len(points), dtype=bool)
    for bound, name, compare in (
        (part.from_step, "step", np.greater_equal),
        (part.to_step, "step", np.less_equal),
        (part.from_time, "time", np.greater_equal),
        (part.to_time, "time", np.less_equal),
    ):
        if bound is not None:
            inside &= compare(points[name], bound)
    chosen: NDArray[Any] = points[inside]
    return chosen


def thinned(points: NDArray[Any], wanted: int) -> NDArray[Any]:
    """Picks at most ``wanted`` points that keep the first, the last and the extremes of every stretch.

    The picking is tsdownsample's MinMax; values that are not finite do not take part in it, but where a few
    stretches of them break a line, the first of each stays.
    """
    import numpy as np
    from tsdownsample import MinMaxDownsampler

    values = np.where(np.isfinite(points["value"]), points["value"], np.nan)
    finite = np.flatnonzero(~np.isnan(values))
    missing = np.isnan(values)
    gaps = np.flatnonzero(missing & ~np.concatenate([[False], missing[:-1]]))
    gaps = gaps if len(gaps) <= wanted // 4 else gaps[:0]
    room = wanted - len(gaps) - 2
    if len(finite) <= room:
        chosen = finite
    else:
        sampler: Any = MinMaxDownsampler
        pick = sampler().downsample(np.ascontiguousarray(values[finite]), n_out=room // 2 * 2)
        chosen = finite[pick]
    kept: NDArray[Any] = points[np.unique(np.concatenate([chosen, gaps, [0, len(points) - 1]]))[:wanted]]
    return kept
