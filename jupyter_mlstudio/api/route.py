"""What a route is: a path, the types that go in and out, and the function that answers.

A host (the Jupyter server, a run's gateway) reads path, query and body through these types, calls ``handler`` and
writes its answer. Handlers know no web framework.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from jupyter_mlstudio.errors import StudioError

if TYPE_CHECKING:
    from jupyter_mlstudio.studio import Studio

PREFIX = "mlstudio/api/v1"
BODY_LIMIT_BYTES = 4 * 1024 * 1024


class Body(BaseModel):
    """Base of request bodies: strict types, no unknown fields."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class Query(BaseModel):
    """Base of query strings: text is read as the declared type, unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class NoQuery(Query):
    """A route without query parameters."""


class NoBody(Body):
    """A route whose body, if any, is an empty object."""


Q = TypeVar("Q", bound=Query)
B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. ``run_id`` is set when the token is good for one run and its children only.

    ``ends`` are the addresses of the connection's two ends, the caller's first, when it is a TCP connection.
    """

    user: str
    run_id: str | None = None
    ends: tuple[tuple[str, int], tuple[str, int]] | None = None


@dataclass(frozen=True, slots=True)
class Call(Generic[Q, B]):
    """One request, read and checked. ``if_match`` is the etag that the caller holds, ``request_id`` its own name for
    the request, if it sent one."""

    path: Mapping[str, str]
    query: Q
    body: B
    caller: Caller
    if_match: int | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class FileAnswer:
    """An answer that is a file's bytes, always sent as an attachment, never for the browser to render.

    ``handle`` is a descriptor of the file, opened safely; the host closes it.
    """

    handle: int
    size_bytes: int
    name: str
    media_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class StreamAnswer:
    """An answer whose bytes are made while they are sent, as an attachment; its length is not known before."""

    name: str
    pieces: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class TextAnswer:
    """An answer that is a line of plain text."""

    text: str


@dataclass(frozen=True, slots=True)
class JsonAnswer:
    """An answer that is JSON already, of the type that its route declares."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Wire:
    """How a family of routes that speaks another tool's protocol differs from the studio's own.

    Args:
        refusal: writes an error; returns the HTTP status and the body.
        bare_nan: whether bodies may hold NaN and infinities as bare words; types still say where.
    """

    refusal: Callable[[StudioError], tuple[int, bytes]]
    bare_nan: bool = False


@dataclass(frozen=True, slots=True)
class Discarded:
    """A body that is not looked at, whatever it holds."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A body that the host streamed into a temporary file, which the handler moves or the host removes."""

    path: Path
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation.

    Args:
        method: HTTP method.
        path: below :data:`PREFIX`; ``{name}`` is one segment, ``{name*}`` the rest of the path.
        operation: the operation's name, unique, as the OpenAPI document and the clients use it.
        handler: answers a :class:`Call`.
        action: ``read``, ``write`` or ``execute``, for Jupyter's authorizer.
        resource: the noun, authorised as ``jupyter_mlstudio:<resource>``.
        answer: type of the answer; None for none (204), ``FileAnswer`` for a file.
        query, body: types of what goes in; ``Upload`` as body takes raw bytes.
        status: HTTP status of success.
        gateway: whether a run's own token may call it; ``{run_id}`` in the path must then be that run or a child of it.
        body_limit_bytes: largest body that is read.
        wire: of a family of routes that does not speak the studio's own way.
    """

    method: str
    path: str
    operation: str
    handler: Callable[[Studio, Call[Any, Any]], Any]
    action: str
    resource: str
    answer: Any
    query: type[Query] = NoQuery
    body: type = NoBody
    status: int = 200
    gateway: bool = False
    body_limit_bytes: int = BODY_LIMIT_BYTES
    wire: Wire | None = None

    @property
    def summary(self) -> str:
        """First line of the handler's docstring."""
        return (self.handler.__doc__ or "").strip().splitlines()[0]
