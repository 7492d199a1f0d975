"""Endpoints from a terminal."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_mlstudio.cli.azure import apply
from jupyter_mlstudio.cli.common import command, group, print_json, print_table
from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.endpoints import get_endpoint
from jupyter_mlstudio.client.rollout import roll_out
from jupyter_mlstudio.client.wire import segment
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.kernel.arguments import pairs, typed


def add(commands: Any) -> None:
    """Adds the words."""
    endpoints = group(commands, "endpoints", "deploy models and look after endpoints")
    command(endpoints, "list", _list, "list endpoints")
    command(endpoints, "show", _show, "show an endpoint with its deployments").add_argument("name")
    deploying = command(endpoints, "deploy", _deploy, "deploy a model version: a new endpoint, or a deployment of one")
    deploying.add_argument("model", help="NAME, NAME:VERSION or NAME@ALIAS")
    deploying.add_argument("--name", help="the endpoint's name; by default made from the model's")
    deploying.add_argument("--deployment", help="its name; of an endpoint that is there, the one to add or to swap")
    deploying.add_argument("--traffic", type=int, help="percent of the traffic that it gets")
    deploying.add_argument("--script", help="a scoring script with init() and run(raw_data)")
    deploying.add_argument("--allow-code", action="store_true", help="let the script be executed")
    deploying.add_argument("-s", "--setting", action="append", default=[], help="e.g. max_instances=2")
    applying = command(endpoints, "apply", _apply, "make or change what Azure's YAML of endpoint or deployment says")
    applying.add_argument("file", type=Path)
    applying.add_argument("--endpoint", help="the endpoint of a deployment that names none")
    applying.add_argument("--allow-code", action="store_true", help="let its scoring script be executed")
    for verb, text in (("traffic", "share the traffic, in percent"), ("mirror", "send copies, in percent")):
        sharing = command(endpoints, verb, _share(verb), text)
        sharing.add_argument("name")
        sharing.add_argument("shares", nargs="+", help="e.g. blue=90 green=10")
    canary = command(endpoints, "canary", _canary, "let a deployment take the traffic over by itself, or stop that")
    canary.add_argument("name")
    canary.add_argument("deployment", nargs="?", help="without one the release that is under way is stopped")
    canary.add_argument("-s", "--setting", action="append", default=[], help="e.g. wait_s=30 or max_error_rate=0.05")
    for verb in ("stop", "restart", "delete"):
        command(endpoints, verb, _do(verb), f"{verb} an endpoint").add_argument("name")


def _list(given: argparse.Namespace) -> None:
    found = connect().get("endpoints")
    if given.json:
        return print_json(found)
    rows = [
        [e["name"], e["state"], _shares(e["traffic"]), e["url"] or "-", e["stats"]["requests"], e["stats"]["errors"]]
        for e in found
    ]
    return print_table(["name", "state", "traffic", "url", "requests", "errors"], rows)


def _show(given: argparse.Namespace) -> None:
    data = get_endpoint(given.name).data
    if given.json:
        return print_json(data)
    print(f"{data['name']}: {data['state']} {data['reason']}".strip(), data["url"] or "")
    rows = [
        [d["name"], f"{d['model']} {d['version']}", d["kind"], d["state"], d["instances"], f"{d['traffic']} %",
         d["stats"]["requests"], d["stats"]["errors"], d["reason"]]
        for d in data["deployments"]
    ]  # fmt: skip
    head = ["deployment", "serves", "kind", "state", "instances", "traffic", "requests", "errors", ""]
    return print_table(head, rows)


def _deploy(given: argparse.Namespace) -> None:
    endpoint = roll_out(
        given.model, given.name, given.deployment, given.traffic, script=given.script, allow_code=given.allow_code,
        **{name: typed(text, {}) for name, text in pairs(given.setting, "-s").items()},
    )  # fmt: skip
    if given.json:
        return print_json({**endpoint.data, "keys": endpoint.keys})
    print(f"{endpoint.name} answers at {endpoint.scoring_url}")
    for key, value in endpoint.keys.items():
        print(f"{key} key (not shown again): {value}")
    return None


def _apply(given: argparse.Namespace) -> None:
    endpoint, warnings = apply(given.file, given.endpoint, allow_code=given.allow_code)
    for warning in warnings:
        print(f"not taken over: {warning}")
    if given.json:
        return print_json({**endpoint.data, "keys": endpoint.keys})
    print(f"{endpoint.name}: {endpoint.state}, {_shares(endpoint.traffic)}")
    for key, value in endpoint.keys.items():
        print(f"{key} key (not shown again): {value}")
    return None


def _share(verb: str) -> Callable[[argparse.Namespace], None]:
    def do(given: argparse.Namespace) -> None:
        try:
            shares = {name: int(text) for name, text in pairs(given.shares, "shares").items()}
        except ValueError:
            raise Invalid("a share is a whole number of percent, e.g. blue=90 green=10") from None
        endpoint = get_endpoint(given.name)
        changed = endpoint.split(shares) if verb == "traffic" else endpoint.mirror(shares)
        print_json(changed.data) if given.json else print(f"{given.name}: {_shares(changed.traffic)}")

    return do


def _canary(given: argparse.Namespace) -> None:
    endpoint = get_endpoint(given.name)
    if given.deployment is None:
        endpoint.stop_canary()
    else:
        policy = {name: typed(text, {}) for name, text in pairs(given.setting, "-s").items()}
        endpoint.canary(given.deployment, **policy)
    print_json(endpoint.data) if given.json else print(f"{given.name}: {_shares(endpoint.traffic)}")


def _do(verb: str) -> Callable[[argparse.Namespace], None]:
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


def _shares(traffic: dict[str, int]) -> str:
    return ", ".join(f"{name} {share} %" for name, share in traffic.items()) or "no deployment"
