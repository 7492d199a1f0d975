"""MLflow's search grammar, as conditions with bound values.

Grammar: MLflow's documentation, "Search Runs": comparisons of ``metrics.x``, ``params.x``, ``tags.x`` and
``attributes.x`` (the last word may be left out) joined by ``AND``; keys may be quoted with double quotes or backticks.

Parameters are kept as text. With ``numeric_params``, which MLflow does not know, those that are written as numbers are
compared and sorted as numbers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Numeric, Text, and_, case, cast, exists, literal, not_, nulls_last, select

from jupyter_mlstudio.entities.runs import MLFLOW_STATUS, RunStatus
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.store.schema import metric_names, params, run_metrics, runs, tags

TERMS_LIMIT = 100
LENGTH_LIMIT = 10_000
_KEY = r"""(?P<kind>metrics?|params?|parameters?|tags?|attributes?|attr|run)\."""
_NAME = r"""(?P<name>"(?:[^"])+"|`[^`]+`|[\w./ -]*?[\w./-])"""
_TERM = re.compile(
    rf"\s*(?:{_KEY})?{_NAME}\s*(?P<op>!=|>=|<=|=|>|<|"
    r"(?<![\w./-])(?:NOT\s+IN|IN|ILIKE|LIKE|IS\s+NOT\s+NULL|IS\s+NULL)\b)\s*"
    r"""(?P<value>\((?:\s*'[^']*'\s*,?)+\)|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|"""
    r"""[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.])|(?!and\b)[-+]?[\w.]+|)\s*""",
    re.IGNORECASE,
)
_ORDER = re.compile(rf"\s*(?:{_KEY})?{_NAME}(?:\s+(?P<way>ASC|DESC))?\s*", re.IGNORECASE)
_KINDS = {"metric": "metric", "param": "param", "parameter": "param", "tag": "tag"}
_ATTRIBUTES = {
    "status": runs.c.status, "start_time": runs.c.started_at, "started_at": runs.c.started_at,
    "end_time": runs.c.ended_at, "ended_at": runs.c.ended_at, "created": runs.c.created_at,
    "created_at": runs.c.created_at, "run_id": runs.c.id, "run_name": runs.c.name, "name": runs.c.name,
    "user": runs.c.user, "user_id": runs.c.user, "kind": runs.c.kind, "duration": runs.c.duration_s,
    "duration_s": runs.c.duration_s,
}  # fmt: skip
_TAG_COLUMNS = {
    "mlflow.parentRunId": runs.c.parent_run_id, "mlflow.runName": runs.c.name, "mlflow.user": runs.c.user,
    "mlflow.note.content": runs.c.description,
}  # fmt: skip
"""Tags of MLflow that are columns here."""
_NUMBER = r"^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?\Z"
"""Text that is a number, as Python's and PostgreSQL's regular expressions read it; with more exponent nothing casts."""
_TIMES = frozenset({"start_time", "started_at", "end_time", "ended_at", "created", "created_at"})
_COMPARE: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "=": lambda column, value: column == value,
    "!=": lambda column, value: column != value,
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
    "like": lambda column, value: column.like(value, escape="\\"),
    "ilike": lambda column, value: column.ilike(value, escape="\\"),
    "in": lambda column, value: column.in_(value),
    "not in": lambda column, value: column.not_in(value),
}


def condition(text: str, *, numeric_params: bool = False) -> ColumnElement[bool] | None:
    """Reads a filter; None when it is empty.

    Args:
        text: the filter.
        numeric_params: whether a parameter may be compared with a number, which finds those that are numbers.

    Raises:
        Invalid: it is not of the grammar; the message has the place.
    """
    if not text.strip():
        return None
    if len(text) > LENGTH_LIMIT:
        raise Invalid(f"a filter has at most {LENGTH_LIMIT} characters, this one has {len(text)}")
    terms: list[ColumnElement[bool]] = []
    at = 0
    while True:
        term = _TERM.match(text, at)
        if term is None:
            raise Invalid(f"the filter cannot be read from {text[at : at + 40]!r} on; example: metrics.auc > 0.9")
        terms.append(_comparison(term, numeric_params))
        at = term.end()
        joint = re.compile(r"and\b", re.IGNORECASE).match(text, at)
        if joint is None:
            break
        at = joint.end()
    if at < len(text):
        raise Invalid(f"the filter cannot be read from {text[at : at + 40]!r} on; comparisons are joined by AND")
    if len(terms) > TERMS_LIMIT:
        raise Invalid(f"a filter has at most {TERMS_LIMIT} comparisons")
    return and_(*terms)


def order(text: str, *, numeric_params: bool = False) -> list[ColumnElement[Any]]:
    """Reads one ``order_by`` entry; what has no value, or none that is finite, comes last either way.

    Args:
        text: the entry.
        numeric_params: whether parameters that are numbers sort as such, before those that are text.

    Raises:
        Invalid: it is not of the grammar.
    """
    found = _ORDER.fullmatch(text)
    if found is None:
        raise Invalid(f"cannot order by {text[:80]!r}; example: metrics.auc DESC")
    kind, name = _key(found)
    if kind == "attribute":
        columns: list[Any] = [_attribute(name)]
    elif kind == "metric":
        columns = [_metric_value(name)]
    else:
        value = (params if kind == "param" else tags).c.value
        columns = [_text_value(kind, name, value)]
        if kind == "param" and numeric_params:
            columns.insert(0, _text_value(kind, name, _number(value)))
    descending = (found["way"] or "").lower() == "desc"
    return [nulls_last(column.desc() if descending else column.asc()) for column in columns]


def _comparison(term: re.Match[str], numeric_params: bool) -> ColumnElement[bool]:
    kind, name = _key(term)
    op = " ".join(term["op"].lower().split())
    if op in ("is null", "is not null"):
        if kind not in ("param", "tag"):
            raise Invalid(f"{op.upper()} is for params and tags, not for {name!r}")
        present = _has(kind, name)
        return present if op == "is not null" else not_(present)
    value = _value(term["value"], op, name)
    if kind == "metric":
        if isinstance(value, str | list) or op not in ("=", "!=", ">", ">=", "<", "<="):
            raise Invalid(f"metrics.{name} is compared with a number, e.g. metrics.{name} > 0.5")
        if not math.isfinite(value):
            raise Invalid(f"metrics.{name} cannot be compared with {value}: only with a finite number")
        metric = select(metric_names.c.id).where(metric_names.c.name == name).scalar_subquery()
        having = select(run_metrics.c.run_key).where(run_metrics.c.metric_id == metric)
        return runs.c.key.in_(having.where(_COMPARE[op](run_metrics.c.last, value)))
    if kind == "attribute":
        if name.lower() == "status":
            op = {"=": "in", "!=": "not in"}.get(op, op)
            if op not in ("in", "not in") or not isinstance(value, str | list):
                raise Invalid("a status is compared with = or !=, or with IN ('FINISHED', 'FAILED')")
        return _COMPARE[op](_attribute(name), _attribute_value(name, value))
    if kind == "param" and numeric_params and isinstance(value, float):
        return _numeric_comparison(name, op, value)
    if not isinstance(value, str | list):
        raise Invalid(f"{kind}s are text: write {kind}s.{name} {op.upper()} '{value}'")
    if kind == "tag" and name in _TAG_COLUMNS:
        return _COMPARE[op](_TAG_COLUMNS[name], value)
    table = params if kind == "param" else tags
    here = (table.c.run_key == runs.c.key) & (table.c.key == name) & _COMPARE[op](table.c.value, value)
    return exists().where(here)


def _numeric_comparison(name: str, op: str, value: float) -> ColumnElement[bool]:
    if op not in ("=", "!=", ">", ">=", "<", "<=") or not math.isfinite(value):
        raise Invalid(f"params.{name} {op.upper()} {value}: a number is finite and compared with =, !=, >, >=, < or <=")
    compared = _COMPARE[op](_number(params.c.value), cast(literal(repr(value), Text), Numeric))
    return exists().where((params.c.run_key == runs.c.key) & (params.c.key == name) & compared)


def _number(text: Any) -> Any:
    """Returns text as a number, NULL where it is none. NUMERIC, for a float of PostgreSQL fails on 1e999."""
    return case((text.regexp_match(_NUMBER), cast(text, Numeric)))


def _text_value(kind: str, name: str, value: Any) -> Any:
    table = params if kind == "param" else tags
    return select(value).where(table.c.run_key == runs.c.key, table.c.key == name).scalar_subquery()


def _key(found: re.Match[str]) -> tuple[str, str]:
    kind = _KINDS.get((found["kind"] or "attribute").lower().rstrip("s"), "attribute")
    name = found["name"].strip()
    return kind, name[1:-1] if name[0] in '"`' else name


def _attribute(name: str) -> Any:
    try:
        return _ATTRIBUTES[name.lower()]
    except KeyError:
        raise Invalid(f"{name[:80]!r} is not an attribute of a run: use {', '.join(sorted(_ATTRIBUTES))}") from None


def _attribute_value(name: str, value: Any) -> Any:
    if name.lower() in _TIMES:
        if not isinstance(value, float) or not abs(value) < 1e15:
            raise Invalid(f"{name} is compared with milliseconds since 1970, e.g. {name} > 1764000000000")
        return datetime.fromtimestamp(value / 1000, UTC)
    if name.lower() == "status":
        return [status.value for word in ([value] if isinstance(value, str) else value) for status in _statuses(word)]
    return value


def _statuses(word: str) -> list[RunStatus]:
    """Reads a status of the studio's, or a word of MLflow's for one or several of them."""
    found = [status for status in RunStatus if status.value == word]
    found = found or [status for status, mlflow in MLFLOW_STATUS.items() if mlflow == word.upper()]
    if not found:
        known = ", ".join([*sorted(set(MLFLOW_STATUS.values())), *RunStatus])
        raise Invalid(f"{word[:40]!r} is not a status; use one of {known}")
    return found


def _value(text: str, op: str, name: str) -> Any:
    if op in ("in", "not in"):
        if not text.startswith("("):
            raise Invalid(f"{op.upper()} needs a list: {name} {op.upper()} ('a', 'b')")
        return re.findall(r"'([^']*)'", text)
    if op in ("like", "ilike") and text[:1] in ("'", '"'):
        return re.sub(r"\\(['\"])", r"\1", text[1:-1])  # a pattern keeps the backslash before % and _
    if text[:1] in ("'", '"') and text:
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    try:
        return float(text)
    except ValueError:
        raise Invalid(f"the value {text[:80]!r} for {name!r} is neither a number nor in quotes") from None


def _metric_value(name: str) -> Any:
    metric = select(metric_names.c.id).where(metric_names.c.name == name).scalar_subquery()
    here = (run_metrics.c.run_key == runs.c.key) & (run_metrics.c.metric_id == metric)
    return select(run_metrics.c.last).where(here).scalar_subquery()


def _has(kind: str, name: str) -> ColumnElement[bool]:
    table = params if kind == "param" else tags
    return exists().where((table.c.run_key == runs.c.key) & (table.c.key == name))
