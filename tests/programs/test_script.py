from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlstudio.programs.script import arguments
from tests.programs.work import Work


def write(work: Work, text: str) -> Path:
    code = work.run_folder / "code"
    code.mkdir(parents=True)
    (code / "helper.py").write_text("ANSWER = 42")
    script = code / "train.py"
    script.write_text(text)
    return script


def test_a_script_runs_as_python_would_run_it_from_its_snapshot_in_the_working_folder(work: Work) -> None:
    (work.folder / "data.csv").write_text("x")
    script = write(
        work,
        "import sys, pathlib, helper\nprint(__name__, sys.argv[1:], helper.ANSWER, pathlib.Path('data.csv').exists())\n"
        "print(sys.path[0] == str(pathlib.Path(__file__).parent))",
    )

    ended = work.run("script", {"params": {"lr": 0.1, "verbose": True}, "args": ["--extra"]}, script)

    assert ended.status == 0, ended.output
    assert ended.output.splitlines() == ["__main__ ['--lr', '0.1', '--verbose', '--extra'] 42 True", "True"]


def test_parameters_become_options_that_argparse_reads_back() -> None:
    assert arguments({"lr": -0.1, "name": "a b", "on": True, "off": False, "none": None, "deep": [1, 2]}) == [
        "--lr=-0.1", "--name", "a b", "--on", "--deep", "[1, 2]",
    ]  # fmt: skip


@pytest.mark.parametrize(("code", "status"), [("None", 0), ("0", 0), ("7", 7), ("True", 1), ("'no data'", 1)])
def test_the_exit_status_of_a_script_is_what_it_gave_to_sys_exit(work: Work, code: str, status: int) -> None:
    ended = work.run("script", {}, write(work, f"import sys\nsys.exit({code})"))

    assert ended.status == status


def test_the_traceback_of_a_script_begins_with_the_script(work: Work) -> None:
    ended = work.run("script", {}, write(work, "def f():\n    1 / 0\nf()"))

    assert (ended.status, ended.reason) == (1, "ZeroDivisionError: division by zero")
    lines = ended.output.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert "train.py" in lines[1]
    assert "programs" not in ended.output


def test_a_script_that_is_gone_says_so(work: Work) -> None:
    ended = work.run("script", {}, work.run_folder / "code" / "gone.py")

    assert ended.status == 1
    assert ended.reason is not None
    assert "gone.py" in ended.reason


def test_a_run_that_says_it_failed_counts_as_failed(work: Work) -> None:
    script = write(work, "import jupyter_mlstudio as studio\nstudio.active_run().fail('auc below 0.9')")

    ended = work.run("script", {}, script)

    assert (ended.status, ended.reason) == (1, "auc below 0.9")
