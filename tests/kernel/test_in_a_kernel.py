"""The magics in a real kernel, asked over its own protocol as JupyterLab asks it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

from jupyter_mlstudio.client.card import MIME
from tests.client.gateway import Gateway

ROOT = Path(__file__).parents[2]


class Kernel:
    """A kernel in the folder of a workspace, whose studio is a small server."""

    def __init__(self, folder: Path, gateway: Gateway) -> None:
        import os

        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "MLSTUDIO_URL": gateway.url,
            "MLSTUDIO_TOKEN": gateway.token,
            "JPY_SESSION_NAME": str(folder / "quickstart.ipynb"),
        }
        self.manager, self.client = start_new_kernel(cwd=str(folder), env=environment)

    def execute(self, code: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Executes a cell; answers its reply and what it published."""
        published: list[dict[str, Any]] = []
        message = self.client.session.msg(
            "execute_request",
            {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False},
            metadata={"cellId": "cell-7"},
        )
        self.client.shell_channel.send(message)
        while True:
            found = self.client.get_iopub_msg(timeout=60)
            if found["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            if found["msg_type"] == "status" and found["content"]["execution_state"] == "idle":
                break
            published.append({"type": found["msg_type"], **found["content"]})
        while True:  # the answer to a question of its start may come late
            reply = self.client.get_shell_msg(timeout=60)
            if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                return reply["content"], published


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[tuple[Kernel, Gateway]]:
    (tmp_path / ".mlstudio").mkdir()
    with Gateway() as gateway:
        kernel = Kernel(tmp_path, gateway)
        yield kernel, gateway
        kernel.client.stop_channels()
        kernel.manager.shutdown_kernel(now=True)
        kernel.client.context.destroy()


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_a_cell_becomes_a_run_that_knows_its_notebook_and_shows_its_card(kernel: tuple[Kernel, Gateway]) -> None:
    one, gateway = kernel
    one.execute("%load_ext jupyter_mlstudio")

    reply, published = one.execute("%%ml_submit --name forest\nprint(1)")

    assert reply["status"] == "ok"
    origin = gateway.submitted[0]["origin"]
    assert (origin["notebook"], origin["cell_id"], origin["cell_number"]) == ("quickstart.ipynb", "cell-7", 2)
    (shown,) = [message for message in published if message["type"] == "execute_result"]
    assert set(shown["data"]) == {MIME, "text/html", "text/plain"}
    assert shown["data"][MIME]["run_id"] == "run2"

    reply, published = one.execute("%ml_run nope")

    assert (reply["status"], reply["ename"]) == ("error", "MLStudioError")
    (error,) = [message for message in published if message["type"] == "error"]
    assert error["traceback"] == ["there is no runs/nope"]
