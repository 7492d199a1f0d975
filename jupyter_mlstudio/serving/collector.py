"""Keeps a sample of what an endpoint was asked and answered, so that it can be looked at, and joined with the truth.

Rows are handed over in the path of a request and written by a thread, as Parquet where pyarrow is installed and else as
JSON lines: a file for a few seconds or some thousand rows, in ``<folder>/<deployment>/<day>/``. What finds no room in
the queue is dropped and counted; the request never waits. Each row has the correlation id that the answer's header
``x-request-id`` gave to the caller.
"""

from __future__ import annotations

import contextlib
import os
import queue
import random
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from jupyter_mlstudio.entities.models import Signature, TensorSpec
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.onnx.tensors import Inference

ROWS_WAITING = 20_000
"""Most rows that wait to be written."""

FILE_ROWS = 5_000
FLUSH_S = 5.0


class Collection(msgspec.Struct, frozen=True):
    """What to collect: Azure's ``data_collector``, with the columns whose values are left out."""

    enabled: bool = False
    sampling_rate: float = 1.0
    masked_columns: list[str] = []
    retention_days: int = 30


@dataclass(frozen=True, slots=True)
class Taken:
    """One request that was sampled, as it was fed to the model and answered."""

    identity: str
    at: float
    inference: Inference
    tensors: Sequence[Any]


class Collector:
    """Collects for one deployment, in one process.

    Args:
        folder: that of the endpoint's collected data.
        deployment, version: as they stand in each row.
        draw: answers a number from 0 to 1 for each request.
    """

    def __init__(
        self, collection: Collection, folder: Path, deployment: str, version: str, signature: Signature,
        draw: Callable[[], float] = random.random, flush_s: float = FLUSH_S,
    ) -> None:  # fmt: skip
        self._collection = collection
        self._folder = folder / deployment
        self._same = {"deployment": deployment, "version": version}
        self._table = Table(signature, frozenset(collection.masked_columns))
        self._draw = draw
        self._flush_s = flush_s
        self._queue: queue.Queue[Taken | None] = queue.Queue()
        self._waiting = 0
        self._lock = threading.Lock()
        self._number = 0
        self._cleaned: date | None = None
        self.rows = 0
        self.dropped = 0
        self._thread = threading.Thread(target=self._write_all, name="collector", daemon=True)
        self._thread.start()

    def samples(self) -> bool:
        """Decides whether the next request is taken."""
        return self._draw() < self._collection.sampling_rate

    def take(self, identity: str, inference: Inference, tensors: Sequence[Any]) -> None:
        """Hands a request over to be written; returns at once."""
        with self._lock:
            if self._waiting + inference.rows > ROWS_WAITING:
                self.dropped += 1
                return
            self._waiting += inference.rows
        self._queue.put(Taken(identity, time.time(), inference, tensors))

    def counts(self) -> dict[str, int]:
        """Rows that were written, and requests that were dropped."""
        return {"rows": self.rows, "dropped": self.dropped}

    def close(self) -> None:
        """Writes what waits, and ends."""
        self._queue.put(None)
        self._thread.join(10)

    def _write_all(self) -> None:
        over = False
        while not over:
            batch, over = self._gather()
            if not batch:
                continue
            rows = sum(one.inference.rows for one in batch)
            try:
                self._write(batch)
                self.rows += rows
            except Exception as error:  # the disk is full, say: scoring goes on
                print(f"collected rows could not be written: {type(error).__name__}: {error}", file=sys.stderr)
                self.dropped += len(batch)
            with self._lock:
                self._waiting -= rows

    def _gather(self) -> tuple[list[Taken], bool]:
        """Waits for requests, and a while for others to write with them; tells whether it is over."""
        first = self._queue.get()
        if first is None:
            return [], True
        batch = [first]
        rows = first.inference.rows
        until = time.monotonic() + self._flush_s
        while rows < FILE_ROWS:
            try:
                taken = self._queue.get(timeout=max(until - time.monotonic(), 0))
            except queue.Empty:
                return batch, False
            if taken is None:
                return batch, True
            batch.append(taken)
            rows += taken.inference.rows
        return batch, False

    def _write(self, batch: Sequence[Taken]) -> None:
        now = datetime.now(UTC)
        self._clean(now.date())
        folder = self._folder / now.date().isoformat()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._number += 1
        name = f"{now:%H%M%S}-{os.getpid()}-{self._number:05}"
        columns = self._table.columns(batch, self._same)
        with contextlib.suppress(ImportError):
            _write_parquet(folder / f"{name}.parquet", columns)
            return
        _write_lines(folder / f"{name}.jsonl", columns)

    def _clean(self, today: date) -> None:
        """Removes days that are older than they may be, once a day."""
        if self._cleaned == today or not self._folder.is_dir():
            return
        self._cleaned = today
        oldest = today - timedelta(days=self._collection.retention_days)
        for folder in self._folder.iterdir():
            with contextlib.suppress(ValueError):
                if date.fromisoformat(folder.name) < oldest:
                    shutil.rmtree(folder, ignore_errors=True)


class Table:
    """Requests and answers as columns: ``input.NAME`` and ``output.NAME``."""

    def __init__(self, signature: Signature, masked: frozenset[str]) -> None:
        self._inputs = signature.inputs
        self._outputs = signature.outputs
        self._masked = masked

    def columns(self, batch: Sequence[Taken], same: Mapping[str, str]) -> dict[str, list[JSON]]:
        """All rows of some requests, column by column; a masked value is null, and so is one that is not finite."""
        counts = [one.inference.rows for one in batch]
        times = [datetime.fromtimestamp(one.at, UTC).isoformat() for one in batch]
        found: dict[str, list[JSON]] = {
            "id": [one.identity for one, count in zip(batch, counts, strict=True) for _ in range(count)],
            "time": [at for at, count in zip(times, counts, strict=True) for _ in range(count)],
            "row": [number for count in counts for number in range(count)],
        }
        total = sum(counts)
        found |= {name: [value] * total for name, value in same.items()}
        for spec in self._inputs:
            arrays = [one.inference.feeds[spec.onnx_name or spec.name] for one in batch]
            found |= {f"input.{name}": values for name, values in self._spread(spec, arrays, counts)}
        for spec in self._outputs:
            answered = [_output(one, spec) for one in batch]
            found |= {f"output.{name}": values for name, values in self._spread(spec, answered, counts)}
        return found

    def _spread(
        self, spec: TensorSpec, arrays: Sequence[Any], counts: Sequence[int]
    ) -> Iterator[tuple[str, list[JSON]]]:
        """The columns of one tensor of several requests; an output that nobody asked for is null."""
        if spec.columns:
            for position, name in enumerate(spec.columns):
                hidden = name in self._masked or spec.name in self._masked
                yield (
                    name,
                    [
                        value
                        for array, count in zip(arrays, counts, strict=True)
                        for value in ([None] * count if hidden or array is None else _listed(array[:, position], count))
                    ],
                )
            return
        hidden = spec.name in self._masked
        yield (
            spec.name,
            [
                value
                for array, count in zip(arrays, counts, strict=True)
                for value in ([None] * count if hidden or array is None else _listed(array, count))
            ],
        )


def _output(taken: Taken, spec: TensorSpec) -> Any:
    for asked, tensor in zip(taken.inference.outputs, taken.tensors, strict=True):
        if asked.name == spec.name:
            return tensor
    return None


def _listed(array: Any, rows: int) -> list[JSON]:
    """One value for each row, or a list of values; a tensor that is not by row is repeated."""
    values = np.asarray(array)
    if values.shape[:1] != (rows,):
        return [_finite(values.tolist())] * rows
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    return [_finite(value) for value in values.tolist()]


def _finite(value: Any) -> JSON:
    if isinstance(value, list):
        return [_finite(one) for one in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value


def _write_parquet(path: Path, columns: Mapping[str, list[JSON]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    times = [datetime.fromisoformat(at) for at in columns["time"]]
    table = pa.table({**columns, "time": pa.array(times, pa.timestamp("us", tz="UTC"))})
    part = path.with_name(f".{path.name}")
    pq.write_table(table, part)
    part.replace(path)


def _write_lines(path: Path, columns: Mapping[str, list[JSON]]) -> None:
    names = list(columns)
    rows = zip(*columns.values(), strict=True)
    lines = b"\n".join(msgspec.json.encode(dict(zip(names, row, strict=True))) for row in rows)
    part = path.with_name(f".{path.name}")
    part.write_bytes(lines + b"\n")
    part.replace(path)
