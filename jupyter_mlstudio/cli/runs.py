"""Runs and experiments from a terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

from jupyter_mlstudio.cli.common import FAILED, command, group, print_json, print_table, say_run
from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.experiments import Experiment
from jupyter_mlstudio.client.runs import get_run
from jupyter_mlstudio.client.submission import submit
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.kernel.arguments import MagicParser, pairs, submit_parser, typed


def add(commands: Any) -> None:
    """Adds the words."""
    runs = group(commands, "runs", "list, show, follow and stop runs")
    listing = command(runs, "list", _runs_list, "list runs, live ones first")
    listing.add_argument("--filter", default="", help="e.g. \"metrics.auc > 0.9 and params.lr = '0.1'\"")
    listing.add_argument("--order-by", default="", help="e.g. 'metrics.auc DESC'")
    listing.add_argument("--max", type=int, default=50, help="how many at most")
    listing.add_argument("--all", action="store_true", help="those too that another run started, e.g. a sweep's trials")
    _of_run(runs, "show", _runs_show, "show a run")
    _of_run(runs, "stop", _runs_stop, "stop a run and its whole process tree")
    _of_run(runs, "retry", _runs_retry, "submit the same work as a new run")
    logs = _of_run(runs, "logs", _runs_logs, "print what a run printed")
    logs.add_argument("-f", "--follow", action="store_true", help="go on until the run is over")
    experiments = group(commands, "experiments", "list experiments, find the best run")
    command(experiments, "list", _experiments_list, "list experiments")
    best = command(experiments, "best", _experiments_best, "show an experiment's best run")
    best.add_argument("name")
    best.add_argument("metric", nargs="?", help="by default its primary metric")


def _of_run(commands: Any, name: str, do: Callable[[argparse.Namespace], int | None], text: str) -> Any:
    made = command(commands, name, do, text)
    made.add_argument("run", help="the run's id, a beginning of it, or its name")
    return made


def submit_words(words: Sequence[str]) -> int:
    """Submits what stands behind ``submit``; its options are those of the magic."""
    parser: MagicParser = submit_parser("jupyter mlstudio submit")
    parser.epilog = (
        "examples:\n  jupyter mlstudio submit train.py -p lr=0.1 --stream\n  jupyter mlstudio submit -- make"
    )
    parser.add_argument("--stream", action="store_true", help="print the run's output until it is over")
    parser.add_argument("--json", action="store_true", help="print the run as JSON")
    given = parser.read_words(list(words))
    if given.file is None and not given.rest:
        raise Invalid("give a script (.py), a notebook (.ipynb) or, after --, a command")
    run = submit(
        given.file if given.file is not None else given.rest,
        args=given.rest or () if given.file is not None else (),
        name=given.name, experiment=given.experiment, folder=given.folder, python=given.python, kernel=given.kernel,
        params={name: typed(text, {}) for name, text in pairs(given.param, "-p").items()},
        tags=pairs(given.tag, "--tag"), env=pairs(given.env, "--env"), target=given.target, priority=given.priority,
        cpus=given.cpus, memory=given.memory, gpus=given.gpus, timeout=given.timeout, memory_limit=given.memory_limit,
    )  # fmt: skip
    if not given.json:
        print(f"run {run.name} ({run.id}) in experiment {run.experiment}", file=sys.stderr)
    if given.stream:
        for part in run.log_parts(follow=True):
            print(part, end="", flush=True)
    if given.stream or given.wait:
        run.wait(check=False)
    if given.json:
        print_json(run.data)
    if given.stream or given.wait:
        print(f"{run.status.value}{': ' + run.reason if run.reason else ''}", file=sys.stderr)
        return 0 if run.status.value == "Completed" else FAILED
    return 0


def _runs_list(given: argparse.Namespace) -> None:
    query = {
        "filter": given.filter, "order_by": given.order_by, "max_results": min(given.max, 1000),
        "top": "" if given.all else "true",
    }  # fmt: skip
    runs = connect().get("runs", query)["items"]
    if given.json:
        return print_json(runs)
    rows = [
        [r["id"][:8], r["name"], r["experiment"], r["status"], _seconds(r["duration_s"]), _metrics(r)] for r in runs
    ]
    return print_table(["id", "name", "experiment", "status", "time", "metrics"], rows)


def _runs_show(given: argparse.Namespace) -> None:
    run = get_run(given.run)
    if given.json:
        return print_json(run.data)
    facts = {
        "id": run.id, "name": run.name, "experiment": run.experiment, "kind": run.kind, "status": run.status.value,
        "reason": run.reason, "folder": str(run.folder),
    }  # fmt: skip
    pairs_shown = [[key, value] for key, value in facts.items() if value]
    pairs_shown += [[f"params.{key}", value] for key, value in run.params.items()]
    pairs_shown += [[f"metrics.{key}", f"{value:.4g}"] for key, value in run.metrics.items()]
    return print_table(["", ""], pairs_shown)


def _runs_stop(given: argparse.Namespace) -> None:
    say_run(get_run(given.run).stop(), given)


def _runs_retry(given: argparse.Namespace) -> None:
    say_run(get_run(given.run).retry(), given)


def _runs_logs(given: argparse.Namespace) -> None:
    for part in get_run(given.run).log_parts(follow=given.follow):
        print(part, end="", flush=True)


def _experiments_list(given: argparse.Namespace) -> None:
    found = connect().get("experiments")
    if given.json:
        return print_json(found)
    rows = [[e["id"], e["name"], e["run_count"], e["live_count"], e["primary_metric"] or "-"] for e in found]
    return print_table(["id", "name", "runs", "live", "primary metric"], rows)


def _experiments_best(given: argparse.Namespace) -> int:
    run = Experiment(given.name).best_run(given.metric)
    if run is None:
        print("no completed run has that metric", file=sys.stderr)
        return FAILED
    say_run(run, given)
    return 0


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"


def _metrics(run: dict[str, Any]) -> str:
    return "  ".join(f"{name} {float(value):.4g}" for name, value in list(run["metrics"].items())[:4])
