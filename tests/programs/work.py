"""Starts a program as a run's supervisor does: in a run folder, with the run's variables, its output in a file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.client.gateway import Gateway

ROOT = Path(__file__).parents[2]


@dataclass
class Ended:
    """How the work ended and what it said."""

    status: int
    output: str
    reason: str | None
    artifacts: Path


class Work:
    """The work of one run: ``spec`` is what was submitted, ``folder`` the working folder."""

    def __init__(self, tmp_path: Path, gateway: Gateway) -> None:
        self.gateway = gateway
        self.folder = tmp_path / "work"
        self.run_folder = tmp_path / ".mlstudio" / "runs" / gateway.run_id
        for folder in (self.folder, self.run_folder / "artifacts"):
            folder.mkdir(parents=True, exist_ok=True)

    def start(
        self, program: str, spec: dict[str, Any], entry: Path | None = None, env: dict[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Starts the program in a session of its own."""
        content = {
            "run_id": self.gateway.run_id,
            "name": "forest",
            "kind": program,
            "spec": spec,
            "folder": str(self.folder),
            "code": str(entry.parent) if entry else None,
            "entry": str(entry) if entry else None,
        }
        (self.run_folder / "spec.json").write_text(json.dumps(content))
        variables = {
            **os.environ,
            **self.gateway.environment(self.run_folder),
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "MLSTUDIO_PARAMS": json.dumps(spec.get("params", {})),
            **(env or {}),
        }
        with (self.run_folder / "output.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"jupyter_mlstudio.programs.{program}"],
                cwd=self.folder, env=variables, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def run(self, program: str, spec: dict[str, Any], entry: Path | None = None, **options: Any) -> Ended:
        """Starts the program and waits until it has ended."""
        process = self.start(program, spec, entry, **options)
        return self.ended(process.wait(90))

    def ended(self, status: int) -> Ended:
        """Reads what the program left behind."""
        reason = self.run_folder / "reason.json"
        return Ended(
            status,
            (self.run_folder / "output.log").read_text(),
            json.loads(reason.read_text())["reason"] if reason.exists() else None,
            self.run_folder / "artifacts",
        )
