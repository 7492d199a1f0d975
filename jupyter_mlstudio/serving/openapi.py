"""The OpenAPI document of an endpoint, made of its model's signature, with examples made of its sample.

Specification: OpenAPI 3.1. Azure's clients look for it at ``/swagger.json``.
"""

from __future__ import annotations

import math
from typing import Any
from urllib.parse import quote

from jupyter_mlstudio._version import __version__
from jupyter_mlstudio.entities.models import Signature, TensorSpec
from jupyter_mlstudio.serving.config import ServeConfig
from jupyter_mlstudio.serving.dialects.rows import RowReader

_RANGES: dict[str, tuple[int, int]] = {
    f"{sign}INT{bits}": (0 if sign else -(1 << bits - 1), (1 << (bits if sign else bits - 1)) - 1)
    for sign in ("U", "")
    for bits in (8, 16, 32, 64)
}
_LARGEST = {"FP16": 65504.0, "FP32": 3.4e38, "FP64": 1.7e308}
EXAMPLE_ROWS = 3
STATUSES = {
    "400": "The request is wrong; the message says where.",
    "401": "There is no valid key.",
    "403": "The Host is not this machine's, or a web page asks.",
    "413": "The body, or its number of rows, is too large.",
    "415": "The content type is not read here.",
    "429": "There are too many requests, or too many wrong keys.",
    "503": "Try again later.",
    "504": "The model did not answer in time.",
}


def document(config: ServeConfig, url: str) -> dict[str, Any]:
    """Makes the document.

    Args:
        url: the server's own address.
    """
    assert config.signature is not None
    made = _Document(config, config.signature)
    about = f"Scores with version {config.version} of {config.model}. jupyter_mlstudio {__version__}"
    return {
        "openapi": "3.1.0",
        "info": {"title": config.endpoint, "version": config.version, "description": about},
        "servers": [{"url": url}],
        "security": [{"key": []}],
        "paths": made.paths(),
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": made.schemas(),
        },
    }


class _Document:
    def __init__(self, config: ServeConfig, signature: Signature) -> None:
        self._config = config
        self._signature = signature
        self._rows = RowReader(signature, config.limits.rows)
        self._sample = config.sample

    def paths(self) -> dict[str, Any]:
        model = f"/v2/models/{quote(self._config.model, safe='')}"
        v2, example = "Open Inference Protocol V2", self._v2_example()
        paths = {
            f"{model}/infer": self._asked(v2, "infer", "Inference", "InferenceAnswer", example),
            f"{model}/versions/{self._config.version}/infer": self._asked(
                f"{v2}, one version", "infer_version", "Inference", "InferenceAnswer", example
            ),
            "/score": self._asked("Azure's forms and plain rows", "score", "Rows", "Predictions", self._rows_example()),
            "/invocations": self._asked(
                "MLflow's forms", "invocations", "Invocations", "MlflowPredictions", self._mlflow_example()
            ),
            "/v2": _told("What the server is", "server"),
            model: _told("What the model takes and answers", "model"),
            f"{model}/ready": _told("Whether the model is ready", "model_ready"),
            "/v2/health/live": _told("Whether the server lives", "live", secret=False),
            "/v2/health/ready": _told("Whether the server is ready", "ready", secret=False),
        }
        for path, name in (("/", "healthy"), ("/version", "version"), ("/metrics", "metrics")):
            paths[path] = _told(f"{name.capitalize()}, as text", name, secret=path != "/", media="text/plain")
        return paths

    def schemas(self) -> dict[str, Any]:
        return {
            "Error": _object({"error": {"type": "string"}, "code": {"type": "string"}}),
            "MlflowError": _object({"error_code": {"type": "string"}, "message": {"type": "string"}}),
            "Inference": self._inference(),
            "InferenceAnswer": self._answer(),
            "Rows": self._rows_schema(),
            "Predictions": {"type": ["array", "object"]},
            "Invocations": self._invocations(),
            "MlflowPredictions": _object({"predictions": {"type": "array"}}),
        }

    def _asked(self, summary: str, name: str, takes: str, answers: str, example: Any) -> dict[str, Any]:
        content: dict[str, Any] = {"schema": {"$ref": f"#/components/schemas/{takes}"}}
        if example is not None:
            content["example"] = example
        good = {"description": "The model's answer.", "content": _json(answers)}
        error = "MlflowError" if takes == "Invocations" else "Error"
        bad = {status: {"description": text, "content": _errors(error)} for status, text in STATUSES.items()}
        operation = {
            "summary": summary, "operationId": name, "responses": {"200": good, **bad},
            "requestBody": {"required": True, "content": {"application/json": content}},
        }  # fmt: skip
        return {"post": operation}

    def _inference(self) -> dict[str, Any]:
        tensors = [self._tensor(spec) for spec in self._signature.inputs]
        inputs = {"type": "array", "items": {"anyOf": tensors}, "minItems": len(tensors), "maxItems": len(tensors)}
        names = [spec.name for spec in self._signature.outputs]
        output = _object({"name": {"enum": names}}, closed=True)
        properties = {
            "id": {"type": "string"}, "inputs": inputs,
            "outputs": {"type": "array", "items": output, "uniqueItems": True},
        }  # fmt: skip
        return {"type": "object", "properties": properties, "required": ["inputs"], "additionalProperties": False}

    def _tensor(self, spec: TensorSpec) -> dict[str, Any]:
        shape = {
            "type": "array",
            "items": {"type": "integer"},
            "minItems": len(spec.shape),
            "maxItems": len(spec.shape),
        }
        properties = {
            "name": {"const": spec.name}, "datatype": {"const": spec.datatype}, "shape": shape,
            "data": {"type": "array", "items": _value(spec.datatype), "description": "flat, row by row"},
        }  # fmt: skip
        return _object(properties, closed=True)

    def _answer(self) -> dict[str, Any]:
        text, lengths = {"type": "string"}, {"type": "array", "items": {"type": "integer"}}
        output = _object({"name": text, "datatype": text, "shape": lengths, "data": {"type": "array"}})
        return _object({"model_name": text, "model_version": text, "outputs": {"type": "array", "items": output}})

    def _row(self) -> dict[str, Any]:
        values = [_value(self._rows.datatype(name, n), missing=True) for n, name in enumerate(self._rows.columns)]
        return _object(dict(zip(self._rows.columns, values, strict=True)), closed=True)

    def _list(self) -> dict[str, Any]:
        values = [_value(self._rows.datatype(name, n)) for n, name in enumerate(self._rows.columns)]
        return {"type": "array", "prefixItems": values, "minItems": len(values), "maxItems": len(values)}

    def _rows_schema(self) -> dict[str, Any]:
        if not self._rows.columns:
            named = {spec.name: {"type": "array"} for spec in self._signature.inputs}
            return _object({"input_data": _object(named, closed=True)}, closed=True)
        lists = {"type": "array", "items": self._list(), "minItems": 1}
        objects = {"type": "array", "items": self._row(), "minItems": 1}
        rows = [lists, objects] if self._rows.named else [lists]
        return {"anyOf": [*rows, _object({"data": lists}, closed=True), _object({"input_data": lists}, closed=True)]}

    def _invocations(self) -> dict[str, Any]:
        if not self._rows.columns:
            named = {spec.name: {"type": "array"} for spec in self._signature.inputs}
            return _object({"inputs": _object(named, closed=True)}, closed=True)
        lists = {"type": "array", "items": self._list(), "minItems": 1}
        split = _object({"columns": {"const": self._rows.columns}, "data": lists}, closed=True)
        forms = [_object({name: schema}, closed=True)
                 for name, schema in (("dataframe_split", split), ("instances", lists), ("inputs", lists))]  # fmt: skip
        if self._rows.named:
            records = {"type": "array", "items": self._row(), "minItems": 1}
            forms.append(_object({"dataframe_records": records}, closed=True))
        return {"anyOf": forms}

    def _v2_example(self) -> Any:
        """The sample's request, cut down to its first rows."""
        if not self._sample:
            return None
        inputs = []
        for tensor in self._sample["inputs"]:
            rows = min(int(tensor["shape"][0]), EXAMPLE_ROWS)
            width = math.prod(tensor["shape"][1:])
            data = tensor["data"]
            flat = data[: rows * width] if not data or not isinstance(data[0], list) else data[:rows]
            inputs.append({**tensor, "shape": [rows, *tensor["shape"][1:]], "data": flat})
        return {"inputs": inputs}

    def _lists_example(self) -> list[list[Any]] | None:
        request = self._v2_example()
        if request is None or not self._rows.columns:
            return None
        rows: list[list[Any]] = []
        tensors = {tensor["name"]: tensor for tensor in request["inputs"]}
        for number in range(request["inputs"][0]["shape"][0]):
            row: list[Any] = []
            for spec in self._signature.inputs:
                tensor = tensors[spec.name]
                width = math.prod(tensor["shape"][1:])
                row += tensor["data"][number * width : (number + 1) * width]
            if self._rows.named or None not in row:
                rows.append(row)
        return rows or None

    def _rows_example(self) -> Any:
        rows = self._lists_example()
        if rows is None or not self._rows.named:
            return rows
        return [dict(zip(self._rows.columns, row, strict=True)) for row in rows]

    def _mlflow_example(self) -> Any:
        rows = self._lists_example()
        return None if rows is None else {"dataframe_split": {"columns": self._rows.columns, "data": rows}}


def _told(summary: str, name: str, *, secret: bool = True, media: str = "application/json") -> dict[str, Any]:
    schema = {"type": "object"} if media == "application/json" else {"type": "string"}
    good = {"description": "It is told.", "content": {media: {"schema": schema}}}
    bad = {"403": {"description": STATUSES["403"], "content": _errors("Error")}}
    if secret:
        bad |= {status: {"description": STATUSES[status], "content": _errors("Error")} for status in ("401", "429")}
    operation: dict[str, Any] = {"summary": summary, "operationId": name, "responses": {"200": good, **bad}}
    if not secret:
        operation["security"] = []
    return {"get": operation}


def _value(datatype: str, missing: bool = False) -> dict[str, Any]:
    if datatype in _LARGEST:
        largest = _LARGEST[datatype]
        kind: Any = ["number", "null"] if missing else "number"
        return {"type": kind, "minimum": -largest, "maximum": largest}
    if datatype in _RANGES:
        least, most = _RANGES[datatype]
        return {"type": "integer", "minimum": least, "maximum": most}
    if datatype == "BOOL":
        return {"type": "boolean"}
    return {"type": ["string", "null"] if missing else "string"}


def _object(properties: dict[str, Any], *, closed: bool = False) -> dict[str, Any]:
    made = {"type": "object", "properties": properties, "required": list(properties)}
    return {**made, "additionalProperties": False} if closed else made


def _json(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _errors(name: str) -> dict[str, Any]:
    if name == "Error":
        return _json("Error")
    either = [{"$ref": "#/components/schemas/Error"}, {"$ref": f"#/components/schemas/{name}"}]
    return {"application/json": {"schema": {"anyOf": either}}}
