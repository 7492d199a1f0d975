"""Rows of models, their versions and aliases, and the entities that they stand for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from jupyter_mlstudio.entities.models import (
    Model,
    ModelFile,
    ModelVersion,
    ParityReport,
    Signature,
    VersionStatus,
)
from jupyter_mlstudio.entities.values import utc_now
from jupyter_mlstudio.store.schema import deployments, model_aliases, model_versions, models
from jupyter_mlstudio.store.statements import upsert

T = TypeVar("T")


def names(connection: Connection) -> list[str]:
    """Names of all models, the one registered to last first."""
    return list(connection.execute(select(models.c.name).order_by(models.c.updated_at.desc(), models.c.name)).scalars())


def get_row(connection: Connection, name: str) -> Row[Any] | None:
    """The model's own row."""
    return connection.execute(select(models).where(models.c.name == name)).first()


def get_version_row(connection: Connection, name: str, version: int) -> Row[Any] | None:
    """One version's row."""
    where = (model_versions.c.model == name) & (model_versions.c.version == version)
    return connection.execute(select(model_versions).where(where)).first()


def find_request(connection: Connection, request_id: str) -> Row[Any] | None:
    """The version that a request made, when it came before."""
    return connection.execute(select(model_versions).where(model_versions.c.request_id == request_id)).first()


def converting(connection: Connection) -> list[Row[Any]]:
    """Versions that are being converted."""
    where = model_versions.c.status == VersionStatus.CONVERTING.value
    return list(connection.execute(select(model_versions).where(where)))


def find_alias(connection: Connection, name: str, alias: str) -> int | None:
    """The version that an alias points to."""
    where = (model_aliases.c.model == name) & (model_aliases.c.alias == alias)
    return connection.execute(select(model_aliases.c.version).where(where)).scalar()


def newest(connection: Connection, name: str) -> int | None:
    """The highest version number there is."""
    return connection.execute(select(func.max(model_versions.c.version)).where(model_versions.c.model == name)).scalar()


def take_number(connection: Connection, name: str, folder: str) -> int:
    """Takes the next version number of a model, which is made when it is new. Numbers are never given twice."""
    row = get_row(connection, name)
    if row is None:
        insert_model(connection, name, folder, "", next_version=2)
        return 1
    now = utc_now()
    connection.execute(
        update(models).where(models.c.name == name).values(next_version=row.next_version + 1, updated_at=now)
    )
    return int(row.next_version)


def insert_model(connection: Connection, name: str, folder: str, description: str, *, next_version: int = 1) -> None:
    """Adds a model."""
    now = utc_now()
    values = {"name": name, "folder": folder, "description": description, "created_at": now, "updated_at": now}
    connection.execute(insert(models).values(**values, next_version=next_version))


def insert_version(connection: Connection, values: dict[str, Any]) -> None:
    """Adds a version; ``files``, ``tags`` and ``operators`` as Python values."""
    texts = {key: dump(values[key]) for key in ("files", "tags", "operators")}
    connection.execute(insert(model_versions).values({**values, **texts}))


def change_version(
    connection: Connection, name: str, version: int, values: dict[str, Any], *, status: VersionStatus | None = None
) -> bool:
    """Changes a version, only when it has ``status`` if that is given; tells whether it did."""
    where = (model_versions.c.model == name) & (model_versions.c.version == version)
    if status is not None:
        where &= model_versions.c.status == status.value
    changed = update(model_versions).where(where).values({**values, "etag": model_versions.c.etag + 1})
    return connection.execute(changed).rowcount == 1


def touch(connection: Connection, name: str, **values: Any) -> None:
    """Changes a model's own row, and when it was changed."""
    connection.execute(update(models).where(models.c.name == name).values(updated_at=utc_now(), **values))


def set_alias(connection: Connection, name: str, alias: str, version: int) -> None:
    """Points an alias at a version."""
    upsert(connection, model_aliases, {"model": name, "alias": alias, "version": version}, keys=("model", "alias"))


def delete_alias(connection: Connection, name: str, alias: str) -> bool:
    """Removes an alias; tells whether it was there."""
    where = (model_aliases.c.model == name) & (model_aliases.c.alias == alias)
    return connection.execute(delete(model_aliases).where(where)).rowcount == 1


def delete_model(connection: Connection, name: str) -> None:
    """Removes a model with all versions and aliases."""
    connection.execute(delete(models).where(models.c.name == name))


def delete_version(connection: Connection, name: str, version: int) -> None:
    """Removes a version and the aliases that point to it."""
    connection.execute(
        delete(model_aliases).where((model_aliases.c.model == name) & (model_aliases.c.version == version))
    )
    connection.execute(
        delete(model_versions).where((model_versions.c.model == name) & (model_versions.c.version == version))
    )


def users(connection: Connection, name: str, version: int | None = None) -> list[str]:
    """Names of the endpoints that serve a model, or one version of it."""
    where = deployments.c.model == name
    if version is not None:
        where &= deployments.c.version == version
    return sorted(set(connection.execute(select(deployments.c.endpoint).where(where)).scalars()))


def read_model(connection: Connection, row: Row[Any]) -> Model:
    """Makes the entity of a model's row."""
    where = model_versions.c.model == row.name
    numbers = list(
        connection.execute(
            select(model_versions.c.version).where(where).order_by(model_versions.c.version.desc())
        ).scalars()
    )
    aliases = connection.execute(select(model_aliases).where(model_aliases.c.model == row.name)).all()
    latest = get_version_row(connection, row.name, numbers[0]) if numbers else None
    return Model(
        name=row.name,
        description=row.description,
        created_at=row.created_at,
        updated_at=row.updated_at,
        aliases={alias.alias: alias.version for alias in sorted(aliases, key=lambda one: one.alias)},
        versions=numbers,
        latest=None if latest is None else read_version(connection, latest),
    )


def read_version(connection: Connection, row: Row[Any]) -> ModelVersion:
    """Makes the entity of a version's row."""
    where = (model_aliases.c.model == row.model) & (model_aliases.c.version == row.version)
    aliases = connection.execute(select(model_aliases.c.alias).where(where).order_by(model_aliases.c.alias)).scalars()
    return ModelVersion(
        model=row.model, version=row.version, status=VersionStatus(row.status), reason=row.reason, run_id=row.run_id,
        source=row.source, convert_run_id=row.convert_run_id, framework=row.framework, description=row.description,
        user=row.user, created_at=row.created_at, aliases=list(aliases), tags=load(row.tags, dict[str, str]) or {},
        sha256=row.sha256, size_bytes=row.size_bytes, files=load(row.files, list[ModelFile]) or [],
        signature=load(row.signature, Signature), parity=_parity(row.parity),
        sample=msgspec.json.decode(row.sample) if row.sample else None, operators=load(row.operators, list[str]) or [],
        etag=row.etag,
    )  # fmt: skip


def dump(value: Any) -> str | None:
    """Writes a value as JSON text; floats that are not finite as the text that stands for them on the wire."""
    return None if value is None else msgspec.json.encode(_finite(value)).decode()


def load(text: str | None, kind: type[T]) -> T | None:
    """Reads a value from JSON text."""
    return None if text is None else msgspec.json.decode(text, type=kind)


def _parity(text: str | None) -> ParityReport | None:
    return None if text is None else msgspec.convert(_real(msgspec.json.decode(text)), ParityReport)


def _real(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _real(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_real(one) for one in value]
    return float(value) if value in ("NaN", "Infinity", "-Infinity") else value


def _finite(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        return _finite(asdict(value))
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        return [_finite(one) for one in value]
    if isinstance(value, float) and not -1.8e308 < value < 1.8e308:
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    return value
