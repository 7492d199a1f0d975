"""The table of routes in parts, so that a process that answers a few questions imports the modules of these alone."""

from __future__ import annotations

import importlib
from functools import cache

from jupyter_mlstudio.api.route import PREFIX, Route

MLFLOW = "mlflow"
"""The part that speaks MLflow's REST API, below a prefix of its own that clients take as tracking URI."""

MLFLOW_PREFIX = "mlstudio/mlflow"
MODULES: dict[str, tuple[str, ...]] = {
    "workspaces": ("workspaces",),
    "changes": ("workspaces",),
    "compute": ("workspaces",),
    "experiments": ("experiments",),
    "runs": ("runs", "tracking", "artifacts"),
    "models": ("models", "model_reviews", "graphs", "packages"),
    "model-uploads": ("models",),
    "endpoints": ("endpoints",),
    "batch-endpoints": ("batch",),
    "sweeps": ("sweeps",),
    "automl": ("automl",),
    MLFLOW: ("mlflow",),
}
"""By the first segment of a path, the modules of the routes that begin with it."""


def part_of(path: str) -> str | None:
    """Tells in which part the route of a path is, None where there is none."""
    path = path.lstrip("/")
    if path.startswith(f"{MLFLOW_PREFIX}/"):
        return MLFLOW
    if not path.startswith(f"{PREFIX}/"):
        return None
    name = path.removeprefix(f"{PREFIX}/").partition("/")[0]
    return name if name in MODULES and name != MLFLOW else None


@cache
def routes_of(part: str) -> tuple[str, list[Route]]:
    """Imports a part; answers what its paths are below, and its routes in the order of the table."""
    prefix = MLFLOW_PREFIX if part == MLFLOW else PREFIX
    modules = [importlib.import_module(f"jupyter_mlstudio.api.{name}") for name in MODULES[part]]
    routes: list[Route] = [route for module in modules for route in module.ROUTES]
    return prefix, [route for route in routes if part == MLFLOW or route.path.partition("/")[0] == part]
