"""The services that registering needs, over a real workspace, and a run with a model in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from jupyter_mlstudio.client.model_files import write_model
from jupyter_mlstudio.entities.models import ModelVersion
from jupyter_mlstudio.entities.runs import RunKind
from jupyter_mlstudio.entities.specs import RunSpec
from jupyter_mlstudio.programs.convert import convert, write_whole
from jupyter_mlstudio.services.compute import Compute
from jupyter_mlstudio.services.experiments import Experiments
from jupyter_mlstudio.services.launcher import Launcher
from jupyter_mlstudio.services.models import Models
from jupyter_mlstudio.services.runs import Runs
from jupyter_mlstudio.services.snapshots import Snapshots
from jupyter_mlstudio.services.supervisors import Supervisors
from jupyter_mlstudio.services.tracking import Tracking
from jupyter_mlstudio.store.changes import Changes
from jupyter_mlstudio.store.database import Database
from jupyter_mlstudio.workspace import Workspace


class Still(Supervisors):
    """The queue, with nobody to execute what waits in it: conversions are done in the tests' own process."""

    def spawn(self, run_id: str, claimed_at: datetime, token: str | None = None) -> None:
        """Starts nothing."""


class Registry:
    """Models with everything beneath them, wired as the studio does; parts can be replaced to inject faults."""

    def __init__(
        self,
        root: Path,
        *,
        changes: Callable[[Database], Changes] = Changes,
        launcher: type[Launcher] = Launcher,
    ) -> None:
        self.workspace = Workspace(root)
        self.workspace.create()
        self.database = Database(self.workspace.database_url)
        self.database.prepare()
        self.changes = changes(self.database)
        own = Changes(self.database)
        self.runs = Runs(self.workspace, self.database, own)
        tracking = Tracking(self.workspace, self.database, own)
        snapshots = Snapshots(self.workspace, self.database)
        compute = Compute(self.workspace, self.database, own)
        self.supervisors = Still(self.workspace, self.database, own, tracking, compute)
        self.launcher = launcher(
            self.workspace, self.database, own, experiments=Experiments(self.database, own), runs=self.runs,
            snapshots=snapshots, compute=compute, supervisors=self.supervisors,
        )  # fmt: skip
        self.models = Models(self.workspace, self.database, self.changes, self.runs, self.launcher)

    def run_with_model(self) -> str:
        """A run with a small classifier and its sample below ``model``."""
        run = Launcher.submit(self.launcher, RunKind.COMMAND, RunSpec(command=["true"]))
        folder = self.artifacts(run.id) / "model"
        folder.mkdir(parents=True)
        data = load_iris()
        write_model(folder, LogisticRegression(max_iter=500).fit(data.data, data.target), data.data, data.target)
        return run.id

    def artifacts(self, run_id: str) -> Path:
        return self.workspace.run_folder(run_id) / "artifacts"

    def convert(self, version: ModelVersion) -> ModelVersion:
        """Does in this process what the version's convert run does."""
        with self.database.read() as connection:
            folder = self.models.onnx_file(version.model, version.version).parent
            assert connection is not None
        outcome = convert(folder / "native")
        assert version.convert_run_id is not None
        if outcome.onnx is not None:
            write_whole(self.artifacts(version.convert_run_id) / "model.onnx", outcome.onnx)
        return self.models.finish_conversion(version.model, version.version, outcome.conversion, version.convert_run_id)

    def close(self) -> None:
        self.database.close()
