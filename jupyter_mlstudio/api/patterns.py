"""The paths of routes as regular expressions, for Tornado."""

from __future__ import annotations

from collections.abc import Iterable

from jupyter_mlstudio.api.route import Route


def patterns(routes: Iterable[Route]) -> list[tuple[str, dict[str, Route]]]:
    """Groups routes by path; returns regular expressions of paths, without the part before, and routes by method."""
    grouped: dict[str, dict[str, Route]] = {}
    for route in routes:
        grouped.setdefault(route.path, {})[route.method] = route
    return [(_pattern(path), methods) for path, methods in grouped.items()]


def _pattern(path: str) -> str:
    parts = []
    for part in path.split("/"):
        if part.startswith("{"):
            name = part.strip("{}*")
            parts.append(f"(?P<{name}>.+)" if part.endswith("*}") else f"(?P<{name}>[^/]+)")
        else:
            parts.append(part)
    return "/".join(parts)
