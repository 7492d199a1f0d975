"""Sweeps whose trials, program or supervisor are killed or hang: every trial is there, and none was done twice."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from jupyter_mlstudio.entities.runs import Run, RunKind, RunStatus
from jupyter_mlstudio.entities.specs import RunSpec
from jupyter_mlstudio.services.processes import Identity
from jupyter_mlstudio.store import runs as store
from jupyter_mlstudio.studio import Studio
from jupyter_mlstudio.workspace import Workspace
from tests.programs.sweeping import call, ended, spec, trials, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

SCRIPT = """\
import os, sys, time
x = sys.argv[sys.argv.index("--x") + 1]
with open("done.txt", "a") as file:
    file.write(x + "\\n")
while len(open("done.txt").readlines()) > 4 and not os.path.exists("go"):
    time.sleep(0.05)
print("score=" + x)
"""


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    made = Studio(Workspace(tmp_path))
    made.compute.set_slots("local", 4)
    yield made
    made.close()


def counted(x: float) -> float:
    """Notes that it was called, where the test finds it; from the fifth call on it waits for the test's word."""
    import os
    import time
    from pathlib import Path

    root = Path(os.environ["MLSTUDIO_WORKSPACE"])
    with (root / "done.txt").open("a") as file:
        file.write(f"{x}\n")
    while len((root / "done.txt").read_text().splitlines()) > 4 and not (root / "go").exists():
        (root / f"waits-{os.getpid()}").touch()
        time.sleep(0.05)
    return x


def hangs(x: float) -> float:
    """Never comes back where x is small."""
    import time

    while x < 0.5:
        time.sleep(1)
    return x


def work_of(studio: Studio, run: Run) -> psutil.Process:
    """The process of the sweep's program."""
    with studio.database.read() as connection:
        row = store.row(connection, run.id)
    assert row is not None
    supervisor = psutil.Process(row.supervisor_pid)
    return next(one for one in supervisor.children() if "jupyter_mlstudio.programs.sweep" in one.cmdline())


def workers_of(program: psutil.Process) -> list[psutil.Process]:
    """The processes that call the function: those below the one that has loaded it."""
    loaders = [one for one in program.children() if "jupyter_mlstudio.programs.sweep_worker" in one.cmdline()]
    return [worker for loader in loaders for worker in loader.children()]


def go_on(studio: Studio) -> None:
    """Lets the trials end that wait for it."""
    (studio.workspace.root / "go").touch()


def complete(studio: Studio, run: Run) -> int:
    return studio.sweeps.get(run.id).counts["COMPLETE"]


def test_F36_kill_9_of_a_trial_fails_it_at_once_and_its_parameters_are_tried_again(studio: Studio) -> None:
    run = call(studio, counted, spec(8, 2))
    waiting = until(lambda: list(studio.workspace.root.glob("waits-*")), studio)
    os.kill(int(waiting[0].name.removeprefix("waits-")), signal.SIGKILL)
    killed = time.monotonic()
    until(lambda: studio.sweeps.get(run.id).counts["FAIL"] == 1, studio)
    assert time.monotonic() - killed < 20
    go_on(studio)
    ended(studio, run)
    told = trials(studio, run)
    failed = [one for one in told if one["state"] == "FAIL"]
    assert [one["reason"] for one in failed] == ["the process of the trial was killed by signal 9 (SIGKILL)"]
    again = [one for one in told if one["params"] == failed[0]["params"] and one["state"] == "COMPLETE"]
    assert len(again) == 1
    assert complete(studio, run) == 8
    assert studio.runs.get(failed[0]["run_id"]).status is RunStatus.FAILED


def test_F37_a_trial_that_hangs_and_one_that_is_stopped_by_SIGSTOP_end_at_their_time_limit(studio: Studio) -> None:
    asked = spec(3, 1, trial_timeout_s=1.5, max_retries=0, enqueued=[{"x": 0.9}, {"x": 0.1}, {"x": 0.8}])
    run = call(studio, hangs, asked)
    until(lambda: len(trials(studio, run)) >= 2, studio)
    for worker in workers_of(work_of(studio, run)):
        worker.send_signal(signal.SIGSTOP)
    ended(studio, run)
    told = trials(studio, run)
    assert [one["state"] for one in told] == ["COMPLETE", "FAIL", "COMPLETE"]
    assert told[1]["reason"] == "over its time limit of 1.5 s"


def test_F38_kill_9_of_a_sweeps_program_in_mid_sweep_loses_and_repeats_nothing(studio: Studio) -> None:
    (studio.workspace.root / "trial.py").write_text(SCRIPT)
    run = studio.sweeps.create(RunKind.SCRIPT, RunSpec(script="trial.py"), spec(6, 2))
    for threshold in (1, 3):
        until(lambda: complete(studio, run) >= threshold, studio)  # noqa: B023
        os.kill(work_of(studio, run).pid, signal.SIGKILL)
    go_on(studio)
    assert ended(studio, run).status is RunStatus.COMPLETED
    told = trials(studio, run)
    assert [one["state"] for one in told] == ["COMPLETE"] * 6
    begun = Counter((studio.workspace.root / "done.txt").read_text().split())
    assert begun == Counter(str(one["params"]["x"]) for one in told)
    assert len(studio.runs.children(run.id)) == 6


def test_F38_kill_9_of_the_program_of_calls_repeats_those_that_were_cut_off(studio: Studio) -> None:
    run = call(studio, counted, spec(10, 2))
    until(lambda: complete(studio, run) >= 3, studio)
    os.kill(work_of(studio, run).pid, signal.SIGKILL)
    go_on(studio)
    assert ended(studio, run).status is RunStatus.COMPLETED
    told = trials(studio, run)
    assert sum(one["state"] == "COMPLETE" for one in told) == 10
    cut_off = [one for one in told if one["state"] == "FAIL"]
    assert all(one["reason"].startswith("interrupted") and one["retried"] for one in cut_off)
    values = {one["params"]["x"] for one in told if one["state"] == "COMPLETE"}
    assert {one["params"]["x"] for one in cut_off} <= values


def test_F38_after_the_death_of_everything_a_retry_goes_on_to_the_same_number(studio: Studio) -> None:
    (studio.workspace.root / "trial.py").write_text(SCRIPT)
    run = studio.sweeps.create(RunKind.SCRIPT, RunSpec(script="trial.py"), spec(6, 2))
    until(lambda: complete(studio, run) >= 2, studio)
    with studio.database.read() as connection:
        row = store.row(connection, run.id)
    assert row is not None
    program = Identity.of(work_of(studio, run).pid)
    os.kill(row.supervisor_pid, signal.SIGKILL)
    assert ended(studio, run).status is RunStatus.FAILED
    until(lambda: program is None or not program.alive, studio)
    go_on(studio)
    again = studio.sweeps.resume(run.id)
    assert ended(studio, again).status is RunStatus.COMPLETED
    told = trials(studio, again)
    assert [(one["state"], one["reason"]) for one in told] == [("COMPLETE", "")] * 6
    begun = Counter((studio.workspace.root / "done.txt").read_text().split())
    assert begun == Counter(str(one["params"]["x"]) for one in told)
