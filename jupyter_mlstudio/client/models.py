"""Registered models from user code: register one, deploy it, score with it."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Protocol

from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.deployments import model_and_version, settings
from jupyter_mlstudio.client.endpoints import Endpoint
from jupyter_mlstudio.client.model_graphs import Derived
from jupyter_mlstudio.client.model_reviews import Reviewed
from jupyter_mlstudio.client.model_uploads import source_of
from jupyter_mlstudio.client.shown import Shown, signature
from jupyter_mlstudio.client.wire import Connection, segment
from jupyter_mlstudio.entities.models import Signature
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict, Invalid, TimedOut

WAIT_S = 600.0


class HasId(Protocol):
    """A run, whichever way it was had."""

    @property
    def id(self) -> str:
        """The run's id."""


def register_model(
    run: HasId | str | None = None,
    name: str = "",
    alias: str | None = None,
    path: str | os.PathLike[str] | None = None,
    description: str = "",
    tags: Mapping[str, str] | None = None,
    tolerance: float | None = None,
    wait: bool = True,
    policy: Mapping[str, JSON] | None = None,
    *,
    file: str | os.PathLike[str] | None = None,
    allow_code: bool = False,
    threshold: float | None = None,
    positive_label: object = None,
) -> ModelVersion:
    """Registers a model as the next version of ``name``: copied, hashed, converted to ONNX and compared.

    Args:
        run: the run that made it, or its id. Without one, ``path`` is a file or folder of this machine.
        alias: a name that shall point to this version, such as ``champion``.
        path: the model's folder below the run's artifacts, by default ``model``. Where there is none of this name and
            MLflow logged one model with the run (autologging does), it is that one; of several give one:
            ``models/<its id>``.
        tolerance: largest difference between ONNX and original; by default 1e-5 for probabilities and 1e-4 of the
            scale for values, and never a label that flips.
        policy: more than one number: ``{"max_label_flips": 2, "max_abs_difference": 1e-3, "quantile": 0.99}`` accepts
            two flipped labels, and looks at the 99 % of the rows that differ least.
        wait: return when it is ready; otherwise at once, while it is converted.
        file: a file or folder of this machine, though a run is given: that is then only where it came from.
        allow_code: convert files of this machine even if loading them executes code, as pickles do. What a run of
            yours logged needs no such word.
        threshold: probability from which a binary classifier answers its positive class; it becomes part of the graph.
        positive_label: which of its two classes that is; by default the one that the run looked for, else the second.

    Raises:
        Conflict: the ONNX form does not answer like the original; the message has the numbers.
        NotFound: the run has no such model.
        Invalid: a file is not what its name says.
        WrongType: it is an archive.
    """
    if not name:
        raise Invalid("give the model a name: register_model(run, name='churn')")
    connection = connect()
    local = file if file is not None or run is not None else path
    body: dict[str, JSON] = {
        "name": name, "run_id": run if run is None or isinstance(run, str) else run.id, "alias": alias,
        "path": "model" if path is None or local is not None else os.fspath(path), "description": description,
        "tags": dict(tags or {}), "tolerance": tolerance, "request_id": uuid.uuid4().hex, "allow_code": allow_code,
        "threshold": threshold, "positive_label": None if positive_label is None else str(positive_label),
        "policy": None if policy is None else dict(policy),
        **({} if local is None else source_of(local, connection)),
    }  # fmt: skip
    version = ModelVersion(connection.post("models", body, again=True, timeout_s=600.0), connection)
    return version.wait() if wait else version


def deploy(
    model: ModelVersion | str,
    version: int | str = "latest",
    name: str | None = None,
    port: int | None = None,
    wait: bool = True,
    deployment: str = "blue",
    script: str | None = None,
    kind: str | None = None,
    allow_code: bool = False,
    host: str = "127.0.0.1",
    allowed_hosts: Sequence[str] = (),
    behind_proxy: bool = False,
    **options: JSON,
) -> Endpoint:
    """Serves a model version behind an endpoint, processes of its own with an address and two keys.

    Args:
        model: a registered version, or the model's name, ``name:version`` or ``name@alias``.
        version: a number, an alias or ``latest``; only with a name.
        name: the endpoint's name, 3 to 32 letters, digits and dashes; by default made from the model's.
        port: where it listens on 127.0.0.1; None takes a free one, which it keeps.
        wait: return when it answers; otherwise at once.
        deployment: the name of the first deployment; :meth:`Endpoint.add` adds more.
        script, kind, allow_code: see :meth:`Endpoint.add`.
        host, allowed_hosts, behind_proxy: another address than 127.0.0.1 needs a proxy with TLS before it, and the
            names under which that calls the endpoint.
        options: settings, e.g. ``max_instances=2``, ``min_instances=0``, ``threads=2``, ``request_timeout_ms=500``.

    Raises:
        Conflict: the version was refused, or the endpoint failed to start; the message says why.
    """
    registered, number = model_and_version(model, version)
    connection = connect()
    body: dict[str, JSON] = {
        "name": name or endpoint_name(registered), "model": registered, "version": number, "port": port,
        "deployment": deployment, "script": script, "kind": kind or ("onnx" if script is None else "script"),
        "allow_code": allow_code, "host": host, "allowed_hosts": list(allowed_hosts), "behind_proxy": behind_proxy,
        "settings": settings(options), "request_id": uuid.uuid4().hex,
    }  # fmt: skip
    issued = connection.post("endpoints", body, timeout_s=120.0)
    endpoint = Endpoint(issued["endpoint"], connection, issued["keys"])
    return endpoint.wait() if wait else endpoint


def endpoint_name(model: str) -> str:
    """Makes an endpoint's name of a model's."""
    plain = re.sub(r"[^a-zA-Z0-9]+", "-", model).strip("-")[:32].strip("-")
    return plain if len(plain) >= 3 and plain[0].isalpha() else f"model-{plain}"[:32].strip("-")


class ModelVersion(Derived, Reviewed, Shown):
    """One registered version of a model. What is read of a converting one is asked for anew."""

    def __init__(self, data: Mapping[str, JSON], connection: Connection | None = None) -> None:
        self._data = dict(data)
        self._connection = connection

    def __repr__(self) -> str:
        return f"ModelVersion({self.name!r}, version={self.version}, status={str(self._data['status'])!r})"

    @property
    def name(self) -> str:
        """The model's name."""
        return str(self._data["model"])

    @property
    def version(self) -> int:
        """The version's number."""
        return int(self._data["version"])

    @property
    def status(self) -> str:
        """``Converting``, ``Ready`` or ``Refused``."""
        return str(self._fresh()["status"])

    @property
    def reason(self) -> str:
        """Why it was refused, empty otherwise."""
        return str(self._fresh()["reason"])

    @property
    def parity(self) -> dict[str, JSON] | None:
        """What the comparison with the original measured."""
        found: dict[str, JSON] | None = self._fresh()["parity"]
        return found

    @property
    def signature(self) -> Signature | None:
        """What the model takes and answers."""
        return signature(self._fresh()["signature"])

    @property
    def aliases(self) -> list[str]:
        """Names that point to this version."""
        return list(self._data["aliases"])

    @property
    def stage(self) -> str:
        """``None``, ``Development``, ``Staging``, ``Production`` or ``Archived``."""
        return str(self._data["stage"])

    @property
    def approval(self) -> dict[str, JSON]:
        """What was decided: status, user, at, reason."""
        return dict(self._data["approval"])

    @property
    def formats(self) -> list[dict[str, JSON]]:
        """What its files are, told from their content; ``executes`` says that loading one may execute code."""
        return list(self._data["formats"])

    @property
    def threshold(self) -> float | None:
        """The decision threshold in its graph."""
        found = self._fresh()["threshold"]
        return None if found is None else float(found["threshold"])

    @property
    def data(self) -> dict[str, JSON]:
        """Everything the API tells of this version, as JSON."""
        return dict(self._fresh())

    def wait(self, timeout_s: float = WAIT_S) -> ModelVersion:
        """Waits until it is ready.

        Raises:
            Conflict: it was refused.
            TimedOut: it is still being converted.
        """
        if self._data["status"] == "Converting":
            for found in self._address().follow(self._place(), timeout_s):
                self._data = found
                if found["status"] != "Converting":
                    break
            else:
                raise TimedOut(f"{self.name!r} {self.version} is still being converted after {timeout_s:g} s")
        if self.status == "Refused":
            raise Conflict(f"version {self.version} of {self.name!r} was refused: {self.reason}")
        return self

    def deploy(self, name: str | None = None, wait: bool = True) -> Endpoint:
        """Serves this version; see :func:`deploy`."""
        return deploy(self, name=name, wait=wait)

    def _address(self) -> Connection:
        return self._connection or connect()

    def _place(self) -> str:
        return f"models/{segment(self.name)}/versions/{self.version}"

    def _fresh(self) -> dict[str, JSON]:
        if self._data["status"] == "Converting":
            self._data = self._address().get(self._place())
        return self._data

    def _title(self) -> str:
        return f"{self.name} {self.version}"

    def _rows_shown(self) -> list[tuple[str, str]]:
        data, parity = self._data, self._data.get("parity") or {}
        compared = f"{parity['rows']} rows, largest difference {parity['max_abs_difference']:.3g}" if parity else ""
        if parity and parity["label_flips"] is not None:
            compared += f", {parity['label_flips']} label flips"
        return [
            ("Status", str(data["status"])), ("Reason", str(data["reason"])),
            ("Aliases", ", ".join(self.aliases)),
            ("Framework", str(data["framework"])), ("Compared", compared),
            ("Number type", str(parity.get("dtype", ""))), ("Approval", str(data["approval"]["status"])),
            ("Stage", "" if self.stage == "None" else self.stage),
            ("Threshold", str((data["threshold"] or {}).get("threshold", ""))),
            ("Executes code when loaded", ", ".join(one["path"] for one in self.formats if one["executes"])),
            ("SHA-256", str(data["sha256"])),
        ]  # fmt: skip
