"""Many ONNX models in one file, of which each row is answered by the one that its key names.

The file is a zip archive without compression: ``routes.json``, and each model as an ONNX file of its own. Models are
loaded when a row asks for them, and those that were not asked for longest make room: a thousand models start as quickly
as one, and take as much memory as they are allowed.
"""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from jupyter_mlstudio.entities.models import MANY as FILE
from jupyter_mlstudio.errors import Conflict, Invalid
from jupyter_mlstudio.onnx.routes import Fed, Route, open_archive, read_routes, route_key, word
from jupyter_mlstudio.onnx.tensors import DTYPES

if TYPE_CHECKING:
    import onnxruntime as ort
    from numpy.typing import NDArray

    from jupyter_mlstudio.onnx.session import Session

    Tensor = NDArray[Any]


HELD_BYTES = 1024**3
SESSION_BYTES, PER_BYTE = 300_000, 6
"""What a loaded model takes, measured: at least the first, and so many times the bytes of its file."""

KEYS_NAMED = 5
_CHANGED = "digest mismatch: the ONNX file was changed after it was registered; register the model again"


class RoutedSession:
    """An archive of models that answers like one onnxruntime session: the same ``run``, safe in several threads.

    Args:
        path: the archive. It is opened once: what was checked is what is read from.
        sha256: the digest that it has to have; None does not look.
        threads: how many of them one model may use.
        held_bytes: about how much memory loaded models may take together.

    Raises:
        Invalid: it is no such archive, or cannot be read.
        Conflict: it is another file than the one that was registered.
    """

    def __init__(self, path: Path, sha256: str | None = None, threads: int = 1, held_bytes: float = HELD_BYTES) -> None:
        try:
            self._file: IO[bytes] = path.open("rb")
        except OSError as error:
            raise Invalid(f"the file {path.name} cannot be read: {error.strerror}") from error
        try:
            if sha256 is not None and hashlib.file_digest(self._file, "sha256").hexdigest() != sha256:
                raise Conflict(_CHANGED)
            self._archive = open_archive(self._file)
            self.routes = read_routes(self._archive)
        except BaseException:
            self._file.close()
            raise
        self._table = {route_key(route.key, self.routes.datatypes): route for route in self.routes.routes}
        self._threads = threads
        self._held_bytes = held_bytes
        self._held: OrderedDict[str, tuple[ort.InferenceSession, int]] = OrderedDict()
        self._lock = threading.Lock()

    def __enter__(self) -> RoutedSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; it answers no more."""
        self._archive.close()
        self._file.close()

    @property
    def loaded(self) -> list[str]:
        """Names of the models in memory, the one that was asked last at the end."""
        return list(self._held)

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Tensor], options: Any = None) -> list[Tensor]:
        """Answers rows, each by its model, in the order in which they were given.

        Args:
            outputs: names of what is wanted.
            feeds: a tensor ``(n_rows, 1)`` for each column, those of the key too.
            options: onnxruntime's, whose flag ends the run.

        Raises:
            Invalid: a key has no model, or a value does not fit the model of its row; the message names the row.
        """
        groups = self._groups(feeds)
        if len(groups) == 1:
            return self._answer(groups[0][0], None, outputs, feeds, options)
        count = len(next(iter(feeds.values())))
        found: list[Tensor] = []
        for route, rows in groups:
            answers = self._answer(route, rows, outputs, feeds, options)
            found = found or [_empty(count, answer) for answer in answers]
            for whole, answer in zip(found, answers, strict=True):
                whole[rows] = answer
        return found

    def model(self, route: Route) -> bytes:
        """The ONNX file of a route."""
        with self._lock:
            return self._read(route)

    def _groups(self, feeds: Mapping[str, Tensor]) -> list[tuple[Route, Tensor]]:
        """The rows of each route."""
        kinds = self.routes.datatypes
        columns = [feeds[name].reshape(-1).tolist() for name in self.routes.by]
        rows_of: dict[tuple[object, ...], list[int]] = {}
        for row, values in enumerate(zip(*columns, strict=True)):
            rows_of.setdefault(values, []).append(row)
        found: dict[str, list[int]] = {}
        routes: dict[str, Route] = {}
        for values, rows in rows_of.items():
            route = self._table.get(route_key(values, kinds))
            if route is None or not route.file:
                raise Invalid(self._unknown(values, rows[0], route))
            routes[route.file] = route
            found.setdefault(route.file, []).extend(rows)  # NaN is not NaN: there may be several
        return [(routes[file], np.asarray(rows, dtype=np.int64)) for file, rows in found.items()]

    def _unknown(self, values: Sequence[object], row: int, route: Route | None) -> str:
        named = ", ".join(
            f"{name}={word(value)}"
            for name, value in zip(self.routes.by, route_key(list(values), self.routes.datatypes), strict=True)
        )
        if route is not None:
            return f"row {row}: there is no model for {named}: {route.reason or 'it failed'}"
        known = [one for one in self.routes.routes if one.file]
        shown = "; ".join(", ".join(map(word, one.key)) for one in known[:KEYS_NAMED])
        more = f" and {len(known) - KEYS_NAMED:,} more" if len(known) > KEYS_NAMED else ""
        return f"row {row}: there is no model for {named}; there are models for {shown}{more}"

    def _answer(
        self, route: Route, rows: Tensor | None, outputs: Sequence[str], feeds: Mapping[str, Tensor], options: Any
    ) -> list[Tensor]:
        given = {fed.name: _fed(fed, feeds, rows) for fed in route.inputs}
        answers = self._session(route).run([route.outputs[name] for name in outputs], given, options)
        return [self._widened(name, route, np.asarray(answer)) for name, answer in zip(outputs, answers, strict=True)]

    def _widened(self, name: str, route: Route, answer: Tensor) -> Tensor:
        """An answer in the form that all models share: its type, and for probabilities a column for each class."""
        datatype = self.routes.outputs[name]
        if datatype == "BYTES":
            return answer if answer.dtype == object else answer.astype(str).astype(object)
        answer = answer.astype(DTYPES[datatype], copy=False)
        if answer.ndim < 2 or not route.places:
            return answer
        wide = np.zeros((len(answer), self.routes.classes), dtype=answer.dtype)
        wide[:, route.places] = answer
        return wide

    def _session(self, route: Route) -> ort.InferenceSession:
        with self._lock:
            held = self._held.get(route.file)
            if held is not None:
                self._held.move_to_end(route.file)
                return held[0]
            from jupyter_mlstudio.onnx.session import open_session

            model = self._read(route)
            cost = SESSION_BYTES + PER_BYTE * len(model)
            while self._held and sum(one[1] for one in self._held.values()) + cost > self._held_bytes:
                self._held.popitem(last=False)
            session = open_session(model, self._threads)
            self._held[route.file] = (session, cost)
            return session

    def _read(self, route: Route) -> bytes:
        try:
            model = self._archive.read(route.file)
        except (zipfile.BadZipFile, EOFError, OSError) as error:
            raise Invalid(f"{route.file} is not whole") from error
        if hashlib.sha256(model).hexdigest() != route.sha256:
            raise Conflict(f"digest mismatch: {route.file} is not the model that was registered; register it again")
        return model


def open_file(path: Path, sha256: str, threads: int = 1, held_bytes: float = HELD_BYTES) -> Session:
    """Opens what a version serves, an ONNX file or an archive of many, once, as it was registered.

    Raises:
        Conflict: it is another file than the one that was registered.
        Invalid: it cannot be read or loaded.
    """
    if path.name == FILE:
        return RoutedSession(path, sha256, threads, held_bytes)
    from jupyter_mlstudio.onnx.session import open_session

    try:
        model = path.read_bytes()
    except OSError as error:
        raise Invalid(f"the ONNX file {path.name} cannot be read: {error.strerror}") from error
    if hashlib.sha256(model).hexdigest() != sha256:
        raise Conflict(_CHANGED)
    session: Session = open_session(model, threads)
    return session


def _fed(fed: Fed, feeds: Mapping[str, Tensor], rows: Tensor | None) -> Tensor:
    """An input for one model: its rows of its columns, in its own type."""
    columns = [_cast(name, feeds[name] if rows is None else feeds[name][rows], fed.datatype, rows)
               for name in fed.columns]  # fmt: skip
    return columns[0] if len(columns) == 1 else np.concatenate(columns, axis=1)


def _cast(name: str, given: Tensor, datatype: str, rows: Tensor | None) -> Tensor:
    """Values as another type, never changed silently."""
    wanted = np.dtype(DTYPES[datatype])
    if given.dtype == wanted:
        return given
    with np.errstate(over="ignore", invalid="ignore"):
        made = given.astype(wanted)
        bad = np.isfinite(given) & ~np.isfinite(made) if wanted.kind == "f" else made != given
    if bad.any():
        at = int(np.argwhere(bad)[0][0])
        row = at if rows is None else int(rows[at])
        raise Invalid(
            f"row {row}: {name!r} is {given.reshape(-1)[at].item()!r}; the model of this row takes it as {datatype}"
        )
    return made


def _empty(count: int, answer: Tensor) -> Tensor:
    return np.empty((count, *answer.shape[1:]), dtype=answer.dtype)
