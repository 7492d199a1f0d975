"""Rows of endpoints and their deployments."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from jupyter_mlstudio.entities.values import utc_now
from jupyter_mlstudio.store.schema import deployments, endpoints


def get_row(connection: Connection, name: str) -> Row[Any] | None:
    """One endpoint's row."""
    return connection.execute(select(endpoints).where(endpoints.c.name == name)).first()


def list_rows(connection: Connection) -> list[Row[Any]]:
    """All endpoints by name."""
    return list(connection.execute(select(endpoints).order_by(endpoints.c.name)))


def find_request(connection: Connection, request_id: str) -> Row[Any] | None:
    """The endpoint that a request made, when it came before."""
    return connection.execute(select(endpoints).where(endpoints.c.request_id == request_id)).first()


def find_run(connection: Connection, run_id: str) -> str | None:
    """The endpoint that a run serves."""
    return connection.execute(select(deployments.c.endpoint).where(deployments.c.run_id == run_id)).scalar()


def deployments_of(connection: Connection, name: str) -> list[Row[Any]]:
    """The deployments of an endpoint, in the order they were made."""
    where = deployments.c.endpoint == name
    return list(connection.execute(select(deployments).where(where).order_by(deployments.c.created_at)))


def insert_endpoint(connection: Connection, values: dict[str, Any], deployment: dict[str, Any]) -> None:
    """Adds an endpoint with its first deployment."""
    connection.execute(insert(endpoints).values(values))
    connection.execute(insert(deployments).values(deployment))


def change(connection: Connection, name: str, **values: Any) -> None:
    """Changes an endpoint."""
    values |= {"updated_at": utc_now(), "etag": endpoints.c.etag + 1}
    connection.execute(update(endpoints).where(endpoints.c.name == name).values(values))


def set_run(connection: Connection, endpoint: str, deployment: str, run_id: str) -> None:
    """Notes which run serves a deployment."""
    where = (deployments.c.endpoint == endpoint) & (deployments.c.name == deployment)
    connection.execute(update(deployments).where(where).values(run_id=run_id))


def delete_endpoint(connection: Connection, name: str) -> None:
    """Removes an endpoint and its deployments."""
    connection.execute(delete(endpoints).where(endpoints.c.name == name))
