"""AutoML over HTTP: look at a table, begin a run, follow it, ask why. It is paused and stopped as a sweep is."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from jupyter_mlstudio.api.route import Body, Call, NoBody, NoQuery, Query, Route
from jupyter_mlstudio.api.sweeps import CodeText, NotebookPath
from jupyter_mlstudio.entities.automl import AutoMLSpec
from jupyter_mlstudio.entities.automl_explanations import RowExplanation
from jupyter_mlstudio.entities.automl_reports import AutoML, AutoMLReport
from jupyter_mlstudio.entities.automl_tables import TablePreview
from jupyter_mlstudio.entities.runs import Origin, Run
from jupyter_mlstudio.studio import Studio


class AutoMLCodeQuery(Query):
    format: Literal["python", "yaml"] = "python"


class NewAutoML(Body):
    """``uploads`` are tables sent before: ``data``, ``validation_data`` or ``test_data`` -> the id of an upload."""

    automl: AutoMLSpec
    uploads: dict[str, str] = Field(default_factory=dict)
    name: str | None = None
    experiment: str | None = None
    tags: dict[str, str] = Field(default_factory=dict)
    origin: Origin = Field(default_factory=Origin)
    request_id: str | None = None


class AutoMLDraft(Body):
    """A run that nobody has begun, to see its code."""

    automl: AutoMLSpec
    name: str | None = None
    experiment: str | None = None
    format: Literal["python", "yaml"] = "python"


class TableQuestion(Body):
    """``data`` is a path below the workspace's root, or ``runs:/<run id>/<path>``.

    ``automl`` is what else a run would be asked for, so that what is told is what that run would tell; its own table
    and target do not matter.
    """

    data: str
    target: str | None = None
    automl: AutoMLSpec | None = None


class MoreTime(Body):
    """How long to go on; what was left of its time without."""

    minutes: float | None = None


class ModelQuestion(Body):
    """The number of a model on the leaderboard; the winner without."""

    number: int | None = None


class RowQuestion(Body):
    """A row: the value of each column by its name."""

    row: dict[str, object]


def create_automl(studio: Studio, call: Call[NoQuery, NewAutoML]) -> Run:
    """Begins an AutoML run: models that predict a column of a table are tried, each a run of its own."""
    new = call.body
    return studio.automl.create(
        new.automl, uploads=new.uploads, name=new.name, experiment=new.experiment, tags=new.tags, origin=new.origin,
        request_id=new.request_id, user=call.caller.user,
        parent_run_id=studio.runs.parent_of(None, call.caller.run_id),
    )  # fmt: skip


def preview_table(studio: Studio, call: Call[NoQuery, TableQuestion]) -> TablePreview:
    """Looks at a table: its columns, its first rows, what could be predicted, what is wrong with it."""
    return studio.automl_answers.preview(call.body.data, call.body.target, call.body.automl)


def draft_code(studio: Studio, call: Call[NoQuery, AutoMLDraft]) -> CodeText:
    """Writes a run that nobody has begun as a call in Python, or as Azure's YAML."""
    draft = call.body
    return CodeText(text=studio.automl_code.draft(draft.automl, draft.format, draft.name, draft.experiment))


def get_automl(studio: Studio, call: Call[NoQuery, NoBody]) -> AutoML:
    """Gets an AutoML run as it is now."""
    return studio.automl.get(call.path["run_id"])


def get_report(studio: Studio, call: Call[NoQuery, NoBody]) -> AutoMLReport:
    """Gets what an AutoML run has found so far."""
    return studio.automl.report(call.path["run_id"])


def resume_automl(studio: Studio, call: Call[NoQuery, MoreTime]) -> Run:
    """Goes on with an AutoML run that is over, for some more minutes, as a new run."""
    return studio.automl.resume(call.path["run_id"], call.body.minutes, call.caller.user)


def get_automl_code(studio: Studio, call: Call[AutoMLCodeQuery, NoBody]) -> CodeText:
    """Writes an AutoML run as a call in Python, or as Azure's YAML."""
    return CodeText(text=studio.automl_code.text(call.path["run_id"], call.query.format))


def open_model(studio: Studio, call: Call[NoQuery, ModelQuestion]) -> NotebookPath:
    """Writes the notebook that makes a model of the leaderboard, the winner by default, beside the user's files."""
    return NotebookPath(path=studio.automl_code.notebook(call.path["run_id"], call.body.number))


def explain_row(studio: Studio, call: Call[NoQuery, RowQuestion]) -> RowExplanation:
    """Tells why the winner answers one row as it does."""
    return studio.automl_answers.explain(call.path["run_id"], call.body.row)


_ID = "automl/{run_id}"
ROUTES = [
    Route(method="POST", path="automl", operation="createAutoML", handler=create_automl,
          action="execute", resource="automl", body=NewAutoML, answer=Run, status=201, gateway=True),
    Route(method="POST", path="automl/preview", operation="previewTable", handler=preview_table,
          action="execute", resource="automl", body=TableQuestion, answer=TablePreview),
    Route(method="POST", path="automl/code", operation="draftAutoMLCode", handler=draft_code,
          action="execute", resource="automl", body=AutoMLDraft, answer=CodeText),
    Route(method="GET", path=_ID, operation="getAutoML", handler=get_automl,
          action="read", resource="automl", answer=AutoML, gateway=True),
    Route(method="GET", path=_ID + "/report", operation="getAutoMLReport", handler=get_report,
          action="read", resource="automl", answer=AutoMLReport, gateway=True),
    Route(method="POST", path=_ID + "/resume", operation="resumeAutoML", handler=resume_automl,
          action="execute", resource="automl", body=MoreTime, answer=Run, status=201),
    Route(method="GET", path=_ID + "/code", operation="getAutoMLCode", handler=get_automl_code,
          action="read", resource="automl", query=AutoMLCodeQuery, answer=CodeText),
    Route(method="POST", path=_ID + "/notebook", operation="openModelAsNotebook", handler=open_model,
          action="execute", resource="automl", body=ModelQuestion, answer=NotebookPath, status=201),
    Route(method="POST", path=_ID + "/explain", operation="explainRow", handler=explain_row,
          action="execute", resource="automl", body=RowQuestion, answer=RowExplanation),
]  # fmt: skip
