"""Directives that write reference pages from the code itself, so that no page says what is no longer so."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from jupyter_mlstudio.api.openapi import document
from jupyter_mlstudio.cli import parser as command_line
from jupyter_mlstudio.entities.runs import ACTIVE, MLFLOW_STATUS, MOVES, TERMINAL, RunStatus
from jupyter_mlstudio.errors import StudioError
from jupyter_mlstudio.extension import MLStudioApp
from jupyter_mlstudio.kernel.magics import parsers

ROOT = Path(__file__).parents[2]


def magics() -> Iterator[str]:
    """Each magic with its help."""
    for name, parser in parsers().items():
        yield from (f"## `{name}`", "", "```text", parser.format_help().rstrip(), "```", "")


def commands() -> Iterator[str]:
    """Each command of the terminal with its help."""
    from jupyter_mlstudio.kernel.arguments import submit_parser
    from jupyter_mlstudio.kernel.automl_arguments import automl_parser
    from jupyter_mlstudio.kernel.sweep_arguments import sweep_parser

    like_magics = {
        "jupyter mlstudio submit": submit_parser,
        "jupyter mlstudio sweep": sweep_parser,
        "jupyter mlstudio automl": automl_parser,
    }
    for name, make in like_magics.items():
        yield from (f"## `{name}`", "", "```text", make(name).format_help().rstrip(), "```", "")
    for name, parser in _commands("jupyter mlstudio", command_line()):
        if name not in like_magics:
            yield from (f"## `{name}`", "", "```text", parser.format_help().rstrip(), "```", "")


def _commands(name: str, parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield name, parser
    for group in groups:
        for word, below in group.choices.items():
            yield from _commands(f"{name} {word}", below)


def statuses() -> Iterator[str]:
    """Each status, what may follow, and MLflow's word for it."""
    yield from ("| status | is | may become | in MLflow |", "|---|---|---|---|")
    for status in RunStatus:
        group = "over" if status in TERMINAL else "live" if status in ACTIVE else "waiting"
        after = ", ".join(f"`{one.value}`" for one in RunStatus if one in MOVES[status]) or "-"
        yield f"| `{status.value}` | {group} | {after} | `{MLFLOW_STATUS[status]}` |"


def errors() -> Iterator[str]:
    """Each error's code, HTTP status and meaning."""
    yield from ("| code | HTTP | class | meaning |", "|---|---|---|---|")
    for error in _below(StudioError):
        text = (error.__doc__ or "").strip().splitlines()[0]
        yield f"| `{error.code}` | {error.status} | `{error.__name__}` | {text} |"


def _below(error: type[StudioError]) -> Iterator[type[StudioError]]:
    yield error
    for sub in error.__subclasses__():
        if sub.__module__ == StudioError.__module__:
            yield from _below(sub)


def settings() -> Iterator[str]:
    """The settings of JupyterLab and the traits of the server."""
    schema = json.loads((ROOT / "schema" / "plugin.json").read_text(encoding="utf-8"))
    yield from (
        "## In JupyterLab",
        "",
        "*Settings > ML Studio*:",
        "",
        "| setting | default | meaning |",
        "|---|---|---|",
    )
    for name, one in schema["properties"].items():
        yield f"| `{name}` | `{json.dumps(one['default'])}` | {one['description']} |"
    yield from ("", "## In the server", "", "In `jupyter_server_config.py` or on the command line:", "")
    yield from ("| trait | default | meaning |", "|---|---|---|")
    for name, trait in sorted(MLStudioApp.class_own_traits(config=True).items()):
        yield f"| `MLStudioApp.{name}` | `{trait.default_value!r}` | {trait.help} |"


def operations() -> Iterator[str]:
    """Each operation of the REST API."""
    yield from ("| method | path | operation | what it does |", "|---|---|---|---|")
    for path, methods in document()["paths"].items():
        for method, one in methods.items():
            if isinstance(one, dict) and "operationId" in one:
                text = str(one.get("summary") or one.get("description") or "").split("\n")[0].replace("|", "\\|")
                yield f"| {method.upper()} | `{_short(path)}` | `{one['operationId']}` | {text} |"


def _short(path: str) -> str:
    return re.sub(r"^/?mlstudio/api/v1/", "", path)


def _directive(write: Callable[[], Iterator[str]]) -> type[SphinxDirective]:
    class Written(SphinxDirective):
        def run(self) -> list[nodes.Node]:
            return self.parse_text_to_nodes("\n".join(write()), allow_section_headings=True)

    return Written


def setup(app: Sphinx) -> dict[str, Any]:
    """Adds the directives."""
    for write in (magics, commands, statuses, errors, settings, operations):
        app.add_directive(f"studio-{write.__name__}", _directive(write))
    return {"parallel_read_safe": True}
