from __future__ import annotations

import sys
from pathlib import Path

import pytest

from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.programs.command import substituted
from tests.client.gateway import Gateway
from tests.programs.work import Work


def test_a_command_becomes_its_program_and_has_its_exit_status(work: Work, gateway: Gateway) -> None:
    ended = work.run("command", {"command": ["sh", "-c", "echo $0 $1; exit 5", "one", "two words"]})

    assert (ended.status, ended.output) == (5, "one two words\n")
    assert gateway.details("environment")["packages"]


@pytest.mark.parametrize(
    "argument", ["$(touch canary)", "; touch canary", "`touch canary`", "a\ntouch canary", "| cat"]
)
def test_n04_arguments_arrive_verbatim_and_no_shell_reads_them(work: Work, argument: str) -> None:
    spec = {"command": ["printf", "%s", "${{inputs.text}}"], "params": {"text": argument}}

    ended = work.run("command", spec)

    assert (ended.status, ended.output) == (0, argument)
    assert not (work.folder / "canary").exists()


def test_a_python_program_finds_the_modules_beside_it(work: Work) -> None:
    (work.folder / "helper.py").write_text("ANSWER = 42")
    (work.folder / "train.py").write_text("import helper\nprint(helper.ANSWER)")

    ended = work.run("command", {"command": [sys.executable, "train.py"]})

    assert (ended.status, ended.output) == (0, "42\n")


def test_a_program_that_is_not_installed_fails_with_status_127_and_says_what_to_do(work: Work) -> None:
    ended = work.run("command", {"command": ["Rscript-none", "x.R"]})

    assert ended.status == 127
    assert ended.reason == "there is no program 'Rscript-none'; install it, or give its whole path"


def test_a_file_that_may_not_be_executed_fails_with_status_126(work: Work, tmp_path: Path) -> None:
    program = tmp_path / "plain.sh"
    program.write_text("echo hi")

    ended = work.run("command", {"command": [str(program)]})

    assert ended.status == 126


def test_inputs_are_replaced_inside_their_argument() -> None:
    command = ["run", "--lr=${{inputs.lr}}", "${{ inputs.on }}", "${{inputs.name}}/${{inputs.name}}"]

    assert substituted(command, {"lr": 0.5, "on": True, "name": "a b"}) == ["run", "--lr=0.5", "true", "a b/a b"]


def test_an_input_that_is_not_given_is_named() -> None:
    with pytest.raises(Invalid, match=r"'rate'.*given are: lr"):
        substituted(["x", "${{inputs.rate}}"], {"lr": 1})


def test_a_value_that_looks_like_an_input_is_not_replaced_again() -> None:
    assert substituted(["${{inputs.a}}"], {"a": "${{inputs.b}}", "b": "secret"}) == ["${{inputs.b}}"]


def test_r07_an_argument_with_nul_is_refused() -> None:
    with pytest.raises(Invalid, match="NUL"):
        substituted(["echo", "a\x00b"], {})
