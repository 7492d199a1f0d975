"""Experiments: names are unique, and what does not exist is made where a run asks for it."""

from __future__ import annotations

import builtins
from typing import Any

from sqlalchemy import Connection

from jupyter_mlstudio.entities.experiments import DEFAULT_EXPERIMENT, Experiment, ExperimentColumns, Goal
from jupyter_mlstudio.entities.values import utc_now
from jupyter_mlstudio.errors import AlreadyExists, NotFound
from jupyter_mlstudio.services.names import checked_name, checked_text
from jupyter_mlstudio.store import experiments as store
from jupyter_mlstudio.store.changes import Changes
from jupyter_mlstudio.store.database import Database


class Experiments:
    """What may be done with experiments."""

    def __init__(self, database: Database, changes: Changes) -> None:
        self._database = database
        self._changes = changes

    def list(self, text: str = "", archived: bool = False) -> builtins.list[Experiment]:
        """Lists experiments whose name contains ``text``, the one with the latest run first."""
        with self._database.read() as connection:
            return [store.read(connection, row) for row in store.rows(connection, text, archived)]

    def get(self, reference: str) -> Experiment:
        """Gets an experiment by its name or id."""
        with self._database.read() as connection:
            return store.read(connection, self._row(connection, reference))

    def create(
        self, name: str, description: str = "", primary_metric: str | None = None, goal: Goal = Goal.MAXIMIZE
    ) -> Experiment:
        """Makes an experiment.

        Raises:
            AlreadyExists: there is one of this name.
        """
        with self._database.write() as connection:
            if store.find(connection, checked_name(name, "an experiment's name")) is not None:
                raise AlreadyExists(f"there is an experiment {name!r} already")
            self._insert(connection, name, description, primary_metric, goal)
        return self.get(name)

    def update(self, reference: str, **changed: Any) -> Experiment:
        """Changes name, description, primary metric, goal, or archives it."""
        if changed.get("name") is None:
            changed.pop("name", None)
        values = {key: value for key, value in changed.items() if key in ("name", "description", "primary_metric")}
        if "name" in values:
            values["name"] = checked_name(values["name"], "an experiment's name")
        if values.get("description") is not None:
            values["description"] = checked_text(values["description"], "a description", 10_000)
        elif "description" in values:
            values["description"] = ""
        if changed.get("goal") is not None:
            values["goal"] = Goal(changed["goal"]).value
        if changed.get("archived") is not None:
            values["archived_at"] = utc_now() if changed["archived"] else None
        with self._database.write() as connection:
            row = self._row(connection, reference)
            if values:
                store.change(connection, row.id, values)
                self._changes.note(connection, "experiment", str(row.id))
        return self.get(str(row.id))

    def columns(self, reference: str) -> ExperimentColumns:
        """Lists the parameters, metrics and tags that its runs have."""
        with self._database.read() as connection:
            return store.columns(connection, self._row(connection, reference).id)

    def id_for(self, connection: Connection, name: str | None) -> int:
        """Returns the id of the experiment a run goes to, and makes it when it is not there yet."""
        wanted = checked_name(name or DEFAULT_EXPERIMENT, "an experiment's name")
        row = store.find(connection, wanted)
        return int(row.id) if row is not None else self._insert(connection, wanted, "", None, Goal.MAXIMIZE)

    def _insert(self, connection: Connection, name: str, description: str, metric: str | None, goal: Goal) -> int:
        name = checked_name(name, "an experiment's name")
        id = store.insert(connection, name, checked_text(description, "a description", 10_000), metric, goal)
        self._changes.note(connection, "experiment", str(id))
        return id

    def _row(self, connection: Connection, reference: str) -> Any:
        row = store.find(connection, reference)
        if row is None:
            raise NotFound(f"there is no experiment {reference[:80]!r}")
        return row
