"""Decisions about versions: approve, reject, move between stages, archive, restore. Each is an entry of the journal."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from jupyter_mlstudio.entities.model_reports import ModelJournal
from jupyter_mlstudio.entities.models import Approval, ApprovalStatus, Model, ModelVersion, Stage, VersionStatus
from jupyter_mlstudio.entities.values import utc_now
from jupyter_mlstudio.errors import Conflict
from jupyter_mlstudio.services.model_rows import check_ready, checked_reason, model_row, refuse_used, version_row
from jupyter_mlstudio.store import model_events as events
from jupyter_mlstudio.store import models as store
from jupyter_mlstudio.store.changes import Changes
from jupyter_mlstudio.store.database import Database

ALIASES = ("alias", "protected alias")


class ModelReviews:
    """What people decide about models and versions."""

    def __init__(self, database: Database, changes: Changes) -> None:
        self._database = database
        self._changes = changes

    def decide(
        self, name: str, version: str | int, status: ApprovalStatus, reason: str = "", user: str = ""
    ) -> ModelVersion:
        """Approves or rejects a version, or takes the decision back. A rejection needs a reason.

        Raises:
            Conflict: a version is approved that is not ready, or one is rejected that has a protected alias.
        """
        why = "rejecting a version" if status is ApprovalStatus.REJECTED else ""
        reason = checked_reason(reason, why)
        with self._database.write() as connection:
            row = version_row(connection, name, version)
            if status is ApprovalStatus.APPROVED:
                check_ready(row, "only")
            if status is ApprovalStatus.REJECTED:
                users = store.users(connection, row.model, row.version)
                refuse_used(users, f"version {row.version} of {row.model!r}", ("protected alias",))
            decided = Approval(status=status, user=user, at=utc_now(), reason=reason)
            action = {"Approved": "approved", "Rejected": "rejected"}.get(status.value, "decision taken back")
            return self._change(connection, row, action, {"approval": store.dump(decided)}, reason=reason, user=user)

    def set_stage(
        self,
        name: str,
        version: str | int,
        stage: Stage,
        reason: str = "",
        user: str = "",
        *,
        archive_existing: bool = False,
    ) -> ModelVersion:
        """Moves a version to a stage. ``Archived`` archives it; any other stage restores an archived one.

        Args:
            archive_existing: archive the versions that are in this stage now.

        Raises:
            Conflict: Production is asked for a version that is not ready or was rejected.
        """
        if stage is Stage.ARCHIVED:
            return self.archive(name, version, reason, user)
        with self._database.write() as connection:
            row = version_row(connection, name, version)
            if stage is Stage.PRODUCTION:
                _check_production(row)
            if archive_existing:
                self._archive_others(connection, row, stage, user)
            old = Stage.ARCHIVED if row.archived_at else Stage(row.stage or "None")
            values = {"stage": stage.value, "archived_at": None}
            details = {"from": old.value, "to": stage.value}
            return self._change(connection, row, "stage", values, reason=checked_reason(reason), user=user, **details)

    def archive(self, name: str, version: str | int, reason: str = "", user: str = "") -> ModelVersion:
        """Hides a version: it cannot be deployed anew nor get an alias. What serves it goes on.

        Raises:
            Conflict: an alias points to it, or it is being converted.
        """
        with self._database.write() as connection:
            row = version_row(connection, name, version)
            if row.archived_at is not None:
                return store.read_version(connection, row)
            self._check_archivable(connection, row)
            values = {"archived_at": utc_now()}
            return self._change(connection, row, "archived", values, reason=checked_reason(reason), user=user)

    def restore(self, name: str, version: str | int, reason: str = "", user: str = "") -> ModelVersion:
        """Brings an archived version back, into the stage it had."""
        with self._database.write() as connection:
            row = version_row(connection, name, version)
            if row.archived_at is None:
                return store.read_version(connection, row)
            values = {"archived_at": None}
            return self._change(connection, row, "restored", values, reason=checked_reason(reason), user=user)

    def archive_model(self, name: str, reason: str = "", user: str = "") -> Model:
        """Hides a model with all its versions; refused while something is served."""
        with self._database.write() as connection:
            row = model_row(connection, name)
            users = [user for user in store.users(connection, row.name) if user.kind not in ALIASES]
            refuse_used(users, f"model {row.name!r}", tuple({user.kind for user in users}))
            return self._hide(connection, row, "archived", utc_now(), reason, user)

    def restore_model(self, name: str, reason: str = "", user: str = "") -> Model:
        """Brings an archived model back."""
        with self._database.write() as connection:
            return self._hide(connection, model_row(connection, name), "restored", None, reason, user)

    def journal(self, name: str, version: str | int | None = None) -> ModelJournal:
        """Reads what happened to a model, or to one version; entries of deleted versions stay with the model's."""
        with self._database.read() as connection:
            row = model_row(connection, name)
            number = None if version is None else version_row(connection, row.name, version).version
            return events.journal(connection, row.name, number)

    def _archive_others(self, connection: Connection, row: Row[Any], stage: Stage, user: str) -> None:
        for other in store.versions_of(connection, row.model):
            if other.version != row.version and other.stage == stage.value and other.archived_at is None:
                self._check_archivable(connection, other)
                reason = f"version {row.version} took its place in {stage.value}"
                self._change(connection, other, "archived", {"archived_at": utc_now()}, reason=reason, user=user)

    def _check_archivable(self, connection: Connection, row: Row[Any]) -> None:
        what = f"version {row.version} of {row.model!r}"
        if row.status == VersionStatus.CONVERTING.value:
            raise Conflict(f"{what} is being converted: archive it when it is done")
        refuse_used(store.users(connection, row.model, row.version), what, ALIASES)

    def _change(
        self, connection: Connection, row: Row[Any], action: str, values: dict[str, Any], *, reason: str, user: str,
        **details: str,
    ) -> ModelVersion:  # fmt: skip
        store.change_version(connection, row.model, row.version, values)
        events.add(
            connection, row.model, action, version=row.version, user=user, reason=reason, details=details
        )  # fmt: skip
        store.touch(connection, row.model)
        self._changes.note(connection, "model", row.model)
        return store.read_version(connection, version_row(connection, row.model, row.version))

    def _hide(self, connection: Connection, row: Row[Any], action: str, at: Any, reason: str, user: str) -> Model:
        if (row.archived_at is None) != (at is None):
            store.touch(connection, row.name, archived_at=at)
            events.add(connection, row.name, action, user=user, reason=checked_reason(reason))
            self._changes.note(connection, "model", row.name)
        return store.read_model(connection, model_row(connection, row.name))


def _check_production(row: Row[Any]) -> None:
    if row.status != VersionStatus.READY.value:
        raise Conflict(
            f"version {row.version} of {row.model!r} is {row.status.lower()}; only ready ones go to Production"
        )
    decided = store.approval(row)
    if decided.status is ApprovalStatus.REJECTED:
        raise Conflict(f"version {row.version} of {row.model!r} was rejected: {decided.reason}")
