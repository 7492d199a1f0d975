from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlstudio.entities.models import Conversion, VersionStatus
from jupyter_mlstudio.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from tests.onnx import graphs
from tests.services.registry import Registry

pytestmark = pytest.mark.slow


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    made = Registry(tmp_path)
    yield made
    made.close()


@pytest.fixture
def run_id(registry: Registry) -> str:
    return registry.run_with_model()


def test_a_version_is_copied_and_hashed_and_waits_for_its_conversion(registry: Registry, run_id: str) -> None:
    version = registry.models.register("churn", run_id, alias="champion", tags={"team": "a"}, user="me")
    assert (version.version, version.status, version.source) == (1, VersionStatus.CONVERTING, f"runs:/{run_id}/model")
    assert version.convert_run_id is not None
    assert registry.runs.get(version.convert_run_id).spec.options["version"] == 1
    for file in version.files:
        native = registry.workspace.models / "churn" / "1" / file.path
        assert hashlib.sha256(native.read_bytes()).hexdigest() == file.sha256
    assert version.aliases == []


def test_a_converted_version_is_ready_with_signature_sample_report_and_alias(registry: Registry, run_id: str) -> None:
    ready = registry.convert(registry.models.register("churn", run_id, alias="champion"))
    assert (ready.status, ready.aliases) == (VersionStatus.READY, ["champion"])
    assert ready.parity is not None
    assert ready.signature is not None
    assert (ready.parity.rows, ready.parity.label_flips, ready.parity.dtype) == (150, 0, "float64")
    assert ready.signature.labels == ["0", "1", "2"]
    assert ready.sample["inputs"][0]["shape"] == [3, 4]
    assert "model.onnx" in [file.path for file in ready.files]
    assert ready.operators
    assert registry.models.version("churn", "champion") == ready
    assert registry.models.version("churn", "latest") == ready
    assert registry.models.version("churn", "v1") == ready


def test_only_the_versions_own_convert_run_may_tell_and_only_once(registry: Registry, run_id: str) -> None:
    version = registry.models.register("churn", run_id)
    for stranger in (None, run_id, "0" * 32):
        with pytest.raises(Forbidden, match="only the convert run"):
            registry.models.finish_conversion("churn", 1, Conversion(ready=True), stranger)
    ready = registry.convert(version)
    again = registry.models.finish_conversion("churn", 1, Conversion(ready=False), version.convert_run_id)
    assert again == ready


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (b"", "empty"),
        (b"nothing", "not ONNX"),
        (graphs.external("../canary"), "other files"),
        (graphs.custom(), "com.x"),
    ],
    ids=["empty", "no onnx", "external data", "custom operator"],
)
def test_M02_M03_M06_M09_a_reported_file_that_may_not_be_served_is_refused(
    registry: Registry, run_id: str, bad: bytes, said: str
) -> None:
    version = registry.models.register("churn", run_id)
    assert version.convert_run_id is not None
    (registry.artifacts(version.convert_run_id) / "model.onnx").write_bytes(bad)
    told = Conversion(ready=True, onnx="model.onnx", signature=graphs.DOUBLING)
    refused = registry.models.finish_conversion("churn", 1, told, version.convert_run_id)
    assert refused.status is VersionStatus.REFUSED
    assert said in refused.reason


@pytest.mark.parametrize("path", ["../../../canary", "/etc/hostname", "missing.onnx", "link.onnx"])
def test_a_reported_file_elsewhere_is_refused(registry: Registry, run_id: str, path: str) -> None:
    version = registry.models.register("churn", run_id)
    assert version.convert_run_id is not None
    (registry.artifacts(version.convert_run_id) / "link.onnx").symlink_to("/etc/hostname")
    told = Conversion(ready=True, onnx=path, signature=graphs.DOUBLING)
    refused = registry.models.finish_conversion("churn", 1, told, version.convert_run_id)
    assert refused.status is VersionStatus.REFUSED
    assert [file.path for file in refused.files if file.path == "model.onnx"] == []


def test_the_same_request_twice_makes_one_version(registry: Registry, run_id: str) -> None:
    first = registry.models.register("churn", run_id, request_id="r1")
    second = registry.models.register("churn", run_id, request_id="r1")
    assert (first.version, second.version) == (1, 1)
    assert first.convert_run_id == second.convert_run_id
    assert registry.models.get("churn").versions == [1]


def test_registrars_at_once_get_versions_of_their_own(registry: Registry, run_id: str) -> None:
    numbers: list[int] = []
    threads = [
        threading.Thread(target=lambda: numbers.append(registry.models.register("churn", run_id).version))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == [1, 2, 3, 4]


@pytest.mark.parametrize("name", ["", " ", "a ", "a\x00b", "a\u200bb", "a\u202eb", "\ud800", "a/b", "a\\b", ".", "..",
                                  "a\nb", "x" * 129])  # fmt: skip
def test_R06_R07_R15_R16_a_name_that_is_no_name_is_refused(registry: Registry, run_id: str, name: str) -> None:
    with pytest.raises(Invalid):
        registry.models.register(name, run_id)
    assert list(registry.workspace.models.iterdir()) == []


@pytest.mark.parametrize("name", ["churn", "Prävention", "模型", "😀" * 50, "con", "a b'c\"<img src=x>", "COM1.txt"])
def test_R16_R23_a_name_in_any_language_works_and_is_no_path(registry: Registry, run_id: str, name: str) -> None:
    assert registry.models.register(name, run_id).model == name
    folder = next(path for path in registry.workspace.models.iterdir() if path.name != ".new")
    assert folder.name.isascii()
    assert registry.models.get(name).versions == [1]


def test_R15_names_that_look_the_same_are_the_same_or_refused(registry: Registry, run_id: str) -> None:
    registry.models.register("caf\u00e9", run_id)
    assert registry.models.register("cafe\u0301", run_id).version == 2
    for twin in ("CAF\u00c9", "\uff43af\u00e9"):
        with pytest.raises(Conflict, match="looks the same"):
            registry.models.register(twin, run_id)


@pytest.mark.parametrize("alias", ["latest", "LATEST", "v3", "V3", "7", "", "a\x00", "a/b", "-", " x"])
def test_R13_an_alias_that_reads_like_a_version_is_refused(registry: Registry, run_id: str, alias: str) -> None:
    with pytest.raises(Invalid):
        registry.models.register("churn", run_id, alias=alias)


@pytest.mark.parametrize("version", ["-1", "0", "1.0", "01", "+1", "1e3", "9" * 40])
def test_R13_a_version_that_is_no_number_is_refused(registry: Registry, run_id: str, version: str) -> None:
    registry.models.register("churn", run_id)
    with pytest.raises((Invalid, NotFound)):
        registry.models.version("churn", version)


@pytest.mark.parametrize(
    "path", ["..", "../..", "model/../../..", "/etc", "", "model/", "a\\b", "a\x00", "C:/x", "./model"]
)
def test_P01_P03_P08_P14_a_path_that_leads_out_of_the_run_is_refused(
    registry: Registry, run_id: str, path: str
) -> None:
    with pytest.raises(Invalid):
        registry.models.register("churn", run_id, path=path)
    assert registry.models.list() == []


def test_P11_links_and_special_files_are_refused_at_once(registry: Registry, run_id: str, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    canary.write_text("secret")
    model = registry.artifacts(run_id) / "model"
    for make in (lambda path: path.symlink_to(canary), os.mkfifo):
        make(model / "odd")
        with pytest.raises(Invalid, match="link or a special file"):
            registry.models.register("churn", run_id)
        (model / "odd").unlink()
    (registry.artifacts(run_id) / "way").symlink_to(tmp_path)
    with pytest.raises(Invalid, match="link or a special file"):
        registry.models.register("churn", run_id, path="way")
    assert registry.models.register("churn", run_id).version == 1


def mlflow_model(registry: Registry, run_id: str, model_id: str) -> None:
    """Writes a model where MLflow's autologging does, as it does."""
    import mlflow.sklearn
    import pandas as pd
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression

    data = load_iris()
    frame = pd.DataFrame(data.data, columns=["a", "b", "c", "d"])
    folder = registry.artifacts(run_id) / "models" / model_id
    folder.parent.mkdir(exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.sklearn.save_model(
            LogisticRegression(max_iter=500).fit(frame, data.target), folder, input_example=frame[:20],
            serialization_format="cloudpickle", pip_requirements=["scikit-learn"],
        )  # fmt: skip


def test_a_model_that_mlflow_logged_is_found_and_converted(registry: Registry, run_id: str) -> None:
    shutil.rmtree(registry.artifacts(run_id) / "model")
    mlflow_model(registry, run_id, "m-1")
    version = registry.convert(registry.models.register("churn", run_id))
    assert version.status is VersionStatus.READY, version.reason
    assert version.source == f"runs:/{run_id}/models/m-1"
    assert version.parity is not None
    assert (version.parity.rows, version.parity.label_flips) == (20, 0)
    mlflow_model(registry, run_id, "m-2")
    with pytest.raises(NotFound, match="models/m-1, models/m-2"):
        registry.models.register("churn", run_id)
    assert registry.models.register("churn", run_id, path="models/m-2").version == 2


def test_P11_a_path_through_a_link_is_refused(registry: Registry, run_id: str, tmp_path: Path) -> None:
    (tmp_path / "elsewhere" / "model").mkdir(parents=True)
    (tmp_path / "elsewhere" / "model" / "secret").write_text("canary")
    (registry.artifacts(run_id) / "way").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Invalid, match="link"):
        registry.models.register("churn", run_id, path="way/model")
    assert registry.models.list() == []


def test_a_run_without_the_model_is_said(registry: Registry, run_id: str) -> None:
    with pytest.raises(NotFound, match="log_model"):
        registry.models.register("churn", run_id, path="other")
    with pytest.raises(NotFound, match="no run"):
        registry.models.register("churn", "0" * 32)


def test_H2_files_that_changed_after_they_were_logged_are_refused(registry: Registry, run_id: str) -> None:
    (registry.artifacts(run_id) / "model" / "model.joblib").write_bytes(b"other")
    with pytest.raises(Conflict, match="changed or removed after it was logged"):
        registry.models.register("churn", run_id)
    assert registry.models.list() == []


def test_a_convert_run_that_died_refuses_the_version(registry: Registry, run_id: str) -> None:
    version = registry.models.register("churn", run_id)
    assert version.convert_run_id is not None
    from jupyter_mlstudio.entities.runs import RunStatus
    from jupyter_mlstudio.services.outcomes import Outcome

    registry.supervisors.settle(version.convert_run_id, Outcome(RunStatus.FAILED, "killed by signal 9"))
    registry.models.reap()
    refused = registry.models.version("churn", 1)
    assert refused.status is VersionStatus.REFUSED
    assert "killed by signal 9" in refused.reason


def test_an_alias_points_only_to_ready_versions(registry: Registry, run_id: str) -> None:
    version = registry.models.register("churn", run_id)
    with pytest.raises(Conflict, match="converting"):
        registry.models.set_alias("churn", "champion", 1)
    registry.convert(version)
    assert registry.models.set_alias("churn", "champion", 1).aliases == {"champion": 1}
    assert registry.models.delete_alias("churn", "champion").aliases == {}
    with pytest.raises(NotFound):
        registry.models.delete_alias("churn", "champion")


def test_R26_the_second_of_two_changes_with_one_etag_is_stale(registry: Registry, run_id: str) -> None:
    version = registry.convert(registry.models.register("churn", run_id))
    changed = registry.models.update_version("churn", 1, if_match=version.etag, description="good", tags={"a": "1"})
    assert (changed.description, changed.tags) == ("good", {"a": "1"})
    with pytest.raises(Stale):
        registry.models.update_version("churn", 1, if_match=version.etag, description="other")
    assert registry.models.update_version("churn", 1, tags={"a": None}).tags == {}


def test_a_deleted_versions_number_is_not_given_again(registry: Registry, run_id: str) -> None:
    registry.convert(registry.models.register("churn", run_id))
    registry.models.delete_version("churn", 1)
    assert not (registry.workspace.models / "churn" / "1").exists()
    assert registry.models.register("churn", run_id).version == 2
    registry.models.delete("churn")
    assert not (registry.workspace.models / "churn").exists()
    with pytest.raises(NotFound):
        registry.models.get("churn")


def test_a_file_is_opened_and_no_other(registry: Registry, run_id: str) -> None:
    registry.models.register("churn", run_id)
    handle, size, name = registry.models.open_file("churn", "1", "native/mlstudio.json")
    with open(handle, "rb") as file:  # noqa: PTH123 - from a descriptor
        assert len(file.read()) == size
    assert name == "mlstudio.json"
    for path in ("../1/native/mlstudio.json", "/etc/hostname", "native", "nothing", "native/..", ""):
        with pytest.raises((Invalid, NotFound)):
            registry.models.open_file("churn", "1", path)


KILLED = """
import os, signal, sys
from pathlib import Path
from jupyter_mlstudio.services.launcher import Launcher
from jupyter_mlstudio.store.changes import Changes
from tests.services.registry import Registry

class KillingChanges(Changes):
    def note(self, *args, **options):
        os.kill(os.getpid(), signal.SIGKILL)

class KillingLauncher(Launcher):
    def submit(self, *args, **options):
        os.kill(os.getpid(), signal.SIGKILL)

parts = {"changes": KillingChanges} if sys.argv[3] == "before" else {"launcher": KillingLauncher}
Registry(Path(sys.argv[1]), **parts).models.register("churn", sys.argv[2], request_id="r1")
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_F13_killed_before_or_after_the_row_there_is_no_version_or_a_whole_one(
    registry: Registry, run_id: str, when: str
) -> None:
    command = [sys.executable, "-c", KILLED, str(registry.workspace.root), run_id, when]
    killed = subprocess.run(command, capture_output=True, check=False, cwd=Path(__file__).parents[2])
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    found = registry.models.list()
    if when == "before":
        assert found == []
        assert (registry.workspace.models / "churn" / "1").is_dir()
    else:
        assert [model.versions for model in found] == [[1]]
        for file in registry.models.version("churn", 1).files:
            content = (registry.workspace.models / "churn" / "1" / file.path).read_bytes()
            assert hashlib.sha256(content).hexdigest() == file.sha256
    again = registry.models.register("churn", run_id, request_id="r1")
    assert registry.models.get("churn").versions == [1]
    assert registry.convert(again).status is VersionStatus.READY
