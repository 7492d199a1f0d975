"""A gateway that a test asks, served from a thread."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from jupyter_mlstudio.api.route import PREFIX
from jupyter_mlstudio.runner.gateway import serve
from jupyter_mlstudio.runner.listening import listen
from jupyter_mlstudio.studio import Studio
from tests.server import Answer, send

TOKEN = "a-token-of-this-run"


class Gateway:
    """Asks a gateway."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        given = {"Host": f"127.0.0.1:{self.port}", "Authorization": f"Bearer {TOKEN}", "Connection": "close"}
        raw = b"" if body is None else json.dumps(body).encode()
        given |= {"Content-Type": "application/json", "Content-Length": str(len(raw))} if body is not None else {}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{method} /{path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items() if value != "-")]
        return send(self.port, "\r\n".join(lines).encode() + b"\r\n\r\n" + raw, method)

    def api(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        return self.ask(method, f"{PREFIX}/{path}", body, **headers)


@contextmanager
def serving(studio: Studio, run_id: str | None) -> Iterator[Gateway]:
    """Serves a studio as a supervisor (with a run) or a door (without) does, from a thread."""
    loop = asyncio.new_event_loop()
    listener = listen()
    ready = threading.Event()

    def work() -> None:
        asyncio.set_event_loop(loop)

        async def begin() -> None:
            serve(listener, lambda: studio, token=TOKEN, user="tester", run_id=run_id)
            ready.set()

        loop.run_until_complete(begin())
        loop.run_forever()
        loop.close()

    thread = threading.Thread(target=work)
    thread.start()
    assert ready.wait(10)
    try:
        yield Gateway(listener.getsockname()[1])
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        listener.close()
