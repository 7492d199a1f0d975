"""A studio: one workspace with its database and everything that may be done in it, built in one visible place."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from jupyter_mlstudio.entities.workspaces import Check, WorkspaceInfo
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.services.artifacts import Artifacts
from jupyter_mlstudio.services.audit import Audit
from jupyter_mlstudio.services.automl import AutoMLRuns
from jupyter_mlstudio.services.automl_answers import AutoMLAnswers
from jupyter_mlstudio.services.automl_code import AutoMLCode
from jupyter_mlstudio.services.batch import Batch
from jupyter_mlstudio.services.compute import Compute
from jupyter_mlstudio.services.doctor import checks
from jupyter_mlstudio.services.endpoint_book import EndpointBook
from jupyter_mlstudio.services.endpoint_canaries import Canaries
from jupyter_mlstudio.services.endpoint_deployments import Deployments
from jupyter_mlstudio.services.endpoint_files import EndpointFiles
from jupyter_mlstudio.services.endpoint_runs import EndpointRuns
from jupyter_mlstudio.services.endpoint_scoring import Scoring
from jupyter_mlstudio.services.endpoints import Endpoints
from jupyter_mlstudio.services.experiments import Experiments
from jupyter_mlstudio.services.graphs import Graphs
from jupyter_mlstudio.services.launcher import Launcher
from jupyter_mlstudio.services.logged_models import LoggedModels
from jupyter_mlstudio.services.mlflow import MLflow
from jupyter_mlstudio.services.mlflow_artifacts import MLflowArtifacts
from jupyter_mlstudio.services.mlflow_registry import MLflowRegistry
from jupyter_mlstudio.services.model_archive import version_archive
from jupyter_mlstudio.services.model_cards import ModelCards
from jupyter_mlstudio.services.model_comparison import ModelComparisons
from jupyter_mlstudio.services.model_lineage import Lineage
from jupyter_mlstudio.services.model_reviews import ModelReviews
from jupyter_mlstudio.services.models import Models
from jupyter_mlstudio.services.packages import Packages
from jupyter_mlstudio.services.runs import Runs
from jupyter_mlstudio.services.snapshots import Snapshots
from jupyter_mlstudio.services.supervisors import Supervisors
from jupyter_mlstudio.services.sweep_code import SweepCode
from jupyter_mlstudio.services.sweep_importance import SweepImportance
from jupyter_mlstudio.services.sweep_steering import SweepSteering
from jupyter_mlstudio.services.sweeps import Sweeps
from jupyter_mlstudio.services.tracking import Tracking
from jupyter_mlstudio.store.changes import Changes
from jupyter_mlstudio.store.database import Database
from jupyter_mlstudio.workspace import Workspace


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
        self.mlflow = MLflow(
            workspace,
            self.database,
            self.changes,
            experiments=self.experiments,
            runs=self.runs,
            tracking=self.tracking,
            launcher=self.launcher,
            supervisors=self.supervisors,
        )
        self.logged_models = LoggedModels(self.database, self.changes, self.runs, self.mlflow)
        self.models = Models(workspace, self.database, self.changes, self.runs, self.launcher)
        self.model_reviews = ModelReviews(self.database, self.changes)
        self.model_lineage = Lineage(self.models, self.runs, self.snapshots, self.mlflow)
        self.model_cards = ModelCards(self.models, self.model_lineage)
        self.model_comparisons = ModelComparisons(self.models, self.model_lineage, self.snapshots)
        self.mlflow_artifacts = MLflowArtifacts(self.artifacts, self.models, self.mlflow)
        self.mlflow_registry = MLflowRegistry(self.models, self.model_reviews, self.logged_models)
        book = EndpointBook(
            self.database, self.changes, self.runs, self.models, EndpointFiles(workspace, self.models, self.snapshots)
        )
        serving = EndpointRuns(book, self.launcher)
        self.deployments = Deployments(book, serving, self.models)
        self.endpoints = Endpoints(book, serving, self.deployments)
        self.canaries = Canaries(book)
        self.scoring = Scoring(book)
        self.graphs = Graphs(self.models, self.launcher)
        self.packages = Packages(self.runs, self.launcher, self.models)
        self.batch = Batch(workspace, self.database, self.changes, self.runs, self.launcher, self.models)
        self.sweeps = Sweeps(workspace, self.database, self.runs, self.launcher)
        self.steering = SweepSteering(self.database, self.changes, self.runs, self.tracking, self.launcher, self.sweeps)
        self.sweep_code = SweepCode(workspace, self.sweeps)
        self.sweep_importance = SweepImportance(self.sweeps)
        self.automl = AutoMLRuns(workspace, self.runs, self.launcher, self.sweeps, self.models.sources)
        self.automl_code = AutoMLCode(workspace, self.automl)
        self.automl_answers = AutoMLAnswers(workspace, self.automl)
        self.find_others: Callable[[], list[WorkspaceInfo]] = list
        self.open_other: Callable[[str], WorkspaceInfo] | None = None

    def tick(self) -> None:
        """Brings what is shown in line with what is true, and starts what waits; called about once a second."""
        self.supervisors.reap()
        self.models.reap()
        self.endpoints.watch()
        self.supervisors.pump()

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
        return version_archive(self.models, name, version)

    def diagnose(self) -> list[Check]:
        """Checks what the studio stands on."""
        return checks(self.workspace, self.database, self.supervisors, self.models)

    def close(self) -> None:
        """Ends what is being computed, and closes the database."""
        self.sweep_importance.close()
        self.automl_answers.close()
        self.database.close()
