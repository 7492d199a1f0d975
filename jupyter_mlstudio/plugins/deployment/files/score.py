"""A scoring script of Azure Machine Learning's form: ``init()`` once, ``run(raw_data)`` for each request.

It takes ``{"data": rows}``, ``{"input_data": {"columns": ..., "data": ...}}``, ``{"input_data": rows}`` and requests of
Open Inference Protocol V2.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(_HERE))

import scoring  # noqa: E402

_model: scoring.Model | None = None


def init() -> None:
    """Loads the model: from ``AZUREML_MODEL_DIR`` or any folder below it, else from beside this file."""
    global _model
    given = os.environ.get("AZUREML_MODEL_DIR")
    folders = [path.parent for path in sorted(Path(given).rglob("signature.json"))] if given else []
    models = ("model.onnx", scoring.MANY)
    _model = scoring.Model(next((one for one in folders if any((one / name).is_file() for name in models)), _HERE))


def run(raw_data: str | bytes) -> Any:
    """Answers one request; a value that does not fit is an error that names it: status 400 where the server can."""
    try:
        return _answer(raw_data)
    except ValueError as error:
        try:
            from azureml.contrib.services.aml_response import AMLResponse
        except ImportError:
            raise error from None
        return AMLResponse({"error": str(error)}, 400, json_str=True)


def _answer(raw_data: str | bytes) -> Any:
    if _model is None:
        init()
    assert _model is not None
    content = json.loads(raw_data)
    if isinstance(content, dict) and isinstance(content.get("inputs"), list) and content["inputs"]:
        first = content["inputs"][0]
        if isinstance(first, dict) and "datatype" in first:
            return _model.infer(content)
    if isinstance(content, dict) and isinstance(content.get("input_data"), dict):
        return _model.rows(content["input_data"]["data"], content["input_data"].get("columns"))
    rows = content.get("data", content.get("input_data")) if isinstance(content, dict) else content
    if not isinstance(rows, list):
        raise ValueError("give {'data': rows}, {'input_data': ...} or a list of rows")
    return _model.rows(rows)
