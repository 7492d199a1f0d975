"""``jupyter mlstudio``: the studio from a terminal, one module for each kind of word.

What concerns runs, models and endpoints goes through the same client as user code; what concerns the workspace
itself (``db``, ``openapi``, ``demo``) is done here.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from jupyter_mlstudio._version import __version__
from jupyter_mlstudio.cli import automl, batch, endpoints, models, runs, sweeps, workspace
from jupyter_mlstudio.cli.common import FAILED, MISUSED
from jupyter_mlstudio.errors import Invalid, StudioError
from jupyter_mlstudio.kernel.arguments import HelpShown


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what the command line says; returns the exit status: 0 done, 1 refused or failed, 2 misused."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if words[:1] == ["submit"]:
            return runs.submit_words(words[1:])
        if words[:1] == ["sweep"]:
            return sweeps.sweep_words(words[1:])
        if words[:1] == ["automl"]:
            return automl.automl_words(words[1:])
        given = parser().parse_args(words)
        result = given.do(given)
    except HelpShown:
        return 0
    except StudioError as error:
        print(f"mlstudio: {error.message}", file=sys.stderr)
        return MISUSED if isinstance(error, Invalid) else FAILED
    except KeyboardInterrupt:
        print("interrupted; runs go on", file=sys.stderr)
        return 130
    return int(result or 0)


def parser() -> argparse.ArgumentParser:
    """Builds the parser of all words but ``submit``, ``sweep`` and ``automl``, which have the magics' options."""
    made = argparse.ArgumentParser(prog="jupyter mlstudio", description="An ML studio inside JupyterLab.")
    made.add_argument("--version", action="version", version=__version__)
    commands = made.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("submit", help="submit a script, a notebook or a command as a run", add_help=False)
    commands.add_parser("sweep", help="try a script, a notebook or a command with many parameters", add_help=False)
    commands.add_parser("automl", help="search for the best model of a table", add_help=False)
    for module in (runs, sweeps, automl, models, endpoints, batch, workspace):
        module.add(commands)
    return made
