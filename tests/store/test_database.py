"""Two kinds of database that behave alike: one writer at a time, whole transactions, errors that say what to do."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError

from jupyter_mlstudio.errors import Conflict, StudioError, Unavailable
from jupyter_mlstudio.store import database as module
from jupyter_mlstudio.store import schema
from jupyter_mlstudio.store.database import Database
from jupyter_mlstudio.studio import Studio
from jupyter_mlstudio.workspace import Workspace
from tests.store.postgresql import PostgreSQL


def test_the_migrations_make_what_the_schema_says(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []
        assert context.get_current_revision() == schema.HEAD


def test_preparing_again_changes_nothing(database: Database, workspace: Workspace) -> None:
    epoch = _epoch(database)
    again = Database(workspace.database_url)
    again.prepare()
    assert _epoch(again) == epoch
    again.close()
    assert not list(workspace.folder.glob("*backup*"))


def test_F46_a_database_of_a_newer_program_is_refused_and_not_touched(database: Database, workspace: Workspace) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    files = sorted(path.name for path in workspace.folder.iterdir())
    with pytest.raises(Conflict, match=r"newer jupyter_mlstudio \(schema 9999\): upgrade"):
        Studio(workspace)
    assert database.version() == "9999"
    assert sorted(path.name for path in workspace.folder.iterdir()) == files


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def test_four_that_prepare_an_empty_database_at_once_make_it_once(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if kind == "sqlite":
        url = f"sqlite+pysqlite:///{tmp_path / 'new.db'}"
    else:
        server: PostgreSQL = request.getfixturevalue("postgresql")
        url = server.new_database("template0")
    databases = [Database(url) for _ in range(4)]
    assert _at_once([one.prepare for one in databases]) == []
    assert len({_epoch(one) for one in databases}) == 1
    for one in databases:
        one.close()


def test_a_backup_is_a_whole_copy_of_a_database_in_use(database: Database, workspace: Workspace) -> None:
    copy = database.backup()
    if not database.is_sqlite:
        assert copy is None
        return
    assert copy is not None
    assert copy.parent == workspace.folder
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT epoch FROM clock").fetchone() == (_epoch(database),)


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    def write_half() -> None:
        with database.write() as connection:
            connection.execute(update(schema.clock).values(seq=7))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()
    with database.read() as connection:
        assert connection.execute(select(schema.clock.c.seq)).scalar() == 0


def test_writers_that_read_first_wait_for_each_other_and_none_fails(database: Database, workspace: Workspace) -> None:
    """A deferred transaction that reads and then writes would fail at once when another wrote in between."""
    others = [Database(workspace.database_url) for _ in range(4)]

    def count_up(one: Database) -> Callable[[], None]:
        def work() -> None:
            for _ in range(20):
                with one.write() as connection:
                    seq = connection.execute(select(schema.clock.c.seq)).scalar_one()
                    connection.execute(update(schema.clock).values(seq=seq + 1))

        return work

    assert _at_once([count_up(one) for one in others]) == []
    with database.read() as connection:
        assert connection.execute(select(schema.clock.c.seq)).scalar() == 80
    for one in others:
        one.close()


def test_a_read_sees_one_moment(database: Database) -> None:
    with database.read() as connection:
        first = connection.execute(select(schema.clock.c.seq)).scalar()
        with database.write() as other:
            other.execute(update(schema.clock).values(seq=99))
        assert connection.execute(select(schema.clock.c.seq)).scalar() == first


def test_F18_a_database_that_another_program_holds_is_busy_and_says_so(
    workspace: Workspace, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 200)
    waiting = Database(workspace.database_url)
    begun = time.monotonic()
    with studio.database.write(), pytest.raises(Unavailable, match="busy") as caught, waiting.write():
        pass
    assert time.monotonic() - begun < 3
    assert caught.value.retry_after_s > 0
    with waiting.read() as connection:
        assert connection.execute(select(schema.clock.c.seq)).scalar() == 0
    with waiting.write():
        pass
    waiting.close()


def test_S09_an_error_of_the_database_shows_no_value(database: Database) -> None:
    rows = [{"name": "the secret", "slots": 1}] * 2
    with pytest.raises(Conflict) as caught, database.write() as connection:
        connection.execute(insert(schema.targets), rows)
    cause = caught.value.__cause__
    assert isinstance(cause, IntegrityError)
    assert "the secret" not in str(caught.value)
    assert "[SQL parameters hidden" in str(cause)
    assert cause.statement is None or "the secret" not in cause.statement


def test_a_damaged_file_is_kept_and_named(tmp_path: Path) -> None:
    path = tmp_path / "mlstudio.db"
    path.write_bytes(b"no database at all" * 1000)
    with pytest.raises(Unavailable, match="damaged: run `jupyter mlstudio doctor`"):
        Database(f"sqlite+pysqlite:///{path}").prepare()
    assert path.read_bytes() == b"no database at all" * 1000


def test_a_database_that_is_whole_has_no_complaints(database: Database) -> None:
    assert database.integrity() == []


def _epoch(database: Database) -> str:
    with database.read() as connection:
        return str(connection.execute(select(schema.clock.c.epoch)).scalar_one())


def _at_once(works: list[Callable[[], object]]) -> list[BaseException]:
    """Does work in threads that start together; returns what went wrong."""
    barrier, wrong = threading.Barrier(len(works)), []

    def do(work: Callable[[], object]) -> None:
        barrier.wait()
        try:
            work()
        except (StudioError, AssertionError) as error:
            wrong.append(error)

    threads = [threading.Thread(target=do, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong
