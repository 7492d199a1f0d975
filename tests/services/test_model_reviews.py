"""Decisions about versions, their journal, who uses them, and what is told about them."""

from __future__ import annotations

import io
import json
import math
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from jupyter_mlstudio.client.model_files import write_model
from jupyter_mlstudio.entities.models import ApprovalStatus, ModelVersion, Stage, VersionStatus
from jupyter_mlstudio.entities.runs import RunKind
from jupyter_mlstudio.entities.specs import RunSpec
from jupyter_mlstudio.entities.tracking import LogBatch, Points
from jupyter_mlstudio.errors import Conflict, Invalid, NotFound
from jupyter_mlstudio.programs.convert import convert, write_whole
from jupyter_mlstudio.programs.operating_point import finished
from jupyter_mlstudio.store.schema import model_events
from jupyter_mlstudio.studio import Studio
from jupyter_mlstudio.workspace import Workspace
from tests.conftest import end_all

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
]
DATA = load_breast_cancer()


def trained(studio: Studio, columns: int, source: str) -> str:
    """A run with a snapshot of its code, a metric, data, and a model that takes so many columns."""
    (studio.workspace.root / "train.py").write_text(source, encoding="utf-8")
    run = studio.launcher.submit(RunKind.SCRIPT, RunSpec(script="train.py", params={"columns": columns}))
    folder = studio.workspace.run_folder(run.id) / "artifacts" / "model"
    folder.mkdir(parents=True)
    rows = DATA.data[:, :columns]
    write_model(folder, make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, DATA.target), rows)
    data = {"dataset": {"name": "cancer", "digest": f"d{columns}", "source_type": "file", "source": "cancer.csv"}}
    studio.mlflow.add_parts(run.id, {"dataset_inputs": [data]})
    measured = {"accuracy": 0.9 + columns / 1000, "loss": math.inf}
    points = {name: Points(steps=[0], times=[1.8e9], values=[value]) for name, value in measured.items()}
    studio.tracking.add(run.id, LogBatch(client="test", sequence=1, metrics=points), after_end=True)
    return run.id


def ready(studio: Studio, version: ModelVersion, threshold: float | None = None) -> ModelVersion:
    """Does in this process what the version's convert run does."""
    outcome = finished(convert(studio.models.folder(version.model, version.version) / "native"), threshold)
    assert version.convert_run_id is not None
    if outcome.onnx is not None:
        for name, content in {"model.onnx": outcome.onnx, **outcome.evidence}.items():
            write_whole(studio.workspace.run_folder(version.convert_run_id) / "artifacts" / name, content)
    return studio.models.finish_conversion(version.model, version.version, outcome.conversion, version.convert_run_id)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio with a model of two versions: the second takes fewer columns, and its code is another."""
    workspace = Workspace(tmp_path_factory.mktemp("workspace"))
    studio = Studio(workspace)
    first, second = trained(studio, 30, "print('one')\n"), trained(studio, 10, "print('two')\n")
    ready(studio, studio.models.register("cancer", first, description="My *notes* <b>", tags={"team": "a"}, user="ann"))
    ready(studio, studio.models.register("cancer", second, user="bob"))
    yield studio
    end_all(studio)
    studio.close()


def actions(studio: Studio, version: int | None = None) -> list[str]:
    return [event.action for event in studio.model_reviews.journal("cancer", version).events]


def test_a_decision_says_who_when_and_why_and_is_kept(studio: Studio) -> None:
    with pytest.raises(Invalid, match="needs a reason"):
        studio.model_reviews.decide("cancer", 1, ApprovalStatus.REJECTED, " ", "ann")
    rejected = studio.model_reviews.decide("cancer", 1, ApprovalStatus.REJECTED, "it leaks", "ann").approval
    assert (rejected.status, rejected.user, rejected.reason) == (ApprovalStatus.REJECTED, "ann", "it leaks")
    assert rejected.at is not None
    with pytest.raises(Conflict, match="rejected: it leaks"):
        studio.model_reviews.set_stage("cancer", 1, Stage.PRODUCTION)
    with pytest.raises(Conflict, match="rejected by ann: it leaks"):
        studio.endpoints.create("serving", model="cancer", version="1")
    assert studio.model_reviews.decide("cancer", 1, ApprovalStatus.APPROVED, user="bob").approval.user == "bob"
    assert actions(studio, 1)[-2:] == ["rejected", "approved"]


def test_the_journal_shows_that_it_was_changed(studio: Studio) -> None:
    assert actions(studio, 1)[:2] == ["registered", "ready"]
    journal = studio.model_reviews.journal("cancer")
    assert journal.whole
    with studio.database.write() as connection:
        first = connection.execute(model_events.select().order_by(model_events.c.id)).first()
        assert first is not None
        change = model_events.update().where(model_events.c.id == first.id)
        connection.execute(change.values(user="mallory"))
    assert not studio.model_reviews.journal("cancer").whole
    with studio.database.write() as connection:
        connection.execute(change.values(user=first.user))
    assert studio.model_reviews.journal("cancer").whole


def test_a_protected_alias_moves_only_for_a_reason(studio: Studio) -> None:
    studio.models.set_alias("cancer", "champion", 1)
    studio.models.set_alias("cancer", "best", 1)
    assert studio.models.update("cancer", protected_aliases=["champion"]).protected_aliases == ["champion"]
    with pytest.raises(Invalid, match="moving the protected alias 'champion' needs a reason"):
        studio.models.set_alias("cancer", "champion", 2)
    with pytest.raises(Conflict, match="protected"):
        studio.models.register("cancer", studio.models.version("cancer", 1).run_id, alias="champion")
    assert studio.models.set_alias("cancer", "champion", 2, "better recall", "ann").aliases["champion"] == 2
    event = studio.model_reviews.journal("cancer").events[-1]
    assert (event.action, event.reason, event.details) == (
        "alias set", "better recall", {"alias": "champion", "from": 1},
    )  # fmt: skip
    with pytest.raises(Invalid, match="removing the protected alias"):
        studio.models.delete_alias("cancer", "champion")
    with pytest.raises(Conflict, match="protected alias 'champion'"):
        studio.models.delete_version("cancer", 2)
    with pytest.raises(Conflict, match="protected alias 'champion'"):
        studio.model_reviews.decide("cancer", 2, ApprovalStatus.REJECTED, "no")
    studio.models.delete_alias("cancer", "champion", "done")
    studio.models.update("cancer", protected_aliases=[])


def test_an_archived_version_is_hidden_and_cannot_be_deployed_nor_get_an_alias(studio: Studio) -> None:
    studio.models.set_alias("cancer", "best", 2)
    with pytest.raises(Conflict, match="alias 'best'"):
        studio.model_reviews.archive("cancer", 2)
    studio.models.delete_alias("cancer", "best")
    studio.model_reviews.set_stage("cancer", 2, Stage.STAGING)
    archived = studio.model_reviews.set_stage("cancer", 2, Stage.ARCHIVED, "old", "ann")
    assert archived.archived_at is not None
    assert archived.stage is Stage.ARCHIVED
    model = studio.models.get("cancer")
    assert (model.versions, model.archived_versions) == ([1], [2])
    assert studio.models.version("cancer", "latest").version == 1
    with pytest.raises(Conflict, match="archived"):
        studio.models.set_alias("cancer", "best", 2)
    with pytest.raises(Conflict, match="restore it before it is deployed"):
        studio.endpoints.create("serving", model="cancer", version="2")
    assert studio.model_reviews.restore("cancer", 2).stage is Stage.STAGING
    assert actions(studio, 2)[-3:] == ["stage", "archived", "restored"]


def test_one_version_takes_anothers_place_in_production(studio: Studio) -> None:
    studio.model_reviews.set_stage("cancer", 1, Stage.PRODUCTION)
    studio.model_reviews.set_stage("cancer", 2, Stage.PRODUCTION, archive_existing=True)
    assert studio.models.version("cancer", 1).stage is Stage.ARCHIVED
    assert "version 2 took its place" in studio.model_reviews.journal("cancer", 1).events[-1].reason
    for version in (1, 2):
        assert studio.model_reviews.set_stage("cancer", version, Stage.NONE).archived_at is None


def test_an_archived_model_is_listed_only_when_asked_for_and_takes_no_version(studio: Studio) -> None:
    studio.model_reviews.archive_model("cancer", "done")
    assert studio.models.list() == []
    assert [model.name for model in studio.models.list(archived=True)] == ["cancer"]
    with pytest.raises(Conflict, match="restore it"):
        studio.models.register("cancer", studio.models.version("cancer", 1).run_id)
    studio.model_reviews.restore_model("cancer")
    assert [model.name for model in studio.models.list()] == ["cancer"]


def test_who_uses_a_version_is_said_and_keeps_it_from_being_deleted(studio: Studio) -> None:
    studio.models.set_alias("cancer", "best", 1)
    studio.batch.create("nightly", model="cancer", version="1")
    users = [(user.kind, user.name, user.text) for user in studio.models.users("cancer", 1)]
    assert users == [
        ("alias", "best", "alias 'best'"),
        ("batch endpoint", "nightly", "batch endpoint 'nightly' (deployment 'default')"),
    ]
    assert studio.models.users("cancer", 2) == []
    for refuse in (
        lambda: studio.models.delete_version("cancer", 1),
        lambda: studio.models.delete("cancer"),
        lambda: studio.models.rename("cancer", "tumor"),
        lambda: studio.model_reviews.archive_model("cancer"),
    ):
        with pytest.raises(Conflict, match="batch endpoint 'nightly'"):
            refuse()
    studio.batch.delete("nightly")


def test_a_renamed_model_keeps_versions_files_aliases_and_journal(studio: Studio) -> None:
    before = studio.models.get("cancer")
    after = studio.models.rename("cancer", "tumor")
    assert (after.versions, after.aliases) == (before.versions, before.aliases)
    assert studio.models.is_whole("tumor", 1)
    assert studio.model_reviews.journal("tumor").whole
    with pytest.raises(NotFound):
        studio.models.get("cancer")
    studio.models.rename("tumor", "cancer")


def test_the_card_is_made_of_facts_and_its_metadata_can_be_read(studio: Studio) -> None:
    text = studio.model_cards.card("cancer", "1").text
    front, _, body = text.removeprefix("---\n").partition("\n---\n")
    metadata = yaml.safe_load(front)
    assert metadata["library_name"] == "sklearn"
    assert metadata["pipeline_tag"] == "tabular-classification"
    assert "team:a" in metadata["tags"]
    facts = ("## Notes\n\nMy *notes* &lt;b>", "569 rows compared", "cancer | d30", "| columns | 30 |", "model.joblib")
    for fact in facts:
        assert fact in body, fact
    (index,) = metadata.get("model-index", [{"results": []}])
    assert isinstance(index["results"], list)


def test_a_card_is_one_to_hugging_faces_own_library(studio: Studio) -> None:
    text = studio.model_cards.card("cancer", "1").text
    card: Any = ModelCard(text)
    assert (card.data.library_name, card.data.pipeline_tag) == ("sklearn", "tabular-classification")
    assert {"onnx", "sklearn", "team:a"} <= set(card.data.tags)
    assert card.data.model_name == "cancer 1"
    found = {one.metric_type: one.metric_value for one in card.data.eval_results}
    assert found == {"accuracy": 0.93}
    assert {(one.task_type, one.dataset_name) for one in card.data.eval_results} == {
        ("tabular-classification", "cancer")
    }
    again: Any = ModelCard(str(card))
    assert again.data.to_dict() == card.data.to_dict(), "what it reads is what it would write"


def test_lineage_names_run_code_data_and_what_hangs_on_it(studio: Studio) -> None:
    lineage = studio.model_lineage.of("cancer", "1")
    assert lineage.run is not None
    assert lineage.convert_run is not None
    assert lineage.source == f"runs:/{lineage.run.id}/model"
    assert (lineage.run.kind, lineage.convert_run.kind, lineage.entry) == ("script", "convert", "train.py")
    assert [(one.name, one.digest) for one in lineage.data] == [("cancer", "d30")]


def test_two_versions_are_compared_in_everything_that_differs(studio: Studio) -> None:
    found = studio.model_comparisons.compare("cancer", "1", "cancer", "2")
    assert [(one.name, one.left, one.right) for one in found.params] == [("columns", "30", "10")]
    assert [(one.name, one.left, one.right) for one in found.data] == [("cancer", "d30", "d10")]
    assert [(one.path, one.change) for one in found.code] == [("train.py", "changed")]
    assert "-print('one')\n+print('two')" in found.code[0].diff
    (change,) = found.signature
    assert (change.where, change.change, change.breaks) == ("input", "reshaped", True)
    assert "[-1, 30]" in change.left
    assert {one.name for one in found.size} >= {"all files", "model.onnx"}
    assert all(one.left > 0 for one in found.latency)
    same = studio.model_comparisons.compare("cancer", "1", "cancer", "1")
    assert (same.code, same.signature, same.params, same.size) == ([], [], [], [])


def test_a_version_is_downloaded_whole_with_its_digests(studio: Studio) -> None:
    name, pieces = studio.model_archive("cancer", "1")
    assert name == "cancer-1.zip"
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as packed:
        assert packed.testzip() is None
        manifest = json.loads(packed.read("cancer-1/MANIFEST.json"))
        for file in manifest["files"]:
            assert len(packed.read(f"cancer-1/{file['path']}")) == file["size_bytes"]
        assert packed.read("cancer-1/SHA256SUMS").decode().count("\n") == len(manifest["files"])


def test_X9_a_threshold_makes_a_new_version_that_is_compared_at_it(studio: Studio) -> None:
    version = studio.models.register("cancer", copy_of=("cancer", "1"), threshold=0.37, description="0.37")
    assert version.source == "models:/cancer/1"
    assert version.convert_run_id is not None
    assert studio.runs.get(version.convert_run_id).spec.options["threshold"] == 0.37
    decided = ready(studio, version, 0.37)
    assert decided.status is VersionStatus.READY, decided.reason
    assert decided.threshold is not None
    assert (decided.threshold.threshold, decided.threshold.positive, decided.threshold.rows) == (0.37, "1", 569)
    assert decided.threshold.label_flips == decided.threshold.ties
    studio.models.delete_version("cancer", decided.version)
    assert actions(studio)[-1] == "deleted"


def test_a_threshold_is_about_the_class_that_the_run_looked_for_unless_another_is_named(studio: Studio) -> None:
    first = studio.models.version("cancer", 1)
    assert first.run_id is not None

    def option(**more: Any) -> Any:
        version = studio.models.register("cancer", copy_of=("cancer", "1"), **more)
        assert version.convert_run_id is not None
        return studio.runs.get(version.convert_run_id).spec.options.get("positive_label")

    assert option(threshold=0.4) is None
    studio.runs.update(first.run_id, tags={"mlstudio.positive_label": "0"})
    assert [option(threshold=0.4), option(threshold=0.4, positive_label="1"), option()] == ["0", "1", None]
    studio.runs.update(first.run_id, tags={"mlstudio.positive_label": None})


def register(studio: Studio, path: Path | str, **more: Any) -> ModelVersion:
    return studio.models.register("file", file=str(path), **more)


def test_a_file_of_the_workspace_is_registered_and_one_that_executes_code_is_not_loaded(studio: Studio) -> None:
    root = studio.workspace.root
    (root / "models").mkdir()
    write_model(root / "models", LogisticRegression().fit([[0.0], [1.0]], [0, 1]))
    kept = register(studio, "models")
    assert (kept.status, kept.convert_run_id, kept.source) == (VersionStatus.REFUSED, None, "workspace:/models")
    assert "'model.joblib' executes code when it is loaded" in kept.reason
    assert [(one.path, one.format, one.executes) for one in kept.formats if one.executes] == [
        ("native/model.joblib", "joblib", True)
    ]
    trusted = register(studio, "models", allow_code=True)
    assert trusted.status is VersionStatus.CONVERTING
    event = studio.model_reviews.journal("file", trusted.version).events[0]
    assert event.details["allow_code"] is True


def test_an_upload_is_registered_as_a_whole_and_then_gone(studio: Studio, tmp_path: Path) -> None:
    upload, onnx = uuid.uuid4().hex, studio.models.onnx_file("cancer", 1).read_bytes()
    studio.models.sources.upload_folder(upload)
    (tmp_path / "sent").write_bytes(onnx)
    studio.models.sources.keep_upload(upload, "model.onnx", tmp_path / "sent", len(onnx), "")
    version = studio.models.register("uploaded", upload=upload)
    assert (version.source, version.status) == ("upload:/model.onnx", VersionStatus.CONVERTING)
    assert [one.format for one in version.formats] == ["onnx"]
    assert studio.model_reviews.journal("uploaded", version.version).events[0].details["allow_code"] is False
    with pytest.raises(NotFound):
        studio.models.register("uploaded", upload=upload)
    conversion = studio.models.version("uploaded", version.version).convert_run_id
    assert conversion is not None
    assert studio.runs.get(conversion).spec.options["logged"] is False, "answers that a stranger recorded are no proof"
