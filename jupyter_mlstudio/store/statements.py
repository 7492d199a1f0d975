"""Statements that SQLite and PostgreSQL write alike and SQLAlchemy keeps in their dialects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(
    connection: Connection,
    table: Table,
    rows: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    *,
    keys: Sequence[str],
    keep: Sequence[str] = (),
) -> None:
    """Inserts rows, and updates those whose ``keys`` exist, except for the columns in ``keep``."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(table)
    changed = {c.name: statement.excluded[c.name] for c in table.c if c.name not in keys and c.name not in keep}
    given = rows if isinstance(rows, Mapping) else (rows[0] if rows else {})
    changed = {name: value for name, value in changed.items() if name in given}
    if changed:
        statement = statement.on_conflict_do_update(index_elements=list(keys), set_=changed)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=list(keys))
    if rows:
        connection.execute(statement, rows)
