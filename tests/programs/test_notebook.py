from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest

from tests.client.gateway import Gateway
from tests.programs.work import Work

pytestmark = pytest.mark.slow


def write(work: Work, *sources: str, parameters: str = "year = 2024") -> Path:
    notebook: Any = nbformat.v4.new_notebook()
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    first = nbformat.v4.new_code_cell(parameters)
    first.metadata.tags = ["parameters"]
    notebook.cells = [first, *(nbformat.v4.new_code_cell(source) for source in sources)]
    code = work.run_folder / "code"
    code.mkdir(parents=True)
    path = code / "report.ipynb"
    nbformat.write(notebook, path)
    return path


def executed(work: Work) -> Any:
    return nbformat.read(work.run_folder / "artifacts" / "report.ipynb", as_version=4)


def test_a_notebook_runs_with_its_parameters_and_its_executed_copy_is_an_artifact(work: Work, gateway: Gateway) -> None:
    source = "import jupyter_mlstudio as studio\nprint('year', year)\nstudio.log_metric('year', year)"

    ended = work.run("notebook", {"params": {"year": 2025}}, write(work, source, "year + 1"))

    assert ended.status == 0, ended.output
    assert "year 2025" in ended.output
    assert gateway.points("year") == [(0, 2025.0)]
    assert executed(work).cells[-1].outputs[0].data["text/plain"] == "2026"
    progress = gateway.details("progress")
    assert (progress["done"], progress["total"]) == (4, 4)


def test_the_error_of_a_cell_is_the_reason_and_the_copy_shows_it(work: Work) -> None:
    ended = work.run("notebook", {}, write(work, "1 / 0", "print('never')"))

    assert ended.status == 1
    assert ended.reason == "ZeroDivisionError: division by zero (cell 2)"
    assert "ZeroDivisionError" in ended.output
    assert "never\n" not in ended.output
    assert executed(work).cells


@pytest.mark.parametrize("name", ["x=1\nimport os #", "class", "a-b", "__import__"])
def test_n01_a_parameter_that_is_no_variable_name_is_refused_before_anything_runs(work: Work, name: str) -> None:
    ended = work.run("notebook", {"params": {name: 1}}, write(work, "print('ran')"))

    assert ended.status == 1
    assert not (ended.artifacts / "report.ipynb").exists()


def test_n03_parameter_values_arrive_unchanged(work: Work) -> None:
    values = {"a": 'it\'s "quoted" \\ \n \u2028 \U0001f600', "b": None, "c": [1, {"k": False}], "d": 1e-320}
    expected = json.dumps(list(values.values()))
    source = f"import json\nassert [a, b, c, d] == json.loads({expected!r}), [a, b, c, d]"

    ended = work.run("notebook", {"params": values}, write(work, source))

    assert ended.status == 0, ended.output


@pytest.mark.parametrize(
    "content", ["not json", '{"nbformat": 99}', '{"nbformat": 4, "nbformat_minor": 5, "cells": 3}']
)
def test_n08_a_broken_notebook_fails_with_that_reason(work: Work, content: str) -> None:
    path = write(work)
    path.write_text(content)

    ended = work.run("notebook", {}, path)

    assert ended.status == 1
    assert ended.reason is not None
    assert "report.ipynb is not a notebook" in ended.reason


def test_f32_a_killed_kernel_fails_the_run_within_5_s_and_the_partial_notebook_is_readable(work: Work) -> None:
    path = write(work, "print('first')", "import os, time\nprint('pid', os.getpid(), flush=True)\ntime.sleep(60)")
    process = work.start("notebook", {}, path)
    log = work.run_folder / "output.log"
    while "pid " not in log.read_text():
        assert process.poll() is None, log.read_text()
        time.sleep(0.1)
    kernel = int(log.read_text().split("pid ")[1].split()[0])
    killed_at = time.monotonic()
    os.kill(kernel, signal.SIGKILL)

    ended = work.ended(process.wait(30))

    assert time.monotonic() - killed_at < 5
    assert ended.status == 1
    assert ended.reason is not None
    assert ended.reason.startswith("kernel died")
    assert executed(work).cells[1].outputs[0].text == "first\n"
    assert not psutil.pid_exists(kernel)
