"""The one strict reader of what comes from outside, and the one writer of answers.

Refused with 400 before any rule is asked: bytes that are not UTF-8, JSON that is not an object, duplicate keys, NaN
and infinities, numbers beyond 64 bits, NUL characters, halves of surrogate pairs, nesting without end, unknown
fields and values of another type.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from jupyter_mlstudio.api.route import JsonAnswer, NoBody, Query, Route
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid, StudioError, WrongType

_DEPTH = 60
_SURROGATE = re.compile("[\ud800-\udfff\x00]")


def read_body(route: Route, raw: bytes, content_type: str) -> Any:
    """Reads a JSON body as the route's type.

    Raises:
        Invalid: it is not what the route takes; the message names the field.
        WrongType: it is not sent as JSON.
    """
    if route.body is NoBody and not raw.strip():
        return NoBody()
    if content_type.split(";")[0].strip().lower() != "application/json":
        raise WrongType("send the body as application/json")
    parse_json(raw, bare_nan=route.wire is not None and route.wire.bare_nan)
    try:
        return _adapter(route.body).validate_json(raw, strict=True)
    except ValidationError as error:
        raise Invalid(_sentence(error, "body")) from None


def parse_json(raw: bytes, *, bare_nan: bool = False) -> dict[str, JSON]:
    """Parses bytes as one strict JSON object; ``bare_nan`` takes the words NaN, Infinity and -Infinity as numbers."""
    constant = float if bare_nan else _no_constant
    try:
        text = raw.decode("utf-8")
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=constant, parse_int=_int64, parse_float=_finite
        )
    except UnicodeDecodeError:
        raise Invalid("the body is not UTF-8") from None
    except RecursionError:
        raise Invalid("the body is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise Invalid(f"the body is not JSON: {error.msg} at character {error.pos}") from None
    if not isinstance(value, dict):
        raise Invalid(f"the body must be a JSON object, not {_kind(value)}")
    _check(value, 0)
    return value


def read_query(query: type[Query], arguments: Mapping[str, Sequence[bytes]]) -> Query:
    """Reads a query string as the route's type; a name given twice is refused unless it is a list.

    Raises:
        Invalid: a name or value is wrong.
    """
    given: dict[str, Any] = {}
    for name, values in arguments.items():
        texts = [_text(value) for value in values]
        field = query.model_fields.get(name)
        is_list = field is not None and "list" in str(field.annotation)
        if not is_list and len(texts) != 1:
            raise Invalid(f"the query parameter {name[:80]!r} was given {len(texts)} times")
        given[name] = texts if is_list else texts[0]
    try:
        return query.model_validate(given)
    except ValidationError as error:
        raise Invalid(_sentence(error, "query")) from None


def checked_segment(name: str, value: str) -> str:
    """Checks a decoded part of the path.

    Raises:
        Invalid: it is empty, climbs, or holds control characters or halves of surrogate pairs.
    """
    if not value or value in (".", "..") or any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise Invalid(f"{name}: {value[:80]!r} cannot be part of a path")
    if _SURROGATE.search(value) or len(value) > 4000:
        raise Invalid(f"{name}: the value cannot be part of a path")
    return value


def write_answer(value: Any) -> bytes:
    """Writes an answer as strict JSON: NaN and infinities as text."""
    return value.content if isinstance(value, JsonAnswer) else to_json(value, inf_nan_mode="strings")


def write_error(error: StudioError) -> bytes:
    """Writes a refusal."""
    return to_json({"code": error.code, "message": error.message.encode("utf-8", "replace").decode()})


@lru_cache(maxsize=256)
def _adapter(body: Any) -> TypeAdapter[Any]:
    return TypeAdapter(body)


def _unique(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [key for key, _value in pairs]
        twice = next(key for key in names if names.count(key) > 1)
        raise Invalid(f"the body has the key {twice[:80]!r} twice")
    return found


def _no_constant(text: str) -> None:
    raise Invalid(f"the body holds {text}, which is not JSON")


def _int64(text: str) -> int:
    if len(text) > 20 or not -(2**63) <= int(text) < 2**64:
        raise Invalid(f"the number {text[:30]} does not fit into 64 bits")
    return int(text)


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise Invalid(f"the number {text[:30]} does not fit into 64 bits")
    return value


def _check(value: JSON, depth: int) -> None:
    if depth > _DEPTH:
        raise Invalid("the body is nested too deeply")
    if isinstance(value, str):
        if _SURROGATE.search(value):
            raise Invalid("the body holds a NUL character or half of a surrogate pair")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check(key, depth)
            _check(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, str | list | dict):  # of numbers, such as a batch of points, nothing is left to check
                _check(item, depth + 1)


def _text(value: bytes) -> str:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid("the query is not UTF-8") from None
    if "\x00" in text:
        raise Invalid("the query holds a NUL character")
    return text


def _sentence(error: ValidationError, where: str) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])[:200]
    return f"{where} {place}: {first['msg']}" if place else f"{where}: {first['msg']}"


def _kind(value: JSON) -> str:
    names = {list: "a list", str: "text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")
