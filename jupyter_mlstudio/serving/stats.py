"""Counts requests and measures how long they took, cheaply enough to do for each."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterable

SLICES = 6
SLICE_S = 10
"""Latencies are of the last ``SLICES * SLICE_S`` seconds, a minute."""

_STEP = math.log(1.04)
_FLOOR_S = 1e-6
_BUCKETS = 512
"""Buckets grow by 4 % from a microsecond to about nine minutes, so a quantile is at most 2 % off."""

Buckets = list[tuple[int, int]]
"""A histogram without its empty buckets: number of the bucket, how many are in it."""


class Stats:
    """Counts since the endpoint was created, and a histogram of the last minute.

    A scoring process records requests; the serve run adds up what several of them recorded.
    """

    def __init__(self, requests: int = 0, errors: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self.requests = requests
        self.errors = errors
        self._clock = clock
        self._fresh = [0] * _BUCKETS
        self._slices: list[list[int]] = [[0] * _BUCKETS for _ in range(SLICES)]
        self._current = int(clock()) // SLICE_S

    def record(self, seconds: float, ok: bool) -> None:
        """Counts one request."""
        self.requests += 1
        if not ok:
            self.errors += 1
        bucket = int(math.log(max(seconds, _FLOOR_S) / _FLOOR_S) / _STEP)
        self._fresh[bucket if bucket < _BUCKETS else -1] += 1

    def add(self, requests: int, errors: int, buckets: Iterable[tuple[int, int]]) -> None:
        """Counts what another one recorded."""
        self.requests += requests
        self.errors += errors
        for bucket, count in buckets:
            self._fresh[bucket] += count

    def turn(self) -> Buckets:
        """Forgets what is older than a minute; called about once a second. Answers what was recorded since then."""
        now = int(self._clock()) // SLICE_S
        for passed in range(min(now - self._current, SLICES)):
            self._slices[(now - passed) % SLICES] = [0] * _BUCKETS
        self._current = now
        fresh = [(bucket, count) for bucket, count in enumerate(self._fresh) if count]
        into = self._slices[now % SLICES]
        for bucket, count in fresh:
            into[bucket] += count
            self._fresh[bucket] = 0
        return fresh

    def quantiles_ms(self, quantiles: tuple[float, ...] = (0.5, 0.95, 0.99)) -> list[float | None]:
        """Latencies of the last minute in milliseconds, None without requests."""
        counts = [sum(bucket) for bucket in zip(self._fresh, *self._slices, strict=True)]
        total = sum(counts)
        return [_quantile_ms(counts, total, quantile) for quantile in quantiles]


def quantile_ms(buckets: Buckets, quantile: float) -> float | None:
    """A quantile of a histogram in milliseconds, None when it is empty."""
    counts = [0] * _BUCKETS
    for bucket, count in buckets:
        counts[bucket] += count
    return _quantile_ms(counts, sum(counts), quantile)


def _quantile_ms(counts: list[int], total: int, quantile: float) -> float | None:
    if not total:
        return None
    seen = itertools.accumulate(counts)
    bucket = next(number for number, count in enumerate(seen) if count >= quantile * total)
    return round(_FLOOR_S * math.exp((bucket + 0.5) * _STEP) * 1000, 4)
