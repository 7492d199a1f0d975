"""The client against the real thing: a door, supervisors and programs, each a process of its own."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import jupyter_mlstudio as studio
from jupyter_mlstudio.errors import Conflict, NotFound
from tests.waiting import is_alive

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]


def test_a_cell_is_submitted_followed_and_read_back(workspace: Path) -> None:
    source = (
        "import jupyter_mlstudio as studio\nprint('depth', depth)\n"
        "for i in range(1000):\n    studio.log_metric('loss', 1 / (i + 1), i)\n"
        "studio.log_table('t', {'a': [1]})\nstudio.log_text('hello', 'notes/a.txt')\nstudio.log_param('seen', depth)\n"
    )

    run = studio.submit(source, name="first", params={"depth": 3}, tags={"k": "v"}).wait(60)

    assert run.status == "Completed"
    assert "depth 3" in run.logs()
    assert run.metrics == {"loss": 0.001}
    assert run.params == {"depth": "3", "seen": "3"}
    assert run.tags["k"] == "v"
    series = run.history("loss")
    assert (series.total, series.values[:2]) == (1000, [1.0, 0.5])
    assert run.download("notes/a.txt", workspace / "back").read_text() == "hello"
    assert run.data["environment"]["packages"]["numpy"]
    assert [found.id for found in studio.list_runs()] == [run.id]


def test_f39_values_that_are_not_finite_come_back_as_they_were_logged(workspace: Path) -> None:
    with studio.start_run() as run:
        for step, value in ((0, 1.0), (5, math.nan), (5, math.inf), (6, -math.inf)):
            run.log_metric("x", value, step)

    assert [str(value) for value in run.history("x").values] == ["1.0", "nan", "inf", "-inf"]
    assert run.metrics["x"] == -math.inf
    assert studio.Experiment().best_run("x") is None


def test_a_failed_cell_has_its_error_as_reason_and_can_be_retried_with_another_parameter(workspace: Path) -> None:
    run = studio.submit("assert depth > 2, 'too flat'", params={"depth": 1})
    with pytest.raises(Conflict, match="AssertionError: too flat"):
        run.wait(60)

    again = run.retry(depth=3).wait(60)

    assert again.status == "Completed"
    assert again.id != run.id


def test_an_interactive_run_has_the_outcome_of_its_block(workspace: Path) -> None:
    with studio.start_run("mine", experiment="churn", tags={"a": "b"}) as run:
        run.log("auc", 0.9)
        run.log_confusion_matrix([0, 1], [0, 1])
    assert (run.status, run.experiment, run.metrics, run.tags["a"]) == ("Completed", "churn", {"auc": 0.9}, "b")
    with pytest.raises(ValueError, match="bad"), studio.start_run() as failing:
        raise ValueError("bad")
    assert (failing.status, failing.reason) == ("Failed", "ValueError: bad")


def test_the_best_run_is_the_studios_own(workspace: Path) -> None:
    experiment = studio.Experiment("e").create(primary_metric="auc")
    for value in (0.5, 0.9, 0.9, math.nan):
        with experiment.start_run() as run:
            run.log("auc", value)
    first = min(experiment.runs("metrics.auc > 0.8"), key=lambda run: run.data["created_at"])

    best = experiment.best_run()

    assert best is not None
    assert best.id == first.id == experiment.data["best_run"]["run_id"]


def test_stopping_a_run_ends_its_whole_process_tree(workspace: Path) -> None:
    source = (
        "import subprocess, time\nchild = subprocess.Popen(['sleep', '100'])\n"
        "print('pid', child.pid, flush=True)\ntime.sleep(100)"
    )
    run = studio.submit(source)
    deadline = time.monotonic() + 30
    while "pid " not in run.logs():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    child = int(run.logs().split("pid ")[1].split()[0])

    run.stop().wait(30, check=False)

    assert run.status == "Canceled"
    assert not is_alive(child)


def test_f31_a_killed_kernel_fails_its_interactive_run_and_keeps_its_points(workspace: Path) -> None:
    code = (
        "import os, time, jupyter_mlstudio as s\nr = s.start_run('mine')\nr.log('loss', 0.5)\nr.flush()\n"
        "print(r.id, flush=True)\ntime.sleep(60)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=workspace, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout:
        run_id = process.stdout.readline().strip()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    run = studio.get_run(run_id).wait(5, poll_s=0.1, check=False)

    assert run.status == "Failed"
    assert run.metrics == {"loss": 0.5}


def test_mlflow_in_the_same_cell_lands_in_the_same_run(workspace: Path) -> None:
    source = (
        "import mlflow, jupyter_mlstudio as studio\nstudio.log_metric('ours', 1.0)\n"
        "mlflow.log_metric('theirs', 2.0)\nmlflow.log_param('lr', 0.1)\nmlflow.set_tag('t', 'x')"
    )

    run = studio.submit(source).wait(90)

    assert run.metrics == {"ours": 1.0, "theirs": 2.0}
    assert run.params == {"lr": "0.1"}


def test_a_file_of_the_user_does_not_take_the_place_of_a_module(workspace: Path) -> None:
    (workspace / "queue.py").write_text("raise RuntimeError('the wrong queue')")

    assert studio.list_runs() == []


def test_a_run_that_does_not_exist_is_not_found(workspace: Path) -> None:
    with pytest.raises(NotFound, match="nope"):
        studio.get_run("nope")


def test_the_workspace_tells_what_it_has(workspace: Path) -> None:
    space = studio.Workspace()
    with studio.start_run():
        pass

    assert space.root == workspace
    assert list(space.experiments) == ["Default"]
    assert len(space.runs()) == 1
    assert (space.models, space.endpoints) == ({}, {})
    assert all(check.detail for check in space.diagnose())
