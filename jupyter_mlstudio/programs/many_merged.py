"""What many models take and answer together: the key, each column that one of them takes, the classes of all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jupyter_mlstudio.entities.models import ParityReport, Signature, TensorSpec
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.onnx.routes import Fed, Route, route_key
from jupyter_mlstudio.onnx.tensors import DTYPES
from jupyter_mlstudio.plugins.converters.base import Prediction

CHOICES = 1000
"""So many values of a column of the key are told."""


@dataclass(slots=True)
class Piece:
    """One part's model: its key, what it takes, some rows by the names in its graph, and its answers to them."""

    key: list[JSON]
    signature: Signature
    feeds: dict[str, Any]
    expected: Prediction
    parity: ParityReport
    framework: str
    file: str = ""
    sha256: str = ""

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return len(next(iter(self.feeds.values())))

    def columns(self) -> dict[str, tuple[str, Any]]:
        """Datatype and values ``(n_rows, 1)`` of each column by its name."""
        found: dict[str, tuple[str, Any]] = {}
        for spec in self.signature.inputs:
            values = self.feeds[spec.onnx_name or spec.name]
            names = spec.columns or [spec.name]
            if values.ndim != 2 or values.shape[1] != len(names):
                raise Invalid(f"the input {spec.name!r} is no table of named columns: rows cannot be routed to it")
            found |= {name: (spec.datatype, values[:, [at]]) for at, name in enumerate(names)}
        return found


@dataclass(frozen=True, slots=True)
class Merged:
    """All of them: signature, routes, the datatypes of the key, rows by column, answers, each part's first row."""

    signature: Signature
    routes: list[Route]
    datatypes: list[str]
    feeds: dict[str, Any]
    expected: Prediction
    firsts: list[int] = field(default_factory=list)


def merged(by: Sequence[str], pieces: Sequence[Piece], without: Sequence[Sequence[JSON]] = ()) -> Merged:
    """Puts models together.

    Args:
        by: the columns of the key.
        without: keys that have no model; they count for the key's datatypes.

    Raises:
        Invalid: a column is text for one and a number for another, or two keys cannot be told apart in a request.
    """
    keys = [piece.key for piece in pieces]
    datatypes = [_of_key([key[at] for key in [*keys, *without]]) for at in range(len(by))]
    seen: set[tuple[object, ...]] = set()
    for key in [*keys, *without]:
        plain = route_key(list(key), datatypes)
        if plain in seen:
            raise Invalid(f"a missing value of {', '.join(by)} and an empty text cannot be told apart in a request")
        seen.add(plain)
    columns = [piece.columns() for piece in pieces]
    kinds: dict[str, str] = {}
    for found in columns:
        for name, (datatype, _) in found.items():
            if name in by:
                raise Invalid(f"the column {name!r} is both what the parts are split by and a feature")
            kinds[name] = datatype if name not in kinds else _wider(name, kinds[name], datatype)
    for name, kind in kinds.items():
        if kind != "BYTES" and not all(name in found for found in columns):
            kinds[name] = kind if kind.startswith("FP") else "FP64"  # so that it can be missing for the others
    labels = _labels([piece.signature.labels for piece in pieces])
    inputs = [
        TensorSpec(name=name, datatype=datatype, shape=[-1, 1], choices=_choices([key[at] for key in keys]))
        for at, (name, datatype) in enumerate(zip(by, datatypes, strict=True))
    ]
    inputs += [TensorSpec(name=name, datatype=kind, shape=[-1, 1]) for name, kind in kinds.items()]
    outputs = _outputs(pieces, len(labels))
    signature = Signature(
        inputs=inputs, outputs=outputs, task=pieces[0].signature.task, labels=labels, routed_by=list(by)
    )
    firsts = np.cumsum([0, *(piece.rows for piece in pieces)])[:-1].tolist()
    return Merged(
        signature, [_route(piece, labels) for piece in pieces], datatypes,
        _feeds(by, datatypes, kinds, pieces, columns), _expected(pieces, labels), firsts,
    )  # fmt: skip


def _of_key(values: Sequence[JSON]) -> str:
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, bool) for value in known) and len(known) == len(values):
        return "BOOL"
    if known and all(isinstance(value, int | float) and not isinstance(value, bool) for value in known):
        whole = all(isinstance(value, int) for value in values)
        return "INT64" if whole else "FP64"
    return "BYTES"


def _wider(name: str, one: str, other: str) -> str:
    """The datatype that holds the numbers of both."""
    if one == other:
        return one
    if "BYTES" in (one, other):
        raise Invalid(
            f"the column {name!r} is text in some parts and a number in others: give its type, so that all take it as"
            " the same, with column_name_and_types of featurization"
        )
    return "FP64" if "FP" in one + other else "INT64"


def _choices(values: Sequence[JSON]) -> list[str]:
    words = ["true" if value is True else "false" if value is False else str(value)
             for value in values if value is not None]  # fmt: skip
    return list(dict.fromkeys(words))[:CHOICES]


def _labels(each: Sequence[list[str]]) -> list[str]:
    """The classes of all, numbers in their order."""
    found = list(dict.fromkeys(label for labels in each for label in labels))
    if all(labels == each[0] for labels in each):
        return found
    try:
        return sorted(found, key=float)
    except ValueError:
        return sorted(found)


def _outputs(pieces: Sequence[Piece], classes: int) -> list[TensorSpec]:
    found: dict[str, TensorSpec] = {}
    for piece in pieces:
        for spec in piece.signature.outputs:
            before = found.get(spec.name)
            datatype = spec.datatype if before is None or before.datatype == spec.datatype else (
                "BYTES" if "BYTES" in (before.datatype, spec.datatype) else "FP64")  # fmt: skip
            shape = [-1, classes] if spec.name == "probabilities" and classes else spec.shape
            found[spec.name] = TensorSpec(name=spec.name, datatype=datatype, shape=shape)
    common = set.intersection(*({spec.name for spec in piece.signature.outputs} for piece in pieces))
    return [spec for name, spec in found.items() if name in common]


def _route(piece: Piece, labels: list[str]) -> Route:
    inputs = [
        Fed(name=spec.onnx_name or spec.name, datatype=spec.datatype, columns=spec.columns or [spec.name])
        for spec in piece.signature.inputs
    ]
    outputs = {spec.name: spec.onnx_name or spec.name for spec in piece.signature.outputs}
    places = [labels.index(label) for label in piece.signature.labels]
    return Route(
        key=piece.key, file=piece.file, sha256=piece.sha256, inputs=inputs, outputs=outputs,
        places=[] if places == list(range(len(labels))) else places,
    )  # fmt: skip


def _feeds(
    by: Sequence[str], datatypes: Sequence[str], kinds: dict[str, str], pieces: Sequence[Piece],
    columns: Sequence[dict[str, tuple[str, Any]]],
) -> dict[str, Any]:  # fmt: skip
    """The rows of all, one after the other. A column that a model does not take has nothing in its rows."""
    feeds: dict[str, Any] = {}
    for at, (name, datatype) in enumerate(zip(by, datatypes, strict=True)):
        feeds[name] = np.concatenate([_filled(piece.key[at], datatype, piece.rows) for piece in pieces])
    for name, kind in kinds.items():
        nothing: JSON = None if kind.startswith("FP") or kind == "BYTES" else 0
        feeds[name] = np.concatenate([
            found[name][1].astype(DTYPES[kind]) if name in found else _filled(nothing, kind, piece.rows)
            for piece, found in zip(pieces, columns, strict=True)
        ])  # fmt: skip
    return feeds


def _filled(value: JSON, datatype: str, rows: int) -> Any:
    plain = route_key([value], [datatype])[0]
    return np.full((rows, 1), np.nan if plain is None else plain, dtype=DTYPES[datatype])


def _expected(pieces: Sequence[Piece], labels: list[str]) -> Prediction:
    first = pieces[0].expected
    if first.labels is None:
        return Prediction(values=np.concatenate([np.asarray(piece.expected.values) for piece in pieces]))
    kinds = {np.asarray(piece.expected.labels).dtype.kind for piece in pieces}
    found = [np.asarray(piece.expected.labels) for piece in pieces]
    names = np.concatenate([one if len(kinds) == 1 else one.astype(str) for one in found])
    if any(piece.expected.probabilities is None for piece in pieces):
        return Prediction(labels=names)
    wide = []
    for piece in pieces:
        given = np.asarray(piece.expected.probabilities)
        one = np.zeros((len(given), len(labels)))
        one[:, [labels.index(label) for label in piece.signature.labels]] = given
        wide.append(one)
    return Prediction(labels=names, probabilities=np.concatenate(wide))
