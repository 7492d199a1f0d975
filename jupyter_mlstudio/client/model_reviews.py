"""What people decide about a registered version, and what is told about it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.wire import Connection, segment
from jupyter_mlstudio.entities.values import JSON


class Reviewed:
    """The part of a version that is about people and history."""

    _data: dict[str, JSON]
    _connection: Connection | None

    def approve(self, reason: str = "") -> Any:
        """Approves the version; who, when and why are kept."""
        return self._decide("Approved", reason)

    def reject(self, reason: str) -> Any:
        """Rejects the version: it cannot be deployed anew, get a protected alias, or go to Production."""
        return self._decide("Rejected", reason)

    def set_stage(self, stage: str, reason: str = "", *, archive_existing: bool = False) -> Any:
        """Moves the version to ``None``, ``Development``, ``Staging``, ``Production`` or ``Archived``.

        Args:
            archive_existing: archive the versions that are in this stage now.
        """
        return self._post("stage", {"stage": stage, "reason": reason, "archive_existing": archive_existing})

    def archive(self, reason: str = "") -> Any:
        """Hides the version: it cannot be deployed anew nor get an alias."""
        return self._post("archive", {"reason": reason})

    def restore(self, reason: str = "") -> Any:
        """Brings the archived version back."""
        return self._post("restore", {"reason": reason})

    def set_alias(self, alias: str, reason: str = "") -> Any:
        """Points an alias at this version; a protected one only for a reason."""
        model = f"models/{segment(self._data['model'])}"
        body = {"version": self._data["version"], "reason": reason}
        self._address().put(f"{model}/aliases/{segment(alias)}", body)
        return self._again()

    def set_threshold(
        self, threshold: float, *, positive_label: object = None, alias: str | None = None, wait: bool = True
    ) -> Any:
        """Makes the next version, whose ONNX graph answers the positive class from this probability on.

        Args:
            positive_label: the class; by default the one that the version's run looked for, else the second.
        """
        body = {
            "threshold": float(threshold), "alias": alias, "description": f"threshold {threshold:g}",
            "positive_label": None if positive_label is None else str(positive_label),
        }  # fmt: skip
        made = type(self)(self._address().post(f"{self._path}/threshold", body, timeout_s=600.0), self._connection)  # type: ignore[call-arg]
        return made.wait() if wait else made  # type: ignore[attr-defined]

    def compare(self, other: Reviewed) -> dict[str, JSON]:
        """Tells what differs: metrics, parameters, data, packages, code, parity, size, latency and signature."""
        query = {"left": self._data["version"], "right": other._data["version"], "other": other._data["model"]}
        found: dict[str, JSON] = self._address().get(f"models/{segment(self._data['model'])}/compare", query)
        return found

    def users(self) -> list[str]:
        """What uses this version: aliases, endpoints, batch endpoints and jobs, each as a phrase."""
        return [str(user["text"]) for user in self._address().get(f"{self._path}/users")]

    def journal(self) -> list[dict[str, JSON]]:
        """What happened to this version, oldest first."""
        found: list[dict[str, JSON]] = self._address().get(f"{self._path}/journal")["events"]
        return found

    def lineage(self) -> dict[str, JSON]:
        """Where it comes from: run, code, data and the run that converted it."""
        found: dict[str, JSON] = self._address().get(f"{self._path}/lineage")
        return found

    def card(self) -> str:
        """The model card: Markdown that begins with YAML metadata."""
        return str(self._address().get(f"{self._path}/card")["text"])

    def download(self, to: str | Path = ".") -> Path:
        """Downloads all files as one ZIP file, with their digests; ``to`` is a folder or the file's name."""
        target = Path(to).expanduser()
        if target.is_dir():
            target /= f"{self._data['model']}-{self._data['version']}.zip"
        return self._address().download(f"{self._path}/archive.zip", target)

    def delete(self) -> None:
        """Deletes the version; refused while something uses it."""
        self._address().delete(self._path)

    def _decide(self, status: str, reason: str) -> Any:
        return self._post("approval", {"status": status, "reason": reason})

    def _post(self, what: str, body: Mapping[str, JSON]) -> Any:
        self._data = self._address().post(f"{self._path}/{what}", dict(body))
        return self

    def _again(self) -> Any:
        self._data = self._address().get(self._path)
        return self

    def _address(self) -> Connection:
        return self._connection or connect()

    @property
    def _path(self) -> str:
        return f"models/{segment(self._data['model'])}/versions/{self._data['version']}"
