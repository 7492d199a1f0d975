"""AutoML with the real supervisor, program, workers and runs."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import psutil
import pytest

from jupyter_mlstudio.entities.automl import AutoMLLimits, AutoMLSpec, Training
from jupyter_mlstudio.entities.automl_reports import AutoMLReport
from jupyter_mlstudio.entities.runs import Run, RunKind, RunStatus
from jupyter_mlstudio.entities.sweeps import SweepPhase
from jupyter_mlstudio.errors import Invalid, NotFound
from jupyter_mlstudio.studio import Studio
from jupyter_mlstudio.workspace import Workspace
from tests.conftest import end_all
from tests.programs.sweeping import ended, log_of, trials
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

QUICK = Training(
    allowed_training_algorithms=["LogisticRegression", "KNN"],
    enable_onnx_compatible_models=False, enable_model_explainability=False,
)  # fmt: skip


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("studio")
    table(300).to_csv(folder / "churn.csv", index=False)
    made = Studio(Workspace(folder))
    made.compute.set_slots("local", 4)
    yield made
    end_all(made)
    made.close()


def table(rows: int) -> pd.DataFrame:
    """A table whose target has to do with its columns."""
    random = np.random.default_rng(0)
    age, plan = random.integers(18, 80, rows), random.choice(["basic", "pro", "team"], rows)
    chance = 1 / (1 + np.exp(-(age - 45) / 8 - (plan == "basic") * 1.5 + 0.5))
    churn = np.where(random.random(rows) < chance, "leaves", "stays")
    return pd.DataFrame({"age": age, "plan": plan, "noise": random.normal(size=rows), "churn": churn})


def begun(studio: Studio, timeout_s: float, **changed: Any) -> Run:
    """An AutoML run of the table."""
    training = changed.pop("training", QUICK)
    limits = AutoMLLimits(timeout_s=timeout_s, **changed.pop("limits", {}))
    return studio.automl.create(
        AutoMLSpec(data="churn.csv", target="churn", limits=limits, training=training, **changed)
    )


def report(studio: Studio, run: Run) -> AutoMLReport:
    """What a run has found so far."""
    return studio.automl.report(run.id)


def scored(studio: Studio, run: Run) -> int:
    """How many models have a score."""
    return sum(one.score is not None for one in report(studio, run).leaderboard)


def charts(studio: Studio, run_id: str) -> set[str]:
    """The names of a run's charts."""
    return {chart.name for chart in studio.tracking.charts(run_id)}


def test_a_table_becomes_a_leaderboard_of_runs_and_a_model(studio: Studio) -> None:
    run = ended(studio, begun(studio, 200.0, test_data_size=0.2, limits={"max_trials": 3}))

    assert (run.status, run.reason) == (RunStatus.COMPLETED, "")
    found = report(studio, run)
    assert (found.phase, found.classes, found.rows) == ("done", ["leaves", "stays"], 240)
    scores = [one.score for one in found.leaderboard if one.score is not None and not one.failed]
    assert scores == sorted(scores, reverse=True)
    winner = next(one for one in found.leaderboard if one.number == found.winner)
    assert run.metrics["best"] == max(scores)
    assert run.metrics[found.primary_metric] == winner.score
    for one in (studio.runs.get(winner.run_id), run):
        assert {"roc_curve", "precision_recall_curve", "confusion_matrix"} <= charts(studio, one.id)
    child = studio.runs.get(winner.run_id)
    assert (child.kind, child.parent_run_id, child.params["family"]) == (RunKind.TRIAL, run.id, winner.family)
    assert {found.primary_metric, "fit_s", "predict_ms", "size_bytes"} <= set(child.metrics)
    assert found.test["accuracy"] > 0.5
    assert f"{found.primary_metric} " in log_of(studio, run.id)
    assert studio.sweeps.get(run.id).phase is SweepPhase.ENDED
    file = studio.workspace.run_folder(run.id) / "artifacts" / "model" / "model.joblib"
    answers = joblib.load(file).predict(table(20).drop(columns="churn"))
    assert set(answers) <= {"leaves", "stays"}
    told = studio.automl_answers.explain(run.id, {"age": 70, "plan": "basic", "noise": None})
    assert told.of == found.positive_label
    assert told.contributions[0].column in ("age", "plan")
    assert told.base + sum(one.effect for one in told.contributions) == pytest.approx(told.probabilities[told.of])
    with pytest.raises(Invalid, match="'plan'"):
        studio.automl_answers.explain(run.id, {"age": 70, "noise": 0.0})
    written = json.loads((studio.workspace.root / studio.automl_code.notebook(run.id)).read_text())
    assert any("churn.csv" in "".join(cell["source"]) for cell in written["cells"])
    other = next(one for one in found.leaderboard if one.number != found.winner and one.score is not None)
    path = studio.automl_code.notebook(run.id, other.number)
    assert path == f"{run.name} model {other.number}.ipynb"
    head = json.loads((studio.workspace.root / path).read_text())["cells"][0]["source"]
    assert f"# {other.family} for `churn`" in "".join(head)
    with pytest.raises(NotFound, match="no model 77"):
        studio.automl_code.notebook(run.id, 77)


def test_stopping_keeps_the_best_and_going_on_knows_what_was_tried(studio: Studio) -> None:
    run = begun(studio, 300.0)
    until(lambda: scored(studio, run) >= 2, studio)
    assert studio.steering.stop_if_running(run.id)

    run = ended(studio, run)

    assert run.status is RunStatus.COMPLETED
    first = report(studio, run)
    assert first.winner is not None
    assert first.budget is not None
    assert first.budget.used_s < 200
    known = {one.number: one.run_id for one in first.leaderboard if one.score is not None and one.stage != "ensemble"}

    again = studio.automl.resume(run.id, 5.0)
    until(lambda: scored(studio, again) > len(known), studio)
    assert studio.steering.stop_if_running(again.id)
    again = ended(studio, again)

    assert again.status is RunStatus.COMPLETED, again.reason
    second = report(studio, again)
    assert second.budget is not None
    assert second.budget.timeout_s == 300
    assert second.budget.used_s < 200
    numbers = {one.number: one.run_id for one in second.leaderboard}
    assert {number: numbers.get(number) for number in known} == known
    assert len(second.leaderboard) > len(known)
    assert report(studio, run) == first  # what the old one found is as it was


def test_a_program_that_is_killed_goes_on_with_the_time_that_is_left(studio: Studio) -> None:
    run = begun(studio, 300.0)
    until(lambda: scored(studio, run) >= 1, studio)
    before = [one for one in report(studio, run).leaderboard if one.score is not None]
    program = next(
        one for one in psutil.process_iter(["cmdline"])
        if "jupyter_mlstudio.programs.automl" in (one.info["cmdline"] or ())
        and one.environ().get("MLSTUDIO_RUN_ID") == run.id
        and one.parent() is not None and "programs.automl" not in " ".join(one.parent().cmdline())
    )  # fmt: skip

    os.kill(program.pid, signal.SIGKILL)
    until(lambda: "known from before" in log_of(studio, run.id), studio)
    until(lambda: len(report(studio, run).leaderboard) > len(before), studio)
    assert studio.steering.stop_if_running(run.id)
    run = ended(studio, run)

    assert run.status is RunStatus.COMPLETED, run.reason
    budget = report(studio, run).budget
    assert budget is not None
    assert budget.used_s < 250
    after = {one.number: one for one in report(studio, run).leaderboard}
    assert all(after[one.number].run_id == one.run_id for one in before)
    assert all(after[one.number].score == one.score or after[one.number].rows > one.rows for one in before)
    statuses = {studio.runs.get(child["run_id"]).status for child in trials(studio, run)}
    assert RunStatus.RUNNING not in statuses


def test_a_table_that_cannot_be_learnt_from_says_why(studio: Studio) -> None:
    Path(studio.workspace.root / "same.csv").write_text("a,churn\n" + "1,yes\n2,yes\n" * 30)
    made = studio.automl.create(AutoMLSpec(data="same.csv", target="churn", training=QUICK))

    run = ended(studio, made)

    assert run.status is RunStatus.FAILED
    assert "churn" in run.reason
    findings = report(studio, run).findings
    assert any(one.severity.value == "error" and one.columns == ["churn"] for one in findings)
    content = json.loads((studio.workspace.run_folder(run.id) / "artifacts" / "automl" / "report.json").read_text())
    assert content["leaderboard"] == []
