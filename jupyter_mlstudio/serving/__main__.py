"""The scoring process: ``python -m jupyter_mlstudio.serving LISTENING_FD``, which a serve run starts.

It reads JSON lines from standard input, first a :class:`ServeConfig` and then :class:`Told`, and answers on standard
output: ``{"failed": reason}``, or ``{"ready": pid}`` and then its counts once a second, which is its sign of life, and
``{"want": deployment}`` when a request needs one that sleeps. It ends when its standard input does: that is how it
never outlives the process that started it, not even one killed with SIGKILL.
"""

from __future__ import annotations

import socket
import sys

import msgspec

from jupyter_mlstudio.entities.ending import end
from jupyter_mlstudio.errors import StudioError
from jupyter_mlstudio.serving.app import Application
from jupyter_mlstudio.serving.config import BARE, ServeConfig
from jupyter_mlstudio.serving.engine import Engine
from jupyter_mlstudio.serving.fellows import Fellows
from jupyter_mlstudio.serving.memory import loading
from jupyter_mlstudio.serving.process import Lines, Process, say, want
from jupyter_mlstudio.serving.relay import Relay
from jupyter_mlstudio.serving.stats import Stats


def main(descriptor: int) -> int:
    """Serves until standard input ends; exit status 3 when the model cannot be served, whoever tries again."""
    lines = Lines(sys.stdin.fileno())
    line = lines.next()
    if line is None:
        return 0
    listening = socket.socket(fileno=descriptor)
    application: Application | Relay
    try:
        config = msgspec.json.decode(line, type=ServeConfig)
        fellows = Fellows(config, want)
        port = listening.getsockname()[1]
        if config.kind == BARE:
            application = Relay(config, port, fellows)
        else:
            with loading(config.limits.memory_bytes):
                engine = Engine(config)
                application = Application(config, engine, port, Stats(config.requests, config.errors), fellows)
                engine.warm_up()
    except StudioError as error:
        say(failed=error.message)
        return 3
    Process(application, listening, lines).run()
    return 0


if __name__ == "__main__":
    end(main(int(sys.argv[1])))
