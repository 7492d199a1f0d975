"""What both hosts share: one Tornado handler that reads a call, asks the table in a thread, and writes the answer.

A host derives from :class:`StudioHandler` and says who the caller is and which studio is meant.
"""

from __future__ import annotations

import asyncio
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tornado import web
from tornado.iostream import StreamClosedError

from jupyter_mlstudio.api import audited, patience
from jupyter_mlstudio.api.incoming import Incoming
from jupyter_mlstudio.api.reader import checked_segment, read_body, read_query, write_answer, write_error
from jupyter_mlstudio.api.route import (
    Call,
    Caller,
    Discarded,
    FileAnswer,
    Route,
    StreamAnswer,
    TextAnswer,
    Upload,
    Wire,
)
from jupyter_mlstudio.errors import (
    Forbidden,
    Invalid,
    NotFound,
    StudioError,
    TooLarge,
    Unauthorized,
    Unavailable,
    Unsupported,
)

if TYPE_CHECKING:
    from jupyter_mlstudio.studio import Studio

POOL = ThreadPoolExecutor(max_workers=16, thread_name_prefix="mlstudio")
WRITERS = ThreadPoolExecutor(max_workers=16, thread_name_prefix="mlstudio-write")
"""Apart from the readers, who would wait behind them while somebody holds the database."""
QUEUE_S = 0.75
"""How long a write waits for a thread: together with the database's own patience that stays below 6 s."""
CHUNK_BYTES = 256 * 1024


@web.stream_request_body
class StudioHandler(web.RequestHandler, ABC):
    """Answers the routes of one path. The body is read piece by piece, so that a limit holds before memory is spent."""

    routes: dict[str, Route]

    def initialize(self, routes: dict[str, Route]) -> None:
        """Takes the routes of this path, by method."""
        self.routes = routes
        self._received = bytearray()
        self._upload: Any = None
        self._refused: StudioError | None = None
        self._left = False

    @abstractmethod
    def caller(self) -> Caller:
        """Returns who asks; hosts say how that is known."""

    @abstractmethod
    def studio_for(self, workspace: str | None) -> Studio:
        """Returns the studio of a workspace; hosts know which there are."""

    async def run(self, work: Callable[[], Any], *, writes: bool = False) -> Any:
        """Does blocking work in a thread: the only place where the event loop hands work over."""
        if writes:
            return await asyncio.get_running_loop().run_in_executor(WRITERS, _in_time(work))
        return await asyncio.get_running_loop().run_in_executor(POOL, work)

    async def prepare(self) -> None:
        """Refuses a body that is too large before it is read."""
        done = super().prepare()
        if isinstance(done, Awaitable):
            await done
        route = self.routes.get(self.request.method or "")
        if self._finished or route is None:
            return
        length = self.request.headers.get("Content-Length", "0")
        if length.isdigit() and int(length) > route.body_limit_bytes:
            self._refused = TooLarge(f"the body is over {route.body_limit_bytes:,} bytes")
            self.set_header("Connection", "close")
            self._write_error(self._refused)
            await self.finish()

    async def data_received(self, chunk: bytes) -> None:
        """Takes a piece of the body."""
        route = self.routes.get(self.request.method or "")
        if route is None or self._refused is not None:
            return
        if route.body is Upload:
            await self.run(lambda: self._take_piece(route, chunk))
        elif len(self._received) + len(chunk) > route.body_limit_bytes:
            self._refused = TooLarge(f"the body is over {route.body_limit_bytes:,} bytes")
        else:
            self._received += chunk

    async def answer(self, route: Route, path: dict[str, str]) -> None:
        """Does one operation and writes its answer; a refusal is written as its code and sentence."""
        try:
            if self._refused is not None:
                raise self._refused
            arguments = {name: list(values) for name, values in self.request.query_arguments.items()}
            workspace = arguments.pop("workspace", [b""])[0].decode("utf-8", "replace") or None
            arguments.pop("token", None)
            call = self._call(route, path, arguments)
            studio = await self.run(lambda: self.studio_for(workspace))
            value = await self._value(route, studio, call)
        except StudioError as error:
            self._write_error(error)
            return
        finally:
            self._drop_upload()
        self.set_status(route.status)
        if isinstance(value, FileAnswer):
            await self._send_file(value)
        elif isinstance(value, StreamAnswer):
            await self._send_stream(value)
        elif isinstance(value, TextAnswer):
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.set_header("X-Content-Type-Options", "nosniff")
            self.write(value.text)
        elif route.answer is not None:
            self.set_header("Content-Type", "application/json")
            self.write(await self.run(lambda: write_answer(value)) if isinstance(value, list) else write_answer(value))

    async def _value(self, route: Route, studio: Studio, call: Call[Any, Any]) -> Any:
        """Asks; where the caller holds the answer already and would wait, again until it is another one."""
        held = self.request.headers.get("If-None-Match", "")
        wait_s = patience.wait_s(self.request.headers.get("Prefer", "")) if held and route.method == "GET" else 0.0
        if not wait_s:
            return await self.run(lambda: self._answer(route, studio, call), writes=route.action != "read")
        waiting = patience.Waiting(
            self.run, ask=lambda: self._answer(route, studio, call), seq=studio.changes.seq, left=lambda: self._left
        )
        return await waiting.answer(held, wait_s)

    def _answer(self, route: Route, studio: Studio, call: Call[Any, Any]) -> Any:
        try:
            call = self._resolved(route, studio, call)
            value = route.handler(studio, call)
        except StudioError as error:
            audited.tell(studio, route, call, error)
            raise
        audited.tell(studio, route, call)
        return value

    def _resolved(self, route: Route, studio: Studio, call: Call[Any, Any]) -> Call[Any, Any]:
        """Turns a name or a short id of a run into its id, and keeps a run's token to that run and its children."""
        if "run_id" not in call.path:
            return call
        with studio.database.read() as connection:
            run_id = studio.runs.row(connection, call.path["run_id"]).id
        mine = call.caller.run_id
        if mine is not None and not studio.runs.is_within(run_id, mine):
            raise Forbidden("this run's token is good for this run and its children only")
        return replace(call, path={**call.path, "run_id": run_id})

    def _call(self, route: Route, path: dict[str, str], arguments: dict[str, list[bytes]]) -> Call[Any, Any]:
        checked = {name: checked_segment(name, value) for name, value in path.items()}
        body: Any
        if route.body is Upload:
            body = self._finished_upload()
        elif route.body is Discarded:
            body = Discarded()
        else:
            body = read_body(route, bytes(self._received), self.request.headers.get("Content-Type", ""))
        query = read_query(route.query, arguments)
        named = self.request.headers.get("X-Request-Id")
        return Call(path=checked, query=query, body=body, caller=self.caller(), if_match=self._etag(), request_id=named)

    def _etag(self) -> int | None:
        text = self.request.headers.get("If-Match")
        if text is None:
            return None
        text = text.strip().strip('"')
        if not text.isdigit() or len(text) > 18:
            raise Invalid("If-Match holds the etag number that was read")
        return int(text)

    def _take_piece(self, route: Route, chunk: bytes) -> None:
        try:
            if self._upload is None:
                self._upload = Incoming(self._upload_folder())
            self._upload.add(chunk, route.body_limit_bytes)
        except StudioError as error:
            self._refused = error
        except OSError as error:
            self._refused = Unavailable(f"the file could not be written: {os.strerror(error.errno or 0)}")

    def _upload_folder(self) -> Any:
        studio = self.studio_for(None)
        if "upload_id" in self.path_kwargs:
            return studio.models.sources.upload_folder(checked_segment("upload_id", self.path_kwargs["upload_id"]))
        run_id = checked_segment("run_id", self.path_kwargs.get("run_id", ""))
        with studio.database.read() as connection:
            run_id = studio.runs.row(connection, run_id).id
        return studio.artifacts.upload_folder(run_id)

    def _finished_upload(self) -> Upload:
        if self._upload is None:
            self._upload = Incoming(self._upload_folder())
        return self._upload.close()  # type: ignore[no-any-return]

    def _drop_upload(self) -> None:
        if self._upload is not None:
            self._upload.drop()
            self._upload = None

    def on_connection_close(self) -> None:
        """Forgets an upload that broke off, and waits for nothing any more."""
        self._left = True
        self._drop_upload()
        super().on_connection_close()

    def ends(self) -> tuple[tuple[str, int], tuple[str, int]] | None:
        """Returns the addresses of the connection, the caller's first; None when it is not TCP."""
        stream = getattr(self.request.connection, "stream", None)
        if stream is None or stream.socket is None:
            return None
        try:
            theirs, ours = stream.socket.getpeername(), stream.socket.getsockname()
        except OSError:
            return None
        return (theirs[:2], ours[:2]) if isinstance(theirs, tuple) else None

    def _wire(self) -> Wire | None:
        return next((route.wire for route in self.routes.values()), None)

    def _write_error(self, error: StudioError) -> None:
        wire = self._wire()
        status, body = (error.status, write_error(error)) if wire is None else wire.refusal(error)
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        if isinstance(error, Unavailable):
            self.set_header("Retry-After", str(error.retry_after_s))
        self.write(body)

    async def _send_file(self, answer: FileAnswer) -> None:
        """Sends a file as an attachment; a browser never renders it."""
        self.set_header("Content-Length", str(answer.size_bytes))
        self._set_attachment(answer.name)
        with os.fdopen(answer.handle, "rb") as file:
            left = answer.size_bytes
            while left and (piece := await self.run(partial(file.read, min(CHUNK_BYTES, left)))):
                left -= len(piece)
                self.write(piece)
                try:
                    await self.flush()
                except StreamClosedError:
                    return

    async def _send_stream(self, answer: StreamAnswer) -> None:
        """Sends bytes as they are made. When that fails midway the connection is cut, so that nobody takes a part for
        the whole."""
        self._set_attachment(answer.name)
        while (piece := await self.run(partial(next, answer.pieces, None))) is not None:
            self.write(piece)
            try:
                await self.flush()
            except StreamClosedError:
                return

    def _set_attachment(self, name: str) -> None:
        shown = name.encode("utf-8", "replace").decode()
        self.set_header("Content-Type", "application/octet-stream")
        self.set_header("Content-Disposition", f"attachment; filename*=UTF-8''{quote(shown, safe='')}")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", "sandbox; default-src 'none'")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answers what Tornado itself refuses in the same form, without a word of the failure's inside."""
        reason = HTTPStatus(status_code).phrase
        self.set_header("Content-Type", "application/json")
        wire = self._wire()
        if wire is not None:
            kind = _KINDS.get(status_code, Invalid if status_code < 500 else StudioError)
            self.finish(wire.refusal(kind(self._refusal(kwargs, reason)))[1])
            return
        codes = {403: "forbidden", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}
        code = codes.get(status_code, "invalid" if status_code < 500 else "internal")
        self.finish(write_answer({"code": code, "message": self._refusal(kwargs, reason)}))

    def _refusal(self, kwargs: dict[str, Any], reason: str) -> str:
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else None
        said = error.log_message if isinstance(error, web.HTTPError) and error.status_code < 500 else None
        return str(said or reason)


_KINDS: dict[int, type[StudioError]] = {
    401: Unauthorized, 403: Forbidden, 404: NotFound, 405: Unsupported, 413: TooLarge,
}  # fmt: skip


def _in_time(work: Callable[[], Any]) -> Callable[[], Any]:
    """Refuses work that has waited too long for its turn when it comes."""
    latest = time.monotonic() + QUEUE_S

    def begin() -> Any:
        if time.monotonic() > latest:
            raise Unavailable("more is written than the database takes now; try again")
        return work()

    return begin
