"""The archive of many models: its table of routes, and how it is read without trusting it.

A zip archive without compression: ``routes.json``, and each model as an ONNX file of its own.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import IO, Any

import msgspec

from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid

INDEX = "routes.json"
ROUTES_LIMIT = 20_000
INDEX_LIMIT_BYTES = 512 * 1024**2


@dataclass(frozen=True, kw_only=True, slots=True)
class Fed:
    """An input of one of the models: its name in the graph, and the columns of a request that it is made of."""

    name: str
    datatype: str
    columns: list[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """Where rows of a key go.

    Args:
        key: a value for each column of :attr:`Routes.by`; None is a missing one.
        file: name of the model in the archive; empty when there is none, and then ``reason`` says why.
        outputs: names in the graph by the names that a request knows.
        places: where the model's classes stand among those of all models.
    """

    key: list[JSON]
    file: str = ""
    sha256: str = ""
    reason: str = ""
    inputs: list[Fed] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    places: list[int] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class Routes:
    """The table of an archive: the key's columns, their V2 datatypes, each key's model, and how many classes there are.

    ``outputs`` are the datatypes of the answers by name.
    """

    by: list[str]
    datatypes: list[str]
    routes: list[Route]
    outputs: dict[str, str]
    classes: int = 0


def route_key(values: Sequence[JSON], datatypes: Sequence[str]) -> tuple[object, ...]:
    """A key in the one form in which keys are compared: a missing number is None, a missing text the empty one."""
    return tuple(_plain(value, datatype) for value, datatype in zip(values, datatypes, strict=True))


def _plain(value: Any, datatype: str) -> object:
    if datatype == "BYTES":
        return "" if value is None else str(value)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if datatype == "BOOL":
        return bool(value)
    return float(value) if datatype.startswith("FP") else int(value)


def open_archive(file: IO[bytes]) -> zipfile.ZipFile:
    """Opens an archive of models.

    Raises:
        Invalid: it is none, or compressed.
    """
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise Invalid("the file of many models is not a zip archive, or it is cut off") from error
    if any(one.compress_type != zipfile.ZIP_STORED or one.file_size != one.compress_size for one in archive.filelist):
        raise Invalid("the file of many models is compressed: it is kept as it is")
    return archive


def read_routes(archive: zipfile.ZipFile) -> Routes:
    """Reads an archive's table, and makes sure that each route leads to a model of its own.

    Raises:
        Invalid: it is not there, not whole, or names what is not there.
    """
    try:
        if archive.getinfo(INDEX).file_size > INDEX_LIMIT_BYTES:
            raise Invalid(f"{INDEX} of the many models is too long")
        routes = msgspec.json.decode(archive.read(INDEX), type=Routes)
    except (KeyError, msgspec.MsgspecError, zipfile.BadZipFile) as error:
        raise Invalid(f"{INDEX} of the many models is missing or not whole") from error
    names = set(archive.namelist())
    files = [route.file for route in routes.routes if route.file]
    if not routes.by or not files or len(routes.routes) > ROUTES_LIMIT or not set(files) <= names:
        raise Invalid(f"{INDEX} of the many models names no key, no model, or models that are not there")
    keys = {route_key(route.key, routes.datatypes) for route in routes.routes}
    if len(keys) != len(routes.routes) or len(set(files)) != len(files):
        raise Invalid(f"{INDEX} of the many models names a key or a model twice")
    return routes


def word(value: object) -> str:
    """A value of a key, as a message has it."""
    return "missing" if value is None else repr(value)[:80]
