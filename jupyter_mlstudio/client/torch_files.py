"""Writes PyTorch modules as exported graphs, which load without the code that defined their classes."""

from __future__ import annotations

import copy
import inspect
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid

GRAPH, PICKLED = "model.pt2", "model.pt"
TRACED_ROWS = 2
"""Rows to trace with. One row would be taken for a fixed size."""


def is_torch(model: Any) -> bool:
    """Tells whether it is a module of PyTorch or a graph that :func:`torch.export.export` made."""
    torch = sys.modules.get("torch")
    if torch is None:
        return False
    export = sys.modules.get("torch.export")
    return isinstance(model, torch.nn.Module) or (export is not None and isinstance(model, export.ExportedProgram))


def torch_rows(model: Any, sample: Any) -> Any:
    """Sample rows as the module takes them, as numpy arrays: one, or several by the names of its arguments.

    Floats are rounded to the type of the module's parameters, as whoever calls it has to do too.
    """
    if sample is None:
        return None
    if isinstance(sample, Mapping):
        return {str(name): _array(model, one) for name, one in sample.items()}
    if isinstance(sample, tuple):
        return dict(zip(_argument_names(model, len(sample)), (_array(model, one) for one in sample), strict=True))
    return _array(model, sample)


def write_torch(
    folder: Path, model: Any, rows: Any, labels: Sequence[Any] | None = None
) -> tuple[dict[str, JSON], Any]:
    """Writes a module; what cannot be exported is kept as a pickle, and the manifest says why it will not be served.

    Args:
        rows: what :func:`torch_rows` answered.
        labels: a classifier's labels in the order of its outputs.

    Returns:
        What the manifest says of it, and the program, None where there is only a pickle.
    """
    import torch

    manifest: dict[str, JSON] = {"kind": "torch"} | ({"labels": list(labels)} if labels is not None else {})
    try:
        program = model if isinstance(model, torch.export.ExportedProgram) else _exported(model, rows)
        torch.export.save(program, folder / GRAPH)
        return manifest | {"file": GRAPH}, program
    except Invalid as error:
        if isinstance(model, torch.export.ExportedProgram):
            raise
        warnings.warn(f"the module was kept but cannot be served: {error.message}", stacklevel=5)
        _pickle(folder / PICKLED, model)
        return manifest | {"file": PICKLED, "problem": error.message}, None


def _pickle(path: Path, model: Any) -> None:
    import torch

    try:
        torch.save(model, path)
    except Exception as error:
        raise Invalid(f"the {type(model).__name__} can be neither exported nor pickled ({error})") from error


def _exported(model: Any, rows: Any) -> Any:
    """Traces a module in evaluation mode, dropout and batch statistics frozen, and leaves it as it was."""
    import torch

    if rows is None:
        raise Invalid("a module is traced with rows: log it with log_model(module, sample=X)")
    device = next((one.device for one in model.parameters()), torch.device("cpu"))
    if device.type != "cpu":
        model = copy.deepcopy(model).to("cpu")
    modes = [(part, part.training) for part in model.modules()]
    model.eval()
    free = {0: torch.export.Dim.DYNAMIC}
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            if isinstance(rows, dict):
                few = {name: _few(one) for name, one in rows.items()}
                return torch.export.export(model, (), few, dynamic_shapes=dict.fromkeys(few, free))
            return torch.export.export(model, (_few(rows),), dynamic_shapes=(free,))
    except Exception as error:
        raise Invalid(why_not(error)) from error
    finally:
        for part, mode in modes:
            part.training = mode


def why_not(error: Exception) -> str:
    """Why a module cannot be traced, with the line of its code where PyTorch knows it, and what to write instead."""
    text = str(error)
    line = next(
        (one for one in reversed(text.partition("C++ stack trace")[2].splitlines()) if one.startswith("   ")), ""
    )
    where = f" in `{line.strip()[:120]}`" if line else ""
    if "data-dependent" in text or "data dependent" in text:
        return (
            f"forward() decides by the values of a tensor{where}: a graph has one way for all rows, so write it with"
            " torch.where or torch.cond"
        )
    if "Constraints violated" in text or "specialized" in text:
        return "forward() works for one number of rows only: write -1 or x.shape[0] where it names the number of rows"
    return f"torch.export cannot trace forward(): {(text.strip() or type(error).__name__).splitlines()[0][:300]}"


def _few(array: Any) -> Any:
    import numpy as np
    import torch

    return torch.from_numpy(np.resize(array, (TRACED_ROWS, *array.shape[1:])))


def _array(model: Any, rows: Any) -> Any:
    import numpy as np
    import torch

    array = rows.detach().cpu().numpy() if isinstance(rows, torch.Tensor) else np.asarray(rows)
    if array.dtype.kind not in "biuf" or not array.ndim or not len(array):
        raise Invalid(f"a module takes rows of numbers, not an array of {array.dtype} and shape {list(array.shape)}")
    if array.dtype.kind != "f":
        return np.ascontiguousarray(array)
    parameters = model.parameters() if isinstance(model, torch.nn.Module) else iter(())
    kind = next((one.dtype for one in parameters if one.dtype in (torch.float32, torch.float64, torch.float16)), None)
    wide: dict[Any, Any] = {torch.float64: np.float64, torch.float16: np.float16}
    return np.ascontiguousarray(array, wide.get(kind, np.float32))


def _argument_names(model: Any, count: int) -> list[str]:
    import torch

    if not isinstance(model, torch.nn.Module):
        raise Invalid("give the rows of an exported program by name: sample={'name': array, ...}")
    names = [name for name in inspect.signature(model.forward).parameters if name != "self"][:count]
    if len(names) != count:
        raise Invalid(f"sample has {count} arrays, forward() takes {len(names)}: {', '.join(names)}")
    return names
