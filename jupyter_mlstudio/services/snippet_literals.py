"""Values as literals of the languages in which snippets are written. Whatever a sample holds stays data there."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from jupyter_mlstudio.entities.values import JSON

Literal = Callable[[JSON], str]


def ascii_text(value: JSON) -> str:
    """Text as JSON writes it, ASCII alone; JavaScript, Java and C# read the same."""
    return json.dumps(value)


def r_text(text: str) -> str:
    """Text as R reads it: it knows neither pairs of surrogates nor JSON's other escapes."""
    return '"' + "".join(_r_letter(letter) for letter in text) + '"'


def r_raw(text: str) -> str:
    """Text as R's raw string, which nothing inside can end."""
    dashes = "-"
    while f"){dashes}" in text:
        dashes += "-"
    return f'r"{dashes}({text}){dashes}"'


def listed(values: Sequence[JSON], literal: Literal) -> str:
    """The literals of some values, with commas."""
    return ", ".join(literal(value) for value in values)


def number(nothing: str, suffix: str = "", *, whole: bool = False) -> Literal:
    """Numbers; ``nothing`` is how a missing one is written, ``suffix`` what the type of a literal needs."""

    def write(value: JSON) -> str:
        if value is None:
            return nothing
        return f"{json.dumps(value if whole else float(value))}{suffix}"

    return write


def text(literal: Callable[[str], str]) -> Literal:
    """Texts; a missing one is the empty text, since ONNX has no other."""
    return lambda value: literal("" if value is None else str(value))


def flag(yes: str, no: str) -> Literal:
    """True and false."""
    return lambda value: yes if value else no


def _r_letter(letter: str) -> str:
    if letter in '"\\':
        return "\\" + letter
    code = ord(letter)
    return letter if 32 <= code < 127 else f"\\U{code:08x}"
