"""Where a version comes from: its run, the code and data of that, what converted it, and what hangs on it."""

from __future__ import annotations

from jupyter_mlstudio.entities.model_reports import LineageData, LineageRun, ModelLineage
from jupyter_mlstudio.entities.models import ModelVersion
from jupyter_mlstudio.entities.runs import Run
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import NotFound
from jupyter_mlstudio.services.mlflow import MLflow
from jupyter_mlstudio.services.models import Models
from jupyter_mlstudio.services.runs import Runs
from jupyter_mlstudio.services.snapshots import Snapshots

TEXT_SHOWN = 500
_CONTEXT = "mlflow.data.context"


class Lineage:
    """Follows versions back to where they came from. What was deleted meanwhile is left out."""

    def __init__(self, models: Models, runs: Runs, snapshots: Snapshots, mlflow: MLflow) -> None:
        self._models = models
        self._runs = runs
        self._snapshots = snapshots
        self._mlflow = mlflow

    def of(self, name: str, version: str | int) -> ModelLineage:
        """Gathers a version's lineage."""
        found = self._models.version(name, version)
        run, convert = self.run(found), self._run(found.convert_run_id)
        git = run.origin.git if run is not None else None
        return ModelLineage(
            source=found.source,
            run=_shown(run),
            convert_run=_shown(convert),
            snapshot_id=run.snapshot_id if run is not None else None,
            entry=self._entry(run),
            commit=git.commit if git is not None else None,
            branch=git.branch if git is not None else None,
            dirty=git is not None and git.dirty,
            data=self.data(run),
            users=list(self._models.users(found.model, found.version)),
        )

    def run(self, version: ModelVersion) -> Run | None:
        """The run that made a version, None when it is not known or gone."""
        return self._run(version.run_id)

    def data(self, run: Run | None) -> list[LineageData]:
        """The data sets that went into a run."""
        return [] if run is None else [_data(one) for one in self._mlflow.parts(run.id)["dataset_inputs"]]

    def _run(self, run_id: str | None) -> Run | None:
        try:
            return None if run_id is None else self._runs.get(run_id)
        except NotFound:
            return None

    def _entry(self, run: Run | None) -> str | None:
        try:
            return None if run is None else self._snapshots.of_run(run.id).entry
        except NotFound:
            return None


def _shown(run: Run | None) -> LineageRun | None:
    if run is None:
        return None
    return LineageRun(
        id=run.id, name=run.name, experiment=run.experiment, kind=run.kind.value, status=run.status.value, user=run.user
    )


def _data(given: dict[str, JSON]) -> LineageData:
    """Reads MLflow's ``DatasetInput`` (``service.proto``)."""
    held = given.get("dataset") or {}
    tags = {str(tag.get("key")): str(tag.get("value")) for tag in given.get("tags") or []}
    texts = {key: str(held.get(key) or "")[:TEXT_SHOWN] for key in ("name", "digest", "source_type", "source")}
    return LineageData(**texts, context=tags.get(_CONTEXT, ""))
