"""Runs a Python script as a run, as ``python script.py`` would: from the snapshot's copy, in the working folder."""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Mapping
from pathlib import Path

from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.programs import autolog, context


def run(job: context.Job) -> int:
    """Executes the script; parameters come before the further arguments."""
    script = job.file
    sys.argv = [str(script), *arguments(job.params), *job.spec.get("args", [])]
    if sys.path[0] in ("", str(Path.cwd())):  # the folder that ``-m`` puts there, and a script does not
        del sys.path[0]
    sys.path.insert(0, str(script.parent))
    autolog.turn_on()
    runpy.run_path(str(script), run_name="__main__")
    return 0


def arguments(params: Mapping[str, JSON]) -> list[str]:
    """Writes parameters as options: ``--name value``; True is ``--name`` alone, False and None are left out."""
    written: list[str] = []
    for name, value in params.items():
        if value is None or value is False:
            continue
        if value is True:
            written.append(f"--{name}")
            continue
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        written += [f"--{name}={text}"] if text.startswith("-") else [f"--{name}", text]
    return written


if __name__ == "__main__":
    sys.exit(context.execute(run))
