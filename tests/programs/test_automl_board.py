"""What an AutoML run tells when it goes on after a kill."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jupyter_mlstudio.entities.sweeps import SweepPhase, TrialState
from jupyter_mlstudio.programs.automl_board import Board
from jupyter_mlstudio.programs.automl_files import RUNS, Runs

REPORT = {"leaderboard": [
    {"number": 0, "score": 0.9, "failed": ""}, {"number": 1, "score": None, "failed": ""},
    {"number": 2, "score": None, "failed": "out of memory"},
]}  # fmt: skip


def trial(number: int) -> dict[str, Any]:
    return {"number": number, "run_id": f"run{number}", "state": TrialState.RUNNING.value, "params": {},
            "started_at": "2026-01-01T00:00:00+00:00"}  # fmt: skip


@pytest.mark.parametrize(
    ("report", "interrupted"),
    [(json.dumps(REPORT), [1]), (None, [0, 1, 2]), ("{}", [0, 1, 2]), ("[", [0, 1, 2])],
    ids=["ended before", "no report", "not one", "cut off"],
)  # fmt: skip
def test_a_candidate_that_had_ended_keeps_its_run_though_nobody_was_told_in_time(
    tmp_path: Path, report: str | None, interrupted: list[int]
) -> None:
    (tmp_path / RUNS).write_text(json.dumps({str(number): f"run{number}" for number in range(3)}))
    if report is not None:
        (tmp_path / "automl").mkdir()
        (tmp_path / "automl" / "report.json").write_text(report)
    sent: list[dict[str, Any]] = []
    gateway: Any = SimpleNamespace(
        get=lambda *_: {"trials": [trial(number) for number in range(3)]},
        post=lambda path, body, again: sent.append(body),
    )
    Board(gateway, "run", tmp_path, tmp_path, 0.0, 60.0).begin()
    told = [one for body in sent for one in body["trials"]]
    assert [one["number"] for one in told] == interrupted
    assert {one["state"] for one in told} == {TrialState.FAIL.value}
    assert sent[-1]["phase"] == SweepPhase.RUNNING.value
    runs = Runs(tmp_path / RUNS)
    assert [number for number in range(3) if runs.of(number) != f"run{number}"] == interrupted
