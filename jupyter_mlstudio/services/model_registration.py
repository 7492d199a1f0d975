"""Taking files as the next version of a model: copied, told apart, numbered in one transaction, then converted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_mlstudio.entities.models import ModelVersion, ParityPolicy, VersionStatus
from jupyter_mlstudio.entities.values import JSON, utc_now
from jupyter_mlstudio.errors import Conflict, Invalid
from jupyter_mlstudio.services import model_formats
from jupyter_mlstudio.services.conversions import Conversions
from jupyter_mlstudio.services.model_files import ModelFiles, digest_of, folder_name
from jupyter_mlstudio.services.model_names import check_policy, checked_alias, checked_name, merged_tags, refuse_twin
from jupyter_mlstudio.services.model_rows import model_row, version_row
from jupyter_mlstudio.services.model_sources import ModelSources, Taken
from jupyter_mlstudio.store import model_events as events
from jupyter_mlstudio.store import models as store
from jupyter_mlstudio.store.changes import Changes
from jupyter_mlstudio.store.database import Database

if TYPE_CHECKING:
    from jupyter_mlstudio.services.launcher import Launcher
    from jupyter_mlstudio.services.runs import Runs
    from jupyter_mlstudio.workspace import Workspace


POSITIVE_TAG = "mlstudio.positive_label"
"""Of a run: the class that its model looks for, and that a threshold for it is about."""


class Registration:
    """The half of :class:`~jupyter_mlstudio.services.models.Models` that makes versions."""

    def __init__(
        self, workspace: Workspace, database: Database, changes: Changes, runs: Runs, launcher: Launcher
    ) -> None:
        self._database = database
        self._changes = changes
        self._runs = runs
        self._files = ModelFiles(workspace.models)
        self.sources = ModelSources(workspace, self._files)
        self._conversions = Conversions(workspace, database, changes, runs=runs, launcher=launcher, files=self._files)

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
        positive_label: str | None = None,
        derive: dict[str, JSON] | None = None,
    ) -> ModelVersion:
        """Registers a model as the next version of ``name``; answers at once, while it is converted.

        Args:
            run_id: the run that made it; alone, its files are those that the run logged at ``path``.
            file: a file or folder below the workspace's root, instead.
            upload: an upload, instead.
            copy_of: name and version of another registered version, instead.
            allow_code: load what executes code when it is loaded, though it is not a run's own.
            threshold: probability from which a binary classifier answers its positive class.
            positive_label: which of its two classes that is; without it what the run's tag says, else the second one.
            derive: what is made of the ONNX file before it is compared: a newer opset, or 8-bit weights.

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
        positive = None if threshold is None else positive_label or self._positive_of(run_id)
        allowed = allow_code or taken.known
        refused = "" if allowed else model_formats.refusal(taken.risks)
        values = {
            "status": (VersionStatus.REFUSED if refused else VersionStatus.CONVERTING).value, "reason": refused,
            "run_id": run_id, "source": taken.source, "sha256": digest_of(taken.files), "convert_run_id": None,
            "framework": "", "description": description, "user": user, "created_at": utc_now(),
            "request_id": request_id, "tolerance": tolerance, "policy": store.dump(policy), "alias": alias,
            "size_bytes": sum(file.size_bytes for file in taken.files), "files": taken.files, "tags": kept_tags,
            "operators": [], "etag": 1, "formats": store.dump(taken.formats),
            "options": store.dump(
                {"threshold": threshold, "allow_code": allowed, "derive": derive, "positive_label": positive}
            ),
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

    def folder(self, name: str, version: str | int) -> Path:
        """Where a version's files are."""
        with self._database.read() as connection:
            row = version_row(connection, name, version)
            return self._files.version_folder(model_row(connection, row.model).folder, row.version)

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

    def _positive_of(self, run_id: str | None) -> str | None:
        """The class that a run's threshold is about, where the run says so."""
        return None if run_id is None else self._runs.get(run_id).tags.get(POSITIVE_TAG)

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
            allowed = bool((store.load(values["options"], dict[str, Any]) or {}).get("allow_code"))
            details = {
                "source": taken.source,
                "sha256": values["sha256"],
                "allow_code": allowed and not taken.known,
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
