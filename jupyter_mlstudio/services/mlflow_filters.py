"""MLflow's search grammar for things that are few: experiments, registered models, versions, logged models.

Grammar: MLflow's documentation, "Search Experiments": comparisons of a field with text, joined by ``AND``. Runs are
many and are searched by the database, see :mod:`jupyter_mlstudio.store.filters`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from jupyter_mlstudio.errors import Invalid

LENGTH_LIMIT = 10_000
_TERM = re.compile(
    r"""\s*(?P<field>(?:tags?|params?)\.(?:`[^`]+`|"[^"]+"|[\w.-]+)|`[^`]+`|[\w.]+)\s*"""
    r"""(?P<op>!=|=|\bNOT\s+IN\b|\bIN\b|\bILIKE\b|\bLIKE\b)\s*"""
    r"""(?P<value>'(?:[^'])*'|"(?:[^"])*"|\((?:\s*'[^']*'\s*,?)+\))\s*""",
    re.IGNORECASE,
)
_AND = re.compile(r"and\b", re.IGNORECASE)
Fields = Mapping[str, str]


def matcher(text: str, known: Iterable[str]) -> Callable[[Fields], bool]:
    """Reads a filter; returns what tells whether a thing with such fields passes.

    Raises:
        Invalid: it is not of the grammar, or names a field that is not among ``known``.
    """
    if len(text) > LENGTH_LIMIT:
        raise Invalid(f"a filter has at most {LENGTH_LIMIT} characters, this one has {len(text)}")
    terms: list[Callable[[Fields], bool]] = []
    at = 0
    while text[at:].strip():
        joint = _AND.match(text, at) if terms else None
        term = _TERM.match(text, joint.end() if joint else at) if joint or not terms else None
        if term is None:
            raise Invalid(f"the filter cannot be read from {text[at : at + 40]!r} on; example: name = 'iris'")
        terms.append(_comparison(term, known))
        at = term.end()
    return lambda fields: all(passes(fields) for passes in terms)


def _comparison(term: re.Match[str], known: Iterable[str]) -> Callable[[Fields], bool]:
    field = re.sub(r"[`\"]", "", term["field"]).removeprefix("attributes.").removeprefix("attribute.")
    field = re.sub(r"^(tag|param)\.", r"\1s.", field)
    if field not in known and not field.startswith(tuple(f"{name}." for name in known)):
        raise Invalid(f"{field[:80]!r} cannot be searched for here; known are {', '.join(sorted(known))}")
    op = " ".join(term["op"].lower().split())
    if op in ("in", "not in"):
        values = re.findall(r"'([^']*)'", term["value"])
        return lambda fields: (fields.get(field) in values) is (op == "in")
    value = term["value"][1:-1]
    if op in ("like", "ilike"):
        parts = re.split(r"([%_])", value)
        pattern = "".join({"%": ".*", "_": "."}.get(part, re.escape(part)) for part in parts)
        wanted = re.compile(pattern, re.DOTALL | (re.IGNORECASE if op == "ilike" else re.NOFLAG))
        return lambda fields: field in fields and wanted.fullmatch(fields[field]) is not None
    return lambda fields: (fields.get(field) == value) is (op == "=")
