"""The change feed's ground: the latest change of each thing, numbered in the order of commits."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from jupyter_mlstudio.entities.values import utc_now
from jupyter_mlstudio.entities.workspaces import Change, ChangeList
from jupyter_mlstudio.store.database import Database
from jupyter_mlstudio.store.schema import changes, clock
from jupyter_mlstudio.store.statements import upsert

PAGE = 1000


class Changes:
    """Records and lists changes. The number is taken inside the writing transaction, so a reader never misses one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, connection: Connection, kind: str, id: str, *, deleted: bool = False) -> int:
        """Records that a thing changed, in the caller's transaction; returns the change's number."""
        seq = connection.execute(update(clock).values(seq=clock.c.seq + 1).returning(clock.c.seq)).scalar_one()
        row = {"kind": kind, "id": id, "seq": seq, "deleted": deleted}
        upsert(connection, changes, row, keys=("kind", "id"))
        return int(seq)

    def note_all(self, connection: Connection, kind: str, ids: Sequence[str]) -> None:
        """Records that many things of a kind changed, in the caller's transaction."""
        if ids:
            added = update(clock).values(seq=clock.c.seq + len(ids)).returning(clock.c.seq)
            first = connection.execute(added).scalar_one() - len(ids) + 1
            rows = [{"kind": kind, "id": id, "seq": first + n, "deleted": False} for n, id in enumerate(ids)]
            upsert(connection, changes, rows, keys=("kind", "id"))

    def seq(self) -> int:
        """Returns the number of the last change."""
        with self._database.read() as connection:
            return int(connection.execute(select(clock.c.seq)).scalar_one())

    def since(self, seq: int, epoch: str) -> ChangeList:
        """Lists changes after ``seq``, at most a page; ``reset`` when the number is not of this database."""
        with self._database.read() as connection:
            now, known = connection.execute(select(clock.c.seq, clock.c.epoch)).one()
            reset = (bool(epoch) and epoch != known) or seq > now
            if reset or not epoch:
                return ChangeList(seq=now, epoch=known, reset=reset, changes=[], at=utc_now())
            rows = connection.execute(
                select(changes).where(changes.c.seq > seq).order_by(changes.c.seq).limit(PAGE)
            ).all()
        found = [Change(seq=row.seq, kind=row.kind, id=row.id, deleted=row.deleted) for row in rows]
        last = found[-1].seq if len(found) == PAGE else now
        return ChangeList(seq=last, epoch=known, reset=False, changes=found, at=utc_now())
