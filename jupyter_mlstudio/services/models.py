"""Registered models: taking files as a version, names and notes, aliases, and who may delete what."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlstudio.entities.models import Conversion, Model, ModelUser, ModelVersion, ParityPolicy, VersionStatus
from jupyter_mlstudio.entities.values import utc_now
from jupyter_mlstudio.errors import AlreadyExists, Conflict, Invalid, NotFound, Stale
from jupyter_mlstudio.services import model_formats
from jupyter_mlstudio.services.conversions import EXPERIMENT, Conversions
from jupyter_mlstudio.services.model_files import ModelFiles, digest_of, folder_name
from jupyter_mlstudio.services.model_names import check_policy, checked_alias, checked_name, merged_tags, refuse_twin
from jupyter_mlstudio.services.model_rows import check_ready, checked_reason, model_row, refuse_used, version_row
from jupyter_mlstudio.services.model_sources import ModelSources, Taken
from jupyter_mlstudio.store import model_events as events
from jupyter_mlstudio.store import models as store
from jupyter_mlstudio.store.changes import Changes
from jupyter_mlstudio.store.database import Database

if TYPE_CHECKING:
    from jupyter_mlstudio.services.launcher import Launcher
    from jupyter_mlstudio.services.runs import Runs
    from jupyter_mlstudio.workspace import Workspace

__all__ = ["EXPERIMENT", "Models"]

SERVING = ("endpoint", "batch endpoint", "batch job")
PROTECTED_LIMIT = 20


class Models:
    """What may be done with models. A version is immutable: its files and its report never change."""

    def __init__(
        self, workspace: Workspace, database: Database, changes: Changes, runs: Runs, launcher: Launcher
    ) -> None:
        self._database = database
        self._changes = changes
        self._runs = runs
        self._files = ModelFiles(workspace.models)
        self.sources = ModelSources(workspace, self._files)
        self._conversions = Conversions(workspace, database, changes, runs=runs, launcher=launcher, files=self._files)

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

    def version(self, name: str, version: str | int) -> ModelVersion:
        """Gets a version by its number, an alias or ``latest``."""
        self._conversions.reconcile(name)
        with self._database.read() as connection:
            return store.read_version(connection, version_row(connection, name, version))

    def register(
        self,
        name: str,
        run_id: str | None = None,
        path: str = "model",
        alias: str | None = None,
        description: str = "",
        tags: dict[str, str] | None = None,
        tolerance: float | None = None,
        policy: ParityPolicy | None = None,
        request_id: str | None = None,
        user: str = "",
        *,
        file: str | None = None,
        upload: str | None = None,
        copy_of: tuple[str, str] | None = None,
        allow_code: bool = False,
        threshold: float | None = None,
    ) -> ModelVersion:
        """Registers a model as the next version of ``name``; answers at once, while it is converted.

        Args:
            run_id: the run that made it; alone, its files are those that the run logged at ``path``.
            file: a file or folder below the workspace's root, instead.
            upload: an upload, instead.
            copy_of: name and version of another registered version, instead.
            allow_code: load what executes code when it is loaded, though it is not a run's own.
            threshold: probability from which a binary classifier answers its second class.

        Raises:
            NotFound: the run, or the model, does not exist.
            Invalid: a name, alias, tag or path is not one, or a file is not what it is called.
            Conflict: the files changed after they were logged.
        """
        name, alias = checked_name(name), None if alias is None else checked_alias(alias)
        kept_tags = merged_tags({}, tags or {})
        check_policy(tolerance, policy)
        _check_threshold(threshold)
        if request_id is not None and (known := self._of_request(request_id)):
            return self._converting(known, user)
        self._refuse_protected(name, alias)
        taken, run_id, origin = self._take(run_id, path, file, upload, copy_of)
        allowed = allow_code or taken.known
        refused = "" if allowed else model_formats.refusal(taken.formats)
        values = {
            "status": (VersionStatus.REFUSED if refused else VersionStatus.CONVERTING).value, "reason": refused,
            "run_id": run_id, "source": taken.source, "sha256": digest_of(taken.files), "convert_run_id": None,
            "framework": "", "description": description, "user": user, "created_at": utc_now(),
            "request_id": request_id, "tolerance": tolerance, "policy": store.dump(policy), "alias": alias,
            "size_bytes": sum(file.size_bytes for file in taken.files), "files": taken.files, "tags": kept_tags,
            "operators": [], "etag": 1, "formats": store.dump(taken.formats),
            "options": store.dump({"threshold": threshold, "allow_code": allowed}),
        }  # fmt: skip
        if origin is not None:
            values |= {key: values[key] if values[key] is not None else origin[key] for key in ("tolerance", "policy")}
        try:
            number = self._add(name, values, taken)
        except Conflict:
            if request_id is None or not (known := self._of_request(request_id)):
                raise
            return self._converting(known, user)
        finally:
            self._files.discard(taken.temporary)
        if upload is not None:
            self.sources.discard_upload(upload)
        return self._converting((name, number), user)

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
        """Where the converted file of a version is, or will be."""
        return self.folder(name, version) / "model.onnx"

    def folder(self, name: str, version: str | int) -> Path:
        """Where a version's files are."""
        with self._database.read() as connection:
            row = version_row(connection, name, version)
            return self._files.version_folder(model_row(connection, row.model).folder, row.version)

    def is_whole(self, name: str, version: int) -> bool:
        """Whether every file of a version is there with the content that was registered."""
        found, folder = self.version(name, version), self.folder(name, version)
        return all(_sha256(folder / file.path) == file.sha256 for file in found.files)

    def reap(self) -> None:
        """Ends what cannot go on: refuses versions whose convert run died, starts the ones that were never started."""
        self._conversions.reconcile()
        self._files.sweep()
        self.sources.sweep()

    def _take(
        self, run_id: str | None, path: str, file: str | None, upload: str | None, copy_of: tuple[str, str] | None
    ) -> tuple[Taken, str | None, dict[str, Any] | None]:
        """Copies the files; answers them, the run they belong to, and what a copy inherits."""
        if sum(one is not None for one in (file, upload, copy_of)) > 1:
            raise Invalid("give one of file, upload and a registered version, not several")
        run_id = None if run_id is None else self._runs.get(run_id).id
        if copy_of is not None:
            with self._database.read() as connection:
                row = version_row(connection, *copy_of)
            known = bool((store.load(row.options, dict[str, Any]) or {"allow_code": True}).get("allow_code"))
            folder = self.folder(row.model, row.version)
            taken = self.sources.of_version(folder, row.model, row.version, known=known)
            return taken, run_id or row.run_id, {"tolerance": row.tolerance, "policy": row.policy}
        if file is not None:
            return self.sources.of_workspace(file), run_id, None
        if upload is not None:
            return self.sources.of_upload(upload), run_id, None
        if run_id is None:
            raise Invalid("nothing to register: give run_id, file or upload")
        return self.sources.of_run(run_id, path), run_id, None

    def _add(self, name: str, values: dict[str, Any], taken: Taken) -> int:
        """Numbers and settles what was taken, in one transaction: the row is there only with the files."""
        with self._database.write() as connection:
            refuse_twin(name, store.names(connection))
            known = store.get_row(connection, name)
            if known is not None and known.archived_at is not None:
                raise Conflict(f"model {name!r} is archived: restore it before a version is registered")
            folder = known.folder if known is not None else folder_name(name)
            number = store.take_number(connection, name, folder)
            self._files.settle(taken.temporary, folder, number)
            store.insert_version(connection, {**values, "model": name, "version": number})
            trusted = not taken.known and values["status"] != VersionStatus.REFUSED.value
            details = {
                "source": taken.source,
                "sha256": values["sha256"],
                "allow_code": trusted,
            }
            events.add(connection, name, "registered", version=number, user=values["user"], details=details)
            self._changes.note(connection, "model", name)
        return number

    def _converting(self, version: tuple[str, int], user: str) -> ModelVersion:
        self._conversions.begin(*version, user)
        return self.version(*version)

    def _refuse_protected(self, name: str, alias: str | None) -> None:
        with self._database.read() as connection:
            row = store.get_row(connection, name)
            if row is not None and alias is not None and alias in store.protected(row):
                raise Conflict(f"the alias {alias!r} is protected: register without it, then move it with a reason")

    def _of_request(self, request_id: str) -> tuple[str, int] | None:
        with self._database.read() as connection:
            row = store.find_request(connection, request_id)
        return None if row is None else (row.model, row.version)


def _check_threshold(threshold: float | None) -> None:
    if threshold is not None and not 0 < threshold < 1:
        raise Invalid(f"the threshold is {threshold}; give a probability between 0 and 1")


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
