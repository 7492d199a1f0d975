"""Batch endpoints and packages from a terminal."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from jupyter_mlstudio.cli.common import FAILED, command, group, print_json, print_table, say_run
from jupyter_mlstudio.client.batch import batch_endpoint, batch_endpoints, deploy_batch
from jupyter_mlstudio.client.packages import package
from jupyter_mlstudio.client.parallel_job import read_parallel
from jupyter_mlstudio.client.parallel_submission import parallel
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.kernel.arguments import pairs, typed


def add(commands: Any) -> None:
    """Adds the words."""
    batch = group(commands, "batch", "score whole data sets")
    command(batch, "list", _list, "list batch endpoints")
    deploying = command(batch, "deploy", _deploy, "make a batch endpoint of a model version")
    deploying.add_argument("model", help="NAME, NAME:VERSION or NAME@ALIAS")
    deploying.add_argument("--name", help="the endpoint's name; by default made from the model's")
    deploying.add_argument("--script", help="a scoring script with init() and run(mini_batch)")
    invoking = command(batch, "invoke", _invoke, "score a file, a folder or a pattern of files")
    invoking.add_argument("name")
    invoking.add_argument("data", help="CSV, TSV, JSON lines or Parquet in the workspace, or runs:/ID/PATH")
    invoking.add_argument("--wait", action="store_true", help="until it is over")
    for word in (deploying, invoking):
        word.add_argument("-s", "--setting", action="append", default=[], help="e.g. mini_batch_size=1000")
    command(batch, "delete", _delete, "delete a batch endpoint").add_argument("name")
    doing = command(commands, "parallel", _parallel, "do a parallel job: a script on mini-batches")
    doing.add_argument("file", help="Azure Machine Learning's YAML of a parallel job")
    doing.add_argument("--experiment", help="where the run goes")
    doing.add_argument("--wait", action="store_true", help="until it is over")
    packaging = command(commands, "package", _package, "package a model version to run it elsewhere")
    packaging.add_argument("model", help="NAME, NAME:VERSION or NAME@ALIAS")
    packaging.add_argument("--target", default="local", help="local, docker, kubernetes or edge")
    packaging.add_argument("--to", help="copy the package into this folder")
    packaging.add_argument("-s", "--setting", action="append", default=[], help="an option of the target")


def _list(given: argparse.Namespace) -> None:
    found = [one.data for one in batch_endpoints()]
    if given.json:
        return print_json(found)
    rows = [[one["name"], one["default_deployment"], len(one["deployments"]), one["jobs"]] for one in found]
    return print_table(["name", "default", "deployments", "jobs"], rows)


def _deploy(given: argparse.Namespace) -> None:
    model, _, version = given.model.replace("@", ":", 1).partition(":")
    made = deploy_batch(model, version or "latest", name=given.name, script=given.script, **_settings(given))
    print_json(made.data) if given.json else print(f"{made.name}: jupyter mlstudio batch invoke {made.name} DATA")


def _invoke(given: argparse.Namespace) -> int:
    run = batch_endpoint(given.name).invoke(given.data, **_settings(given))
    if given.wait:
        run.wait(check=False)
    say_run(run, given)
    return FAILED if given.wait and run.status.value != "Completed" else 0


def _parallel(given: argparse.Namespace) -> int:
    path = Path(given.file)
    for note in read_parallel(path).notes:
        print(f"left out, it has no meaning here: {note}", file=sys.stderr)
    run = parallel(path, experiment=given.experiment)
    if given.wait:
        run.wait(check=False)
    say_run(run, given)
    return FAILED if given.wait and run.status.value != "Completed" else 0


def _delete(given: argparse.Namespace) -> None:
    batch_endpoint(given.name).delete()
    print_json({"name": given.name, "deleted": True}) if given.json else print(f"{given.name}: deleted")


def _package(given: argparse.Namespace) -> int:
    model, _, version = given.model.replace("@", ":", 1).partition(":")
    run = package(model, given.target, version or "latest", wait=False, **_settings(given)).wait(check=False)
    if given.to and run.status.value == "Completed":
        for entry in run.artifacts():
            run.download(entry.path, given.to)
    say_run(run, given)
    return FAILED if run.status.value != "Completed" else 0


def _settings(given: argparse.Namespace) -> dict[str, JSON]:
    return {name: typed(text, {}) for name, text in pairs(given.setting, "-s").items()}
