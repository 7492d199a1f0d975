"""Bringing a database to this program's schema, with a backup first. Imported only when there is something to do."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing
from datetime import datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, select

from jupyter_mlstudio.errors import Conflict
from jupyter_mlstudio.store.schema import clock

FOLDER = Path(__file__).parent / "migrations"


def check_known(version: str | None) -> None:
    """Makes sure that this program knows the schema a database stands at.

    Raises:
        Conflict: the database is of a newer program.
    """
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if version is not None and version not in known:
        raise Conflict(f"the workspace was made by a newer jupyter_mlstudio (schema {version}): upgrade this one")


def upgrade(connection: Connection) -> None:
    """Migrates to the newest schema in the caller's transaction; does nothing where another process was first."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    if connection.execute(select(clock.c.seq)).first() is None:
        connection.execute(clock.insert().values(id=1, seq=0, epoch=uuid.uuid4().hex))


def backup(source: Path) -> Path:
    """Copies a SQLite database while it is in use; returns the copy's path."""
    target = source.with_name(f"{source.stem}.backup-{datetime.now():%Y%m%d-%H%M%S}.db")
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
    return target


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return config
