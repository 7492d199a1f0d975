"""A studio: one workspace with its database and everything that may be done in it, built in one visible place.

What every run needs is built at once, the rest when it is first asked for: a process that guards one run, or that a
terminal opens for one question, never imports most of it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from sqlalchemy import Table, select

from jupyter_mlstudio.entities.workspaces import Check, WorkspaceInfo
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.services.artifacts import Artifacts
from jupyter_mlstudio.services.audit import Audit
from jupyter_mlstudio.services.built import built
from jupyter_mlstudio.services.compute import Compute
from jupyter_mlstudio.services.experiments import Experiments
from jupyter_mlstudio.services.launcher import Launcher
from jupyter_mlstudio.services.runs import Runs
from jupyter_mlstudio.services.snapshots import Snapshots
from jupyter_mlstudio.services.supervisors import Supervisors
from jupyter_mlstudio.services.tracking import Tracking
from jupyter_mlstudio.store import schema
from jupyter_mlstudio.store.changes import Changes
from jupyter_mlstudio.store.database import Database
from jupyter_mlstudio.workspace import Workspace

if TYPE_CHECKING:
    from jupyter_mlstudio.services.automl import AutoMLRuns
    from jupyter_mlstudio.services.automl_answers import AutoMLAnswers
    from jupyter_mlstudio.services.automl_code import AutoMLCode
    from jupyter_mlstudio.services.batch import Batch
    from jupyter_mlstudio.services.endpoint_book import EndpointBook
    from jupyter_mlstudio.services.endpoint_canaries import Canaries
    from jupyter_mlstudio.services.endpoint_deployments import Deployments
    from jupyter_mlstudio.services.endpoint_runs import EndpointRuns
    from jupyter_mlstudio.services.endpoint_scoring import Scoring
    from jupyter_mlstudio.services.endpoints import Endpoints
    from jupyter_mlstudio.services.graphs import Graphs
    from jupyter_mlstudio.services.logged_models import LoggedModels
    from jupyter_mlstudio.services.mlflow import MLflow
    from jupyter_mlstudio.services.mlflow_artifacts import MLflowArtifacts
    from jupyter_mlstudio.services.mlflow_registry import MLflowRegistry
    from jupyter_mlstudio.services.model_cards import ModelCards
    from jupyter_mlstudio.services.model_comparison import ModelComparisons
    from jupyter_mlstudio.services.model_lineage import Lineage
    from jupyter_mlstudio.services.model_reviews import ModelReviews
    from jupyter_mlstudio.services.models import Models
    from jupyter_mlstudio.services.packages import Packages
    from jupyter_mlstudio.services.sweep_code import SweepCode
    from jupyter_mlstudio.services.sweep_importance import SweepImportance
    from jupyter_mlstudio.services.sweep_steering import SweepSteering
    from jupyter_mlstudio.services.sweeps import Sweeps


class Studio:
    """Everything of one workspace. Safe to use from many threads.

    Args:
        workspace: made on the way when it does not exist yet.

    Raises:
        Conflict: the workspace is of a newer program.
        Unavailable: the database cannot be opened.
    """

    def __init__(self, workspace: Workspace) -> None:
        workspace.create()
        self.building = threading.RLock()
        self.workspace = workspace
        self.database = Database(workspace.database_url, wal=workspace.on_network_file_system() is None)
        self.database.prepare()
        self.audit = Audit(workspace.folder)
        self.changes = Changes(self.database)
        self.experiments = Experiments(self.database, self.changes)
        self.runs = Runs(workspace, self.database, self.changes)
        self.tracking = Tracking(workspace, self.database, self.changes)
        self.artifacts = Artifacts(workspace, self.database, self.changes)
        self.snapshots = Snapshots(workspace, self.database)
        self.compute = Compute(workspace, self.database, self.changes)
        self.supervisors = Supervisors(workspace, self.database, self.changes, self.tracking, self.compute)
        self.launcher = Launcher(
            workspace,
            self.database,
            self.changes,
            experiments=self.experiments,
            runs=self.runs,
            snapshots=self.snapshots,
            compute=self.compute,
            supervisors=self.supervisors,
        )
        self.find_others: Callable[[], list[WorkspaceInfo]] = list
        self.open_other: Callable[[str], WorkspaceInfo] | None = None

    @built
    def mlflow(self) -> MLflow:
        """What MLflow's clients ask of runs and experiments."""
        from jupyter_mlstudio.services.mlflow import MLflow

        return MLflow(
            self.workspace,
            self.database,
            self.changes,
            experiments=self.experiments,
            runs=self.runs,
            tracking=self.tracking,
            launcher=self.launcher,
            supervisors=self.supervisors,
        )

    @built
    def logged_models(self) -> LoggedModels:
        """Models as MLflow 3 knows them."""
        from jupyter_mlstudio.services.logged_models import LoggedModels

        return LoggedModels(self.database, self.changes, self.runs, self.mlflow)

    @built
    def models(self) -> Models:
        """Registered models and their versions."""
        from jupyter_mlstudio.services.models import Models

        return Models(self.workspace, self.database, self.changes, self.runs, self.launcher)

    @built
    def model_reviews(self) -> ModelReviews:
        """Approvals and stages of versions."""
        from jupyter_mlstudio.services.model_reviews import ModelReviews

        return ModelReviews(self.database, self.changes)

    @built
    def model_lineage(self) -> Lineage:
        """Where a version came from."""
        from jupyter_mlstudio.services.model_lineage import Lineage

        return Lineage(self.models, self.runs, self.snapshots, self.mlflow)

    @built
    def model_cards(self) -> ModelCards:
        """A version on one page."""
        from jupyter_mlstudio.services.model_cards import ModelCards

        return ModelCards(self.models, self.model_lineage)

    @built
    def model_comparisons(self) -> ModelComparisons:
        """Two versions beside each other."""
        from jupyter_mlstudio.services.model_comparison import ModelComparisons

        return ModelComparisons(self.models, self.model_lineage, self.snapshots)

    @built
    def mlflow_artifacts(self) -> MLflowArtifacts:
        """Artifacts as MLflow's clients ask for them."""
        from jupyter_mlstudio.services.mlflow_artifacts import MLflowArtifacts

        return MLflowArtifacts(self.artifacts, self.models, self.mlflow)

    @built
    def mlflow_registry(self) -> MLflowRegistry:
        """Registered models as MLflow's clients ask for them."""
        from jupyter_mlstudio.services.mlflow_registry import MLflowRegistry

        return MLflowRegistry(self.models, self.model_reviews, self.logged_models)

    @built
    def _book(self) -> EndpointBook:
        from jupyter_mlstudio.services.endpoint_book import EndpointBook
        from jupyter_mlstudio.services.endpoint_files import EndpointFiles

        return EndpointBook(
            self.database,
            self.changes,
            self.runs,
            self.models,
            EndpointFiles(self.workspace, self.models, self.snapshots),
        )

    @built
    def _serving(self) -> EndpointRuns:
        from jupyter_mlstudio.services.endpoint_runs import EndpointRuns

        return EndpointRuns(self._book, self.launcher)

    @built
    def deployments(self) -> Deployments:
        """Deployments of endpoints."""
        from jupyter_mlstudio.services.endpoint_deployments import Deployments

        return Deployments(self._book, self._serving, self.models)

    @built
    def endpoints(self) -> Endpoints:
        """Endpoints as a whole."""
        from jupyter_mlstudio.services.endpoints import Endpoints

        return Endpoints(self._book, self._serving, self.deployments)

    @built
    def canaries(self) -> Canaries:
        """Canary releases."""
        from jupyter_mlstudio.services.endpoint_canaries import Canaries

        return Canaries(self._book)

    @built
    def scoring(self) -> Scoring:
        """Requests to endpoints that go through the studio."""
        from jupyter_mlstudio.services.endpoint_scoring import Scoring

        return Scoring(self._book)

    @built
    def graphs(self) -> Graphs:
        """The graphs of ONNX models."""
        from jupyter_mlstudio.services.graphs import Graphs

        return Graphs(self.models, self.launcher)

    @built
    def packages(self) -> Packages:
        """Packages of versions."""
        from jupyter_mlstudio.services.packages import Packages

        return Packages(self.runs, self.launcher, self.models)

    @built
    def batch(self) -> Batch:
        """Batch endpoints and their jobs."""
        from jupyter_mlstudio.services.batch import Batch

        return Batch(self.workspace, self.database, self.changes, self.runs, self.launcher, self.models)

    @built
    def sweeps(self) -> Sweeps:
        """Sweeps and their trials."""
        from jupyter_mlstudio.services.sweeps import Sweeps

        return Sweeps(self.workspace, self.database, self.runs, self.launcher)

    @built
    def steering(self) -> SweepSteering:
        """What changes a sweep while it runs."""
        from jupyter_mlstudio.services.sweep_steering import SweepSteering

        return SweepSteering(self.database, self.changes, self.runs, self.tracking, self.launcher, self.sweeps)

    @built
    def sweep_code(self) -> SweepCode:
        """Sweeps as Python, YAML and notebooks."""
        from jupyter_mlstudio.services.sweep_code import SweepCode

        return SweepCode(self.workspace, self.sweeps)

    @built
    def sweep_importance(self) -> SweepImportance:
        """Which parameters of a sweep matter."""
        from jupyter_mlstudio.services.sweep_importance import SweepImportance

        return SweepImportance(self.sweeps)

    @built
    def automl(self) -> AutoMLRuns:
        """AutoML runs."""
        from jupyter_mlstudio.services.automl import AutoMLRuns

        return AutoMLRuns(self.workspace, self.runs, self.launcher, self.sweeps, self.models.sources)

    @built
    def automl_code(self) -> AutoMLCode:
        """AutoML runs as Python, YAML and notebooks."""
        from jupyter_mlstudio.services.automl_code import AutoMLCode

        return AutoMLCode(self.workspace, self.automl, self.automl_answers)

    @built
    def automl_answers(self) -> AutoMLAnswers:
        """Rows explained and forecasts, by an AutoML run's winner."""
        from jupyter_mlstudio.services.automl_answers import AutoMLAnswers

        return AutoMLAnswers(self.workspace, self.automl)

    def tick(self) -> None:
        """Brings what is shown in line with what is true, and starts what waits; called about once a second."""
        self.supervisors.reap()
        if self._has("models", schema.model_versions):
            self.models.reap()
        if self._has("endpoints", schema.endpoints):
            self.endpoints.watch()
        self.supervisors.pump()

    def drain(self) -> None:
        """Starts what waits for the place of a run that ended."""
        self.supervisors.reap()
        self.supervisors.pump()

    def _has(self, part: str, table: Table) -> bool:
        """Whether there is anything for a part to look after: it was used here, or has rows."""
        if part in vars(self):
            return True
        with self.database.read() as connection:
            return connection.execute(select(1).select_from(table).limit(1)).first() is not None

    def info(self, *, current: bool = True) -> WorkspaceInfo:
        """Describes the workspace."""
        space = self.workspace
        return WorkspaceInfo(id=space.id, name=space.name, path=str(space.root), exists=space.exists, current=current)

    def known_workspaces(self) -> list[WorkspaceInfo]:
        """Lists this workspace and the others that the host knows."""
        return [self.info(), *self.find_others()]

    def open_workspace(self, path: str) -> WorkspaceInfo:
        """Opens another workspace, where the host allows it."""
        if self.open_other is None:
            raise Invalid("this host serves one workspace only")
        return self.open_other(path)

    def model_archive(self, name: str, version: str) -> tuple[str, Iterator[bytes]]:
        """Packs a whole version of a model: the name of a file, and its bytes."""
        from jupyter_mlstudio.services.model_archive import version_archive

        return version_archive(self.models, name, version)

    def diagnose(self) -> list[Check]:
        """Checks what the studio stands on."""
        from jupyter_mlstudio.services.doctor import checks

        return checks(self.workspace, self.database, self.supervisors, self.models)

    def close(self) -> None:
        """Ends what is being computed, and closes the database."""
        for part in ("sweep_importance", "automl_answers"):
            if part in vars(self):
                vars(self)[part].close()
        self.database.close()
