"""Endpoints from a terminal."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from jupyter_mlstudio.cli.common import command, group, print_json, print_table
from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.models import deploy
from jupyter_mlstudio.client.wire import segment
from jupyter_mlstudio.entities.values import JSON


def add(commands: Any) -> None:
    """Adds the words."""
    endpoints = group(commands, "endpoints", "deploy models and look after endpoints")
    command(endpoints, "list", _endpoints_list, "list endpoints")
    deploying = command(endpoints, "deploy", _endpoints_deploy, "deploy a model version")
    deploying.add_argument("model", help="NAME, NAME:VERSION or NAME@ALIAS")
    deploying.add_argument("--name", help="the endpoint's name; by default made from the model's")
    for verb in ("stop", "restart", "delete"):
        command(endpoints, verb, _endpoints_do(verb), f"{verb} an endpoint").add_argument("name")


def _endpoints_list(given: argparse.Namespace) -> None:
    found = connect().get("endpoints")
    if given.json:
        return print_json(found)
    rows = [[e["name"], e["state"], e["url"] or "-", e["stats"]["requests"], e["stats"]["errors"]] for e in found]
    return print_table(["name", "state", "url", "requests", "errors"], rows)


def _endpoints_deploy(given: argparse.Namespace) -> None:
    name, _, version = given.model.replace("@", ":", 1).partition(":")
    endpoint = deploy(name, version or "latest", name=given.name)
    if given.json:
        return print_json({**endpoint.data, "keys": endpoint.keys})
    print(f"{endpoint.name} answers at {endpoint.scoring_url}")
    for key, value in endpoint.keys.items():
        print(f"{key} key (not shown again): {value}")
    return None


def _endpoints_do(verb: str) -> Callable[[argparse.Namespace], None]:
    def do(given: argparse.Namespace) -> None:
        path = f"endpoints/{segment(given.name)}"
        connection = connect()
        answer: JSON = {"name": given.name, "deleted": True}
        if verb == "delete":
            connection.delete(path)
        else:
            answer = connection.post(f"{path}/{verb}", {})
        print_json(answer) if given.json else print(f"{given.name}: {verb} done")

    return do
