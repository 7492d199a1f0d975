"""How models that MLflow clients logged are kept: as MLflow's own ``LoggedModel`` JSON, with its run and experiment."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, select, update

from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.store.schema import logged_models


def insert(connection: Connection, id: str, run_id: str, experiment_id: int, data: dict[str, JSON]) -> None:
    """Adds a model."""
    values = {"id": id, "run_id": run_id, "experiment_id": experiment_id, "data": json.dumps(data)}
    connection.execute(logged_models.insert().values(values))


def get(connection: Connection, id: str) -> dict[str, Any] | None:
    """Gets a model by its id."""
    text = connection.execute(select(logged_models.c.data).where(logged_models.c.id == id)).scalar()
    return None if text is None else dict(json.loads(text))


def change(connection: Connection, id: str, data: dict[str, JSON]) -> None:
    """Writes a model anew."""
    connection.execute(update(logged_models).where(logged_models.c.id == id).values(data=json.dumps(data)))


def remove(connection: Connection, id: str) -> bool:
    """Removes a model; answers whether it was there."""
    return bool(connection.execute(delete(logged_models).where(logged_models.c.id == id)).rowcount)


def of_experiments(connection: Connection, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Lists the models of some experiments."""
    query = select(logged_models.c.data).where(logged_models.c.experiment_id.in_(ids))
    return [dict(json.loads(text)) for text in connection.execute(query).scalars()]
