"""Workers of an endpoint are killed, stopped, replaced and started anew while callers ask without a pause."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from jupyter_mlstudio.entities.runs import RunStatus
from jupyter_mlstudio.studio import Studio
from tests.programs.endpoint import Begin, Load, Served, beginning, deployment, kill, living, ready, studio_with, times
from tests.waiting import busy, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with studio_with(tmp_path_factory.mktemp("studio"), times(2.0), times(3.0)) as made:
        yield made


@pytest.fixture
def start(studio: Studio, tmp_path: Path) -> Iterator[Begin]:
    """Starts endpoints that end with the test."""
    with beginning(studio, tmp_path) as begin:
        yield lambda *deployments, **plan: ready(begin(*deployments, **plan))


def workers(count: int) -> dict[str, Any]:
    return {"settings": {"scale": {"min_instances": count, "max_instances": count}}}


def test_F10_a_version_is_swapped_under_load_without_a_failed_request(studio: Studio, start: Begin) -> None:
    served = start(deployment(studio, "blue", 1, **workers(2)))
    old = served.pids("blue")
    with Load(served) as load:
        time.sleep(0.5)
        served.change(deployments=[deployment(studio, "blue", 2, **workers(2))])
        served.settled("blue", version=2)
        until(lambda: load.factors[-20:] == [3.0] * 20)
    assert (load.failures, set(load.factors)) == ([], {2.0, 3.0})
    assert load.statuses[200] > 200
    until(lambda: not living(old))


def test_F10_traffic_goes_from_blue_to_green_and_back_without_a_failed_request(studio: Studio, start: Begin) -> None:
    served = start(deployment(studio, "blue", 1), deployment(studio, "green", 2))
    with Load(served) as load:
        for traffic in ({"blue": 0, "green": 100}, {"blue": 50, "green": 50}, {"blue": 100, "green": 0}) * 2:
            time.sleep(0.4)
            served.change(traffic=traffic)
        until(lambda: served.state("blue")["etag"] == served.plan["etag"])
        until(lambda: load.factors[-20:] == [2.0] * 20)
        served.change(traffic={"green": 100}, deployments=[deployment(studio, "green", 2)])
        until(lambda: load.factors[-20:] == [3.0] * 20)
        until(lambda: served.state("blue")["state"] == "Stopped")
        time.sleep(0.5)
    assert load.failures == []


def test_F10_workers_are_started_anew_one_generation_after_the_other(studio: Studio, start: Begin) -> None:
    served = start(deployment(studio, "blue", 1, **workers(2)))
    old = set(served.pids("blue"))
    with Load(served) as load:
        served.change(deployments=[deployment(studio, "blue", 1, generation=1, **workers(2))])
        until(lambda: len(now := set(served.pids("blue"))) == 2 and not now & old)
        until(lambda: not living(list(old)))
    assert load.failures == []


def test_F10_a_version_that_cannot_be_served_leaves_the_one_that_is(
    studio: Studio, start: Begin, tmp_path: Path
) -> None:
    served = start(deployment(studio, "blue", 1))
    broken = deployment(studio, "blue", 2) | {"onnx": str(tmp_path / "model.onnx")}
    (tmp_path / "model.onnx").write_bytes(b"other bytes")
    with Load(served, callers=2) as load:
        served.change(deployments=[broken])
        until(lambda: "digest mismatch" in served.state("blue")["reason"])
    assert (load.failures, set(load.factors)) == ([], {2.0})
    assert (served.state("blue")["state"], served.state("blue")["version"]) == ("Ready", 1)
    assert "version 2 of m is not served" in served.state("blue")["reason"]


def test_F09_a_worker_is_killed_under_load_and_replaced_while_the_others_answer(studio: Studio, start: Begin) -> None:
    served = start(deployment(studio, "blue", 1, **workers(2)))
    victim = served.pids("blue")[0]
    with Load(served) as load:
        time.sleep(0.5)
        began = time.monotonic()
        kill(victim)
        until(lambda: len(now := served.pids("blue")) == 2 and victim not in now)
        took_s = time.monotonic() - began
        time.sleep(0.3)
    assert took_s < 5 * busy()
    assert len(load.failures) <= 4, load.failures  # at most the one that each caller had on its way
    assert set(load.statuses) <= {200, 503, "lost"}
    assert served.ask().status == 200


def test_F09_a_crash_loop_ends_its_deployment_and_no_other(studio: Studio, start: Begin) -> None:
    served = start(deployment(studio, "blue", 1), deployment(studio, "green", 2), traffic={"blue": 90, "green": 10})
    killed: set[int] = set()

    def kill_each() -> bool:
        for pid in served.pids("green"):
            if pid not in killed and living([pid]):
                kill(pid)
                killed.add(pid)
        return bool(served.state("green")["state"] == "Failed")

    until(kill_each)
    assert len(killed) == 5
    assert "killed by signal 9, 5 times in a row" in served.state("green")["reason"]
    assert served.is_ready
    assert served.ask(azureml_model_deployment="blue").factor == 2.0
    refused = served.ask(azureml_model_deployment="green")
    assert (refused.status, refused.headers["retry-after"]) == (503, "5")
    assert "deployment green has failed: the scoring process was killed" in refused.json["error"]


def test_F11_a_worker_that_hangs_is_replaced_within_ten_seconds_and_its_deployment_not_shown_as_ready(
    studio: Studio, start: Begin
) -> None:
    served = start(deployment(studio, "blue", 1), deployment(studio, "green", 2))
    assert served.ask(None, "/v2/models/m/versions/2/ready").status == 200
    hung = served.pids("green")[0]
    kill(hung, signal.SIGSTOP)
    began = time.monotonic()
    until(lambda: served.ask(None, "/v2/models/m/versions/2/ready").status == 503)
    assert served.ask().status == 200
    until(lambda: (now := served.pids("green")) and hung not in now)
    assert time.monotonic() - began < 10
    assert served.ask(azureml_model_deployment="green").factor == 3.0


def test_F11_the_probe_says_how_long_a_worker_may_be_silent(studio: Studio, start: Begin) -> None:
    patient = {"settings": {"liveness_probe": {"period_s": 1, "failure_threshold": 30, "timeout_s": 1}}}
    served = start(deployment(studio, "blue", 1, **patient))
    hung = served.pids("blue")[0]
    kill(hung, signal.SIGSTOP)
    time.sleep(8)
    assert living([hung])
    kill(hung, signal.SIGCONT)
    until(lambda: served.is_ready)
    assert served.pids("blue") == [hung]


def test_F25_workers_end_before_a_server_does_when_there_is_no_memory_left(studio: Studio, start: Begin) -> None:
    served = start(deployment(studio, "blue", 1))
    parent = psutil.Process(served.pids("blue")[0]).parent()
    assert parent is not None
    scores = [int(Path(f"/proc/{pid}/oom_score_adj").read_text()) for pid in (served.pids("blue")[0], parent.pid)]
    assert scores[0] == min(scores[1] + 300, 1000)


def test_F27_an_endpoint_whose_port_is_taken_says_by_whom_and_starts_once_it_is_free(
    studio: Studio, start: Begin, tmp_path: Path
) -> None:
    first = start(deployment(studio, "blue", 1))
    port = int(first.url.rpartition(":")[2])
    second = Served(studio, tmp_path / "e0")
    second.start(port)
    until(lambda: second.run.status is RunStatus.FAILED)
    holder = psutil.Process(first.pids("blue")[0]).parent()
    assert holder is not None
    assert f"port {port} is in use by process " in second.run.reason
    named = int(second.run.reason.partition("by process ")[2].split()[0])
    assert named in (holder.pid, first.pids("blue")[0])
    assert first.ask().status == 200, "what was there goes on"
    first.stop()
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))
