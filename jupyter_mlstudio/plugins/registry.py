"""Finds plugins: the ones that are installed under an entry point, and the studio's own."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Any

from jupyter_mlstudio.errors import NotFound

GROUPS = {
    "converters": {
        "onnx": "jupyter_mlstudio.plugins.converters.onnx:OnnxConverter",
        "xgboost": "jupyter_mlstudio.plugins.converters.xgboost:XgboostConverter",
        "lightgbm": "jupyter_mlstudio.plugins.converters.lightgbm:LightgbmConverter",
        "catboost": "jupyter_mlstudio.plugins.converters.catboost:CatboostConverter",
        "pytorch": "jupyter_mlstudio.plugins.converters.pytorch:PytorchConverter",
        "keras": "jupyter_mlstudio.plugins.converters.keras:KerasConverter",
        "tensorflow": "jupyter_mlstudio.plugins.converters.tensorflow:TensorflowConverter",
        "sklearn": "jupyter_mlstudio.plugins.converters.sklearn:SklearnConverter",
    },
    "deployment": {
        "local": "jupyter_mlstudio.plugins.deployment.targets:LocalTarget",
        "docker": "jupyter_mlstudio.plugins.deployment.targets:DockerTarget",
        "kubernetes": "jupyter_mlstudio.plugins.deployment.targets:KubernetesTarget",
        "edge": "jupyter_mlstudio.plugins.deployment.targets:EdgeTarget",
    },
    "compute": {"local": "jupyter_mlstudio.plugins.compute.local:LocalTarget"},
}
"""The studio's own plugins by group, there even where the package is only on the path and not installed."""


def names(group: str) -> list[str]:
    """Names of the plugins of a group, the studio's own first."""
    return list(_places(group))


def load(group: str, name: str) -> Any:
    """Imports a plugin.

    Raises:
        NotFound: there is none of that name.
    """
    place = _places(group).get(name)
    if place is None:
        raise NotFound(f"there is no {group} plugin named {name!r}; installed: {', '.join(_places(group))}")
    return place.load()


def each(group: str) -> Iterator[Any]:
    """Imports the plugins of a group one by one, as they are asked for; looks once where they are."""
    for place in _places(group).values():
        yield place.load()


def _places(group: str) -> dict[str, Any]:
    from importlib.metadata import EntryPoint

    full = f"jupyter_mlstudio.{group}"
    own = {name: EntryPoint(name, value, full) for name, value in GROUPS.get(group, {}).items()}
    return own | {place.name: place for place in entry_points(group=full) if place.name not in own}
