"""A process that is ended at once has said everything, and answers its status."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import atexit, sys, threading, time
from jupyter_mlstudio.entities.ending import end
atexit.register(lambda: print("taken apart"))
threading.Thread(target=time.sleep, args=(60,)).start()
sys.stdout.write("said without a line's end")
sys.stderr.write("complained")
end(3)
"""


def test_what_was_said_is_written_and_nothing_is_waited_for() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False, timeout=30)

    assert (done.returncode, done.stdout, done.stderr) == (3, "said without a line's end", "complained")
