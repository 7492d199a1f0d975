"""Registered models from a terminal."""

from __future__ import annotations

import argparse
from typing import Any

from jupyter_mlstudio.cli.common import FAILED, command, group, print_json, print_table
from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.models import register_model
from jupyter_mlstudio.client.runs import get_run


def add(commands: Any) -> None:
    """Adds the words."""
    models = group(commands, "models", "list and register models")
    command(models, "list", _models_list, "list registered models")
    register = command(models, "register", _models_register, "register a run's model, converted to ONNX and compared")
    register.add_argument("run", help="the run's id, a beginning of it, or its name")
    register.add_argument("--name", required=True, help="the model's name")
    register.add_argument("--alias", help="e.g. champion")
    register.add_argument("--path", default="model", help="the model's folder in the run's artifacts")


def _models_list(given: argparse.Namespace) -> None:
    found = connect().get("models")
    if given.json:
        return print_json(found)
    rows = [
        [m["name"], m["latest"]["version"] if m["latest"] else "-", m["latest"]["status"] if m["latest"] else "-",
         ", ".join(f"{alias} -> {version}" for alias, version in m["aliases"].items())]
        for m in found
    ]  # fmt: skip
    return print_table(["name", "latest", "status", "aliases"], rows)


def _models_register(given: argparse.Namespace) -> int:
    version = register_model(get_run(given.run), given.name, alias=given.alias, path=given.path)
    if given.json:
        print_json(version.data)
    else:
        print(f"{version.name} version {version.version}: {version.status} {version.reason}".strip())
    return 0 if version.status == "Ready" else FAILED
