"""Rows of batch endpoints."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from jupyter_mlstudio.entities.batch import BatchDeployment
from jupyter_mlstudio.entities.values import utc_now
from jupyter_mlstudio.store import typed
from jupyter_mlstudio.store.schema import batch_endpoints as table


def get_row(connection: Connection, name: str) -> Row[Any] | None:
    """One batch endpoint's row."""
    return connection.execute(select(table).where(table.c.name == name)).first()


def list_rows(connection: Connection) -> list[Row[Any]]:
    """All of them by name."""
    return list(connection.execute(select(table).order_by(table.c.name)))


def find_request(connection: Connection, request_id: str) -> str | None:
    """The endpoint that a request made, when it came before."""
    return connection.execute(select(table.c.name).where(table.c.request_id == request_id)).scalar()


def add(connection: Connection, values: dict[str, Any], deployments: list[BatchDeployment]) -> None:
    """Adds one."""
    connection.execute(insert(table).values({**values, "deployments": dump(deployments)}))


def change(connection: Connection, name: str, deployments: list[BatchDeployment] | None = None, **values: Any) -> None:
    """Changes one."""
    if deployments is not None:
        values["deployments"] = dump(deployments)
    values |= {"updated_at": utc_now(), "etag": table.c.etag + 1}
    connection.execute(update(table).where(table.c.name == name).values(values))


def remove(connection: Connection, name: str) -> None:
    """Removes one."""
    connection.execute(delete(table).where(table.c.name == name))


def deployments_of(row: Row[Any]) -> list[BatchDeployment]:
    """Reads a row's deployments."""
    return typed.decode(row.deployments, list[BatchDeployment])


def users(connection: Connection, model: str, version: int | None = None) -> list[str]:
    """The batch endpoints that use a model, or one version of it."""
    return [
        row.name
        for row in list_rows(connection)
        if any(one.model == model and version in (None, one.version) for one in deployments_of(row))
    ]


def dump(deployments: list[BatchDeployment]) -> str:
    """Writes deployments."""
    return msgspec.json.encode(deployments).decode()
