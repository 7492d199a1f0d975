"""The IPython shell that a cell runs in: no prompt, no history, no colours; what it displays is printed and kept."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import sys
from collections.abc import Mapping
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from jupyter_mlstudio.client import active
from jupyter_mlstudio.entities.values import JSON

_SUFFIXES = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/svg+xml": ".svg",
    "application/pdf": ".pdf",
    "application/vnd.plotly.v1+json": ".plotly.json",
    "application/vnd.vegalite.v5+json": ".vega.json",
    "text/html": ".html",
    "text/latex": ".tex",
    "text/markdown": ".md",
}
_numbers = itertools.count(1)


class KeepingPublisher(DisplayPublisher):
    """What ``display`` is given goes to the log as text, and the rich form to the run's artifacts."""

    def publish(self, data: Mapping[str, Any], *_: Any, **__: Any) -> None:
        """Prints and keeps one object's bundle of MIME types."""
        keep(data)
        if "text/plain" in data:
            print(data["text/plain"])

    def clear_output(self, wait: bool = False) -> None:
        """A log is not cleared."""


class KeepingHook(DisplayHook):
    """What the value of the last expression goes through."""

    def write_output_prompt(self) -> None:
        """A log has no prompts."""

    def write_format_data(self, format_dict: Mapping[str, Any], md_dict: Any = None) -> None:
        """Prints and keeps the value's bundle of MIME types."""
        keep(format_dict)
        if "text/plain" in format_dict:
            print(format_dict["text/plain"])


class CellShell(InteractiveShell):
    """A shell for one cell: what it displays is kept, and tracebacks go where a program's go."""

    display_pub_class = Type(KeepingPublisher)
    displayhook_class = Type(KeepingHook)

    def showtraceback(self, *args: Any, **options: Any) -> None:
        """Prints a traceback to the error output; leaving with ``sys.exit`` is none."""
        if isinstance(sys.exc_info()[1], SystemExit):
            return
        sys.stdout.flush()
        with contextlib.redirect_stdout(sys.stderr):
            super().showtraceback(*args, **options)


def run_cell(source: str, params: Mapping[str, JSON]) -> BaseException | None:
    """Executes a cell with ``params`` as variables; answers the error that ended it."""
    config = Config()
    config.HistoryManager.enabled = False
    config.CellShell.colors = "nocolor"
    config.CellShell.xmode = "Context"
    config.CellShell.display_page = True
    shell: Any = CellShell.instance(config=config)
    shell.display_formatter.active_types = [*shell.display_formatter.active_types, *_SUFFIXES]
    shell.push(dict(params))
    result = shell.run_cell(source, store_history=False)
    error = result.error_before_exec or result.error_in_exec
    return error if isinstance(error, BaseException) else None


def keep(data: Mapping[str, Any]) -> None:
    """Keeps the richest form of what was displayed as ``outputs/display-N``; user code goes on when that fails."""
    found = next(((mime, suffix) for mime, suffix in _SUFFIXES.items() if mime in data), None)
    if found is None:
        return
    mime, suffix = found
    try:
        run = active.active_run()
        if run is not None:
            name = f"outputs/display-{next(_numbers)}{suffix}"
            run._files.put_bytes(_content(data[mime], mime), name)
    except Exception as error:
        print(f"[what was displayed was not kept: {error}]", file=sys.stderr)


def _content(value: Any, mime: str) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        return json.dumps(value).encode()
    if mime in ("image/png", "image/jpeg", "application/pdf"):
        return base64.b64decode(value)
    return value.encode()
