"""Estimators: a script with its parameters, submitted with autologging and the exporter that its library needs.

The names and the first arguments are those of Azure Machine Learning's estimators; the work is a plain submission.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from jupyter_mlstudio.client.runs import Run
from jupyter_mlstudio.client.submission import submit
from jupyter_mlstudio.errors import Invalid, MissingExtra, NotFound

AUTOLOG = "STUDIO_AUTOLOG"
"""Names of MLflow flavors, separated by commas, whose autologging a run turns on before its work begins."""


class Estimator:
    """A training script with its parameters, to submit once or many times.

    Args:
        script: the script, below ``source``.
        params: passed as ``--name value``.
        source: the folder with the script; the current one by default.
        inputs: further parameters, named data: paths that the script reads.
        env: environment variables.
        target: the compute target.
        python: the Python interpreter.
        cpus, gpus, memory, timeout: as for :func:`jupyter_mlstudio.submit`.
        autolog: whether MLflow's autologging is turned on for the library.

    Raises:
        NotFound: there is no such script.
        MissingExtra: the library of a preset is not installed.
    """

    flavors: ClassVar[tuple[str, ...]] = ()
    """MLflow's flavors whose autologging is turned on; empty turns on every installed one."""

    library: ClassVar[tuple[str, str]] = ("", "")
    """What is imported, and the extra that installs it; empty for no particular one."""

    def __init__(
        self,
        script: str | os.PathLike[str],
        params: Mapping[str, object] | None = None,
        *,
        source: str | os.PathLike[str] | None = None,
        inputs: Mapping[str, object] | None = None,
        env: Mapping[str, str] | None = None,
        target: str = "local",
        python: str | os.PathLike[str] | None = None,
        cpus: float = 1.0,
        gpus: int = 0,
        memory: int | str = 0,
        timeout: float | str | None = None,
        autolog: bool = True,
    ) -> None:
        self.script = Path(source, script) if source is not None else Path(script)
        if self.script.suffix != ".py":
            raise Invalid(f"{os.fspath(script)!r} is no .py file; submit() takes notebooks and commands")
        if not self.script.expanduser().is_file():
            raise NotFound(f"there is no file {os.fspath(self.script)!r} in {Path.cwd()}")
        self.params = {**(params or {}), **(inputs or {})}
        self.autolog = autolog
        self.settings: dict[str, Any] = {
            "folder": source, "target": target, "python": python, "cpus": cpus, "gpus": gpus, "memory": memory,
            "timeout": timeout,
        }  # fmt: skip
        self.env = dict(env or {})
        if python is None:
            self._check_library()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({os.fspath(self.script)!r}, params={self.params})"

    def submit(
        self,
        experiment: str | None = None,
        *,
        name: str | None = None,
        params: Mapping[str, object] | None = None,
        args: Sequence[str] = (),
        tags: Mapping[str, object] | None = None,
        wait: bool = False,
    ) -> Run:
        """Submits the script; ``params`` replace parameters of the same name for this once."""
        autolog = {AUTOLOG: ",".join(self.flavors) or "all"} if self.autolog else {}
        return submit(
            self.script,
            experiment=experiment,
            name=name,
            params={**self.params, **(params or {})},
            args=args,
            tags={"estimator": type(self).__name__, **(tags or {})},
            env={**autolog, **self.env},
            wait=wait,
            **self.settings,
        )

    def _check_library(self) -> None:
        module, extra = self.library
        if module and importlib.util.find_spec(module) is None:
            raise MissingExtra(module, extra)


class SKLearn(Estimator):
    """A script that trains with scikit-learn."""

    flavors = ("sklearn",)
    library = ("sklearn", "onnx")


class PyTorch(Estimator):
    """A script that trains with PyTorch, with or without Lightning."""

    flavors = ("pytorch",)
    library = ("torch", "torch")


class TensorFlow(Estimator):
    """A script that trains with TensorFlow."""

    flavors = ("tensorflow",)
    library = ("tensorflow", "tensorflow")


class Keras(Estimator):
    """A script that trains with Keras 3, whatever its backend."""

    flavors = ("keras", "tensorflow")
    library = ("keras", "keras")


class XGBoost(Estimator):
    """A script that trains with XGBoost."""

    flavors = ("xgboost",)
    library = ("xgboost", "xgboost")


class LightGBM(Estimator):
    """A script that trains with LightGBM."""

    flavors = ("lightgbm",)
    library = ("lightgbm", "lightgbm")


class CatBoost(Estimator):
    """A script that trains with CatBoost. MLflow has no autologging for it: call ``log_model`` in the script."""

    flavors = ("catboost",)
    library = ("catboost", "catboost")
