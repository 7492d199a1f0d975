"""Models from user code: log one with the rows to compare it on, register it, deploy it, score with it."""

from __future__ import annotations

import hashlib
import html
import http.client
import importlib.metadata
import json
import pickle
import platform
import re
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jupyter_mlstudio.client import rows as rows_of
from jupyter_mlstudio.client import tracking
from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.runs import Run
from jupyter_mlstudio.client.wire import Connection, error_of, segment
from jupyter_mlstudio.entities.models import Signature, TensorSpec
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Conflict, Invalid, TimedOut, Unavailable

MANIFEST = "mlstudio.json"
POLL_S = 0.1
WAIT_S = 600.0
SAMPLE_ROWS = 1000
_PACKAGES = ("scikit-learn", "numpy", "pandas", "scipy", "onnx", "joblib")


def log_model(model: Any, name: str = "model", sample: Any = None, y: Any = None) -> str:
    """Keeps a model with the active run, together with rows on which its ONNX form will be compared with it.

    Args:
        model: a fitted scikit-learn model, an ONNX model (its object, bytes or file), or anything that pickles.
        name: the folder below the run's artifacts.
        sample: rows the model has not seen, as it takes them: a data frame, an array or a list of texts, with their
            original types and missing values. Of more than 1,000 rows, 1,000 are kept, evenly spaced.
        y: the true answers for these rows.

    Returns:
        The folder's path, as :func:`register_model` takes it.

    Raises:
        Invalid: the model cannot be kept, or sample and y differ in length.
    """
    run = tracking.current()
    with tempfile.TemporaryDirectory(prefix="mlstudio-model-") as folder:
        write_model(Path(folder), model, sample, y)
        run.log_artifacts(folder, name)
    return name


def write_model(folder: Path, model: Any, sample: Any = None, y: Any = None) -> None:
    """Writes a model, its sample rows and the manifest that describes both into a folder."""
    if y is not None and (sample is None or len(y) != len(sample)):
        raise Invalid(f"y has {len(y)} answers, sample has {0 if sample is None else len(sample)} rows")
    kind, file = _write(folder, model)
    manifest: dict[str, JSON] = {"format": 1, "kind": kind, "file": file, "sha256": _digest(folder / file)}
    manifest |= {"class": f"{type(model).__module__}.{type(model).__qualname__}", "python": platform.python_version()}
    manifest["packages"] = {name: version for name in _PACKAGES if (version := _version(name))}
    manifest["features"] = _feature_names(model, sample)
    for what, content in (("sample", sample), ("targets", y)):
        if content is not None:
            written = _write_rows(folder, what, _thinned(content))
            manifest |= {what: written, f"{what}_sha256": _digest(folder / written)}
    manifest["rows"] = 0 if sample is None else min(len(sample), SAMPLE_ROWS)
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False), encoding="utf-8")


def register_model(
    run: Run | str,
    name: str,
    alias: str | None = None,
    path: str = "model",
    description: str = "",
    tags: Mapping[str, str] | None = None,
    tolerance: float | None = None,
    wait: bool = True,
) -> ModelVersion:
    """Registers a run's model as the next version of ``name``: copied, hashed, converted to ONNX and compared.

    Args:
        run: the run, or its id.
        alias: a name that shall point to this version, such as ``champion``.
        path: the model's folder below the run's artifacts.
        tolerance: largest difference between ONNX and original; by default 1e-5 for probabilities and 1e-4 of the
            scale for values, and never a label that flips.
        wait: return when it is ready; otherwise at once, while it is converted.

    Raises:
        Conflict: the ONNX form does not answer like the original; the message has the numbers.
        NotFound: the run has no such model.
    """
    run_id = run if isinstance(run, str) else run.id
    connection = connect()
    body = {
        "name": name, "run_id": run_id, "path": path, "alias": alias, "description": description,
        "tags": dict(tags or {}), "tolerance": tolerance, "request_id": uuid.uuid4().hex,
    }  # fmt: skip
    version = ModelVersion(connection.post("models", body, again=True, timeout_s=600.0), connection)
    return version.wait() if wait else version


def deploy(
    model: ModelVersion | str, version: int | str = "latest", name: str | None = None, wait: bool = True
) -> Endpoint:
    """Serves a model version behind an endpoint, a process of its own with an address and two keys.

    Args:
        model: a registered version, or the model's name.
        version: a number, an alias or ``latest``; only with a name.
        name: the endpoint's name, 3 to 32 letters, digits and dashes; by default made from the model's.
        wait: return when it answers; otherwise at once.

    Raises:
        Conflict: the version was refused, or the endpoint failed to start; the message says why.
    """
    if isinstance(model, ModelVersion):
        model, version = model.name, model.version
    connection = connect()
    body = {
        "name": name or endpoint_name(model),
        "model": model,
        "version": str(version),
        "request_id": uuid.uuid4().hex,
    }
    issued = connection.post("endpoints", body, timeout_s=120.0)
    endpoint = Endpoint(issued["endpoint"], connection, issued["keys"])
    return endpoint.wait() if wait else endpoint


def endpoint_name(model: str) -> str:
    """Makes an endpoint's name of a model's."""
    plain = re.sub(r"[^a-zA-Z0-9]+", "-", model).strip("-")[:32].strip("-")
    return plain if len(plain) >= 3 and plain[0].isalpha() else f"model-{plain}"[:32].strip("-")


class _Shown:
    """Shows itself as a small table; every text in it comes from users and is escaped."""

    _data: dict[str, JSON]

    def _rows_shown(self) -> list[tuple[str, str]]:
        raise NotImplementedError

    def _title(self) -> str:
        raise NotImplementedError

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        rows = [(name, text) for name, text in self._rows_shown() if text]
        cells = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th><td style='text-align:left'>{html.escape(text)}</td></tr>"
            for name, text in rows
        )
        plain = "\n".join([self._title(), *(f"  {name}: {text}" for name, text in rows)])
        return {
            "text/plain": plain,
            "text/html": f"<table><caption>{html.escape(self._title())}</caption>{cells}</table>",
        }


class ModelVersion(_Shown):
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
        return _signature(self._fresh()["signature"])

    @property
    def aliases(self) -> list[str]:
        """Names that point to this version."""
        return list(self._data["aliases"])

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
        deadline = time.monotonic() + timeout_s
        while self.status == "Converting":
            if time.monotonic() > deadline:
                raise TimedOut(
                    f"version {self.version} of {self.name!r} is still being converted after {timeout_s:g} s"
                )
            time.sleep(POLL_S)
        if self.status == "Refused":
            raise Conflict(f"version {self.version} of {self.name!r} was refused: {self.reason}")
        return self

    def deploy(self, name: str | None = None, wait: bool = True) -> Endpoint:
        """Serves this version; see :func:`deploy`."""
        return deploy(self, name=name, wait=wait)

    def _fresh(self) -> dict[str, JSON]:
        if self._data["status"] == "Converting":
            path = f"models/{segment(self.name)}/versions/{self.version}"
            self._data = (self._connection or connect()).get(path)
        return self._data

    def _title(self) -> str:
        return f"{self.name} {self.version}"

    def _rows_shown(self) -> list[tuple[str, str]]:
        data, parity = self._data, self._data.get("parity") or {}
        compared = f"{parity['rows']} rows, largest difference {parity['max_abs_difference']:.3g}" if parity else ""
        if parity and parity["label_flips"] is not None:
            compared += f", {parity['label_flips']} label flips"
        return [
            ("Status", str(data["status"])), ("Reason", str(data["reason"])), ("Aliases", ", ".join(self.aliases)),
            ("Framework", str(data["framework"])), ("Compared", compared), ("Number type", str(parity.get("dtype", ""))),
            ("SHA-256", str(data["sha256"])),
        ]  # fmt: skip


class Endpoint(_Shown):
    """An endpoint: a name that answers scoring requests.

    ``keys`` are the access keys, known only to the one that deployed it or made new ones.
    """

    def __init__(
        self, data: Mapping[str, JSON], connection: Connection | None = None, keys: Mapping[str, str] | None = None
    ) -> None:
        self._data = dict(data)
        self._connection = connection
        self.keys = dict(keys or {})

    def __repr__(self) -> str:
        return f"Endpoint({self.name!r}, state={str(self._data['state'])!r}, url={self._data['url']!r})"

    @property
    def name(self) -> str:
        """The endpoint's name."""
        return str(self._data["name"])

    @property
    def state(self) -> str:
        """``Starting``, ``Ready``, ``Stopped`` or ``Failed``, as it is now."""
        return str(self.refresh()._data["state"])

    @property
    def url(self) -> str | None:
        """Root of the Open Inference Protocol V2, None while there is no process."""
        return None if self._data["url"] is None else str(self._data["url"])

    @property
    def scoring_url(self) -> str | None:
        """Where to POST inference requests."""
        return None if self._data["scoring_url"] is None else str(self._data["scoring_url"])

    @property
    def stats(self) -> dict[str, JSON]:
        """Counts since it was created and latencies of the last minute."""
        return dict(self.refresh()._data["stats"])

    @property
    def data(self) -> dict[str, JSON]:
        """Everything the API tells of this endpoint, as JSON."""
        return dict(self.refresh()._data)

    def refresh(self) -> Endpoint:
        """Asks for its present state."""
        self._data = self._address().get(f"endpoints/{segment(self.name)}")
        return self

    def wait(self, timeout_s: float = WAIT_S) -> Endpoint:
        """Waits until it answers.

        Raises:
            Conflict: it failed or was stopped.
            TimedOut: it is still starting.
        """
        deadline = time.monotonic() + timeout_s
        while (state := self.state) != "Ready":
            if state in ("Failed", "Stopped"):
                raise Conflict(f"endpoint {self.name} is {state.lower()}: {self._data['reason']}")
            if time.monotonic() > deadline:
                raise TimedOut(f"endpoint {self.name} is still starting after {timeout_s:g} s")
            time.sleep(POLL_S)
        return self

    def score(self, rows: Any) -> dict[str, list[JSON]]:
        """Answers for rows: a data frame, an array, a list of dicts or of lists, or a list of texts.

        Returns:
            One list by output name: ``label`` and ``probabilities`` of a classifier, ``prediction`` of a regressor.

        Raises:
            Invalid: the rows do not fit the model; the message names the column.
        """
        signature = _signature(self._data["signature"]) or _signature(self.refresh()._data["signature"])
        if signature is None:
            raise Unavailable(f"endpoint {self.name} has no model that is ready")
        return rows_of.answer(self._ask(rows_of.request(signature, rows)))

    def stop(self) -> Endpoint:
        """Ends its processes; name, keys and port stay."""
        self._data = self._address().post(f"endpoints/{segment(self.name)}/stop", timeout_s=60.0)
        return self

    def restart(self, wait: bool = True) -> Endpoint:
        """Starts it again."""
        self._data = self._address().post(f"endpoints/{segment(self.name)}/restart", timeout_s=60.0)
        return self.wait() if wait else self

    def regenerate(self, key: str = "primary") -> str:
        """Replaces one key; the old one is refused within a second."""
        issued = self._address().post(f"endpoints/{segment(self.name)}/keys/{segment(key)}/regenerate")
        self.keys |= issued["keys"]
        return self.keys[key]

    def delete(self) -> None:
        """Stops and deletes it; the model stays."""
        self._address().delete(f"endpoints/{segment(self.name)}")

    def _ask(self, request: dict[str, JSON]) -> dict[str, JSON]:
        """Asks the endpoint itself with a key, or through the studio without one."""
        if not self.keys:
            answer = self._address().post(f"endpoints/{segment(self.name)}/score", request, timeout_s=120.0)
            status, response = answer["status"], answer["response"]
        else:
            status, response = _post(
                self.scoring_url or self.refresh().scoring_url, next(iter(self.keys.values())), request
            )
        if status >= 400:
            message = {"code": response.get("code", ""), "message": response.get("error", "the endpoint failed")}
            raise error_of(status, json.dumps(message).encode())
        return dict(response)

    def _address(self) -> Connection:
        return self._connection or connect()

    def _title(self) -> str:
        return f"Endpoint {self.name}"

    def _rows_shown(self) -> list[tuple[str, str]]:
        data = self._data
        served = [f"{one['model']} {one['version']}" for one in data["deployments"]]
        keys = ", ".join(f"{name} {key}" for name, key in self.keys.items())
        shown = f"{keys} (shown once)" if keys else ""
        return [
            ("State", str(data["state"])), ("Reason", str(data["reason"])), ("Serves", ", ".join(served)),
            ("URL", self.scoring_url or ""), ("Keys", shown),
        ]  # fmt: skip


def _post(url: str | None, key: str, body: dict[str, JSON]) -> tuple[int, dict[str, JSON]]:
    if url is None:
        raise Unavailable("the endpoint has no process: restart it")
    parts = urlsplit(url)
    link = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=120.0)
    try:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        link.request("POST", parts.path, json.dumps(body, allow_nan=False).encode(), headers)
        answer = link.getresponse()
        return answer.status, json.loads(answer.read() or b"{}")
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unavailable(f"the endpoint at {url} does not answer ({type(error).__name__})") from error
    finally:
        link.close()


def _signature(data: Mapping[str, JSON] | None) -> Signature | None:
    if data is None:
        return None
    tensors = {side: [TensorSpec(**spec) for spec in data[side]] for side in ("inputs", "outputs")}
    return Signature(**tensors, task=data["task"], labels=list(data["labels"]))


def _write(folder: Path, model: Any) -> tuple[str, str]:
    """Writes the model itself; answers its kind and the file's name."""
    if isinstance(model, (str, Path)) and Path(model).suffix == ".onnx":
        model = Path(model).read_bytes()
    if type(model).__module__.startswith("onnx.") and hasattr(model, "SerializeToString"):
        model = model.SerializeToString()
    if isinstance(model, bytes):
        (folder / "model.onnx").write_bytes(model)
        return "onnx", "model.onnx"
    try:
        if _is_sklearn(model):
            import joblib

            joblib.dump(model, folder / "model.joblib", protocol=pickle.HIGHEST_PROTOCOL)
            return "sklearn", "model.joblib"
        with (folder / "model.pkl").open("wb") as file:
            pickle.dump(model, file, protocol=5)
        return "pickle", "model.pkl"
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise Invalid(
            f"the {type(model).__name__} cannot be kept ({error}): put functions and classes that it uses into a module"
            " in the working folder, lambdas included"
        ) from error


def _is_sklearn(model: Any) -> bool:
    base = sys.modules.get("sklearn.base")
    return base is not None and isinstance(model, base.BaseEstimator)


def _write_rows(folder: Path, name: str, rows: Any) -> str:
    """Writes rows with their types: arrays of numbers as ``.npy``, texts as JSON, data frames as a pickle."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(rows, numpy.ndarray) and rows.dtype.kind in "biufSU":
        numpy.save(folder / f"{name}.npy", rows, allow_pickle=False)
        return f"{name}.npy"
    if isinstance(rows, list) and all(isinstance(row, str) for row in rows):
        (folder / f"{name}.json").write_text(json.dumps(rows), encoding="utf-8")
        return f"{name}.json"
    with (folder / f"{name}.pkl").open("wb") as file:
        pickle.dump(rows, file, protocol=5)
    return f"{name}.pkl"


def _thinned(rows: Any) -> Any:
    if len(rows) <= SAMPLE_ROWS:
        return rows
    picks = [round(number * (len(rows) - 1) / (SAMPLE_ROWS - 1)) for number in range(SAMPLE_ROWS)]
    if hasattr(rows, "iloc"):
        return rows.iloc[picks]
    return [rows[pick] for pick in picks] if isinstance(rows, (list, tuple)) else rows[picks]


def _feature_names(model: Any, sample: Any) -> list[str]:
    names = getattr(model, "feature_names_in_", None)
    return [str(name) for name in (names if names is not None else getattr(sample, "columns", []))]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
