"""MLflow's REST API: the table of its routes, below a prefix of its own that clients take as tracking URI."""

from __future__ import annotations

from jupyter_mlstudio.api import (
    mlflow_artifacts,
    mlflow_experiments,
    mlflow_models,
    mlflow_registry,
    mlflow_runs,
    mlflow_server,
)
from jupyter_mlstudio.api.parts import MLFLOW_PREFIX
from jupyter_mlstudio.api.route import Route

PREFIX = MLFLOW_PREFIX
ROUTES: list[Route] = [
    *mlflow_experiments.ROUTES,
    *mlflow_runs.ROUTES,
    *mlflow_artifacts.ROUTES,
    *mlflow_models.ROUTES,
    *mlflow_registry.ROUTES,
    *mlflow_server.ROUTES,
]
"""Every operation, the most particular paths first: the last of them takes what is left."""
