"""Starts a supervisor (``run``), a door (``door``) or what forks supervisors (``warm``).

People use ``jupyter mlstudio`` instead.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from jupyter_mlstudio.entities.ending import end


def main(arguments: list[str] | None = None) -> int:
    """Reads the command line and does what it says."""
    parser = argparse.ArgumentParser(prog="python -m jupyter_mlstudio.runner", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="supervise one run")
    run.add_argument("--run", required=True)
    door = commands.add_parser("door", help="serve a workspace to one process")
    door.add_argument("--parent", type=int, required=True)
    for command in (run, door):
        command.add_argument("--workspace", type=Path, required=True)
    commands.add_parser("warm", help="begin supervisors of conversions when asked on standard input")
    given = parser.parse_args(arguments)
    if given.command == "run":
        from jupyter_mlstudio.runner.supervisor import main as supervise

        return supervise(given.workspace, given.run)
    if given.command == "warm":
        from jupyter_mlstudio.runner.warm import main as keep_warm

        return keep_warm()
    from jupyter_mlstudio.runner.door import main as open_door

    return open_door(given.workspace, given.parent)


if __name__ == "__main__":
    end(main())
