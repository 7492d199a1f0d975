"""The arguments of the magics: parsers that print their help and complain in one line, and never end the kernel."""

from __future__ import annotations

import argparse
import ast
import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid, NotFound


class HelpShown(Exception):
    """The help was asked for and has been printed."""


class MagicParser(argparse.ArgumentParser):
    """A parser for one magic; ``completes`` says what its words name: files, runs, models ...; ``mixed`` lets options
    stand between the words."""

    def __init__(
        self, name: str, description: str, *, completes: str = "", epilog: str = "", mixed: bool = False
    ) -> None:
        super().__init__(
            prog=name, description=description, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        self.completes = completes
        self._mixed = mixed

    def error(self, message: str) -> NoReturn:
        """Complains without a traceback; the line says how to find out more."""
        raise Invalid(f"{message} ({self.prog} --help says more)")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """Ends only the magic."""
        raise HelpShown

    def read(self, line: str) -> argparse.Namespace:
        """Reads a line as a shell splits it. What comes after ``--`` is kept as ``rest``, None without it."""
        try:
            words = shlex.split(line)
        except ValueError as error:
            self.error(f"the line cannot be split into words: {error}")
        return self.read_words(words)

    def read_words(self, words: list[str]) -> argparse.Namespace:
        """Reads words that are split already; see :meth:`read`."""
        rest: list[str] | None = None
        if "--" in words:
            at = words.index("--")
            words, rest = words[:at], words[at + 1 :]
        if self._mixed and self.usage is None:  # else argparse takes the percent signs of a magic's name for formats
            self.usage = self.format_usage().removeprefix("usage: ").rstrip().replace("%", "%%")
        read = self.parse_intermixed_args(words) if self._mixed else self.parse_args(words)
        read.rest = rest
        return read

    @property
    def options(self) -> list[str]:
        """All option names, for completion."""
        return sorted(name for action in self._actions for name in action.option_strings)


def submit_parser(name: str) -> MagicParser:
    """The parser of ``%ml_submit`` and ``%%ml_submit``."""
    parser = MagicParser(
        name,
        "Submits a script, a notebook, a command or (with two percent signs) the cell as a run of its own.",
        completes="files",
        epilog=(
            "examples:\n  %%ml_submit --name forest -p n_estimators=200\n  %ml_submit train.py -p lr=0.1 -- --extra\n"
            "  %ml_submit report.ipynb -p year=2025\n  %ml_submit -- Rscript x.R"
        ),
    )
    if not name.startswith("%%"):
        parser.add_argument("file", nargs="?", help="a script (.py) or a notebook (.ipynb)")
    add_work_options(parser, "run")
    parser.add_argument("--timeout", help="fail it after e.g. 30min")
    return parser


def add_work_options(parser: argparse.ArgumentParser, noun: str) -> None:
    """Adds the options of work, whether it is done once or by each trial of a sweep."""
    parser.add_argument("-n", "--name", help=f"the {noun}'s name")
    parser.add_argument("-e", "--experiment", help="the experiment's name")
    parser.add_argument("-p", "--param", action="append", default=[], metavar="NAME=VALUE",
                        help="a parameter; $x as value takes the variable x")  # fmt: skip
    parser.add_argument("--tag", action="append", default=[], metavar="NAME=VALUE", help="a tag")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE", help="an environment variable")
    parser.add_argument("--folder", help="the working folder; the current one by default")
    parser.add_argument("--python", help="the Python interpreter; the kernel's by default")
    parser.add_argument("--kernel", help="the kernel of a notebook")
    parser.add_argument("--target", default="local", help="the compute target")
    parser.add_argument("--priority", type=int, default=0, help="higher starts first")
    parser.add_argument("--cpus", type=float, default=1.0, help="CPUs it takes up")
    parser.add_argument("--memory", default="0", help="memory it takes up, e.g. 2GB")
    parser.add_argument("--gpus", type=int, default=0, help="GPUs it takes up")
    parser.add_argument("--memory-limit", help="fail it beyond e.g. 8GB")
    parser.add_argument("--wait", action="store_true", help="wait until it is over")


def pairs(given: Sequence[str], option: str) -> dict[str, str]:
    """Reads ``name=value`` pairs.

    Raises:
        Invalid: one has no name or no ``=``, or a name comes twice.
    """
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise Invalid(f"{option} {text!r} is not name=value; write e.g. {option} lr=0.1")
        if name in found:
            raise Invalid(f"{option} {name} is given twice, as {found[name]!r} and {value!r}")
        found[name] = value
    return found


def typed(text: str, variables: Mapping[str, Any]) -> JSON:
    """Reads a parameter's value: ``$x`` is the variable x; numbers, true, false, null, lists and dicts; else text.

    Raises:
        NotFound: there is no such variable.
    """
    if text.startswith("$") and text[1:].isidentifier():
        if text[1:] not in variables:
            raise NotFound(f"there is no variable {text[1:]!r} to take a parameter's value from")
        return variables[text[1:]]
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
    return text
