"""Convert runs of model versions: started once, believed when they speak for themselves, given up when they die."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlstudio.entities.memory import available_bytes
from jupyter_mlstudio.entities.models import Conversion, ModelFile, VersionStatus
from jupyter_mlstudio.entities.runs import TERMINAL, RunKind
from jupyter_mlstudio.entities.specs import Limits, Resources, RunSpec
from jupyter_mlstudio.entities.values import JSON, utc_now
from jupyter_mlstudio.errors import Conflict, Forbidden, Invalid, NotFound, StudioError
from jupyter_mlstudio.services.model_files import EVIDENCE, ModelFiles, relative_parts
from jupyter_mlstudio.services.model_rows import model_row, version_row
from jupyter_mlstudio.store import model_events as events
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
MEMORY_SHARE = 0.8
"""So much of what there is a conversion may use, so that it is ended and not what else runs here."""


class Conversions:
    """What happens to versions while they are ``Converting``."""

    def __init__(
        self,
        workspace: Workspace,
        database: Database,
        changes: Changes,
        *,
        runs: Runs,
        launcher: Launcher,
        files: ModelFiles,
    ) -> None:
        self._workspace = workspace
        self._database = database
        self._changes = changes
        self._runs = runs
        self._launcher = launcher
        self._files = files

    def begin(self, name: str, number: int, user: str) -> None:
        """Makes sure that a version's convert run was submitted."""
        with self._database.read() as connection:
            row = version_row(connection, name, number)
            folder = self._files.version_folder(model_row(connection, row.model).folder, row.version)
        if row.status != VersionStatus.CONVERTING.value or row.convert_run_id is not None:
            return
        origin = self._runs.get(row.run_id).spec if row.run_id else RunSpec()
        options: dict[str, JSON] = {
            "model": row.model, "version": number, "folder": str(folder), "tolerance": row.tolerance,
            "logged": row.run_id is not None,
            "policy": store.load(row.policy, dict[str, Any]), **(store.load(row.options, dict[str, Any]) or {}),
        }  # fmt: skip
        limits = Limits(memory_bytes=int(MEMORY_SHARE * available_bytes()))
        spec = RunSpec(
            python=origin.python, folder=origin.folder, options=options, resources=Resources(cpus=0.0), limits=limits
        )
        run = self._launcher.submit(
            RunKind.CONVERT,
            spec,
            name=f"convert {row.model} {number}",
            experiment=EXPERIMENT,
            user=user or row.user,
            parent_run_id=row.run_id,
            request_id=_convert_request(row),
        )
        with self._database.write() as connection:
            values = {"convert_run_id": run.id}
            store.change_version(connection, row.model, number, values, status=VersionStatus.CONVERTING)
            self._changes.note(connection, "model", row.model)

    def finish(self, name: str, version: str | int, conversion: Conversion, run_id: str | None) -> None:
        """Takes what a version's convert run found out: checks the ONNX file, makes the version ready or refuses it.

        Raises:
            Forbidden: another run tells.
        """
        with self._database.read() as connection:
            row = version_row(connection, name, version)
            folder = self._files.version_folder(model_row(connection, row.model).folder, row.version)
        if run_id is None or run_id != row.convert_run_id:
            raise Forbidden(f"only the convert run of version {row.version} of {row.model!r} may tell how it went")
        if row.status != VersionStatus.CONVERTING.value:
            return
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
            "operators": store.dump(operators), "profile": store.dump(conversion.profile),
            "threshold": store.dump(conversion.threshold),
        }  # fmt: skip
        self._end(row.model, row.version, VersionStatus.READY if ready else VersionStatus.REFUSED, values)

    def reconcile(self, name: str | None = None) -> None:
        """Refuses versions whose convert run is over without having told; submits those that were never submitted."""
        with self._database.read() as connection:
            rows = [row for row in store.converting(connection) if name is None or row.model == name]
        for row in rows:
            if row.convert_run_id is None:
                if utc_now() - row.created_at > UNSTARTED_AFTER:
                    self.begin(row.model, row.version, row.user)
                continue
            reason = self._death(row.convert_run_id)
            if reason is not None:
                self._end(row.model, row.version, VersionStatus.REFUSED, {"reason": reason})

    def stop(self, run_ids: Iterable[str | None]) -> None:
        """Stops convert runs whose versions are gone."""
        for run_id in run_ids:
            if run_id is not None:
                try:
                    self._launcher.stop(run_id)
                except (NotFound, Conflict):
                    continue

    def _take_onnx(
        self, folder: Path, run_id: str, conversion: Conversion
    ) -> tuple[Sequence[ModelFile], Sequence[str]]:
        if conversion.onnx is None or conversion.signature is None:
            raise Invalid("the conversion reported a ready model without a file or a signature")
        source = self._workspace.run_folder(run_id) / "artifacts"
        try:
            file, operators = self._files.add_onnx(folder, source.joinpath(*relative_parts(conversion.onnx)))
            known = [name for name in EVIDENCE if name in conversion.evidence and (source / name).is_file()]
            proof = [self._files.add(folder, source / name, name) for name in known]
        except OSError as error:
            raise Invalid(f"the converted file {conversion.onnx!r} cannot be read: {error.strerror}") from error
        return [file, *proof], operators

    def _end(self, name: str, version: int, status: VersionStatus, values: dict[str, Any]) -> None:
        """Moves a version out of Converting, once; a ready one gets the alias that was asked for."""
        with self._database.write() as connection:
            row = version_row(connection, name, version)
            changed = {**values, "status": status.value}
            if not store.change_version(connection, name, version, changed, status=VersionStatus.CONVERTING):
                return
            events.add(connection, name, status.value.lower(), version=version, reason=values.get("reason", ""))
            if status is VersionStatus.READY and row.alias is not None:
                if row.alias in store.protected(model_row(connection, name)):
                    why = "it became protected while the version was converted"
                    events.add(
                        connection, name, "alias kept", version=version, reason=why, details={"alias": row.alias}
                    )
                else:
                    old = store.find_alias(connection, name, row.alias)
                    store.set_alias(connection, name, row.alias, version)
                    events.add(
                        connection, name, "alias set", version=version, user=row.user,
                        details={"alias": row.alias, "from": old},
                    )  # fmt: skip
            store.touch(connection, name)
            self._changes.note(connection, "model", name)

    def _death(self, run_id: str) -> str | None:
        """Why a convert run is over, None while it is not."""
        try:
            run = self._runs.get(run_id)
        except NotFound:
            return "its convert run was deleted: register the model again"
        if run.status not in TERMINAL:
            return None
        return f"the conversion ended without a result: {run.reason or run.status.value}"


def _convert_request(row: Any) -> str:
    """Names the one convert run of a version, so that asking twice starts it once."""
    of_version = f"{row.model}/{row.version}/{row.created_at.isoformat()}"
    return "convert-" + hashlib.sha256(of_version.encode()).hexdigest()[:40]
