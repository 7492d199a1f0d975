from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyter_mlstudio.kernel.magics import MLStudioError
from tests.kernel.test_magics import complete, shell

__all__ = ["shell"]


@pytest.fixture(autouse=True)
def _files(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("")


def test_a_cell_is_swept(shell: Any) -> None:
    line = (
        "lr=loguniform(-6,-1) depth=int(2,12) act=choice(relu, tanh) --metric val_auc --goal max --trials 40"
        " --parallel 4 -p epochs=3 --point 'lr=0.1 act=relu' --tag a=b"
    )
    made = shell.run_cell_magic("ml_sweep", line, "fit()\n")

    (sent,) = shell.gateway.submitted
    assert (sent["work_kind"], sent["work"]["cell"], sent["tags"]) == ("cell", "fit()\n", {"a": "b"})
    spec = sent["sweep"]
    assert spec["space"]["act"] == {"type": "choice", "values": ["relu", "tanh"]}
    assert spec["objectives"] == [{"primary_metric": "val_auc", "goal": "maximize", "value": "last"}]
    assert spec["limits"] == {"max_total_trials": 40, "max_concurrent_trials": 4}
    assert (spec["fixed"], spec["enqueued"]) == ({"epochs": 3}, [{"lr": 0.1, "act": "relu"}])
    assert made.id == "sweep1"


def test_a_script_a_notebook_and_a_command_are_swept(shell: Any, tmp_path: Path) -> None:
    (tmp_path / "report.ipynb").write_text("{}")
    shell.run_line_magic("ml_sweep", "train.py lr=uniform(0,1) --metric auc:max --metric ms:min --seed 3 -- --extra")
    shell.run_line_magic("ml_sweep", "year=choice(2024,2025) report.ipynb --metric error --goal min --sampler grid")
    shell.run_line_magic("ml_sweep", "--metric loss n=int(1,50) -- Rscript x.R '${{inputs.n}}'")

    script, notebook, command = shell.gateway.submitted
    assert (script["work"]["script"], script["work"]["args"]) == ("train.py", ["--extra"])
    assert [(one["primary_metric"], one["goal"]) for one in script["sweep"]["objectives"]] == [
        ("auc", "maximize"), ("ms", "minimize"),
    ]  # fmt: skip
    assert (notebook["work_kind"], notebook["sweep"]["sampling"]["algorithm"]) == ("notebook", "grid")
    assert command["work"]["command"] == ["Rscript", "x.R", "${{inputs.n}}"]


def test_a_function_and_a_distribution_of_the_notebook_are_taken_by_name(shell: Any) -> None:
    shell.run_cell("def objective(x):\n    return x\nchoices = [1, 2]")
    shell.run_line_magic("ml_sweep", "objective x=$choices")

    (sent,) = shell.gateway.submitted
    assert sent["work_kind"] == "trial"
    assert sent["sweep"]["space"] == {"x": {"type": "choice", "values": [1, 2]}}


def test_a_sweep_is_steered(shell: Any) -> None:
    shell.run_line_magic("ml_sweep", "train.py lr=uniform(0,1) --metric auc")
    for line in ("--pause", "--resume", "--try sweep1 lr=0.1", "--set sweep1 trials=80 lr=uniform(0,0.5)", "--stop"):
        shell.run_line_magic("ml_sweep", line if " " in line else f"{line} sweep1")

    half = {"type": "uniform", "min_value": 0, "max_value": 0.5}
    assert shell.gateway.steered == [
        ("", {"paused": True}),
        ("", {"paused": False, "limits": {}}),
        ("points", {"params": {"lr": 0.1}}),
        ("", {"limits": {"max_total_trials": 80}, "space": {"lr": half}}),
        ("", {"stop": True}),
    ]  # fmt: skip


def test_sweeps_are_listed(shell: Any) -> None:
    shell.run_line_magic("ml_sweep", "train.py lr=uniform(0,1) --metric auc --name mine")

    assert "mine" in repr(shell.run_line_magic("ml_sweeps", ""))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "nothing to try"),
        ("train.py lr=0.1 --metric a", r"lr: '0.1' is no distribution"),
        ("train.py lr=uniform(1,0) --metric a", "^parameter 'lr' has min_value 1 above max_value 0: swap them"),
        ("train.py lr=uniform(0,1) --metric auc:up", "'up' in 'auc:up' is no goal: write auc:max or auc:min"),
        ("train.py lr=uniform(0,1)", "the metric is missing"),
        ("train.py other.py lr=uniform(0,1) --metric a", "'other.py' is not name=distribution"),
        ("train lr=uniform(0,1) --metric a", "write a command after --"),
        ("train.py lr=uniform(0,1) --metric a --trials many", r"invalid int value.*%ml_sweep --help says more"),
        ("--pause sweep1 --stop sweep1", "one of --pause and --stop"),
        ("--pause gone", "there is no runs/gone"),
        ("--pause run1", "no sweep, it is a cell"),
        ("'open", "cannot be split"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_to_do(shell: Any, line: str, said: str) -> None:
    with pytest.raises(MLStudioError, match=said) as caught:
        shell.run_line_magic("ml_sweep", line)

    assert len(caught.value._render_traceback_()) == 1
    assert shell.gateway.submitted == []


def test_options_files_distributions_and_names_of_sweeps_complete(shell: Any) -> None:
    shell.run_line_magic("ml_sweep", "train.py lr=uniform(0,1) --metric auc --name mine")

    assert "--early-termination" in complete(shell, "%ml_sweep --ea")
    assert "train.py" in complete(shell, "%ml_sweep tr")
    assert complete(shell, "%ml_sweep train.py lr=logu") == ["loguniform("]
    assert "mine" in complete(shell, "%ml_sweep --pause mi")
