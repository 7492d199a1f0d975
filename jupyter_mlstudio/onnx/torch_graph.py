"""What is read out of a program that PyTorch exported: its ONNX graph, its answers, and how its outputs are meant.

``log_model`` does it where PyTorch is loaded already, a convert run where nothing was kept. Imports PyTorch in calls.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from typing import Any

from jupyter_mlstudio.errors import Invalid, StudioError

LINKS = ("softmax", "sigmoid", "exp", "none")
"""What can be between a network's outputs and probabilities."""
SOFTMAX, SIGMOID, EXP, NONE = LINKS
_LAST = {"softmax": NONE, "_softmax": NONE, "sigmoid": NONE, "log_softmax": EXP, "_log_softmax": EXP}
_SHAPES_ONLY = frozenset({"squeeze", "unsqueeze", "view", "reshape", "flatten", "select", "clone", "contiguous", "to"})


def exported(program: Any, **how: Any) -> Any:
    """The ONNX model of a program or module.

    Raises:
        Invalid: the exporter is not installed, or cannot do it.
    """
    with _quiet():
        try:
            import torch

            found: Any = torch.onnx.export(program, dynamo=True, verbose=False, **how)
            return found.model_proto
        except Exception as error:
            raise Invalid(_reason(error)) from error


def inputs(program: Any) -> tuple[list[str], list[str]]:
    """The names of a program's arguments, and those by which it is called: none where it takes them in order."""
    names = list(program.example_inputs[1]) if program.example_inputs else []
    return names or list(program.graph_signature.user_inputs), names


def answered(module: Any, given: list[Any], names: list[str]) -> Any:
    """A module's answer to arrays, as an array.

    Raises:
        Invalid: it answers with something else than one tensor.
    """
    import torch

    tensors = [torch.from_numpy(one) for one in given]
    with torch.no_grad():
        found = module(**dict(zip(names, tensors, strict=True))) if names else module(*tensors)
    if not isinstance(found, torch.Tensor):
        raise Invalid(f"forward() answers with a {type(found).__name__}; return one tensor, from a module around it")
    return found.numpy()


def link(program: Any) -> str | None:
    """What a program's last operator says of its outputs; None where that is to be told from the numbers."""
    outputs: Any = next(node for node in program.graph.nodes if node.op == "output").args[0]
    return _link(outputs[0]) if len(outputs) == 1 else None


def _link(node: Any) -> str | None:
    """Goes back past the operators that only move numbers."""
    while getattr(node, "op", "") == "call_function":
        name = str(getattr(node.target, "_opname", node.target))
        if name in _LAST:
            return _LAST[name]
        if name not in _SHAPES_ONLY:
            shape: Any = getattr(node.meta.get("val"), "shape", ())
            return SOFTMAX if len(shape) > 1 and shape[1] != 1 else SIGMOID
        node = node.args[0]
    return None


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
