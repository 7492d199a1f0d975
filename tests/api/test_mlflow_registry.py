"""The registry through MLflow's own client, unchanged: stages, aliases, tags, searches, renames, copies, loading."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from tests.api.mlflow_world import Door
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.filterwarnings("ignore")]
DATA = load_iris()


@pytest.fixture(scope="module")
def client(door: Door) -> Iterator[Any]:
    """MLflow's client with a model ``iris`` of two versions, both ready."""
    before = pytest.MonkeyPatch()
    for name, value in door.environment.items():
        if name.startswith("MLFLOW_"):
            before.setenv(name, value)
    import mlflow
    from mlflow import MlflowClient

    mlflow.set_tracking_uri(door.tracking_uri)
    client = MlflowClient(tracking_uri=door.tracking_uri, registry_uri=door.tracking_uri)
    with mlflow.start_run() as run:
        model = LogisticRegression(max_iter=500).fit(DATA.data, DATA.target)
        logged = mlflow.sklearn.log_model(
            model, name="model", input_example=DATA.data[:20], serialization_format="cloudpickle",
            pip_requirements=["scikit-learn"],
        )  # fmt: skip
    client.create_registered_model("iris", tags={"team": "a"}, description="Irises")
    for _ in range(2):
        client.create_model_version("iris", logged.model_uri, run.info.run_id, await_creation_for=0)
    until(lambda: {one.status for one in client.search_model_versions("name = 'iris'")} == {"READY"})
    yield client
    mlflow.set_tracking_uri("")
    before.undo()


def code(error: pytest.ExceptionInfo[BaseException]) -> str:
    return str(error.value.error_code)  # type: ignore[attr-defined]


def refused() -> Any:
    from mlflow.exceptions import MlflowException

    return pytest.raises(MlflowException)


def test_stages_move_and_the_version_before_is_archived(client: Any, door: Door) -> None:
    assert client.transition_model_version_stage("iris", "1", "Staging").current_stage == "Staging"
    assert client.transition_model_version_stage("iris", "1", "production").current_stage == "Production"
    client.transition_model_version_stage("iris", "2", "Production", archive_existing_versions=True)
    assert client.get_model_version("iris", "1").current_stage == "Archived"
    assert [one.version for one in client.get_latest_versions("iris", ["Production"])] == ["2"]
    assert {one.current_stage for one in client.get_latest_versions("iris")} == {"Production", "Archived"}
    with refused() as error:
        client.transition_model_version_stage("iris", "1", "Nowhere")
    assert code(error) == "INVALID_PARAMETER_VALUE"
    for version in ("1", "2"):
        client.transition_model_version_stage("iris", version, "None")
    studio = door.studio()
    assert "stage" in [event.action for event in studio.model_reviews.journal("iris", "1").events]
    studio.close()


def test_aliases_load_the_version_they_point_to(client: Any) -> None:
    import mlflow

    client.set_registered_model_alias("iris", "champion", "2")
    client.set_registered_model_alias("iris", "challenger", "1")
    assert client.get_model_version_by_alias("iris", "champion").version == "2"
    assert client.get_registered_model("iris").aliases == {"champion": "2", "challenger": "1"}
    loaded = mlflow.pyfunc.load_model("models:/iris@champion")
    assert (loaded.predict(DATA.data[:5]) == DATA.target[:5]).all()
    assert client.get_model_version_download_uri("iris", "2").startswith("mlflow-artifacts:/")
    client.delete_registered_model_alias("iris", "challenger")
    with refused() as error:
        client.get_model_version_by_alias("iris", "challenger")
    assert code(error) == "RESOURCE_DOES_NOT_EXIST"


def test_a_protected_alias_is_not_moved_without_a_reason(client: Any, door: Door) -> None:
    client.set_registered_model_alias("iris", "guarded", "1")
    studio = door.studio()
    studio.models.update("iris", protected_aliases=["guarded"])
    with refused() as error:
        client.set_registered_model_alias("iris", "guarded", "2")
    assert "needs a reason" in str(error.value)
    studio.models.update("iris", protected_aliases=[])
    studio.close()
    client.delete_registered_model_alias("iris", "guarded")


def test_tags_and_descriptions_of_models_and_versions(client: Any) -> None:
    assert client.get_registered_model("iris").tags == {"team": "a"}
    client.set_registered_model_tag("iris", "cost", "low")
    client.delete_registered_model_tag("iris", "team")
    assert client.get_registered_model("iris").tags == {"cost": "low"}
    client.update_registered_model("iris", "Three irises")
    assert client.get_registered_model("iris").description == "Three irises"
    client.set_model_version_tag("iris", "1", "checked", "yes")
    client.update_model_version("iris", "1", "The first")
    version = client.get_model_version("iris", "1")
    assert (version.tags["checked"], version.description) == ("yes", "The first")
    client.delete_model_version_tag("iris", "1", "checked")
    assert "checked" not in client.get_model_version("iris", "1").tags


def test_models_and_versions_are_searched_by_filters(client: Any) -> None:
    client.create_registered_model("other", tags={"cost": "high"})
    client.set_registered_model_tag("iris", "cost", "low")
    found = {
        text: [model.name for model in client.search_registered_models(text)]
        for text in (
            "name = 'iris'",
            "name LIKE 'o%'",
            "tags.cost = 'high'",
            "name ILIKE 'IR%' AND tags.cost != 'high'",
        )
    }
    assert list(found.values()) == [["iris"], ["other"], ["other"], ["iris"]]
    run_id = client.get_model_version("iris", "1").run_id
    assert [one.version for one in client.search_model_versions(f"run_id = '{run_id}'")] == ["2", "1"]
    assert len(client.search_model_versions("name = 'iris'", max_results=1)) == 1
    assert [m.name for m in client.search_registered_models(order_by=["name DESC"])][:2] == ["other", "iris"]
    client.delete_registered_model("other")


def test_a_model_is_renamed_and_a_version_copied_and_deleted(client: Any) -> None:
    client.rename_registered_model("iris", "irises")
    assert client.get_registered_model("irises").latest_versions
    client.rename_registered_model("irises", "iris")
    copied = client.copy_model_version("models:/iris/2", "copy")
    assert (copied.name, copied.version) == ("copy", "1")
    client.delete_model_version("copy", "1")
    with refused() as error:
        client.get_model_version("copy", "1")
    assert code(error) == "RESOURCE_DOES_NOT_EXIST"
    client.delete_registered_model("copy")


def test_a_folder_in_the_workspace_is_a_source_and_one_elsewhere_is_not(
    client: Any, door: Door, tmp_path: Path
) -> None:
    import mlflow

    model = LogisticRegression(max_iter=500).fit(DATA.data, DATA.target)
    mlflow.sklearn.save_model(
        model, door.root / "saved", serialization_format="cloudpickle", pip_requirements=["scikit-learn"]
    )
    shutil.copytree(door.root / "saved", tmp_path / "saved")
    client.create_registered_model("saved")
    version = client.create_model_version("saved", (door.root / "saved").as_uri(), await_creation_for=0)
    assert (version.status, version.version) == ("READY", "1")
    assert "executes code when it is loaded" in version.status_message
    for source in ((tmp_path / "saved").as_uri(), (door.root / ".mlstudio").as_uri(), (door.root / "..").as_uri()):
        with refused() as error:
            client.create_model_version("saved", source, await_creation_for=0)
        assert code(error) == "INVALID_PARAMETER_VALUE"
