"""Many models: a table is split by columns, and a part that has not changed keeps the model that it has."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from jupyter_mlstudio.entities.automl import AutoMLSpec
from jupyter_mlstudio.entities.automl_candidates import Partition
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid

MOST = 10_000
LEAST_S = 5.0
"""A part's share of the time is never less: what is left is a search that has time to begin."""

LOOK_S = 0.25


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a table.

    Args:
        key: the value of each column that it was split by; None is a missing one.
        rows: numbers of its rows.
        fingerprint: of these rows and the request.
    """

    key: dict[str, JSON]
    rows: NDArray[np.int64]
    fingerprint: str


def split(frame: pd.DataFrame, partition_by: Sequence[str], request: Mapping[str, JSON] | None = None) -> list[Part]:
    """Splits a table, in the order of the keys.

    Args:
        request: what is asked for beside the rows; another request is another model.

    Raises:
        Invalid: a column is not there, or there are more than :data:`MOST` parts.
    """
    missing = [name for name in partition_by if name not in frame.columns]
    if missing or not partition_by:
        names = ", ".join(map(str, frame.columns[:20]))
        raise Invalid(f"there is no column {missing[0] if missing else ''!r} to split by: choose from {names}")
    groups = frame.groupby(list(partition_by), sort=True, dropna=False).indices
    if len(groups) > MOST:
        raise Invalid(f"{', '.join(partition_by)} has {len(groups):,} values; {MOST:,} models at most: split coarser")
    head = json.dumps(request or {}, sort_keys=True, default=str)
    rest = frame.drop(columns=list(partition_by))
    hashed = _hashed(rest)
    found = []
    for key, rows in groups.items():
        values = key if isinstance(key, tuple) else (key,)
        own = np.sort(np.asarray(rows, dtype=np.int64))
        named = {name: _plain(value) for name, value in zip(partition_by, values, strict=True)}
        digest = hashlib.sha256(f"{head}\n{json.dumps(named, sort_keys=True)}\n{list(rest.columns)}".encode())
        digest.update(hashed[own].tobytes())
        found.append(Part(named, own, digest.hexdigest()))
    return found


def _hashed(frame: pd.DataFrame) -> NDArray[np.uint64]:
    """A hash of each row, whatever else the table has: 3 among missing values is the 3 among whole numbers."""
    plain = {}
    for place, name in enumerate(frame.columns):
        column = frame[name] if frame.columns.is_unique else frame.iloc[:, place]
        numeric = pd.api.types.is_numeric_dtype(column.dtype)
        plain[place] = column.astype("float64") if numeric else column.astype("string").fillna("\x00").astype(object)
    return np.asarray(pd.util.hash_pandas_object(pd.DataFrame(plain, index=frame.index), index=False), dtype=np.uint64)


def _plain(value: Any) -> JSON:
    """A value as JSON has it."""
    if value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, np.generic):
        value = value.item()
    return value if isinstance(value, bool | int | float | str) else str(value)


def request_of(spec: AutoMLSpec) -> dict[str, JSON]:
    """What a fingerprint holds of a request: everything but where the tables lie, and how many models at a time."""
    content = asdict(spec)
    for name in ("data", "validation_data", "test_data", "partition_by"):
        content.pop(name)
    content["limits"].pop("max_concurrent_trials")
    return content


def part_spec(spec: AutoMLSpec, timeout_s: float, **tables: str | None) -> AutoMLSpec:
    """The request for one part: the same, for a share of the time and without the columns that are the same in all."""
    limits = replace(spec.limits, timeout_s=timeout_s, max_concurrent_trials=1)
    forecasting = spec.forecasting
    if forecasting is not None:
        ids = [name for name in forecasting.time_series_id_column_names if name not in spec.partition_by]
        forecasting = replace(forecasting, time_series_id_column_names=ids)
    changed: dict[str, Any] = {"partition_by": [], "limits": limits, "forecasting": forecasting, **tables}
    return replace(spec, **changed)


class Work(Protocol):
    """Makes models of parts."""

    def start(self, number: int, part: Part, timeout_s: float) -> Partition:
        """Begins the model of a part; answers it without a score."""
        ...

    def ended(self, number: int, begun: Partition) -> Partition | None:
        """The part's model when it is over, with its score or the reason why there is none; None while it is not."""
        ...

    def stop(self, begun: Partition) -> None:
        """Asks what is under way to end with the best that it has."""
        ...


@dataclass(slots=True)
class PartitionRun:
    """Has models made for parts, some at a time, and shares the time among them.

    Args:
        known: fingerprint -> a model from before, which is taken again.
        told: called with all parts so far, in their order, when one begins or ends.
        stopped: whether people want it to end; asked several times a second. What is under way then has ``patience_s``
            to end with what it has.
    """

    parts: list[Part]
    work: Work
    known: Mapping[str, Partition]
    told: Callable[[list[Partition]], None]
    stopped: Callable[[], bool]
    timeout_s: float
    parallel: int = 1
    began: float = field(default_factory=time.monotonic)
    patience_s: float = 60.0

    def run(self) -> list[Partition]:
        """Makes them. One that fails ends no other; one that there is no time for has failed, too."""
        done: dict[int, Partition] = {}
        waiting: list[int] = []
        for number, part in enumerate(self.parts):
            before = self.known.get(part.fingerprint)
            if before is None:
                waiting.append(number)
            else:
                done[number] = replace(before, key=part.key, rows=len(part.rows), reused=True, failed="")
        running: dict[int, Partition] = {}
        ends_at = math.inf
        self._tell(done, running)
        while waiting or running:
            over = self.stopped()
            if over or self._left_s() <= 0:
                reason = "stopped" if over else "there was no time for it"
                for number in waiting:
                    done[number] = self._failed(number, reason)
                waiting = []
            if over and ends_at == math.inf:
                ends_at = time.monotonic() + self.patience_s
                for begun in running.values():
                    self.work.stop(begun)
            while waiting and len(running) < max(1, self.parallel):
                share = self._share_s(len(waiting), len(running))
                number = waiting.pop(0)
                self._begin(number, share, running, done)
            for number, begun in list(running.items()):
                found = self.work.ended(number, begun)
                if found is None and time.monotonic() > ends_at:
                    found = replace(begun, failed="stopped")
                if found is not None:
                    del running[number]
                    done[number] = found
            self._tell(done, running)
            if running:
                time.sleep(LOOK_S)
        return [done[number] for number in range(len(self.parts))]

    def _begin(self, number: int, share: float, running: dict[int, Partition], done: dict[int, Partition]) -> None:
        try:
            running[number] = self.work.start(number, self.parts[number], share)
        except Exception as error:
            done[number] = self._failed(number, str(error) or type(error).__name__)

    def _share_s(self, waiting: int, running: int) -> float:
        """What is left, by the rounds that are left: those that end early leave their time to the others."""
        rounds = math.ceil((waiting + running) / max(1, self.parallel))
        return max(LEAST_S, self._left_s() / rounds)

    def _left_s(self) -> float:
        return self.timeout_s - (time.monotonic() - self.began)

    def _failed(self, number: int, reason: str) -> Partition:
        part = self.parts[number]
        return Partition(key=part.key, run_id="", rows=len(part.rows), fingerprint=part.fingerprint, failed=reason)

    def _tell(self, done: dict[int, Partition], running: dict[int, Partition]) -> None:
        every = {**done, **running}
        self.told([every[number] for number in sorted(every)])
