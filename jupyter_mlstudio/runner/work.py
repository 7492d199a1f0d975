"""What a supervisor starts: the command and environment of a run's work, read from ``spec.json``."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_mlstudio.entities.runs import RunKind
from jupyter_mlstudio.plugins.compute.base import Work

PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Job:
    """``spec.json`` of a run, with the folder it lies in."""

    run_id: str
    kind: RunKind
    experiment_id: str
    spec: dict[str, Any]
    folder: Path
    run_folder: Path

    @classmethod
    def read(cls, run_folder: Path) -> Job:
        """Reads the job of a run's folder."""
        content = json.loads((run_folder / "spec.json").read_bytes())
        return cls(
            run_id=content["run_id"],
            kind=RunKind(content["kind"]),
            experiment_id=content["experiment_id"],
            spec=content["spec"],
            folder=Path(content["folder"]),
            run_folder=run_folder,
        )

    @property
    def wall_time_s(self) -> float | None:
        """How long the work may take."""
        limit = self.spec["limits"]["wall_time_s"]
        return None if limit is None else float(limit)

    @property
    def memory_bytes(self) -> int | None:
        """How much memory its process tree may use."""
        limit = self.spec["limits"]["memory_bytes"]
        return None if limit is None else int(limit)


def work_of(job: Job, root: Path, url: str, token: str) -> Work:
    """Builds what the compute target starts."""
    python = job.spec.get("python") or sys.executable
    program = f"jupyter_mlstudio.programs.{job.kind.value}"
    return Work(
        run_id=job.run_id,
        command=[python, "-P", "-m", program],
        folder=job.folder,
        environment=_environment(job, root, url, token),
        output=job.run_folder / "output.log",
    )


def _environment(job: Job, root: Path, url: str, token: str) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if k != "MLSTUDIO_GATEWAY_TOKEN"}
    paths = [str(_library(job.run_folder)), inherited.get("PYTHONPATH", "")]
    return {
        "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime reports to its maker otherwise; who sets it has the last word
        **inherited,
        **job.spec["env"],
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "PYTHONUNBUFFERED": "1",
        "MLSTUDIO_RUN_ID": job.run_id,
        "MLSTUDIO_RUN_FOLDER": str(job.run_folder),
        "MLSTUDIO_WORKSPACE": str(root),
        "MLSTUDIO_URL": url,
        "MLSTUDIO_TOKEN": token,
        "MLSTUDIO_PARAMS": json.dumps(job.spec["params"]),
        "MLFLOW_TRACKING_URI": f"{url}/mlstudio/mlflow",
        "MLFLOW_TRACKING_TOKEN": token,
        "MLFLOW_RUN_ID": job.run_id,
        "MLFLOW_EXPERIMENT_ID": job.experiment_id,
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "AZUREML_RUN_ID": job.run_id,
    }


def _library(run_folder: Path) -> Path:
    """Makes a folder with nothing but this package in it, so that a bare environment can import it too."""
    folder = run_folder / "lib"
    folder.mkdir(exist_ok=True)
    link = folder / PACKAGE.name
    if not link.is_symlink():
        link.symlink_to(PACKAGE, target_is_directory=True)
    return folder
