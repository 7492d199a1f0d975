"""Checks what is in a wheel, ``check_wheel.py WHEEL``: all that the program needs, each thing once, nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

DATA = r"jupyter_mlstudio-[^/]+\.data/data/"
NEEDED = [
    r"jupyter_mlstudio/api/openapi\.json",
    r"jupyter_mlstudio/events/change\.yaml",
    r"jupyter_mlstudio/py\.typed",
    r"jupyter_mlstudio/static/run\.js",
    r"jupyter_mlstudio/store/migrations/versions/0001_\w+\.py",
    DATA + r"etc/jupyter/jupyter_server_config\.d/jupyter_mlstudio\.json",
    DATA + r"share/jupyter/labextensions/jupyter_mlstudio/install\.json",
    DATA + r"share/jupyter/labextensions/jupyter_mlstudio/package\.json",
    DATA + r"share/jupyter/labextensions/jupyter_mlstudio/schemas/jupyter_mlstudio/plugin\.json",
    DATA + r"share/jupyter/labextensions/jupyter_mlstudio/static/remoteEntry\.\w+\.js",
    r"jupyter_mlstudio-[^/]+\.dist-info/licenses/LICENSE",
]
UNWANTED = [
    r"jupyter_mlstudio/labextension/",
    r"(^|/)(tests|ui-tests|node_modules|\.mlstudio|__pycache__|\.ipynb_checkpoints)/",
    r"\.map$",
]


def main(wheel: Path) -> int:
    """Prints what is missing and what is too much; answers 0 when neither is."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    listed = subprocess.run(["git", "ls-files", "examples"], capture_output=True, text=True, check=True).stdout
    examples = [rf"jupyter_mlstudio/{re.escape(name)}" for name in listed.splitlines()]
    wrong = [f"missing: {pattern}" for pattern in [*NEEDED, *examples] if not _any(pattern + "$", names)]
    wrong += [f"unwanted: {name}" for name in names if any(re.search(pattern, name) for pattern in UNWANTED)]
    print("\n".join([f"{wheel.name}: {len(names)} files, {wheel.stat().st_size / 1e3:,.0f} kB", *wrong]))
    return 1 if wrong else 0


def _any(pattern: str, names: list[str]) -> bool:
    return any(re.match(pattern, name) for name in names)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
