"""The one table of routes."""

from __future__ import annotations

from jupyter_mlstudio.api import (
    artifacts,
    automl,
    batch,
    endpoints,
    experiments,
    graphs,
    model_reviews,
    models,
    packages,
    runs,
    sweeps,
    tracking,
    workspaces,
)
from jupyter_mlstudio.api.route import Route

ROUTES: list[Route] = [
    *workspaces.ROUTES,
    *experiments.ROUTES,
    *runs.ROUTES,
    *tracking.ROUTES,
    *artifacts.ROUTES,
    *models.ROUTES,
    *model_reviews.ROUTES,
    *graphs.ROUTES,
    *packages.ROUTES,
    *endpoints.ROUTES,
    *batch.ROUTES,
    *sweeps.ROUTES,
    *automl.ROUTES,
]
"""Every operation of the studio's own API, in the order of the OpenAPI document."""
