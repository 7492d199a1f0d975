"""One small HTTP/1.1 client of the standard library: connections are kept, errors become :class:`StudioError`."""

from __future__ import annotations

import http.client
import json
import os
import select
import shutil
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, urlencode, urlsplit

from jupyter_mlstudio import errors
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import StudioError, Unavailable

PREFIX = "/mlstudio/api/v1/"
TIMEOUT_S = 30.0
WAIT_S = 5.0
"""So long the studio is asked to wait for a change before it answers that there was none."""

LOOK_S = 0.03
"""So often at most something that is followed is asked for, also where a studio of an earlier release does not wait."""

NOT_MODIFIED = 304
KEPT = 8
"""So many connections that nobody uses just now are kept open."""

_CUT = (http.client.HTTPException, ConnectionError, TimeoutError)


def segment(text: object) -> str:
    """Quotes a name as one segment of a path."""
    quoted = quote(str(text), safe="")
    return {".": "%2E", "..": "%2E%2E"}.get(quoted, quoted)


def file_path(path: str) -> str:
    """Quotes a path of several segments."""
    return "/".join(segment(part) for part in path.split("/") if part)


class Connection:
    """A studio at an address, and the right to ask it. Threads may share one; a forked child opens its own sockets.

    Args:
        url: root of the host, without the API's prefix.
        token: sent as bearer token.
        run_id: the run that the token is good for, None when it is good for the whole workspace.
        root: the workspace's root, None when only the one at the other end knows it.
        timeout_s: how long an answer is waited for, unless a call says otherwise.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        run_id: str | None = None,
        root: Path | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.url = url.rstrip("/")
        self.token = token
        self.run_id = run_id
        self.root = root
        self.timeout_s = timeout_s
        parts = urlsplit(self.url)
        self._secure = parts.scheme == "https"
        self._address = (parts.hostname or "127.0.0.1", parts.port)
        self._root = parts.path.rstrip("/") + PREFIX
        self._idle: deque[http.client.HTTPConnection] = deque()
        self._pid = os.getpid()

    def get(self, path: str, query: Mapping[str, object] | None = None, *, timeout_s: float | None = None) -> JSON:
        """Asks for a JSON answer."""
        return self._json("GET", path, query=query, timeout_s=timeout_s)

    def follow(self, path: str, timeout_s: float | None = None) -> Iterator[JSON]:
        """Yields the JSON answer at a path: again as soon as it has become another one, and every few seconds.

        Args:
            timeout_s: ends after so many seconds; None goes on for ever.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        held: dict[str, str] = {}
        found: JSON = None
        while True:
            asked_at = time.monotonic()
            with self._request("GET", path, None, held, again=True) as answer:
                content = answer.read()
            if answer.status != NOT_MODIFIED:
                held["If-None-Match"], found = answer.headers.get("Etag", ""), json.loads(content)
            yield found
            left_s = WAIT_S if deadline is None else deadline - time.monotonic()
            if left_s <= 0:
                return
            held["Prefer"] = f"wait={int(min(left_s, WAIT_S, self.timeout_s / 2))}"
            time.sleep(max(asked_at + LOOK_S - time.monotonic(), 0.0))

    def pages(self, path: str, query: Mapping[str, object], key: str = "items") -> Iterator[dict[str, JSON]]:
        """Yields the items of a list that comes in pages."""
        token: object = None
        while True:
            page = self.get(path, {**query, "page_token": token})
            yield from page[key]
            token = page.get("next_page_token")
            if not token:
                return

    def post(self, path: str, body: JSON = None, *, timeout_s: float | None = None, again: bool = False) -> JSON:
        """Sends a JSON body; ``again`` says that sending it twice does no harm."""
        return self._json("POST", path, _encode(body if body is not None else {}), timeout_s=timeout_s, again=again)

    def post_bytes(self, path: str, body: bytes, *, timeout_s: float | None = None) -> JSON:
        """Sends a JSON body that is encoded already and may be sent twice."""
        return self._json("POST", path, body, timeout_s=timeout_s, again=True)

    def put(self, path: str, body: JSON) -> JSON:
        """Replaces something by a JSON body."""
        return self._json("PUT", path, _encode(body), again=True)

    def patch(self, path: str, body: JSON) -> JSON:
        """Changes fields."""
        return self._json("PATCH", path, _encode(body), again=True)

    def delete(self, path: str, query: Mapping[str, object] | None = None) -> None:
        """Deletes something."""
        self._json("DELETE", path, query=query)

    def upload(self, path: str, content: BinaryIO, size_bytes: int) -> JSON:
        """Sends the bytes of a file as body."""
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size_bytes)}
        with self._request("PUT", path, content, headers, timeout_s=600.0) as answer:
            return json.loads(answer.read() or b"null")

    def download(self, path: str, to: Path) -> Path:
        """Writes a file's bytes to ``to``, whole or not at all."""
        temporary = to.with_name(f".{to.name}.{os.getpid()}.part")
        try:
            with self._request("GET", path, None, {}, timeout_s=600.0) as answer, temporary.open("wb") as file:
                shutil.copyfileobj(answer, file, 1 << 20)
            temporary.replace(to)
        finally:
            temporary.unlink(missing_ok=True)
        return to

    def close(self) -> None:
        """Closes the sockets that are kept; the next question opens one again."""
        while self._idle:
            with suppress(IndexError):
                self._idle.pop().close()

    def __del__(self) -> None:
        if hasattr(self, "_idle"):
            self.close()

    def _json(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        query: Mapping[str, object] | None = None,
        timeout_s: float | None = None,
        again: bool = False,
    ) -> JSON:
        if query:
            path += "?" + urlencode({key: value for key, value in query.items() if value not in (None, "")}, doseq=True)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        with self._request(method, path, body, headers, timeout_s=timeout_s, again=again or method == "GET") as answer:
            content = answer.read()
        return json.loads(content) if content else None

    @contextmanager
    def _request(
        self,
        method: str,
        path: str,
        body: bytes | BinaryIO | None,
        headers: Mapping[str, str],
        *,
        timeout_s: float | None = None,
        again: bool = False,
    ) -> Iterator[http.client.HTTPResponse]:
        headers = {**headers, "Authorization": f"Bearer {self.token}"}
        try:
            link, answer = self._send(method, path, body, headers, timeout_s or self.timeout_s, again)
        except (http.client.HTTPException, OSError) as error:
            raise self._silent(error) from error
        try:
            if answer.status >= 400:
                raise error_of(answer.status, answer.read())
            yield answer
        except _CUT as error:
            raise self._silent(error) from error
        finally:
            self._keep(link, answer)

    def _silent(self, error: Exception) -> Unavailable:
        return Unavailable(f"the studio at {self.url} does not answer ({str(error) or type(error).__name__})")

    def _send(
        self,
        method: str,
        path: str,
        body: bytes | BinaryIO | None,
        headers: Mapping[str, str],
        timeout_s: float,
        again: bool,
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        link = self._take_idle(timeout_s)
        reused = link is not None
        link = link or self._open(timeout_s)
        try:
            link.request(method, self._root + path, body, dict(headers))
            return link, link.getresponse()
        except TimeoutError:
            link.close()
            raise
        except (http.client.HTTPException, OSError):
            link.close()
            if not (reused and again and (body is None or isinstance(body, bytes))):
                raise
        except BaseException:
            link.close()
            raise
        # The host had closed the idle connection while we wrote to it: once more, on a new one.
        link = self._open(timeout_s)
        try:
            link.request(method, self._root + path, body, dict(headers))
            return link, link.getresponse()
        except BaseException:
            link.close()
            raise

    def _open(self, timeout_s: float) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        return kind(self._address[0], self._address[1], timeout=timeout_s)

    def _take_idle(self, timeout_s: float) -> http.client.HTTPConnection | None:
        if self._pid != os.getpid():
            self.close()
            self._pid = os.getpid()
        while True:
            try:
                link = self._idle.pop()
            except IndexError:
                return None
            if link.sock is not None and not _readable(link.sock.fileno()):
                link.sock.settimeout(timeout_s)
                return link
            link.close()

    def _keep(self, link: http.client.HTTPConnection, answer: http.client.HTTPResponse) -> None:
        if answer.isclosed() and not answer.will_close and self._pid == os.getpid() and link.sock is not None:
            self._idle.append(link)
            while len(self._idle) > KEPT:
                with suppress(IndexError):  # another thread was faster
                    self._idle.popleft().close()
        else:
            link.close()


def error_of(status: int, content: bytes) -> StudioError:
    """Makes the error that an answer ``{"code", "message"}`` stands for."""
    try:
        answer = json.loads(content)
        code, message = str(answer["code"]), str(answer["message"])
    except (ValueError, KeyError, TypeError):
        code, message = "", f"the studio answered with HTTP status {status}"
    known = _by_code()
    kind = known.get(code) or next((one for one in known.values() if one.status == status), StudioError)
    if kind is errors.MissingExtra:
        error: StudioError = StudioError(message)
        error.code, error.status = kind.code, kind.status
        return error
    return kind(message)


def _by_code() -> dict[str, type[StudioError]]:
    found: dict[str, type[StudioError]] = {}
    waiting: list[type[StudioError]] = [StudioError]
    while waiting:
        kind = waiting.pop(0)
        if kind.__module__ == errors.__name__:  # a room's own kind may have the code of the one that it is made of
            found[kind.code] = kind
        waiting += kind.__subclasses__()
    return found


def _encode(body: JSON) -> bytes:
    return json.dumps(body, allow_nan=False, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _readable(descriptor: int) -> bool:
    """An idle connection that can be read has been closed by the other side."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([descriptor], [], [], 0)[0])
