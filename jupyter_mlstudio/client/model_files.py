"""Writes a model, the rows to compare its ONNX form on, and a manifest that describes both."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import pickle
import platform
import sys
from pathlib import Path
from typing import Any

from jupyter_mlstudio.client.booster_files import write_booster
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid

MANIFEST = "mlstudio.json"
SAMPLE_ROWS = 1000
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
)


def write_model(folder: Path, model: Any, sample: Any = None, y: Any = None) -> None:
    """Writes a model, its sample rows and the manifest that describes both into a folder."""
    if y is not None and (sample is None or len(y) != len(sample)):
        raise Invalid(f"y has {len(y)} answers, sample has {0 if sample is None else len(sample)} rows")
    manifest: dict[str, JSON] = {"format": 1} | _write(folder, model)
    manifest["sha256"] = _digest(folder / str(manifest["file"]))
    manifest |= {"class": f"{type(model).__module__}.{type(model).__qualname__}", "python": platform.python_version()}
    manifest["packages"] = {name: version for name in _PACKAGES if (version := _version(name))}
    manifest["features"] = _feature_names(model, sample)
    for what, content in (("sample", sample), ("targets", y)):
        if content is not None:
            written = _write_rows(folder, what, _thinned(content))
            manifest |= {what: written, f"{what}_sha256": _digest(folder / written)}
    manifest["rows"] = 0 if sample is None else min(len(sample), SAMPLE_ROWS)
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False), encoding="utf-8")


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
    """Writes rows with their types: arrays of numbers as ``.npy``, texts as JSON, data frames as a pickle."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(rows, numpy.ndarray) and rows.dtype.kind in "biufSU":
        numpy.save(folder / f"{name}.npy", rows, allow_pickle=False)
        return f"{name}.npy"
    if isinstance(rows, list) and all(isinstance(row, str) for row in rows):
        (folder / f"{name}.json").write_text(json.dumps(rows), encoding="utf-8")
        return f"{name}.json"
    with (folder / f"{name}.pkl").open("wb") as file:
        pickle.dump(rows, file, protocol=5)
    return f"{name}.pkl"


def _thinned(rows: Any) -> Any:
    if len(rows) <= SAMPLE_ROWS:
        return rows
    picks = [round(number * (len(rows) - 1) / (SAMPLE_ROWS - 1)) for number in range(SAMPLE_ROWS)]
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
