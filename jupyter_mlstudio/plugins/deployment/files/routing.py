"""Many models behind one: each row is answered by the model that its key names. Needs onnxruntime and numpy.

``models.zip`` holds ``routes.json`` and each model as an ONNX file of its own. A model is loaded, with its digest
checked, when the first row asks for it; beyond ``MLSTUDIO_HELD_MB`` (256 by default) those that were not asked for
longest make room.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

FILE = "models.zip"
SESSION_BYTES, PER_BYTE = 300_000, 6
"""About what a loaded model takes: at least the first, and so many times the bytes of its file."""

KEYS_NAMED = 5


class Routed:
    """Answers like one session of onnxruntime, safe in several threads.

    Args:
        path: the archive.
        types: numpy's types by V2 datatype.
        open_model: makes a session of an ONNX file's content.
    """

    def __init__(self, path: Path, types: Mapping[str, Any], open_model: Callable[[bytes], Any]) -> None:
        self._archive = zipfile.ZipFile(path)
        table = json.loads(self._archive.read("routes.json"))
        self._by: list[str] = table["by"]
        self._kinds: list[str] = table["datatypes"]
        self._outputs: dict[str, str] = table["outputs"]
        self._classes: int = table.get("classes", 0)
        self._table = {self._key(route["key"]): route for route in table["routes"]}
        self._types, self._open = types, open_model
        self._held: OrderedDict[str, tuple[Any, int]] = OrderedDict()
        self._held_bytes = float(os.environ.get("MLSTUDIO_HELD_MB", "256")) * 1e6
        self._lock = threading.Lock()

    def run(self, names: Sequence[str], feeds: Mapping[str, Any]) -> list[Any]:
        """Answers rows in the order in which they were given.

        Args:
            names: of the outputs.
            feeds: a tensor ``(n_rows, 1)`` for each column, those of the key too.

        Raises:
            ValueError: a key has no model, or a value does not fit the model of its row.
        """
        found: dict[str, Any] = {}
        count = len(next(iter(feeds.values())))
        for route, rows in self._groups(feeds):
            given = {one["name"]: self._fed(one, feeds, rows) for one in route["inputs"]}
            answers = self._session(route).run([route["outputs"][name] for name in names], given)
            for name, answer in zip(names, answers, strict=True):
                wide = self._widened(name, route, np.asarray(answer))
                found.setdefault(name, np.empty((count, *wide.shape[1:]), wide.dtype))[rows] = wide
        return [found[name] for name in names]

    def verify(self) -> int:
        """Reads every model and checks its digest; answers how many there are.

        Raises:
            ValueError: one is not the model that was packaged.
        """
        routes = [route for route in self._table.values() if route.get("file")]
        for route in routes:
            self._read(route)
        return len(routes)

    def _key(self, values: Sequence[Any]) -> tuple[Any, ...]:
        """A key in one form: a missing number is None, a missing text the empty one."""
        found: list[Any] = []
        for value, kind in zip(values, self._kinds, strict=True):
            if kind == "BYTES":
                found.append("" if value is None else str(value))
            elif value is None or (isinstance(value, float) and math.isnan(value)):
                found.append(None)
            else:
                found.append(bool(value) if kind == "BOOL" else float(value) if kind.startswith("FP") else int(value))
        return tuple(found)

    def _groups(self, feeds: Mapping[str, Any]) -> list[tuple[dict[str, Any], Any]]:
        rows_of: dict[tuple[Any, ...], list[int]] = {}
        columns = [feeds[name].reshape(-1).tolist() for name in self._by]
        for row, values in enumerate(zip(*columns, strict=True)):
            rows_of.setdefault(self._key(values), []).append(row)
        found = []
        for key, rows in rows_of.items():
            route = self._table.get(key)
            if route is None or not route.get("file"):
                raise ValueError(f"row {rows[0]}: {self._unknown(key, route)}")
            found.append((route, np.asarray(rows)))
        return found

    def _unknown(self, key: tuple[Any, ...], route: Mapping[str, Any] | None) -> str:
        named = ", ".join(f"{name}={_word(value)}" for name, value in zip(self._by, key, strict=True))
        if route is not None:
            return f"there is no model for {named}: {route.get('reason') or 'it failed'}"
        known = [one for one, route in self._table.items() if route.get("file")]
        shown = "; ".join(", ".join(map(_word, one)) for one in known[:KEYS_NAMED])
        more = f" and {len(known) - KEYS_NAMED:,} more" if len(known) > KEYS_NAMED else ""
        return f"there is no model for {named}; there are models for {shown}{more}"

    def _fed(self, fed: Mapping[str, Any], feeds: Mapping[str, Any], rows: Any) -> Any:
        wanted = np.dtype(self._types[fed["datatype"]])
        columns = []
        for name in fed["columns"]:
            given = feeds[name][rows]
            if given.dtype != wanted:
                with np.errstate(over="ignore", invalid="ignore"):
                    made = given.astype(wanted)
                    bad = np.isfinite(given) & ~np.isfinite(made) if wanted.kind == "f" else made != given
                if bad.any():
                    at = int(np.argwhere(bad)[0][0])
                    raise ValueError(
                        f"row {int(rows[at])}: {name!r} is {given.reshape(-1)[at].item()!r}; the model of this row"
                        f" takes it as {fed['datatype']}"
                    )
                given = made
            columns.append(given)
        return columns[0] if len(columns) == 1 else np.concatenate(columns, axis=1)

    def _widened(self, name: str, route: Mapping[str, Any], answer: Any) -> Any:
        """An answer in the form that all models share: its type, and for probabilities a column for each class."""
        kind = self._outputs[name]
        if kind == "BYTES":
            return answer if answer.dtype == object else answer.astype(str).astype(object)
        answer, places = answer.astype(self._types[kind], copy=False), route.get("places")
        if answer.ndim < 2 or not places:
            return answer
        wide = np.zeros((len(answer), self._classes), answer.dtype)
        wide[:, places] = answer
        return wide

    def _session(self, route: Mapping[str, Any]) -> Any:
        with self._lock:
            if route["file"] in self._held:
                self._held.move_to_end(route["file"])
                return self._held[route["file"]][0]
            model = self._read(route)
            cost = SESSION_BYTES + PER_BYTE * len(model)
            while self._held and sum(size for _, size in self._held.values()) + cost > self._held_bytes:
                self._held.popitem(last=False)
            self._held[route["file"]] = self._open(model), cost
            return self._held[route["file"]][0]

    def _read(self, route: Mapping[str, Any]) -> bytes:
        model = self._archive.read(route["file"])
        if hashlib.sha256(model).hexdigest() != route["sha256"]:
            raise ValueError(f"{route['file']} is not the model that was packaged")
        return model


def _word(value: Any) -> str:
    return "missing" if value is None else repr(value)[:80]
