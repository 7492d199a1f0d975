"""What may be submitted: names that are no code, files inside the workspace, arguments that no shell reads."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlstudio.entities.runs import RunKind
from jupyter_mlstudio.entities.specs import Limits, Resources, RunSpec
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.services.submission import checked
from jupyter_mlstudio.workspace import Workspace


@pytest.fixture
def workspace(workspace: Workspace) -> Workspace:
    (workspace.root / "sub").mkdir()
    for name in ("train.py", "sub/train.py", "report.ipynb"):
        (workspace.root / name).write_text("{}")
    return workspace


def cell(**more: Any) -> RunSpec:
    return RunSpec(cell="1", **more)


NAMES = ["x=1\nimport os #", "class", "a-b", "__import__", "", "1a", "a b", "a.b", "a;b", "x" * 251, "None"]


@pytest.mark.parametrize("name", NAMES)
def test_N01_a_parameter_of_a_cell_or_notebook_is_a_plain_name(workspace: Workspace, name: str) -> None:
    with pytest.raises(Invalid, match="cannot name a parameter"):
        checked(workspace, RunKind.CELL, cell(params={name: 1}))
    with pytest.raises(Invalid, match="cannot name a parameter"):
        checked(workspace, RunKind.NOTEBOOK, RunSpec(notebook="report.ipynb", params={name: 1}))
    assert checked(workspace, RunKind.CELL, cell(params={"größe": 1, "_x": 2})).params == {"größe": 1, "_x": 2}


@pytest.mark.parametrize("name", ["-x", "a b", "a=b", "$(x)", "a\n", "", "--name"])
def test_N04_a_parameter_of_a_script_is_an_option_and_nothing_more(workspace: Workspace, name: str) -> None:
    with pytest.raises(Invalid, match="cannot name a parameter"):
        checked(workspace, RunKind.SCRIPT, RunSpec(script="train.py", params={name: 1}))
    assert checked(workspace, RunKind.SCRIPT, RunSpec(script="train.py", params={"learning-rate": 1}))


SCRIPTS = [
    "../x.py",
    "/etc/passwd",
    "-c",
    "-m",
    "-x.py",
    "train.txt",
    "nothing.py",
    "sub",
    "sub/../train.py",
    "a\x00.py",
    "",
]


@pytest.mark.parametrize("script", SCRIPTS)
def test_N05_a_script_is_a_file_below_the_working_folder(workspace: Workspace, script: str) -> None:
    with pytest.raises(Invalid):
        checked(workspace, RunKind.SCRIPT, RunSpec(script=script))


def test_N05_a_script_that_is_a_link_out_of_the_workspace_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text("")
    (workspace.root / "link.py").symlink_to(tmp_path / "outside.py")
    (workspace.root / "away").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(Invalid, match="leads out"):
        checked(workspace, RunKind.SCRIPT, RunSpec(script="link.py"))
    for folder in ("away", "..", "/", str(tmp_path), "nothing"):
        with pytest.raises(Invalid):
            checked(workspace, RunKind.SCRIPT, RunSpec(script="outside.py", folder=folder))


def test_a_script_is_found_below_its_folder_whichever_way_it_is_named(workspace: Workspace) -> None:
    for spec in (
        RunSpec(script="train.py", folder="sub"),
        RunSpec(script=str(workspace.root / "sub" / "train.py"), folder=str(workspace.root / "sub")),
    ):
        found = checked(workspace, RunKind.SCRIPT, spec)
        assert (found.script, found.folder) == ("train.py", "sub")


@pytest.mark.parametrize("kernel", ["../x", "a b", "", "-x", "x\x00", "a/b"])
def test_N07_a_kernel_is_a_plain_name(workspace: Workspace, kernel: str) -> None:
    with pytest.raises(Invalid, match="kernel"):
        checked(workspace, RunKind.NOTEBOOK, RunSpec(notebook="report.ipynb", kernel=kernel))


WRONG = [
    cell(limits=Limits(wall_time_s=0)), cell(limits=Limits(wall_time_s=-1)), cell(limits=Limits(wall_time_s=math.inf)),
    cell(limits=Limits(memory_bytes=0)), cell(priority=1001), cell(env={"A=B": "x"}), cell(env={"LD_PRELOAD": "x"}),
    cell(env={"MLSTUDIO_TOKEN": "x"}), cell(env={"A": "x\x00"}), cell(python="-c"), cell(python=""),
    RunSpec(cell="  "), RunSpec(cell="1", script="train.py"), RunSpec(), RunSpec(cell="x" * 1_000_001),
]  # fmt: skip


@pytest.mark.parametrize("spec", WRONG, ids=range(len(WRONG)))
def test_what_cannot_be_run_is_refused(workspace: Workspace, spec: RunSpec) -> None:
    with pytest.raises(Invalid):
        checked(workspace, RunKind.CELL, spec)


@pytest.mark.parametrize("command", [[], [""], ["-c"], ["a\x00b"], ["x", "y" * (128 * 1024 + 1)]])
def test_a_command_is_a_program_and_its_arguments(workspace: Workspace, command: list[str]) -> None:
    with pytest.raises(Invalid):
        checked(workspace, RunKind.COMMAND, RunSpec(command=command))
    given = ["echo", "$(touch canary)", "; touch canary", "a\nb"]
    assert checked(workspace, RunKind.COMMAND, RunSpec(command=given, resources=Resources())).command == given
