"""The magics of sweeps: begin one from a cell, a file, a command or a function; steer it; list them."""

from __future__ import annotations

from typing import Any

from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand

from jupyter_mlstudio.client.sweeps import Sweep, list_sweeps
from jupyter_mlstudio.kernel.arguments import MagicParser
from jupyter_mlstudio.kernel.complaints import short_errors
from jupyter_mlstudio.kernel.display import RunTable
from jupyter_mlstudio.kernel.sweep_arguments import begin, read, steer, sweep_parser


def parsers() -> dict[str, MagicParser]:
    """Makes the parser of each magic."""
    sweeps = MagicParser("%ml_sweeps", "Lists sweeps, live ones first and then the newest.")
    sweeps.add_argument("--max", type=int, default=20, help="how many at most")
    return {"%%ml_sweep": sweep_parser("%%ml_sweep"), "%ml_sweep": sweep_parser("%ml_sweep"), "%ml_sweeps": sweeps}


@magics_class
class SweepMagics(Magics):
    """The magics of sweeps of one kernel."""

    shell: Any

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self.parsers = parsers()

    @no_var_expand
    @line_cell_magic
    @short_errors
    def ml_sweep(self, line: str, cell: str | None = None) -> Sweep:
        """Begins or steers a sweep; see ``%ml_sweep --help``."""
        given = read(self.parsers["%ml_sweep" if cell is None else "%%ml_sweep"], line)
        variables = self.shell.user_ns
        return steer(given, variables) or begin(given, variables, cell)

    @line_magic
    @short_errors
    def ml_sweeps(self, line: str) -> RunTable:
        """Lists sweeps; see ``%ml_sweeps --help``."""
        given = self.parsers["%ml_sweeps"].read(line)
        return RunTable([found.run for found in list_sweeps(given.max)])
