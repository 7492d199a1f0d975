"""Writes models of XGBoost, LightGBM and CatBoost in their libraries' own files, which execute nothing when read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid

LABELS = (str, bool, int, float)


def write_booster(folder: Path, model: Any) -> dict[str, JSON] | None:
    """Writes a booster or a library's wrapper around one; None when it is neither.

    Returns:
        What the manifest says of it: its kind, its file and, where the file does not hold them, its labels.
    """
    for kind in type(model).__mro__:
        writer = _WRITERS.get((kind.__module__.partition(".")[0], kind.__name__))
        if writer is not None:
            return writer(folder, model)
    return None


def _xgboost(folder: Path, model: Any) -> dict[str, JSON]:
    model.save_model(folder / "model.ubj")
    return {"kind": "xgboost", "file": "model.ubj"}


def _lightgbm(folder: Path, model: Any) -> dict[str, JSON]:
    booster = getattr(model, "booster_", model)
    (folder / "model.txt").write_text(booster.model_to_string(), encoding="utf-8")
    written: dict[str, JSON] = {"kind": "lightgbm", "file": "model.txt"}
    labels = getattr(model, "classes_", None) if hasattr(model, "predict_proba") else None
    if labels is None:
        return written
    classes = labels.tolist()
    if not all(isinstance(label, LABELS) for label in classes):
        raise Invalid(f"the labels of a model are text, numbers or truth values, not {type(classes[0]).__name__}")
    return written | {"classes": classes}


def _catboost(folder: Path, model: Any) -> dict[str, JSON]:
    model.save_model(str(folder / "model.cbm"), format="cbm")
    return {"kind": "catboost", "file": "model.cbm"}


_WRITERS = {
    ("xgboost", "Booster"): _xgboost,
    ("xgboost", "XGBModel"): _xgboost,
    ("lightgbm", "Booster"): _lightgbm,
    ("lightgbm", "LGBMModel"): _lightgbm,
    ("catboost", "CatBoost"): _catboost,
}
"""By library and base class."""
