"""Sweeps as words: ``train.py lr=loguniform(-6,-1) --metric val_auc``, for the magics and the terminal."""

from __future__ import annotations

import re
import shlex
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_mlstudio.client.sweep_request import LIMITS
from jupyter_mlstudio.client.sweep_submission import sweep
from jupyter_mlstudio.client.sweeps import Sweep, get_sweep
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid
from jupyter_mlstudio.kernel.arguments import MagicParser, add_work_options, pairs, typed

FILES = (".py", ".ipynb", ".yml", ".yaml")
GOALS = ("max", "min", "maximize", "minimize")
STEERING = ("pause", "resume", "stop", "try", "set")
_DEFAULTS = ("local", "0", 0, 1.0)
_WORK = ("folder", "python", "kernel", "target", "priority", "cpus", "memory", "gpus", "memory_limit")


def sweep_parser(name: str) -> MagicParser:
    """The parser of ``%ml_sweep``, ``%%ml_sweep`` and ``jupyter mlstudio sweep``."""
    cell, magic = name.startswith("%%"), name.startswith("%")
    parser = MagicParser(
        name,
        f"Tries {'the cell' if cell else 'a script, a notebook, a command or a function'} with many parameters.",
        completes="" if cell else "files", epilog=_examples(name), mixed=True,
    )  # fmt: skip
    what = "" if cell else "what to try: a .py or .ipynb file, an Azure sweep job (.yml), "
    what += "" if cell else "a function of the notebook; " if magic else "or, after --, a command; "
    parser.add_argument("words", nargs="*", metavar="NAME=DISTRIBUTION", help=f"{what}parameters and what they may be")
    add_sweep_options(parser)
    add_work_options(parser, "sweep")
    if magic and not cell:
        steering = parser.add_argument_group("steering a sweep that is there")
        steering.add_argument("--pause", metavar="SWEEP", help="start no more trials for the time being")
        steering.add_argument("--resume", metavar="SWEEP", help="go on, also with one that is over")
        steering.add_argument("--stop", metavar="SWEEP", help="end it; what is complete is kept")
        steering.add_argument("--try", metavar="SWEEP", help="try a point next: --try SWEEP lr=0.1 depth=3")
        steering.add_argument("--set", metavar="SWEEP", help="change limits or bounds: --set SWEEP trials=80")
    return parser


def add_sweep_options(parser: MagicParser) -> None:
    """Adds what a sweep has and a run has not."""
    parser.add_argument("-m", "--metric", action="append", default=[], metavar="NAME[:GOAL]",
                        help="what is to be good; several, e.g. auc:max and ms:min, give a Pareto front")  # fmt: skip
    parser.add_argument("--goal", choices=GOALS, default="maximize", help="which way is better")
    parser.add_argument("--value", choices=["last", "best"], default="last", help="which of a trial's points counts")
    parser.add_argument("--trials", type=int, help="how many, 20 by default")
    parser.add_argument("--parallel", type=int, help="how many at the same time")
    parser.add_argument("--sampler", default="tpe", help="tpe, random, sobol, grid, gp, cmaes, nsgaii ...")
    parser.add_argument("--seed", type=int, help="makes the choice repeatable")
    parser.add_argument("--early-termination", metavar="POLICY",
                        help="median_stopping, bandit(slack_factor=0.1), hyperband ...")  # fmt: skip
    parser.add_argument("--timeout", help="end the sweep after e.g. 2h")
    parser.add_argument("--trial-timeout", help="fail a trial after e.g. 10min")
    parser.add_argument("--exit-score", type=float, help="end the sweep when the metric is at least as good")
    parser.add_argument("--retries", type=int, help="how often a trial whose process was killed is tried again")
    parser.add_argument("--point", action="append", default=[], metavar="'A=1 B=2'", help="a point to try first")
    parser.add_argument("--constraint", action="append", default=[], help="e.g. 'latency_ms <= 20'")
    parser.add_argument("--repeats", type=int, default=1, help="how many seeds each point is tried with")
    parser.add_argument("--warm-start", action="append", default=[], metavar="SWEEP",
                        help="a sweep, run or experiment whose results are known from the start")  # fmt: skip


def read(parser: MagicParser, line: str) -> Namespace:
    """Reads a line; spaces inside the brackets of a distribution do not end its word."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        parser.error(f"the line cannot be split into words: {error}")
    return read_words(parser, words)


def read_words(parser: MagicParser, words: Sequence[str]) -> Namespace:
    """Reads words that are split already; see :func:`read`."""
    end = words.index("--") if "--" in words else len(words)
    return parser.read_words([*_joined(words[:end]), *words[end:]])


def begin(given: Namespace, variables: Mapping[str, Any], cell: str | None = None) -> Sweep:
    """Begins the sweep that was asked for."""
    what, words = _what(given, variables, cell)
    space = {name: _distribution(text, variables) for name, text in pairs(words, "").items()}
    metrics: dict[str, Any] = {"goal": given.goal}
    if len(given.metric) > 1:
        metrics = {"objectives": [_objective(one, given.goal) for one in given.metric]}
    elif given.metric:
        metrics["metric"], metrics["goal"] = _objective(given.metric[0], given.goal)
    own: dict[str, Any] = {name: getattr(given, name) for name in _WORK}
    if given.env:
        own["env"] = pairs(given.env, "--env")
    if cell is None and isinstance(what, str) and given.rest:
        own["args"] = given.rest
    if _is_yaml(what):
        own = {name: value for name, value in own.items() if value not in (None, *_DEFAULTS)}
    return sweep(
        what, space, **metrics, value=given.value, trials=given.trials, parallel=given.parallel,
        sampler=given.sampler, seed=given.seed, early_termination=given.early_termination, timeout=given.timeout,
        trial_timeout=given.trial_timeout, exit_score=given.exit_score, retries=given.retries,
        params={name: typed(text, variables) for name, text in pairs(given.param, "-p").items()},
        points=[point(shlex.split(one), variables) for one in given.point], constraints=given.constraint,
        repeats=given.repeats, warm_start=given.warm_start, name=given.name, experiment=given.experiment,
        tags=pairs(given.tag, "--tag"), wait=given.wait, **own,
    )  # fmt: skip


def steer(given: Namespace, variables: Mapping[str, Any]) -> Sweep | None:
    """Does what the steering options say, if one is given; answers the sweep."""
    chosen = [name for name in STEERING if getattr(given, name, None)]
    if not chosen:
        return None
    if len(chosen) > 1:
        raise Invalid(f"give one of --{' and --'.join(chosen)} at a time")
    found = get_sweep(getattr(given, chosen[0]))
    if chosen[0] in ("pause", "stop") and given.words:
        raise Invalid(f"--{chosen[0]} takes a sweep and nothing else, not {given.words[0]!r}")
    match chosen[0]:
        case "pause":
            return found.pause()
        case "resume":
            limits, space = changes(given.words, variables)
            if space:
                raise Invalid(f"{next(iter(space))!r} is not a limit; these are: {', '.join(LIMITS)}")
            return found.resume(**limits)
        case "stop":
            return found.stop()
        case "try":
            return found.enqueue(point(given.words, variables))
    return change(found, given.words, variables)


def change(found: Sweep, words: Sequence[str], variables: Mapping[str, Any]) -> Sweep:
    """Changes limits and bounds: ``trials=80 lr=uniform(0,1)``."""
    limits, space = changes(words, variables)
    return found.set(**limits, space=space)


def changes(words: Sequence[str], variables: Mapping[str, Any]) -> tuple[dict[str, JSON], dict[str, JSON]]:
    """Tells limits and bounds of parameters apart."""
    found = pairs(words, "")
    limits = {name: typed(text, variables) for name, text in found.items() if name in LIMITS}
    return limits, {name: _distribution(text, variables) for name, text in found.items() if name not in LIMITS}


def point(words: Sequence[str], variables: Mapping[str, Any]) -> dict[str, JSON]:
    """Reads the values of a point: ``lr=0.1 depth=3``."""
    found = {name: typed(text, variables) for name, text in pairs(words, "").items()}
    if not found:
        raise Invalid("the point is empty: write values of parameters, e.g. lr=0.1 depth=3")
    return found


def _what(given: Namespace, variables: Mapping[str, Any], cell: str | None) -> tuple[Any, list[str]]:
    """What is tried, and the words that are left."""
    named = [word for word in given.words if re.match(r"[\w.-]+=", word)]
    others = [word for word in given.words if word not in named]
    if cell is not None:
        if others:
            raise Invalid(f"{others[0]!r} is not name=distribution; write e.g. lr=loguniform(-6,-1)")
        if given.rest:
            raise Invalid("a cell takes no arguments after --; give constant parameters with -p name=value")
        if not cell.strip():
            raise Invalid("the cell is empty; write what to try below the first line")
        return cell, named
    if len(others) > 1:
        raise Invalid(f"{others[1]!r} is not name=distribution, and what to try is {others[0]!r} already")
    if others:
        word = others[0]
        if word.endswith(FILES):
            return word, named
        if callable(variables.get(word)):
            return variables[word], named
        raise Invalid(f"{word!r} is no .py, .ipynb or .yml file; write a command after --")
    if not given.rest:
        raise Invalid("nothing to try: name a file, or write a command after --")
    return given.rest, named


def _joined(words: Sequence[str]) -> list[str]:
    found: list[str] = []
    for word in words:
        if found and "=" in found[-1] and _depth(found[-1]) > 0:
            found[-1] += f" {word}"
        else:
            found.append(word)
    return found


def _depth(word: str) -> int:
    return sum(word.count(one) for one in "([{") - sum(word.count(one) for one in ")]}")


def _distribution(text: str, variables: Mapping[str, Any]) -> Any:
    return typed(text, variables) if text.startswith("$") else text


def _objective(text: str, goal: str) -> tuple[str, str]:
    name, colon, own = text.rpartition(":")
    if colon and own not in GOALS:
        raise Invalid(f"{own!r} in {text!r} is no goal: write {name or 'auc'}:max or {name or 'auc'}:min")
    return (name, own) if colon else (text, goal)


def _is_yaml(what: object) -> bool:
    return isinstance(what, str) and "\n" not in what and what.endswith((".yml", ".yaml"))


def _examples(name: str) -> str:
    lines = [
        "lr=loguniform(-6,-1) depth=int(2,12) act=choice(relu,tanh) --metric val_auc --trials 40 --parallel 4",
    ] if name.startswith("%%") else [
        "train.py lr='float(1e-5,0.1,log)' --metric val_auc --trials 40 --parallel 4",
        "sweep.yml",
        "n='int(1,50)' --metric loss --goal min -- Rscript x.R '${{inputs.n}}'",
    ]  # fmt: skip
    if name.startswith("%ml"):
        lines += ["--pause SWEEP", "--set SWEEP trials=80 parallel=2", "--try SWEEP lr=0.1"]
    kinds = "choice, uniform, loguniform, quniform, qloguniform, normal, lognormal, qnormal, qlognormal, randint,\n  "
    return "distributions:\n  " + kinds + "int, float\nexamples:\n" + "\n".join(f"  {name} {line}" for line in lines)
