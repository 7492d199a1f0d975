from __future__ import annotations

from pathlib import Path

import pytest

import jupyter_mlstudio as studio
from jupyter_mlstudio.client.experiments import _usual_goal
from jupyter_mlstudio.entities.experiments import Goal
from jupyter_mlstudio.errors import Conflict, Invalid, TimedOut
from tests.client.gateway import Gateway, run_data


def test_a_run_tells_its_values_with_their_types(in_run: Gateway) -> None:
    in_run.runs["run1"] |= {"metrics": {"auc": 0.5, "bad": "NaN", "top": "Infinity"}, "params": {"lr": "0.1"}}

    run = studio.get_run("run1")

    assert run.metrics["auc"] == 0.5
    assert run.metrics["bad"] != run.metrics["bad"]
    assert run.metrics["top"] == float("inf")
    assert (run.params, run.name, run.kind) == ({"lr": "0.1"}, "forest", "cell")


def test_waiting_for_a_run_that_failed_raises_its_reason(in_run: Gateway) -> None:
    in_run.runs["run1"] |= {"status": "Failed", "reason": "ValueError: bad depth"}

    with pytest.raises(Conflict, match="forest failed: ValueError: bad depth"):
        studio.get_run("run1").wait()
    assert studio.get_run("run1").wait(check=False).status == "Failed"


def test_waiting_ends_at_its_time_limit_and_the_run_goes_on(in_run: Gateway) -> None:
    with pytest.raises(TimedOut, match="it goes on"):
        studio.get_run("run1").wait(timeout_s=0.05, poll_s=0.01)


def test_the_output_is_read_and_followed(in_run: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    run = studio.get_run("run1")

    assert run.logs() == "one\ntwo\n"
    assert capsys.readouterr().out == ""
    run.logs(follow=True)
    assert capsys.readouterr().out == "one\ntwo\n"


def test_runs_are_listed_up_to_a_number(in_run: Gateway) -> None:
    in_run.runs["run2"] = run_data("run2")

    assert [run.id for run in studio.list_runs(max_results=1)] == ["run1"]
    with pytest.raises(Invalid):
        studio.list_runs(max_results=0)


def test_values_can_be_logged_to_a_run_that_is_not_active(in_run: Gateway, run_folder: Path) -> None:
    run = studio.get_run("run1")
    run.log("test_auc", 0.75)
    run.flush()

    assert in_run.points("test_auc") == [(0, 0.75)]


@pytest.mark.parametrize(
    ("metric", "goal"),
    [
        ("auc", "maximize"),
        ("log_loss", "minimize"),
        ("holdout.rmse", "minimize"),
        ("val_loss", "minimize"),
        ("r2", "maximize"),
    ],
)
def test_losses_and_errors_are_better_when_smaller(metric: str, goal: str) -> None:
    assert _usual_goal(metric) == Goal(goal)
