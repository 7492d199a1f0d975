"""``jupyter mlstudio``: the studio from a terminal.

What concerns runs, models and endpoints goes through the same client as user code; what concerns the workspace
itself (``db``, ``openapi``, ``demo``) is done here.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jupyter_mlstudio._version import __version__
from jupyter_mlstudio.client.connection import connect
from jupyter_mlstudio.client.experiments import Experiment
from jupyter_mlstudio.client.models import deploy, register_model
from jupyter_mlstudio.client.runs import Run, get_run
from jupyter_mlstudio.client.submission import submit
from jupyter_mlstudio.client.wire import segment
from jupyter_mlstudio.client.workspace import locate
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid, StudioError
from jupyter_mlstudio.kernel.arguments import HelpShown, MagicParser, pairs, submit_parser, typed

FAILED, MISUSED = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what the command line says; returns the exit status: 0 done, 1 refused or failed, 2 misused."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if words[:1] == ["submit"]:
            return _submit(words[1:])
        given = _parser().parse_args(words)
        result = given.do(given)
    except HelpShown:
        return 0
    except StudioError as error:
        print(f"mlstudio: {error.message}", file=sys.stderr)
        return MISUSED if isinstance(error, Invalid) else FAILED
    except KeyboardInterrupt:
        print("interrupted; runs go on", file=sys.stderr)
        return 130
    return int(result or 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="jupyter mlstudio", description="An ML studio inside JupyterLab.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("submit", help="submit a script, a notebook or a command as a run", add_help=False)
    runs = _group(commands, "runs", "list, show, follow and stop runs")
    listing = _command(runs, "list", _runs_list, "list runs, live ones first")
    listing.add_argument("--filter", default="", help="e.g. \"metrics.auc > 0.9 and params.lr = '0.1'\"")
    listing.add_argument("--order-by", default="", help="e.g. 'metrics.auc DESC'")
    listing.add_argument("--max", type=int, default=50, help="how many at most")
    _of_run(runs, "show", _runs_show, "show a run")
    _of_run(runs, "stop", _runs_stop, "stop a run and its whole process tree")
    _of_run(runs, "retry", _runs_retry, "submit the same work as a new run")
    logs = _of_run(runs, "logs", _runs_logs, "print what a run printed")
    logs.add_argument("-f", "--follow", action="store_true", help="go on until the run is over")
    experiments = _group(commands, "experiments", "list experiments, find the best run")
    _command(experiments, "list", _experiments_list, "list experiments")
    best = _command(experiments, "best", _experiments_best, "show an experiment's best run")
    best.add_argument("name")
    best.add_argument("metric", nargs="?", help="by default its primary metric")
    _models(_group(commands, "models", "list and register models"))
    _endpoints(_group(commands, "endpoints", "deploy models and look after endpoints"))
    _command(commands, "doctor", _doctor, "check what the studio stands on, and say what to do")
    database = _group(commands, "db", "look after the database")
    _command(database, "upgrade", _db_upgrade, "bring it to this version, with a backup first")
    _command(database, "backup", _db_backup, "copy it while it is in use")
    _command(commands, "openapi", _openapi, "print the OpenAPI document of the studio's API")
    demo = _command(commands, "demo", _demo, "run the main job end to end in an empty folder, and say how it went")
    demo.add_argument("--folder", type=Path, help="where; a temporary folder by default")
    return parser


def _models(group: Any) -> None:
    _command(group, "list", _models_list, "list registered models")
    register = _command(group, "register", _models_register, "register a run's model, converted to ONNX and compared")
    register.add_argument("run", help="the run's id, a beginning of it, or its name")
    register.add_argument("--name", required=True, help="the model's name")
    register.add_argument("--alias", help="e.g. champion")
    register.add_argument("--path", default="model", help="the model's folder in the run's artifacts")


def _endpoints(group: Any) -> None:
    _command(group, "list", _endpoints_list, "list endpoints")
    deploying = _command(group, "deploy", _endpoints_deploy, "deploy a model version")
    deploying.add_argument("model", help="NAME, NAME:VERSION or NAME@ALIAS")
    deploying.add_argument("--name", help="the endpoint's name; by default made from the model's")
    for verb in ("stop", "restart", "delete"):
        command = _command(group, verb, _endpoints_do(verb), f"{verb} an endpoint")
        command.add_argument("name")


def _group(commands: Any, name: str, text: str) -> Any:
    return commands.add_parser(name, help=text, description=text).add_subparsers(required=True, metavar="COMMAND")


def _command(commands: Any, name: str, do: Callable[[argparse.Namespace], int | None], text: str) -> Any:
    command = commands.add_parser(name, help=text, description=text)
    command.set_defaults(do=do)
    command.add_argument("--json", action="store_true", help="print JSON")
    return command


def _of_run(commands: Any, name: str, do: Callable[[argparse.Namespace], int | None], text: str) -> Any:
    command = _command(commands, name, do, text)
    command.add_argument("run", help="the run's id, a beginning of it, or its name")
    return command


def _submit(words: Sequence[str]) -> int:
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
        _print_json(run.data)
    if given.stream or given.wait:
        print(f"{run.status.value}{': ' + run.reason if run.reason else ''}", file=sys.stderr)
        return 0 if run.status.value == "Completed" else FAILED
    return 0


def _runs_list(given: argparse.Namespace) -> None:
    query = {"filter": given.filter, "order_by": given.order_by, "max_results": min(given.max, 1000)}
    runs = connect().get("runs", {k: v for k, v in query.items() if v})["items"]
    if given.json:
        return _print_json(runs)
    rows = [
        [r["id"][:8], r["name"], r["experiment"], r["status"], _seconds(r["duration_s"]), _metrics(r)] for r in runs
    ]
    return _print_table(["id", "name", "experiment", "status", "time", "metrics"], rows)


def _runs_show(given: argparse.Namespace) -> None:
    run = get_run(given.run)
    if given.json:
        return _print_json(run.data)
    facts = {
        "id": run.id, "name": run.name, "experiment": run.experiment, "kind": run.kind, "status": run.status.value,
        "reason": run.reason, "folder": str(run.folder),
    }  # fmt: skip
    pairs_shown = [[key, value] for key, value in facts.items() if value]
    pairs_shown += [[f"params.{key}", value] for key, value in run.params.items()]
    pairs_shown += [[f"metrics.{key}", f"{value:.4g}"] for key, value in run.metrics.items()]
    return _print_table(["", ""], pairs_shown)


def _runs_stop(given: argparse.Namespace) -> None:
    _say_run(get_run(given.run).stop(), given)


def _runs_retry(given: argparse.Namespace) -> None:
    _say_run(get_run(given.run).retry(), given)


def _runs_logs(given: argparse.Namespace) -> None:
    for part in get_run(given.run).log_parts(follow=given.follow):
        print(part, end="", flush=True)


def _experiments_list(given: argparse.Namespace) -> None:
    found = connect().get("experiments")
    if given.json:
        return _print_json(found)
    rows = [[e["id"], e["name"], e["run_count"], e["live_count"], e["primary_metric"] or "-"] for e in found]
    return _print_table(["id", "name", "runs", "live", "primary metric"], rows)


def _experiments_best(given: argparse.Namespace) -> int:
    run = Experiment(given.name).best_run(given.metric)
    if run is None:
        print("no completed run has that metric", file=sys.stderr)
        return FAILED
    _say_run(run, given)
    return 0


def _models_list(given: argparse.Namespace) -> None:
    found = connect().get("models")
    if given.json:
        return _print_json(found)
    rows = [
        [m["name"], m["latest"]["version"] if m["latest"] else "-", m["latest"]["status"] if m["latest"] else "-",
         ", ".join(f"{alias} -> {version}" for alias, version in m["aliases"].items())]
        for m in found
    ]  # fmt: skip
    return _print_table(["name", "latest", "status", "aliases"], rows)


def _models_register(given: argparse.Namespace) -> int:
    version = register_model(get_run(given.run), given.name, alias=given.alias, path=given.path)
    if given.json:
        _print_json(version.data)
    else:
        print(f"{version.name} version {version.version}: {version.status} {version.reason}".strip())
    return 0 if version.status == "Ready" else FAILED


def _endpoints_list(given: argparse.Namespace) -> None:
    found = connect().get("endpoints")
    if given.json:
        return _print_json(found)
    rows = [[e["name"], e["state"], e["url"] or "-", e["stats"]["requests"], e["stats"]["errors"]] for e in found]
    return _print_table(["name", "state", "url", "requests", "errors"], rows)


def _endpoints_deploy(given: argparse.Namespace) -> None:
    name, _, version = given.model.replace("@", ":", 1).partition(":")
    endpoint = deploy(name, version or "latest", name=given.name)
    if given.json:
        return _print_json({**endpoint.data, "keys": endpoint.keys})
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
        _print_json(answer) if given.json else print(f"{given.name}: {verb} done")

    return do


def _doctor(given: argparse.Namespace) -> int:
    found = connect().get("workspaces/current/checks")
    if given.json:
        _print_json(found)
    else:
        for check in found:
            print(f"{'ok  ' if check['ok'] else 'MEND'} {check['name']:<11} {check['detail']}")
            if check["remedy"]:
                print(f"     {'':<11} {check['remedy']}")
    fatal = {"workspace", "database", "models", "converters", "ports"}
    return FAILED if any(not check["ok"] and check["name"] in fatal for check in found) else 0


def _db_upgrade(given: argparse.Namespace) -> None:
    from jupyter_mlstudio.studio import Studio
    from jupyter_mlstudio.workspace import Workspace

    studio = Studio(Workspace(locate().root))
    print(f"the database of {studio.workspace.root} stands at {studio.database.version()}")
    studio.close()


def _db_backup(given: argparse.Namespace) -> None:
    from jupyter_mlstudio.studio import Studio
    from jupyter_mlstudio.workspace import Workspace

    studio = Studio(Workspace(locate().root))
    print(studio.database.backup() or "PostgreSQL is backed up with its own tools (pg_dump)")
    studio.close()


def _openapi(given: argparse.Namespace) -> None:
    from jupyter_mlstudio.api.openapi import text

    print(text(), end="")


def _demo(given: argparse.Namespace) -> int:
    from jupyter_mlstudio.demo import run

    return run(given.folder)


def _say_run(run: Run, given: argparse.Namespace) -> None:
    _print_json(run.data) if given.json else print(f"{run.name} ({run.id}): {run.status.value}")


def _print_json(value: JSON) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))


def _print_table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    texts = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[i]) for row in texts) for i in range(len(head))]
    for row in texts:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        if line:
            print(line)


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} s"


def _metrics(run: dict[str, Any]) -> str:
    return "  ".join(f"{name} {float(value):.4g}" for name, value in list(run["metrics"].items())[:4])


if __name__ == "__main__":
    sys.exit(main())
