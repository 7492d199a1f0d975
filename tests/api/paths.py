"""Paths that match the routes of the table."""

from __future__ import annotations

import re

from jupyter_mlstudio.api.route import Route
from tests.server import API

FILLED = {"path": "a/b", "key": "primary", "version": "1"}


def filled(route: Route) -> str:
    """A path below the base URL that the route matches, of things that do not exist."""
    return API + re.sub(r"{(\w+)\*?}", lambda found: FILLED.get(found[1], "x1"), route.path)
