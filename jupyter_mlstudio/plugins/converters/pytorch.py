"""Converts PyTorch modules: graphs that ``log_model`` exported, and MLflow's pickled ones, through ``torch.onnx``."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from jupyter_mlstudio.errors import Invalid, MissingExtra
from jupyter_mlstudio.onnx import torch_graph
from jupyter_mlstudio.plugins.converters import networks
from jupyter_mlstudio.plugins.converters.base import Converted, Converter, Original, Prediction, Source
from jupyter_mlstudio.plugins.converters.files import mlflow_file, read_rows, whole_file
from jupyter_mlstudio.plugins.converters.mlflow import mlflow_example, mlflow_flavor
from jupyter_mlstudio.plugins.converters.networks import Network
from jupyter_mlstudio.plugins.converters.pytorch_recorded import proto, recorded
from jupyter_mlstudio.plugins.converters.refused import Refused


class PytorchConverter(Converter):
    """Converts modules in evaluation mode: recurrent, convolutional and attention layers, with any number of rows."""

    name = "PyTorch"

    def accepts(self, source: Source) -> bool:
        return source.manifest.get("kind") == "torch" or (
            not source.manifest and mlflow_flavor(source.folder, "pytorch") is not None
        )

    def load(self, source: Source) -> Original:
        manifest = source.manifest
        path = whole_file(source) if manifest else None
        if manifest.get("problem"):
            raise Refused(f"it was kept but cannot be served: {manifest['problem']}")
        try:
            import torch
        except ImportError as error:
            raise MissingExtra("PyTorch", "torch") from error
        framework = f"PyTorch {torch.__version__}"
        if path is None:
            return _of_mlflow(source, framework)
        rows, targets = (read_rows(source.folder, manifest, what) for what in ("sample", "targets"))
        if rows is None:
            raise Invalid("the module has no sample rows: log it with log_model(module, sample=X)")
        return Original(_of_program(_read(path), manifest), rows, framework, targets)

    def recorded(self, source: Source) -> Original | None:
        return recorded(source) if source.manifest and not source.manifest.get("problem") else None

    def convert(self, original: Original, dtype: str) -> Converted:
        network: Network = original.model
        if original.recorded:
            return networks.finished(proto(network.program), original)
        import torch

        how: dict[str, Any] = {}
        if isinstance(network.program, torch.nn.Module):
            few = [torch.from_numpy(np.resize(one, (2, *one.shape[1:]))) for one in networks.arrays(original)]
            free = {0: torch.export.Dim.DYNAMIC}
            how = {"args": tuple(few), "dynamic_shapes": tuple(free for _ in few)}
        return networks.finished(torch_graph.exported(network.program, **how), original)

    def predict(self, original: Original) -> Prediction:
        return networks.predicted(original)


def _read(path: Path) -> Any:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return torch.export.load(path)
        except Exception as error:
            raise Invalid(f"{path.name!r} is not a program that torch.export saved with this PyTorch") from error


def _of_program(program: Any, manifest: dict[str, Any]) -> Network:
    inputs, named = torch_graph.inputs(program)
    return Network(
        answer=_answering(program.module(), named),
        program=program,
        inputs=inputs,
        labels=list(manifest.get("labels") or []),
        columns=[str(name) for name in manifest.get("features") or []],
        link=torch_graph.link(program),
    )


def _of_mlflow(source: Source, framework: str) -> Original:
    """A module that MLflow pickled; it is loaded here alone, a process of its own as the user."""
    import torch

    flavor = mlflow_flavor(source.folder, "pytorch") or {}
    folder = str(flavor.get("model_data") or "data")
    path = mlflow_file(source.folder / Path(folder).name, "model.pth")
    rows = mlflow_example(source.folder)
    if rows is None or not len(rows):
        raise Invalid("the module has no sample rows: log it with input_example=X, or with log_model(module, sample=X)")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            module = torch.load(path, map_location="cpu", weights_only=False)
        except (AttributeError, ModuleNotFoundError) as error:
            raise Invalid(f"the module needs code that is not here ({error}): log it with log_model instead") from error
        except Exception as error:
            raise Invalid(f"the module's file {path.name!r} cannot be loaded: {type(error).__name__}") from error
    if not isinstance(module, torch.nn.Module):
        raise Invalid(f"{path.name!r} holds a {type(module).__name__}, not a module")
    module.eval()
    array = np.asarray(rows)
    array = array.astype(np.float32) if array.dtype.kind == "f" else array
    columns = [str(name) for name in getattr(rows, "columns", [])]
    return Original(Network(_answering(module, []), module, ["x"], columns=columns), array, framework)


def _answering(module: Any, names: list[str]) -> Callable[[list[Any]], Any]:
    return lambda given: torch_graph.answered(module, given, names)
