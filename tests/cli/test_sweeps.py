from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlstudio.cli import main
from jupyter_mlstudio.entities.sweeps import TrialState, word_of
from tests.client.gateway import Gateway, run_data
from tests.client.state import _own_state, in_run, run_folder
from tests.client.test_sweep_yaml import BOOSTING, job
from tests.client.test_sweeps import trial

__all__ = ["_own_state", "in_run", "run_folder"]


@pytest.fixture
def said(in_run: Gateway, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Begins a sweep; then each call is what a command line prints."""
    (tmp_path / "train.py").write_text("")
    assert main(["sweep", "train.py", "lr=uniform(0,1)", "--metric", "auc", "--name", "mine"]) == 0
    assert "sweep mine (sweep1) in experiment Default" in capsys.readouterr().err

    def said(*words: str, status: int = 0) -> str:
        assert main(list(words)) == status
        printed = capsys.readouterr()
        return printed.out + printed.err

    return said


def test_azures_yaml_is_swept_from_the_terminal(in_run: Gateway, said: Any, tmp_path: Path) -> None:
    found = json.loads(said("sweep", str(job(tmp_path, BOOSTING)), "--json").partition("\n")[2])

    assert found["work_kind"] == "command"
    assert in_run.submitted[-1]["sweep"]["limits"]["max_total_trials"] == 20


def test_trials_are_told_as_they_end_and_the_exit_status_is_that_of_the_sweep(in_run: Gateway, said: Any) -> None:
    in_run.trials = [trial(0), trial(1, "FAIL", values=[None], reason="nan")]
    in_run.end_sweeps = "Failed"

    printed = said("sweep", "train.py", "lr=uniform(0,1)", "--metric", "auc", "--stream", status=1)

    assert "   0  complete  0  lr=0\n" in printed
    assert "   1  failed    -  lr=0.1  nan\n" in printed
    assert "Failed" in printed


def test_trials_stand_among_all_runs_when_they_are_asked_for(in_run: Gateway, said: Any) -> None:
    in_run.runs = {"sweep1": run_data("sweep1", name="mine"), "t0": run_data("t0", parent_run_id="sweep1", name="t-0")}

    assert "mine" in said("runs", "list")
    assert "t-0" not in said("runs", "list")
    assert "t-0" in said("runs", "list", "--all")
    assert [one["id"] for one in json.loads(said("runs", "list", "--json"))] == ["sweep1"]


def test_sweeps_are_listed_shown_and_steered(in_run: Gateway, said: Any) -> None:
    in_run.sweeps["sweep1"] |= {
        "counts": {"COMPLETE": 3, "FAIL": 0}, "best": trial(2),
        "control": {"limits": {"max_total_trials": 20, "max_concurrent_trials": 1}},
    }  # fmt: skip
    in_run.runs = {"sweep1": in_run.runs["sweep1"]}
    in_run.trials = [trial(0)]

    assert "3 complete" in said("sweeps", "list")
    assert json.loads(said("sweeps", "list", "--json"))[0]["run_id"] == "sweep1"
    assert "3 complete of 20" in said("sweeps", "show", "sweep1")
    assert "complete" in said("sweeps", "trials", "sweep1")
    assert json.loads(said("sweeps", "trials", "sweep1", "--json"))[0]["run_id"] == "t0"
    assert said("sweeps", "pause", "sweep1") == "mine (sweep1): Running\n"
    said("sweeps", "resume", "sweep1", "trials=30")
    said("sweeps", "set", "sweep1", "parallel=2", "lr=uniform(0,0.5)")
    said("sweeps", "try", "sweep1", "lr=0.25")
    assert json.loads(said("sweeps", "stop", "sweep1", "--json"))["run_id"] == "sweep1"
    half = {"type": "uniform", "min_value": 0, "max_value": 0.5}
    assert [change for _, change in in_run.steered] == [
        {"paused": True},
        {"paused": False, "limits": {"max_total_trials": 30}},
        {"limits": {"max_concurrent_trials": 2}, "space": {"lr": half}},
        {"params": {"lr": 0.25}},
        {"stop": True},
    ]  # fmt: skip


def test_a_mistake_is_a_line_and_exit_status_2(said: Any) -> None:
    assert "'x' is not name=value" in said("sweeps", "try", "sweep1", "x", status=2)
    assert "nothing to try" in said("sweep", "lr=uniform(0,1)", status=2)
    assert "there is no runs/gone" in said("sweeps", "show", "gone", status=1)


def test_a_trial_that_was_stopped_is_not_said_to_have_failed() -> None:
    assert word_of(TrialState.FAIL, "stopped: the sweep ended") == "stopped"
    assert word_of(TrialState.FAIL, "ValueError: stopped") == "failed"
    assert word_of(TrialState.PRUNED, "pruned: below the median") == "pruned"
