"""Tells skl2onnx about models of other libraries that stand inside a pipeline or an ensemble of scikit-learn."""

from __future__ import annotations

import importlib
from typing import Any

from jupyter_mlstudio.plugins.converters.sklearn_inputs import parts

LIBRARIES = {
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
    "catboost": "catboost",
    "jupyter_mlstudio.plugins.converters.lightgbm_models": "lightgbm",
}


def register_strangers(model: Any) -> None:
    """Registers the classes of every part that another library made, with skl2onnx in this process.

    Raises:
        Refused: such a part has no ONNX form.
    """
    for part in parts(model):
        kind = type(part)
        library = LIBRARIES.get(kind.__module__) or LIBRARIES.get(kind.__module__.partition(".")[0])
        if library is not None:
            importlib.import_module(f"jupyter_mlstudio.plugins.converters.{library}").announce(part)
