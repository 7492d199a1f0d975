"""How many workers a deployment has: none while nobody asks, more while there is much to do, fewer afterwards."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlstudio.entities.runs import RunStatus
from jupyter_mlstudio.studio import Studio
from tests.onnx import graphs
from tests.programs.endpoint import Begin, Load, begin, beginning, deployment, living, ready, studio_with, times
from tests.waiting import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with studio_with(tmp_path_factory.mktemp("studio"), times(2.0), times(3.0), graphs.endless()) as made:
        yield made


@pytest.fixture
def start(studio: Studio, tmp_path: Path) -> Iterator[Begin]:
    with beginning(studio, tmp_path) as begin:
        yield lambda *deployments, **plan: ready(begin(*deployments, **plan))


def scaled(studio: Studio, name: str = "blue", version: int = 1, **scale: Any) -> dict[str, Any]:
    return deployment(studio, name, version, settings={"scale": scale})


def test_nobody_works_while_nobody_asks_and_the_first_request_starts_a_worker(studio: Studio, start: Begin) -> None:
    served = start(scaled(studio, min_instances=0, idle_s=1.0))
    workers = served.pids("blue")
    served.settled("blue", "Idle", instances=0)
    assert served.is_ready
    until(lambda: not living(workers))
    began = time.monotonic()
    assert served.ask().factor == 2.0
    assert time.monotonic() - began < 5
    served.settled("blue", "Ready", instances=1)
    served.settled("blue", "Idle", instances=0)
    assert served.ask().factor == 2.0


def test_a_deployment_that_sleeps_is_woken_by_a_request_that_another_one_receives(studio: Studio, start: Begin) -> None:
    sleeper = scaled(studio, "green", 2, min_instances=0, idle_s=1.0)
    served = start(scaled(studio), sleeper, traffic={"blue": 50, "green": 50})
    served.settled("green", "Idle")
    with served.caller() as ask:
        assert {ask().factor for _ in range(10)} == {2.0, 3.0}


def test_there_are_more_workers_while_there_is_much_to_do_and_fewer_afterwards(studio: Studio, start: Begin) -> None:
    served = start(scaled(studio, max_instances=2, idle_s=1.0, target_utilization_percentage=10))
    first = served.pids("blue")
    with Load(served, callers=8) as load:
        assert set(first) < set(served.settled("blue", instances=2)["pids"])
        known: dict[int, float] = {}
        until(lambda: sum(used > 0.05 for used in _used_s(served.pids("blue"), known)) == 2)  # both have connections
    assert load.failures == []
    served.settled("blue", instances=1)
    assert served.ask().status == 200


def _used_s(pids: list[int], known: dict[int, float]) -> list[float]:
    """CPU that processes used since they were asked last; on a busy machine one may be gone, and another there."""
    import psutil

    used = []
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            now = sum(psutil.Process(pid).cpu_times()[:2])
            used.append(now - known.get(pid, now))
            known[pid] = now
    time.sleep(0.5)
    return used


def test_more_than_a_deployment_can_hold_is_told_to_come_back_by_whoever_receives_it(
    studio: Studio, start: Begin
) -> None:
    tight = {"request_timeout_ms": 1500, "max_concurrent_requests_per_instance": 1, "max_queue_wait_ms": 100}
    served = start(scaled(studio), deployment(studio, "green", 3, settings={"request_settings": tight}))
    with Load(served, callers=3, headers={"azureml-model-deployment": "green"}) as load:
        until(lambda: load.statuses[504] and load.statuses[429])
    assert set(load.statuses) == {504, 429}
    assert served.ask().status == 200


def test_settings_that_change_without_new_workers_do_so_at_once(studio: Studio, start: Begin) -> None:
    served = start(scaled(studio))
    first = served.pids("blue")
    served.change(deployments=[scaled(studio, min_instances=2, max_instances=2)])
    assert set(first) < set(served.settled("blue", instances=2)["pids"])
    served.change(deployments=[scaled(studio)])
    assert set(served.settled("blue", instances=1)["pids"]) <= set(first)


def test_an_endpoint_whose_last_deployment_fails_has_failed_with_the_reason(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"other bytes")
    broken = deployment(studio, "blue", 1) | {"onnx": str(tmp_path / "model.onnx")}
    served = begin(studio, tmp_path / "e", broken)
    until(lambda: served.run.status is RunStatus.FAILED)
    assert "digest mismatch" in served.run.reason
