"""Turns on MLflow's autologging before a run's work begins, where an estimator asked for it."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import sys

from jupyter_mlstudio.client.estimators import AUTOLOG

OPTIONS = {"silent": True, "log_input_examples": True}
"""Of these each flavor is given those that it knows; input examples are what ONNX is compared on."""


def turn_on() -> None:
    """Reads the run's environment and turns on what it names. What cannot be turned on is said and passed over."""
    names = [name for name in os.environ.get(AUTOLOG, "").split(",") if name]
    if not names:
        return
    if importlib.util.find_spec("mlflow") is None:
        print("autologging is off: mlflow is not installed in this run's Python (pip install mlflow)", file=sys.stderr)
        return
    for name in names:
        module = "mlflow" if name == "all" else f"mlflow.{name}"
        try:
            flavor = importlib.import_module(module)
            known = inspect.signature(flavor.autolog).parameters
            flavor.autolog(**{option: value for option, value in OPTIONS.items() if option in known})
        except (ImportError, AttributeError) as error:
            print(f"autologging of {name} is off: {error}", file=sys.stderr)
