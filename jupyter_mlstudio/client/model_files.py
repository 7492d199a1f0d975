"""Writes a model, the rows to compare its ONNX form on, and a manifest that describes both."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import pickle
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jupyter_mlstudio.client.booster_files import write_booster
from jupyter_mlstudio.client.keras_files import is_keras, keras_rows, write_keras
from jupyter_mlstudio.client.torch_files import is_torch, torch_rows, write_torch
from jupyter_mlstudio.client.torch_records import record
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid

MANIFEST = "mlstudio.json"
SAMPLE_ROWS = 1000
SAMPLE_VALUES, FEWEST_ROWS = 1_000_000, 8
"""Of rows that are pictures or sequences fewer are kept, but not less than these."""
_PACKAGES = (
    "scikit-learn",
    "numpy",
    "pandas",
    "scipy",
    "onnx",
    "joblib",
    "xgboost",
    "xgboost-cpu",
    "lightgbm",
    "catboost",
    "torch",
    "keras",
)


def write_model(
    folder: Path, model: Any, sample: Any = None, y: Any = None, labels: Sequence[Any] | None = None
) -> None:
    """Writes a model, its sample rows and the manifest that describes both into a folder."""
    names = _feature_names(model, sample)
    program: Any = None
    if is_keras(model):  # with the backend torch, it is a module too
        sample = keras_rows(model, sample)
        count = _count(sample)
        _check_answers(y, count)
        manifest: dict[str, JSON] = {"format": 1} | write_keras(folder, model, labels)
    elif is_torch(model):
        sample = torch_rows(model, sample)
        count = _count(sample)
        _check_answers(y, count)
        written_torch, program = write_torch(folder, model, sample, labels)
        manifest = {"format": 1} | written_torch
    else:
        if labels is not None:
            raise Invalid("labels are for networks, whose outputs have no names; this model says its labels itself")
        count = _count(sample)
        _check_answers(y, count)
        manifest = {"format": 1} | _write(folder, model)
    manifest["sha256"] = _digest(folder / str(manifest["file"]))
    manifest |= {"class": f"{type(model).__module__}.{type(model).__qualname__}", "python": platform.python_version()}
    manifest["packages"] = {name: version for name in _PACKAGES if (version := _version(name))}
    manifest["features"] = names
    kept = _kept(sample, count)
    for what, content in (("sample", sample), ("targets", y)):
        if content is not None:
            written = _write_rows(folder, what, _thinned(content, kept))
            manifest |= {what: written, f"{what}_sha256": _digest(folder / written)}
    manifest["rows"] = kept
    if program is not None and sample is not None:
        manifest |= record(folder, manifest, program, _thinned(sample, kept))
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False), encoding="utf-8")


def _check_answers(y: Any, rows: int) -> None:
    if y is not None and len(y) != rows:
        raise Invalid(f"y has {len(y)} answers, sample has {rows} rows")


def _count(sample: Any) -> int:
    """How many rows; of several arrays by name each has the same number."""
    if sample is None or not _is_named(sample):
        return 0 if sample is None else len(sample)
    counts = {name: len(one) for name, one in sample.items()}
    if len(set(counts.values())) != 1:
        raise Invalid(f"the arrays of sample have unlike numbers of rows: {counts}")
    return next(iter(counts.values()))


def _is_named(sample: Any) -> bool:
    return isinstance(sample, dict) and all(hasattr(one, "dtype") for one in sample.values())


def _kept(sample: Any, count: int) -> int:
    """How many rows are kept."""
    arrays = list(sample.values()) if _is_named(sample) else [sample]
    if not all(getattr(one, "ndim", 0) > 2 for one in arrays):
        return min(count, SAMPLE_ROWS)
    width: int = sum(one[:1].size for one in arrays)
    return min(count, SAMPLE_ROWS, max(FEWEST_ROWS, SAMPLE_VALUES // max(width, 1)))


def _write(folder: Path, model: Any) -> dict[str, JSON]:
    """Writes the model itself; answers what the manifest says of it: its kind, the file's name, more where needed."""
    if isinstance(model, (str, Path)) and Path(model).suffix == ".onnx":
        model = Path(model).read_bytes()
    if type(model).__module__.startswith("onnx.") and hasattr(model, "SerializeToString"):
        model = model.SerializeToString()
    if isinstance(model, bytes):
        (folder / "model.onnx").write_bytes(model)
        return {"kind": "onnx", "file": "model.onnx"}
    if (booster := write_booster(folder, model)) is not None:
        return booster
    try:
        if _is_sklearn(model):
            import joblib

            joblib.dump(model, folder / "model.joblib", protocol=pickle.HIGHEST_PROTOCOL)
            return {"kind": "sklearn", "file": "model.joblib"}
        with (folder / "model.pkl").open("wb") as file:
            pickle.dump(model, file, protocol=5)
        return {"kind": "pickle", "file": "model.pkl"}
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise Invalid(
            f"the {type(model).__name__} cannot be kept ({error}): put functions and classes that it uses into a module"
            " in the working folder, lambdas included"
        ) from error


def _is_sklearn(model: Any) -> bool:
    base = sys.modules.get("sklearn.base")
    return base is not None and isinstance(model, base.BaseEstimator)


def _write_rows(folder: Path, name: str, rows: Any) -> str:
    """Writes rows with their types: arrays as ``.npy`` or ``.npz``, texts as JSON, data frames as a pickle."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and _is_named(rows):
        numpy.savez(folder / f"{name}.npz", **rows)
        return f"{name}.npz"
    if numpy is not None and isinstance(rows, numpy.ndarray) and rows.dtype.kind in "biufSU":
        numpy.save(folder / f"{name}.npy", rows, allow_pickle=False)
        return f"{name}.npy"
    if isinstance(rows, list) and all(isinstance(row, str) for row in rows):
        (folder / f"{name}.json").write_text(json.dumps(rows), encoding="utf-8")
        return f"{name}.json"
    with (folder / f"{name}.pkl").open("wb") as file:
        pickle.dump(rows, file, protocol=5)
    return f"{name}.pkl"


def _thinned(rows: Any, kept: int) -> Any:
    if _is_named(rows):
        return {name: _thinned(one, kept) for name, one in rows.items()}
    if len(rows) <= kept:
        return rows
    picks = [round(number * (len(rows) - 1) / (kept - 1)) for number in range(kept)]
    if hasattr(rows, "iloc"):
        return rows.iloc[picks]
    return [rows[pick] for pick in picks] if isinstance(rows, (list, tuple)) else rows[picks]


def _feature_names(model: Any, sample: Any) -> list[str]:
    names = getattr(model, "feature_names_in_", None)
    return [str(name) for name in (names if names is not None else getattr(sample, "columns", []))]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
