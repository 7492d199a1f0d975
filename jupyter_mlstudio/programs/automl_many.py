"""The model of a partitioned run: the models of its parts in one file, so that they are registered as one version."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

from jupyter_mlstudio.entities.automl_candidates import Partition
from jupyter_mlstudio.programs.automl_files import write_whole

MANIFEST, PARTS = "mlstudio.json", "parts.zip"


def pack(target: Path, runs: Path, partition_by: Sequence[str], parts: Sequence[Partition]) -> int:
    """Writes the models of parts, each with its sample, as ``log_model`` keeps one model.

    Args:
        target: the model's folder below the run's artifacts.
        runs: the folder of all runs, where the parts' own are.
        partition_by: the columns that the table was split by.

    Returns:
        How many parts have a model. Nothing is written when none has.
    """
    listed: list[dict[str, object]] = []
    target.mkdir(parents=True, exist_ok=True)
    temporary = target / f".{PARTS}.{os.getpid()}.part"
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED, strict_timestamps=False) as archive:
        for number, part in enumerate(parts):
            folder = runs / part.run_id / "artifacts" / "model" if part.run_id else None
            files = sorted(file for file in folder.iterdir() if file.is_file()) if folder and folder.is_dir() else []
            reason = part.failed or ("" if files else "its run has no model")
            listed.append({"key": part.key, "folder": f"{number:05d}", "run_id": part.run_id, "reason": reason})
            for file in files if not reason else []:
                archive.write(file, f"{number:05d}/{file.name}")
    made = sum(not part["reason"] for part in listed)
    if not made:
        temporary.unlink()
        return 0
    with temporary.open("rb") as packed:
        digest = hashlib.file_digest(packed, "sha256").hexdigest()
    temporary.replace(target / PARTS)
    manifest = {
        "format": 1, "kind": "many", "file": PARTS, "sha256": digest, "partition_by": list(partition_by),
        "parts": listed,
    }  # fmt: skip
    write_whole(target / MANIFEST, json.dumps(manifest, ensure_ascii=False).encode())
    return made
