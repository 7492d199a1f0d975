"""Statements that SQLite and PostgreSQL write alike and SQLAlchemy keeps in their dialects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table


def upsert(
    connection: Connection,
    table: Table,
    rows: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    *,
    keys: Sequence[str],
    keep: Sequence[str] = (),
) -> None:
    """Inserts rows, and updates those whose ``keys`` exist, except for the columns in ``keep``."""
    if rows:
        given = rows if isinstance(rows, Mapping) else rows[0]
        connection.execute(_statement(connection.dialect.name, table, tuple(keys), tuple(keep), frozenset(given)), rows)


@lru_cache(maxsize=256)
def _statement(dialect: str, table: Table, keys: tuple[str, ...], keep: tuple[str, ...], given: frozenset[str]) -> Any:
    """Builds a statement once: building it costs more than executing it."""
    insert: Any  # of the dialect in use: the other one costs each process a fortieth of a second
    if dialect == "sqlite":
        from sqlalchemy.dialects.sqlite import insert
    else:
        from sqlalchemy.dialects.postgresql import insert
    statement = insert(table)
    changed = [column.name for column in table.c if column.name in given and column.name not in (*keys, *keep)]
    if not changed:
        return statement.on_conflict_do_nothing(index_elements=list(keys))
    values = {name: statement.excluded[name] for name in changed}
    return statement.on_conflict_do_update(index_elements=list(keys), set_=values)
