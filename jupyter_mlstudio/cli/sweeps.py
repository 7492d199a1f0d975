"""Sweeps from a terminal."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from jupyter_mlstudio.cli.common import FAILED, command, group, print_json, print_table
from jupyter_mlstudio.client.sweeps import Sweep, get_sweep, list_sweeps
from jupyter_mlstudio.entities.sweeps import Trial, TrialState, word_of
from jupyter_mlstudio.kernel.sweep_arguments import begin, change, changes, point, read_words, sweep_parser

POLL_S = 0.5


def add(commands: Any) -> None:
    """Adds the words."""
    sweeps = group(commands, "sweeps", "find sweeps, follow and steer them")
    command(sweeps, "list", _list, "list sweeps").add_argument("--max", type=int, default=50, help="how many at most")
    _of_sweep(sweeps, "show", _show, "show a sweep and its best trial")
    _of_sweep(sweeps, "trials", _trials, "list a sweep's trials")
    _of_sweep(sweeps, "pause", _pause, "start no more trials for the time being")
    resuming = _of_sweep(sweeps, "resume", _resume, "go on after a pause, or with a sweep that is over")
    resuming.add_argument("limits", nargs="*", metavar="NAME=VALUE", help="limits to change, e.g. trials=80")
    _of_sweep(sweeps, "stop", _stop, "end a sweep; what is complete is kept")
    setting = _of_sweep(sweeps, "set", _set, "change limits, or the bounds of parameters")
    setting.add_argument("changes", nargs="+", metavar="NAME=VALUE", help="e.g. trials=80 'lr=uniform(0,0.1)'")
    trying = _of_sweep(sweeps, "try", _try, "try a point before any other")
    trying.add_argument("point", nargs="+", metavar="NAME=VALUE", help="e.g. lr=0.1 depth=3")
    code = _of_sweep(sweeps, "code", _code, "print the call or the YAML that begins such a sweep")
    code.add_argument("--format", choices=["python", "yaml"], default="python", help="which of them")


def sweep_words(words: Sequence[str]) -> int:
    """Begins the sweep that stands behind ``sweep``; its options are those of the magic."""
    parser = sweep_parser("jupyter mlstudio sweep")
    parser.add_argument("--stream", action="store_true", help="print each trial as it ends, until the sweep is over")
    parser.add_argument("--json", action="store_true", help="print the sweep as JSON")
    given = read_words(parser, words)
    wait, given.wait = given.wait or given.stream, False
    found = begin(given, {})
    if not given.json:
        print(f"sweep {found.name} ({found.id}) in experiment {found.run.experiment}", file=sys.stderr)
    if wait:
        _follow(found, say=given.stream and not given.json)
    if given.json:
        print_json(found.data)
    if not wait:
        return 0
    print(_outcome(found), file=sys.stderr)
    return 0 if found.status.value == "Completed" else FAILED


def _of_sweep(commands: Any, name: str, do: Callable[[argparse.Namespace], int | None], text: str) -> Any:
    made = command(commands, name, do, text)
    made.add_argument("sweep", help="the id of its run, a beginning of it, or its name")
    return made


def _follow(found: Sweep, *, say: bool) -> None:
    told: set[int] = set()
    over = False
    while not over:
        over = found.run.ended
        for trial in found.trials if say else ():
            if trial.number not in told and trial.state not in (TrialState.RUNNING, TrialState.WAITING):
                told.add(trial.number)
                print(_line(trial), flush=True)
        if not over:
            time.sleep(POLL_S)


def _line(trial: Trial) -> str:
    values = " ".join("-" if value is None else f"{value:.6g}" for value in trial.values)
    params = " ".join(f"{name}={_short(value)}" for name, value in trial.params.items())
    said = f"  {trial.reason}" if trial.reason else ""
    return f"{trial.number:>4}  {word_of(trial.state, trial.reason):<8}  {values}  {params}{said}"


def _outcome(found: Sweep) -> str:
    data, reason = found.data, found.run.reason
    text = f"{found.status.value}{': ' + reason if reason else ''}"
    if data["best"] is not None:
        text += f"; best: {_line(found.best_trial).strip()}"
    return text + (f"\n{found.lead.note}" if found.lead.note else "")


def _list(given: argparse.Namespace) -> None:
    found = list_sweeps(given.max)
    if given.json:
        return print_json([one.data for one in found])
    rows = []
    for one in found:
        data = one.data
        best = data["best"]["values"][0] if data["best"] else "-"
        counts = ", ".join(f"{count} {state.lower()}" for state, count in data["counts"].items() if count)
        rows.append([one.id[:8], one.name, data["experiment"], data["phase"], counts or "-", best])
    return print_table(["id", "name", "experiment", "phase", "trials", "best"], rows)


def _show(given: argparse.Namespace) -> None:
    found = get_sweep(given.sweep)
    data = found.data
    if given.json:
        return print_json(data)
    control = data["control"]["limits"]
    goals = ", ".join(f"{one['goal']} {one['primary_metric']}" for one in data["spec"]["objectives"])
    counts = ", ".join(f"{count} {state.lower()}" for state, count in data["counts"].items() if count)
    rows = [
        ["id", found.id], ["name", found.name], ["experiment", data["experiment"]], ["status", data["status"]],
        ["phase", data["phase"]], ["reason", found.run.reason], ["objective", goals],
        ["trials", f"{counts or 'none'} of {control['max_total_trials']}"],
        ["parallel", control["max_concurrent_trials"]],
        ["best", _line(found.best_trial).strip() if data["best"] else ""], ["note", found.lead.note],
    ]  # fmt: skip
    return print_table(["", ""], [row for row in rows if row[1] != ""])


def _trials(given: argparse.Namespace) -> None:
    found = get_sweep(given.sweep).trials
    print_json(found.rows()) if given.json else print(found)


def _pause(given: argparse.Namespace) -> None:
    _say(get_sweep(given.sweep).pause(), given)


def _resume(given: argparse.Namespace) -> None:
    limits, others = changes(given.limits, {})
    _say(get_sweep(given.sweep).resume(**limits, **others), given)


def _stop(given: argparse.Namespace) -> None:
    _say(get_sweep(given.sweep).stop(), given)


def _set(given: argparse.Namespace) -> None:
    _say(change(get_sweep(given.sweep), given.changes, {}), given)


def _try(given: argparse.Namespace) -> None:
    _say(get_sweep(given.sweep).enqueue(point(given.point, {})), given)


def _code(given: argparse.Namespace) -> None:
    text = get_sweep(given.sweep).code(given.format)
    print_json({"text": text}) if given.json else print(text, end="")


def _say(found: Sweep, given: argparse.Namespace) -> None:
    data = found.data
    print_json(data) if given.json else print(f"{found.name} ({found.id}): {data['phase']}")


def _short(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
