"""Converts PyTorch modules: graphs that ``log_model`` exported, and MLflow's pickled ones, through ``torch.onnx``."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from jupyter_mlstudio.errors import Invalid, MissingExtra, StudioError
from jupyter_mlstudio.plugins.converters import networks
from jupyter_mlstudio.plugins.converters.base import Converted, Converter, Original, Prediction, Source
from jupyter_mlstudio.plugins.converters.files import mlflow_file, read_rows, whole_file
from jupyter_mlstudio.plugins.converters.mlflow import mlflow_example, mlflow_flavor
from jupyter_mlstudio.plugins.converters.networks import EXP, NONE, Network
from jupyter_mlstudio.plugins.converters.refused import Refused

_LINKS = {"softmax": NONE, "_softmax": NONE, "sigmoid": NONE, "log_softmax": EXP, "_log_softmax": EXP}
_SHAPES_ONLY = frozenset({"squeeze", "unsqueeze", "view", "reshape", "flatten", "select", "clone", "contiguous", "to"})


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

    def convert(self, original: Original, dtype: str) -> Converted:
        import torch

        network: Network = original.model
        few = [torch.from_numpy(np.resize(one, (2, *one.shape[1:]))) for one in networks.arrays(original)]
        how: dict[str, Any] = {"dynamo": True, "verbose": False}
        if isinstance(network.program, torch.nn.Module):
            free = {0: torch.export.Dim.DYNAMIC}
            how |= {"args": tuple(few), "dynamic_shapes": tuple(free for _ in few)}
        with _quiet():
            try:
                model = _proto(torch.onnx.export(network.program, **how))
            except Exception as error:
                raise Invalid(_reason(error)) from error
        return networks.finished(model, original)

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
    outputs: Any = next(node for node in program.graph.nodes if node.op == "output").args[0]
    names = list(program.example_inputs[1]) if program.example_inputs else []
    return Network(
        answer=_answering(program.module(), names),
        program=program,
        inputs=names or list(program.graph_signature.user_inputs),
        labels=list(manifest.get("labels") or []),
        columns=[str(name) for name in manifest.get("features") or []],
        link=_link(outputs[0]) if len(outputs) == 1 else None,
    )


def _link(node: Any) -> str | None:
    """What the last operator says of the outputs, past those that only move numbers."""
    while getattr(node, "op", "") == "call_function":
        name = str(getattr(node.target, "_opname", node.target))
        if name in _LINKS:
            return _LINKS[name]
        if name not in _SHAPES_ONLY:
            shape: Any = getattr(node.meta.get("val"), "shape", ())
            return networks.SOFTMAX if len(shape) > 1 and shape[1] != 1 else networks.SIGMOID
        node = node.args[0]
    return None


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
    import torch

    def answer(given: list[Any]) -> Any:
        tensors = [torch.from_numpy(one) for one in given]
        with torch.no_grad():
            found = module(**dict(zip(names, tensors, strict=True))) if names else module(*tensors)
        if not isinstance(found, torch.Tensor):
            raise Invalid(
                f"forward() answers with a {type(found).__name__}; return one tensor, from a module around it"
            )
        return found.numpy()

    return answer


def _proto(program: Any) -> Any:
    return program.model_proto


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's progress and its notes about packages that are not needed."""
    log = logging.getLogger("torch.onnx")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)


def _reason(error: Exception) -> str:
    if isinstance(error, StudioError):
        return error.message
    if isinstance(error, ImportError):
        return f'the exporter of PyTorch needs {error.name}: pip install "jupyter-mlstudio[torch]"'
    cause = error.__cause__ or error
    first = (str(cause).strip() or type(cause).__name__).splitlines()[0]
    return f"torch.onnx cannot export it: {first[:300]}"
