"""The journal of models: entries are added and never changed. Each holds a digest over itself and the one before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from jupyter_mlstudio.entities.model_reports import ModelEvent, ModelJournal
from jupyter_mlstudio.entities.values import JSON, utc_now
from jupyter_mlstudio.store.schema import model_events


def add(
    connection: Connection,
    model: str,
    action: str,
    *,
    version: int | None = None,
    user: str = "",
    reason: str = "",
    details: Mapping[str, JSON] | None = None,
) -> None:
    """Adds an entry."""
    before = connection.execute(
        select(model_events.c.digest).where(model_events.c.model == model).order_by(model_events.c.id.desc()).limit(1)
    ).scalar()
    values: dict[str, Any] = {
        "version": version, "at": utc_now(), "user": user, "action": action, "reason": reason,
        "details": json.dumps(dict(details or {}), sort_keys=True, ensure_ascii=False),
    }  # fmt: skip
    values["digest"] = _digest(before or "", **values)
    connection.execute(insert(model_events).values(model=model, **values))


def journal(connection: Connection, model: str, version: int | None = None) -> ModelJournal:
    """Reads the entries of a model, or of one of its versions, oldest first."""
    rows = connection.execute(
        select(model_events).where(model_events.c.model == model).order_by(model_events.c.id)
    ).all()
    before, whole = "", True
    for row in rows:
        whole = whole and row.digest == _digest(
            before, version=row.version, at=row.at, user=row.user, action=row.action, reason=row.reason,
            details=row.details,
        )  # fmt: skip
        before = row.digest
    return ModelJournal(events=[_read(row) for row in rows if version in (None, row.version)], whole=whole)


def rename(connection: Connection, model: str, name: str) -> None:
    """Moves a journal to a model's new name."""
    connection.execute(update(model_events).where(model_events.c.model == model).values(model=name))


def _read(row: Row[Any]) -> ModelEvent:
    return ModelEvent(
        at=row.at, user=row.user, version=row.version, action=row.action, reason=row.reason,
        details=json.loads(row.details), digest=row.digest,
    )  # fmt: skip


def _digest(before: str, *, version: int | None, at: Any, user: str, action: str, reason: str, details: str) -> str:
    content = [before, version, at.isoformat(), user, action, reason, details]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()
