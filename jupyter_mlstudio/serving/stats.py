"""Counts requests and measures how long they took, cheaply enough to do for each."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable

SLICES = 6
SLICE_S = 10
"""Latencies are of the last ``SLICES * SLICE_S`` seconds, a minute."""

_STEP = math.log(1.04)
_FLOOR_S = 1e-6
_BUCKETS = 512
"""Buckets grow by 4 % from a microsecond to about nine minutes, so a quantile is at most 2 % off."""


class Stats:
    """Counts since the endpoint was created, and a histogram of the last minute."""

    def __init__(self, requests: int = 0, errors: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self.requests = requests
        self.errors = errors
        self._clock = clock
        self._slices: list[list[int]] = [[0] * _BUCKETS for _ in range(SLICES)]
        self._current = int(clock()) // SLICE_S

    def record(self, seconds: float, ok: bool) -> None:
        """Counts one request."""
        self.requests += 1
        if not ok:
            self.errors += 1
        bucket = int(math.log(max(seconds, _FLOOR_S) / _FLOOR_S) / _STEP)
        self._slices[self._current % SLICES][bucket if bucket < _BUCKETS else -1] += 1

    def turn(self) -> None:
        """Forgets what is older than a minute; called about once a second."""
        now = int(self._clock()) // SLICE_S
        for passed in range(min(now - self._current, SLICES)):
            self._slices[(now - passed) % SLICES] = [0] * _BUCKETS
        self._current = now

    def quantiles_ms(self, quantiles: tuple[float, ...] = (0.5, 0.95, 0.99)) -> list[float | None]:
        """Latencies of the last minute in milliseconds, None without requests."""
        counts = [sum(bucket) for bucket in zip(*self._slices, strict=True)]
        total = sum(counts)
        return [_quantile_ms(counts, total, quantile) for quantile in quantiles]


def _quantile_ms(counts: list[int], total: int, quantile: float) -> float | None:
    if not total:
        return None
    seen = itertools.accumulate(counts)
    bucket = next(number for number, count in enumerate(seen) if count >= quantile * total)
    return round(_FLOOR_S * math.exp((bucket + 0.5) * _STEP) * 1000, 4)
