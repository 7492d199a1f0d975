from __future__ import annotations

import json
import os
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jupyter_mlstudio.client import charts
from jupyter_mlstudio.client.wire import Connection
from jupyter_mlstudio.client.writer import Writer
from tests.client.gateway import Gateway
from tests.waiting import until


@pytest.fixture
def writer(run_folder: Path) -> Iterator[Callable[[Gateway], Writer]]:
    made: list[Writer] = []

    def make(gateway: Gateway) -> Writer:
        link = Connection(gateway.url, gateway.token, timeout_s=2.0)
        made.append(Writer(gateway.run_id, lambda: link, run_folder))
        return made[-1]

    yield make
    for one in made:
        one._closed = True
        one._connection().close()


def point(writer: Writer, value: float, step: int | None = None, name: str = "loss") -> None:
    writer.points.append((name, value, step, time.time()))


def spooled(run_folder: Path) -> list[dict[str, object]]:
    files = list((run_folder / "spool").glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def test_points_travel_in_columns_and_in_the_order_they_were_logged(writer: Callable[[Gateway], Writer]) -> None:
    with Gateway() as gateway:
        one = writer(gateway)
        for step, value in enumerate((0.5, 0.25, 0.125)):
            point(one, value, step)
        assert one.flush()

    assert len(gateway.batches) == 1
    assert set(gateway.batches[0]) == {"client", "sequence", "metrics"}
    assert gateway.points("loss") == [(0, 0.5), (1, 0.25), (2, 0.125)]


def test_the_thread_flushes_within_half_a_second(writer: Callable[[Gateway], Writer]) -> None:
    with Gateway() as gateway:
        one = writer(gateway)
        one.start()
        point(one, 1.0)
        until(lambda: gateway.points("loss"))
        one.close()


def test_f39_nan_and_infinities_keep_their_place(writer: Callable[[Gateway], Writer]) -> None:
    with Gateway() as gateway:
        one = writer(gateway)
        for step, value in ((0, float("nan")), (5, float("inf")), (5, float("-inf")), (6, -0.0)):
            point(one, value, step)
        one.flush()

    assert gateway.points("loss") == [(0, "NaN"), (5, "Infinity"), (5, "-Infinity"), (6, -0.0)]


def test_steps_that_are_not_given_count_up_for_each_metric(writer: Callable[[Gateway], Writer]) -> None:
    with Gateway() as gateway:
        one = writer(gateway)
        for name, step in (("a", None), ("b", None), ("a", None), ("a", 10), ("a", None)):
            point(one, 1.0, step, name)
        one.flush()

    assert [step for step, _ in gateway.points("a")] == [0, 1, 10, 11]
    assert [step for step, _ in gateway.points("b")] == [0]


def test_r05_a_step_beyond_64_bits_is_left_out_with_a_warning(writer: Callable[[Gateway], Writer]) -> None:
    with Gateway() as gateway:
        one = writer(gateway)
        point(one, 1.0, 2**63)
        point(one, 2.0, 2**63 - 1)
        with pytest.warns(RuntimeWarning, match="64 bits"):
            one.flush()

    assert gateway.points("loss") == [(2**63 - 1, 2.0)]


def test_r05_an_integer_beyond_every_float_is_left_out_with_a_warning(writer: Callable[[Gateway], Writer]) -> None:
    with Gateway() as gateway:
        one = writer(gateway)
        point(one, 10**400)
        point(one, 2.0)
        with pytest.warns(RuntimeWarning, match="64-bit float"):
            one.flush()

    assert gateway.points("loss") == [(0, 2.0)]


def test_many_points_are_sent_in_several_batches(writer: Callable[[Gateway], Writer]) -> None:
    with Gateway() as gateway:
        one = writer(gateway)
        for step in range(45_000):
            point(one, 0.5, step)
        one.flush()

    assert [batch["sequence"] for batch in gateway.batches] == [1, 2, 3]
    assert len(gateway.points("loss")) == 45_000


def test_while_the_gateway_is_away_batches_wait_on_disk_and_arrive_once_and_in_order_when_it_is_back(
    writer: Callable[[Gateway], Writer], run_folder: Path
) -> None:
    with Gateway() as gateway:
        one = writer(gateway)
        point(one, 1.0)
        one.flush()
    for value in (2.0, 3.0):
        point(one, value)
        assert not one.flush()
    assert [batch["sequence"] for batch in spooled(run_folder)] == [2, 3]

    with Gateway(port=gateway.port) as back:
        point(one, 4.0)
        assert one.flush()
        assert [batch["sequence"] for batch in back.batches] == [2, 3, 4]
        assert [value for _, value in back.points("loss")] == [2.0, 3.0, 4.0]
    assert spooled(run_folder) == []


def test_f48_a_batch_whose_answer_was_lost_is_sent_again_with_its_sequence_and_taken_once(
    writer: Callable[[Gateway], Writer],
) -> None:
    with Gateway() as gateway:
        gateway.lose_answers = 1
        one = writer(gateway)
        point(one, 1.0)
        one.flush()
        point(one, 2.0)
        assert one.flush()

    assert max(gateway.seen.values()) > 1
    assert gateway.points("loss") == [(0, 1.0), (1, 2.0)]


def test_what_cannot_be_delivered_at_the_end_stays_in_the_spool_for_the_supervisor(
    writer: Callable[[Gateway], Writer], run_folder: Path
) -> None:
    with Gateway() as gateway:
        one = writer(gateway)
        one.start()
    point(one, 1.0)
    one.detail("params", {"lr": "0.1"})
    one.close()

    assert [sorted(set(batch) - {"client", "sequence"}) for batch in spooled(run_folder)] == [["metrics"], ["params"]]


def test_a_busy_studio_is_asked_again_later(writer: Callable[[Gateway], Writer], run_folder: Path) -> None:
    with Gateway() as gateway:
        one = writer(gateway)
        gateway.answer_with = (503, {"code": "unavailable", "message": "the database is locked"})
        point(one, 1.0)
        assert not one.flush()
        gateway.answer_with = None
        assert one.flush()

    assert gateway.points("loss") == [(0, 1.0)]


def test_what_the_studio_refuses_is_said_once_and_does_not_stop_what_follows(
    writer: Callable[[Gateway], Writer],
) -> None:
    with Gateway() as gateway:
        one = writer(gateway)
        gateway.answer_with = (409, {"code": "conflict", "message": "the parameter lr is 0.1 already"})
        one.detail("params", {"lr": "0.2"})
        with pytest.warns(RuntimeWarning, match=r"lr is 0\.1 already"):
            one.flush()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            one.detail("params", {"lr": "0.3"})
            one.flush()
        gateway.answer_with = None
        point(one, 1.0)
        one.flush()

    assert gateway.points("loss") == [(0, 1.0)]


def test_a_chart_is_sent_again_until_it_arrives_and_only_its_latest_state(
    writer: Callable[[Gateway], Writer],
) -> None:
    with Gateway() as gateway:
        one = writer(gateway)
        gateway.answer_with = (503, {"code": "unavailable", "message": "later"})
        one.chart("t", lambda: charts.table({"n": [1]}))
        one.flush()
        one.chart("t", lambda: charts.table({"n": [2]}))
        gateway.answer_with = None
        one.flush()

    assert gateway.charts == {"t": charts.table({"n": [2]})}


def test_a_chart_that_finds_no_studio_is_kept_as_a_file(writer: Callable[[Gateway], Writer], run_folder: Path) -> None:
    with Gateway() as gateway:
        one = writer(gateway)
    one.chart("t", lambda: {"data": 1})
    with pytest.warns(RuntimeWarning, match="kept as"):
        one.close()

    assert json.loads((run_folder / "artifacts" / "charts" / "t.json").read_text()) == {"data": 1}


def test_a_forked_child_is_a_client_of_its_own_and_does_not_repeat_its_parent(
    writer: Callable[[Gateway], Writer],
) -> None:
    with Gateway() as gateway:
        one = writer(gateway)
        point(one, 1.0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            point(one, 2.0)
            os._exit(0 if one.flush() else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        one.flush()

    assert sorted(value for _, value in gateway.points("loss")) == [1.0, 2.0]
    assert len({batch["client"] for batch in gateway.batches}) == 2
