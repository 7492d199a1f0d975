"""The socket of a sweep's workers: in the run's folder, however long its path is, and whoever was killed there."""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path

import pytest

from jupyter_mlstudio.programs import sweep_socket


def told(path: Path, listener: socket.socket) -> bytes:
    """What a listener hears first from somebody who connects."""
    link = sweep_socket.connected(path)
    link.sendall(b"hello\nmore")
    heard, _ = listener.accept()
    try:
        return sweep_socket.read_line(heard, 5)
    finally:
        link.close()
        heard.close()


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a folder for temporary files would be made."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.parametrize("length", [1, 250])
def test_a_socket_is_in_its_folder_however_long_the_path_is(tmp_path: Path, elsewhere: Path, length: int) -> None:
    folder = tmp_path / ("x" * length)
    folder.mkdir()
    listener, path = sweep_socket.listening(folder / "s.sock")
    assert path == folder / "s.sock"
    assert path.is_socket()
    assert path.stat().st_mode & 0o077 == 0
    assert told(path, listener) == b"hello\n"
    assert not list(elsewhere.iterdir())
    sweep_socket.close(listener, path)
    assert not list(folder.iterdir())


def test_what_a_killed_program_left_there_is_taken_over(tmp_path: Path) -> None:
    left, path = sweep_socket.listening(tmp_path / "s.sock")
    left.close()  # the file stays, as after SIGKILL
    listener, again = sweep_socket.listening(path)
    assert again == path
    assert told(path, listener) == b"hello\n"
    sweep_socket.close(listener, path)


def test_where_there_can_be_no_socket_it_is_elsewhere_and_leaves_nothing(tmp_path: Path, elsewhere: Path) -> None:
    listener, path = sweep_socket.listening(tmp_path / "missing" / "s.sock")
    assert elsewhere in path.parents
    assert told(path, listener) == b"hello\n"
    sweep_socket.close(listener, path)
    assert not list(elsewhere.iterdir())


def test_a_connection_that_ends_in_mid_line_says_nothing() -> None:
    one, other = socket.socketpair()
    one.sendall(b"hel")
    one.close()
    assert sweep_socket.read_line(other, 5) == b""
    other.close()
