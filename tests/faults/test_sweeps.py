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
from tests.conftest import end_all, processes_of
from tests.programs.sweeping import call, ended, log_of, spec, trials
from tests.waiting import is_alive, until

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
    end_all(made)
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


def leaves(x: float) -> float:
    """Starts a process that goes into a session of its own and outlives its parent; hangs or dies where x is small."""
    import os
    import subprocess
    import sys
    import time
    from pathlib import Path

    root = Path(os.environ["MLSTUDIO_WORKSPACE"])
    lives = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(300)"
    again = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', *sys.argv[1:]], start_new_session=True)"
    if x < 0.5:
        subprocess.run([sys.executable, "-c", again, lives, str(root / f"left-{x}")], check=True)
        while not (root / f"left-{x}").exists() or not (root / f"left-{x}").read_text():
            time.sleep(0.02)
    if x < 0.2:
        os._exit(3)
    while x < 0.5:
        time.sleep(1)
    return x


def forks(x: float) -> float:
    """Is killed where x is small, while a copy of its process goes on and holds all its connections."""
    import os
    import signal
    import time
    from pathlib import Path

    if x < 0.5:
        copy = os.fork()
        if copy == 0:
            time.sleep(300)
        (Path(os.environ["MLSTUDIO_WORKSPACE"]) / "copy").write_text(str(copy))
        os.kill(os.getpid(), signal.SIGKILL)
    return x


def work_of(studio: Studio, run: Run) -> psutil.Process:
    """The process of the sweep's program."""
    with studio.database.read() as connection:
        row = store.row(connection, run.id)
    assert row is not None
    supervisor = psutil.Process(row.supervisor_pid)
    program: psutil.Process = until(lambda: processes_of(supervisor, "jupyter_mlstudio.programs.sweep"), studio)[0]
    return program


def workers_of(program: psutil.Process) -> list[psutil.Process]:
    """The processes that call the function: those below the one that has loaded it."""
    return loader_of(program).children()


def loader_of(program: psutil.Process) -> psutil.Process:
    """The process that has loaded the function."""
    (loader,) = processes_of(program, "jupyter_mlstudio.programs.sweep_worker")
    return loader


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


def test_F36_a_killed_trial_that_has_forked_is_noticed_and_its_copy_ends_too(studio: Studio) -> None:
    run = ended(studio, call(studio, forks, spec(2, 1, max_retries=0, enqueued=[{"x": 0.1}, {"x": 0.9}])), 30)
    assert run.status is RunStatus.COMPLETED
    assert [one["state"] for one in trials(studio, run)] == ["FAIL", "COMPLETE"]
    assert not is_alive(int((studio.workspace.root / "copy").read_text()))


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


def test_F37_what_a_call_started_in_a_session_of_its_own_ends_with_it(studio: Studio) -> None:
    run = call(studio, leaves, spec(3, 1, enqueued=[{"x": 0.1}, {"x": 0.3}, {"x": 0.9}]))
    root = studio.workspace.root
    until(lambda: (root / "left-0.3").exists() and (root / "left-0.3").read_text(), studio)
    until(lambda: [one["state"] for one in trials(studio, run)] == ["FAIL", "RUNNING"], studio)
    studio.steering.change(run.id, paused=True)
    studio.steering.stop_trial(run.id, 1)
    until(lambda: studio.sweeps.get(run.id).counts["FAIL"] == 2, studio)
    left = [int((root / f"left-{x}").read_text()) for x in (0.1, 0.3)]
    until(lambda: not any(is_alive(pid) for pid in left), studio)
    assert studio.runs.get(run.id).status is RunStatus.RUNNING  # its own end would end them too
    studio.steering.change(run.id, paused=False)
    told = trials(studio, ended(studio, run))
    assert [one["reason"] for one in told] == ["the process of the trial was ended with status 3", "stopped", ""]


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


def test_F38_kill_9_of_the_program_of_calls_repeats_those_that_were_cut_off_and_leaves_no_folder(
    studio: Studio, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.setenv("TMPDIR", str(elsewhere))
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
    assert not list(elsewhere.glob("mlstudio-*"))
    assert not list(studio.workspace.run_folder(run.id).glob("*.sock"))


def test_F38_kill_9_of_the_process_that_has_loaded_the_function_loses_and_repeats_nothing(studio: Studio) -> None:
    run = call(studio, counted, spec(8, 2))
    until(lambda: len(list(studio.workspace.root.glob("waits-*"))) == 2, studio)
    loader_of(work_of(studio, run)).kill()
    until(lambda: studio.sweeps.get(run.id).counts["FAIL"] == 2, studio)
    go_on(studio)
    assert ended(studio, run).status is RunStatus.COMPLETED
    told = trials(studio, run)
    values = [one["params"]["x"] for one in told if one["state"] == "COMPLETE"]
    assert len(set(values)) == len(values) == 8
    cut_off = [one for one in told if one["state"] == "FAIL"]
    assert all(one["retried"] and one["params"]["x"] in values for one in cut_off)
    begun = Counter((studio.workspace.root / "done.txt").read_text().split())
    assert begun == Counter(str(one["params"]["x"]) for one in told)


def test_F38_kill_9_of_the_process_that_has_loaded_the_function_before_it_began_a_worker(studio: Studio) -> None:
    run = call(studio, hangs, spec(3, 1, enqueued=[{"x": 0.1}, {"x": 0.9}, {"x": 0.8}]))
    until(lambda: [one["state"] for one in trials(studio, run)] == ["RUNNING"], studio)
    loader = loader_of(work_of(studio, run))
    loader.suspend()
    studio.steering.stop_trial(run.id, 0)
    until(lambda: studio.sweeps.get(run.id).counts["FAIL"] == 1, studio)
    time.sleep(0.5)  # the next trial waits for a worker by then
    loader.kill()
    assert ended(studio, run).status is RunStatus.COMPLETED
    assert [one["values"][0] for one in trials(studio, run)] == [None, 0.9, 0.8]


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


def test_F38_a_sweep_that_is_canceled_leaves_no_trial_in_the_queue_and_goes_on_with_them(
    studio: Studio,
) -> None:
    (studio.workspace.root / "trial.py").write_text(SCRIPT)
    studio.compute.set_slots("local", 1)
    (studio.workspace.root / "done.txt").write_text("-\n" * 3)  # so that the second trial waits
    run = studio.sweeps.create(RunKind.SCRIPT, RunSpec(script="trial.py"), spec(4, 3))

    def states() -> Counter[RunStatus]:
        return Counter(studio.runs.get(child).status for child in studio.runs.children(run.id))

    wanted = {RunStatus.COMPLETED: 1, RunStatus.RUNNING: 1, RunStatus.QUEUED: 2}
    until(lambda: states() == wanted, studio)
    studio.launcher.stop(run.id)
    assert ended(studio, run).status is RunStatus.CANCELED
    until(lambda: states() == {RunStatus.COMPLETED: 1, RunStatus.CANCELED: 3}, studio)
    studio.compute.set_slots("local", 4)
    go_on(studio)
    again = studio.sweeps.resume(run.id)
    assert ended(studio, again).status is RunStatus.COMPLETED
    told = trials(studio, again)
    assert [one["state"] for one in told] == ["COMPLETE", *["FAIL"] * 3, *["COMPLETE"] * 3]
    assert all(one["retried"] and one["reason"].startswith("interrupted") for one in told[1:4])
    assert [one["params"] for one in told[4:7]] == [one["params"] for one in told[1:4]]
    assert states() == {RunStatus.COMPLETED: 1, RunStatus.CANCELED: 3}


def test_F36_a_trial_that_is_tried_again_keeps_its_parameters_after_the_bounds_were_moved(studio: Studio) -> None:
    run = call(studio, counted, spec(6, 1))
    (waiting,) = until(lambda: list(studio.workspace.root.glob("waits-*")), studio)
    until(lambda: len(trials(studio, run)) == 5, studio)
    cut_off = trials(studio, run)[4]["params"]["x"]
    low = 2.0 if cut_off < 0.5 else -2.0
    studio.steering.change(run.id, space={"x": {"type": "uniform", "min_value": low, "max_value": low + 1}})
    until(lambda: "bounds" in log_of(studio, run.id), studio)
    os.kill(int(waiting.name.removeprefix("waits-")), signal.SIGKILL)
    go_on(studio)
    assert ended(studio, run).status is RunStatus.COMPLETED
    told = trials(studio, run)[4:]
    assert [one["state"] for one in told] == ["FAIL", "COMPLETE", "COMPLETE"]
    assert told[1]["params"] == {"x": cut_off}
    assert told[1]["values"] == [cut_off]
    assert low <= told[2]["params"]["x"] <= low + 1
