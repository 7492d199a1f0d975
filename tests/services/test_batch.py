"""Batch endpoints with everything behind them: supervisors, batch programs and workers are the real ones."""

from __future__ import annotations

import csv
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from jupyter_mlstudio.client.model_files import write_model
from jupyter_mlstudio.entities.batch import BatchSettings, OutputAction, RetrySettings
from jupyter_mlstudio.entities.models import VersionStatus
from jupyter_mlstudio.entities.runs import TERMINAL, Run, RunKind, RunStatus
from jupyter_mlstudio.entities.specs import RunSpec
from jupyter_mlstudio.errors import Conflict, Invalid, NotFound
from jupyter_mlstudio.studio import Studio
from jupyter_mlstudio.workspace import Workspace
from tests.conftest import end_all
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

DATA = load_iris(as_frame=True)
MODEL = LogisticRegression(max_iter=500).fit(DATA.data, DATA.target)
ROWS = DATA.data.sample(5000, replace=True, random_state=0)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    made = Studio(Workspace(tmp_path_factory.mktemp("studio")))
    run = made.launcher.submit(RunKind.COMMAND, RunSpec(command=["true"]))
    folder = made.workspace.run_folder(run.id) / "artifacts" / "model"
    folder.mkdir(parents=True)
    write_model(folder, MODEL, DATA.data, DATA.target)
    made.models.register("iris", run.id)
    until(lambda: made.models.version("iris", 1).status is not VersionStatus.CONVERTING, made)
    assert made.models.version("iris", 1).status is VersionStatus.READY
    made.batch.create("iris-batch", "iris", settings=BatchSettings(mini_batch_size=500))
    (made.workspace.root / "data").mkdir()
    ROWS[:3000].to_csv(made.workspace.root / "data" / "a.csv", index=False)
    ROWS[3000:].to_parquet(made.workspace.root / "data" / "b.parquet")
    yield made
    end_all(made)
    made.close()


def ended(studio: Studio, run: Run) -> Run:
    until(lambda: studio.runs.get(run.id).status in TERMINAL, studio)
    return studio.runs.get(run.id)


def completed(studio: Studio, run: Run) -> Path:
    run = ended(studio, run)
    assert run.status is RunStatus.COMPLETED, run.reason
    return studio.workspace.run_folder(run.id) / "artifacts"


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def summary_of(artifacts: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((artifacts / "summary.json").read_text())
    return found


def test_a_folder_of_tables_is_scored_row_by_row_as_scikit_learn_would(studio: Studio) -> None:
    artifacts = completed(studio, studio.batch.invoke("iris-batch", "data"))

    rows = read(artifacts / "predictions.csv")
    assert [int(row["label"]) for row in rows] == MODEL.predict(ROWS).tolist()
    found = [[float(row[f"probabilities_{label}"]) for label in range(3)] for row in rows]
    assert np.abs(np.array(found) - MODEL.predict_proba(ROWS)).max() < 1e-5
    ids = [(row["file"], int(row["row"])) for row in rows]
    assert ids == [("data/a.csv", at) for at in range(3000)] + [("data/b.parquet", at) for at in range(2000)]
    summary = summary_of(artifacts)
    assert (summary["rows"], summary["answered"], summary["failed"]) == (5000, 5000, 0)
    assert sum(summary["answers"]["label"].values()) == 5000
    assert not (artifacts.parent / "batch").exists()


def test_a_run_killed_in_the_middle_goes_on_where_it_was_and_each_row_is_there_once(studio: Studio) -> None:
    run = studio.batch.invoke("iris-batch", "data/*", settings={"mini_batch_size": 20, "max_concurrency": 1})
    folder = studio.workspace.run_folder(run.id) / "batch"
    until(lambda: len(list(folder.glob("0*.json"))) > 20, studio)
    for process in psutil.process_iter():
        with_id = f"MLSTUDIO_RUN_ID={run.id}"
        try:
            if with_id in Path(f"/proc/{process.pid}/environ").read_text().split("\0"):
                os.kill(process.pid, signal.SIGKILL)
        except OSError:
            continue
    assert ended(studio, run).status is RunStatus.FAILED
    done = len(list(folder.glob("0*.json")))
    assert done < 250

    again = studio.launcher.retry(run.id, params={}, user="")
    artifacts = completed(studio, again)

    rows = read(artifacts / "predictions.csv")
    assert [int(row["label"]) for row in rows] == MODEL.predict(ROWS).tolist()
    assert len({(row["file"], row["row"]) for row in rows}) == 5000
    log = (artifacts.parent / "output.log").read_text()
    before = int(log.split("250 mini-batches, ")[1].split()[0])
    assert done - 1 <= before <= done + 1
    assert studio.batch.jobs("iris-batch").items[0].id == again.id


def test_rows_that_cannot_be_read_are_listed_and_the_others_answered(studio: Studio) -> None:
    text = DATA.data[:3].to_csv(index=False)
    (studio.workspace.root / "bad.csv").write_text(text + "1,2,x,4\n1,2\n")

    artifacts = completed(studio, studio.batch.invoke("iris-batch", "bad.csv"))

    assert len(read(artifacts / "predictions.csv")) == 3
    assert [(row["row"], row["reason"]) for row in read(artifacts / "errors.csv")] == [
        ("3", "'x' in column 'petal length (cm)' is not a value of type FP64"),
        ("4", "the row has 2 values, the header 4"),
    ]


def test_more_failures_than_the_threshold_fail_the_run_with_the_first(studio: Studio) -> None:
    (studio.workspace.root / "worse.csv").write_text(DATA.data[:1].to_csv(index=False) + "x,1,1,1\n" * 3)

    run = ended(studio, studio.batch.invoke("iris-batch", "worse.csv", settings={"error_threshold": 2}))

    assert run.status is RunStatus.FAILED
    assert run.reason.startswith("3 rows failed where 2 may; the first, worse.csv row 1 - 'x' in column")


def test_an_answer_may_be_parquet_or_only_a_summary(studio: Studio) -> None:
    from pyarrow import parquet

    settings = {"output_file_name": "out.parquet"}
    table = parquet.read_table(
        completed(studio, studio.batch.invoke("iris-batch", "data", settings=settings)) / "out.parquet"
    )
    assert table.column("label").to_pylist() == MODEL.predict(ROWS).tolist()

    only = {"output_action": OutputAction.SUMMARY_ONLY.value}
    artifacts = completed(studio, studio.batch.invoke("iris-batch", "data/a.csv", settings=only))
    assert [path.name for path in artifacts.iterdir()] == ["summary.json"]
    assert summary_of(artifacts)["answered"] == 3000


def test_a_script_is_given_files_and_one_that_hangs_or_dies_is_tried_again(studio: Studio) -> None:
    folder = studio.workspace.root / "driver"
    (folder / "in").mkdir(parents=True)
    for number in range(4):
        (folder / "in" / f"{number}.txt").write_text("x" * number)
    (folder / "score.py").write_text(
        "import os, time\n"
        "from pathlib import Path\n"
        "def init():\n    assert os.path.isdir(os.environ['AZUREML_MODEL_DIR'])\n"
        "def run(mini_batch):\n"
        "    first = Path('seen') / Path(mini_batch[0]).name\n"
        "    if not first.exists():\n"
        "        first.parent.mkdir(exist_ok=True)\n        first.touch()\n"
        "        if first.name == '0.txt':\n            time.sleep(60)\n"
        "        if first.name == '2.txt':\n            os.kill(os.getpid(), 9)\n"
        "    print('scored', len(mini_batch))\n"
        "    return [len(Path(path).read_text()) for path in mini_batch]\n"
    )
    settings = BatchSettings(mini_batch_size=2, retries=RetrySettings(max_retries=1, timeout_s=3))
    studio.batch.create("lengths", "iris", settings=settings, script="driver/score.py")

    artifacts = completed(studio, studio.batch.invoke("lengths", "driver/in"))

    rows = read(artifacts / "predictions.csv")
    assert [(row["file"], row["answer"]) for row in rows] == [(f"driver/in/{n}.txt", str(n)) for n in range(4)]
    log = (artifacts.parent / "output.log").read_text()
    assert "it took longer than 3 s; try 2" in log
    assert "the worker was killed by signal 9; try 2" in log
    assert "scored 2" in log


def test_an_input_that_changed_since_the_job_was_made_is_not_scored_half_old_half_new(studio: Studio) -> None:
    path = studio.workspace.root / "changing.csv"
    path.write_text(DATA.data[:5].to_csv(index=False) + "x,1,1,1\n")
    run = ended(studio, studio.batch.invoke("iris-batch", "changing.csv", settings={"error_threshold": 0}))
    path.write_text(DATA.data[:9].to_csv(index=False))

    again = ended(studio, studio.launcher.retry(run.id, params={}, user=""))

    assert again.reason == "the input 'changing.csv' was changed since the job was made: invoke it again"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        ("nothing.csv", "there are no files"), ("../x.csv", "not a path below"), ("/etc/passwd", "not a path below"),
        ("https://example.org/x.csv", "not in the workspace"), ("runs:/nope/x.csv", "there is no run"),
        ("driver/*.py", "there are no files of the kinds"), ("s3://bucket/x.csv", "not in the workspace"),
        ("file:///etc/passwd", "not in the workspace"), ("gs://bucket/x.parquet", "not in the workspace"),
        ("model.pkl", "there are no files of the kinds"), ("rows.npy", "there are no files of the kinds"),
    ],
)  # fmt: skip
def test_U13_data_that_is_not_there_not_ours_or_would_execute_is_refused(studio: Studio, data: str, what: str) -> None:
    for name in ("model.pkl", "rows.npy"):
        (studio.workspace.root / name).write_bytes(b"cos\nsystem\n(S'touch canary'\ntR.")
    with pytest.raises((Invalid, NotFound), match=what):
        studio.batch.invoke("iris-batch", data)


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"mini_batch_size": 0}, "mini_batch_size is 0"), ({"mini_batch_size": 1.5}, "whole number"),
        ({"max_concurrency": "2"}, "it is a number"), ({"output_file_name": "../x.csv"}, "not a file's name"),
        ({"output_file_name": "x.exe"}, "not a file's name"), ({"output_file_name": "errors.csv"}, "taken"),
        ({"output_action": "both"}, "append_row, summary_only"), ({"speed": 1}, "'speed' is not a setting"),
        ({"timeout_s": 0}, "timeout_s is 0"), ({"error_threshold": -2}, "error_threshold is -2"),
    ],
)  # fmt: skip
def test_a_setting_out_of_range_is_refused_by_name(studio: Studio, settings: dict[str, Any], what: str) -> None:
    with pytest.raises(Invalid, match=what):
        studio.batch.invoke("iris-batch", "data", settings=settings)


def test_deployments_are_added_replaced_and_removed_but_not_the_default_one(studio: Studio) -> None:
    studio.batch.create("several", "iris")
    studio.batch.deploy("several", "small", "iris", "1", BatchSettings(mini_batch_size=5))
    with pytest.raises(Conflict, match="is the default deployment"):
        studio.batch.remove("several", "default")
    studio.batch.update("several", default_deployment="small")
    left = studio.batch.remove("several", "default")

    assert [(one.name, one.settings.mini_batch_size) for one in left.deployments] == [("small", 5)]
    with pytest.raises(Conflict, match="there is a batch endpoint 'several' already"):
        studio.batch.create("Several", "iris")
    studio.batch.delete("several")
    with pytest.raises(NotFound, match="no batch endpoint 'several'"):
        studio.batch.get("several")


def test_an_endpoint_has_no_jobs_of_a_deleted_one_of_its_name(studio: Studio) -> None:
    studio.batch.create("again", "iris")
    old = ended(studio, studio.batch.invoke("again", "data/a.csv"))
    assert studio.batch.get("again").last_job == old.id
    studio.batch.delete("again")

    made = studio.batch.create("again", "iris")
    assert (made.jobs, made.last_job, studio.batch.jobs("again").items) == (0, None, [])
    new = ended(studio, studio.batch.invoke("again", "data/a.csv"))
    assert [one.id for one in studio.batch.jobs("again").items] == [new.id]
    assert studio.runs.get(old.id).status is RunStatus.COMPLETED
