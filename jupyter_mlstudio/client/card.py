"""How a run shows itself: MIME types for JupyterLab's card, for GitHub and VS Code, and for a terminal."""

from __future__ import annotations

import html
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from jupyter_mlstudio.entities.runs import ArtifactEntry
from jupyter_mlstudio.entities.values import JSON

MIME = "application/vnd.jupyter-mlstudio.run+json"
SHOWN_LIMIT = 12
TEXT_LIMIT = 120

_ICONS = {"Completed": "✓", "Failed": "✗", "Canceled": "⊘", "Queued": "○", "NotStarted": "○"}
_COLOURS = {"Completed": "#1a7f37", "Failed": "#cf222e", "Canceled": "#6e7781", "Queued": "#6e7781"}


def bundle(data: Mapping[str, JSON], root: Path) -> dict[str, JSON]:
    """Makes the MIME bundle of a run from what the API tells of it: a live card, a still one, and a line of text."""
    static = still(data)
    return {
        MIME: {"run_id": str(data.get("id", "")), "workspace": str(root), "name": static["name"], "static": static},
        "text/html": as_html(static),
        "text/plain": as_text(static),
    }


def still(data: Mapping[str, JSON]) -> dict[str, JSON]:
    """What the card shows where nothing is live: a few short values of the run, as they were when it was shown."""
    return {
        "id": str(data.get("id", "")),
        "name": _cut(data.get("name", "")),
        "experiment": _cut(data.get("experiment", "")),
        "kind": str(data.get("kind", "")),
        "status": str(data.get("status", "")),
        "reason": _cut(data.get("reason", "")),
        "created_at": data.get("created_at"),
        "duration_s": data.get("duration_s"),
        "origin": _origin(data.get("origin") or {}),
        "params": _first(data.get("params") or {}),
        "metrics": {name: number(value) for name, value in _metrics(data.get("metrics") or {}).items()},
    }


def as_text(static: Mapping[str, JSON]) -> str:
    """One line for a terminal."""
    parts = [f"{static['name']} {_ICONS.get(static['status'], '●')} {words(static['status'])}"]
    if static["duration_s"] is not None:
        parts.append(duration(static["duration_s"]))
    parts += [f"{name} {value}" for name, value in static["metrics"].items()]
    if static["reason"]:
        parts.append(static["reason"])
    return f"{'  '.join(parts)}  ({static['experiment']}, {static['id']})"


def as_html(static: Mapping[str, JSON]) -> str:
    """A card without script or style sheet, for places that run none. Every value is escaped."""
    status = static["status"]
    colour = _COLOURS.get(status, "#0969da")
    facts = [f"<strong>{_escape(static['name'])}</strong>"]
    facts.append(f'<span style="color:{colour}">{_ICONS.get(status, "●")} {_escape(words(status))}</span>')
    if static["duration_s"] is not None:
        facts.append(duration(static["duration_s"]))
    where = " · ".join(_escape(text) for text in (static["experiment"], static["origin"]) if text)
    lines = [f"<div>{'&ensp;'.join(facts)}&emsp;<small>{where}</small></div>"]
    for values in (static["params"], static["metrics"]):
        if values:
            pairs = (f"{_escape(name)}&nbsp;<code>{_escape(value)}</code>" for name, value in values.items())
            lines.append(f"<div>{'&emsp;'.join(pairs)}</div>")
    if static["reason"]:
        lines.append(f'<div style="color:{colour}">{_escape(static["reason"])}</div>')
    style = "border:1px solid rgba(128,128,128,.35);border-radius:3px;padding:6px 10px;line-height:1.6;max-width:760px"
    return f'<div style="{style}">{"".join(lines)}</div>'


def number(value: object) -> str:
    """A metric's value with four significant digits; whole numbers as they are."""
    try:
        real = float(str(value))
    except ValueError:
        return _cut(value)
    if real != real or real in (float("inf"), float("-inf")):
        return "NaN" if real != real else ("∞" if real > 0 else "-∞")
    return f"{real:.0f}" if real == int(real) and abs(real) < 1e6 else f"{real:.4g}"


def duration(seconds: float) -> str:
    """A time span: ``4.2 s``, ``01:15``, ``1 h 04 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < 3600:
        return f"{whole // 60:02d}:{whole % 60:02d}"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def words(status: str) -> str:
    """A status as a word of a sentence: ``CancelRequested`` is ``cancel requested``."""
    return "".join(f" {char.lower()}" if char.isupper() else char for char in status).strip()


def entry(item: Mapping[str, JSON]) -> ArtifactEntry:
    """Reads one entry of a list of artifacts."""
    at = item["modified_at"]
    return ArtifactEntry(**{**item, "modified_at": datetime.fromisoformat(at) if at else None})


def _origin(origin: Mapping[str, JSON]) -> str:
    if origin.get("notebook"):
        cell = f"cell {origin['cell_number']} of " if origin.get("cell_number") else ""
        return _cut(f"{cell}{origin['notebook']}")
    return _cut(origin.get("script") or "")


def _metrics(metrics: Mapping[str, JSON]) -> dict[str, JSON]:
    return dict([item for item in metrics.items() if not item[0].startswith("system/")][:SHOWN_LIMIT])


def _first(values: Mapping[str, JSON]) -> dict[str, str]:
    return {_cut(name): _cut(value) for name, value in list(values.items())[:SHOWN_LIMIT]}


def _cut(value: object) -> str:
    text = str(value if value is not None else "")
    return text if len(text) <= TEXT_LIMIT else text[: TEXT_LIMIT - 1] + "…"


def _escape(value: object) -> str:
    return html.escape(str(value), quote=True)
