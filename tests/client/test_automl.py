"""AutoML from user code: what is sent for a table, and what is read of a run."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import jupyter_mlstudio as studio
from jupyter_mlstudio.cli import main
from jupyter_mlstudio.errors import Conflict, Invalid, NotFound
from tests.client.gateway import Gateway

REPORT: dict[str, Any] = {
    "phase": "done", "task": "classification", "primary_metric": "auc_weighted", "goal": "maximize", "rows": 100,
    "winner": 1, "findings": [{"code": "constant", "severity": "info", "what": "a is constant", "columns": ["a"],
                  "done": "it is left out", "remedy": "take it out"}],
    "margin": {"number": 0, "family": "Linear", "lead": 0.01, "low": -0.02, "high": 0.04, "within_noise": True},
    "leaderboard": [
        {"number": 1, "run_id": "r1", "family": "LightGBM", "stage": "portfolio", "score": 0.93, "low": 0.91,
         "high": 0.95, "params": {"depth": 3}, "metrics": {"accuracy": 0.9}, "fit_s": 0.5, "predict_ms": 1.25,
         "onnx": {"ready": True, "label_flips": 0, "max_abs_difference": 3.2e-7}},
        {"number": 0, "run_id": "r0", "family": "Linear", "stage": "portfolio", "score": "NaN"},
        {"number": 2, "run_id": "r2", "family": "SVM", "stage": "search", "failed": "no memory", "word": "new"},
        {"number": 3, "run_id": "r3", "family": "KNN", "stage": "search", "score": 0.8},
        {"number": 4, "run_id": "r4", "family": "MLP", "stage": "search", "score": 0.7,
         "onnx": {"ready": False, "reason": "2 of 256 labels flip"}},
    ],
}  # fmt: skip


@pytest.fixture
def churn(in_run: Gateway, tmp_path: Path) -> Path:
    """A table of the workspace."""
    path = tmp_path / "churn.csv"
    path.write_text("age,churn\n1,yes\n")
    return path


def sent(gateway: Gateway) -> dict[str, Any]:
    """The last request."""
    return gateway.submitted[-1]


def test_a_file_of_the_workspace_is_named(in_run: Gateway, churn: Path) -> None:
    run = studio.automl(
        churn, "churn", minutes="90s", metric="AUC_weighted", trials=30, parallel=2, trial_timeout="1min", test=0.2,
        allow=["LightGBM"], stack=False, memory="4GB", name="mine", tags={"team": "a"},
        stack_settings={"stack_meta_learner_type": "elastic_net", "stack_meta_learner_kwargs": {"alpha": 0.1}},
    )  # fmt: skip

    assert run.id == "automl1"
    spec = sent(in_run)["automl"]
    assert (spec["data"], spec["target"], spec["task"]) == ("churn.csv", "churn", "auto")
    assert spec["limits"] == {
        "timeout_s": 90.0, "max_trials": 30, "max_concurrent_trials": 2, "trial_timeout_s": 60.0,
        "enable_early_termination": True, "memory_bytes": 4 * 10**9,
    }  # fmt: skip
    assert (spec["test_data_size"], spec["training"]["enable_stack_ensemble"]) == (0.2, False)
    assert spec["training"]["stack_ensemble_settings"] == {
        "stack_meta_learner_type": "elastic_net", "stack_meta_learner_k_wargs": {"alpha": 0.1},
    }  # fmt: skip
    assert (sent(in_run)["uploads"], sent(in_run)["tags"]) == ({}, {"team": "a"})


def test_a_data_frame_is_sent_as_parquet_with_its_types(in_run: Gateway) -> None:
    frame = pd.DataFrame({"größe": [1.5, np.nan], "kind": pd.Categorical(["a", "b"]), 3: [True, False]}, index=[7, 9])

    studio.automl(frame, target="kind", validation=frame)

    spec, uploads = sent(in_run)["automl"], sent(in_run)["uploads"]
    assert (set(uploads), spec["data"]) == ({"data", "validation_data"}, "uploaded")
    read = pd.read_parquet(io.BytesIO(in_run.files["data.parquet"]))
    assert list(read.columns) == ["größe", "kind", "3"]
    assert read["3"].tolist() == [True, False]
    assert len(read) == 2


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "'a'"),
        (pd.DataFrame({"a": [1, "x", object()]}), "'a' cannot be sent"),
        (pd.DataFrame({"a": []}), "no rows"),
        ([1, 2], "not list"),
    ],
)
def test_what_is_no_table_is_refused_with_the_column(in_run: Gateway, frame: Any, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        studio.automl(frame, target="a")
    assert not in_run.submitted


def test_what_is_missing_or_wrong_is_said(in_run: Gateway, churn: Path, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="which column"):
        studio.automl(churn)
    with pytest.raises(NotFound, match=r"none\.csv"):
        studio.automl("none.csv", target="a")
    with pytest.raises(Invalid, match="folder"):
        studio.automl(tmp_path, target="a")
    with pytest.raises(Invalid, match="not a task"):
        studio.automl(churn, "churn", task="cluster")
    with pytest.raises(Invalid, match="not a time span"):
        studio.automl(churn, "churn", minutes=0)
    with pytest.raises(Invalid, match="horizont"):
        studio.automl(churn, "churn", forecasting={"horizont": 3})
    with pytest.raises(Invalid, match="column with the time"):
        studio.automl(churn, "churn", horizon=3)


def test_a_forecast_and_a_model_for_each_store(in_run: Gateway, churn: Path) -> None:
    studio.automl(churn, "churn", time="day", horizon=14, series="store", partition_by="region")

    spec = sent(in_run)["automl"]
    assert (spec["task"], spec["partition_by"]) == ("forecasting", ["region"])
    assert spec["forecasting"] == {
        "time_column_name": "day", "forecast_horizon": 14, "time_series_id_column_names": ["store"],
    }  # fmt: skip


def test_azures_yaml_begins_one_and_what_is_said_beside_it_counts(
    in_run: Gateway, churn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = tmp_path / "job.yml"
    job.write_text("type: automl\ntask: regression\ntarget_column_name: age\ncompute: x\n"
                   "training_data: {path: churn.csv}\nlimits: {timeout_minutes: 3}\n")  # fmt: skip

    studio.automl_yaml(job)
    assert sent(in_run)["automl"]["limits"]["timeout_s"] == 180.0
    assert "compute" in capsys.readouterr().out
    studio.automl(str(job), minutes=1)
    assert (sent(in_run)["automl"]["limits"]["timeout_s"], sent(in_run)["automl"]["data"]) == (60.0, "churn.csv")


def test_what_was_found_is_read_with_its_types(in_run: Gateway, churn: Path) -> None:
    run = studio.automl(churn, "churn")
    with pytest.raises(NotFound, match="starting"):
        _ = run.winner
    with pytest.raises(Conflict, match="no model yet"):
        _ = run.model
    in_run.report = REPORT

    winner = run.winner
    assert (winner.family, winner.low, winner.params, winner.onnx and winner.onnx.ready) == (
        "LightGBM", 0.91, {"depth": 3}, True,
    )  # fmt: skip
    assert run.report.findings[0].severity.value == "info"
    assert len(run.leaderboard) == 5
    assert [one.number for one in run.leaderboard[1:]] == [0, 2, 3, 4]
    lines = repr(run.leaderboard).splitlines()
    assert "ready, ± 3e-07" in lines[1]
    assert "not checked" in lines[4]
    assert "2 of 256 labels flip" in lines[5]
    assert "LightGBM" in repr(run.leaderboard)
    assert "no memory" in run.leaderboard._repr_html_()
    for shown in (repr(run.leaderboard), run.leaderboard._repr_html_()):
        assert "the lead over Linear (0) is 0.01, with 95 % confidence -0.02 to 0.04: within the noise" in shown
    assert repr(run.findings) == "info: a is constant; it is left out; you can: take it out"
    assert "take it out" in run.findings._repr_html_()
    frame = run.leaderboard.frame()
    assert frame["auc_weighted"].tolist()[0] == 0.93
    assert frame["metrics.accuracy"][0] == 0.9
    assert frame["onnx_difference"][0] == 3.2e-7


def test_it_is_steered_and_gone_on_with(in_run: Gateway, churn: Path) -> None:
    run = studio.automl(churn, "churn")
    in_run.sweeps["automl1"] = {}

    run.pause().resume()
    again = run.go_on("90s")

    assert [body for _, body in in_run.steered] == [{"paused": True}, {"paused": False}, {"minutes": 1.5}]
    assert (again.name, run.yaml()) == ("automl-2", "as yaml")
    assert run.stop().status.value == "Canceled"


def test_a_row_is_asked_about_as_json(in_run: Gateway, churn: Path) -> None:
    run = studio.automl(churn, "churn")
    in_run.answer = {"prediction": "yes", "base": 0.25, "of": "yes", "contributions": [
        {"column": "age", "value": 3, "effect": 0.5}]}  # fmt: skip

    found = run.explain(pd.Series({"age": np.int64(3), "when": pd.Timestamp("2026-01-02"), "none": np.nan}))

    assert in_run.steered[-1][1] == {"row": {"age": 3, "when": "2026-01-02T00:00:00", "none": None}}
    assert (found.prediction, found.contributions[0].effect) == ("yes", 0.5)


def test_any_model_of_the_leaderboard_is_written_as_a_notebook(in_run: Gateway, churn: Path) -> None:
    in_run.answer = {"path": "automl-1 model 3.ipynb"}
    found = studio.automl("churn.csv", target="churn")
    assert found.notebook(3).name == "automl-1 model 3.ipynb"
    assert main(["automl-runs", "notebook", found.id, "--model", "3"]) == 0
    assert found.notebook().name == "automl-1 model 3.ipynb"
    assert [body for word, body in in_run.steered if word == "notebook"] == [{"number": 3}] * 2 + [{"number": None}]


def test_the_terminal_begins_follows_and_tells(
    in_run: Gateway, churn: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    in_run.report, in_run.end_sweeps = REPORT, "Completed"

    assert main(["automl", "churn.csv", "--target", "churn", "--minutes", "0.5", "--no-ensemble", "--stream"]) == 0

    printed = capsys.readouterr()
    assert "AutoML run automl-1 (automl1)" in printed.err
    assert "one\ntwo\n" in printed.out
    assert "LightGBM" in printed.out
    spec = sent(in_run)["automl"]
    assert (spec["limits"]["timeout_s"], spec["training"]["enable_vote_ensemble"]) == (30.0, False)
    assert main(["automl-runs", "leaderboard", "automl1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["family"] == "LightGBM"
    assert main(["automl-runs", "show", "automl1"]) == 0
    shown = capsys.readouterr().out
    assert "a is constant; it is left out; you can: take it out" in shown
    assert "0.91 to 0.95" in shown
    assert "within the noise" in shown
    assert main(["automl-runs", "code", "automl1", "--format", "yaml"]) == 0
    assert "as yaml" in capsys.readouterr().out
    assert main(["automl"]) == 2
    assert "nothing to learn from" in capsys.readouterr().err
