"""What the words of the terminal share: how they are added, and how answers are printed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from typing import Any

from jupyter_mlstudio.client.runs import Run
from jupyter_mlstudio.client.tables import aligned
from jupyter_mlstudio.entities.values import JSON

FAILED, MISUSED = 1, 2
"""Exit statuses: refused or failed, and not understood."""


def group(commands: Any, name: str, text: str) -> Any:
    """Adds a word that has words below it."""
    return commands.add_parser(name, help=text, description=text).add_subparsers(required=True, metavar="COMMAND")


def command(commands: Any, name: str, do: Callable[[argparse.Namespace], int | None], text: str) -> Any:
    """Adds a word that does something."""
    made = commands.add_parser(name, help=text, description=text)
    made.set_defaults(do=do)
    made.add_argument("--json", action="store_true", help="print JSON")
    return made


def say_run(run: Run, given: argparse.Namespace) -> None:
    """Prints a run in one line, or as JSON."""
    print_json(run.data) if given.json else print(f"{run.name} ({run.id}): {run.status.value}")


def print_json(value: JSON) -> None:
    """Prints JSON."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Prints rows below a head, in columns."""
    for line in aligned([[str(cell) for cell in row] for row in [head, *rows]]):
        if line:
            print(line)
