"""AutoML runs as they are begun, gone on with and read; no process of theirs is started here."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from jupyter_mlstudio.entities.automl import (
    AutoMLLimits,
    AutoMLSpec,
    Featurization,
    FeaturizationMode,
    ForecastingSettings,
    Task,
)
from jupyter_mlstudio.entities.runs import RunKind, RunStatus
from jupyter_mlstudio.errors import Conflict, Invalid, NotFound, StudioError
from jupyter_mlstudio.services import automl_checks
from jupyter_mlstudio.services.sweeps import AUTOML_GOAL, AUTOML_METRIC
from jupyter_mlstudio.studio import Studio
from jupyter_mlstudio.workspace import Workspace
from tests.world import end, insert_run, log

SPEC = AutoMLSpec(data="churn.csv", target="churn")


def aged(**given: Any) -> ForecastingSettings:
    return ForecastingSettings(time_column_name="age", **given)


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    (tmp_path / "churn.csv").write_text("age,churn\n1,yes\n2,no\n")
    made = Studio(Workspace(tmp_path))
    made.compute.set_slots("local", 0)  # nothing is started: only what is asked for is looked at
    yield made
    made.close()


def checked(studio: Studio, **changed: Any) -> AutoMLSpec:
    """A specification as it would be kept."""
    return automl_checks.check(studio.workspace, replace(SPEC, **changed))


def searched(studio: Studio, report: dict[str, Any] | str | None = None, spec: AutoMLSpec = SPEC) -> str:
    """An AutoML run that runs, without a process of its own."""
    from jupyter_mlstudio.services.automl import _whole
    from jupyter_mlstudio.store.runs import SPEC as RUN_SPEC

    run_id = insert_run(
        studio, name="searched", kind=RunKind.AUTOML, spec=RUN_SPEC.dump_json(_whole(spec, None)).decode(),
        gateway_url="http://127.0.0.1:1",
    )  # fmt: skip
    if report is not None:
        file = studio.workspace.run_folder(run_id) / "artifacts" / "automl" / "report.json"
        file.parent.mkdir(parents=True)
        file.write_text(report if isinstance(report, str) else json.dumps(report))
    return run_id


def test_a_run_is_begun_with_its_specification_and_told_apart_by_its_parameters(studio: Studio) -> None:
    run = studio.automl.create(replace(SPEC, limits=AutoMLLimits(timeout_s=30, max_concurrent_trials=2)), name="mine")

    assert (run.kind, run.status, run.name) == (RunKind.AUTOML, RunStatus.QUEUED, "mine")
    assert run.params["target"] == "churn"
    assert run.params["minutes"] == "0.5"
    found = studio.automl.get(run.id)
    assert found.spec.limits.timeout_s == 30
    assert (found.report.phase, found.report.leaderboard, found.notebook) == ("starting", [], False)
    assert studio.sweeps.get(run.id).spec.limits.timeout_s == 30  # it is steered as a sweep is


def test_the_same_request_twice_is_one_run(studio: Studio) -> None:
    one, two = (studio.automl.create(SPEC, request_id="once") for _ in range(2))

    assert one.id == two.id


def test_a_table_that_was_sent_becomes_an_artifact_of_the_run(studio: Studio, tmp_path: Path) -> None:
    upload = uuid.uuid4().hex
    (tmp_path / "sent").write_bytes(b"PAR1 and so on")
    studio.models.sources.keep_upload(upload, "data.parquet", tmp_path / "sent", 14, "")

    run = studio.automl.create(replace(SPEC, data="uploaded"), uploads={"data": upload})

    assert studio.automl.spec(run.id).data == f"runs:/{run.id}/tables/data.parquet"
    file = studio.workspace.run_folder(run.id) / "artifacts" / "tables" / "data.parquet"
    assert file.read_bytes() == b"PAR1 and so on"
    assert automl_checks.table_of(studio.workspace, studio.automl.spec(run.id).data)[1] == file
    with pytest.raises(NotFound, match="send it again"):
        studio.automl.create(replace(SPEC, data="uploaded"), uploads={"data": upload})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"target": " "}, "the target is empty"),
        ({"target": "a\x00b"}, "target"),
        ({"weight_column": "churn"}, "neither the weight"),
        ({"n_cross_validations": 1}, "2 to 100 folds"),
        ({"test_data_size": 1.0}, "between 0 and 1"),
        ({"limits": AutoMLLimits(timeout_s=0)}, "positive number of seconds"),
        ({"limits": AutoMLLimits(timeout_s=float("nan"))}, "positive number of seconds"),
        ({"limits": AutoMLLimits(max_trials=0)}, "trials, not 0"),
        ({"limits": AutoMLLimits(memory_bytes=1)}, "64 MiB"),
        ({"featurization": Featurization(mode=FeaturizationMode.CUSTOM, column_name_and_types={"a": "Blob"})}, "Blob"),
        ({"featurization": Featurization(column_name_and_types={"a": "Text"})}, "mode custom"),
        ({"task": Task.FORECASTING}, "time_column_name"),
        ({"forecasting": ForecastingSettings(time_column_name="age")}, "task forecasting"),
        ({"task": Task.FORECASTING, "forecasting": aged(target_aggregate_function="sum")}, "frequency"),
        (
            {"task": Task.FORECASTING, "forecasting": aged(target_aggregate_function="mode")},
            "one of sum, mean, min, max",
        ),
        ({"task": Task.FORECASTING, "forecasting": aged(feature_lags="3")}, "feature_lags is one of auto"),
        ({"task": Task.FORECASTING, "forecasting": aged(features_unknown_at_forecast_time=["churn"])}, "no feature"),
        ({"seed": -1}, "seed"),
        ({"validation_data": "churn.csv", "n_cross_validations": 3}, "not both"),
    ],
)
def test_what_cannot_be_is_refused_before_there_is_a_run(studio: Studio, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        checked(studio, **changed)


@pytest.mark.parametrize(
    "path",
    [
        "../churn.csv", "/etc/passwd", "a\\b.csv", "http://169.254.169.254/x.csv", "s3://bucket/x.csv",
        ".mlstudio/a.csv",
        "runs:/../../x", "runs:/" + "a" * 32 + "/../../../x", "folder", "link.csv", "pipe", "", "a/../churn.csv",
    ],
)  # fmt: skip
def test_only_plain_files_below_the_root_are_tables(studio: Studio, tmp_path: Path, path: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.csv").symlink_to("churn.csv")
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(Invalid):
        checked(studio, data=path)


def test_a_path_is_kept_as_one_below_the_root(studio: Studio, tmp_path: Path) -> None:
    assert checked(studio, data=str(tmp_path / "churn.csv")).data == "churn.csv"
    assert checked(studio, data="./churn.csv").data == "churn.csv"
    with pytest.raises(NotFound, match=r"nothing\.csv"):
        checked(studio, data="nothing.csv")


def test_a_report_is_read_and_one_that_is_none_is_said_to_be(studio: Studio) -> None:
    run_id = searched(studio, {"phase": "trying models", "primary_metric": "accuracy", "leaderboard": [
        {"number": 0, "run_id": "r", "family": "LightGBM", "stage": "portfolio", "score": "NaN"}]})  # fmt: skip

    found = studio.automl.get(run_id).report
    assert (found.phase, found.leaderboard[0].family) == ("trying models", "LightGBM")
    with pytest.raises(Conflict, match="is no report"):
        studio.automl.report(searched(studio, "{}"))


def test_a_link_in_the_place_of_the_report_leads_nowhere(studio: Studio, tmp_path: Path) -> None:
    run_id = searched(studio, "x")
    file = studio.workspace.run_folder(run_id) / "artifacts" / "automl" / "report.json"
    file.unlink()
    file.symlink_to("/etc/hostname")

    with pytest.raises(StudioError):
        studio.automl.report(run_id)


def test_stopping_ends_the_search_first_and_the_run_when_asked_again(studio: Studio) -> None:
    run_id = searched(studio)

    assert studio.steering.stop_if_running(run_id)
    assert studio.steering.control(run_id).stop
    assert not studio.steering.stop_if_running(run_id)


def test_what_only_a_sweep_has_is_refused(studio: Studio) -> None:
    run_id = searched(studio)

    for ask in (
        lambda: studio.steering.enqueue(run_id, {"lr": 1}), lambda: studio.sweeps.resume(run_id),
        lambda: studio.sweep_code.text(run_id, "python"), lambda: studio.sweep_code.notebook(run_id),
    ):  # fmt: skip
        with pytest.raises(Conflict, match="chooses its models itself"):
            ask()


def test_a_sweep_of_it_knows_the_metric_that_the_run_chose(studio: Studio) -> None:
    run_id = searched(studio)
    log(studio, run_id, tags={AUTOML_METRIC: "normalized_root_mean_squared_error", AUTOML_GOAL: "minimize"})

    objective = studio.sweeps.get(run_id).spec.objectives[0]
    assert (objective.primary_metric, objective.goal) == ("normalized_root_mean_squared_error", "minimize")


def test_going_on_is_a_new_run_with_so_many_minutes(studio: Studio) -> None:
    run_id = searched(studio, {"phase": "done", "families": [{"name": "LightGBM", "tried": 7}],
                               "budget": {"timeout_s": 300.0, "used_s": 300.0}})  # fmt: skip
    with pytest.raises(Conflict, match="under way"):
        studio.automl.resume(run_id, 5)
    end(studio, run_id)

    again = studio.automl.resume(run_id, 5)

    assert (again.retry_of, again.name) == (run_id, "searched, continued")
    assert studio.automl.get(again.id).resume_from == run_id
    limits = studio.automl.spec(again.id).limits
    assert (limits.timeout_s, limits.max_trials) == (300.0, 1007)
    for minutes in (0, -1, float("nan"), float("inf")):
        with pytest.raises(Invalid, match="positive"):
            studio.automl.resume(run_id, minutes)
    with pytest.raises(Conflict, match="how many more minutes"):
        studio.automl.resume(run_id)


def test_all_that_go_on_have_names_of_their_own(studio: Studio) -> None:
    budget = {"timeout_s": 300.0, "used_s": 300.0}
    run_id = searched(studio, {"phase": "done", "budget": budget})
    end(studio, run_id)
    first = studio.automl.resume(run_id, 5)
    studio.launcher.stop(first.id)

    names = [studio.automl.resume(before, 5).name for before in (run_id, first.id)]

    assert names == ["searched, continued 2", "searched, continued 3"]


def test_a_retry_goes_on_with_one_that_was_interrupted_and_begins_another_anew(studio: Studio) -> None:
    one = {"number": 0, "run_id": "r", "family": "LightGBM", "stage": "portfolio"}
    budget = {"timeout_s": 300.0, "used_s": 100.0}
    broken = searched(studio, {"phase": "trying models", "leaderboard": [one], "budget": budget})
    whole = searched(studio, {"phase": "done", "leaderboard": [one], "winner": 0, "budget": budget})
    for run_id in (broken, whole):
        end(studio, run_id, RunStatus.FAILED if run_id == broken else RunStatus.COMPLETED)

    again, anew = studio.automl.again(broken), studio.automl.again(whole)

    assert studio.automl.get(again.id).resume_from == broken
    assert (again.name, anew.name) == ("searched, continued", "searched")
    assert studio.automl.spec(again.id).limits.timeout_s == 200.0
    assert studio.automl.get(anew.id).resume_from is None


def test_a_run_of_another_kind_is_no_automl_run(studio: Studio) -> None:
    other = insert_run(studio, name="other")

    for ask in (studio.automl.get, studio.automl.report, studio.automl.resume):
        with pytest.raises(NotFound, match="is no AutoML run"):
            ask(other)


def test_the_notebook_is_written_beside_the_table_under_a_name_that_is_free(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "churn.csv").write_text("a,churn\n")
    run_id = searched(studio, {"phase": "done"}, replace(SPEC, data="data/churn.csv"))
    with pytest.raises(Conflict, match="not yet"):
        studio.automl_code.notebook(run_id)
    folder = studio.workspace.run_folder(run_id) / "artifacts" / "automl"
    (folder / "winner.ipynb").write_text('{"cells": []}')

    assert studio.automl_code.notebook(run_id) == "data/searched.ipynb"
    assert studio.automl_code.notebook(run_id) == "data/searched (2).ipynb"


def test_azures_yaml_needs_a_task(studio: Studio) -> None:
    with pytest.raises(Invalid, match="names the task"):
        studio.automl_code.draft(SPEC, "yaml")
    run_id = searched(studio, {"phase": "done", "task": "regression"})
    assert yaml.safe_load(studio.automl_code.text(run_id, "yaml"))["task"] == "regression"
