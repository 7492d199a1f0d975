"""Distributions as text, for magics and terminals: ``loguniform(-6,-1)``, ``int(1,1000,log)``, ``choice(relu,tanh)``.

::

    distribution = name "(" [argument {"," argument}] ")"
    argument     = [field "="] value | "log"
    value        = number | word | "text" | "[" [value {"," value}] "]" | distribution | branch
    branch       = "{" entry {"," entry} "}"              entry = word (":" | "=") value

Words are text, except ``true``, ``false`` and ``none``; in quotes everything is text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.errors import Invalid


class Shape(NamedTuple):
    """The fields of a type of distribution, in the order of its text; those after ``required`` may be left out."""

    fields: tuple[str, ...]
    required: int


SHAPES: dict[str, Shape] = {
    "choice": Shape(("values",), 1),
    "uniform": Shape(("min_value", "max_value"), 2),
    "loguniform": Shape(("min_value", "max_value"), 2),
    "quniform": Shape(("min_value", "max_value", "q"), 3),
    "qloguniform": Shape(("min_value", "max_value", "q"), 3),
    "normal": Shape(("mu", "sigma"), 2),
    "lognormal": Shape(("mu", "sigma"), 2),
    "qnormal": Shape(("mu", "sigma", "q"), 3),
    "qlognormal": Shape(("mu", "sigma", "q"), 3),
    "randint": Shape(("upper",), 1),
    "int": Shape(("low", "high", "step", "log"), 2),
    "float": Shape(("low", "high", "step", "log"), 2),
}
"""Every type of distribution. The first ten are Azure's, with its names."""

_TOKEN = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[(){}\[\],:=]|[^\s(){}\[\],:="']+)""")
_WORDS: dict[str, JSON] = {
    **dict.fromkeys(("true", "True"), True),
    **dict.fromkeys(("false", "False"), False),
    **dict.fromkeys(("none", "None", "null"), None),
}
_MAX_TEXT = 100_000
_MAX_DEPTH = 30
_T = TypeVar("_T")


def read(text: str) -> JSON:
    """Returns what a text says, as JSON that nobody has checked yet.

    Raises:
        Invalid: the text does not follow the grammar.
    """
    if len(text) > _MAX_TEXT:
        raise Invalid(f"the text of a distribution has {len(text)} characters: at most {_MAX_TEXT} are read")
    reader = _Reader(text)
    value = reader.value(0)
    if reader.position < len(reader.tokens):
        raise reader.wrong("its end")
    return value


def write(value: JSON) -> str:
    """Returns the text form of a distribution, a branch or a constant; :func:`read` gives the same back."""
    if isinstance(value, dict):
        if value.get("type") in SHAPES:
            return _write_distribution(value)
        return "{" + ", ".join(f"{_write_text(str(name))}: {write(entry)}" for name, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(write(item) for item in value) + "]"
    if isinstance(value, str):
        return _write_text(value)
    return json.dumps(value) if isinstance(value, bool) else str(value).lower()


def _write_distribution(distribution: dict[str, JSON]) -> str:
    kind = distribution["type"]
    if kind == "choice":
        return f"choice({','.join(write(value) for value in distribution['values'])})"
    shape, parts = SHAPES[kind], []
    for number, name in enumerate(shape.fields):
        value = distribution.get(name)
        if number < shape.required:
            parts.append(write(value))
        elif name == "log":
            parts += ["log"] if value else []
        elif value is not None and not (kind == "int" and value == 1):
            parts.append(f"{name}={write(value)}")
    return f"{kind}({','.join(parts)})"


def _write_text(text: str) -> str:
    plain = _TOKEN.fullmatch(text) and text == text.strip() and text[0] not in "\"'(){}[],:="
    return text if plain and _word(text) == text and text not in SHAPES else json.dumps(text, ensure_ascii=False)


def _word(token: str) -> JSON:
    if token in _WORDS:
        return _WORDS[token]
    for kind in (int, float):
        try:
            return kind(token)
        except ValueError:
            continue
    return token


def _quoted(token: str) -> str:
    if token[0] == "'":
        token = '"' + token[1:-1].replace("\\'", "'").replace('"', '\\"') + '"'
    try:
        return str(json.loads(token, strict=False))
    except ValueError as error:
        raise Invalid(f"{token} is not a text: {error}") from error


class _Reader:
    """Reads one text from the left to the right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[str] = []
        self.position = 0
        place = 0
        while place < len(text.rstrip()):
            match = _TOKEN.match(text, place)
            if match is None:
                raise Invalid(f"{text!r}: a quotation mark at character {place + 1} is never closed")
            self.tokens.append(match[1])
            place = match.end()

    def next(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def taken(self, *tokens: str) -> bool:
        found = self.next() in tokens and self.position < len(self.tokens)
        self.position += found
        return found

    def wrong(self, wanted: str) -> Invalid:
        found = f"{self.next()!r}" if self.next() else "the end"
        return Invalid(f"{self.text!r}: {wanted} is expected where {found} is; write for example loguniform(-6,-1)")

    def value(self, depth: int) -> JSON:
        if depth > _MAX_DEPTH:
            raise Invalid(f"{self.text[:80]!r}...: more than {_MAX_DEPTH} brackets in each other")
        if self.taken("{"):
            return dict(self.items("}", self.entry, depth))
        if self.taken("["):
            return self.items("]", self.value, depth)
        token = self.next()
        if not token or token in "()}],:=":
            raise self.wrong("a value")
        self.position += 1
        if self.taken("("):
            return self.distribution(token, self.items(")", self.argument, depth))
        return _quoted(token) if token[0] in "\"'" else _word(token)

    def items(self, end: str, read_one: Callable[[int], _T], depth: int) -> list[_T]:
        found: list[_T] = []
        while not self.taken(end):
            if found and not self.taken(","):
                raise self.wrong(f"',' or {end!r}")
            found.append(read_one(depth + 1))
        return found

    def name(self) -> str:
        token = self.next()
        if not token or token in "(){}[],:=":
            raise self.wrong("a name")
        self.position += 1
        return _quoted(token) if token[0] in "\"'" else token

    def entry(self, depth: int) -> tuple[str, JSON]:
        name = self.name()
        if not self.taken(":", "="):
            raise self.wrong("':'")
        return name, self.value(depth)

    def argument(self, depth: int) -> tuple[str, JSON]:
        if self.position + 1 < len(self.tokens) and self.tokens[self.position + 1] == "=":
            return self.entry(depth)
        return "", self.value(depth)

    def distribution(self, kind: str, arguments: list[tuple[str, JSON]]) -> dict[str, JSON]:
        if kind not in SHAPES:
            raise Invalid(f"{kind!r} is no distribution: choose from {', '.join(SHAPES)}")
        if kind == "choice" and not any(name for name, _ in arguments):
            return {"type": kind, "values": [value for _, value in arguments]}
        found: dict[str, JSON] = {"type": kind}
        fields = list(SHAPES[kind].fields)
        for place, (name, value) in enumerate(arguments):
            if not name and value == "log" and "log" in fields:
                name, value = "log", True
            elif not name and place < len(fields):
                name = fields[place]
            if name not in fields or name in found:
                said = f"{name!r} twice" if name in found else f"no {name or 'argument number ' + str(place + 1)!r}"
                raise Invalid(f"{self.text!r}: {kind} has {said}: it is {kind}({', '.join(fields)})")
            found[name] = value
        return found
