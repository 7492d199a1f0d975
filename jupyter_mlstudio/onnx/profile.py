"""Measures latency and memory of an ONNX model over batch sizes and threads, and says which limits to start with."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from jupyter_mlstudio.onnx.session import open_session

BATCHES = (1, 10, 100, 1000)
TRIES, LIMIT_S = 200, 0.5
GAIN = 1.3
"""How much faster twice the threads have to be to be worth it."""


@dataclass(frozen=True, slots=True)
class Point:
    """One combination: latency of a request in milliseconds, rows in a second, resident memory of the process."""

    rows: int
    threads: int
    median_ms: float
    p95_ms: float
    rows_per_s: float
    memory_mb: float


def profile(model: bytes, feeds: Mapping[str, Any], batches: Iterable[int] = BATCHES) -> list[Point]:
    """Measures each batch size with 1, 2, 4 ... threads, up to the processors there are."""
    batches = list(batches)
    return [_measure(model, feeds, rows, threads) for threads in thread_counts() for rows in batches]


def thread_counts() -> list[int]:
    """Powers of two up to the processors of this process."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return [2**power for power in range(cores.bit_length()) if 2**power <= cores]


def suggested(points: list[Point]) -> dict[str, float]:
    """Limits to start with: threads that pay, a timeout far above what is usual, memory with room."""
    largest = max(point.rows for point in points)
    at = sorted((point for point in points if point.rows == largest), key=lambda point: point.threads)
    best = at[0]
    for point in at[1:]:
        if best.median_ms / point.median_ms >= GAIN:
            best = point
    slowest = max(point.p95_ms for point in points if point.threads == best.threads)
    return {
        "threads": best.threads,
        "request_timeout_ms": max(1000, int(slowest * 20)),
        "memory_mb": int(max(point.memory_mb for point in points) * 2) + 128,
    }


def _measure(model: bytes, feeds: Mapping[str, Any], rows: int, threads: int) -> Point:
    session = open_session(model, threads)
    batch = {name: np.resize(tensor, (rows, *tensor.shape[1:])) for name, tensor in feeds.items()}
    session.run(None, batch)
    took: list[float] = []
    until = time.perf_counter() + LIMIT_S
    while len(took) < TRIES and (len(took) < 3 or time.perf_counter() < until):
        began = time.perf_counter()
        session.run(None, batch)
        took.append((time.perf_counter() - began) * 1000)
    median = statistics.median(took)
    p95 = float(np.quantile(took, 0.95, method="higher"))
    return Point(rows, threads, median, p95, rows / median * 1000, _memory_mb())


def _memory_mb() -> float:
    import psutil

    return float(psutil.Process().memory_info().rss) / 1e6
