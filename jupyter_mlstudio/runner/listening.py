"""A free port on the loopback interface, opened before anything heavy is imported."""

from __future__ import annotations

import socket


def listen() -> socket.socket:
    """Opens a free port on the loopback interface."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    listener.setblocking(False)
    return listener
