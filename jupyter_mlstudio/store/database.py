"""The connection to the database: SQLite in the workspace's folder, or PostgreSQL by URL.

One writer at a time, on both. Every writing transaction on SQLite begins with ``BEGIN IMMEDIATE``: a deferred one that
reads first and writes later fails at once, without waiting, when another process wrote in between. On PostgreSQL it
takes an advisory lock, so that what was read is still true when it is written. Database errors leave here as studio
errors.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event, func, select, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError

from jupyter_mlstudio.errors import Conflict, Invalid, NoSpace, StudioError, Unavailable
from jupyter_mlstudio.store import schema

APPLICATION_ID = 0x4D4C5354
BUSY_TIMEOUT_MS = 5000


class Database:
    """One database. Safe to use from many threads; each ``read`` or ``write`` is one transaction."""

    def __init__(self, url: str, *, wal: bool = True) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self._wal = wal
        options: dict[str, Any] = {"pool_size": 16, "max_overflow": 16} if not url.endswith(":memory:") else {}
        if not self.is_sqlite:
            options |= {"connect_args": {"options": f"-c lock_timeout={BUSY_TIMEOUT_MS}"}, "pool_pre_ping": True}
        self.engine: Engine = create_engine(url, hide_parameters=True, **options)
        if self.is_sqlite:
            event.listen(self.engine, "connect", self._on_connect)
            event.listen(self.engine, "begin", _begin)
        reading: dict[str, Any] = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        self._reader = self.engine.execution_options(**reading)
        self._writer = self.engine.execution_options(mlstudio_write=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yields a connection for one consistent read."""
        with _translated(), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yields a connection for one short writing transaction, committed at the end, rolled back on an error."""
        with _translated(), self._writer.begin() as connection:
            if not self.is_sqlite:
                connection.execute(select(func.pg_advisory_xact_lock(APPLICATION_ID)))
            yield connection

    def prepare(self) -> None:
        """Makes the tables when there are none and migrates older ones, after a backup, in one transaction.

        Raises:
            Conflict: the database is of a newer program; nothing is touched, and no connection stays open.
        """
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        version = self.version()
        if version == schema.HEAD:
            return
        from jupyter_mlstudio.store import migrate

        migrate.check_known(version)
        if version is not None:
            self.backup()
        with self.write() as connection:
            migrate.upgrade(connection)
            if self.is_sqlite:
                connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")

    def backup(self) -> Path | None:
        """Copies a SQLite database while it is in use; returns the copy's path, None for other databases."""
        if not self.is_sqlite:
            return None
        from jupyter_mlstudio.store import migrate

        return migrate.backup(Path(self.engine.url.database or ""))

    def version(self) -> str | None:
        """Returns the migration that the database stands at, None for an empty one."""
        with self.read() as connection:
            if not self.engine.dialect.has_table(connection, "alembic_version"):
                return None
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()

    def integrity(self) -> list[str]:
        """Returns what is broken in the file, an empty list when nothing is (SQLite only)."""
        if not self.is_sqlite:
            return []
        with self.read() as connection:
            rows = [row[0] for row in connection.execute(text("PRAGMA integrity_check"))]
            broken = list(connection.execute(text("PRAGMA foreign_key_check")))
        return [row for row in rows if row != "ok"] + [f"foreign key of table {row[0]}" for row in broken]

    def close(self) -> None:
        """Closes every pooled connection."""
        self.engine.dispose()

    def _on_connect(self, connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA case_sensitive_like = ON")
        _set_journal(cursor, "wal" if self._wal else "delete")
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.close()


def _set_journal(cursor: Any, mode: str) -> None:
    """Sets the journal's mode. SQLite waits for nobody here: who opens a new file beside another has to ask again."""
    deadline = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            cursor.execute(f"PRAGMA journal_mode = {mode}")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def sqlite_url(path: Path) -> str:
    """Returns the URL of a SQLite file."""
    return f"sqlite+pysqlite:///{path}"


def _begin(connection: Connection) -> None:
    write = connection.get_execution_options().get("mlstudio_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise Conflict("this exists already, or something it refers to does not") from error
    except DBAPIError as error:
        raise _meaning(str(error.orig)) from error
    except OverflowError as error:
        raise Invalid("a number is too large: integers must fit into 64 bits") from error


_DAMAGED = "the database file is damaged: run `jupyter mlstudio doctor`; the file is kept as it is"
_MEANINGS: dict[str, tuple[type[StudioError], str]] = {
    "lock timeout": (Unavailable, "the database is busy: another program holds it; try again"),
    "locked": (Unavailable, "the database is busy: another program holds it; try again"),
    "disk is full": (NoSpace, "the disk is full: free some space, then try again"),
    "readonly": (Unavailable, "the database cannot be written: its disk or file is read-only"),
    "unable to open": (Unavailable, "the database file cannot be opened: check that its folder exists and is yours"),
    "malformed": (Unavailable, _DAMAGED),
    "not a database": (Unavailable, _DAMAGED),
}


def _meaning(message: str) -> StudioError:
    for part, (error, sentence) in _MEANINGS.items():
        if part in message:
            return error(sentence)
    return Unavailable("the database did not answer: run `jupyter mlstudio doctor`")
