"""Registered models: names and notes, aliases, files, and who may delete what."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jupyter_mlstudio.entities.model_reports import ModelUser
from jupyter_mlstudio.entities.models import MANY, ONE, Conversion, Model, ModelVersion, VersionStatus
from jupyter_mlstudio.errors import AlreadyExists, Conflict, Invalid, NotFound, Stale
from jupyter_mlstudio.services.conversions import EXPERIMENT
from jupyter_mlstudio.services.model_files import folder_name
from jupyter_mlstudio.services.model_names import checked_alias, checked_name, merged_tags, refuse_twin
from jupyter_mlstudio.services.model_registration import Registration
from jupyter_mlstudio.services.model_rows import check_ready, checked_reason, model_row, refuse_used, version_row
from jupyter_mlstudio.store import model_events as events
from jupyter_mlstudio.store import models as store

__all__ = ["EXPERIMENT", "Models"]

SERVING = ("endpoint", "batch endpoint", "batch job")
PROTECTED_LIMIT = 20


class Models(Registration):
    """What may be done with models. A version is immutable: its files and its report never change."""

    def list(self, q: str = "", *, archived: bool = False) -> list[Model]:
        """Lists models whose name contains ``q``, the one registered to last first; archived ones only when asked."""
        wanted = unicodedata.normalize("NFC", q).casefold()
        self._conversions.reconcile()
        with self._database.read() as connection:
            names = [name for name in store.names(connection) if wanted in name.casefold()]
            rows = [store.get_row(connection, name) for name in names]
            shown = [row for row in rows if row is not None and (archived or row.archived_at is None)]
            return [store.read_model(connection, row) for row in shown]

    def get(self, name: str) -> Model:
        """Gets a model."""
        self._conversions.reconcile(name)
        with self._database.read() as connection:
            return store.read_model(connection, model_row(connection, name))

    def create(self, name: str, description: str = "", tags: dict[str, str] | None = None, user: str = "") -> Model:
        """Makes a name to register versions under, before there is one.

        Raises:
            AlreadyExists: there is a model of this name.
        """
        name, kept = checked_name(name), merged_tags({}, tags or {})
        with self._database.write() as connection:
            if store.get_row(connection, name) is not None:
                raise AlreadyExists(f"there is a model {name!r} already")
            refuse_twin(name, store.names(connection))
            store.insert_model(connection, name, folder_name(name), description)
            store.touch(connection, name, tags=store.dump(kept))
            events.add(connection, name, "created", user=user)
            self._changes.note(connection, "model", name)
        return self.get(name)

    def update(
        self,
        name: str,
        description: str | None = None,
        tags: dict[str, str | None] | None = None,
        protected_aliases: Sequence[str] | None = None,
        user: str = "",
    ) -> Model:
        """Changes a model's description, tags (None removes one), or which of its aliases are protected."""
        with self._database.write() as connection:
            row = model_row(connection, name)
            values: dict[str, Any] = {} if description is None else {"description": description}
            if tags is not None:
                values["tags"] = store.dump(merged_tags(store.load(row.tags, dict[str, str]) or {}, tags))
            if protected_aliases is not None:
                kept = sorted({checked_alias(alias) for alias in protected_aliases})
                if len(kept) > PROTECTED_LIMIT:
                    raise Invalid(f"a model has at most {PROTECTED_LIMIT} protected aliases, not {len(kept)}")
                values["protected_aliases"] = store.dump(kept)
                events.add(connection, row.name, "protected", user=user, details={"aliases": kept})
            store.touch(connection, row.name, **values)
            self._changes.note(connection, "model", row.name)
        return self.get(row.name)

    def rename(self, name: str, to: str, user: str = "") -> Model:
        """Gives a model another name; refused while something is served under the old one."""
        to = checked_name(to)
        with self._database.write() as connection:
            row = model_row(connection, name)
            if to != row.name:
                refuse_used(store.users(connection, row.name), f"model {row.name!r}", SERVING)
                if any(one.model == row.name for one in store.converting(connection)):
                    raise Conflict(f"a version of {row.name!r} is being converted: rename the model when it is done")
                if store.get_row(connection, to) is not None:
                    raise AlreadyExists(f"there is a model {to!r} already")
                refuse_twin(to, [one for one in store.names(connection) if one != row.name])
                store.rename(connection, row.name, to)
                events.rename(connection, row.name, to)
                events.add(connection, to, "renamed", user=user, details={"from": row.name, "to": to})
                self._changes.note(connection, "model", row.name, deleted=True)
                self._changes.note(connection, "model", to)
        return self.get(to)

    def update_version(
        self,
        name: str,
        version: str | int,
        if_match: int | None = None,
        description: str | None = None,
        tags: dict[str, str | None] | None = None,
    ) -> ModelVersion:
        """Changes a version's description or tags (None removes one)."""
        with self._database.write() as connection:
            row = version_row(connection, name, version)
            if if_match is not None and if_match != row.etag:
                raise Stale(f"version {row.version} of {row.model!r} was changed since you read it; read it again")
            values: dict[str, Any] = {} if description is None else {"description": description}
            if tags is not None:
                values["tags"] = store.dump(merged_tags(store.load(row.tags, dict[str, str]) or {}, tags))
            store.change_version(connection, row.model, row.version, values)
            self._changes.note(connection, "model", row.model)
        return self.version(name, row.version)

    def set_alias(self, name: str, alias: str, version: int, reason: str = "", user: str = "") -> Model:
        """Points an alias at a version that is ready. A protected alias is moved only for a reason."""
        alias = checked_alias(alias)
        with self._database.write() as connection:
            row = version_row(connection, name, version)
            check_ready(row, "aliases point to")
            old = store.find_alias(connection, row.model, alias)
            if alias in store.protected(model_row(connection, row.model)) and old != row.version:
                reason = checked_reason(reason, f"moving the protected alias {alias!r}")
                if store.approval(row).status == "Rejected":
                    raise Conflict(f"version {row.version} of {row.model!r} was rejected: {alias!r} is protected")
            store.set_alias(connection, row.model, alias, row.version)
            if old != row.version:
                events.add(
                    connection, row.model, "alias set", version=row.version, user=user, reason=checked_reason(reason),
                    details={"alias": alias, "from": old},
                )  # fmt: skip
            store.touch(connection, row.model)
            self._changes.note(connection, "model", row.model)
        return self.get(name)

    def delete_alias(self, name: str, alias: str, reason: str = "", user: str = "") -> Model:
        """Removes an alias; a protected one only for a reason."""
        alias = unicodedata.normalize("NFC", alias)
        with self._database.write() as connection:
            row = model_row(connection, name)
            old = store.find_alias(connection, row.name, alias)
            if old is None:
                raise NotFound(f"model {row.name!r} has no alias {alias[:80]!r}")
            why = f"removing the protected alias {alias!r}" if alias in store.protected(row) else ""
            reason = checked_reason(reason, why)
            store.delete_alias(connection, row.name, alias)
            events.add(
                connection, row.name, "alias removed", version=old, user=user, reason=reason, details={"alias": alias}
            )
            store.touch(connection, row.name)
            self._changes.note(connection, "model", row.name)
        return self.get(name)

    def delete(self, name: str, user: str = "") -> None:
        """Deletes a model with its versions; refused while something uses one."""
        with self._database.write() as connection:
            row = model_row(connection, name)
            refuse_used(store.users(connection, row.name), f"model {row.name!r}", (*SERVING, "protected alias"))
            converting = [one.convert_run_id for one in store.converting(connection) if one.model == row.name]
            store.delete_model(connection, row.name)
            events.add(connection, row.name, "deleted", user=user)
            self._changes.note(connection, "model", row.name, deleted=True)
        self._conversions.stop(converting)
        self._files.remove(row.folder)

    def delete_version(self, name: str, version: str | int, user: str = "") -> None:
        """Deletes a version; refused while something uses it. Aliases that are not protected go with it."""
        with self._database.write() as connection:
            row = version_row(connection, name, version)
            what = f"version {row.version} of {row.model!r}"
            refuse_used(store.users(connection, row.model, row.version), what, (*SERVING, "protected alias"))
            folder = model_row(connection, row.model).folder
            store.delete_version(connection, row.model, row.version)
            store.touch(connection, row.model)
            events.add(connection, row.model, "deleted", version=row.version, user=user, details={"sha256": row.sha256})
            self._changes.note(connection, "model", row.model)
        if row.status == VersionStatus.CONVERTING.value:
            self._conversions.stop([row.convert_run_id])
        self._files.remove(folder, row.version)

    def users(self, name: str, version: str | int | None = None) -> Sequence[ModelUser]:
        """Lists what uses a model, or one of its versions."""
        with self._database.read() as connection:
            if version is None:
                return store.users(connection, model_row(connection, name).name)
            row = version_row(connection, name, version)
            return store.users(connection, row.model, row.version)

    def finish_conversion(
        self, name: str, version: str | int, conversion: Conversion, run_id: str | None
    ) -> ModelVersion:
        """Takes what a version's convert run found out; only that run may tell."""
        self._conversions.finish(name, version, conversion, run_id)
        return self.version(name, version)

    def open_file(self, name: str, version: str | int, path: str) -> tuple[int, int, str]:
        """Opens one file of a version: descriptor, size, name."""
        return self._files.open(self.folder(name, version), path)

    def onnx_file(self, name: str, version: int) -> Path:
        """Where the converted file of a version is, or will be: an ONNX file, or an archive of many."""
        folder = self.folder(name, version)
        return folder / MANY if (folder / MANY).is_file() else folder / ONE

    def is_whole(self, name: str, version: int) -> bool:
        """Whether every file of a version is there with the content that was registered."""
        found, folder = self.version(name, version), self.folder(name, version)
        return all(_sha256(folder / file.path) == file.sha256 for file in found.files)

    def reap(self) -> None:
        """Ends what cannot go on: refuses versions whose convert run died, starts the ones that were never started."""
        self._conversions.reconcile()
        self._files.sweep()
        self.sources.sweep()


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
