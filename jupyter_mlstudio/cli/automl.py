"""AutoML from a terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

from jupyter_mlstudio.cli.common import FAILED, command, group, print_json, print_table
from jupyter_mlstudio.client.automl import AutoMLRun, get_automl, list_automl
from jupyter_mlstudio.client.automl_report import finding_text, lead_text
from jupyter_mlstudio.client.card import number
from jupyter_mlstudio.errors import NotFound
from jupyter_mlstudio.kernel.automl_arguments import automl_parser, begin


def add(commands: Any) -> None:
    """Adds the words."""
    runs = group(commands, "automl-runs", "find AutoML runs, follow and steer them")
    command(runs, "list", _list, "list AutoML runs").add_argument(
        "--max", type=int, default=50, help="how many at most"
    )
    _of_run(runs, "show", _show, "show what a run has found: findings, families, the winner")
    _of_run(runs, "leaderboard", _leaderboard, "list the models that were tried, the best first")
    _of_run(runs, "pause", lambda given: _say(get_automl(given.run).pause(), given), "begin no more models for now")
    _of_run(runs, "resume", lambda given: _say(get_automl(given.run).resume(), given), "go on after a pause")
    _of_run(runs, "stop", lambda given: _say(get_automl(given.run).stop(), given), "end it, and keep the best")
    going = _of_run(runs, "go-on", _go_on, "go on with a run that is over, as a new run")
    going.add_argument("--minutes", help="how many more; what was left of its time without")
    opening = _of_run(runs, "notebook", _notebook, "write the notebook that makes the winner again, or another model")
    opening.add_argument("--model", type=int, help="its number on the leaderboard")
    code = _of_run(runs, "code", _code, "print the call or the YAML that begins such a run")
    code.add_argument("--format", choices=["python", "yaml"], default="python")


def automl_words(words: Sequence[str]) -> int:
    """Begins the search that stands behind ``automl``; its options are those of the magic."""
    parser = automl_parser("jupyter mlstudio automl")
    parser.add_argument("--stream", action="store_true", help="print what it does, until it is over")
    parser.add_argument("--json", action="store_true", help="print the run as JSON")
    given = parser.read_words(list(words))
    wait, given.wait = given.wait or given.stream, False
    found = begin(given, {})
    if not given.json:
        print(f"AutoML run {found.name} ({found.id}) in experiment {found.run.experiment}", file=sys.stderr)
    if given.stream and not given.json:
        for part in found.run.log_parts(follow=True):
            print(part, end="", flush=True)
    if wait:
        found.run.wait(check=False)
    if given.json:
        print_json(found.data)
    if not wait:
        return 0
    if not given.json:
        print(found.leaderboard)
    reason = found.run.reason
    print(f"{found.status.value}{': ' + reason if reason else ''}", file=sys.stderr)
    return 0 if found.status.value == "Completed" else FAILED


def _of_run(commands: Any, name: str, do: Callable[[argparse.Namespace], int | None], text: str) -> Any:
    made = command(commands, name, do, text)
    made.add_argument("run", help="its id, a beginning of it, or its name")
    return made


def _list(given: argparse.Namespace) -> None:
    found = list_automl(given.max)
    if given.json:
        return print_json([one.data for one in found])
    rows = []
    for one in found:
        report = one.report
        rows.append([one.id[:8], one.name, one.run.experiment, one.status.value, report.phase, *_best(one)])
    return print_table(["id", "name", "experiment", "status", "does", "best", "score"], rows)


def _best(found: AutoMLRun) -> list[str]:
    try:
        winner = found.winner
    except NotFound:
        return ["-", "-"]
    return [winner.family, "-" if winner.score is None else number(winner.score)]


def _bounds(found: AutoMLRun) -> str:
    try:
        winner = found.winner
    except NotFound:
        return ""
    known = winner.low is not None and winner.high is not None
    return f", with 95 % confidence {number(winner.low)} to {number(winner.high)}" if known else ""


def _show(given: argparse.Namespace) -> None:
    found = get_automl(given.run)
    if given.json:
        return print_json(found.data)
    report, spec = found.report, found.data["spec"]
    budget = report.budget
    family, score = _best(found)
    rows = [
        ["id", found.id], ["name", found.name], ["status", found.status.value], ["reason", found.run.reason],
        ["does", report.phase], ["table", spec["data"]], ["target", spec["target"]], ["task", report.task.value],
        ["rows", f"{report.rows:,}"], ["best", f"{family}, {report.primary_metric} {score}{_bounds(found)}"],
        ["models", len(report.leaderboard)],
        ["time", "" if budget is None else f"{budget.used_s:.1f} of {budget.timeout_s:g} s"],
    ]  # fmt: skip
    rows += [["lead", lead_text(report)]]
    rows += [["test", f"{name} {number(value)}"] for name, value in report.test.items()]
    rows += [[one.severity.value, finding_text(one).partition(": ")[2]] for one in found.findings]
    return print_table(["", ""], [row for row in rows if row[1] != ""])


def _leaderboard(given: argparse.Namespace) -> None:
    found = get_automl(given.run).leaderboard
    print_json(found.rows()) if given.json else print(found)


def _go_on(given: argparse.Namespace) -> None:
    minutes = given.minutes
    _say(
        get_automl(given.run).go_on(float(minutes) if minutes and minutes.replace(".", "").isdigit() else minutes),
        given,
    )


def _notebook(given: argparse.Namespace) -> None:
    path = get_automl(given.run).notebook(given.model)
    print_json({"path": str(path)}) if given.json else print(path)


def _code(given: argparse.Namespace) -> None:
    text = get_automl(given.run).code(given.format)
    print_json({"text": text}) if given.json else print(text, end="")


def _say(found: AutoMLRun, given: argparse.Namespace) -> None:
    print_json(found.data) if given.json else print(f"{found.name} ({found.id}): {found.status.value}")
