"""What a profile run executes: it measures a version's ONNX file over batch sizes and threads, and keeps a table."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path

import numpy as np

from jupyter_mlstudio.client import tracking
from jupyter_mlstudio.entities.values import JSON
from jupyter_mlstudio.onnx.probe import probe
from jupyter_mlstudio.onnx.profile import Point, profile, suggested
from jupyter_mlstudio.programs.evidence import ROWS
from jupyter_mlstudio.programs.operating_point import feeds_of


def measure(wanted: dict[str, JSON]) -> int:
    """Measures the model in the folder that ``wanted`` names, on its own rows where it has some."""
    folder = Path(str(wanted["folder"]))
    onnx = (folder / "model.onnx").read_bytes()
    points = profile(onnx, _rows(folder, onnx), [int(rows) for rows in wanted["batches"]])
    names = [field.name for field in fields(Point)]
    tracking.log_table("profile", {name: [asdict(point)[name] for point in points] for name in names})
    for one in points:
        print(
            f"{one.rows:>7} rows, {one.threads} threads: median {one.median_ms:.3f} ms, p95 {one.p95_ms:.3f} ms,"
            f" {one.rows_per_s:,.0f} rows/s, {one.memory_mb:.0f} MB"
        )
    limits = suggested(points)
    tracking.log_metrics({f"suggested/{name}": float(value) for name, value in limits.items()})
    print("suggested: " + ", ".join(f"{name}={value:g}" for name, value in limits.items()))
    return 0


def _rows(folder: Path, onnx: bytes) -> dict[str, JSON]:
    if (folder / ROWS).is_file():
        with np.load(folder / ROWS, allow_pickle=False) as kept:
            return feeds_of({name: kept[name] for name in kept.files})
    return probe(onnx)
