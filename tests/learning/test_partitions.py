from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_mlstudio.entities.automl import AutoMLLimits, AutoMLSpec, ForecastingSettings
from jupyter_mlstudio.entities.automl_candidates import Partition
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.learning.partitions import Part, PartitionRun, part_spec, request_of, split

TABLE = pd.DataFrame(
    {
        "store": ["b", "a", "b", "a", None],
        "year": [1, 1, 2, 1, 2],
        "sold": [1.0, 2.0, 3.0, 4.0, np.nan],
        "what": list("vwxyz"),
    }
)
SPEC = AutoMLSpec(data="t.csv", target="sold", partition_by=["store"])


class Quick:
    """Makes models of parts at once, or after a while; a key with ``bad`` in it fails."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.shares: list[float] = []
        self.at_once = self.most = 0
        self.asked_to_stop: list[str] = []
        self._ends: dict[int, float] = {}

    def start(self, number: int, part: Part, timeout_s: float) -> Partition:
        if part.key["store"] == "worse":
            raise Invalid("it cannot begin")
        self.shares.append(timeout_s)
        self._ends[number] = time.monotonic() + self.seconds
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        return Partition(key=part.key, run_id=f"run{number}", rows=len(part.rows), fingerprint=part.fingerprint)

    def ended(self, number: int, begun: Partition) -> Partition | None:
        if time.monotonic() < self._ends[number]:
            return None
        self.at_once -= 1
        bad = begun.key["store"] == "bad"
        return replace(begun, failed="it is bad") if bad else replace(begun, score=0.5)

    def stop(self, begun: Partition) -> None:
        self.asked_to_stop.append(begun.run_id)


def made(work: Quick, stores: list[str], **changed: Any) -> list[Partition]:
    parts = split(pd.DataFrame({"store": stores, "x": range(len(stores))}), ["store"])
    told: list[list[Partition]] = []
    given: dict[str, Any] = {"known": {}, "stopped": lambda: False, "timeout_s": 60.0, **changed}
    found = PartitionRun(parts=parts, work=work, told=told.append, **given).run()
    assert told[-1] == found
    return found


def test_a_table_is_split_by_values_missing_ones_too() -> None:
    parts = split(TABLE, ["store"])
    assert [(part.key, part.rows.tolist()) for part in parts] == [
        ({"store": "a"}, [1, 3]), ({"store": "b"}, [0, 2]), ({"store": None}, [4]),
    ]  # fmt: skip
    assert split(TABLE, ["store", "year"])[0].key == {"store": "a", "year": 1}


def test_a_fingerprint_changes_with_its_own_rows_and_the_request_alone() -> None:
    before = {part.key["store"]: part.fingerprint for part in split(TABLE, ["store"], request_of(SPEC))}
    changed = TABLE.copy()
    changed.loc[0, "sold"] = 9.0
    after = {part.key["store"]: part.fingerprint for part in split(changed, ["store"], request_of(SPEC))}
    assert after["a"] == before["a"]
    assert after["b"] != before["b"]
    other = split(TABLE, ["store"], request_of(replace(SPEC, seed=1)))
    assert not {part.fingerprint for part in other} & set(before.values())
    elsewhere = split(TABLE, ["store"], request_of(replace(SPEC, data="moved.csv")))
    assert {part.fingerprint for part in elsewhere} == set(before.values())


def test_whole_numbers_are_the_same_though_another_part_has_a_missing_value() -> None:
    whole = pd.DataFrame({"store": ["a", "a", "b"], "x": [1, 2, 3]})
    holed = pd.DataFrame({"store": ["a", "a", "b"], "x": [1, 2, None]})
    first, second = split(whole, ["store"])[0], split(holed, ["store"])[0]
    assert first.fingerprint == second.fingerprint


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(Invalid, match="'shop' to split by: choose from store"):
        split(TABLE, ["shop"])


def test_a_part_that_fails_ends_no_other() -> None:
    found = made(Quick(), ["a", "bad", "c", "worse"])
    assert [(one.key["store"], one.score, one.failed) for one in found] == [
        ("a", 0.5, ""), ("bad", None, "it is bad"), ("c", 0.5, ""), ("worse", None, "it cannot begin"),
    ]  # fmt: skip


def test_a_part_that_has_not_changed_keeps_its_model() -> None:
    first = made(Quick(), ["a", "b", "c"])
    work = Quick()
    again = made(work, ["a", "b", "c"], known={one.fingerprint: one for one in first[:2]})
    assert [(one.run_id, one.reused) for one in again] == [("run0", True), ("run1", True), ("run2", False)]
    assert len(work.shares) == 1


def test_the_time_is_shared_fairly_and_some_are_made_at_a_time() -> None:
    work = Quick(seconds=0.01)
    made(work, list("abcdef"), parallel=2)
    assert work.most == 2
    assert work.shares[0] == pytest.approx(20, abs=1)  # three rounds of two
    assert work.shares[-1] > 50  # what the others left


def test_stop_lets_what_is_under_way_end_and_begins_nothing_more() -> None:
    work = Quick(seconds=0.4)
    found = made(work, list("abc"), stopped=lambda: len(work.shares) == 2)
    assert [one.failed for one in found] == ["", "", "stopped"]
    assert work.asked_to_stop == ["run1"]


def test_what_does_not_end_when_it_is_asked_to_is_not_waited_for() -> None:
    found = made(Quick(seconds=60), list("ab"), stopped=lambda: True, patience_s=0.1)
    assert [one.failed for one in found] == ["stopped", "stopped"]
    found = made(Quick(seconds=60), ["a"], stopped=iter([False, *[True] * 99]).__next__, patience_s=0.1)
    assert [(one.run_id, one.failed) for one in found] == [("run0", "stopped")]


def test_what_there_is_no_time_for_says_so() -> None:
    found = made(Quick(seconds=0.05), list("abc"), timeout_s=0.01)
    assert found[-1].failed == "there was no time for it"


def test_the_request_for_a_part_has_its_share_and_not_the_columns_of_the_split() -> None:
    forecasting = ForecastingSettings(time_column_name="when", time_series_id_column_names=["store", "item"])
    spec = replace(SPEC, forecasting=forecasting, limits=AutoMLLimits(timeout_s=600, max_concurrent_trials=4))
    found = part_spec(spec, 30.0, data="runs:/x/part.parquet")
    assert found.forecasting is not None
    assert found.forecasting.time_series_id_column_names == ["item"]
    assert (found.partition_by, found.limits.timeout_s, found.data) == ([], 30.0, "runs:/x/part.parquet")
