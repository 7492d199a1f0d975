from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

from jupyter_mlstudio import errors
from jupyter_mlstudio.client import connection, workspace
from jupyter_mlstudio.client.connection import Door, connect
from jupyter_mlstudio.client.wire import KEPT, Connection, error_of, file_path, segment
from tests.client.gateway import Gateway

ROOT = Path(__file__).parents[2]


def test_one_socket_serves_many_questions() -> None:
    with Gateway() as gateway:
        link = Connection(gateway.url, gateway.token)
        for _ in range(5):
            assert link.get("runs/run1")["id"] == "run1"
        link.close()

    assert gateway.connections == 1


def test_threads_may_share_a_connection() -> None:
    found: list[str] = []
    with Gateway() as gateway:
        link = Connection(gateway.url, gateway.token)
        threads = [threading.Thread(target=lambda: found.append(link.get("runs/run1")["id"])) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        link.close()

    assert found == ["run1"] * 8


def test_of_the_sockets_that_many_threads_needed_at_once_only_a_few_stay_open() -> None:
    together = threading.Barrier(3 * KEPT, timeout=20)

    class Patient(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            together.wait()
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Patient) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        link = Connection(f"http://127.0.0.1:{server.server_port}", "x")
        threads = [threading.Thread(target=link.get, args=("runs",)) for _ in range(3 * KEPT)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        kept = [one for one in psutil.Process().net_connections() if one.raddr and one.raddr.port == server.server_port]
        link.close()
        server.shutdown()

    assert len([one for one in kept if one.status == psutil.CONN_ESTABLISHED]) <= KEPT
    gc.collect()  # what was left open would say so now, and fail the test


def test_a_studio_that_came_back_is_found_again_on_the_kept_connection() -> None:
    with Gateway() as gateway:
        link = Connection(gateway.url, gateway.token)
        link.get("runs/run1")
    with Gateway(port=gateway.port):
        assert link.get("runs/run1")["id"] == "run1"
        link.close()


def test_nothing_that_answers_is_unavailable() -> None:
    with pytest.raises(errors.Unavailable, match="does not answer"):
        Connection("http://127.0.0.1:1", "x").get("runs")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "invalid", errors.Invalid),
        (401, "unauthorized", errors.Unauthorized),
        (404, "not_found", errors.NotFound),
        (409, "conflict", errors.Conflict),
        (412, "stale", errors.Stale),
        (413, "too_large", errors.TooLarge),
        (503, "unavailable", errors.Unavailable),
        (507, "no_space", errors.NoSpace),
        (500, "internal", errors.StudioError),
        (404, "strange", errors.NotFound),
    ],
)
def test_an_error_keeps_its_kind_and_message(status: int, code: str, kind: type[errors.StudioError]) -> None:
    error = error_of(status, f'{{"code": "{code}", "message": "why"}}'.encode())

    assert type(error) is kind
    assert error.message == "why"


def test_an_error_keeps_its_kind_where_a_room_has_one_of_its_own_with_the_same_code() -> None:
    class Refused(errors.Invalid):
        """A kind with the code of the one that it is made of."""

    assert Refused.code == errors.Invalid.code
    assert type(error_of(400, b'{"code": "invalid", "message": "why"}')) is errors.Invalid


def test_an_answer_that_is_no_error_of_ours_is_told_by_its_status() -> None:
    assert type(error_of(502, b"<html>")) is errors.StudioError
    assert type(error_of(403, b"<html>")) is errors.Forbidden


def test_a_missing_library_is_told_as_the_studio_said_it() -> None:
    error = error_of(501, b'{"code": "missing_extra", "message": "pip install it"}')

    assert (error.code, error.message) == ("missing_extra", "pip install it")


def test_names_are_quoted_into_one_segment() -> None:
    assert segment("a/b?c#d e%") == "a%2Fb%3Fc%23d%20e%25"
    assert segment("..") == "%2E%2E"
    assert file_path("a b/c.txt") == "a%20b/c.txt"


def test_a_download_is_whole_or_not_there(tmp_path: Path) -> None:
    with Gateway() as gateway:
        gateway.files["a/b.bin"] = b"x" * 3_000_000
        link = Connection(gateway.url, gateway.token)
        assert link.download("runs/run1/files/a/b.bin", tmp_path / "b.bin").stat().st_size == 3_000_000
        with pytest.raises(errors.NotFound):
            link.download("runs/run1/files/gone", tmp_path / "gone")
        link.close()

    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["b.bin"]


def test_inside_a_run_the_gateway_is_talked_to(in_run: Gateway) -> None:
    assert connection.inside_run() == "run1"
    assert connect().url == in_run.url
    assert connect() is connect()


def test_a_door_that_does_not_open_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 'No module named jupyter_mlstudio' >&2\nexit 1\n")
    python.chmod(0o755)
    monkeypatch.setenv("MLSTUDIO_PYTHON", str(python))
    door = Door(tmp_path)
    with pytest.raises(errors.Unavailable, match="did not start: No module named jupyter_mlstudio"):
        door.connection()
    door.close()


def test_importing_the_package_imports_neither_jupyter_nor_a_data_library() -> None:
    heavy = "IPython jupyter_server sqlalchemy pydantic numpy pandas sklearn plotly matplotlib traitlets tornado"
    code = (
        "import sys, jupyter_mlstudio as s; s.submit, s.start_run, s.log_metric, s.Workspace, s.Run\n"
        f"print([name for name in {heavy.split()} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "[]"


def test_the_workspace_is_the_nearest_folder_with_mlstudio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / ".mlstudio").mkdir()
    monkeypatch.chdir(tmp_path / "a" / "b")
    assert workspace.find_root() == tmp_path / "a"

    monkeypatch.setenv("MLSTUDIO_WORKSPACE", str(tmp_path))
    assert workspace.find_root() == tmp_path


def test_without_a_workspace_the_servers_is_used_and_else_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path / "a")
    assert workspace.find_root() == tmp_path / "a"

    monkeypatch.setenv("MLSTUDIO_SERVER_WORKSPACE", str(tmp_path))
    assert workspace.find_root() == tmp_path


def test_a_written_config_finds_the_workspace_again_with_azures_three_keys(tmp_path: Path) -> None:
    from jupyter_mlstudio import Workspace

    (tmp_path / "ws" / ".mlstudio").mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    file = Workspace(tmp_path / "ws").write_config(elsewhere)

    assert workspace.read_config(file).keys() >= {"subscription_id", "resource_group", "workspace_name"}
    assert Workspace.from_config(elsewhere).root == tmp_path / "ws"
    with pytest.raises(errors.NotFound, match=r"no config\.json"):
        Workspace.from_config("/proc")
