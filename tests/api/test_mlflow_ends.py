"""No run that MLflow's client made stays under way without a living process, and no supervised run is ended by it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlstudio.entities.runs import TERMINAL, Run, RunKind, RunStatus
from jupyter_mlstudio.entities.specs import RunSpec
from jupyter_mlstudio.studio import Studio
from tests.api.mlflow_world import Door
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]


@pytest.fixture
def program(door: Door, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A program that has started a run with a nested one, and waits."""
    path = tmp_path / "wait.py"
    path.write_text(
        "import mlflow, sys\n"
        "with mlflow.start_run() as outer, mlflow.start_run(nested=True) as inner:\n"
        "    mlflow.log_metric('loss', 0.5)\n"
        "    print(outer.info.run_id, inner.info.run_id, flush=True)\n    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, path], env=door.environment, cwd=tmp_path, text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as started:  # fmt: skip
        yield started
        started.kill()


def over(studio: Studio, run_id: str) -> Run:
    """Waits for a run's end, without looking after it: that is for the door or the supervisor."""
    return until(lambda: run if (run := studio.runs.get(run_id)).status in TERMINAL else None)  # type: ignore[no-any-return]


def test_m4_a_killed_program_leaves_no_run_behind(door: Door, program: subprocess.Popen[str]) -> None:
    assert program.stdout is not None
    outer, inner = program.stdout.readline().split()
    studio = door.studio()
    assert {studio.runs.get(one).status for one in (outer, inner)} == {RunStatus.RUNNING}
    assert studio.runs.get(inner).parent_run_id == outer
    assert studio.runs.get(outer).origin.script is not None

    program.kill()

    ends = [over(studio, one) for one in (outer, inner)]
    assert [(run.status, run.reason) for run in ends] == [
        (RunStatus.FAILED, "the process that logged to it ended")
    ] * 2  # fmt: skip
    assert ends[1].metrics == {"loss": 0.5}
    studio.close()


def test_stopping_such_a_run_leaves_its_program_alone(door: Door, program: subprocess.Popen[str]) -> None:
    assert program.stdout is not None
    outer, _inner = program.stdout.readline().split()
    studio = door.studio()

    assert studio.launcher.stop(outer).status is RunStatus.CANCELED

    assert program.poll() is None
    answer = door.ask(
        "POST", "mlstudio/mlflow/api/2.0/mlflow/runs/set-tag", {"run_id": outer, "key": "a", "value": "b"}
    )
    assert (answer.status, answer.json["error_code"]) == (409, "RESOURCE_CONFLICT")
    studio.close()


def test_a_program_that_says_its_end_is_believed(door: Door, program: subprocess.Popen[str]) -> None:
    assert program.stdout is not None
    assert program.stdin is not None
    outer, inner = program.stdout.readline().split()
    studio = door.studio()

    program.stdin.close()

    assert [over(studio, one).status for one in (outer, inner)] == [RunStatus.COMPLETED] * 2
    studio.close()


SUBMITTED = """
import mlflow, os, warnings
warnings.simplefilter("ignore")
own = os.environ["MLFLOW_RUN_ID"]
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

with mlflow.start_run() as run:
    assert run.info.run_id == own
    mlflow.sklearn.autolog(log_models=False)
    GridSearchCV(LogisticRegression(max_iter=300), {"C": [0.1, 1]}, cv=2).fit(*load_iris(return_X_y=True))
    mlflow.log_dict({"a": 1}, "deep/a.json")
client = mlflow.MlflowClient()
assert client.get_run(own).info.status == "RUNNING", "its supervisor says when it is over"
mlflow.log_metric("late", 1.0, run_id=own)
left = client.create_run(run.info.experiment_id, run_name="left open")
assert {r.info.run_id for r in mlflow.search_runs(output_format="list")} >= {own, left.info.run_id}
try:
    client.get_run(os.environ["STRANGER"])
except mlflow.exceptions.MlflowException as error:
    print(error.error_code)
"""


def test_a_submitted_run_is_ended_by_its_supervisor_and_its_children_with_it(studio: Studio) -> None:
    root = studio.workspace.root
    (root / "train.py").write_text(SUBMITTED)
    stranger = studio.launcher.submit(RunKind.COMMAND, RunSpec(command=["true"]))

    run = studio.launcher.submit(RunKind.SCRIPT, RunSpec(script="train.py", env={"STRANGER": stranger.id}))

    ended = over(studio, run.id)
    log = (root / ".mlstudio/runs" / run.id / "output.log").read_text()
    assert ended.status is RunStatus.COMPLETED, log
    assert "PERMISSION_DENIED" in log
    assert {"best_cv_score", "late"} <= set(ended.metrics)
    assert (root / ".mlstudio/runs" / run.id / "artifacts/deep/a.json").is_file()
    children = [studio.runs.get(child) for child in studio.runs.children(run.id)]
    assert {(child.kind, child.status) for child in children} == {(RunKind.INTERACTIVE, RunStatus.COMPLETED)}
    assert len(children) == 3
    left = next(child for child in children if child.name == "left open")
    assert left.reason == "it ended with the run 'train-1', in which it was started"


def test_a_killed_submitted_run_takes_its_children_along(studio: Studio) -> None:
    (studio.workspace.root / "hang.py").write_text(
        "import mlflow, time\nmlflow.MlflowClient().create_run('0')\ntime.sleep(600)\n"
    )
    run = studio.launcher.submit(RunKind.SCRIPT, RunSpec(script="hang.py"))
    child = until(lambda: studio.runs.children(run.id))[0]

    studio.launcher.stop(run.id)

    assert over(studio, run.id).status is RunStatus.CANCELED
    assert over(studio, child).status is RunStatus.CANCELED
