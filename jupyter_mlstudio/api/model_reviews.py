"""What is decided and told about registered models: approval, stages, archive, journal, card, lineage, comparison."""

from __future__ import annotations

from pydantic import Field

from jupyter_mlstudio.api.route import Body, Call, NoBody, NoQuery, Query, Route
from jupyter_mlstudio.entities.model_reports import ModelCard, ModelComparison, ModelJournal, ModelLineage
from jupyter_mlstudio.entities.models import ApprovalStatus, Model, ModelVersion, Stage
from jupyter_mlstudio.studio import Studio


class Decision(Body):
    """A rejection needs a reason."""

    status: ApprovalStatus = Field(strict=False)
    reason: str = ""


class StageChange(Body):
    """``archive_existing`` archives the versions that are in this stage now."""

    stage: Stage = Field(strict=False)
    reason: str = ""
    archive_existing: bool = False


class Why(Body):
    reason: str = ""


class CompareQuery(Query):
    """Version ``right`` is of the model ``other``, by default of the same one."""

    left: str
    right: str
    other: str | None = None


def decide(studio: Studio, call: Call[NoQuery, Decision]) -> ModelVersion:
    """Approves or rejects a version, or takes the decision back."""
    made = call.body
    return studio.model_reviews.decide(
        call.path["name"], call.path["version"], made.status, made.reason, call.caller.user
    )


def set_stage(studio: Studio, call: Call[NoQuery, StageChange]) -> ModelVersion:
    """Moves a version to a stage."""
    asked = call.body
    return studio.model_reviews.set_stage(
        call.path["name"], call.path["version"], asked.stage, asked.reason, call.caller.user,
        archive_existing=asked.archive_existing,
    )  # fmt: skip


def archive_version(studio: Studio, call: Call[NoQuery, Why]) -> ModelVersion:
    """Hides a version: it cannot be deployed anew nor get an alias."""
    return studio.model_reviews.archive(call.path["name"], call.path["version"], call.body.reason, call.caller.user)


def restore_version(studio: Studio, call: Call[NoQuery, Why]) -> ModelVersion:
    """Brings an archived version back."""
    return studio.model_reviews.restore(call.path["name"], call.path["version"], call.body.reason, call.caller.user)


def archive_model(studio: Studio, call: Call[NoQuery, Why]) -> Model:
    """Hides a model; refused while something is served."""
    return studio.model_reviews.archive_model(call.path["name"], call.body.reason, call.caller.user)


def restore_model(studio: Studio, call: Call[NoQuery, Why]) -> Model:
    """Brings an archived model back."""
    return studio.model_reviews.restore_model(call.path["name"], call.body.reason, call.caller.user)


def model_journal(studio: Studio, call: Call[NoQuery, NoBody]) -> ModelJournal:
    """Tells what happened to a model, deleted versions included."""
    return studio.model_reviews.journal(call.path["name"])


def version_journal(studio: Studio, call: Call[NoQuery, NoBody]) -> ModelJournal:
    """Tells what happened to a version."""
    return studio.model_reviews.journal(call.path["name"], call.path["version"])


def card(studio: Studio, call: Call[NoQuery, NoBody]) -> ModelCard:
    """Writes a version's model card."""
    return studio.model_cards.card(call.path["name"], call.path["version"])


def lineage(studio: Studio, call: Call[NoQuery, NoBody]) -> ModelLineage:
    """Tells where a version comes from and what hangs on it."""
    return studio.model_lineage.of(call.path["name"], call.path["version"])


def compare(studio: Studio, call: Call[CompareQuery, NoBody]) -> ModelComparison:
    """Compares two versions."""
    name, asked = call.path["name"], call.query
    return studio.model_comparisons.compare(name, asked.left, asked.other or name, asked.right)


_ID = "models/{name}"
_VERSION = _ID + "/versions/{version}"
ROUTES = [
    Route(method="POST", path=_VERSION + "/approval", operation="decide", handler=decide,
          action="write", resource="models", body=Decision, answer=ModelVersion),
    Route(method="POST", path=_VERSION + "/stage", operation="setStage", handler=set_stage,
          action="write", resource="models", body=StageChange, answer=ModelVersion),
    Route(method="POST", path=_VERSION + "/archive", operation="archiveVersion", handler=archive_version,
          action="write", resource="models", body=Why, answer=ModelVersion),
    Route(method="POST", path=_VERSION + "/restore", operation="restoreVersion", handler=restore_version,
          action="write", resource="models", body=Why, answer=ModelVersion),
    Route(method="POST", path=_ID + "/archive", operation="archiveModel", handler=archive_model,
          action="write", resource="models", body=Why, answer=Model),
    Route(method="POST", path=_ID + "/restore", operation="restoreModel", handler=restore_model,
          action="write", resource="models", body=Why, answer=Model),
    Route(method="GET", path=_ID + "/journal", operation="getModelJournal", handler=model_journal,
          action="read", resource="models", answer=ModelJournal),
    Route(method="GET", path=_VERSION + "/journal", operation="getVersionJournal", handler=version_journal,
          action="read", resource="models", answer=ModelJournal),
    Route(method="GET", path=_VERSION + "/card", operation="getModelCard", handler=card,
          action="read", resource="models", answer=ModelCard),
    Route(method="GET", path=_VERSION + "/lineage", operation="getModelLineage", handler=lineage,
          action="read", resource="models", answer=ModelLineage),
    Route(method="GET", path=_ID + "/compare", operation="compareVersions", handler=compare,
          action="read", resource="models", query=CompareQuery, answer=ModelComparison),
]  # fmt: skip
