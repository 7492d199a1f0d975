"""The OpenAPI document of the studio's own API, made from the table of routes.

``jupyter mlstudio openapi`` prints it; ``openapi.json`` beside this file is the committed copy, from which the
TypeScript types are generated. Format: OpenAPI Specification 3.1.0.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from jupyter_mlstudio.api.route import PREFIX, Discarded, FileAnswer, NoBody, Route, StreamAnswer, Upload
from jupyter_mlstudio.api.table import ROUTES
from jupyter_mlstudio.entities.values import JSON

COMMITTED = Path(__file__).with_name("openapi.json")
Mode = Literal["validation", "serialization"]


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """What every refused request is answered with: a stable code and a sentence."""

    code: str
    message: str


def document(routes: list[Route] = ROUTES) -> dict[str, JSON]:
    """Builds the document; the order is the table's, so that the text is stable."""
    schemas, refs = _schemas(routes)
    paths: dict[str, dict[str, JSON]] = {}
    for route in routes:
        path = "/" + PREFIX + "/" + route.path.replace("*}", "}")
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, refs)
    return {
        "openapi": "3.1.0",
        "info": {"title": "jupyter_mlstudio", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def text() -> str:
    """Returns the document as it is committed."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


Refs = dict[tuple[int, Mode], JSON]


def _schemas(routes: list[Route]) -> tuple[JSON, Refs]:
    inputs: list[tuple[int, Mode, TypeAdapter[Any]]] = [(id(ErrorAnswer), "serialization", TypeAdapter(ErrorAnswer))]
    for route in routes:
        if route.body not in (NoBody, Upload, Discarded):
            inputs.append((id(route.body), "validation", TypeAdapter(route.body)))
        if route.answer not in (None, FileAnswer, StreamAnswer):
            inputs.append((id(route), "serialization", TypeAdapter(route.answer)))
    found, definitions = TypeAdapter.json_schemas(inputs, ref_template="#/components/schemas/{model}")
    return definitions.get("$defs", {}), found


def _operation(route: Route, refs: Refs) -> JSON:
    operation: dict[str, JSON] = {
        "operationId": route.operation,
        "summary": route.summary,
        "tags": [route.resource],
        "parameters": [*_path_parameters(route), *_query_parameters(route)],
        "responses": _responses(route, refs),
    }
    if route.body in (Upload, Discarded):
        operation["requestBody"] = {"required": True, "content": {"application/octet-stream": {"schema": {}}}}
    elif route.body is not NoBody:
        schema = refs[(id(route.body), "validation")]
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation


def _path_parameters(route: Route) -> list[JSON]:
    names = re.findall(r"{(\w+)\*?}", route.path)
    return [{"name": n, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}} for n in names]


def _query_parameters(route: Route) -> list[JSON]:
    schema = TypeAdapter(route.query).json_schema(ref_template="#/components/schemas/{model}")
    required = set(schema.get("required", ()))
    inlined = _inline(schema.get("properties", {}), schema.get("$defs", {}))
    found = [{"name": n, "in": "query", "required": n in required, "schema": s} for n, s in inlined.items()]
    text = "Id of a workspace that the server knows; without it the server's own."
    return [*found, {"name": "workspace", "in": "query", "description": text, "schema": {"type": "string"}}]


def _inline(schema: JSON, definitions: dict[str, JSON]) -> JSON:
    if isinstance(schema, dict):
        if "$ref" in schema:
            return _inline(definitions[schema["$ref"].rsplit("/", 1)[1]], definitions)
        return {key: _inline(value, definitions) for key, value in schema.items()}
    return [_inline(item, definitions) for item in schema] if isinstance(schema, list) else schema


def _responses(route: Route, refs: Refs) -> JSON:
    success: dict[str, JSON] = {"description": "Success"}
    if route.answer in (FileAnswer, StreamAnswer):
        success["content"] = {"application/octet-stream": {"schema": {}}}
    elif route.answer is not None:
        success["content"] = {"application/json": {"schema": refs[(id(route), "serialization")]}}
    error = {"application/json": {"schema": refs[(id(ErrorAnswer), "serialization")]}}
    return {str(route.status): success, "default": {"description": "Refused", "content": error}}
