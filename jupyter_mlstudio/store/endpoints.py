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


def deployments_of(connection: Connection, name: str) -> list[Row[Any]]:
    """The deployments of an endpoint, in the order they were made."""
    where = deployments.c.endpoint == name
    order = (deployments.c.created_at, deployments.c.name)
    return list(connection.execute(select(deployments).where(where).order_by(*order)))


def insert_endpoint(connection: Connection, values: dict[str, Any]) -> None:
    """Adds an endpoint without deployments."""
    connection.execute(insert(endpoints).values(values))


def insert_deployment(connection: Connection, values: dict[str, Any]) -> None:
    """Adds a deployment."""
    connection.execute(insert(deployments).values(values))


def change(connection: Connection, name: str, **values: Any) -> int:
    """Changes an endpoint; answers its new etag."""
    values |= {"updated_at": utc_now(), "etag": endpoints.c.etag + 1}
    changed = update(endpoints).where(endpoints.c.name == name).values(values).returning(endpoints.c.etag)
    return int(connection.execute(changed).scalar_one())


def change_deployment(connection: Connection, endpoint: str, name: str, **values: Any) -> None:
    """Changes a deployment."""
    where = (deployments.c.endpoint == endpoint) & (deployments.c.name == name)
    connection.execute(update(deployments).where(where).values(values))


def set_shares(connection: Connection, endpoint: str, column: str, shares: dict[str, int]) -> None:
    """Writes the shares of ``traffic`` or ``mirror``; a deployment that is not named gets none.

    All of them have a part in the change, which is the endpoint's next.
    """
    where = deployments.c.endpoint == endpoint
    etag = select(endpoints.c.etag + 1).where(endpoints.c.name == endpoint).scalar_subquery()
    connection.execute(update(deployments).where(where).values({column: 0, "changed_with": etag}))
    for name, share in shares.items():
        change_deployment(connection, endpoint, name, **{column: share})


def delete_deployment(connection: Connection, endpoint: str, name: str) -> None:
    """Removes a deployment."""
    where = (deployments.c.endpoint == endpoint) & (deployments.c.name == name)
    connection.execute(delete(deployments).where(where))


def delete_endpoint(connection: Connection, name: str) -> None:
    """Removes an endpoint and its deployments."""
    connection.execute(delete(endpoints).where(endpoints.c.name == name))
