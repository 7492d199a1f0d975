"""Runs: finding, reading, changing and deleting them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from itertools import islice
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection, Row, delete, select

from jupyter_mlstudio.entities.runs import STEERED, TERMINAL, WAITING, Run, RunPage, RunStatus
from jupyter_mlstudio.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from jupyter_mlstudio.services.names import checked_name, checked_text, continued
from jupyter_mlstudio.services.paging import offset_of, token_of
from jupyter_mlstudio.store import experiments as experiment_store
from jupyter_mlstudio.store import run_search
from jupyter_mlstudio.store import runs as store
from jupyter_mlstudio.store.changes import Changes
from jupyter_mlstudio.store.database import Database
from jupyter_mlstudio.store.schema import logged_models, sweeps
from jupyter_mlstudio.store.schema import runs as table
from jupyter_mlstudio.workspace import Workspace

TAG_LIMIT = 8000
NAMES = 50
"""That are looked up at once."""
_GROUPS = {"live": frozenset(RunStatus) - TERMINAL - WAITING, "queued": WAITING, "done": TERMINAL}


class Runs:
    """What may be done with runs, other than executing them."""

    def __init__(self, workspace: Workspace, database: Database, changes: Changes) -> None:
        self._workspace = workspace
        self._database = database
        self._changes = changes

    def search(self, **query: Any) -> RunPage:
        """Finds runs; see :class:`jupyter_mlstudio.api.runs.RunsQuery` for the parameters."""
        query, offset, limit = _read(query)
        with self._database.read() as connection:
            query["experiment_id"] = [_experiment_id(connection, name) for name in query["experiment_id"]]
            items, total = run_search.search(connection, query, offset, limit)
        return RunPage(items=items, total=total, next_page_token=token_of(offset + len(items), total))

    def search_json(self, **query: Any) -> bytes:
        """Finds runs as :meth:`search` does; answers the page as JSON, joined of rows that are kept as such."""
        query, offset, limit = _read(query)
        with self._database.read() as connection:
            given, found = query["experiment_id"], None
            if len(given) == 1 and not any(value for name, value in query.items() if name != "experiment_id"):
                found = run_search.newest_json(connection, given[0], offset, limit)
            if found is None:
                query["experiment_id"] = [_experiment_id(connection, name) for name in given]
                found = run_search.search_json(connection, query, offset, limit)
        items, length, total = found
        token = to_json(token_of(offset + length, total))
        return b'{"items":%b,"total":%d,"next_page_token":%b}' % (items, total, token)

    def get(self, reference: str) -> Run:
        """Gets a run by id, a unique beginning of the id, or name."""
        with self._database.read() as connection:
            return self.read(connection, self.row(connection, reference))

    def read(self, connection: Connection, row: Row[Any]) -> Run:
        """Builds a run from its row."""
        return store.read(connection, row, str(self._workspace.run_folder(row.id)))

    def row(self, connection: Connection, reference: str) -> Row[Any]:
        """Finds a run's row.

        Raises:
            NotFound: there is none.
        """
        run_id = store.resolve(connection, reference)
        row = store.row(connection, run_id) if run_id else None
        if row is None:
            raise NotFound(f"there is no run {reference[:80]!r}; `%ml_runs` lists them")
        return row

    def update(
        self,
        reference: str,
        *,
        if_match: int | None = None,
        name: str | None = None,
        description: str | None = None,
        tags: Mapping[str, str | None] | None = None,
    ) -> Run:
        """Changes name, description or tags; a tag given as None is removed."""
        values: dict[str, Any] = {}
        if name is not None:
            values["name"] = checked_name(name, "a run's name")
        if description is not None:
            values["description"] = checked_text(description, "a description", 100_000)
        for key, value in (tags or {}).items():
            checked_name(key, "a tag's name")
            checked_text(value or "", f"the tag {key!r}", TAG_LIMIT)
        with self._database.write() as connection:
            row = self.row(connection, reference)
            if if_match is not None and row.etag != if_match:
                raise Stale(f"the run changed since it was read (it is at {row.etag}): read it again, then change it")
            store.set_tags(connection, row.key, tags or {})
            store.change(connection, self._changes, row.id, values)
            self._changes.note(connection, "experiment", str(row.experiment_id))
        return self.get(row.id)

    def delete(self, reference: str) -> None:
        """Deletes an ended run and its files."""
        with self._database.write() as connection:
            row = self.row(connection, reference)
            if RunStatus(row.status) not in TERMINAL:
                raise Conflict(f"the run {row.name!r} is {row.status}: stop it before deleting it")
            store.remove(connection, row)
            connection.execute(delete(sweeps).where(sweeps.c.run_id == row.id))
            connection.execute(delete(logged_models).where(logged_models.c.run_id == row.id))
            self._changes.note(connection, "run", row.id, deleted=True)
            self._changes.note(connection, "experiment", str(row.experiment_id))
        shutil.rmtree(self._workspace.run_folder(row.id), ignore_errors=True)

    def children(self, run_id: str) -> list[str]:
        """Lists the ids of runs that a run started."""
        with self._database.read() as connection:
            return list(connection.execute(select(table.c.id).where(table.c.parent_run_id == run_id)).scalars())

    def parent_of(self, wanted: str | None, mine: str | None) -> str | None:
        """Returns the id of the run that a new run is a child of.

        Args:
            wanted: what the caller asked for.
            mine: the caller's own run, which it cannot leave; None for a caller that is no run.

        Raises:
            Forbidden: it asked for a run that is neither its own nor a child of it.
            NotFound: there is no such run.
        """
        if wanted is None:
            return mine
        with self._database.read() as connection:
            parent = str(self.row(connection, wanted).id)
        if mine is not None and not self.is_within(parent, mine):
            raise Forbidden("a run starts children of its own and of its children only")
        return parent

    def name_to_go_on(self, run: Run) -> str:
        """A name for a run that goes on with another one, which tells the two apart, and others that do the same."""
        names = continued(run.name)
        with self._database.read() as connection:
            while True:
                some = list(islice(names, NAMES))
                taken = store.names_among(connection, some)
                free = next((name for name in some if name not in taken), None)
                if free is not None:
                    return free

    def is_within(self, run_id: str, ancestor: str) -> bool:
        """Tells whether a run is another one or was started by it, directly or through others.

        What a sweep started belongs to the sweep that goes on with it, too.
        """
        with self._database.read() as connection:
            mine = _with_those_before(connection, ancestor)
            seen: set[str] = set()
            while run_id not in mine:
                row = store.row(connection, run_id)
                if row is None or not row.parent_run_id or run_id in seen:
                    return False
                seen.add(run_id)
                run_id = row.parent_run_id
        return True


def _with_those_before(connection: Connection, run_id: str) -> set[str]:
    """Returns a run's id, with those of the sweeps that it goes on with."""
    ids = {run_id}
    row = store.row(connection, run_id)
    while row is not None and row.kind in STEERED and row.retry_of and row.retry_of not in ids:
        ids.add(row.retry_of)
        row = store.row(connection, row.retry_of)
    return ids


def _read(query: dict[str, Any]) -> tuple[dict[str, Any], int, int]:
    """Reads what is asked for, and where the page begins and how long it is."""
    offset, limit = offset_of(query.pop("page_token", None)), int(query.pop("max_results", 100))
    query = {
        "experiment_id": [], "parent_run_id": None, "top": False, "q": "", "filter": "", "kind": [], "order_by": [],
        "numeric_params": True, **query,
    }  # fmt: skip
    query["statuses"] = _statuses(query.pop("status", ""))
    query.setdefault("run_ids", None)
    return query, offset, limit


def _statuses(text: str) -> frozenset[RunStatus] | None:
    if not text:
        return None
    if text in _GROUPS:
        return _GROUPS[text]
    try:
        return frozenset({RunStatus(text)})
    except ValueError:
        known = ", ".join([*_GROUPS, *RunStatus])
        raise Invalid(f"{text[:40]!r} is not a status; use one of {known}") from None


def _experiment_id(connection: Connection, reference: str) -> int:
    row = experiment_store.find(connection, reference)
    if row is None:
        raise NotFound(f"there is no experiment {reference[:80]!r}")
    return int(row.id)
