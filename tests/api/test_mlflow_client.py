"""MLflow's own client, unchanged, against a real door."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.mlflow_world import Door, run_program

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def client(door: Door, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in door.environment.items():
        if name.startswith("MLFLOW_"):
            monkeypatch.setenv(name, value)
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=door.tracking_uri)


@pytest.fixture
def run_id(client: Any) -> Iterator[str]:
    made = client.create_run("0", run_name="a run")
    yield made.info.run_id
    if client.get_run(made.info.run_id).info.status == "RUNNING":
        client.set_terminated(made.info.run_id)


def test_f39_points_that_are_not_finite_come_back_as_they_were_logged(client: Any, run_id: str) -> None:
    from mlflow.entities import Metric

    client.log_metric(run_id, "loss", math.nan, timestamp=1000, step=0)
    client.log_batch(run_id, [Metric("loss", math.inf, 2000, 5), Metric("loss", -math.inf, 3001, 5)])

    points = client.get_metric_history(run_id, "loss")

    assert [(str(p.value), p.timestamp, p.step) for p in points] == [
        ("nan", 1000, 0), ("inf", 2000, 5), ("-inf", 3001, 5)
    ]  # fmt: skip
    assert client.get_run(run_id).data.metrics == {"loss": -math.inf}


def test_f39_what_is_not_finite_is_sorted_last_either_way(client: Any) -> None:
    experiment = client.create_experiment("not finite")
    for name, value in (("nan", math.nan), ("low", 1.0), ("inf", math.inf), ("high", 2.0)):
        made = client.create_run(experiment, run_name=name).info.run_id
        client.log_metric(made, "auc", value)
        client.set_terminated(made)

    def names(order: str) -> list[str]:
        return [run.info.run_name for run in client.search_runs([experiment], order_by=[order])]

    assert names("metrics.auc DESC")[:2] == ["high", "low"]
    assert names("metrics.auc ASC")[:2] == ["low", "high"]
    assert [r.info.run_name for r in client.search_runs([experiment], "metrics.auc > 1.5")] == ["high"]


def test_params_tags_and_names_are_kept(client: Any, run_id: str) -> None:
    client.log_param(run_id, "depth", 3)
    client.log_param(run_id, "depth", 3)
    client.set_tag(run_id, "team", "blue")
    client.set_tag(run_id, "mlflow.note.content", "what it is for")
    client.update_run(run_id, name="renamed")

    run = client.get_run(run_id)

    assert run.data.params == {"depth": "3"}
    assert run.data.tags["team"] == "blue"
    assert run.data.tags["mlflow.note.content"] == "what it is for"
    assert run.data.tags["mlflow.runName"] == run.info.run_name == "renamed"
    client.delete_tag(run_id, "team")
    assert "team" not in client.get_run(run_id).data.tags


def test_a_parameter_keeps_its_first_value_and_nothing_of_the_batch_is_kept(client: Any, run_id: str) -> None:
    from mlflow.entities import Metric, Param
    from mlflow.exceptions import MlflowException

    client.log_param(run_id, "lr", 0.1)
    with pytest.raises(MlflowException, match=r"'lr' is '0\.1' already") as refused:
        client.log_batch(run_id, [Metric("m", 1.0, 1, 0)], [Param("new", "1"), Param("lr", "0.2")])

    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"
    run = client.get_run(run_id)
    assert (run.data.params, run.data.metrics) == ({"lr": "0.1"}, {})


def test_artifacts_go_there_and_back(client: Any, run_id: str, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "er" / "ü ber.txt").write_text("über")
    (folder / "empty").write_text("")
    client.log_artifacts(run_id, str(folder), "files")
    client.log_dict(run_id, {"a": [1]}, "cfg/a.json")
    client.log_table(run_id, {"c": [1, 2]}, "table.json")

    assert [(f.path, f.is_dir) for f in client.list_artifacts(run_id)] == [
        ("cfg", True), ("files", True), ("table.json", False)
    ]  # fmt: skip
    assert [f.path for f in client.list_artifacts(run_id, "files")] == ["files/deep", "files/empty"]
    assert client.list_artifacts(run_id, "table.json") == []
    assert client.list_artifacts(run_id, "not/there") == []
    back = Path(client.download_artifacts(run_id, "files", str(tmp_path)))
    assert (back / "deep" / "er" / "ü ber.txt").read_text() == "über"
    assert (back / "empty").read_bytes() == b""


def test_a_long_history_comes_whole_in_pages(client: Any, run_id: str) -> None:
    from mlflow.entities import Metric

    for start in range(0, 30_000, 1000):
        client.log_batch(run_id, [Metric("m", float(i), 1000 + i, i) for i in range(start, start + 1000)])

    assert [point.step for point in client.get_metric_history(run_id, "m")] == list(range(30_000))


def test_experiments_are_made_found_renamed_and_archived(client: Any) -> None:
    from mlflow.exceptions import MlflowException

    made = client.create_experiment("flowers", tags={"mlflow.note.content": "all of them"})
    with pytest.raises(MlflowException) as twice:
        client.create_experiment("flowers")

    assert twice.value.error_code == "RESOURCE_ALREADY_EXISTS"
    assert client.get_experiment_by_name("no such thing") is None
    assert client.get_experiment("0").name == "Default"
    client.rename_experiment(made, "blossoms")
    assert client.get_experiment(made).name == "blossoms"
    assert [e.name for e in client.search_experiments(filter_string="name LIKE 'bloss%'")] == ["blossoms"]
    client.delete_experiment(made)
    assert client.get_experiment(made).lifecycle_stage == "deleted"
    assert client.search_experiments(filter_string="name = 'blossoms'") == []


def test_runs_are_found_by_what_they_have_a_page_at_a_time(client: Any) -> None:
    experiment = client.create_experiment("pages")
    parent = client.create_run(experiment, run_name="parent").info.run_id
    for number in range(5):
        made = client.create_run(experiment, tags={"mlflow.parentRunId": parent, "n": str(number)}).info.run_id
        client.set_terminated(made, "FAILED" if number == 4 else "FINISHED")
    client.set_terminated(parent)

    children = f"tags.`mlflow.parentRunId` = '{parent}'"
    first = client.search_runs([experiment], children, max_results=3)
    second = client.search_runs([experiment], children, max_results=3, page_token=first.token)

    assert [run.data.tags["n"] for run in [*first, *second]] == ["4", "3", "2", "1", "0"]
    assert second.token is None
    assert [run.data.tags["n"] for run in client.search_runs([experiment], "attributes.status = 'FAILED'")] == ["4"]
    assert client.get_parent_run(first[0].info.run_id).info.run_id == parent
    assert client.search_runs(["999999"]) == []


def test_r25_the_first_end_of_a_run_stays_and_saying_it_again_is_no_error(client: Any, run_id: str) -> None:
    from mlflow.exceptions import MlflowException

    client.set_terminated(run_id, "FAILED")
    client.set_terminated(run_id, "FAILED")
    for status in ("FINISHED", "RUNNING"):
        with pytest.raises(MlflowException) as refused:
            client.update_run(run_id, status=status)
        assert refused.value.error_code == "RESOURCE_CONFLICT"

    assert client.get_run(run_id).info.status == "FAILED"


def test_a_data_set_that_was_logged_is_an_input_of_the_run(door: Door, client: Any, tmp_path: Path) -> None:
    printed = run_program(
        "import mlflow, pandas as pd\n"
        "data = mlflow.data.from_pandas(pd.DataFrame({'a': [1.0]}), name='rows')\n"
        "with mlflow.start_run() as run:\n    mlflow.log_input(data, context='training')\nprint(run.info.run_id)\n",
        door.environment,
        tmp_path,
    )

    run = client.get_run(printed.split()[-1])

    inputs = run.inputs.dataset_inputs
    assert [(one.dataset.name, one.tags[0].value) for one in inputs] == [("rows", "training")]
    assert (run.info.status, run.info.run_name) == ("FINISHED", "train-1")


def test_autolog_with_a_grid_search_registers_and_loads_its_model(door: Door, client: Any, tmp_path: Path) -> None:
    # MLflow looks for what a model needs in processes of its own, for seconds; nothing here depends on what it finds.
    quick = {"MLFLOW_REQUIREMENTS_INFERENCE_TIMEOUT": "1"}
    printed = run_program(AUTOLOG, {**door.environment, **quick}, tmp_path)

    parent, *_rest = printed.split()
    run = client.get_run(parent)
    children = client.search_runs([run.info.experiment_id], f"tags.mlflow.parentRunId = '{parent}'")
    assert (run.info.status, len(children)) == ("FINISHED", 2)
    assert {child.info.status for child in children} == {"FINISHED"}
    assert {"best_C", "cv"} <= set(run.data.params)
    assert "GridSearchCV_score_X" in run.data.metrics, "autologging scores models after their run has ended"
    models = client.search_logged_models([run.info.experiment_id], filter_string="name = 'best_estimator'")
    assert [(m.source_run_id, str(m.status)) for m in models] == [(parent, "READY")]
    assert (door.root / ".mlstudio/runs" / parent / "artifacts/models" / models[0].model_id / "MLmodel").is_file()
    assert models[0].model_id in {output.model_id for output in run.outputs.model_outputs}
    assert client.get_registered_model("iris").aliases == {"champion": "1"}
    assert client.get_model_version("iris", "1").run_id == parent
    assert printed.split()[1:] == ["READY", "[0]"]


AUTOLOG = """
import warnings; warnings.simplefilter("ignore")
import mlflow
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

mlflow.autolog(log_input_examples=True)
X, y = load_iris(return_X_y=True, as_frame=True)
search = GridSearchCV(LogisticRegression(max_iter=300), {"C": [0.1, 1]}, cv=2).fit(X, y)
search.score(X, y)
run = mlflow.last_active_run()
print(run.info.run_id)
client = mlflow.MlflowClient()
model = client.search_logged_models([run.info.experiment_id], filter_string="name = 'best_estimator'")[0]
version = mlflow.register_model(model.model_uri, "iris")
print(client.get_model_version("iris", version.version).status)
client.set_registered_model_alias("iris", "champion", version.version)
print(mlflow.pyfunc.load_model("models:/iris@champion").predict(X[:1]))
"""
