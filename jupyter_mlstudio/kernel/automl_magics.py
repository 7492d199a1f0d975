"""The magic of AutoML: a data frame or a file and its target become a search."""

from __future__ import annotations

from typing import Any

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from jupyter_mlstudio.client.automl import AutoMLRun
from jupyter_mlstudio.client.automl_report import finding_text, lead_text
from jupyter_mlstudio.entities.automl_tables import Severity
from jupyter_mlstudio.kernel.arguments import MagicParser
from jupyter_mlstudio.kernel.automl_arguments import automl_parser, begin
from jupyter_mlstudio.kernel.complaints import short_errors


def parsers() -> dict[str, MagicParser]:
    """Makes the parser of the magic."""
    return {"%ml_automl": automl_parser("%ml_automl")}


@magics_class
class AutoMLMagics(Magics):
    """The magic of AutoML of one kernel."""

    shell: Any

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self.parsers = parsers()

    @no_var_expand
    @line_magic
    @short_errors
    def ml_automl(self, line: str) -> AutoMLRun:
        """Searches for the best model of a table; see ``%ml_automl --help``."""
        given = self.parsers["%ml_automl"].read(line)
        found = begin(given, self.shell.user_ns)
        if given.wait:
            report = found.report
            told = [finding_text(one) for one in found.findings if one.severity is not Severity.INFO]
            print("\n".join(filter(None, [*told, lead_text(report)])))
        return found
