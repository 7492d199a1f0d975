from __future__ import annotations

import signal
import time

import pytest

from tests.client.gateway import Gateway
from tests.programs.work import Work
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.slow


def test_a_cell_runs_with_its_parameters_as_variables_and_shows_its_last_expression(work: Work) -> None:
    ended = work.run("cell", {"cell": "print('depth', depth)\ndepth * 2", "params": {"depth": 4}})

    assert (ended.status, ended.reason) == (0, None)
    assert ended.output.splitlines()[:2] == ["depth 4", "8"]


def test_what_a_cell_logs_arrives_with_the_software_it_ran_with(work: Work, gateway: Gateway) -> None:
    source = "import jupyter_mlstudio as studio\nfor i in range(5):\n    studio.log_metric('loss', 1 / (i + 1))"

    assert work.run("cell", {"cell": source}).status == 0

    assert [step for step, _ in gateway.points("loss")] == [0, 1, 2, 3, 4]
    environment = gateway.details("environment")
    assert environment["python"].startswith("3.")
    assert "numpy" in environment["packages"]


def test_magics_shell_commands_and_top_level_await_work_in_a_cell(work: Work) -> None:
    source = "import asyncio\n%env SOME=1\n!echo from the shell\nawait asyncio.sleep(0, result='awaited')"

    ended = work.run("cell", {"cell": source})

    assert ended.status == 0, ended.output
    assert "from the shell" in ended.output
    assert "'awaited'" in ended.output


def test_an_error_in_a_cell_fails_the_run_with_one_sentence_and_leaves_the_traceback_in_the_log(work: Work) -> None:
    ended = work.run("cell", {"cell": "def f():\n    raise ValueError('bad depth\\nsecond line')\nf()"})

    assert ended.status == 1
    assert ended.reason == "ValueError: bad depth"
    assert "raise ValueError('bad depth" in ended.output
    assert "\x1b[" not in ended.output


def test_a_syntax_error_fails_the_run(work: Work) -> None:
    ended = work.run("cell", {"cell": "for x in"})

    assert ended.status == 1
    assert ended.reason is not None
    assert ended.reason.startswith("SyntaxError")


@pytest.mark.parametrize(("code", "status"), [("0", 0), ("3", 3), ("'too few rows'", 1)])
def test_leaving_a_cell_with_sys_exit_sets_the_exit_status(work: Work, code: str, status: int) -> None:
    ended = work.run("cell", {"cell": f"import sys\nsys.exit({code})"})

    assert ended.status == status
    assert ("too few rows" in ended.output) == (status == 1)


def test_figures_and_rich_output_of_a_cell_are_kept_as_artifacts(work: Work, gateway: Gateway) -> None:
    source = (
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\nplt.plot([3])\n"
        "from IPython.display import HTML, display\ndisplay(HTML('<b>table</b>'))"
    )

    ended = work.run("cell", {"cell": source})

    assert ended.status == 0, ended.output
    assert set(gateway.files) == {"outputs/figure-1.png", "outputs/figure-2.png", "outputs/display-1.html"}
    assert gateway.files["outputs/figure-1.png"].startswith(b"\x89PNG")
    assert gateway.files["outputs/display-1.html"] == b"<b>table</b>"


@pytest.mark.parametrize("name", ["x=1\nimport os #", "class", "a-b", "__import__"])
def test_n01_a_parameter_that_is_no_variable_name_is_refused_before_anything_runs(work: Work, name: str) -> None:
    ended = work.run("cell", {"cell": "print('ran')", "params": {name: 1}})

    assert ended.status == 1
    assert "ran" not in ended.output.splitlines()
    assert ended.reason is not None
    assert "plain variable name" in ended.reason


def test_stopping_a_cell_gives_finally_its_turn_and_keeps_what_was_logged(work: Work, gateway: Gateway) -> None:
    source = (
        "import time, jupyter_mlstudio as studio\nstudio.log_metric('loss', 1.0)\nprint('ready', flush=True)\n"
        "try:\n    time.sleep(600)\nfinally:\n    studio.log_metric('loss', 0.5)\n    print('cleaned up')"
    )
    process = work.start("cell", {"cell": source})
    while "ready" not in (work.run_folder / "output.log").read_text():
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)

    ended = work.ended(process.wait(PATIENCE_S))

    assert ended.status == 143
    assert "cleaned up" in ended.output
    assert [value for _, value in gateway.points("loss")] == [1.0, 0.5]


def test_f01_metrics_of_a_killed_cell_are_kept(work: Work, gateway: Gateway) -> None:
    source = (
        "import os, time, jupyter_mlstudio as studio\nfor i in range(100):\n    studio.log_metric('loss', i / 10)\n"
        "time.sleep(1)\nos.kill(os.getpid(), 9)"
    )

    ended = work.run("cell", {"cell": source})

    assert ended.status == -9
    assert len(gateway.points("loss")) == 100


def test_functions_of_a_cell_can_be_sent_to_worker_processes(work: Work, gateway: Gateway) -> None:
    source = (
        "import multiprocessing, jupyter_mlstudio as studio\n"
        "def job(n):\n    studio.log_metric('child', float(n), step=n)\n    return n * n\n"
        "with multiprocessing.get_context('fork').Pool(2) as pool:\n    print(pool.map(job, range(4)))\n"
        "    pool.close()\n    pool.join()"
    )

    ended = work.run("cell", {"cell": source})

    assert ended.status == 0, ended.output
    assert "[0, 1, 4, 9]" in ended.output
    assert sorted(gateway.points("child")) == [(0, 0.0), (1, 1.0), (2, 2.0), (3, 3.0)]
