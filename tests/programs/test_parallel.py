"""Parallel jobs: Azure's YAML, mini-batches by partition, what fails and what is appended."""

from __future__ import annotations

import csv
import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from jupyter_mlstudio.client.parallel_job import read_parallel
from jupyter_mlstudio.errors import Invalid, NotFound
from jupyter_mlstudio.programs.parallel import digest_of
from tests.client.gateway import run_data
from tests.programs.work import Work

SALES = "store,brand,sold\nn,a,1\ns,a,2\nn,a,3\nn,b,4\ns,a,5\n"
SCRIPT = """
import argparse
import os

def init():
    global factor, out
    parser = argparse.ArgumentParser()
    parser.add_argument("--factor", type=int)
    parser.add_argument("--out")
    given, _ = parser.parse_known_args()
    factor, out = given.factor, given.out

def run(mini_batch):
    first = mini_batch.iloc[0]
    if first.brand == "b":
        raise ValueError("brand b")
    name = f"{first.store}-{first.brand}"
    with open(os.path.join(out, name), "w") as file:
        file.write(str(len(mini_batch)))
    return mini_batch.assign(sold=mini_batch["sold"] * factor)[["store", "sold"]]
"""
JOB = """
$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
type: pipeline
inputs:
  sales: {type: mltable, path: ./data, mode: eval_mount}
  factor: 10
outputs:
  files: {type: uri_folder}
jobs:
  train:
    type: parallel
    compute: azureml:cluster
    inputs: {rows: "${{parent.inputs.sales}}", factor: "${{parent.inputs.factor}}"}
    outputs:
      files: {type: uri_folder}
      answers: {type: uri_file}
    partition_keys: [store, brand]
    resources: {instance_count: 2}
    max_concurrency_per_instance: 1
    mini_batch_error_threshold: 1
    retry_settings: {max_retries: 0, timeout: 60}
    input_data: ${{inputs.rows}}
    task:
      type: run_function
      code: ./src
      entry_script: score.py
      environment: azureml:sklearn@latest
      program_arguments: --factor ${{inputs.factor}} --out ${{outputs.files}}
      append_row_to: ${{outputs.answers}}
"""


def lay(folder: Path, job: str = JOB) -> Path:
    for name, text in (
        ("data/MLTable", "paths:\n  - file: ./sales.csv\n"), ("data/sales.csv", SALES), ("src/score.py", SCRIPT),
        ("job.yml", job),
    ):  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder / "job.yml"


def test_a_pipeline_with_one_parallel_job_is_read(tmp_path: Path) -> None:
    read = read_parallel(lay(tmp_path))
    assert (read.data.name, read.script.name, read.partition_keys) == ("sales.csv", "score.py", ["store", "brand"])
    assert read.arguments == ["--factor", "10", "--out", "${{outputs.files}}"]
    assert (read.concurrency, read.failures, read.output) == (2, 1, "answers")
    assert read.retries == {"max_retries": 0, "timeout_s": 60}
    assert read.notes == ["compute", "task.environment"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    type: parallel", "    type: command", "no parallel job: write type: parallel"),
        ("entry_script: score.py", "entry_script: none.py", "there is no 'src/none.py'"),
        ("input_data: ${{inputs.rows}}", "input_data: rows", r"write \$\{\{inputs.NAME\}\} of an input"),
        ("path: ./data", "path: azureml:sales:1", "lies elsewhere"),
        ("    partition_keys", "    mini_batch_size: many\n    partition_keys", "10kb or 1mb"),
        ("--factor ${{inputs.factor}}", "--factor ${{inputs.other}}", "the input 'other', which is not there"),
        ("instance_count: 2", "instance_count: two", "instance_count is 'two'"),
    ],
)
def test_what_cannot_be_is_named_at_once(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises((Invalid, NotFound), match=said):
        read_parallel(lay(tmp_path, JOB.replace(old, new)))


@pytest.mark.slow
def test_each_partition_is_a_mini_batch_and_so_many_may_fail(work: Work) -> None:
    lay(work.folder)
    words = [sys.executable, "-m", "jupyter_mlstudio.programs.parallel", "job.yml"]
    ended = work.run("command", {"command": words})

    assert ended.status == 0, ended.output
    with (ended.artifacts / "answers.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["store"], row["sold"]) for row in rows] == [("n", "10"), ("n", "30"), ("s", "20"), ("s", "50")]
    assert rows[0]["file"] == "000000 store=n, brand=a"
    assert sorted(file.name for file in (ended.artifacts / "files").iterdir()) == ["n-a", "s-a"]
    summary = json.loads((ended.artifacts / "summary.json").read_text())
    assert (summary["mini_batches"], summary["failed"]) == (3, 1)
    assert "brand b" in (ended.artifacts / "errors.csv").read_text()


SLOW_SCRIPT = """
import os
import time

def run(mini_batch):
    store = mini_batch.iloc[0].store
    with open("calls.txt", "a") as file:
        file.write(store)
    if store == "bad" and not os.path.exists("repaired"):
        raise ValueError("not yet")
    while store == "slow" and not os.path.exists("go"):
        time.sleep(0.01)
    return mini_batch
"""
SLOW_JOB = """
type: parallel
inputs: {rows: {path: sales.csv}}
outputs: {answers: {type: uri_file}}
partition_keys: [store]
retry_settings: {max_retries: 0}
input_data: ${{inputs.rows}}
task: {type: run_function, entry_script: score.py, append_row_to: "${{outputs.answers}}"}
"""


@pytest.mark.slow
def test_a_killed_job_goes_on_when_it_is_tried_again_and_answers_each_row_once(work: Work) -> None:
    for name, text in (
        ("score.py", SLOW_SCRIPT), ("job.yml", SLOW_JOB), ("sales.csv", "store,sold\na,1\nbad,2\nc,3\nslow,4\na,5\n"),
    ):  # fmt: skip
        (work.folder / name).write_text(text)
    spec = {"command": [sys.executable, "-m", "jupyter_mlstudio.programs.parallel", "job.yml"]}
    calls = work.folder / "calls.txt"

    process = work.start("command", spec)
    deadline = time.monotonic() + 60
    while not calls.is_file() or not calls.read_text().endswith("slow"):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)
    assert calls.read_text() == "abadcslow"
    (work.folder / "go").touch()
    (work.folder / "repaired").touch()
    work.gateway.run_id = "run2"
    work.gateway.runs["run2"] = run_data("run2", retry_of="run1")
    again = Work(work.folder.parent, work.gateway)
    ended = again.run("command", spec)

    assert ended.status == 0, ended.output
    assert calls.read_text() == "abadcslow" + "badslow"  # what was done is kept, what failed is tried once more
    with (ended.artifacts / "answers.csv").open() as file:
        rows = [(row["store"], row["sold"]) for row in csv.DictReader(file)]
    assert rows == [("a", "1"), ("a", "5"), ("bad", "2"), ("c", "3"), ("slow", "4")]
    assert json.loads((ended.artifacts / "summary.json").read_text())["failed"] == 0


def test_a_job_is_another_one_with_another_script_argument_or_row(tmp_path: Path) -> None:
    path = lay(tmp_path)
    first = digest_of(read_parallel(path))
    assert digest_of(read_parallel(path)) == first
    for name, text in (
        ("src/helper.py", "x = 1"),
        ("data/sales.csv", SALES + "n,a,9\n"),
        ("job.yml", JOB.replace("10", "20")),
    ):
        (tmp_path / name).write_text(text)
        assert digest_of(read_parallel(path)) != first
        first = digest_of(read_parallel(path))
