"""Reads model folders that MLflow wrote (``MLmodel`` and the files it names), without MLflow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jupyter_mlstudio.errors import Invalid


def mlflow_flavor(folder: Path, flavor: str) -> dict[str, Any] | None:
    """The settings of one flavor, None when the folder is no MLflow model or has not that flavor."""
    found = _described(folder).get("flavors", {}).get(flavor)
    return found if isinstance(found, dict) else None


def mlflow_example(folder: Path) -> Any:
    """The input example that was logged with the model: a data frame, or an array; None without one.

    Formats are those of MLflow's ``mlflow.models.utils._Example``: a frame in "split" or "records" orientation, an
    array under ``inputs`` or ``instances``.
    """
    info = _described(folder).get("saved_input_example_info") or {}
    path = file_below(folder, info.get("artifact_path"))
    if path is None:
        return None
    content = json.loads(path.read_text("utf-8"))
    if info.get("type") == "dataframe" or (isinstance(content, dict) and {"columns", "data"} <= set(content)):
        return _frame(content)
    if isinstance(content, dict):
        content = content.get("inputs", content.get("instances"))
    import numpy as np

    return np.asarray(content)


def file_below(folder: Path, name: object) -> Path | None:
    """A regular file of a model's folder, by the path that its ``MLmodel`` gives; None where that leads elsewhere."""
    parts = name.split("/") if isinstance(name, str) else [""]
    if any(part in ("", ".", "..") or set(part) & {"\\", "\0"} for part in parts):
        return None
    path = folder.joinpath(*parts)
    return path if path.is_file() and folder.resolve() in path.resolve().parents else None


def _frame(content: Any) -> Any:
    import pandas as pd

    if isinstance(content, dict) and "dataframe_split" in content:
        content = content["dataframe_split"]
    if isinstance(content, dict):
        return pd.DataFrame(content["data"], columns=content["columns"])
    return pd.DataFrame(content)


def _described(folder: Path) -> dict[str, Any]:
    path = folder / "MLmodel"
    if not path.is_file():
        return {}
    import yaml

    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Invalid("the file MLmodel is not plain YAML; nothing in it was executed") from error
    return content if isinstance(content, dict) else {}
