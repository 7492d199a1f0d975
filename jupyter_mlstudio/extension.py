"""HOST 1: the Jupyter server app. Its start costs next to nothing: the studio itself loads with the first request."""

from __future__ import annotations

import asyncio
import getpass
import os
import secrets
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_server.extension.application import ExtensionApp
from jupyter_server.utils import url_path_join
from tornado import httputil
from tornado.routing import PathMatches, Router, Rule
from tornado.web import Application
from traitlets import Bool, Unicode

from jupyter_mlstudio.runner.listening import listen
from jupyter_mlstudio.workspace import Workspace

if TYPE_CHECKING:
    from tornado.httpserver import HTTPServer

    from jupyter_mlstudio.clock import Clock
    from jupyter_mlstudio.rooms import Rooms

EVENT_SCHEMA = Path(__file__).parent / "events" / "change.yaml"


class MLStudioApp(ExtensionApp):
    """ML studio in the Jupyter server."""

    serverapp: Any
    name = "jupyter_mlstudio"
    load_other_extensions = True
    workspace = Unicode(
        "", help="Root of the workspace; by default the nearest one at or above the server's root."
    ).tag(config=True)
    preset_mlflow = Bool(
        True, help="Whether kernels find MLFLOW_TRACKING_URI set, so that plain MLflow calls land in the studio."
    ).tag(config=True)

    def initialize_handlers(self) -> None:
        """Mounts everything below ``mlstudio/`` behind one rule that loads on first use."""
        base = self.serverapp.web_app.settings["base_url"]
        rule = Rule(PathMatches(url_path_join(base, r"/mlstudio/.*")), LazyRouter(self))
        Application.add_handlers(self.serverapp.web_app, ".*$", [rule])
        self.serverapp.event_logger.register_event_schema(EVENT_SCHEMA)
        self.settings["jupyter_mlstudio_app"] = self
        self._rooms: Rooms | None = None
        self._clock: Clock | None = None
        self._door: HTTPServer | None = None

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        """Presets what kernels inherit, and starts the clock when there are runs from before to look after."""
        self._preset_environment()
        if self.root_workspace().exists:
            self._wake = asyncio.get_running_loop().call_later(1.0, self.rooms)

    async def stop_extension(self) -> None:
        """Stops the clock; runs and endpoints go on."""
        if self._door is not None:
            self._door.stop()
        if self._clock is not None:
            await self._clock.stop()
        if self._rooms is not None:
            self._rooms.close()

    def root_workspace(self) -> Workspace:
        """Returns the server's own workspace."""
        root = Path(self.serverapp.root_dir)
        return Workspace(Path(self.workspace)) if self.workspace else Workspace.around(root)

    def rooms(self) -> Rooms:
        """Returns the open studios, and starts the clock with the first call."""
        if self._rooms is None:
            from jupyter_mlstudio.clock import Clock
            from jupyter_mlstudio.rooms import Rooms

            self._rooms = Rooms(self.root_workspace(), Path(self.serverapp.root_dir))
            self._clock = Clock(self._rooms, self._tell, self._busy)
            self._clock.start()
        return self._rooms

    def current_activity(self) -> dict[str, Any] | None:
        """Tells the server about live runs, so that it is not shut down for idleness while there are some."""
        live = self._clock.live if self._clock is not None else 0
        return {"live_runs": live} if live else None

    def _tell(self, seq: int, workspace_id: str) -> None:
        self.serverapp.event_logger.emit(
            schema_id="https://events.jupyter.org/jupyter_mlstudio/change/v1",
            data={"seq": seq, "workspace": workspace_id},
        )

    def _busy(self) -> None:
        self.serverapp.web_app.settings["last_activity_times"]["jupyter_mlstudio"] = datetime.now(UTC)

    def _preset_environment(self) -> None:
        """Sets what kernels inherit: the studio's interpreter, its workspace, and where MLflow finds it."""
        os.environ["MLSTUDIO_PYTHON"] = sys.executable
        os.environ["MLSTUDIO_SERVER_WORKSPACE"] = str(self.root_workspace().root)
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # onnxruntime reports to its maker otherwise
        if self.preset_mlflow and "MLFLOW_TRACKING_URI" not in os.environ:
            address, token = self._mlflow_address()
            os.environ["MLFLOW_TRACKING_URI"] = address
            os.environ.setdefault("MLFLOW_TRACKING_TOKEN", token)
            os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # of pages that are not there

    def _mlflow_address(self) -> tuple[str, str]:
        """Where plain MLflow calls of kernels go, and with which token.

        That is the server itself where it has a token. With a password, with JupyterHub, over TLS or on a Unix socket a
        kernel has nothing to show there, so it finds a port on loopback with a token of its own; what answers there is
        loaded when somebody calls.
        """
        server = self.serverapp
        token = str(getattr(server.identity_provider, "token", "") or "")
        if token and not server.certfile and not server.sock and "JUPYTERHUB_API_TOKEN" not in os.environ:
            return url_path_join(server.connection_url, "mlstudio/mlflow"), token
        own = secrets.token_urlsafe(32)
        listener = listen()
        asyncio.get_running_loop().add_reader(listener, self._open_door, listener, own)
        return f"http://127.0.0.1:{listener.getsockname()[1]}/mlstudio/mlflow", own

    def _open_door(self, listener: socket.socket, token: str) -> None:
        """Somebody has called at the port on loopback: from now on it is answered."""
        from jupyter_mlstudio.runner.gateway import serve

        asyncio.get_running_loop().remove_reader(listener)
        self._door = serve(listener, self.rooms().studio, token=token, user=getpass.getuser(), run_id=None)


class LazyRouter(Router):
    """Loads the table of routes with the first request that asks for one of them."""

    def __init__(self, app: MLStudioApp) -> None:
        self._app = app
        self._inner: Router | None = None

    def find_handler(self, request: httputil.HTTPServerRequest, **kwargs: Any) -> Any:
        """Finds the handler of a request."""
        if self._inner is None:
            from tornado.web import _ApplicationRouter

            from jupyter_mlstudio.handlers import rules

            web_app = self._app.serverapp.web_app
            self._inner = _ApplicationRouter(web_app, rules(self._app.rooms, web_app.settings["base_url"]))
        return self._inner.find_handler(request, **kwargs)
