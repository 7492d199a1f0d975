"""Bringing a database to this program's schema, with a backup first. Imported only when there is something to do."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from jupyter_mlstudio.errors import Conflict

if TYPE_CHECKING:
    from jupyter_mlstudio.store.database import Database

FOLDER = Path(__file__).parent / "migrations"


def upgrade(database: Database, version: str | None) -> None:
    """Migrates to the newest schema in one transaction; a second process waits and then finds nothing to do.

    Raises:
        Conflict: the database is of a newer program.
    """
    from jupyter_mlstudio.store.database import APPLICATION_ID, seed

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if version is not None and version not in known:
        raise Conflict(f"the workspace was made by a newer jupyter_mlstudio (schema {version}): upgrade this one")
    if version is not None:
        backup(database)
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        seed(connection)
        if database.is_sqlite:
            connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")


def current(connection: Connection) -> str | None:
    """Returns the migration a connection's database stands at."""
    return MigrationContext.configure(connection).get_current_revision()


def backup(database: Database) -> Path | None:
    """Copies a SQLite database while it is in use; returns the copy's path, None for other databases."""
    if not database.is_sqlite:
        return None
    source = Path(database.engine.url.database or "")
    target = source.with_name(f"{source.stem}.backup-{datetime.now():%Y%m%d-%H%M%S}.db")
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
    return target
