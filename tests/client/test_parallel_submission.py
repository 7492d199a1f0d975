"""A parallel job from Python and from a terminal: the same run."""

from __future__ import annotations

from pathlib import Path

import pytest

import jupyter_mlstudio as studio
from jupyter_mlstudio.cli import main
from jupyter_mlstudio.errors import NotFound
from tests.client.gateway import Gateway

JOB = """
type: parallel
inputs: {rows: {path: sales.csv}}
partition_keys: [store]
input_data: ${{inputs.rows}}
task: {type: run_function, entry_script: score.py}
"""


def test_a_job_becomes_a_run_from_python_and_from_a_terminal(in_run: Gateway, tmp_path: Path) -> None:
    for name, text in (("job.yml", JOB), ("sales.csv", "store\na\n"), ("score.py", "def run(rows): return rows")):
        (tmp_path / name).write_text(text)

    run = studio.parallel(tmp_path / "job.yml", experiment="sales")

    asked = in_run.submitted[-1]
    assert run.name == asked["name"] == "job"
    assert asked["spec"]["command"][1:] == ["-m", "jupyter_mlstudio.programs.parallel", "job.yml"]
    assert main(["parallel", str(tmp_path / "job.yml"), "--experiment", "sales"]) == 0
    assert in_run.submitted[-1] == asked | {"request_id": in_run.submitted[-1]["request_id"]}


def test_what_cannot_be_done_is_said_before_anything_is_begun(in_run: Gateway, tmp_path: Path) -> None:
    (tmp_path / "job.yml").write_text(JOB)
    with pytest.raises(NotFound, match=r"score\.py"):
        studio.parallel(tmp_path / "job.yml")
    assert not in_run.submitted
