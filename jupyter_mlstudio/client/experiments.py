"""Experiments and the workspace as user code sees them."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_mlstudio.client import active, session, workspace
from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.endpoints import Endpoint
from jupyter_mlstudio.client.runs import Run, search
from jupyter_mlstudio.client.submission import submit
from jupyter_mlstudio.client.wire import Connection, segment
from jupyter_mlstudio.entities.experiments import Goal
from jupyter_mlstudio.entities.runs import RunStatus
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.entities.workspaces import Check
from jupyter_mlstudio.errors import NotFound

_SMALLER_IS_BETTER = ("loss", "error", "mae", "mse", "rmse", "mape", "medae", "duration", "brier_score", "time")


class Experiment:
    """A named group of runs with one primary metric. It begins to exist with its first run, or with :meth:`create`.

    Args:
        name: the experiment's name, the default experiment when None.
    """

    def __init__(self, name: str | None = None, connection: Connection | None = None) -> None:
        self.name = name or session.experiment() or "Default"
        self._connection = connection

    def __repr__(self) -> str:
        return f"Experiment({self.name!r})"

    @property
    def data(self) -> dict[str, JSON]:
        """Everything the API tells of it, as JSON."""
        return dict(self._address().get(f"experiments/{segment(self.name)}"))

    @property
    def id(self) -> str:
        """The experiment's id."""
        return str(self.data["id"])

    def create(
        self, *, primary_metric: str | None = None, goal: Goal | str = Goal.MAXIMIZE, description: str = ""
    ) -> Experiment:
        """Makes the experiment, or changes its primary metric, goal and description when it exists."""
        content = {"description": description, "primary_metric": primary_metric, "goal": Goal(goal).value}
        try:
            found = self.id
        except NotFound:
            self._address().post("experiments", {"name": self.name, **content})
        else:
            self._address().patch(f"experiments/{segment(found)}", content)
        return self

    def runs(self, filter: str = "", *, order_by: str | list[str] = "", max_results: int = 1000) -> list[Run]:
        """Lists the experiment's runs.

        Args:
            filter: MLflow's grammar, e.g. ``metrics.auc > 0.9 and params.depth = '3'``.
            order_by: e.g. ``metrics.auc DESC``.
            max_results: how many at most.
        """
        query = {"experiment_id": self.id, "filter": filter, "order_by": order_by}
        return search(self._address(), query, max_results)

    def best_run(self, metric: str | None = None, goal: Goal | str | None = None) -> Run | None:
        """Returns the completed run with the best finite last value; the earlier run wins a tie. None without any.

        Args:
            metric: the experiment's primary metric by default.
            goal: ``maximize`` or ``minimize``; by default the experiment's for its primary metric, ``minimize`` for a
                loss or an error, else ``maximize``.
        """
        data = self.data
        metric = metric or data["primary_metric"]
        if metric is None:
            raise NotFound(f"the experiment {self.name} has no primary metric; name one, e.g. best_run('auc')")
        known = Goal(data["goal"]) if metric == data["primary_metric"] else _usual_goal(metric)
        maximize = (Goal(goal) if goal is not None else known) == Goal.MAXIMIZE
        order = f"metrics.`{metric}` {'DESC' if maximize else 'ASC'}"
        query = {"experiment_id": data["id"], "status": RunStatus.COMPLETED.value, "order_by": order}
        found = [run for run in search(self._address(), query, 100_000) if math.isfinite(_last(run, metric))]
        sign = -1.0 if maximize else 1.0
        return min(found, key=lambda run: (sign * _last(run, metric), run._data["created_at"], run.id), default=None)

    def start_run(self, name: str | None = None, *, tags: Mapping[str, object] | None = None) -> active.ActiveRun:
        """Starts a run of this experiment that this process logs to; see :func:`jupyter_mlstudio.start_run`."""
        return active.start_run(name, experiment=self.name, tags=tags)

    def submit(self, what: Any, **options: Any) -> Run:
        """Submits work as a run of this experiment; see :func:`jupyter_mlstudio.submit`."""
        return submit(what, experiment=self.name, **options)

    def _address(self) -> Connection:
        return self._connection or connect()


class Workspace:
    """A folder and what the studio keeps of it: experiments, runs, models, endpoints.

    Args:
        path: the folder; by default the workspace that the current folder lies in.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        start = Path(path).expanduser() if path is not None else None
        self._location = workspace.locate(start)

    @classmethod
    def find(cls) -> Workspace:
        """Returns the workspace that code in the current folder works in."""
        return cls()

    @classmethod
    def from_config(cls, path: str | os.PathLike[str] | None = None) -> Workspace:
        """Returns the workspace that a ``config.json`` in or above ``path`` (default: the current folder) names."""
        found = cls.__new__(cls)
        found._location = workspace.from_config(path)
        return found

    def __repr__(self) -> str:
        return f"Workspace({self.name!r}, {str(self.root)!r})"

    @property
    def root(self) -> Path:
        """The folder that holds ``.mlstudio``."""
        return self._location.root

    @property
    def name(self) -> str:
        """The workspace's name."""
        return self._location.name

    def write_config(self, path: str | os.PathLike[str] | None = None) -> Path:
        """Writes ``.azureml/config.json`` below ``path``, so that code there finds this workspace."""
        return workspace.write_config(self._location, path)

    @property
    def experiments(self) -> dict[str, Experiment]:
        """The experiments by name, the one with the latest run first."""
        address = self._address()
        return {str(item["name"]): Experiment(item["name"], address) for item in address.get("experiments")}

    def runs(self, filter: str = "", *, order_by: str | list[str] = "", max_results: int = 100) -> list[Run]:
        """Lists the runs of all experiments; see :meth:`Experiment.runs`."""
        return search(self._address(), {"filter": filter, "order_by": order_by}, max_results)

    def run(self, run_id: str) -> Run:
        """Returns a run by its id, a unique beginning of it, or its name."""
        address = self._address()
        return Run(address.get(f"runs/{segment(run_id)}"), address)

    @property
    def models(self) -> dict[str, JSON]:
        """The registered models by name, as the API tells of them."""
        return {str(item["name"]): item for item in self._address().get("models")}

    @property
    def endpoints(self) -> dict[str, Endpoint]:
        """The endpoints by name."""
        address = self._address()
        return {str(item["name"]): Endpoint(item, address) for item in address.get("endpoints")}

    def diagnose(self) -> list[Check]:
        """Checks database, files, disk, ports, GPU and converters, and says what to do about what is not well."""
        return [Check(**item) for item in self._address().get("workspaces/current/checks")]

    def _address(self) -> Connection:
        return connect(self.root)


def _last(run: Run, metric: str) -> float:
    return float(run._data["metrics"].get(metric, math.nan))


def _usual_goal(metric: str) -> Goal:
    words = metric.lower().replace(".", "_").split("_")
    return Goal.MINIMIZE if any(word in _SMALLER_IS_BETTER for word in (*words, metric)) else Goal.MAXIMIZE
