"""Points of metrics: every bit comes back, and what is thinned out keeps what can be seen."""

from __future__ import annotations

import math
import struct
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlstudio.entities.tracking import LogBatch, Part, Points
from jupyter_mlstudio.store.points import SPARK_VALUES, Spark, outline, pack, thinned, unpack
from jupyter_mlstudio.studio import Studio
from tests.world import insert_run, log

STEPS = st.integers(-(2**63), 2**63 - 1)
RECORDS = st.lists(st.tuples(STEPS, st.floats(0, 1e10), st.floats(width=64)), max_size=50)


@given(RECORDS)
def test_every_bit_of_a_point_comes_back(records: list[tuple[int, float, float]]) -> None:
    steps, times, values = ([record[part] for record in records] for part in range(3))
    points = unpack(pack(steps, times, values))
    assert points["step"].tolist() == steps
    assert points["time"].tolist() == times
    assert struct.pack(f"<{len(values)}d", *points["value"]) == struct.pack(f"<{len(values)}d", *values)


@given(st.lists(st.floats(width=64), min_size=3, max_size=3000), st.integers(10, 200))
def test_thinning_keeps_the_ends_and_the_extremes(values: list[float], wanted: int) -> None:
    points = unpack(pack(list(range(len(values))), [0.0] * len(values), values))
    shown = thinned(points, wanted)
    assert len(shown) <= wanted
    assert (shown["step"][0], shown["step"][-1]) == (0, len(values) - 1)
    assert (np.diff(shown["step"]) > 0).all()
    finite = [value for value in values if math.isfinite(value)]
    if finite:
        kept = shown["value"][np.isfinite(shown["value"])]
        assert (kept.min(), kept.max()) == (min(finite), max(finite))


@given(st.lists(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), min_size=1, max_size=20))
def test_an_outline_grows_with_its_series_and_stays_short(batches: list[list[float]]) -> None:
    data, stride, seen = b"", 1, 0
    for batch in batches:
        spark = Spark.of(data, stride, seen)
        spark.add(batch)
        data, stride, seen = spark.packed(), spark.stride, spark.seen
    values = [value for batch in batches for value in batch]
    shown = outline(data, stride, seen, values[-1])
    assert len(shown) <= SPARK_VALUES
    assert (shown[0], shown[-1]) == (values[0], values[-1])
    if len(values) < SPARK_VALUES:
        assert shown == values


def test_F41_a_million_points_are_all_kept_and_five_thousand_are_shown(studio: Studio) -> None:
    run_id, count, batch = insert_run(studio), 1_000_000, 50_000
    values = np.sin(np.arange(count) / 1000)
    values[123_457], values[765_432], values[500_000:500_010] = 50.0, -50.0, np.nan
    began = time.monotonic()
    for number, start in enumerate(range(0, count, batch)):
        part = Points(
            steps=list(range(start, start + batch)), times=[1e9 + start] * batch,
            values=values[start : start + batch].tolist(),
        )  # fmt: skip
        assert studio.tracking.log(run_id, LogBatch(client="c", sequence=number + 1, metrics={"loss": part}))
    assert count / (time.monotonic() - began) > 20_000
    series = studio.tracking.series(run_id, ["loss"])[0]
    assert (series.total, series.non_finite, series.sampled) == (count, 10, True)
    assert len(series.values) <= 5000
    assert (min(series.values), max(series.values)) == (-50.0, 50.0)
    kept = studio.tracking.series(run_id, ["loss"], max_points=count)[0]
    assert np.array_equal(np.array(kept.values), values, equal_nan=True)
    tail = studio.tracking.series(run_id, ["loss"], after=count - 10)[0]
    assert tail.steps == list(range(count - 10, count))
    summary = studio.tracking.summaries(run_id)[0]
    assert (summary.count, summary.min, summary.max, summary.last_step) == (count, -50.0, 50.0, count - 1)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.0, 1e-320, 5e-324, 1.7976931348623157e308])
def test_X12_a_value_is_told_exactly(studio: Studio, value: float) -> None:
    run_id = insert_run(studio)
    log(studio, run_id, {"x": [value]})
    summary, run = studio.tracking.summaries(run_id)[0], studio.runs.get(run_id)
    for told in (summary.last, run.metrics["x"], studio.tracking.series(run_id, ["x"])[0].values[0]):
        assert struct.pack("<d", told) == struct.pack("<d", value)
    finite = math.isfinite(value)
    assert (summary.min, summary.max) == ((value, value) if finite else (None, None))


STEPS_TOLD = {
    0: 0,
    -1: -1,
    2**53 - 1: 2**53 - 1,
    -(2**53) + 1: -(2**53) + 1,
    2**53: "9007199254740992",
    2**53 + 1: "9007199254740993",
    -(2**63): "-9223372036854775808",
    2**63 - 1: "9223372036854775807",
}


@pytest.mark.parametrize("step", STEPS_TOLD)
def test_X12_a_step_that_a_browser_would_round_is_told_as_text(studio: Studio, step: int) -> None:
    run_id = insert_run(studio)
    points = Points(steps=[step], times=[1.0], values=[1.0])
    assert studio.tracking.log(run_id, LogBatch(client="c", sequence=1, metrics={"x": points}))
    assert studio.tracking.series(run_id, ["x"])[0].steps == [STEPS_TOLD[step]]
    assert studio.tracking.summaries(run_id)[0].last_step == STEPS_TOLD[step]


def test_a_part_of_a_long_series_is_read_as_it_is(studio: Studio) -> None:
    run_id = insert_run(studio)
    log(studio, run_id, {"loss": [math.sin(n / 7) for n in range(20_000)]})
    whole = studio.tracking.series(run_id, ["loss"], max_points=500)[0]
    part = studio.tracking.series(run_id, ["loss"], max_points=500, part=Part(from_step=9_000, to_step=9_400))[0]
    assert whole.sampled
    assert (part.steps, part.sampled, part.total) == (list(range(9_000, 9_401)), False, 20_000)
    at = part.times[200]
    (one,) = studio.tracking.series(run_id, ["loss"], part=Part(from_time=at, to_time=at))
    assert at in one.times
    assert set(one.times) == {at}


def test_a_gap_stays_when_points_are_thinned_out() -> None:
    values = [float(n % 50) for n in range(10_000)]
    values[4_000:4_010] = [math.nan] * 10
    shown = thinned(unpack(pack(list(range(10_000)), [0.0] * 10_000, values)), 100)
    assert len(shown) <= 100
    assert 4_000 in shown["step"].tolist()
