"""The registry from user code and from a terminal: files, decisions, journal, downloads."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import jupyter_mlstudio as studio
from jupyter_mlstudio.cli import main
from jupyter_mlstudio.client.models import ModelVersion
from jupyter_mlstudio.errors import Conflict, Invalid, NotFound, WrongType
from tests.client.door import entered

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
DATA = load_breast_cancer()
MODEL = make_pipeline(StandardScaler(), LogisticRegression()).fit(DATA.data, DATA.target)


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path(self.path),)


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelVersion]:
    """A registered version in a workspace of its own; everything that runs there ends with the module."""
    root = tmp_path_factory.mktemp("workspace")
    with entered(root):
        with studio.start_run("training") as run:
            studio.log_model(MODEL, sample=DATA.data)
        yield studio.register_model(run, "cancer", threshold=0.37)


@pytest.fixture(autouse=True)
def _own_state() -> None:
    """All tests of this module share one workspace, so none of them leaves it."""


def test_X9_a_version_is_registered_with_its_threshold(version: ModelVersion) -> None:
    assert version.threshold == 0.37
    assert version.data["threshold"]["label_flips"] == version.data["threshold"]["ties"]
    assert version.data["profile"]["one_row_ms"] > 0
    assert "Threshold: 0.37" in version._repr_mimebundle_()["text/plain"]


def test_a_version_is_decided_about_and_its_journal_tells(version: ModelVersion) -> None:
    with pytest.raises(Invalid, match="reason"):
        version.reject("")
    assert version.reject("too old").approval["reason"] == "too old"
    assert version.approve().approval["status"] == "Approved"
    assert version.set_stage("Production").stage == "Production"
    model = studio.get_model("cancer").protect(["champion"])
    with pytest.raises(Invalid, match="reason"):
        version.set_alias("champion")
    assert version.set_alias("champion", "first").aliases == ["champion"]
    assert version.users() == ["protected alias 'champion'"]
    with pytest.raises(Conflict, match="champion"):
        version.delete()
    assert model.delete_alias("champion", "over").aliases == {}
    assert [event["action"] for event in version.journal()][:2] == ["registered", "ready"]
    assert version.archive("old").stage == "Archived"
    assert version.restore().stage == "Production"


def test_a_models_description_and_tags_are_changed(version: ModelVersion) -> None:
    model = studio.get_model("cancer").update("Says who is ill", {"team": "a"})
    assert (model.data["description"], model.tags) == ("Says who is ill", {"team": "a"})
    assert studio.list_models("canc")[0].tags == {"team": "a"}
    assert model.version("latest").version == model.versions[0]


def test_card_lineage_and_download_come_from_the_studio(version: ModelVersion, tmp_path: Path) -> None:
    assert version.card().startswith("---\nlibrary_name: ")
    assert version.lineage()["run"]["name"] == "training"
    with zipfile.ZipFile(version.download(tmp_path)) as packed:
        assert "cancer-1/model.onnx" in packed.namelist()


def test_a_file_is_registered_from_the_workspace_or_from_anywhere(version: ModelVersion, tmp_path: Path) -> None:
    onnx = onnx_of(version, tmp_path)
    Path("here.onnx").write_bytes(onnx)
    (tmp_path / "there.onnx").write_bytes(onnx)
    inside = studio.register_model(name="file", path="here.onnx")
    outside = studio.register_model(name="file", path=tmp_path / "there.onnx")
    assert [one.data["source"] for one in (inside, outside)] == ["workspace:/here.onnx", "upload:/there.onnx"]
    assert [one.status for one in (inside, outside)] == ["Ready", "Ready"]
    assert inside.compare(outside)["signature"] == []


def test_M01_a_pickle_of_unknown_origin_is_kept_and_never_loaded(version: ModelVersion, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    Path("model.pkl").write_bytes(pickle.dumps(Bomb(str(canary))))
    with pytest.raises(Conflict, match=r"'model.pkl' executes code when it is loaded"):
        studio.register_model(name="bomb", path="model.pkl")
    kept = studio.get_model("bomb").version()
    assert (kept.formats[0]["format"], kept.formats[0]["executes"]) == ("pkl", True)
    with pytest.raises(Conflict):
        kept.deploy()
    assert not canary.exists()


def test_what_cannot_be_registered_is_said(version: ModelVersion, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="name"):
        studio.register_model("run")
    with pytest.raises(NotFound, match="nothing was registered"):
        studio.register_model(name="x", path="nothing.onnx")
    for name in ("model.zip", "model.tar.gz"):
        (tmp_path / name).write_bytes(b"PK\x05\x06" + bytes(18))
        with pytest.raises(WrongType, match="not unpacked"):
            studio.register_model(name="x", path=tmp_path / name)


def test_the_terminal_has_the_same_words(
    version: ModelVersion, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("terminal.onnx").write_bytes(onnx_of(version, tmp_path))
    for words, said in (
        (["register", "terminal.onnx", "--name", "terminal"], "terminal version 1: Ready"),
        (["approve", "terminal:1", "--reason", "good"], "Approved"),
        (["stage", "terminal:1", "Staging"], "stage Staging"),
        (["alias", "terminal:1", "best"], "aliases: best"),
        (["users", "terminal@best"], "alias 'best'"),
        (["journal", "terminal:1"], "approved"),
        (["card", "terminal:1"], "# terminal, version 1"),
        (["compare", "terminal:1", "cancer:1"], '"metrics"'),
    ):
        assert main(["models", *words]) == 0
        assert said in capsys.readouterr().out
    assert main(["models", "reject", "terminal:1"]) == 2
    assert "reason" in capsys.readouterr().err


def onnx_of(version: ModelVersion, folder: Path) -> bytes:
    with zipfile.ZipFile(version.download(folder)) as packed:
        return packed.read("cancer-1/model.onnx")
