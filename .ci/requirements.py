"""Prints what the package needs, to be built and with some of its extras: ``requirements.py EXTRA...``."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

content = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
project = content["project"]
extras = [one for name in sys.argv[1:] for one in project["optional-dependencies"][name]]
print("\n".join([*content["build-system"]["requires"], *project["dependencies"], *extras]))
