"""Registered models from a terminal."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from jupyter_mlstudio.cli.common import FAILED, command, group, print_json, print_table
from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.models import ModelVersion, register_model
from jupyter_mlstudio.client.profiles import profile_model
from jupyter_mlstudio.client.registry import get_model
from jupyter_mlstudio.client.runs import get_run
from jupyter_mlstudio.entities.graphs import NEWEST_OPSET
from jupyter_mlstudio.entities.values import JSON

_WORDS = {
    "approve": "approve a version", "reject": "reject a version; needs a reason", "stage": "move a version to a stage",
    "alias": "point an alias at a version", "archive": "hide a version", "restore": "bring an archived version back",
    "graph": "print the ONNX graph of a version", "upgrade": "make the next version in a newer opset",
    "quantise": "make the next version with 8-bit weights", "profile": "measure latency and memory of a version",
    "threshold": "make the next version with a decision threshold", "card": "print a version's model card",
    "journal": "tell what happened to a version", "users": "tell what uses a version",
    "compare": "tell what differs between two versions", "download": "download a version as a ZIP file",
    "delete": "delete a version that nothing uses",
}  # fmt: skip


def add(commands: Any) -> None:
    """Adds the words."""
    models = group(commands, "models", "list and register models")
    command(models, "list", _models_list, "list registered models")
    register = command(models, "register", _models_register, "register a model, converted to ONNX and compared")
    register.add_argument("what", metavar="RUN|FILE", help="a run (id, beginning of it, or name), or a file or folder")
    register.add_argument("--name", required=True, help="the model's name")
    register.add_argument("--alias", help="e.g. champion")
    register.add_argument("--path", help="the model's folder in the run's artifacts, by default model")
    register.add_argument("--allow-code", action="store_true", help="convert a file that executes code when loaded")
    register.add_argument("--threshold", type=float, help="probability from which a binary classifier says yes")
    register.add_argument("--positive-label", help="the class that the threshold is about, by default the run's")
    for word, text in _WORDS.items():
        made = command(models, word, _models_word, text)
        made.add_argument("model", help="NAME:VERSION or NAME@ALIAS")
        made.set_defaults(word=word)
        if word in ("approve", "reject", "archive", "restore", "stage", "alias"):
            made.add_argument("--reason", default="", help="why; kept in the journal")
        if word in ("stage", "alias"):
            made.add_argument("value", help="a stage such as Production" if word == "stage" else "the alias")
        if word == "threshold":
            made.add_argument("value", type=float, help="a probability between 0 and 1")
            made.add_argument("--positive-label", help="the class that it is about, by default the run's")
        if word == "upgrade":
            made.add_argument("--opset", type=int, help=f"the opset, by default {NEWEST_OPSET}")
        if word == "compare":
            made.add_argument("other", help="the other version")
        if word == "download":
            made.add_argument("--to", default=".", help="a folder or the file's name")


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
    local = Path(given.what).exists() and given.path is None
    version = register_model(
        None if local else get_run(given.what),
        given.name,
        alias=given.alias,
        path=given.what if local else given.path,
        allow_code=given.allow_code,
        threshold=given.threshold,
        positive_label=given.positive_label,
    )
    if given.json:
        print_json(version.data)
    else:
        print(f"{version.name} version {version.version}: {version.status} {version.reason}".strip())
    return 0 if version.status == "Ready" else FAILED


def _models_word(given: argparse.Namespace) -> None:
    version = _version(given.model)
    match given.word:
        case "card":
            print(version.card())
        case "users":
            print("\n".join(version.users()) or "nothing uses it")
        case "journal":
            _print_journal(version.journal(), given)
        case "compare":
            print_json(version.compare(_version(given.other)))
        case "download":
            print(version.download(given.to))
        case "delete":
            version.delete()
        case "graph":
            _print_graph(version.graph(), given)
        case "upgrade":
            _say(version.upgrade(given.opset), given)
        case "quantise":
            _say(version.quantise(), given)
        case "profile":
            print(profile_model(version).logs(), end="")
        case "threshold":
            _say(version.set_threshold(given.value, positive_label=given.positive_label), given)
        case "stage" | "alias":
            do = version.set_stage if given.word == "stage" else version.set_alias
            _say(do(given.value, given.reason), given)
        case word:
            _say(getattr(version, word)(given.reason), given)


def _print_graph(graph: dict[str, JSON], given: argparse.Namespace) -> None:
    if given.json:
        return print_json(graph)
    opsets = ", ".join(f"{domain} {number}" for domain, number in graph["opsets"].items())
    print(f"IR {graph['ir_version']}, {opsets}, made by {graph['producer'] or 'nobody'} {graph['producer_version']}")
    print(f"{graph['node_count']} nodes, {graph['initialiser_count']} constants of {graph['parameters']} values")
    tensors = [[kind, one["name"], one["type"], str(one["shape"])]
               for kind in ("inputs", "outputs") for one in graph[kind]]  # fmt: skip
    print_table(["", "name", "type", "shape"], tensors)
    return print_table(["operator", "count"], [[op, str(count)] for op, count in graph["operators"].items()])


def _version(text: str) -> ModelVersion:
    name, _, version = text.replace("@", ":", 1).partition(":")
    return get_model(name).version(version or "latest")


def _say(version: ModelVersion, given: argparse.Namespace) -> None:
    if given.json:
        return print_json(version.data)
    aliases = ", ".join(version.aliases) or "none"
    decided = version.approval["status"]
    return print(f"{version.name} version {version.version}: stage {version.stage}, {decided}, aliases: {aliases}")


def _print_journal(events: list[dict[str, JSON]], given: argparse.Namespace) -> None:
    if given.json:
        return print_json(events)
    rows = [[event["at"][:19], event["user"], event["action"], event["reason"]] for event in events]
    return print_table(["when", "who", "what", "why"], rows)
