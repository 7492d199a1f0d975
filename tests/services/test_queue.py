"""The queue with real processes: slots, priorities, what a run waits for, limits, retry and cancel."""

from __future__ import annotations

import time

import pytest

from jupyter_mlstudio.entities.runs import TERMINAL, Run, RunKind, RunStatus
from jupyter_mlstudio.entities.specs import Limits, Resources, RunSpec
from jupyter_mlstudio.errors import Conflict, Invalid, NotFound
from jupyter_mlstudio.studio import Studio

SLEEP = ["sleep", "60"]


def submit(studio: Studio, command: list[str], name: str = "run", **spec: object) -> Run:
    free = spec.pop("resources", Resources(cpus=0.0))
    return studio.launcher.submit(
        RunKind.COMMAND,
        RunSpec(command=command, resources=free, **spec),
        name=name,  # type: ignore[arg-type]
    )


def wait(studio: Studio, run: Run, *statuses: RunStatus, timeout_s: float = 60) -> Run:
    deadline = time.monotonic() + timeout_s
    while (now := studio.runs.get(run.id)).status not in (statuses or TERMINAL):
        assert time.monotonic() < deadline, (now.status, now.reason)
        studio.tick()
        time.sleep(0.05)
    return now


@pytest.mark.slow
def test_runs_wait_for_a_slot_and_the_most_urgent_is_next(studio: Studio) -> None:
    studio.compute.set_slots("local", 1)
    first = submit(studio, SLEEP, "first")
    usual, urgent = submit(studio, ["true"], "usual"), submit(studio, SLEEP, "urgent", priority=5)
    assert [studio.runs.get(run.id).status for run in (usual, urgent)] == [RunStatus.QUEUED] * 2
    assert studio.runs.get(usual.id).waits_for == "a free slot"
    target = studio.compute.list()[0]
    assert (target.slots, target.slots_used, target.queued) == (1, 1, 2)
    studio.launcher.stop(first.id)
    assert wait(studio, first).status is RunStatus.CANCELED
    wait(studio, urgent, RunStatus.RUNNING)
    assert studio.runs.get(usual.id).status is RunStatus.QUEUED
    studio.launcher.stop(urgent.id)
    done = wait(studio, usual)
    assert (done.status, done.exit_code, done.waits_for) == (RunStatus.COMPLETED, 0, None)


def test_a_queued_run_is_cancelled_at_once_and_a_cancelled_one_stays_so(studio: Studio) -> None:
    studio.compute.set_slots("local", 1)
    with studio.database.write() as connection:  # nothing has room, so nothing is started
        connection.exec_driver_sql("UPDATE targets SET slots = 0")
    run = submit(studio, ["true"])
    stopped = studio.launcher.stop(run.id)
    assert (stopped.status, stopped.reason) == (RunStatus.CANCELED, "stopped before it started")
    with pytest.raises(Conflict, match="over already"):
        studio.launcher.stop(run.id)
    assert studio.supervisors.pump() == []


def test_what_the_machine_does_not_have_is_refused_at_once(studio: Studio) -> None:
    for resources in (Resources(cpus=1e6), Resources(memory_bytes=2**60), Resources(gpus=99), Resources(cpus=-1.0)):
        with pytest.raises(Invalid):
            submit(studio, ["true"], resources=resources)
    with pytest.raises(NotFound, match="compute target"):
        submit(studio, ["true"], target="moon")
    assert studio.runs.search().total == 0
    assert list(studio.workspace.runs.iterdir()) == []


@pytest.mark.slow
def test_a_run_over_its_time_or_memory_is_ended_and_says_so(studio: Studio) -> None:
    studio.compute.set_slots("local", 2)
    slow = submit(studio, SLEEP, limits=Limits(wall_time_s=1.0))
    hog = submit(
        studio, ["python3", "-c", "x = bytearray(300_000_000); import time; time.sleep(60)"],
        limits=Limits(memory_bytes=150_000_000),
    )  # fmt: skip
    ended = wait(studio, slow)
    assert (ended.status, ended.reason) == (RunStatus.FAILED, "over its time limit of 1 s")
    assert wait(studio, hog).reason.startswith("out of memory (limit 150 MB, peak ")


@pytest.mark.slow
def test_a_retry_is_a_new_run_of_the_same_code_and_one_request_is_one_run(studio: Studio) -> None:
    script = studio.workspace.root / "train.py"
    script.write_text("import sys; print(sys.argv[1:])")
    spec = RunSpec(script="train.py", params={"lr": 0.1}, resources=Resources(cpus=0.0))
    first = studio.launcher.submit(RunKind.SCRIPT, spec, request_id="once")
    assert studio.launcher.submit(RunKind.SCRIPT, spec, request_id="once").id == first.id
    wait(studio, first)
    script.write_text("changed since")
    again = wait(studio, studio.launcher.retry(first.id, params={"lr": 0.2}, user="tester"))
    assert (again.retry_of, again.snapshot_id, again.params["lr"]) == (first.id, first.snapshot_id, "0.2")
    assert again.status is RunStatus.COMPLETED, again.reason
    assert "['--lr', '0.2']" in studio.artifacts.log_slice(again.id, 0, 10_000).text


@pytest.mark.slow
def test_N04_arguments_arrive_as_they_were_given_and_no_shell_reads_them(studio: Studio) -> None:
    given = ["$(touch canary)", "; touch canary", "a\nb", "*", '"', "é"]
    done = wait(studio, submit(studio, ["python3", "-c", "import sys; print(ascii(sys.argv[1:]))", *given]))
    assert done.status is RunStatus.COMPLETED, done.reason
    assert studio.artifacts.log_slice(done.id, 0, 10_000).text.strip().endswith(ascii(given))
    assert not (studio.workspace.root / "canary").exists()
