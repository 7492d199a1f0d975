"""A model as a drawing: scikit-learn's own, without anything that could run or fetch, and as plain data."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser
from typing import Any

from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.learning.parameters import has_parameters, parameters

DROPPED = {"script", "button", "link", "iframe", "object", "embed"}
"""Elements that are left out with what they hold."""

DROPPED_CLASSES = {"param-doc-description", "default", "sk-estimator-doc-link"}
"""The same by class: help that links elsewhere, and parameters that are at their defaults."""

KEPT = {"class", "id", "for", "type", "hidden", "tabindex", "open"}
VOID = {"input", "br", "hr", "img", "meta"}


def diagram(model: Any) -> str:
    """Draws an estimator as scikit-learn does, with the parameters that are not at their defaults.

    Returns:
        HTML with its style, without scripts, handlers, links and addresses. Boxes open by a click without a script.
    """
    from sklearn.utils import estimator_html_repr

    cleaner = _Cleaner()
    cleaner.feed(estimator_html_repr(model))
    cleaner.close()
    return "".join(cleaner.kept)


def outline(model: Any, name: str = "") -> dict[str, JSON]:
    """The same as data: ``name``, ``type``, ``parameters`` (as text) and ``parts`` (members, steps, columns)."""
    if not has_parameters(model):
        return {"name": name, "type": str(model), "parameters": {}, "parts": []}
    own: dict[str, JSON] = {}
    parts: list[JSON] = []
    for key, value in parameters(model).items():
        members = value if isinstance(value, list) and value and all(_is_member(one) for one in value) else None
        if members is not None:
            parts += [_part(*one) for one in members]
        elif has_parameters(value):
            parts.append(outline(value, key))
        else:
            own[key] = repr(value)[:200]
    return {"name": name, "type": type(model).__name__, "parameters": own, "parts": parts}


def _is_member(value: Any) -> bool:
    if not isinstance(value, tuple) or len(value) < 2 or not isinstance(value[0], str):
        return False
    return has_parameters(value[1]) or value[1] in ("passthrough", "drop")


def _part(name: str, model: Any, columns: Any = None) -> JSON:
    found = outline(model, name)
    if columns is not None:
        names = [str(one) for one in columns] if isinstance(columns, (list, tuple)) else [str(columns)]
        found["columns"] = list(names)
    return found


_ADDRESS = re.compile(r"""url\(\s*("[^"]*"|'[^']*'|[^)]*)\s*\)""")


class _Cleaner(HTMLParser):
    """Copies what is harmless."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.kept: list[str] = []
        self._leaving: list[str] = []
        self._style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        classes = set((dict(attrs).get("class") or "").split())
        if self._leaving or tag in DROPPED or classes & DROPPED_CLASSES:
            if tag not in VOID:
                self._leaving.append(tag)
            return
        self._style = tag == "style"
        if tag == "a":
            tag = "span"
        own = "".join(
            f' {key}="{escape(value or "", quote=True)}"' if value is not None else f" {key}"
            for key, value in attrs
            if key in KEPT
        )
        self.kept.append(f"<{tag}{own}>")

    def handle_endtag(self, tag: str) -> None:
        if self._leaving:
            if tag in self._leaving:
                while self._leaving.pop() != tag:
                    pass
            return
        self._style = False
        if tag not in VOID:
            self.kept.append(f"</{'span' if tag == 'a' else tag}>")

    def handle_data(self, data: str) -> None:
        if self._leaving:
            return
        if self._style:
            self.kept.append(_ADDRESS.sub("none", data).replace("@import", ""))
        else:
            self.kept.append(escape(data if data.strip() else " "))
