from __future__ import annotations

import socket
import sys

import pytest

from jupyter_mlstudio.programs.sweep_loader import Loader

pytestmark = pytest.mark.timeout(20)


def test_what_was_read_already_is_not_waited_for() -> None:
    near, far = socket.socketpair()
    loader = Loader({"threads": 1}, sys.executable)
    loader.link = near
    with near, far:
        far.sendall(b'{"ended": 7, "status": -9}\n{"en')
        assert loader.messages() == [{"ended": 7, "status": -9}]
        assert loader.messages() == []
        far.sendall(b'ded": 8, "status": 0}\n')
        assert loader.messages() == [{"ended": 8, "status": 0}]
        far.close()
        assert loader.messages() == []
        assert loader.link is None
