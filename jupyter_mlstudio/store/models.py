"""Rows of models, their versions and aliases, and the entities that they stand for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from jupyter_mlstudio.entities.model_reports import ModelUser
from jupyter_mlstudio.entities.models import (
    Approval,
    LatencyProfile,
    Model,
    ModelFile,
    ModelFormat,
    ModelVersion,
    ParityReport,
    Signature,
    Stage,
    ThresholdReport,
    VersionStatus,
)
from jupyter_mlstudio.entities.runs import TERMINAL, RunKind
from jupyter_mlstudio.entities.values import utc_now
from jupyter_mlstudio.store import batch, typed
from jupyter_mlstudio.store.schema import deployments, model_aliases, model_versions, models, runs
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
    """The highest version number that is not archived."""
    where = (model_versions.c.model == name) & model_versions.c.archived_at.is_(None)
    return connection.execute(select(func.max(model_versions.c.version)).where(where)).scalar()


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


def rename(connection: Connection, name: str, to: str) -> None:
    """Gives a model another name; its versions and aliases go with it."""
    row = connection.execute(select(models).where(models.c.name == name)).one()
    parked = {**row._mapping, "name": to, "folder": f"{row.folder[:50]}.renamed", "updated_at": utc_now()}
    connection.execute(insert(models).values(parked))
    for table in (model_versions, model_aliases):
        connection.execute(update(table).where(table.c.model == name).values(model=to))
    connection.execute(delete(models).where(models.c.name == name))
    connection.execute(update(models).where(models.c.name == to).values(folder=row.folder))


def versions_of(connection: Connection, name: str) -> list[Row[Any]]:
    """All versions of a model, archived ones too, oldest first."""
    where = model_versions.c.model == name
    return list(connection.execute(select(model_versions).where(where).order_by(model_versions.c.version)))


def protected(row: Row[Any]) -> list[str]:
    """The protected aliases of a model's row."""
    return load(row.protected_aliases, list[str]) or []


def approval(row: Row[Any]) -> Approval:
    """What was decided about a version's row."""
    return load(row.approval, Approval) or Approval()


def users(connection: Connection, name: str, version: int | None = None) -> list[ModelUser]:
    """What uses a model, or one version of it: aliases, deployments behind endpoints, batch endpoints and jobs."""
    found = [*_aliases(connection, name), *_deployments(connection, name), *_batch(connection, name)]
    return [user for user in found if version in (None, user.version)]


def _aliases(connection: Connection, name: str) -> list[ModelUser]:
    row = get_row(connection, name)
    guarded = protected(row) if row is not None else []
    rows = connection.execute(
        select(model_aliases).where(model_aliases.c.model == name).order_by(model_aliases.c.alias)
    )
    kinds = [(one, "protected alias" if one.alias in guarded else "alias") for one in rows]
    return [ModelUser(kind=k, name=one.alias, version=one.version, text=f"{k} {one.alias!r}") for one, k in kinds]


def _deployments(connection: Connection, name: str) -> list[ModelUser]:
    where = deployments.c.model == name
    rows = connection.execute(select(deployments).where(where).order_by(deployments.c.endpoint, deployments.c.name))
    return [
        ModelUser(
            kind="endpoint", name=row.endpoint, version=row.version,
            text=f"endpoint {row.endpoint!r} (deployment {row.name!r})",
        )
        for row in rows
    ]  # fmt: skip


def _batch(connection: Connection, name: str) -> list[ModelUser]:
    found = [
        ModelUser(
            kind="batch endpoint", name=row.name, version=one.version,
            text=f"batch endpoint {row.name!r} (deployment {one.name!r})",
        )
        for row in batch.list_rows(connection)
        for one in batch.deployments_of(row)
        if one.model == name
    ]  # fmt: skip
    ended = [status.value for status in TERMINAL]
    live = (runs.c.kind == RunKind.BATCH.value) & runs.c.status.not_in(ended)
    for row in connection.execute(select(runs.c.id, runs.c.name, runs.c.spec).where(live)):
        options = msgspec.json.decode(row.spec).get("options") or {}
        if options.get("model") == name:
            text = f"batch job {row.name!r} ({row.id[:8]})"
            found.append(ModelUser(kind="batch job", name=row.id, version=int(options["version"]), text=text))
    return found


def read_model(connection: Connection, row: Row[Any]) -> Model:
    """Makes the entity of a model's row."""
    rows = versions_of(connection, row.name)[::-1]
    numbers = [one.version for one in rows if one.archived_at is None]
    aliases = connection.execute(select(model_aliases).where(model_aliases.c.model == row.name)).all()
    latest = next((one for one in rows if one.archived_at is None), None)
    return Model(
        name=row.name,
        description=row.description,
        created_at=row.created_at,
        updated_at=row.updated_at,
        aliases={alias.alias: alias.version for alias in sorted(aliases, key=lambda one: one.alias)},
        versions=numbers,
        latest=None if latest is None else read_version(connection, latest),
        tags=load(row.tags, dict[str, str]) or {},
        protected_aliases=protected(row),
        archived_at=row.archived_at,
        archived_versions=[one.version for one in rows if one.archived_at is not None],
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
        etag=row.etag, stage=Stage.ARCHIVED if row.archived_at else Stage(row.stage or "None"), approval=approval(row),
        archived_at=row.archived_at, formats=load(row.formats, list[ModelFormat]) or [],
        profile=load(row.profile, LatencyProfile), threshold=load(row.threshold, ThresholdReport),
    )  # fmt: skip


def dump(value: Any) -> str | None:
    """Writes a value as JSON text; floats that are not finite as the text that stands for them on the wire."""
    return None if value is None else msgspec.json.encode(_finite(value)).decode()


def load(text: str | None, kind: type[T]) -> T | None:
    """Reads a value from JSON text."""
    return None if text is None else typed.decode(text, kind)


def _parity(text: str | None) -> ParityReport | None:
    return None if text is None else typed.convert(_real(msgspec.json.decode(text)), ParityReport)


def _real(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _real(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_real(one) for one in value]
    return float(value) if value in ("NaN", "Infinity", "-Infinity") else value


def _finite(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if hasattr(value, "__dataclass_fields__"):
        return _finite(asdict(value))
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        return [_finite(one) for one in value]
    if isinstance(value, float) and not -1.8e308 < value < 1.8e308:
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    return value
