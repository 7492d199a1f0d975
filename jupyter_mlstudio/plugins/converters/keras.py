"""Converts Keras 3 models with their own export, on whichever backend is there: PyTorch, or TensorFlow with tf2onnx.

``.keras`` files may name functions to be called (CVE-2025-1550 and its successors). What a file holds is therefore read
before Keras sees it: layers that are code, and classes that are not Keras' own, are refused, and safe mode is on.
"""

from __future__ import annotations

import importlib.util
import json
import os
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from jupyter_mlstudio.errors import Invalid, MissingExtra
from jupyter_mlstudio.plugins.converters import networks
from jupyter_mlstudio.plugins.converters.base import Converted, Converter, Original, Prediction, Source
from jupyter_mlstudio.plugins.converters.files import read_rows, whole_file
from jupyter_mlstudio.plugins.converters.networks import NONE, SIGMOID, SOFTMAX, Network
from jupyter_mlstudio.plugins.converters.refused import Refused

CODE = frozenset({"Lambda", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer"})
"""Layers that hold code, or files to be loaded."""

BACKENDS = ("torch", "tensorflow")
CONFIG_LIMIT_BYTES = 64 * 1024**2


class KerasConverter(Converter):
    """Converts sequential, functional and sub-classed models made of Keras' own layers."""

    name = "Keras"

    def accepts(self, source: Source) -> bool:
        return source.manifest.get("kind") == "keras"

    def load(self, source: Source) -> Original:
        path = whole_file(source)
        _refuse_code(path)
        rows, targets = (read_rows(source.folder, source.manifest, what) for what in ("sample", "targets"))
        if rows is None:
            raise Invalid("the model has no sample rows: log it with log_model(model, sample=X)")
        keras = _keras()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                model = keras.saving.load_model(path, compile=False, safe_mode=True)
            except Exception as error:
                first = (str(error).strip() or type(error).__name__).splitlines()[0]
                raise Invalid(f"Keras cannot load it: {first[:300]}") from error
        names = [str(one.name) for one in model.inputs or []]
        network = Network(
            answer=_answering(keras, model),
            program=model,
            inputs=names,
            labels=list(source.manifest.get("labels") or []),
            columns=[str(name) for name in source.manifest.get("features") or []],
            link=_link(model),
        )
        return Original(network, rows, f"Keras {keras.__version__}", targets)

    def convert(self, original: Original, dtype: str) -> Converted:
        import onnx

        network: Network = original.model
        network.answer([one[:1] for one in networks.arrays(original)])  # its export wants a model that was called
        with tempfile.TemporaryDirectory(prefix="mlstudio-keras-") as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            target = Path(folder) / "model.onnx"
            try:
                network.program.export(target, format="onnx", verbose=False)
                model = onnx.load(target)
            except Exception as error:
                first = (str(error).strip() or type(error).__name__).splitlines()[0]
                raise Invalid(f"Keras cannot export it: {first[:300]}") from error
        return networks.finished(model, original)

    def predict(self, original: Original) -> Prediction:
        return networks.predicted(original)


def _keras() -> Any:
    """Imports Keras on a backend that can export, unless one was chosen."""
    if "KERAS_BACKEND" not in os.environ:
        found = next((name for name in BACKENDS if importlib.util.find_spec(name)), None)
        if found is None:
            raise MissingExtra("PyTorch, which Keras needs to export", "keras")
        os.environ["KERAS_BACKEND"] = found
    try:
        import keras
    except ImportError as error:
        raise MissingExtra("Keras", "keras") from error
    return keras


def _answering(keras: Any, model: Any) -> Any:
    def answer(given: list[Any]) -> Any:
        found = model(given[0] if len(given) == 1 else given, training=False)
        if isinstance(found, (list, tuple, dict)):
            raise Invalid(f"the model has {len(found)} outputs; return one, from a model around it")
        return np.asarray(keras.ops.convert_to_numpy(found))

    return answer


def _link(model: Any) -> str | None:
    """What the last layer's activation says of the outputs."""
    last: Any = model.layers[-1] if model.layers else None
    activation = getattr(getattr(last, "activation", None), "__name__", type(last).__name__.lower())
    if activation in ("softmax", "sigmoid"):
        return NONE
    if activation == "linear":
        return SOFTMAX if last.units > 1 else SIGMOID if hasattr(last, "units") else None
    return None


def _refuse_code(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo("config.json").file_size > CONFIG_LIMIT_BYTES:
                raise Invalid(f"the description inside {path.name!r} is larger than {CONFIG_LIMIT_BYTES:,} bytes")
            config = json.loads(archive.read("config.json"))
    except (zipfile.BadZipFile, KeyError, ValueError, RecursionError) as error:
        raise Invalid(f"{path.name!r} is not a file that Keras 3 saved") from error
    for kind, module in _classes(config):
        if kind in CODE:
            raise Refused(f"it has a layer of the class {kind}, which is code: use Keras' own layers or keras.ops")
        if (module is not None and module.partition(".")[0] not in ("keras", "builtins")) or kind == "__lambda__":
            raise Refused(
                f"it has a {kind[:60]} of {str(module)[:60]!r}, which is not Keras' own and would execute code"
            )


def _classes(config: Any) -> Iterator[tuple[str, str | None]]:
    """Every class that the description names, with its module; without recursion."""
    waiting = [config]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if "class_name" in one:
                builtin = one["class_name"] in ("dict", "list", "tuple", "str", "int", "float", "function")
                if one.get("module") == "builtins" and not builtin:
                    yield str(one["class_name"]), "builtins function"
                else:
                    yield str(one["class_name"]), None if one.get("module") is None else str(one["module"])
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
