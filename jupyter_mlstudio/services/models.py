"""Registered models: taking a run's model as a version, converting it, aliases, and who may delete what."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlstudio.entities.models import Conversion, Model, ModelFile, ModelVersion, ParityPolicy, VersionStatus
from jupyter_mlstudio.entities.runs import TERMINAL, RunKind
from jupyter_mlstudio.entities.specs import Resources, RunSpec
from jupyter_mlstudio.entities.values import JSON, utc_now
from jupyter_mlstudio.errors import AlreadyExists, Conflict, Forbidden, Invalid, NotFound, Stale, StudioError
from jupyter_mlstudio.services.model_files import (
    EVIDENCE,
    ModelFiles,
    digest_of,
    folder_name,
    logged_at,
    relative_parts,
)
from jupyter_mlstudio.services.model_names import check_policy, checked_alias, checked_name, merged_tags, refuse_twin
from jupyter_mlstudio.store import models as store
from jupyter_mlstudio.store.changes import Changes
from jupyter_mlstudio.store.database import Database

if TYPE_CHECKING:
    from jupyter_mlstudio.services.launcher import Launcher
    from jupyter_mlstudio.services.runs import Runs
    from jupyter_mlstudio.workspace import Workspace

EXPERIMENT = "Serving"
"""Where convert and serve runs go, apart from the user's own experiments."""

UNSTARTED_AFTER = timedelta(seconds=10)


class Models:
    """What may be done with models. A version is immutable: its files and its report never change."""

    def __init__(
        self, workspace: Workspace, database: Database, changes: Changes, runs: Runs, launcher: Launcher
    ) -> None:
        self._workspace = workspace
        self._database = database
        self._changes = changes
        self._runs = runs
        self._launcher = launcher
        self._files = ModelFiles(workspace.models)

    def list(self, q: str = "") -> list[Model]:
        """Lists models whose name contains ``q``, the one registered to last first."""
        wanted = unicodedata.normalize("NFC", q).casefold()
        self._reconcile()
        with self._database.read() as connection:
            names = [name for name in store.names(connection) if wanted in name.casefold()]
            rows = [store.get_row(connection, name) for name in names]
            return [store.read_model(connection, row) for row in rows if row is not None]

    def get(self, name: str) -> Model:
        """Gets a model."""
        self._reconcile(name)
        with self._database.read() as connection:
            return store.read_model(connection, self._row(connection, name))

    def version(self, name: str, version: str | int) -> ModelVersion:
        """Gets a version by its number, an alias or ``latest``."""
        self._reconcile(name)
        with self._database.read() as connection:
            return store.read_version(connection, self._version_row(connection, name, version))

    def register(
        self,
        name: str,
        run_id: str,
        path: str = "model",
        alias: str | None = None,
        description: str = "",
        tags: dict[str, str] | None = None,
        tolerance: float | None = None,
        policy: ParityPolicy | None = None,
        request_id: str | None = None,
        user: str = "",
    ) -> ModelVersion:
        """Registers a run's model as the next version of ``name``; answers at once, while it is converted.

        Raises:
            NotFound: the run, or its model, does not exist.
            Invalid: a name, alias, tag or path is not one. Conflict: the files changed after they were logged.
        """
        name, alias = checked_name(name), None if alias is None else checked_alias(alias)
        kept_tags = merged_tags({}, tags or {})
        check_policy(tolerance, policy)
        if request_id is not None and (known := self._of_request(request_id)):
            return self._converting(known, user)
        run = self._runs.get(run_id)
        artifacts = self._run_folder(run.id) / "artifacts"
        source = logged_at(artifacts, path)
        temporary, files = self._files.take(source)
        values = {
            "status": VersionStatus.CONVERTING.value, "reason": "", "run_id": run.id,
            "source": f"runs:/{run.id}/{source.relative_to(artifacts).as_posix()}",
            "sha256": digest_of(files), "convert_run_id": None, "framework": "", "description": description,
            "user": user, "created_at": utc_now(),
            "request_id": request_id, "tolerance": tolerance, "policy": store.dump(policy), "alias": alias,
            "size_bytes": sum(file.size_bytes for file in files), "files": files, "tags": kept_tags, "operators": [],
            "etag": 1,
        }  # fmt: skip
        try:
            number = self._add(name, values, temporary)
        except Conflict:
            if request_id is None or not (known := self._of_request(request_id)):
                raise
            return self._converting(known, user)
        finally:
            self._files.discard(temporary)
        return self._converting((name, number), user)

    def create(self, name: str, description: str = "") -> Model:
        """Makes a name to register versions under, before there is one.

        Raises:
            AlreadyExists: there is a model of this name.
        """
        name = checked_name(name)
        with self._database.write() as connection:
            if store.get_row(connection, name) is not None:
                raise AlreadyExists(f"there is a model {name!r} already")
            refuse_twin(name, store.names(connection))
            store.insert_model(connection, name, folder_name(name), description)
            self._changes.note(connection, "model", name)
        return self.get(name)

    def describe(self, name: str, description: str) -> Model:
        """Changes a model's description."""
        with self._database.write() as connection:
            name = self._row(connection, name).name
            store.touch(connection, name, description=description)
            self._changes.note(connection, "model", name)
        return self.get(name)

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
            row = self._version_row(connection, name, version)
            if if_match is not None and if_match != row.etag:
                raise Stale(f"version {row.version} of {row.model!r} was changed since you read it; read it again")
            values: dict[str, Any] = {} if description is None else {"description": description}
            if tags is not None:
                values["tags"] = store.dump(merged_tags(store.load(row.tags, dict[str, str]) or {}, tags))
            store.change_version(connection, row.model, row.version, values)
            self._changes.note(connection, "model", row.model)
        return self.version(name, row.version)

    def set_alias(self, name: str, alias: str, version: int) -> Model:
        """Points an alias at a version that is ready."""
        alias = checked_alias(alias)
        with self._database.write() as connection:
            row = self._version_row(connection, name, version)
            if row.status != VersionStatus.READY.value:
                raise Conflict(
                    f"version {version} of {row.model!r} is {row.status.lower()}; aliases point to ready ones"
                )
            store.set_alias(connection, row.model, alias, row.version)
            store.touch(connection, row.model)
            self._changes.note(connection, "model", row.model)
        return self.get(name)

    def delete_alias(self, name: str, alias: str) -> Model:
        """Removes an alias."""
        with self._database.write() as connection:
            row = self._row(connection, name)
            if not store.delete_alias(connection, row.name, unicodedata.normalize("NFC", alias)):
                raise NotFound(f"model {row.name!r} has no alias {alias[:80]!r}")
            store.touch(connection, row.name)
            self._changes.note(connection, "model", row.name)
        return self.get(name)

    def delete(self, name: str) -> None:
        """Deletes a model with its versions; refused while an endpoint uses one."""
        with self._database.write() as connection:
            row = self._row(connection, name)
            _refuse_used(store.users(connection, row.name), f"model {row.name!r}")
            converting = [one.convert_run_id for one in store.converting(connection) if one.model == row.name]
            store.delete_model(connection, row.name)
            self._changes.note(connection, "model", row.name, deleted=True)
        self._stop(converting)
        self._files.remove(row.folder)

    def delete_version(self, name: str, version: str | int) -> None:
        """Deletes a version; refused while an endpoint uses it."""
        with self._database.write() as connection:
            row = self._version_row(connection, name, version)
            what = f"version {row.version} of {row.model!r}"
            _refuse_used(store.users(connection, row.model, row.version), what)
            folder = self._row(connection, row.model).folder
            store.delete_version(connection, row.model, row.version)
            store.touch(connection, row.model)
            self._changes.note(connection, "model", row.model)
        if row.status == VersionStatus.CONVERTING.value:
            self._stop([row.convert_run_id])
        self._files.remove(folder, row.version)

    def finish_conversion(
        self, name: str, version: str | int, conversion: Conversion, run_id: str | None
    ) -> ModelVersion:
        """Takes what a version's convert run found out: checks the ONNX file, makes the version ready or refuses it."""
        with self._database.read() as connection:
            row = self._version_row(connection, name, version)
            folder = self.folder(connection, row)
        if run_id is None or run_id != row.convert_run_id:
            raise Forbidden(f"only the convert run of version {row.version} of {row.model!r} may tell how it went")
        if row.status != VersionStatus.CONVERTING.value:
            return self.version(name, row.version)
        ready, reason = conversion.ready, conversion.reason
        added: Sequence[ModelFile] = []
        operators: Sequence[str] = []
        if ready:
            try:
                added, operators = self._take_onnx(folder, run_id, conversion)
            except StudioError as error:
                ready, reason = False, error.message
        files = [*(store.load(row.files, tuple[ModelFile, ...]) or ()), *added]
        values = {
            "reason": reason, "framework": conversion.framework[:64], "files": store.dump(files),
            "size_bytes": sum(file.size_bytes for file in files), "signature": store.dump(conversion.signature),
            "parity": store.dump(conversion.parity), "sample": store.dump(conversion.sample if ready else None),
            "operators": store.dump(operators),
        }  # fmt: skip
        self._end(row.model, row.version, VersionStatus.READY if ready else VersionStatus.REFUSED, values)
        return self.version(name, row.version)

    def open_file(self, name: str, version: str | int, path: str) -> tuple[int, int, str]:
        """Opens one file of a version: descriptor, size, name."""
        with self._database.read() as connection:
            folder = self.folder(connection, self._version_row(connection, name, version))
        return self._files.open(folder, path)

    def onnx_file(self, name: str, version: int) -> Path:
        """Where the converted file of a version is, or will be."""
        with self._database.read() as connection:
            return self.folder(connection, self._version_row(connection, name, version)) / "model.onnx"

    def is_whole(self, name: str, version: int) -> bool:
        """Whether every file of a version is there with the content that was registered."""
        found = self.version(name, version)
        with self._database.read() as connection:
            folder = self.folder(connection, self._version_row(connection, name, version))
        return all(_sha256(folder / file.path) == file.sha256 for file in found.files)

    def reap(self) -> None:
        """Ends what cannot go on: refuses versions whose convert run died, starts the ones that were never started."""
        self._reconcile()
        self._files.sweep()

    def folder(self, connection: Any, row: Any) -> Path:
        """Where a version's files are."""
        return self._files.version_folder(self._row(connection, row.model).folder, row.version)

    def _add(self, name: str, values: dict[str, Any], temporary: Path) -> int:
        """Numbers and settles what was taken, in one transaction: the row is there only with the files."""
        with self._database.write() as connection:
            refuse_twin(name, store.names(connection))
            known = store.get_row(connection, name)
            folder = known.folder if known is not None else folder_name(name)
            number = store.take_number(connection, name, folder)
            self._files.settle(temporary, folder, number)
            store.insert_version(connection, {**values, "model": name, "version": number})
            self._changes.note(connection, "model", name)
        return number

    def _converting(self, version: tuple[str, int], user: str) -> ModelVersion:
        """Makes sure that a version's convert run was submitted."""
        name, number = version
        with self._database.read() as connection:
            row = self._version_row(connection, name, number)
            folder = self.folder(connection, row)
        if row.status != VersionStatus.CONVERTING.value or row.convert_run_id is not None:
            return self.version(name, number)
        origin = self._runs.get(row.run_id).spec if row.run_id else RunSpec()
        options: dict[str, JSON] = {"model": name, "version": number, "folder": str(folder), "tolerance": row.tolerance}
        options["policy"] = store.load(row.policy, dict[str, Any])
        spec = RunSpec(python=origin.python, folder=origin.folder, options=options, resources=Resources(cpus=0.0))
        run = self._launcher.submit(
            RunKind.CONVERT,
            spec,
            name=f"convert {name} {number}",
            experiment=EXPERIMENT,
            user=user or row.user,
            parent_run_id=row.run_id,
            request_id=_convert_request(row),
        )
        with self._database.write() as connection:
            store.change_version(connection, name, number, {"convert_run_id": run.id}, status=VersionStatus.CONVERTING)
            self._changes.note(connection, "model", name)
        return self.version(name, number)

    def _take_onnx(
        self, folder: Path, run_id: str, conversion: Conversion
    ) -> tuple[Sequence[ModelFile], Sequence[str]]:
        if conversion.onnx is None or conversion.signature is None:
            raise Invalid("the conversion reported a ready model without a file or a signature")
        source = self._run_folder(run_id) / "artifacts"
        try:
            file, operators = self._files.add_onnx(folder, source.joinpath(*relative_parts(conversion.onnx)))
            known = [name for name in EVIDENCE if name in conversion.evidence and (source / name).is_file()]
            proof = [self._files.add(folder, source / name, name) for name in known]
        except OSError as error:
            raise Invalid(f"the converted file {conversion.onnx!r} cannot be read: {error.strerror}") from error
        return [file, *proof], operators

    def _end(self, name: str, version: int, status: VersionStatus, values: dict[str, Any]) -> None:
        """Moves a version out of Converting, once."""
        with self._database.write() as connection:
            row = self._version_row(connection, name, version)
            changed = {**values, "status": status.value}
            if not store.change_version(connection, name, version, changed, status=VersionStatus.CONVERTING):
                return
            if status is VersionStatus.READY and row.alias is not None:
                store.set_alias(connection, name, row.alias, version)
            store.touch(connection, name)
            self._changes.note(connection, "model", name)

    def _reconcile(self, name: str | None = None) -> None:
        """Refuses versions whose convert run is over without having told; submits those that were never submitted."""
        with self._database.read() as connection:
            rows = [row for row in store.converting(connection) if name is None or row.model == name]
        for row in rows:
            if row.convert_run_id is None:
                if utc_now() - row.created_at > UNSTARTED_AFTER:
                    self._converting((row.model, row.version), row.user)
                continue
            reason = self._death(row.convert_run_id)
            if reason is not None:
                self._end(row.model, row.version, VersionStatus.REFUSED, {"reason": reason})

    def _death(self, run_id: str) -> str | None:
        """Why a convert run is over, None while it is not."""
        try:
            run = self._runs.get(run_id)
        except NotFound:
            return "its convert run was deleted: register the model again"
        if run.status not in TERMINAL:
            return None
        return f"the conversion ended without a result: {run.reason or run.status.value}"

    def _stop(self, run_ids: Iterable[str | None]) -> None:
        for run_id in run_ids:
            if run_id is not None:
                try:
                    self._launcher.stop(run_id)
                except (NotFound, Conflict):
                    continue

    def _of_request(self, request_id: str) -> tuple[str, int] | None:
        with self._database.read() as connection:
            row = store.find_request(connection, request_id)
        return None if row is None else (row.model, row.version)

    def _row(self, connection: Any, name: str) -> Any:
        row = store.get_row(connection, unicodedata.normalize("NFC", name))
        if row is None:
            raise NotFound(f"there is no model {name[:80]!r}")
        return row

    def _version_row(self, connection: Any, name: str, version: str | int) -> Any:
        model = self._row(connection, name).name
        number = _number(connection, model, str(version))
        row = None if number is None else store.get_version_row(connection, model, number)
        if row is None:
            raise NotFound(f"model {model!r} has no version {str(version)[:80]!r}")
        return row

    def _run_folder(self, run_id: str) -> Path:
        return self._workspace.run_folder(run_id)


def _convert_request(row: Any) -> str:
    """Names the one convert run of a version, so that asking twice starts it once."""
    of_version = f"{row.model}/{row.version}/{row.created_at.isoformat()}"
    return "convert-" + hashlib.sha256(of_version.encode()).hexdigest()[:40]


def _number(connection: Any, model: str, version: str) -> int | None:
    if version.lower() == "latest":
        return store.newest(connection, model)
    text = version[1:] if re.fullmatch(r"[vV]\d+", version) else version
    if re.fullmatch(r"[1-9]\d{0,8}", text):
        return int(text)
    if re.fullmatch(r"[-+]?[\d.]+", text):
        raise Invalid(f"{version[:80]!r} is no version: give a number from 1, an alias or latest")
    return store.find_alias(connection, model, unicodedata.normalize("NFC", version))


def _refuse_used(endpoints: list[str], what: str) -> None:
    if endpoints:
        raise Conflict(f"{what} is used by endpoint {', '.join(endpoints[:5])}: delete that first")


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
