"""An ML studio inside JupyterLab: submit work as runs, log to them, compare them, register and serve models.

>>> import jupyter_mlstudio as studio
>>> run = studio.submit("train.py", params={"lr": 0.1})
>>> run.wait().metrics["auc"]
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_mlstudio._version import __version__
    from jupyter_mlstudio.client.active import active_run, start_run
    from jupyter_mlstudio.client.automl import AutoMLRun, get_automl, list_automl
    from jupyter_mlstudio.client.automl_submission import automl, automl_yaml
    from jupyter_mlstudio.client.batch import BatchEndpoint, batch_endpoint, batch_endpoints, deploy_batch
    from jupyter_mlstudio.client.connection import connect
    from jupyter_mlstudio.client.endpoints import Endpoint, get_endpoint, list_endpoints
    from jupyter_mlstudio.client.estimators import (
        CatBoost,
        Estimator,
        Keras,
        LightGBM,
        PyTorch,
        SKLearn,
        TensorFlow,
        XGBoost,
    )
    from jupyter_mlstudio.client.evaluation import Evaluation, evaluate
    from jupyter_mlstudio.client.experiments import Experiment, Workspace
    from jupyter_mlstudio.client.model_logging import log_model
    from jupyter_mlstudio.client.models import ModelVersion, deploy, register_model
    from jupyter_mlstudio.client.packages import package
    from jupyter_mlstudio.client.parallel_submission import parallel
    from jupyter_mlstudio.client.profiles import profile_model
    from jupyter_mlstudio.client.registry import Model, get_model, list_models
    from jupyter_mlstudio.client.runs import Run, get_run, list_runs
    from jupyter_mlstudio.client.session import set_experiment
    from jupyter_mlstudio.client.space import space
    from jupyter_mlstudio.client.submission import submit
    from jupyter_mlstudio.client.sweep_submission import sweep
    from jupyter_mlstudio.client.sweeps import Sweep, get_sweep, list_sweeps
    from jupyter_mlstudio.client.tracking import (
        flush,
        log_artifact,
        log_artifacts,
        log_confusion_matrix,
        log_dict,
        log_figure,
        log_image,
        log_metric,
        log_metrics,
        log_param,
        log_params,
        log_table,
        log_text,
        params,
        progress,
        set_tag,
        set_tags,
    )
    from jupyter_mlstudio.errors import StudioError
    from jupyter_mlstudio.kernel.display import RunDetails

_HOMES = {
    "_version": ("__version__",),
    "client.active": ("active_run", "start_run"),
    "client.automl": ("AutoMLRun", "get_automl", "list_automl"),
    "client.automl_submission": ("automl", "automl_yaml"),
    "client.batch": ("BatchEndpoint", "batch_endpoint", "batch_endpoints", "deploy_batch"),
    "client.connection": ("connect",),
    "client.endpoints": ("Endpoint", "get_endpoint", "list_endpoints"),
    "client.estimators": (
        "CatBoost",
        "Estimator",
        "Keras",
        "LightGBM",
        "PyTorch",
        "SKLearn",
        "TensorFlow",
        "XGBoost",
    ),
    "client.evaluation": ("Evaluation", "evaluate"),
    "client.experiments": ("Experiment", "Workspace"),
    "client.model_logging": ("log_model",),
    "client.models": ("ModelVersion", "deploy", "register_model"),
    "client.packages": ("package",),
    "client.parallel_submission": ("parallel",),
    "client.profiles": ("profile_model",),
    "client.registry": ("Model", "get_model", "list_models"),
    "client.runs": ("Run", "get_run", "list_runs"),
    "client.session": ("set_experiment",),
    "client.space": ("space",),
    "client.submission": ("submit",),
    "client.sweep_submission": ("sweep",),
    "client.sweeps": ("Sweep", "get_sweep", "list_sweeps"),
    "client.tracking": (
        "flush",
        "log_artifact",
        "log_artifacts",
        "log_confusion_matrix",
        "log_dict",
        "log_figure",
        "log_image",
        "log_metric",
        "log_metrics",
        "log_param",
        "log_params",
        "log_table",
        "log_text",
        "params",
        "progress",
        "set_tag",
        "set_tags",
    ),
    "errors": ("StudioError",),
    "kernel.display": ("RunDetails",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [  # noqa: RUF022 - in the order of the imports above, which a test compares
    "__version__",
    "active_run",
    "start_run",
    "AutoMLRun",
    "get_automl",
    "list_automl",
    "automl",
    "automl_yaml",
    "BatchEndpoint",
    "batch_endpoint",
    "batch_endpoints",
    "deploy_batch",
    "connect",
    "Endpoint",
    "get_endpoint",
    "list_endpoints",
    "CatBoost",
    "Estimator",
    "Keras",
    "LightGBM",
    "PyTorch",
    "SKLearn",
    "TensorFlow",
    "XGBoost",
    "Evaluation",
    "evaluate",
    "Experiment",
    "Workspace",
    "log_model",
    "ModelVersion",
    "deploy",
    "register_model",
    "package",
    "parallel",
    "profile_model",
    "Model",
    "get_model",
    "list_models",
    "Run",
    "get_run",
    "list_runs",
    "set_experiment",
    "space",
    "submit",
    "sweep",
    "Sweep",
    "get_sweep",
    "list_sweeps",
    "flush",
    "log_artifact",
    "log_artifacts",
    "log_confusion_matrix",
    "log_dict",
    "log_figure",
    "log_image",
    "log_metric",
    "log_metrics",
    "log_param",
    "log_params",
    "log_table",
    "log_text",
    "params",
    "progress",
    "set_tag",
    "set_tags",
    "StudioError",
    "RunDetails",
]


def __getattr__(name: str) -> Any:
    """Imports what is asked for when it is asked for, so that importing the package costs next to nothing."""
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_ipython_extension(ipython: Any) -> None:
    """``%load_ext jupyter_mlstudio``: finds or makes the workspace, and adds the magics."""
    from jupyter_mlstudio.kernel.magics import load

    load(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    """``%unload_ext jupyter_mlstudio``: takes the magics away again."""
    from jupyter_mlstudio.kernel.magics import unload

    unload(ipython)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "jupyter_mlstudio"}]


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    from jupyter_mlstudio.extension import MLStudioApp

    return [{"module": "jupyter_mlstudio.extension", "app": MLStudioApp}]
